"""Time to quality: how good the pictures are after so many seconds of training, looking at them not counted.

Each (recipe, seed) is trained once through all marks. A finished one is kept as a line of the cache file, so that what
was stopped can go on another day; other settings, or another cache file, measure anew.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from gan.bench.common import TRAINABLE, BenchError, Figure, add_threads, trainer_of, use_threads
from gan.core.config import PRECISIONS, Changes, Value
from gan.core.flags import decimal, seed, whole
from gan.data.catalog import DATA
from gan.metrics import checkerboard, evaluate
from gan.metrics.classifier import measured_sets
from gan.metrics.patch_distance import PICTURES, patch_distance
from gan.monitor.signals import Signals
from gan.recipes.catalog import make_config
from gan.training.device import best_device, resolved_precision
from gan.training.trainer import Trainer

# Processor seconds count what all threads have computed: fair also while others use the machine.
UNITS = {"seconds": time.perf_counter, "processor-seconds": time.process_time, "steps": time.perf_counter}


# Recipes as they were before: on the networks of `quick`, at a width of 48, which are told groups.
_BEFORE: Changes = {"model": "quick", "width": 48, "clusters": 100}
BEFORE = {f"{name}-on-quick": (name, _BEFORE) for name in ("quick-monsters", "quick-faces")}
USUAL, HARDLY = 0.1, 0.03  # shares: a value that so many real pictures have is missed where fewer drawn ones have it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipes", nargs="+", choices=[*TRAINABLE, *BEFORE], default=["quick"])
    add_how(parser)


def add_how(parser: argparse.ArgumentParser) -> None:
    """How to train and measure, whatever is trained."""
    parser.add_argument("--seeds", type=seed, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--marks", type=decimal(0, 10**9), nargs="+", default=[10, 20, 30, 60], help="how long to train"
    )
    parser.add_argument("--marks-in", choices=UNITS, default="seconds", help="what the marks count")
    parser.add_argument(
        "--samples",
        type=whole(evaluate.LEAST_SAMPLES, evaluate.MOST_SAMPLES),
        default=evaluate.SAMPLES,
        help="pictures for each measure",
    )
    parser.add_argument("--cache", type=Path, help="a file that keeps what is finished, one JSON line for each run")
    parser.add_argument("--precision", choices=PRECISIONS, help="of the networks (default: the recipe's)")
    add_threads(parser)


def measure(args: argparse.Namespace) -> list[Figure]:
    threads = use_threads(args)
    wanted = {name: BEFORE.get(name, (name, {})) for name in args.recipes}
    found = (of_all_seeds(name, recipe, threads, args, **changes) for name, (recipe, changes) in wanted.items())
    return [figure for figures in found for figure in figures]


def of_all_seeds(name: str, recipe: str, threads: int, args: argparse.Namespace, **changes: Value) -> list[Figure]:
    """A line for each mark of a recipe, changed or as it is."""
    if args.precision:
        changes |= {"precision": args.precision}
    if args.marks_in == "processor-seconds" and best_device().type != "cpu":
        raise BenchError("A GPU's work takes no processor seconds: count seconds or steps (--marks-in).")
    return _figures(name, [_of(recipe, threads, args, seed=seed, **changes) for seed in args.seeds])


def _of(recipe: str, threads: int, args: argparse.Namespace, **changes: Value) -> list[dict[str, Any]]:
    """The rows of one run, from the cache where it has them."""
    config, marks = make_config(recipe, None, None, **changes), sorted(args.marks)
    key: dict[str, object] = {
        "config": config.to_dict(),
        "marks": marks,
        "marks_in": args.marks_in,
        "samples": args.samples,
        "threads": threads,
        "torch": torch.__version__,
        "device": best_device().type,
        "precision": resolved_precision(config, best_device()),
    }
    rows = find(args.cache, key)
    if rows is None:
        rows = train_and_look(trainer_of(recipe, best_device(), **changes), marks, args.marks_in, args.samples)
        keep(args.cache, key, rows)
    for row in rows:
        print(f"  {recipe}, {changes}: {json.dumps(row)}", flush=True)
    return rows


def train_and_look(trainer: Trainer, marks: list[float], marks_in: str, samples: int) -> list[dict[str, Any]]:
    """Train to each mark and measure there, when a GPU too has done what it was given."""
    clock, seconds, rows = UNITS[marks_in], 0.0, []
    for mark in marks:
        started = clock()
        while (trainer.steps_done if marks_in == "steps" else seconds + clock() - started) < mark:
            trainer.step()
        if trainer.device.type == "cuda":
            torch.cuda.synchronize()
        seconds += clock() - started
        rows.append({"seconds": round(seconds, 2), **look(trainer, samples)})
    return rows


def look(trainer: Trainer, samples: int) -> dict[str, Any]:
    """What the generator people see can do now: through the data set's metric network or, where none is, by patches."""
    cfg = trainer.config
    measured = _through_network if cfg.dataset in measured_sets() else _by_patches
    done = {"steps": trainer.steps_done, "images": trainer.steps_done * cfg.batch}
    return done | {name: round(value, 4) for name, value in measured(trainer, samples).items()}


def _through_network(trainer: Trainer, samples: int) -> dict[str, float]:
    cfg = trainer.config
    extras = ("neighbours",) if DATA[cfg.dataset].attributes else ()
    report = evaluate.evaluate(trainer.sample, cfg.z_dim, cfg.classes, cfg.dataset, samples, extras=extras)
    assert report.modes is not None and report.confidence is not None  # the network is the data set's own
    times_real = report.fid / report.real_fid
    found = {"times_real": times_real, "fid": report.fid, "modes": report.modes, "confidence": report.confidence}
    return found | _of_attributes(report)


def _of_attributes(report: evaluate.Report) -> dict[str, float]:
    """Coverage, times real, and how many values of attributes are missed; nothing where none are known."""
    drawn, real, coverage, of_real = report.attributes, report.real_attributes, report.coverage, report.real_coverage
    if drawn is None or real is None or coverage is None or of_real is None:
        return {}
    pairs = [pair for name in real for pair in zip(real[name], drawn[name], strict=True)]
    missed = sum(usual >= USUAL and share < HARDLY for usual, share in pairs)
    return {"coverage_times_real": coverage / of_real, "missed": missed}


def _by_patches(trainer: Trainer, samples: int) -> dict[str, float]:
    """Distance of patches; how near training pictures are (1: as near as real ones to others, 0: copies); energy at the
    Nyquist frequency, times real.
    """
    real, rng = trainer.data.pictures.images, torch.Generator().manual_seed(0)
    halves = patch_distance(real[::2], real[1::2], rng)
    latents = evaluate.latents(min(samples, PICTURES), trainer.config.z_dim, trainer.config.classes)
    fake = torch.cat(list(evaluate.in_batches(trainer.sample, *latents)))
    distance = patch_distance(fake, real, rng)
    near = Signals(trainer).look({})["train_nn_ratio"]
    nyquist = checkerboard.times_real(fake, real)
    return {"times_real": distance / halves, "distance": distance, "nearest": near, "nyquist": nyquist}


def _figures(recipe: str, runs: list[list[dict[str, Any]]]) -> list[Figure]:
    """One line for each mark: medians over the seeds, and the range of the one that matters."""
    figures = []
    for rows in zip(*runs, strict=True):
        middle = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
        times = [row["times_real"] for row in rows]
        words = f"{middle['times_real']:.1f} times real ({min(times):.1f} to {max(times):.1f}, n = {len(rows)})"
        others = (f"{name} {value:,.4g}" for name, value in middle.items() if name not in ("seconds", "times_real"))
        figures.append(Figure(f"{recipe} after {middle['seconds']:.0f} s", ", ".join((words, *others))))
    return figures


# The cache -------------------------------------------------------------------------------------------------------


def find(cache: Path | None, key: dict[str, object]) -> list[dict[str, Any]] | None:
    """The rows kept under exactly these settings, or None."""
    if cache is None or not cache.exists():
        return None
    kept = filter(None, map(_entry, cache.read_text(encoding="utf-8").splitlines()))
    return next((entry["rows"] for entry in kept if entry["key"] == key), None)


def keep(cache: Path | None, key: dict[str, object], rows: list[dict[str, Any]]) -> None:
    if cache is not None:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with cache.open("a", encoding="utf-8") as file:
            # A new line first: a killed process may have left half of one.
            file.write("\n" + json.dumps({"key": key, "rows": rows}) + "\n")


def _entry(line: str) -> dict[str, Any] | None:
    """What a line keeps; None for an empty or a half written one."""
    try:
        return json.loads(line)
    except ValueError:
        return None
