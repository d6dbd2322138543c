"""The corpus at work: runs trained as the app trains them, states kept and measured, finished ones skipped."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from gan.bench.common import Figure, side_by_side
from gan.bench.corpus import HALVES, Drawn, draw
from gan.bench.corpus_states import Keeper, kept_run, path_of, without_clock
from gan.bench.oracle import MEASURED, UNKNOWN, WORDS, Facts, measured, words
from gan.core.config import Changes
from gan.core.files import write_atomically
from gan.core.flags import whole
from gan.data.catalog import download_dir
from gan.runs.registry import Runs
from gan.runs.run import Run

MOST_WORDS, MOST_UNKNOWN = 1.5, 0.1  # the bars of the mapping


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=whole(1, 100_000), default=250, help="of the corpus: numbers 0, 1, 2, ...")
    parser.add_argument("--states", type=Path, help="a folder that keeps the corpus (default: beside downloaded data)")


def measure(args: argparse.Namespace) -> list[Figure]:
    """Train and measure what is missing; the distribution of the oracle's words over the states, by half."""
    folder = states_folder(args)
    found: list[Judged] = []
    for line, states in side_by_side(partial(_one, folder=folder), range(args.runs), args.jobs):
        print(f"  {line}", flush=True)
        found += states
    print("\n".join(["", *distribution(found), ""]), flush=True)
    return figures(found)


def states_folder(args: argparse.Namespace) -> Path:
    return args.states or download_dir() / "evidence"


# One run ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """A state of the corpus and what was measured of it."""

    number: int
    step: int
    facts: Facts

    @property
    def half(self) -> str:
        return HALVES[self.number % 2]


def _one(number: int, folder: Path) -> tuple[str, list[Judged]]:
    torch.set_num_threads(1)
    return train_and_keep(number, folder), judged(number, folder)


def train_and_keep(number: int, folder: Path, changes: Changes | None = None) -> str:
    """Train the run of this number, with these settings changed, where it is not in `folder` yet; a line about it."""
    drawn, kept = draw(number), kept_run(folder, number)
    drawn = replace(drawn, config=drawn.config.changed(**changes or {}))
    if kept and kept.config == drawn.ready(folder / "pictures"):
        return f"{number}: kept"
    started = time.process_time()
    facts_path(folder, number).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as runs:
        run, keeper = trained(drawn, Path(runs), folder)
        about = {
            "number": number,
            "about": drawn.words,
            "config": run.config.to_dict(),
            "rows": without_clock(run.history.rows),
            "signals": run.history.signals,
            "events": run.history.events,
            "torch": torch.__version__,
        }
        keeper.write(path_of(folder, number), about)
    return f"{number}: {run.trainer.steps_done} steps in {time.process_time() - started:.0f} s; {drawn.words}"


def trained(drawn: Drawn, runs: Path, folder: Path) -> tuple[Run, Keeper]:
    """One thread, no live measures: with them a run would not repeat itself. Own pictures stay in `folder`."""
    own_dir = folder / "pictures"
    own_dir.mkdir(parents=True, exist_ok=True)
    config = drawn.ready(own_dir)
    (runs / "pictures").symlink_to(own_dir.resolve(), target_is_directory=True)
    run, _ = Runs(runs).adopt(config, format=1)  # whose draws the kept runs have
    run.threads, run.status, run.meta.measure_share = (1,), "running", 0.0
    keeper = Keeper(config.total_steps)
    run.train(lambda run: keeper.look(run.trainer))
    keeper.look(run.trainer, last=True)
    return run, keeper


def facts_path(folder: Path, number: int) -> Path:
    return folder / f"{number:05d}.json"


def judged(number: int, folder: Path) -> list[Judged]:
    """The states of a kept run with their facts, measured where they are not written down yet."""
    path, run = facts_path(folder, number), kept_run(folder, number)
    known = _read(path)
    if known is None and run:
        states = {str(state.step): facts.to_json() for state, facts in measured(run, folder)}
        known = {"measured": MEASURED, "states": states}
        write_atomically(path, json.dumps(known).encode())
    states = known["states"] if known else {}
    return [Judged(number, int(step), Facts.from_json(facts)) for step, facts in states.items()]


def _read(path: Path) -> dict[str, Any] | None:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return known if known.get("measured") == MEASURED else None


# The tables ---------------------------------------------------------------------------------------------------------


def distribution(found: Sequence[Judged]) -> list[str]:
    """How many states have each word, by half; a state with two words counts in both lines."""
    counts = {half: Counter(w for s in found if s.half == half for w in words(s.facts)) for half in HALVES}
    lines = [f"| {' | '.join(('word', *HALVES))} |", f"| {' | '.join(['---'] * (1 + len(HALVES)))} |"]
    return lines + [f"| {word} | {' | '.join(str(counts[half][word]) for half in HALVES)} |" for word in WORDS]


def figures(found: Sequence[Judged]) -> list[Figure]:
    states, runs = len(found), len({s.number for s in found})
    said = [words(s.facts) for s in found]
    mean = sum(map(len, said)) / max(1, states)
    unknown = sum(UNKNOWN in w for w in said) / max(1, states)
    met = {True: "met", False: "missed"}
    return [
        Figure("states", f"{states} of {runs} runs"),
        Figure("words a state", f"{mean:.2f}", f"at most {MOST_WORDS}: {met[mean <= MOST_WORDS]}"),
        Figure(UNKNOWN, f"{unknown:.1%}", f"at most {MOST_UNKNOWN:.0%}: {met[unknown <= MOST_UNKNOWN]}"),
    ]
