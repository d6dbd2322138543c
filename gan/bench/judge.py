"""The diagnosis judged by the oracle, on states of the corpus: what it says first, beside what there is to say.

Shares have 95 % intervals, resampled by run: states of one run are no independent evidence.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import cast

from gan.bench import oracle
from gan.bench.common import Figure
from gan.bench.corpus import HALVES, draw
from gan.bench.corpus_runs import Judged, states_folder
from gan.bench.corpus_runs import judged as judged_states
from gan.bench.corpus_sheet import Named, sheet, shown
from gan.bench.corpus_states import KeptRun, State, kept_run, needed_run
from gan.bench.oracle import Facts
from gan.core.files import write_atomically
from gan.core.flags import whole
from gan.monitor.diagnosis import KINDS
from gan.monitor.diagnosis import said as kinds_of
from gan.monitor.diagnosis.kinds import ALARMS, TOO_EARLY
from gan.monitor.diagnosis.past import Past
from gan.monitor.records import Measure

# Which verdicts say the same as a word of the oracle.
SAME: dict[str, tuple[str, ...]] = {
    oracle.BLOWN_UP: ("divergence",),
    oracle.ONE: ("single-colour",),
    oracle.NO_BLACK: ("cannot-paint-black",),
    oracle.MEMORISING: ("memorisation",),
    oracle.NO_LEARNING: ("not-learning",),
    oracle.COLLAPSED: ("mode-collapse", "partial-collapse"),  # fully or partly: to the eye one thing
    oracle.PARTLY: ("mode-collapse", "partial-collapse"),
    oracle.D_STRONG: ("discriminator-too-strong",),
    oracle.G_STRONG: ("generator-too-strong",),
    oracle.CIRCLES: ("oscillation",),
    oracle.GETTING_WORSE: ("getting-worse",),
    oracle.PLATEAU: ("plateau",),
    oracle.IMPROVING: ("learning",),
    oracle.HEALTHY: ("healthy",),
    oracle.UNKNOWN: ("cannot-tell", "incomparable"),
}
FAILED = (*oracle.FAILED, oracle.GETTING_WORSE)
GOING_WELL = (oracle.IMPROVING, oracle.HEALTHY)
CALLED_HEALTHY_BAR, NAMED_BAR, EACH_BAR, FALSE_BAR = 0.02, 0.9, 0.8, 0.03
TWICE_BEST, SHARE_OF_START = 2.0, 0.5  # of FID: beyond either nothing may be called healthy
RESAMPLED = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--half", choices=HALVES, default=HALVES[0], help="of the corpus; the judged one sets no threshold"
    )
    parser.add_argument("--first", type=whole(0, 100_000), default=0, help="number of the first run to look at")
    parser.add_argument(
        "--measured", action="store_true", help="only runs on shipped data sets, with the FID of each sixth of the run"
    )
    parser.add_argument("--misses", type=Path, help="a WebP file for the pictures of every miss, numbered as printed")


def measure(args: argparse.Namespace) -> list[Figure]:
    """Of the runs of a half that are kept: the tables, the misses, and when a verdict comes."""
    folder = states_folder(args)
    numbers = [n for n in numbers_of(args) if not (args.measured and draw(n).own)]
    found = cases([s for number in numbers for s in judged_states(number, folder)], folder, args.measured)
    missed = misses(found)
    print("\n".join(["", *confusion(found), "", *map(in_words, missed, count(1)), ""]), flush=True)
    if args.misses and missed:
        tiles = [shown(Named(case.number, case.step, ""), folder) for case in missed]
        write_atomically(args.misses, sheet(tiles))
    return figures(found) + ([] if args.measured else times(found, folder))


def numbers_of(args: argparse.Namespace) -> list[int]:
    """Of the runs that are asked for."""
    return [n for n in range(HALVES.index(args.half), args.runs, len(HALVES)) if n >= args.first]


@dataclass(frozen=True)
class Case:
    """One state: what the oracle says of it, and the kinds that the diagnosis says of what was written down by then."""

    number: int
    step: int
    words: tuple[str, ...]
    distance: tuple[float, ...]
    kinds: tuple[str, ...]

    @property
    def first(self) -> str:
        return self.kinds[0] if self.kinds else TOO_EARLY

    @property
    def failed(self) -> bool:
        return self.words[0] in FAILED

    @property
    def named(self) -> bool:
        return any(self.first in SAME[word] for word in self.words)

    @property
    def mentioned(self) -> bool:
        """Whether one of the verdicts is right, the first or one beside it."""
        return any(kind in SAME[word] for kind in self.kinds for word in self.words)

    @property
    def alarm(self) -> bool:
        """Whether the first verdict is a failure; while it is a note as well."""
        return self.first in KINDS and _alarming(self.first)

    @property
    def too_healthy(self) -> bool:
        """Called healthy at twice the best distance, or beyond the share of the first one."""
        now, best = self.distance[-1], min(self.distance)
        return self.first == "healthy" and (now > TWICE_BEST * best or now > SHARE_OF_START)


def cases(found: Sequence[Judged], folder: Path, measured: bool = False) -> list[Case]:
    """The diagnosis of each of these states; measured: also from what live measures find (`measures_of`)."""
    runs: dict[int, KeptRun | None] = {number: kept_run(folder, number) for number in {f.number for f in found}}
    made = []
    for judged in found:
        run = runs[judged.number]
        if run:
            facts, state = judged.facts, State(run, judged.step)
            verdicts = said(state, measures_of(facts, state.steps) if measured else ())
            made.append(Case(judged.number, judged.step, oracle.words(facts), facts.distance, verdicts))
    return made


def measures_of(facts: Facts, steps: Sequence[int]) -> list[Measure]:
    """FIDs as live measures find them at the beginning and at these moments, in units of real against real.

    The oracle's distances are theirs: the same network, pictures and formula (gan/monitor/live_metrics.py). Two things
    differ: live ones come every few seconds, the last of them some seconds ago; and they count classes too.
    """
    first = facts.times_real / facts.distance[-1] if facts.distance[-1] else 0.0
    moments = zip((0, *steps), facts.distance, strict=True)
    return [cast(Measure, {"step": step, "fid": share * first, "real_fid": 1.0}) for step, share in moments]


def said(state: State, measures: Sequence[Measure] = ()) -> tuple[str, ...]:
    """The kinds of `diagnose`, the first one first."""
    return tuple(kinds_of(Past(state.run.config, state.rows, state.signals, state.events, measures)))


# The tables ---------------------------------------------------------------------------------------------------------


def confusion(judged: Sequence[Case]) -> list[str]:
    """What is said first (columns) of states with each word (lines); a state with two words counts in both lines."""
    firsts = [*KINDS, TOO_EARLY]
    counts = {word: Counter(c.first for c in judged if word in c.words) for word in oracle.WORDS}
    seen = [kind for kind in firsts if any(counts[word][kind] for word in oracle.WORDS)]
    lines = [f"| {' | '.join(('the oracle', 'states', 'named rightly', *seen))} |", f"|{' --- |' * (3 + len(seen))}"]
    for word in oracle.WORDS:
        mine = [c for c in judged if word in c.words]
        if mine:
            right = f"{sum(c.named for c in mine)}"
            cells = (word, str(len(mine)), right, *(str(counts[word][kind] or "") for kind in seen))
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def figures(judged: Sequence[Case]) -> list[Figure]:
    failed, well = [c for c in judged if c.failed], [c for c in judged if c.words[0] in GOING_WELL]
    called = [c for c in judged if c.first == "healthy"]
    made = [
        figure("failed states called healthy", failed, lambda c: c.first == "healthy", most=CALLED_HEALTHY_BAR),
        figure("called healthy, and far or past its best", called, lambda c: c.too_healthy, most=0.0),
        figure("failed states whose first verdict is right", failed, lambda c: c.named, least=NAMED_BAR),
        figure("the same, the first or one beside it", failed, lambda c: c.mentioned),
    ]
    for word in FAILED:
        mine = [c for c in failed if word in c.words]
        if mine:
            made.append(figure(f"the same, {word}", mine, lambda c: c.named, least=EACH_BAR))
    return [*made, figure("healthy or improving states with an alarm", well, lambda c: c.alarm, most=FALSE_BAR)]


def figure(
    what: str, among: Sequence[Case], true: Callable[[Case], bool], *, least: float = 0.0, most: float = 1.0
) -> Figure:
    """A share with its interval, beside its bar."""
    hits = sum(map(true, among))
    share = hits / max(1, len(among))
    low, high = interval(among, true)
    bar = f"at least {least:.0%}" if least else f"at most {most:.0%}"
    met = "met" if least <= share <= most else "missed"
    beside = f"{bar}: {met}" if least or most < 1 else ""
    return Figure(what, f"{hits} of {len(among)} ({share:.1%}; {low:.1%} to {high:.1%})", beside)


def interval(among: Sequence[Case], true: Callable[[Case], bool]) -> tuple[float, float]:
    """95 % of the shares that these runs give when as many are drawn from them, again and again, with replacement."""
    runs: dict[int, list[bool]] = {}
    for case in among:
        runs.setdefault(case.number, []).append(true(case))
    if not runs:
        return 0.0, 1.0
    rng, groups = random.Random(0), list(runs.values())
    shares = []
    for _ in range(RESAMPLED):
        drawn = [x for group in rng.choices(groups, k=len(groups)) for x in group]
        shares.append(sum(drawn) / len(drawn))
    shares.sort()
    return shares[int(0.025 * RESAMPLED)], shares[int(0.975 * RESAMPLED)]


def in_words(case: Case, tile: int) -> str:
    what = f"{', '.join(case.words)}; said: {', '.join(case.kinds) or TOO_EARLY}"
    return f"  {tile}. run {case.number}, step {case.step}: {what}"


def misses(judged: Sequence[Case]) -> list[Case]:
    """States whose first verdict is none of the oracle's words, where that matters: failed ones, and false alarms."""
    return [c for c in judged if (c.failed and not c.named) or (c.words[0] in GOING_WELL and c.alarm)]


# When a verdict comes ------------------------------------------------------------------------------------------------


def times(judged: Sequence[Case], folder: Path) -> list[Figure]:
    """How long after the oracle the diagnosis says the same, and how often it was right before the oracle was asked."""
    late, never, early, hits = [], 0, 0, 0
    for number in sorted({c.number for c in judged}):
        mine = [c for c in judged if c.number == number]
        firsts = first_verdicts(needed_run(folder, number))
        failed = next((c for c in mine if c.failed), None)
        if failed:
            accepted = [kind for word in failed.words for kind in SAME[word]]
            said_at = next((step for step, kind in firsts if kind in accepted), None)
            late += [] if said_at is None else [max(0, said_at - failed.step)]
            never += said_at is None
        warned = any(step < mine[0].step and kind in KINDS and _alarming(kind) for step, kind in firsts)
        early, hits = early + warned, hits + (warned and any(c.failed for c in mine))
    late.sort()
    when = f"median {late[len(late) // 2]}, nine of ten {late[int(0.9 * len(late))]}; {never} never" if late else "none"
    return [
        Figure("steps after the oracle until the same is said", when),
        Figure("runs with a warning before a third of them, that failed", f"{hits} of {early}"),
    ]


def first_verdicts(run: KeptRun) -> list[tuple[int, str]]:
    """At each step that something was written down of: the first verdict."""
    steps = [signal["step"] for signal in run.words["signals"]]
    return [(step, (said(State(run, step)) or (TOO_EARLY,))[0]) for step in steps]


def _alarming(kind: str) -> bool:
    return KINDS[kind].severity in ALARMS
