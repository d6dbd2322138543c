"""What a run does while others learn: it asks for its turn, and tells who looks how long that takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gan.runs.publishing import Publisher, tell
from gan.runs.turns import Place, in_numbers

if TYPE_CHECKING:  # which imports this module
    from gan.runs.run import Run

TELL_EVERY_SECONDS = 5.0  # where nothing but the time has changed


class TurnTaking:
    """The part of one run in the turns.

    save: brings what it has written down to disk.
    """

    def __init__(self, run: Run, publisher: Publisher, save: Callable[[], None]) -> None:
        self.run, self.publisher, self._save = run, publisher, save
        self.waits = False
        self._told_at = 0.0

    def has_turn(self) -> bool:
        """Whether the run may take a step now. Raises Diverged."""
        run = self.run
        if run.turns.ask(run):
            if self.waits:
                self.waits = False
                self.publisher.speed.clear()
                self._tell(None)
            return True
        if not self.waits:  # its newest pictures stay for all who look
            self.waits, self._told_at = True, -TELL_EVERY_SECONDS
            self.publisher.publish()
            self._save()
        self._tell_if_due(run.turns.place(run))
        return False

    def leave(self) -> None:
        """The run takes no step for now."""
        self.waits, self.run.place = False, None
        self.run.turns.leave(self.run)

    def _tell_if_due(self, place: Place | None) -> None:
        known = self.run.place
        if place is None or (known and place.before == known.before and self._told_lately):
            return
        self._tell(place)

    @property
    def _told_lately(self) -> bool:
        return time.monotonic() - self._told_at < TELL_EVERY_SECONDS

    def _tell(self, place: Place | None) -> None:
        self.run.place, self._told_at = place, time.monotonic()
        tell(self.run, place=in_numbers(place))
