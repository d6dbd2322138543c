"""The loop that trains a run: one blocking call, which the command line makes directly and the app in a thread.

Only the loop touches the Trainer. Everybody else sends commands, which it drains between steps, and reads
`run.latest`, an immutable snapshot that it replaces by one assignment.
"""

from __future__ import annotations

import logging
import math
import queue
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from gan.core.config import ConfigError
from gan.core.files import disk_is_full
from gan.core.messages import joined, say
from gan.data.catalog import DataError, load
from gan.monitor.records import Row, Threads, due
from gan.monitor.signals import Signals, signal_due
from gan.runs.commands import Command, carry_out
from gan.runs.files import START
from gan.runs.history import FRAME_GROWTH, ROW_GROWTH
from gan.runs.kept_checkpoints import state_due
from gan.runs.measuring import Measuring
from gan.runs.publishing import Diverged, Publisher
from gan.runs.turn_taking import TurnTaking
from gan.training import distributed
from gan.training.checkpoint import CheckpointError, NotFinite, begin_with, load_checkpoint, save_checkpoint
from gan.training.device import best_device, resolved_precision, use_threads
from gan.training.threads import ThreadChooser
from gan.training.trainer import Trainer

if TYPE_CHECKING:  # which imports this module
    from gan.runs.run import Run

SAVE_EVERY_SECONDS = 8.0  # a killed process loses at most this much training, and the time of one save
ASK_EVERY_SECONDS = 0.1  # whether it is one's turn

Progress = Callable[["Run"], None]
log = logging.getLogger(__name__)


def train(run: Run, progress: Progress | None = None) -> None:
    """Train until the end, a stop, or a failure. Never raises: what went wrong is in the run's status and message."""
    use_threads(run.threads[0])
    try:
        run.training = TrainingLoop(run, _trainer_of(run))
        run.training.train(progress)
    except Exception as e:  # a run must never take the page down
        run.end(*_ending(run, e))
    finally:
        run.turns.leave(run)
        if run.training is not None:
            run.training.trainer.graphs.forget()  # a GPU's memory is for those who still train


def _trainer_of(run: Run) -> Trainer:
    """A trainer of the run at step 0. Raises DataError, ConfigError or LostRank."""
    if run.needs:
        raise DataError(run.needs)

    def tell(words: str) -> None:
        run.message = words

    pictures = load(run.config.dataset, "train", run.own_dir, tell)
    device = best_device()
    # This machine decides for all processes of a job.
    settings = run.config.changed(precision=resolved_precision(run.config, device))
    own_dir = run.own_dir and str(run.own_dir)
    job = {"config": settings.to_dict(), "own_dir": own_dir, "format": run.meta.format}
    distributed.broadcast_command_with("begin", job)
    return Trainer(run.config, pictures, device, run.meta.format)


def _ending(run: Run, e: Exception) -> tuple[str, str]:
    """The status of a run in which this was raised, and a sentence for its owner; the log has the rest."""
    kept = run.checkpoint_step()
    if isinstance(e, Diverged):
        if kept is None:
            return "failed", say("runs.diverged", what=e.args[0])
        return "failed", say("runs.diverged_kept", what=e.args[0], step=kept)
    if isinstance(e, distributed.LostRank):
        saved = say("runs.nothing_saved") if kept is None else say("runs.state_kept", step=kept)
        return "interrupted", joined([e.message, saved])
    if isinstance(e, ConfigError | DataError | CheckpointError):
        return "failed", e.message
    log.exception("run %s failed", run.id)
    return "failed", say("runs.failed", kind=type(e).__name__)


def _begin_with(path: Path, run: Run, trainer: Trainer) -> None:
    """Other weights than noise, of which one look is kept: the diagnosis says how far pictures are beside that."""
    if not run.history.signals:
        run.history.add("signals", Signals(trainer).look({}))
    begin_with(path, trainer)
    distributed.broadcast_command_with("load", trainer.state_dict())


class Means:
    """Of each number of a step, since the last row; summed on the device, because reading them waits for it."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[Tensor | int, int]] = {}  # and of how many steps

    def add(self, stats: dict[str, Tensor]) -> None:
        for name, value in stats.items():
            total, count = self._sums.get(name, (0, 0))
            self._sums[name] = (total + value, count + 1)

    def take(self) -> dict[str, float]:
        """The means, with which everything begins anew."""
        sums, self._sums = self._sums, {}
        return {name: float(total / count) for name, (total, count) in sums.items()}


class TrainingLoop:
    """Trains one run until it ends. What is asked of it comes through the run's commands."""

    def __init__(self, run: Run, trainer: Trainer) -> None:
        """trainer: at step 0. Raises OSError."""
        self.run, self.trainer = run, trainer
        self.publisher, self.measuring = Publisher(run, trainer), Measuring(run, trainer)
        self.stopping = ""  # the kind of the command that ends it: stop, rest, shutdown
        self._signals = Signals(trainer)
        self._means = Means()
        counts = run.threads if trainer.device.type == "cpu" else run.threads[:1]
        self._chooser = ThreadChooser(counts, run.config.penalty_every)
        self._threads_now = 0  # none written down yet
        self._saved_at = -1e9
        self._begun = False  # whether the trainer has the run's state
        self._turns = TurnTaking(run, self.publisher, self.flush)

    def train(self, progress: Progress | None = None) -> None:
        """Raises Diverged, LostRank, CheckpointError, or what is nobody's fault."""
        try:
            self._begin()
            self._go_on(progress)
        except Diverged as e:
            self._write_last_words(e.args[0])
            raise
        except distributed.LostRank as e:
            self._save_whole_step(e.message)
            raise

    # Beginning and end --------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Take up the run's last state; what is new is shown, and written down."""
        run, paused = self.run, self.run.status == "paused"
        if run.checkpoint_path.exists():
            self.restore(run.checkpoint_path)
        elif (start := run.folder / START).exists():
            _begin_with(start, run, self.trainer)
        self._note_machine()
        run.status, run.message = ("paused" if paused else "running"), ""
        first = self.trainer.steps_done == 0
        self.publisher.publish(frame=first)
        if first and not run.history.signals:
            run.history.add("signals", self._signals.look({}))  # after the picture that people wait for
        self.measuring.begin()
        self.flush()
        if first:
            self._keep_state()
        else:
            self.save()
        run.write_meta()
        self._begun = True

    def restore(self, path: Path) -> None:
        """Continue from a saved state; what lies after it is taken back. Raises CheckpointError."""
        extra = load_checkpoint(path, self.trainer)
        run, step = self.run, self.trainer.steps_done
        run.seconds = float(extra.get("seconds", 0.0))
        self._means, self._threads_now = Means(), 0
        self._on_disk(lambda: run.forget_after(step))
        self.measuring.begin()
        distributed.broadcast_command_with("load", self.trainer.state_dict())

    def _note_machine(self) -> None:
        """A change is written down, because no step is then exactly what it would have been."""
        meta, kind = self.run.meta, "GPU" if self.trainer.device.type == "cuda" else "processor"
        before, computes = meta.computes, f"{kind}, {self.trainer.precision}"  # as run.json says it
        if before and before != computes:
            self.event("machine", say("events.machine", before=before, now=computes))
        meta.computes = computes

    def _go_on(self, progress: Progress | None) -> None:
        run = self.run
        while not self.stopping:
            self._drain()  # first, because a finished run may be asked to train longer
            if self.stopping or self._is_done:
                break
            if run.status != "running":
                self._turns.leave()
                self._lead("wait")
            elif self._turns.has_turn():
                self.advance("both")
                if progress:
                    progress(run)
        self._record_last()
        if self.stopping not in ("rest", "shutdown"):
            run.end("finished" if self._is_done else "stopped", "")
        self.settle()

    @property
    def _is_done(self) -> bool:
        return self.trainer.steps_done >= self.run.config.total_steps

    def _write_last_words(self, words: str) -> None:
        self.event("failed", words)
        try:
            self.run.history.flush()
        except OSError:
            log.warning("run %s: the last events could not be written", self.run.id)

    def _save_whole_step(self, words: str) -> None:
        """Keep the state before the step that broke off (distributed.whole_step took it back).

        A GPU may wait for the lost process for ever, so there the last checkpoint must do.
        """
        if self._begun and self.trainer.device.type == "cpu":
            with suppress(Diverged):
                self.save()
            self.event("failed", words)
            self.flush()

    # A step -------------------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Carry out what was asked; while paused, or until it may be its turn, wait for it."""
        paused = self.run.status == "paused"
        block = paused or self._turns.waits
        while not self.stopping:
            try:
                command = self.run.commands.get(block=block, timeout=1.0 if paused else ASK_EVERY_SECONDS)
            except queue.Empty:
                return
            carry_out(self, command)
            block = False

    def advance(self, players: str) -> None:
        """One step, and all that falls due after it. Raises Diverged or LostRank."""
        started = time.perf_counter()
        self._lead(players)
        self._take_threads()
        look = signal_due(self.trainer.steps_done + 1)
        with distributed.whole_step(self.trainer):
            stats = self.trainer.step(players, look)
        gradients: dict[str, Tensor] = {name: stats.pop(name) for name in ("d_grad", "g_grad") if name in stats}
        self._means.add(stats)
        stepped = time.perf_counter()
        if players == "both":  # one player's step says nothing about the others'
            self._chooser.took(stepped - started)
        self.publisher.clock(stepped - started)
        self.publisher.stepped()
        if look:
            self.run.history.add("signals", self._signals.look(gradients))
        self._write_what_is_due()
        shown = time.perf_counter()
        self.publisher.clock(shown - stepped, shown=True)
        self._measure(shown - started)

    def _lead(self, word: str) -> None:
        """Tell other processes, if there are any, what comes now; what they ask for is done before the next step."""
        if asked := distributed.broadcast_command(word, self.trainer.lr):
            self.run.commands.put(Command(asked))

    def _take_threads(self) -> None:
        """As many as the chooser says; a change is written down, because the last bits of a step depend on it."""
        count = self._chooser.threads
        if count != self._threads_now:
            use_threads(count)
            self._threads_now = count
            self.run.history.add("threads", Threads(self.trainer.steps_done, count))

    def _write_what_is_due(self) -> None:
        step = self.trainer.steps_done
        frame = due(step, FRAME_GROWTH)
        self._record(row=frame or due(step, ROW_GROWTH), frame=frame)  # so that every picture has its numbers
        if state_due(step):
            self._keep_state()
        elif time.monotonic() - self._saved_at > SAVE_EVERY_SECONDS:
            self.save()

    def _measure(self, passed: float) -> None:
        started = time.perf_counter()
        if self.measuring.turn(passed):
            self.flush()
            self._on_disk(self.measuring.write_best)
        self.publisher.clock(time.perf_counter() - started)

    # Recording ----------------------------------------------------------------------------------------------------

    def event(self, kind: str, text: str) -> None:
        self.run.history.add_event(self.trainer.steps_done, kind, text)

    def _record(self, row: bool, frame: bool) -> None:
        """Read the numbers and look at the pictures where they are due: the only place that waits for the device."""
        if row:
            self._add_row()
        if frame or self.publisher.due():
            self.publisher.publish(frame)
        if frame:
            self.flush()  # rows come ten times as often, and can wait: a save writes them too

    def _record_last(self) -> None:
        """Numbers and picture of the last step, due or not: they show where a run ended, and stay when it goes on."""
        frames = self.run.history.frames
        self._record(row=True, frame=not frames or frames[-1]["step"] != self.trainer.steps_done)

    def _add_row(self) -> None:
        trainer = self.trainer
        means = self._means.take()
        if not means:
            return
        bad = [name for name, v in means.items() if not math.isfinite(v)]
        if bad:
            raise Diverged(say(f"runs.not_finite_{bad[0]}", step=trainer.steps_done))
        rates = {"d_lr": trainer.rates["d"], "g_lr": trainer.rates["g"]}
        self.run.history.add("rows", Row(trainer.steps_done, trainer.images_done, self.run.seconds, **means, **rates))

    # To disk ------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        self._on_disk(self.run.history.flush)

    def save(self) -> bool:
        """Write the checkpoint; False when the disk would not take it, and training is paused. Raises Diverged."""
        self._saved_at = time.monotonic()
        if not self._on_disk(self._write_state):
            return False
        self._on_disk(self.measuring.write_best)
        return True

    def _write_state(self) -> None:
        self.run.history.flush()  # no state without its history
        self.run.states.keep_before(self.run.checkpoint_path, self.trainer.steps_done)
        try:
            save_checkpoint(self.run.checkpoint_path, self.trainer, {"seconds": self.run.seconds})
        except NotFinite as e:
            raise Diverged(e.short) from None

    def _keep_state(self) -> None:
        if self.save():
            self._on_disk(lambda: self.run.states.keep(self.run.checkpoint_path, self.trainer.steps_done))
            self._on_disk(lambda: (self.run.folder / START).unlink(missing_ok=True))

    def settle(self, status: str | None = None) -> None:
        """Bring everything to disk and show it."""
        self.run.status = status or self.run.status
        self.save()
        self.publisher.publish()
        self.flush()
        self.run.write_meta()

    def _on_disk(self, write: Callable[[], None]) -> bool:
        """Write something. Where the disk would not take it, training is paused, and False is returned."""
        try:
            write()
        except OSError as e:
            self.run.status = "paused"
            self.run.message = say("runs.disk_full") if disk_is_full(e) else say("runs.not_written", reason=e.strerror)
            self.publisher.publish()
            return False
        return True
