"""Which runs a full server gives up: the oldest that do not train and that nobody keeps."""

from __future__ import annotations

from collections.abc import Collection

from gan.runs.run import Run

STATES_SHARE = 10  # of all runs that a server may have, one in ten keeps its early states


def evicted(runs: Collection[Run], keep: int, spare: Run | None = None) -> list[Run]:
    """The runs to delete where at most `keep` may stay, oldest first; `spare` is none of them."""
    return _oldest(runs, spare)[: max(0, len(runs) - keep)]


def without_states(runs: Collection[Run], keep: int, spare: Run | None = None) -> list[Run]:
    """The runs that lose their early states: all but the newest tenth of what a server may have."""
    return _oldest(runs, spare)[: max(0, len(runs) - max(1, keep // STATES_SHARE))]


def _oldest(runs: Collection[Run], spare: Run | None) -> list[Run]:
    """The runs that may be given up, oldest first."""
    idle = [run for run in runs if run is not spare and not run.alive and not run.meta.kept]
    return sorted(idle, key=lambda run: run.meta.created)
