"""How many processor threads a training step takes, chosen by timing steps and chosen again when the machine changes.

Two threads on two cores nearly halve a step while both are free. While another program keeps one of them busy, each
waits for the other and a step takes several times as long: then one thread is right. Nobody can know beforehand.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import torch

WARM_UP = 1  # steps after a change, not counted: the libraries prepare themselves for another number
# Seconds of training until the other numbers are tried again: soon after a change, which may have been a mistake, then
# twice as long each time nothing better is found.
AGAIN_SOON, AGAIN_AT_LAST = 3.0, 40.0
DOUBT_SECONDS = 1.0  # until a trial that wants a change is repeated: somebody's short errand should be over by then
CHANGED = 1.4  # so much slower or faster than when it was chosen: something else has come or gone
GAIN = 0.95  # more threads must be at least so much better, because the page needs processor time too
HOPELESS = 1.5  # a number that has already taken so much longer is not tried to the end


@contextmanager
def single_thread() -> Iterator[None]:
    """Compute with one thread, as the server draws: sums of several threads may differ in the last bit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def thread_counts(runs: int = 1) -> tuple[int, ...]:
    """What one of `runs` trainings on this machine may try: 1, 2, 4, ... up to its share of the cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = max(1, cores // max(1, runs))
    return tuple(sorted({min(2**k, share) for k in range(share.bit_length() + 1)}))


class ThreadChooser:
    """Told how long each step took, it says how many threads the next one takes. It looks at no clock of its own.

    Args:
        counts: the numbers to choose from, ascending; a single one is always taken.
        block: steps that are compared as a whole, because some steps may be longer (a lazy penalty).
    """

    def __init__(self, counts: tuple[int, ...], block: int = 4) -> None:
        self.counts, self.block = counts, max(4, block)
        self.threads = counts[0]
        self._chosen = 0  # nothing yet
        self._doubted = False  # the last trial found another number better than the chosen one
        self._again = AGAIN_SOON
        self._blocks: deque[float] = deque(maxlen=2)  # how long the last two blocks took
        self._to_try: list[int] = []
        if len(counts) > 1:
            self._begin()

    def took(self, seconds: float) -> None:
        """A step with `threads` threads took so long; sets `threads` for the next one."""
        if len(self.counts) == 1:
            return
        if self._to_try:
            self._trial(seconds)
        else:
            self._watch(seconds)

    def _begin(self) -> None:
        self._to_try = list(self.counts)
        self._found: dict[int, float] = {}
        self._next()

    def _next(self) -> None:
        self._steps, self._sum = -WARM_UP, 0.0
        if self._to_try:
            self.threads = self._to_try[0]

    def _trial(self, seconds: float) -> None:
        self._steps += 1
        if self._steps > 0:
            self._sum += seconds
        best = min(self._found.values(), default=float("inf"))
        hopeless = max(self._sum, seconds) > HOPELESS * best  # the step that warms up can already be as long as a block
        if self._steps == self.block or hopeless:
            self._found[self._to_try.pop(0)] = float("inf") if hopeless else self._sum
            self._next()
            if not self._to_try:
                self._choose()

    def _choose(self) -> None:
        best = self.counts[0]
        for count in self.counts[1:]:
            if self._found[count] < GAIN * self._found[best]:
                best = count
        self._doubted = best != self._chosen > 0 and not self._doubted
        if self._doubted:
            self._again, best = DOUBT_SECONDS, self._chosen
        elif best != self._chosen:
            self._again = AGAIN_SOON
        else:
            self._again = min(max(2 * self._again, AGAIN_SOON), AGAIN_AT_LAST)
        self.threads, self._chosen, self._expected, self._since = best, best, self._found[best], 0.0
        self._blocks.clear()
        self._steps, self._sum = 0, 0.0

    def _watch(self, seconds: float) -> None:
        self._since += seconds
        self._steps, self._sum = self._steps + 1, self._sum + seconds
        if self._steps < self.block:
            return
        self._blocks.append(self._sum)
        self._steps, self._sum = 0, 0.0
        # Two in a row: a single slow block is somebody's short errand.
        ratios = [block / self._expected for block in self._blocks]
        changed = len(ratios) == 2 and (min(ratios) > CHANGED or max(ratios) < 1 / CHANGED)
        if changed or self._since >= self._again:
            self._begin()
