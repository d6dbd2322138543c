"""What a run does while others learn: it asks for its turn, and tells who looks how long that takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gan.runs.publishing import Publisher, tell
from gan.runs.turns import Place, told
from gan.training.openmp import end_team

if TYPE_CHECKING:  # which imports this module
    from gan.runs.run import Run

TELL_EVERY_SECONDS = 5.0  # how long it takes


class TurnTaking:
    """The part of one run in the turns.

    flush: brings what it has written down to disk.
    """

    def __init__(self, run: Run, publisher: Publisher, flush: Callable[[], None]) -> None:
        self.run, self.publisher, self._flush = run, publisher, flush
        self.waits = False
        self._told_at = 0.0

    def has_turn(self) -> bool:
        """Whether the run may take a step now. Raises Diverged."""
        may = self.run.turns.ask(self.run)
        if may and self.waits:
            self.publisher.speed.clear()
        elif not may and not self.waits:  # its newest pictures stay for all who look, and what draws them
            self.publisher.publish(weights=True)
            self._flush()
            end_team()  # those who learn now need the cores
        changed, self.waits = may == self.waits, not may
        if changed or time.monotonic() - self._told_at > TELL_EVERY_SECONDS:
            self._tell(self.run.turns.place(self.run))
        return may

    def leave(self) -> None:
        """The run takes no step for now."""
        self.waits, self.run.place = False, None
        self.run.turns.leave(self.run)
        end_team()

    def _tell(self, place: Place | None) -> None:
        """Nobody hears twice that a run is alone, nor of a place where the disk has paused it meanwhile."""
        known, self.run.place, self._told_at = self.run.place, place, time.monotonic()
        if (place or known) and self.run.status == "running":
            tell(self.run, place=told(place))


def is_waiting(run: Run) -> bool:
    """Whether it trains, and it is another's turn."""
    return run.status == "running" and run.place is not None and run.place.before is not None
