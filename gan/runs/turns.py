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
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypedDict

FIRST_SECONDS = 5.0  # of the first slice: noise becomes strokes
SLICE_SECONDS = 20.0  # of every later one
UNWATCHED_SECONDS = 120.0  # a run that nobody has looked at for so long waits behind those that somebody looks at
MOST_VISITORS = 1000  # whose time is remembered
MOST_TURNS_AHEAD = 4  # that are played through, for each run: one that is left alone may have none for ever


class Learner(Protocol):
    """What is known of a run here."""

    @property
    def visitor(self) -> str: ...  # who started it: the same for all runs of one person

    def unwatched_seconds(self) -> float: ...


@dataclass(frozen=True)
class Place:
    """Of a run that shares the machine.

    before: how many turns of others come before its own; None: it is its turn. seconds: until its turn, if all take
    theirs; or until that ends.
    """

    before: int | None
    seconds: float


class PlaceTold(TypedDict):
    """A place, as a page hears it; seconds rounded up."""

    before: int | None
    seconds: int


def told(place: Place | None) -> PlaceTold | None:
    return None if place is None else {"before": place.before, "seconds": math.ceil(place.seconds)}


@dataclass
class _Waiting:
    run: Learner
    since: float


@dataclass
class _Turn:
    run: Learner
    since: float
    length: float
    counted: float  # until when its time is in the visitor's account

    @property
    def end(self) -> float:
        return self.since + self.length


class Turns:
    """At most `limit` of all runs learn at the same instant.

    Runs that ask are known until they `leave`. Safe for threads: every run's loop asks from its own.
    """

    def __init__(self, limit: int = 1, now: Callable[[], float] = time.monotonic) -> None:
        self.limit, self._now = limit, now
        self._guard = threading.Lock()
        self._turns: list[_Turn] = []
        self._waiting: list[_Waiting] = []  # in the order in which they came
        self._called: set[int] = set()  # those (their `id`) that come next whatever their account says
        self._had_one: set[int] = set()  # runs (their `id`) that have had their first slice
        self._learned: OrderedDict[str, float] = OrderedDict()  # seconds, by visitor; the last served last
        self._foreseen: dict[int, tuple[int, float]] | None = None  # see _foresee; None after every change

    def ask(self, run: Learner) -> bool:
        """Whether this run may take a step now. One that may not waits, and asks again."""
        with self._guard:
            self._count()
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
            self._count()
            if turn := self._turn_of(run):
                self._end(turn)
            self._waiting = [w for w in self._waiting if w.run is not run]
            self._had_one.discard(id(run))
            self._called.discard(id(run))
            self._foreseen = None
            self._give()

    def call_next(self, run: Learner) -> bool:
        """Of those that wait, this one comes next; False where it does not wait."""
        with self._guard:
            if not any(w.run is run for w in self._waiting):
                return False
            self._called.add(id(run))
            self._foreseen = None
            return True

    def place(self, run: Learner) -> Place | None:
        """Of one that waits, or for whose turn to end others wait; None for every other."""
        with self._guard:
            if turn := self._turn_of(run):
                awaited = any(self._comes_before(w, turn) for w in self._waiting)
                return Place(None, max(0.0, turn.end - self._now())) if awaited else None
            if self._foreseen is None:
                self._foreseen = self._foresee()
            if id(run) not in self._foreseen:
                return None
            before, at = self._foreseen[id(run)]
            return Place(before, max(0.0, at - self._now()))

    # With the guard held ------------------------------------------------------------------------------------------

    def _turn_of(self, run: Learner) -> _Turn | None:
        return next((turn for turn in self._turns if turn.run is run), None)

    def _count(self) -> None:
        """Bring the accounts of those who learn up to now."""
        now = self._now()
        for turn in self._turns:
            visitor = turn.run.visitor
            self._learned[visitor] = self._learned.get(visitor, self._least()) + now - turn.counted
            self._learned.move_to_end(visitor)
            turn.counted = now
        while len(self._learned) > MOST_VISITORS:
            self._learned.popitem(last=False)

    def _come(self, run: Learner) -> None:
        """Who comes back has no claim on what others have learned meanwhile."""
        if run.visitor in self._learned:
            self._learned[run.visitor] = max(self._learned[run.visitor], self._least(but=run.visitor))
        self._waiting.append(_Waiting(run, self._now()))
        self._foreseen = None

    def _least(self, but: str = "") -> float:
        """The account of who has learned least of those who are here (but one visitor): where somebody new begins."""
        here = ({turn.run.visitor for turn in self._turns} | {w.run.visitor for w in self._waiting}) - {but}
        return min((self._learned[visitor] for visitor in here if visitor in self._learned), default=0.0)

    def _is_over(self, turn: _Turn) -> bool:
        """A slice is over when its time is and somebody waits who comes before it."""
        return self._now() >= turn.end and any(self._comes_before(w, turn) for w in self._waiting)

    def _comes_before(self, waiting: _Waiting, turn: _Turn) -> bool:
        return id(waiting.run) in self._called or is_left_alone(waiting.run) <= is_left_alone(turn.run)

    def _end(self, turn: _Turn) -> None:
        self._turns.remove(turn)
        self._had_one.add(id(turn.run))

    def _give(self) -> None:
        while self._waiting and len(self._turns) < self.limit:
            first, now = min(self._waiting, key=self._rank), self._now()
            self._waiting.remove(first)
            self._called.discard(id(first.run))
            length = SLICE_SECONDS if id(first.run) in self._had_one else FIRST_SECONDS
            self._turns.append(_Turn(first.run, now, length, counted=now))
            self._foreseen = None

    def _rank(self, waiting: _Waiting) -> tuple[bool, bool, bool, float, float]:
        run = waiting.run
        known = run.visitor in self._learned
        called = id(run) in self._called
        return not called, is_left_alone(run), known, self._learned.get(run.visitor, 0.0), waiting.since

    def _foresee(self) -> dict[int, tuple[int, float]]:
        """Of each run that waits, by its `id`: how many turns come before its own, and when that comes.

        By playing it through on a copy, because an account, and with it the order, changes with every turn.
        """
        ahead, now, turns = self._copy(), self._now(), 0
        found: dict[int, tuple[int, float]] = {}
        for _ in range(MOST_TURNS_AHEAD * (len(self._waiting) + self.limit)):
            if len(found) == len(self._waiting):
                break
            turn = min(ahead._turns, key=lambda turn: turn.end)
            now = max(now, turn.end)
            ahead._now = partial(float, now)
            ahead.ask(turn.run)
            for next_one in ahead._turns:
                if next_one.since == now and self._turn_of(next_one.run) is None:
                    found.setdefault(id(next_one.run), (turns, now))
            turns += 1
        return {id(w.run): (turns, now) for w in self._waiting} | found

    def _copy(self) -> Turns:
        other = Turns(self.limit, self._now)
        other._turns = [replace(turn) for turn in self._turns]
        other._waiting, other._had_one = list(self._waiting), set(self._had_one)
        other._called = set(self._called)
        other._learned = self._learned.copy()
        return other


def is_left_alone(run: Learner) -> bool:
    """Whether nobody has looked at it for so long that it gives way to those that somebody looks at."""
    return run.unwatched_seconds() >= UNWATCHED_SECONDS
