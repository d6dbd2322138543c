"""Does what the diagnosis suggests cure? Failed runs of the corpus, begun again in two ways.

With its remedy, at most two settings (where it suggests none, with the same settings: it said to wait); and with the
plain one, every setting back to the recipe's value. The oracle judges both at their end.

Both begin at step 0, whatever step the diagnosis would fork from, because states of the corpus have no optimiser; and
both train for SECONDS of a core at least, because the recipes' own settings show nothing in as few steps as most
failed runs have.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from gan.bench import judge, oracle
from gan.bench.common import Figure, side_by_side
from gan.bench.corpus import draw, seconds_a_step
from gan.bench.corpus_runs import judged, states_folder, train_and_keep
from gan.bench.corpus_states import State, needed_run
from gan.bench.judge import Case, cases, numbers_of
from gan.core.config import Changes
from gan.monitor.diagnosis import diagnose
from gan.monitor.diagnosis.remedies import back_to_recipe

REMEDY, PLAIN = "remedy", "plain"
CURED = (oracle.IMPROVING, oracle.HEALTHY)
CURED_BAR, RATES_BAR = 0.8, 0.95
SECONDS = 30.0  # of one core: two to six times what most failed runs had
SLOW, SECONDS_OF_SLOW = ("mlp", "dense", "conv-small", "dcgan-upsample", "dcgan-transposed"), 60.0  # the articles' own


@dataclass(frozen=True)
class Tried:
    """A failed run, and the oracle's words on the last state of it begun again."""

    case: Case
    only_rates: bool  # were off: the corpus changed nothing else
    remedy: tuple[str, ...]
    plain: tuple[str, ...]

    def cured(self, how: str) -> bool:
        return getattr(self, how)[0] in CURED


def measure(args: argparse.Namespace) -> list[Figure]:
    """Train and judge the forks that are missing, of runs that are kept and whose last state has failed."""
    folder = states_folder(args)
    found = [s for number in numbers_of(args) for s in judged(number, folder)[-1:]]
    failed = sorted((case for case in cases(found, folder) if case.failed), key=_is_slow)
    tried = []
    for one in side_by_side(partial(_try, folder=folder), failed, args.jobs):
        words = f"{', '.join(one.case.words)}; {one.case.first}"
        print(f"  {one.case.number}: {words} → {one.remedy}, plain {one.plain}", flush=True)
        tried.append(one)
    print("\n".join(["", *table(tried), ""]), flush=True)
    return figures(tried)


def _is_slow(case: Case) -> bool:
    return draw(case.number).config.model in SLOW


def _try(case: Case, folder: Path) -> Tried:
    torch.set_num_threads(1)
    drawn, run = draw(case.number), needed_run(folder, case.number)
    state = State(run, case.step)
    verdicts = diagnose(run.config, state.rows, state.signals, state.events)
    suggested, plain = verdicts[0].remedy if verdicts else {}, back_to_recipe(run.config)
    words = {REMEDY: _begun_again(case.number, suggested, folder, REMEDY)}
    words[PLAIN] = words[REMEDY] if plain == suggested else _begun_again(case.number, plain, folder, PLAIN)
    return Tried(case, drawn.wild and drawn.words.endswith("nothing else"), **words)


def _begun_again(number: int, changes: Changes, folder: Path, how: str) -> tuple[str, ...]:
    place = folder / "cures" / how
    place.mkdir(parents=True, exist_ok=True)
    for shared in ("pictures", "networks"):
        if not (place / shared).exists():
            (place / shared).symlink_to((folder / shared).resolve(), target_is_directory=True)
    config = draw(number).config
    seconds = SECONDS_OF_SLOW if config.model in SLOW else SECONDS
    steps = max(config.total_steps, int(seconds / seconds_a_step(config.changed(**changes))))
    train_and_keep(number, place, changes | {"total_steps": steps})
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
