"""What somebody is told who finds as many runs training as may: nothing that belongs to others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

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
    a title never. whose: what to call a run that the person may steer ("Your own run"), empty for others' runs.
    gives_way: seconds after which a run that nobody watches makes room for others'.
    """
    own = next((run for run in busy if whose(run)), None)
    shown = own or next((run for run in busy if run.shown), None)
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
    return run.latest.numbers["seconds_left"] if run.latest else None


def _of_own(about: Full, whose: str) -> str:
    if about["count"] == 1:
        return f"{whose} “{about['title']}” is training; pause or stop it first."
    return f"{about['count']} trainings are running here; pause or stop “{about['title']}” first."


def _of_others(about: Full, gives_way: float) -> str:
    left = about["left"]
    until = f", about {in_words(left)} left" if left is not None else ""
    if about["count"] == 1:
        words = f"Somebody's training, for {in_words(about['seconds'])}{until}."
    else:
        first = f"; the first ends in about {in_words(left)}" if left is not None else ""
        words = f"{about['count']} trainings are running here{first}."
    which = "it" if about["count"] == 1 else "one of them"
    return f"{words} When nobody watches {which} for {in_words(gives_way)}, it makes room."


def in_words(seconds: float) -> str:
    """20 s, 4 min, 1 h 05 min: as long as a person waits."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
