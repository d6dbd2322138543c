"""What cannot be done with a run, as a sentence for who asked."""

from __future__ import annotations

from types import MappingProxyType

from gan.core.errors import UserError
from gan.runs.room import Full


class RunsError(UserError):
    """A request that cannot be served; the message is one sentence."""


class NotFound(RunsError):
    """There is no such run (any more)."""

    status = 404
    details = MappingProxyType({"gone": True})  # so that a page can tell it from an address that a proxy does not know


class InUse(RunsError):
    """What is to be deleted is needed just now."""

    status = 409


class MemoryFull(RunsError):
    """All runs together would take more memory than they may."""

    status = 503


class NoRoom(RunsError):
    """As many runs train as may; `details` say what the page can offer, see gan.runs.room.no_room."""

    status = 409

    def __init__(self, sentence: str, about: Full) -> None:
        super().__init__(sentence)
        self.details = {"busy": about}
