"""What somebody is told who finds as many runs training as may: nothing that belongs to others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

from gan.core.messages import joined, say
from gan.runs.run import Run


class Full(TypedDict):
    """What a page can offer to who finds no room."""

    count: int  # of runs that train
    seconds: int  # so far, of the one that has trained longest
    left: float | None  # seconds until the first ends, where that is known
    mine: bool
    run: str | None
    title: str | None


def no_room(busy: Sequence[Run], whose: Callable[[Run], str], gives_way: float) -> tuple[str, Full]:
    """A sentence, and what is for the page.

    The id of another's run is given only where its owner shows it, because whoever has it may watch, download and fork;
    a title never. whose: "own" or "steered" for a run that the person may steer, empty for others' runs.
    gives_way: seconds after which a run that nobody watches makes room for others'.
    """
    own = next((run for run in busy if whose(run)), None)
    shown = own or next((run for run in busy if run.listed), None)
    left = min((n for run in busy if (n := _seconds_left(run)) is not None), default=None)
    about: Full = {
        "count": len(busy),
        "seconds": round(max(run.running_seconds() for run in busy)),
        "left": left,
        "mine": own is not None,
        "run": shown.id if shown else None,
        "title": own.meta.title if own else None,
    }
    return (_of_own(about, whose(own)) if own else _of_others(about, gives_way)), about


def _seconds_left(run: Run) -> float | None:
    """Where it is known: not of one that shares the machine."""
    return run.latest.numbers["seconds_left"] if run.latest and not run.place else None


def _of_own(about: Full, whose: str) -> str:
    if about["count"] == 1:
        return say(f"runs.busy_{whose}", title=about["title"])
    return say("runs.full_number_own", number=about["count"], title=about["title"])


def _of_others(about: Full, gives_way: float) -> str:
    left = None if about["left"] is None else in_words(about["left"])
    return joined([_alone(about, left) if about["count"] == 1 else _several(about, left), _way(about, gives_way)])


def _alone(about: Full, left: str | None) -> str:
    time = in_words(about["seconds"])
    return (
        say("runs.full_somebody", time=time) if left is None else say("runs.full_somebody_left", time=time, left=left)
    )


def _several(about: Full, left: str | None) -> str:
    number = about["count"]
    return say("runs.full_number", number=number) if left is None else say("runs.full_first", number=number, left=left)


def _way(about: Full, gives_way: float) -> str:
    time = in_words(gives_way)
    return say("runs.makes_room", time=time) if about["count"] == 1 else say("runs.one_makes_room", time=time)


def in_words(seconds: float) -> str:
    """20 s, 4 min, 1 h 05 min: as long as a person waits."""
    if seconds < 60:
        return say("runs.seconds", seconds=max(1, round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 60:
        return say("runs.minutes", minutes=minutes)
    return say("runs.hours", hours=minutes // 60, minutes=f"{minutes % 60:02d}")
