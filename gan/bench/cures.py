"""Does what the diagnosis suggests cure? Failed runs of the corpus, begun again in two ways.

With its remedy, at most two things (where it suggests none, with the same settings: it said to wait); and with the
plain one, every setting back to the recipe's value. The oracle judges both at their end.

Both begin at step 0, whatever step the diagnosis would fork from, because states of the corpus have no optimiser; and
both train for SECONDS of a core at least, because the recipes' own settings show nothing in as few steps as most
failed runs have. With --cache, a run that was tried is a line of that file and is not trained again, also where the
corpus itself is gone; a line says what was suggested then, so that it stands for the rules of its day.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from gan.bench import judge, oracle
from gan.bench.common import Figure, side_by_side
from gan.bench.corpus import draw, seconds_a_step
from gan.bench.corpus_runs import judged, states_folder, train_and_keep
from gan.bench.corpus_states import State, needed_run
from gan.bench.judge import Case, cases, numbers_of
from gan.bench.oracle import MEASURED
from gan.bench.quality import find, keep
from gan.core.config import Changes
from gan.monitor.diagnosis import diagnose
from gan.monitor.diagnosis.remedies import back_to_recipe

REMEDY, PLAIN = "remedy", "plain"
CURED = (oracle.IMPROVING, oracle.HEALTHY)
CURED_BAR, RATES_BAR = 0.8, 0.95
SECONDS = 30.0  # of one core: two to six times what most failed runs had
SLOW, SECONDS_OF_SLOW = ("mlp", "dense", "conv-small", "dcgan-upsample", "dcgan-transposed"), 200.0  # the articles' own


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
    """Train and judge what is missing of the runs that are asked for: each, and the forks of those that have failed."""
    rows = {number: found[0] for number in numbers_of(args) if (found := find(args.cache, _key(number)))}
    missing = sorted((number for number in numbers_of(args) if number not in rows), key=_is_slow)
    for row in side_by_side(partial(_try, folder=states_folder(args)), missing, args.jobs):
        rows[row["number"]] = row
        keep(args.cache, _key(row["number"]), [row])
        print(f"  {in_words(row)}", flush=True)
    tried = [one for number in sorted(rows) if (one := from_row(rows[number]))]
    print("\n".join(["", *table(tried), ""]), flush=True)
    return figures(tried)


def _key(number: int) -> dict[str, object]:
    return {"torch": torch.__version__, "measured": MEASURED, "seconds": _seconds(number), "forks of run": number}


def _is_slow(number: int) -> bool:
    return draw(number).config.model in SLOW


def _seconds(number: int) -> float:
    return SECONDS_OF_SLOW if _is_slow(number) else SECONDS


def _try(number: int, folder: Path) -> dict[str, Any]:
    """The last state of a run, as a line of the cache; with the oracle's words on its forks, if it has failed."""
    torch.set_num_threads(1)
    train_and_keep(number, folder)
    row: dict[str, Any] = {"number": number}
    case = next(iter(cases(judged(number, folder)[-1:], folder)), None)
    if case is None or not case.failed:
        return row
    run = needed_run(folder, number)
    state = State(run, case.step)
    verdicts = diagnose(run.config, state.rows, state.signals, state.events)
    suggested, plain = verdicts[0].remedy if verdicts else {}, back_to_recipe(run.config)
    row |= {"case": asdict(case), "suggested": suggested, REMEDY: _begun_again(number, suggested, folder, REMEDY)}
    return row | {PLAIN: row[REMEDY] if plain == suggested else _begun_again(number, plain, folder, PLAIN)}


def in_words(row: dict[str, Any]) -> str:
    if "case" not in row:
        return f"{row['number']}: has not failed"
    words = ", ".join(row["case"]["words"])
    return f"{row['number']}: {words} → {row['suggested']}: {row[REMEDY]}, plain {row[PLAIN]}"


def from_row(row: dict[str, Any]) -> Tried | None:
    """None of a run that has not failed."""
    if "case" not in row:
        return None
    facts: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in row["case"].items()}
    case = Case(**facts)
    drawn = draw(case.number)
    only_rates = drawn.wild and drawn.words.endswith("nothing else")
    return Tried(case, only_rates, tuple(row[REMEDY]), tuple(row[PLAIN]))


def _begun_again(number: int, changes: Changes, folder: Path, how: str) -> tuple[str, ...]:
    place = folder / "cures" / how
    place.mkdir(parents=True, exist_ok=True)
    for shared in ("pictures", "networks"):
        with suppress(FileExistsError):  # another process may be as far
            (place / shared).symlink_to((folder / shared).resolve(), target_is_directory=True)
    config = draw(number).config
    steps = max(config.total_steps, int(_seconds(number) / seconds_a_step(config.changed(**changes))))
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
