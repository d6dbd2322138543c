"""How many runs a server keeps: of one visitor and in all, and which it gives up for new ones.

The oldest that do not train go first. Kept ones (*Keep*) stay, so how many one visitor may keep is limited too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from gan.runs.run import Run

STATES_SHARE = 10  # of all runs that a server may have, one in ten keeps its early states
SOON, SOON_OF_VISITOR = 10, 3  # so many of the oldest runs go next, which their owners are told


@dataclass(frozen=True)
class Limits:
    """What runs may take; 0: as much as they like.

    Args:
        runs: in all; the oldest go for new ones.
        disk: bytes of all runs; likewise.
        of_visitor: runs of one visitor; that one's oldest go.
        under_way: runs of one visitor that train or wait for their turn; one more is refused.
        kept: runs of one visitor that are never given up; one more is refused, and so is what would take half of the
            room of all.
        memory: bytes that all runs in memory may take (gan/training/footprint.py); one more is refused.
        memory_of_visitor: likewise those of one visitor.

    A visitor is known by the tokens that a browser sends: who sends none is another one each time.
    """

    runs: int = 200
    disk: int = 0
    of_visitor: int = 0
    under_way: int = 0
    kept: int = 0
    memory: int = 0
    memory_of_visitor: int = 0


OWN_MACHINE = Limits()
PUBLIC = Limits(  # where strangers come
    runs=200, disk=10_000_000_000, of_visitor=20, under_way=3, kept=5,
    memory=4_000_000_000, memory_of_visitor=1_000_000_000,
)  # fmt: skip


def evicted(runs: Collection[Run], limits: Limits, size: Callable[[Run], int], spare: Run | None = None) -> list[Run]:
    """The runs to delete, oldest first; `spare` is none of them. size: bytes of a run."""
    idle = _oldest(runs, spare)
    gone = idle[: max(0, len(runs) - limits.runs)]
    if limits.of_visitor:
        left = Counter(run.visitor for run in runs if run not in gone)
        for run in [run for run in idle if run not in gone]:
            if left[run.visitor] > limits.of_visitor:
                left[run.visitor] -= 1
                gone.append(run)
    if limits.disk:
        taken = sum(size(run) for run in runs if run not in gone)
        for run in [run for run in idle if run not in gone]:
            if taken <= limits.disk:
                break
            taken -= size(run)
            gone.append(run)
    return gone


def next_to_go(runs: Collection[Run], limits: Limits) -> set[str]:
    """The ids of runs that are given up soon, if as many new ones come."""
    of_visitor = limits.of_visitor and max(1, limits.of_visitor - SOON_OF_VISITOR)
    sooner = replace(limits, runs=max(0, limits.runs - SOON), of_visitor=of_visitor, disk=0)  # nobody counts bytes here
    return {run.id for run in evicted(runs, sooner, lambda run: 0)}


def without_states(runs: Collection[Run], keep: int, spare: Run | None = None) -> list[Run]:
    """The runs that lose their early states: all but the newest tenth of what a server may have."""
    return _oldest(runs, spare)[: max(0, len(runs) - max(1, keep // STATES_SHARE))]


def _oldest(runs: Collection[Run], spare: Run | None = None) -> list[Run]:
    """The runs that may be given up, oldest first."""
    idle = [run for run in runs if run is not spare and not run.alive and not run.meta.kept]
    return sorted(idle, key=lambda run: run.meta.created)
