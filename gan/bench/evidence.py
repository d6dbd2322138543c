"""Evidence for the diagnosis: is each failure named, does its cure cure it, is healthy training left in peace?

Part `corpus` makes what rules are to be judged by: runs drawn at random, whose states are named by an oracle that knows
more than any diagnosis can (docs/oracle.md); part `sheet` holds that oracle against the eye.
The runs of the other parts are judged at their end, a fixed number of steps, from what they have written down. A
finished one is kept as a line of the cache file, so that what was stopped can go on another day. Seeds from 100 on set
the thresholds: judge others.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gan.bench import corpus_runs, corpus_sheet, cures, judge
from gan.bench.common import TRAINABLE, Figure, side_by_side
from gan.bench.quality import find, keep
from gan.core.config import Config
from gan.core.flags import seed, whole
from gan.metrics import evaluate
from gan.monitor.diagnosis import KINDS, diagnose
from gan.monitor.diagnosis.kinds import TOO_EARLY
from gan.recipes.catalog import RECIPES, make_config
from gan.recipes.failures import GALLERY, PREFIX
from gan.runs.commands import Command
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.training.device import best_device, resolved_precision

SAMPLES = 2_000  # pictures for the measures of short runs; the table of objectives has the full protocol
HEALTHY_SEEDS, OBJECTIVE_SEEDS = 5, 1  # of those given
NAMED_BAR, CURED_BAR, FALSE_ALARMS_BAR = 0.9, 0.9, 3
OBJECTIVE_SECONDS = 300.0
WITH_CORPUS = {"corpus": corpus_runs, "sheet": corpus_sheet, "judge": judge, "forks": cures}  # parts that need one

# Recipe, data set, steps: half a minute of one core each.
HEALTHY = (
    ("quick", "mnist", 500),
    ("quick", "fashion-mnist", 500),
    ("quick-conditional", "mnist", 500),
    ("quick-conditional", "fashion-mnist", 500),
    ("r3gan", "mnist", 600),
    ("wgan-gp", "mnist", 320),  # D takes five steps for one of G
    ("sngan", "mnist", 600),
    ("lsgan", "mnist", 600),
    ("mlp", "mnist", 1500),
    ("mlp", "fashion-mnist", 1500),
    ("conv-small", "mnist", 1000),
    ("conv-small", "fashion-mnist", 1000),
)
OBJECTIVES = ("quick", "wgan", "wgan-gp", "lsgan", "sngan", "r3gan", "cgan")


@dataclass(frozen=True)
class Task:
    """One run. `expected`: the verdict of a failure, the one a cure must lose, or "healthy"."""

    part: str
    name: str
    expected: str
    config: Config
    seconds: float = 0.0  # of processor time: train so long instead of to the config's last step

    def key(self) -> dict[str, object]:
        """What decides the result; under which name the settings were chosen does not, so some cures are one run."""
        settings = {name: value for name, value in self.config.to_dict().items() if name != "recipe"}
        settings["precision"] = resolved_precision(self.config, best_device())
        return {"torch": torch.__version__, "seconds": self.seconds, "config": settings}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--part", nargs="+", choices=(*PARTS, *WITH_CORPUS), default=["gallery", "cures", "healthy"])
    parser.add_argument("--seeds", type=seed, nargs="+", default=list(range(10)))
    parser.add_argument("--only", nargs="+", help="only what has one of these names")
    parser.add_argument("--jobs", type=whole(1, 64), default=1, help="processes side by side, one thread each")
    parser.add_argument("--cache", type=Path, help="a file that keeps what is finished, one JSON line for each run")
    corpus_runs.add_arguments(parser)
    corpus_sheet.add_arguments(parser)
    judge.add_arguments(parser)


def measure(args: argparse.Namespace) -> list[Figure]:
    wanted = {
        part: [t for t in PARTS[part][0](args.seeds) if not args.only or t.name in args.only]
        for part in args.part
        if part not in WITH_CORPUS
    }
    found = _run_all([task for tasks in wanted.values() for task in tasks], args)
    figures = []
    for part, tasks in wanted.items():
        lines, more = PARTS[part][1]([(task, found[_name(task)]) for task in tasks])
        print("\n".join(["", *lines, ""]), flush=True)
        figures += more
    return figures + [figure for part, of in WITH_CORPUS.items() if part in args.part for figure in of.measure(args)]


# The runs --------------------------------------------------------------------------------------------------------


def gallery_tasks(seeds: list[int]) -> list[Task]:
    return [
        Task("gallery", name, failure.kind, make_config(PREFIX + name, seed=seed))
        for name, failure in GALLERY.items()
        for seed in seeds
    ]


def cure_tasks(seeds: list[int]) -> list[Task]:
    return [
        Task("cures", name, failure.kind, make_config(PREFIX + name, seed=seed).changed(**failure.cure))
        for name, failure in GALLERY.items()
        for seed in seeds
    ]


def healthy_tasks(seeds: list[int]) -> list[Task]:
    return [
        Task("healthy", f"{recipe}, {dataset}", "healthy", make_config(recipe, dataset, seed=seed, total_steps=steps))
        for recipe, dataset, steps in HEALTHY
        if recipe in RECIPES
        for seed in seeds[:HEALTHY_SEEDS]
    ]


def objective_tasks(seeds: list[int]) -> list[Task]:
    return [
        Task("objectives", recipe, "healthy", make_config(recipe, seed=seed, total_steps=10**8), OBJECTIVE_SECONDS)
        for recipe in OBJECTIVES
        if recipe in TRAINABLE
        for seed in seeds[:OBJECTIVE_SEEDS]
    ]


def _run_all(tasks: list[Task], args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """What was found, by key; from the cache where it is there."""
    found, missing = {}, {}
    for task in tasks:
        rows = find(args.cache, task.key())
        if rows is None:
            missing[_name(task)] = task
        else:
            found[_name(task)] = rows[0]
    if not missing:
        return found
    for task, result in side_by_side(_run_one, missing.values(), args.jobs):
        keep(args.cache, task.key(), [result])
        found[_name(task)] = result
        print(f"  {task.part}: {task.name}, seed {task.config.seed}: {json.dumps(result)}", flush=True)
    return found


def _name(task: Task) -> str:
    return json.dumps(task.key())


def _run_one(task: Task) -> tuple[Task, dict[str, Any]]:
    """Train as the app does, in a folder that is thrown away, and judge."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        run, _ = Runs(Path(folder)).adopt(task.config, format=1)  # as all that it is compared with
        run.threads, run.status = (1,), "running"
        run.meta.measure_share = 0.0  # live measures come when there is time: with them no run would repeat itself
        started = time.process_time()
        run.train(_stop_after(task.seconds) if task.seconds else None)
        seconds = time.process_time() - started
        found = _judged(run) | _measured(run, evaluate.SAMPLES if task.part == "objectives" else SAMPLES)
        return task, {"seconds": round(seconds, 1), "steps": run.trainer.steps_done, **found}


def _stop_after(seconds: float) -> Callable[[Run], None]:
    """By processor time, so that other programs on the machine do not change what a recipe had."""
    until = time.process_time() + seconds
    return lambda run: run.send(Command("stop")) if time.process_time() > until else None


def _judged(run: Run) -> dict[str, Any]:
    history = run.history
    verdicts = diagnose(run.config, history.rows, history.signals, history.events, history.measures)
    last = history.signals[-1] if history.signals else {}
    numbers = {name: last.get(name) for name in ("d_auroc", "diversity", "train_nn_ratio")}
    return {"kinds": [v.kind for v in verdicts], "alarms": [v.kind for v in verdicts if v.alarm], **numbers}


def _measured(run: Run, samples: int) -> dict[str, Any]:
    """FID, coverage and modes, where the generator still paints something that can be measured."""
    cfg = run.config
    try:
        extras = ("neighbours",)
        report = evaluate.evaluate(run.trainer.sample, cfg.z_dim, cfg.classes, cfg.dataset, samples, extras=extras)
    except evaluate.MetricError:
        return {"fid": None, "coverage": None, "modes": 0}
    assert report.coverage is not None  # of the neighbours
    return {"fid": round(report.fid, 2), "coverage": round(report.coverage, 3), "modes": report.modes}


# The tables ------------------------------------------------------------------------------------------------------

Results = list[tuple[Task, dict[str, Any]]]


def gallery_table(results: Results) -> tuple[list[str], list[Figure]]:
    """Whether each failure is among what is said, the pictures' and the cause; and which verdict came first."""
    kinds = [*KINDS, TOO_EARLY]
    lines = _head("failure", "its name", "named rightly", *kinds)
    figures = []
    for name, found in _by_name(results):
        firsts = Counter((result["kinds"] or [TOO_EARLY])[0] for _, result in found)
        right = sum(task.expected in result["kinds"] for task, result in found)
        lines.append(_row(name, found[0][0].expected, f"{right} of {len(found)}", *(firsts[k] or "" for k in kinds)))
        figures.append(_share(f"{name} is named", right, len(found), NAMED_BAR))
    return lines, figures


def cures_table(results: Results) -> tuple[list[str], list[Figure]]:
    lines = _head("cure of", "verdict gone", "other alarms", "FID, median", "modes, fewest")
    figures = []
    for name, found in _by_name(results):
        gone = sum(task.expected not in result["kinds"] for task, result in found)
        others = Counter(kind for task, result in found for kind in result["alarms"] if kind != task.expected)
        words = ", ".join(f"{kind} {n}" for kind, n in others.items()) or "none"
        lines.append(_row(name, f"{gone} of {len(found)}", words, _median(found, "fid"), _least(found, "modes")))
        figures.append(_share(f"{name} is cured", gone, len(found), CURED_BAR))
    return lines, figures


def healthy_table(results: Results) -> tuple[list[str], list[Figure]]:
    lines = _head("run", "seeds", "false alarms", "FID, median", "modes, fewest")
    for name, found in _by_name(results):
        alarms = Counter(kind for _, result in found for kind in result["alarms"])
        words = ", ".join(f"{kind} {n}" for kind, n in alarms.items()) or "none"
        lines.append(_row(name, len(found), words, _median(found, "fid"), _least(found, "modes")))
    false = sum(bool(result["alarms"]) for _, result in results)
    met = "met" if false <= FALSE_ALARMS_BAR else "missed"
    return lines, [Figure("false alarms", f"{false} of {len(results)}", f"at most {FALSE_ALARMS_BAR}: {met}")]


def objectives_table(results: Results) -> tuple[list[str], list[Figure]]:
    lines = _head("recipe", "FID", "coverage", "modes", "steps", "seconds", "verdict")
    for task, result in results:
        verdict = ", ".join(result["kinds"])
        numbers = (result[name] for name in ("fid", "coverage", "modes", "steps", "seconds"))
        lines.append(_row(task.name, *numbers, verdict))
    return lines, []


PARTS: dict[str, tuple[Callable[[list[int]], list[Task]], Callable[[Results], tuple[list[str], list[Figure]]]]] = {
    "gallery": (gallery_tasks, gallery_table),
    "cures": (cure_tasks, cures_table),
    "healthy": (healthy_tasks, healthy_table),
    "objectives": (objective_tasks, objectives_table),
}


def _head(*cells: str) -> list[str]:
    return [_row(*cells), _row(*("---" for _ in cells))]


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _by_name(results: Results) -> Iterable[tuple[str, Results]]:
    names = dict.fromkeys(task.name for task, _ in results)
    return [(name, [r for r in results if r[0].name == name]) for name in names]


def _share(what: str, right: int, count: int, bar: float) -> Figure:
    met = "met" if right >= bar * count else "missed"
    return Figure(what, f"{right} of {count}", f"at least {bar:.0%}: {met}")


def _known(found: Results, name: str) -> list[float]:
    return [result[name] for _, result in found if result[name] is not None]


def _median(found: Results, name: str) -> str:
    values = _known(found, name)
    return f"{statistics.median(values):.0f}" if values else "-"


def _least(found: Results, name: str) -> str:
    return f"{min(_known(found, name)):g}"
