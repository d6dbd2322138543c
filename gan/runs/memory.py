"""Whether there is memory for one more run, where strangers come; known from settings, before anything is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from gan.core.config import Config
from gan.core.messages import say
from gan.core.tokens import hashes_of
from gan.runs.commands import Command
from gan.runs.errors import MemoryFull, RunsError
from gan.runs.eviction import Limits
from gan.runs.run import Run
from gan.training.footprint import memory_of

MB = 10**6


class Memory:
    """Holds the runs in memory, learning, waiting or paused, to what limits say.

    Args:
        at_once: how many runs learn at the same instant.
        runs: all runs there are, now and later.
        limits: what the runs of one visitor, and of all, may take; asked anew each time.
        is_owner: whether one of these tokens is that of the owner of the program, whom this does not hold.
    """

    def __init__(
        self,
        at_once: int,
        runs: Mapping[str, Run],
        limits: Callable[[], Limits],
        is_owner: Callable[[Iterable[str]], bool],
    ) -> None:
        self._at_once, self._runs, self._limits, self._is_owner = at_once, runs, limits, is_owner

    def check(self, config: Config, tokens: Iterable[str], run: Run | None = None) -> None:
        """Raises RunsError, in words, where a run with this config would take too much; run: that one, if it is there.

        Where all together take too much, paused ones are asked to leave the memory: soon there may be room.
        """
        limits, tokens = self._limits(), list(tokens)
        if not (limits.memory or limits.memory_of_visitor) or self._is_owner(tokens):
            return
        held, known = [r for r in list(self._runs.values()) if r is not run and r.alive], hashes_of(tokens)
        own = [config, *(r.config for r in held if r.meta.is_controlled_by(known))]
        needed, most = memory_of(own, self._at_once), limits.memory_of_visitor
        if most and needed > most:
            raise RunsError(say("runs.own_memory", count=len(own), needed=-(-needed // MB), most=most // MB))
        if limits.memory and memory_of([config, *(r.config for r in held)], self._at_once) > limits.memory:
            for paused in (r for r in held if r.status == "paused"):
                paused.send(Command("rest"))
            raise MemoryFull(say("runs.memory_full"))
