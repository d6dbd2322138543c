"""What may be asked of a run, and how its loop does it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING

from gan.core.messages import say
from gan.runs.meta import checked_measure_share

if TYPE_CHECKING:  # which imports this module
    from gan.runs.loop import TrainingLoop

STARTING = frozenset(("resume", "rewind", "step"))  # what a run at rest is started for
OF_PAUSED = STARTING | {"stop", "lr", "measure_share"}  # what a paused one is brought back to memory for
_SETTINGS = frozenset(("lr", "measure_share"))
PLAYERS = ("both", "d", "g")  # who learns in a single step


@dataclass(frozen=True)
class Command:
    """What is asked of a run.

    kind: pause, resume, step, stop, lr, rewind, measure_share (owner); yield, rest, shutdown (program).
    """

    kind: str
    players: str = "both"
    d_lr: float | None = None
    g_lr: float | None = None
    total_steps: int | None = None
    at: int | None = None  # rewind: to the last kept state at or before this step; None: to the last checkpoint
    measure_share: float | None = None


def without_ends(
    asked: SimpleQueue[Command], starting: frozenset[str] = frozenset()
) -> tuple[SimpleQueue[Command], set[str]]:
    """What was asked of a run that has ended: a stop is void, settings such as another learning rate hold.

    starting: kinds of commands that hold too, and with the first of them everything after it. Returns what holds, and
    its kinds.
    """
    kept: SimpleQueue[Command] = SimpleQueue()
    kinds: set[str] = set()
    while not asked.empty():
        command = asked.get()
        if command.kind in _SETTINGS | starting or kinds & starting:
            kinds.add(command.kind)
            kept.put(command)
    return kept, kinds


def carry_out(loop: TrainingLoop, command: Command) -> None:
    """Do what was asked, between two steps. Raises Diverged or CheckpointError."""
    _COMMANDS[command.kind](loop, command)


def _pause(loop: TrainingLoop, _: Command) -> None:
    if loop.run.status == "running":
        loop.event("pause", say("events.paused"))
        loop.settle("paused")


def _yield(loop: TrainingLoop, _: Command) -> None:
    if loop.run.status == "running":
        loop.run.message = say("runs.made_room")
        loop.event("pause", say("events.unwatched"))
        loop.settle("paused")


def _resume(loop: TrainingLoop, command: Command) -> None:
    run = loop.run
    if command.total_steps:
        run.config = run.config.changed(total_steps=command.total_steps)
    if run.status != "running":
        loop.event("resume", say("events.resumed"))
        run.running_since = time.monotonic()
        run.status, run.message = "running", ""
        loop.publisher.speed.clear()
        loop.flush()
        run.write_meta()


def _step(loop: TrainingLoop, command: Command) -> None:
    loop.run.status, loop.run.message = "paused", ""
    loop.event("step", say(f"events.step_{command.players}"))
    loop.advance(command.players)
    loop.publisher.publish()


def _stop(loop: TrainingLoop, command: Command) -> None:
    loop.stopping = command.kind


def _rest(loop: TrainingLoop, command: Command) -> None:
    """Leave the memory; not where it was resumed meanwhile."""
    if loop.run.status == "paused":
        loop.stopping = command.kind


def _lr(loop: TrainingLoop, command: Command) -> None:
    lr = loop.trainer.lr
    for player, value in (("d", command.d_lr), ("g", command.g_lr)):
        if value is not None and value != lr[player]:
            loop.event("lr", say(f"events.lr_{player}", before=lr[player], now=value))
            lr[player] = value
    loop.publisher.publish()


def _measure_share(loop: TrainingLoop, command: Command) -> None:
    loop.run.meta.measure_share = checked_measure_share(command.measure_share)
    loop.run.write_meta()
    loop.publisher.publish()


def _rewind(loop: TrainingLoop, command: Command) -> None:
    loop.restore(loop.run.state_until(command.at))
    loop.event("rewind", say("events.rewind", step=loop.trainer.steps_done))
    loop.settle("paused")


_COMMANDS: dict[str, Callable[[TrainingLoop, Command], None]] = {
    "pause": _pause,
    "yield": _yield,
    "resume": _resume,
    "step": _step,
    "stop": _stop,
    "rest": _rest,
    "shutdown": _stop,
    "lr": _lr,
    "measure_share": _measure_share,
    "rewind": _rewind,
}
COMMAND_KINDS = tuple(kind for kind in _COMMANDS if kind not in ("yield", "rest", "shutdown"))
