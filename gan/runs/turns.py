"""Whose turn it is to learn: more runs than the machine can train at once share it in slices.

A run that waits stays in memory and goes on exactly where it was: its loop asks before every step, and takes none while
another's turn lasts. The order is fair by visitor: next is who has learned least (start-time fair queueing, Goyal et
al. 1996), but first who has just come.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypedDict

FIRST_SECONDS = 5.0  # of the first slice: noise becomes strokes
SLICE_SECONDS = 20.0  # of every later one
UNWATCHED_SECONDS = 120.0  # a run that nobody has looked at for so long waits behind those that somebody looks at
MOST_VISITORS = 1000  # whose time is remembered


class Learner(Protocol):
    """What is known of a run here."""

    visitor: str  # who started it: the same for all runs of one person

    def unwatched_seconds(self) -> float: ...


@dataclass(frozen=True)
class Place:
    """Of a run that shares the machine.

    before: how many have their turn earlier; None: it is its turn. seconds: until its turn, if all take theirs; or
    until that ends. own: whether all those who learn, or wait for its turn to end, are runs of the same visitor.
    """

    before: int | None
    seconds: float
    own: bool = False


class InNumbers(TypedDict):
    """A place, for a page; seconds rounded up."""

    before: int | None
    seconds: int
    own: bool


def in_numbers(place: Place | None) -> InNumbers | None:
    return None if place is None else {"before": place.before, "seconds": math.ceil(place.seconds), "own": place.own}


@dataclass
class _Waiting:
    run: Learner
    since: float


@dataclass
class _Turn:
    run: Learner
    since: float
    length: float


class Turns:
    """At most `limit` of all runs learn at the same instant.

    Runs that ask are known until they `leave`. Safe for threads: every run's loop asks from its own.
    """

    def __init__(self, limit: int = 1, now: Callable[[], float] = time.monotonic) -> None:
        self.limit, self._now = limit, now
        self._guard = threading.Lock()
        self._turns: list[_Turn] = []
        self._waiting: list[_Waiting] = []  # in the order in which they came
        self._had_one: set[int] = set()  # runs (their `id`) that have had their first slice
        self._learned: OrderedDict[str, float] = OrderedDict()  # seconds, by visitor; the last served last

    def ask(self, run: Learner) -> bool:
        """Whether this run may take a step now. One that may not waits, and asks again."""
        with self._guard:
            turn = self._turn_of(run)
            if turn is not None and self._is_over(turn):
                self._end(turn)
                turn = None
            if turn is None and not any(w.run is run for w in self._waiting):
                self._come(run)
            self._give()
            return self._turn_of(run) is not None

    def leave(self, run: Learner) -> None:
        """It takes no step any more, or not for now."""
        with self._guard:
            if turn := self._turn_of(run):
                self._end(turn)
            self._waiting = [w for w in self._waiting if w.run is not run]
            self._had_one.discard(id(run))
            self._give()

    def place(self, run: Learner) -> Place | None:
        """Of one that waits, or that others wait for; None for every other."""
        with self._guard:
            if turn := self._turn_of(run):
                return self._place_of(turn)
            order = [w.run for w in sorted(self._waiting, key=self._rank)]
            if run not in order:
                return None
            before, now = order[: order.index(run)], self._now()
            left = sorted(max(0.0, turn.since + turn.length - now) for turn in self._turns)
            own = all(turn.run.visitor == run.visitor for turn in self._turns)
            if len(before) < len(left):
                return Place(len(before), left[len(before)], own)
            return Place(len(before), (sum(left) + sum(map(self._length, before))) / self.limit, own)

    # With the guard held ------------------------------------------------------------------------------------------

    def _turn_of(self, run: Learner) -> _Turn | None:
        return next((turn for turn in self._turns if turn.run is run), None)

    def _place_of(self, turn: _Turn) -> Place | None:
        if not self._waiting:
            return None
        own = all(waiting.run.visitor == turn.run.visitor for waiting in self._waiting)
        return Place(None, max(0.0, turn.since + turn.length - self._now()), own)

    def _come(self, run: Learner) -> None:
        """Who comes back has no claim on what others have learned meanwhile."""
        if run.visitor in self._learned:
            others = [self._learned[v] for v in self._visitors() if v != run.visitor and v in self._learned]
            self._learned[run.visitor] = max(self._learned[run.visitor], min(others, default=0.0))
        self._waiting.append(_Waiting(run, self._now()))

    def _visitors(self) -> set[str]:
        return {turn.run.visitor for turn in self._turns} | {waiting.run.visitor for waiting in self._waiting}

    def _is_over(self, turn: _Turn) -> bool:
        """A slice is over when its time is and somebody waits who comes before it."""
        if self._now() - turn.since < turn.length:
            return False
        return any(_is_left_alone(w.run) <= _is_left_alone(turn.run) for w in self._waiting)

    def _end(self, turn: _Turn) -> None:
        self._turns.remove(turn)
        self._had_one.add(id(turn.run))
        visitor = turn.run.visitor
        learned = self._learned.pop(visitor, self._least()) + self._now() - turn.since
        self._learned[visitor] = learned
        while len(self._learned) > MOST_VISITORS:
            self._learned.popitem(last=False)

    def _least(self) -> float:
        """What somebody new is taken to have learned: as much as who has learned least of those who are here."""
        return min((self._learned[v] for v in self._visitors() if v in self._learned), default=0.0)

    def _give(self) -> None:
        while self._waiting and len(self._turns) < self.limit:
            first = min(self._waiting, key=self._rank)
            self._waiting.remove(first)
            self._turns.append(_Turn(first.run, self._now(), self._length(first.run)))

    def _rank(self, waiting: _Waiting) -> tuple[bool, bool, float, float]:
        run = waiting.run
        known = run.visitor in self._learned
        return _is_left_alone(run), known, self._learned.get(run.visitor, 0.0), waiting.since

    def _length(self, run: Learner) -> float:
        return SLICE_SECONDS if id(run) in self._had_one else FIRST_SECONDS


def _is_left_alone(run: Learner) -> bool:
    return run.unwatched_seconds() >= UNWATCHED_SECONDS
