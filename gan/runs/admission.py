"""Who may train now: so many runs at once; a run that nobody watches gives way to other people's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from gan.core.messages import say
from gan.core.tokens import hashes_of
from gan.runs.commands import Command
from gan.runs.errors import NoRoom
from gan.runs.room import no_room
from gan.runs.run import Run
from gan.runs.turns import UNWATCHED_SECONDS, is_left_alone

PAUSE_SECONDS = 20.0  # a step of the largest networks takes some seconds


class Admission:
    """Decides whether one more run may train.

    Args:
        limit: how many may train at the same time, or wait for their turn to.
        at_once: how many of these learn at the same instant.
        runs: all runs there are, now and later.
        may_control: whether who has these tokens may steer a run.
        of_visitor: how many runs one visitor may have under way, learning or waiting; 0: as many as they like.
        is_owner: whether one of these tokens is that of the owner of the program, whom that does not hold.
    """

    def __init__(
        self,
        limit: int,
        at_once: int,
        runs: Mapping[str, Run],
        may_control: Callable[[Run, Iterable[str]], bool],
        of_visitor: int = 0,
        is_owner: Callable[[Iterable[str]], bool] = lambda tokens: False,
    ) -> None:
        self.limit, self.at_once, self.of_visitor = limit, at_once, of_visitor
        self._runs, self._may_control, self._is_owner = runs, may_control, is_owner

    def admit(self, tokens: Iterable[str] = (), run: Run | None = None) -> None:
        """Make room for one more, which is to train now; another's run that nobody watches may be paused for it.

        Raises NoRoom, in words for who has these tokens, when as many train as may and none gives way. run: the one
        that is to train, if it is there already.
        """
        busy, tokens = self._busy(run), list(tokens)
        if refusal := self._own_share(busy, tokens):
            raise refusal
        if len(busy) < self.limit:
            return
        left_alone = self._left_alone(busy, tokens)  # looked at once: somebody may come to watch meanwhile
        if not left_alone:
            raise self._refusal(busy, tokens)
        max(left_alone, key=Run.unwatched_seconds).send(Command("yield"))

    def no_room(self, tokens: Iterable[str] = (), run: Run | None = None) -> NoRoom | None:
        """Why nothing more can train just now, in words for who has these tokens; None when something can."""
        busy, tokens = self._busy(run), list(tokens)
        if refusal := self._own_share(busy, tokens):
            return refusal
        if len(busy) < self.limit or self._left_alone(busy, tokens):
            return None
        return self._refusal(busy, tokens)

    def _own_share(self, busy: list[Run], tokens: list[str]) -> NoRoom | None:
        """The refusal for who has as many under way as one visitor may."""
        known = hashes_of(tokens)
        own = [run for run in busy if run.meta.is_controlled_by(known)]
        if not self.of_visitor or len(own) < self.of_visitor or self._is_owner(tokens):
            return None
        _, about = no_room(own, lambda run: "own", UNWATCHED_SECONDS)
        return NoRoom(say("runs.own_too_many", count=len(own)), about)

    def _refusal(self, busy: list[Run], tokens: list[str]) -> NoRoom:
        def whose(run: Run) -> str:
            if run.meta.is_controlled_by(hashes_of(tokens)):
                return "own"
            return "steered" if self._may_control(run, tokens) else ""

        return NoRoom(*no_room(busy, whose, UNWATCHED_SECONDS))

    def make_room_for_fork(self, source: Run, tokens: Iterable[str] = ()) -> None:
        """A run that trains gives its place to its own fork when no other is free. Raises NoRoom."""
        refusal = self.no_room(tokens)
        if refusal is None and len(self._busy(None)) < self.at_once:
            return
        if not (_trains(source) and _pauses_in_time(source)) and refusal is not None:
            raise refusal

    def _left_alone(self, busy: list[Run], tokens: list[str]) -> list[Run]:
        """Of the runs that train, those that make room for who has these tokens: others', which nobody watches."""
        return [r for r in busy if is_left_alone(r) and not self._may_control(r, tokens)]

    def _busy(self, run: Run | None) -> list[Run]:
        """The runs that train, but for this one."""
        return [r for r in list(self._runs.values()) if r is not run and _trains(r)]


def _trains(run: Run) -> bool:
    return run.alive and run.status == "running"


def _pauses_in_time(run: Run) -> bool:
    """Pause a run; whether its state is saved, from which a fork may begin: then its snapshot tells of the pause."""
    run.send(Command("pause"))
    end = time.monotonic() + PAUSE_SECONDS
    while run.latest is None or run.latest.numbers["status"] == "running":
        if time.monotonic() > end or not run.alive:
            return False
        time.sleep(0.02)
    return True
