"""Does what the diagnosis suggests cure? Failed runs of the corpus, begun again in two ways.

With its remedy, at most two settings; and with the plain one, every setting back to the recipe's value. The oracle
judges both at their end.

Both begin at step 0, whatever step the diagnosis would fork from: states of the corpus have no optimiser.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from gan.bench import judge, oracle
from gan.bench.common import Figure, side_by_side
from gan.bench.corpus import draw
from gan.bench.corpus_runs import judged, states_folder, train_and_keep
from gan.bench.corpus_states import State, kept_run
from gan.bench.judge import Case, cases, numbers_of
from gan.diagnosis import diagnose
from gan.diagnosis.remedies import back_to_recipe

REMEDY, PLAIN = "remedy", "plain"
CURED = (oracle.IMPROVING, oracle.HEALTHY)
CURED_BAR, RATES_BAR = 0.8, 0.95


@dataclass(frozen=True)
class Tried:
    """A failed run and the oracle's words on the last state of it begun again; None: nothing was suggested."""

    case: Case
    only_rates: bool  # were off: the corpus changed nothing else
    remedy: tuple[str, ...] | None
    plain: tuple[str, ...] | None

    def cured(self, how: str) -> bool:
        words = getattr(self, how)
        return words is not None and words[0] in CURED


def measure(args: argparse.Namespace) -> list[Figure]:
    """Train and judge the forks that are missing, of runs that are kept and whose last state has failed."""
    folder = states_folder(args)
    found = [s for number in numbers_of(args) for s in judged(number, folder)[-1:]]
    failed = [case for case in cases(found, folder) if case.failed]
    tried = []
    for one in side_by_side(partial(_try, folder=folder), failed, args.jobs):
        words = f"{', '.join(one.case.words)}; {one.case.first}"
        print(f"  {one.case.number}: {words} → {one.remedy}, plain {one.plain}", flush=True)
        tried.append(one)
    print("\n".join(["", *table(tried), ""]), flush=True)
    return figures(tried)


def _try(case: Case, folder: Path) -> Tried:
    torch.set_num_threads(1)
    drawn, run = draw(case.number), kept_run(folder, case.number)
    state = State(run, case.step)
    verdicts = diagnose(run.config, state.rows, state.signals, state.events)
    changes = {REMEDY: verdicts[0].remedy if verdicts else {}, PLAIN: back_to_recipe(run.config)}
    words = {how: _begun_again(case.number, changes[how], folder, how) for how in changes}
    return Tried(case, drawn.wild and drawn.words.endswith("nothing else"), **words)


def _begun_again(number: int, changes: dict[str, Any], folder: Path, how: str) -> tuple[str, ...] | None:
    if not changes:
        return None
    place = folder / "cures" / how
    place.mkdir(parents=True, exist_ok=True)
    for shared in ("pictures", "networks"):
        if not (place / shared).exists():
            (place / shared).symlink_to((folder / shared).resolve(), target_is_directory=True)
    train_and_keep(number, place, changes)
    return oracle.words(judged(number, place)[-1].facts)


def table(tried: Sequence[Tried]) -> list[str]:
    """How many runs of each verdict were cured."""
    lines = ["| first verdict | failed runs | cured by its remedy | by the plain one |", "| --- | --- | --- | --- |"]
    for kind in sorted({one.case.first for one in tried}):
        mine = [one for one in tried if one.case.first == kind]
        counts = (sum(one.cured(how) for one in mine) for how in (REMEDY, PLAIN))
        lines.append(f"| {kind} | {len(mine)} | {' | '.join(map(str, counts))} |")
    return lines


def figures(tried: Sequence[Tried]) -> list[Figure]:
    rates = [one for one in tried if one.only_rates]
    cured = {how: {one.case.number for one in tried if one.cured(how)} for how in (REMEDY, PLAIN)}
    made = []
    for what, mine, bar in (("failed runs", tried, CURED_BAR), ("of them, only rates were wrong", rates, RATES_BAR)):
        numbers = [one.case for one in mine]
        made.append(judge.figure(f"{what} cured", numbers, lambda c: c.number in cured[REMEDY], least=bar))
        plain = sum(c.number in cured[PLAIN] for c in numbers)
        fewer = "met" if sum(c.number in cured[REMEDY] for c in numbers) >= plain else "missed"
        made.append(Figure(f"{what} cured by the plain remedy", f"{plain} of {len(mine)}", f"not more: {fewer}"))
    return made
