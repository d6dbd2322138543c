"""Beat the discriminator: how often people and D told real from generated pictures, by the step that drew them.

Only counts of answers are kept, in memory: nobody can be told from them, and nothing is left after a restart.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, TypedDict

from gan.core.errors import UserError
from gan.core.messages import say
from gan.monitor.records import Frame
from gan.runs.meta import is_count

MOST_RUNS = 64  # whose counts are kept; those that nobody played longest go first
MOST_ANSWERS = 20  # of a round
MOST_STEP = 10**12
CHANCE, LEAST_ANSWERS = 0.6, 10  # who is right less often than that, of so many answers, can hardly tell them apart


class GameError(UserError):
    """A round that cannot be counted; the message is one sentence."""


class Bin(TypedDict):
    """Answers to pictures of the steps from `step` until twice that; 0 is the noise before the first step.

    d: how often D is right about all pictures of these steps, as a share; None where the run kept no verdict.
    """

    step: int
    right: int
    total: int
    d: float | None


class Scores(TypedDict):
    """fooled: from which step on people are hardly more often right than by chance; None where they still are.

    told: whether there are enough answers about the last pictures to say either.
    """

    rounds: int
    bins: list[Bin]
    fooled: int | None
    told: bool


class Game:
    """The counts of all who play. Safe for threads."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, tuple[int, dict[int, list[int]]]] = OrderedDict()  # id -> rounds, {bin: counts}
        self._guard = threading.Lock()

    def scores(self, run_id: str, of_d: Mapping[int, float]) -> Scores:
        """of_d: see `scores_of_d`."""
        with self._guard:
            rounds, bins = self._runs.get(run_id, (0, {}))
            found = [
                Bin(step=step, right=right, total=total, d=of_d.get(step))
                for step, (right, total) in sorted(bins.items())
            ]
        told = bool(found) and found[-1]["total"] >= LEAST_ANSWERS
        return Scores(rounds=rounds, bins=found, fooled=fooled_from(found), told=told)

    def played(self) -> list[str]:
        """The runs, those with most rounds first."""
        with self._guard:
            return sorted(self._runs, key=lambda run_id: -self._runs[run_id][0])

    def count(self, run_id: str, answers: object) -> None:
        """A round: [{"step": of the picture, "right": whether the answer was}, ...]. Raises GameError."""
        found = _answers(answers)
        with self._guard:
            rounds, bins = self._runs.pop(run_id, (0, {}))
            for step, right in found:
                counts = bins.setdefault(bin_of(step), [0, 0])
                counts[0] += right
                counts[1] += 1
            self._runs[run_id] = rounds + 1, bins
            while len(self._runs) > MOST_RUNS:
                self._runs.popitem(last=False)

    def forget(self) -> None:
        """A new class begins."""
        with self._guard:
            self._runs.clear()


def bin_of(step: int) -> int:
    """The largest power of two that is not above a step; 0 of 0."""
    return 1 << (step.bit_length() - 1) if step else 0


def fooled_from(bins: Sequence[Bin]) -> int | None:
    """The first step of the last ones, of which people are right less often than CHANCE."""
    found = None
    for each in reversed(bins):
        if each["total"] < LEAST_ANSWERS or each["right"] >= CHANCE * each["total"]:
            break
        found = each["step"]
    return found


def scores_of_d(frames: Iterable[Frame], probability: bool) -> dict[int, float]:
    """How often D is right about the pictures of each bin, real and generated ones counting alike, as in a round.

    probability: whether its verdicts are; else it is asked at the middle of its mean verdicts on both kinds.
    """
    shares: dict[int, list[float]] = {}
    for frame in frames:
        fake, real = frame["fake"], frame["real"]
        if not fake or not real:
            continue
        middle = 0.5 if probability else (fmean(fake) + fmean(real)) / 2
        right = [sum(v > middle for v in real) / len(real), sum(v <= middle for v in fake) / len(fake)]
        shares.setdefault(bin_of(frame["step"]), []).extend(right)
    return {step: fmean(found) for step, found in shares.items()}


def _answers(answers: Any) -> Sequence[tuple[int, bool]]:
    if not isinstance(answers, list) or not 0 < len(answers) <= MOST_ANSWERS:
        raise GameError(say("game.wrong_round", most=MOST_ANSWERS))
    if not all(isinstance(one, dict) and is_count(one.get("step"), MOST_STEP) for one in answers):
        raise GameError(say("game.wrong_round", most=MOST_ANSWERS))
    return [(one["step"], one.get("right") is True) for one in answers]
