"""Beat the discriminator: how often people told real from generated pictures, by the step that drew them.

Only counts are kept, in memory: nobody can be told from them, and nothing is left after a restart.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, TypedDict

from gan.core.errors import UserError
from gan.core.messages import say
from gan.runs.meta import is_count

MOST_RUNS = 64  # whose counts are kept; those that nobody played longest go first
MOST_ANSWERS = 20  # of a round
MOST_STEP = 10**12


class GameError(UserError):
    """A round that cannot be counted; the message is one sentence."""


class Bin(TypedDict):
    """Answers to pictures of the steps from `step` until twice that; 0 is the noise before the first step."""

    step: int
    right: int
    total: int


class Scores(TypedDict):
    rounds: int
    bins: list[Bin]


class Game:
    """The counts of all who play. Safe for threads."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, tuple[int, dict[int, list[int]]]] = OrderedDict()  # id -> rounds, {bin: counts}
        self._guard = threading.Lock()

    def scores(self, run_id: str) -> Scores:
        with self._guard:
            rounds, bins = self._runs.get(run_id, (0, {}))
            found = [Bin(step=step, right=right, total=total) for step, (right, total) in sorted(bins.items())]
        return Scores(rounds=rounds, bins=found)

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


def _answers(answers: Any) -> Sequence[tuple[int, bool]]:
    if not isinstance(answers, list) or not 0 < len(answers) <= MOST_ANSWERS:
        raise GameError(say("game.wrong_round", most=MOST_ANSWERS))
    if not all(isinstance(one, dict) and is_count(one.get("step"), MOST_STEP) for one in answers):
        raise GameError(say("game.wrong_round", most=MOST_ANSWERS))
    return [(one["step"], one.get("right") is True) for one in answers]
