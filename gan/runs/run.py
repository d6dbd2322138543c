"""A training run: one blocking loop that the command line calls directly and the app calls in a thread.

Only the loop touches the Trainer. Everybody else sends commands, which it drains between steps, and reads `latest`, an
immutable snapshot that it replaces by one assignment.
"""

from __future__ import annotations

import errno
import logging
import math
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gan.core.config import Config, ConfigError
from gan.core.files import write_atomically
from gan.core.images import grid, png_bytes, split_grid, to_uint8
from gan.core.seeds import seed_of
from gan.data.catalog import DATA, OWN_NAME, DataError, Pictures, load
from gan.monitor.records import Measure, Moment, due
from gan.monitor.signals import Signals, signal_due
from gan.runs.history import FRAME_GROWTH, ROW_GROWTH, History
from gan.runs.kept_checkpoints import KeptCheckpoints, state_due
from gan.runs.meta import checked_measure_share, read_meta
from gan.runs.snapshot import Snapshot
from gan.training import distributed
from gan.training.checkpoint import (
    CheckpointError,
    NotFinite,
    load_checkpoint,
    read_header,
    save_checkpoint,
    save_state,
    shown_generator_state,
)
from gan.training.device import best_device, resolved_precision, use_threads
from gan.training.threads import ThreadChooser
from gan.training.trainer import PLAYERS, State, Trainer

if TYPE_CHECKING:
    from gan.monitor.live_metrics import Measurer

SAVE_EVERY_SECONDS = 8.0  # a killed process loses at most this much training, and the time of one save
PUBLISH_EVERY_SECONDS = 0.4
WATCHED_SECONDS = 4.0  # somebody asked for a picture within this time
SHOW_SHARE = 0.03  # showing may take this share of the time; slower machines get fewer live frames
REAL_COUNT = 16
_REAL = 11  # stream of randomness: which real pictures are shown

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Command:
    """What is asked of a run.

    kind: pause, resume, step, stop, lr, rewind, measure_share (owner); yield, shutdown (program).
    """

    kind: str
    players: str = "both"
    d_lr: float | None = None
    g_lr: float | None = None
    total_steps: int | None = None
    at: int | None = None  # rewind: to the last kept state at or before this step; None: to the last checkpoint
    measure_share: float | None = None


class Diverged(Exception):
    """A loss or a weight is no longer finite."""


class Run:
    """One run and its folder. `status`: running, paused, stopped, finished, failed, interrupted."""

    def __init__(self, folder: Path, own_dir: Path | None = None, threads: tuple[int, ...] = (1,)) -> None:
        """Open a run's folder, whether it is training, done, or was interrupted. Raises CheckpointError or ConfigError.

        threads: the numbers of processor threads that training may choose from.
        """
        self.folder, self.own_dir, self.threads = folder, own_dir, threads
        self.id = folder.name
        self.meta = read_meta(folder)
        self.history, self.states = History(folder), KeptCheckpoints(folder)
        if self.status in ("running", "paused"):  # the process that trained it is gone
            self.status, self.message = "interrupted", "The program ended while this run was training; it can continue."
        self.seconds = self.history.rows[-1][2] if self.history.rows else 0.0
        self.best_step = self._known_best()  # of the kept state with the best FID, None where none is kept
        self.measure_problem = ""  # why nothing can be measured, in one sentence
        self.latest = self._snapshot_from_disk()
        self._commands: queue.Queue[Command] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._start_guard = threading.Lock()
        self._watched_at = self._weights_wanted_at = -1e9
        self._running_since = time.monotonic()

    # From any thread ----------------------------------------------------------------------------------------------

    @property
    def config(self) -> Config:
        return self.meta.config

    @config.setter
    def config(self, config: Config) -> None:
        self.meta.config = config

    @property
    def status(self) -> str:
        return self.meta.status

    @status.setter
    def status(self, status: str) -> None:
        self.meta.status = status

    @property
    def message(self) -> str:
        """Why it is not training, or what it is getting ready; empty where nothing is to be said."""
        return self.meta.message

    @message.setter
    def message(self, message: str) -> None:
        self.meta.message = message

    @property
    def checkpoint_path(self) -> Path:
        return self.folder / "checkpoint.safetensors"

    @property
    def best_path(self) -> Path:
        """The whole state of the step whose pictures had the best FID so far; there is one where best_step says so."""
        return self.folder / "best.safetensors"

    def _known_best(self) -> int | None:
        """Of a file that does not belong to this history nothing is said."""
        try:
            step = read_header(self.best_path)["steps_done"]
        except CheckpointError:
            return None
        return step if any(m["step"] == step for m in self.history.measures) else None

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def checkpoint_step(self) -> int | None:
        """The step of the last good state on disk, None when there is none."""
        try:
            return read_header(self.checkpoint_path)["steps_done"]
        except CheckpointError:
            return None

    def state_until(self, step: int | None) -> Path:
        """The file of the last saved state at or before a step; None: of the newest one. Raises CheckpointError."""
        newest = self.checkpoint_step()
        if newest is None:
            raise CheckpointError("This run has no saved state yet.")
        if step is None or step >= newest:
            return self.checkpoint_path
        best, early = self.best_step, [s for s in self.states.steps() if s <= step]
        if best is not None and max(early, default=-1) < best <= step:
            return self.best_path
        return self.states.path(self.states.last_until(step))

    @property
    def shown(self) -> bool:
        """Whether its owner lets everybody here find and watch it; never one on own pictures."""
        return self.meta.shown and self.config.dataset in DATA

    @property
    def needs(self) -> str:
        """What continuing needs and is not here, as a sentence; empty where nothing is missing."""
        cfg = self.config
        if not OWN_NAME.fullmatch(cfg.dataset):
            return ""
        if self.own_dir is not None and (self.own_dir / f"{cfg.dataset}.safetensors").is_file():
            return ""
        many = f"{count:,} pictures, " if (count := self.meta.pictures_count) else ""
        called = f" “{title}”" if (title := self.meta.dataset_title) else ""
        what = f"{many}{cfg.size} × {cfg.size}, {'grey' if cfg.channels == 1 else 'colour'}"
        return (
            f"To continue, this run needs the pictures{called} that it learned from ({what}), which are not here. "
            "Prepare the same files again with the same size, colours, fit and classes."
        )

    def describe(self, **words: object) -> None:
        """Change what run.json says about the run: title, kept. Raises OSError; nothing is changed then."""
        before = {name: getattr(self.meta, name) for name in words}
        try:
            self._set_words(words)
            self.meta.write(self.folder)
        except OSError:
            self._set_words(before)
            raise

    def _set_words(self, words: dict[str, Any]) -> None:
        for name, value in words.items():
            setattr(self.meta, name, value)

    def watch(self, weights: bool = False) -> None:
        """Somebody is looking: live frames are made for the next few seconds; weights: with what drew them."""
        self._watched_at = time.monotonic()
        if weights:
            self._weights_wanted_at = self._watched_at

    def running_seconds(self) -> float:
        """How long it has been training since it was started, or resumed, last."""
        return time.monotonic() - self._running_since

    def unwatched_seconds(self) -> float:
        """How long ago somebody looked at this run last."""
        return time.monotonic() - self._watched_at

    def send(self, command: Command) -> None:
        """Ask the loop for something; a run that is not in memory is started for it, paused unless it is to resume."""
        with self._start_guard:
            self._commands.put(command)
            if not self.alive and command.kind in ("resume", "rewind", "step"):
                self.start(paused=command.kind != "resume")

    def start(self, paused: bool = False) -> None:
        """Train in a background thread."""
        self._running_since = time.monotonic()
        self.status, self.message = ("paused" if paused else "running"), ""
        self._thread = threading.Thread(target=self.loop, name=f"run-{self.id}", daemon=True)
        self._thread.start()

    def join(self, timeout: float | None = None) -> None:
        if self._thread is not None:
            self._thread.join(timeout)

    def weights(self) -> tuple[str, dict[str, Tensor]] | None:
        """(stamp, state) of the shown generator: of the newest picture, or of the last checkpoint.

        A picture brings its weights along while somebody follows them, see `watch`.
        """
        snapshot = self.latest
        if snapshot is not None and snapshot.weights is not None:
            return str(snapshot.step), snapshot.weights
        try:
            return str(self.checkpoint_step()), shown_generator_state(self.checkpoint_path)
        except CheckpointError:
            return None

    def best_weights(self) -> dict[str, Tensor]:
        """The shown generator of the state with the best FID. Raises CheckpointError."""
        if self.best_step is None:
            raise CheckpointError("This run keeps no state with the best FID.")
        return shown_generator_state(self.best_path)

    # The loop -----------------------------------------------------------------------------------------------------

    def loop(self, progress: Callable[[Run], None] | None = None) -> None:
        """Train until the end, a stop, or a failure. Never raises: what went wrong is in `status` and `message`."""
        use_threads(self.threads[0])
        try:
            self._prepare()
            self._train(progress)
        except Diverged as e:
            self._fail_diverged(e)
        except distributed.LostRank as e:
            self._fail_lost(e)
        except (ConfigError, DataError, CheckpointError) as e:
            self._end("failed", str(e))
        except Exception as e:  # a run must never take the page down; the owner reads a sentence, the log the rest
            log.exception("run %s failed", self.id)
            self._end("failed", f"Training stopped unexpectedly ({type(e).__name__}); the last good state is kept.")
        finally:
            if hasattr(self, "trainer"):
                self.trainer.graphs.forget()  # a GPU's memory is for those who still train

    def _prepare(self) -> None:
        paused, self._prepared = self.status == "paused", False
        if self.needs:
            raise DataError(self.needs)
        pictures = load(self.config.dataset, "train", self.own_dir, self._say)
        device = best_device()
        # This machine decides for all processes of a job.
        settings = self.config.changed(precision=resolved_precision(self.config, device))
        distributed.broadcast_command_with(
            "begin", {"config": settings.to_dict(), "own_dir": self.own_dir and str(self.own_dir)}
        )
        self.trainer = Trainer(self.config, pictures, device)
        self._signals = Signals(self.trainer)
        self._sums: dict[str, tuple[Tensor | int, int]] = {}  # of each number since the last row, and of how many steps
        self._measurer: Measurer | None = None
        self._measured: State | None = None  # a copy of the state that is being measured
        self._better: tuple[State, float] | None = None  # the best one and its seconds, not written yet
        self._stopping = ""
        self._show_seconds, self._train_seconds = 0.0, 1e-9
        self._speed: deque[tuple[float, int]] = deque(maxlen=40)
        self._threads_now = 0  # none written down yet
        counts = self.threads if self.trainer.device.type == "cpu" else self.threads[:1]
        self._chooser = ThreadChooser(counts, self.config.penalty_every)
        self._choose_tiles(self.trainer.data.pictures)
        if self.checkpoint_path.exists():
            self._restore(self.checkpoint_path)
        self._note_machine()
        self.status, self.message = ("paused" if paused else "running"), ""
        self._publish(frame=self.trainer.steps_done == 0)
        if self.trainer.steps_done == 0 and not self.history.signals:
            self.history.add_signal(self._signals.look({}))  # after the picture that people wait for
        self._flush()
        if self.trainer.steps_done == 0:
            self._keep_state()
        else:
            self._save()
        self._write_meta()
        self._prepared = True

    def _note_machine(self) -> None:
        """A change is written down, because no step is then exactly what it would have been."""
        kind = "GPU" if self.trainer.device.type == "cuda" else "processor"
        before, computes = self.meta.computes, f"{kind}, {self.trainer.precision}"
        if before and before != computes:
            self._event("machine", f"Another machine: {before} → {computes}")
        self.meta.computes = computes

    def _train(self, progress: Callable[[Run], None] | None) -> None:
        while not self._stopping:
            self._drain()  # first, because a finished run may be asked to train longer
            if self._stopping or self.trainer.steps_done >= self.config.total_steps:
                break
            if self.status == "running":
                self._advance("both")
                if progress:
                    progress(self)
            else:
                self._lead("wait")
        self._record_last()
        if self._stopping != "shutdown":
            done = self.trainer.steps_done >= self.config.total_steps
            self._end("finished" if done else "stopped", "")
        self._settle()

    def _advance(self, players: str) -> None:
        started = time.perf_counter()
        self._lead(players)
        self._take_threads()
        look = signal_due(self.trainer.steps_done + 1)
        with distributed.whole_step(self.trainer):
            stats = self.trainer.step(players, look)
        gradients: dict[str, Tensor] = {name: stats.pop(name) for name in ("d_grad", "g_grad") if name in stats}
        for name, value in stats.items():
            total, count = self._sums.get(name, (0, 0))
            self._sums[name] = (total + value, count + 1)
        step, now = self.trainer.steps_done, time.perf_counter()
        if players == "both":  # one player's step says nothing about the others'
            self._chooser.took(now - started)
        self._clock(now - started)
        self._speed.append((self.seconds, step))
        if look:
            self.history.add_signal(self._signals.look(gradients))
        frame = due(step, FRAME_GROWTH)
        self._record(row=frame or due(step, ROW_GROWTH), frame=frame)  # so that every picture has its numbers
        if state_due(step):
            self._keep_state()
        elif time.monotonic() - self._saved_at > SAVE_EVERY_SECONDS:
            self._save()
        shown = time.perf_counter() - now
        self._show_seconds += shown
        self._clock(shown)
        if self.meta.measure_share and not self.measure_problem:
            self._measure(now + shown - started)

    def _take_threads(self) -> None:
        """As many as the chooser says; a change is written down, because the last bits of a step depend on it."""
        count = self._chooser.threads
        if count != self._threads_now:
            use_threads(count)
            self._threads_now = count
            self.history.add_threads(self.trainer.steps_done, count)

    def _lead(self, word: str) -> None:
        """Tell other processes, if there are any, what comes now; what they ask for is done before the next step."""
        if asked := distributed.broadcast_command(word, self.trainer.lr):
            self._commands.put(Command(asked))

    def _clock(self, seconds: float) -> None:
        self.seconds += seconds
        self._train_seconds += seconds

    def _live_due(self) -> bool:
        now = time.monotonic()
        pace = max(PUBLISH_EVERY_SECONDS, self._publish_cost / SHOW_SHARE)
        return now - self._published_at > pace and self.unwatched_seconds() < WATCHED_SECONDS

    # Recording ----------------------------------------------------------------------------------------------------

    def _record(self, row: bool, frame: bool) -> None:
        """Read the numbers and look at the pictures where they are due: the only place that waits for the device."""
        if row:
            self._add_row()
        if frame or self._live_due():
            self._publish(frame)
        if frame:
            self._flush()  # rows come ten times as often, and can wait: a save writes them too

    def _record_last(self) -> None:
        """Numbers and picture of the last step, due or not: what is left of a run shows where it ended.

        They stay when it is continued; rows after them are means since then, as always.
        """
        frames = self.history.frames
        self._record(row=True, frame=not frames or frames[-1]["step"] != self.trainer.steps_done)

    def _add_row(self) -> None:
        step = self.trainer.steps_done
        if not self._sums:
            return
        means = {name: float(total / n) for name, (total, n) in self._sums.items()}
        self._sums = {}
        bad = [name for name, v in means.items() if not math.isfinite(v)]
        if bad:
            raise Diverged(f"{_WORDS[bad[0]]} became NaN or infinite at step {step:,}")
        rates = (self.trainer.rates["d"], self.trainer.rates["g"])
        losses, verdicts = (means.get("d_loss"), means.get("g_loss")), (means.get("d_real"), means.get("d_fake"))
        self.history.add_row((step, self.trainer.images_done, self.seconds, *losses, *verdicts, *rates))

    def _measure(self, passed: float) -> None:
        """A few pictures more of the next measure, where the share of the time allows; passed: seconds of this step."""
        from gan.monitor.live_metrics import Measurer, MetricError  # not before somebody measures

        started = time.perf_counter()
        if self._measurer is None:
            self._measurer = Measurer(self.config, self.history.measures[-1]["step"] if self.history.measures else 0)
        trainer = self.trainer
        moment: Moment = {"step": trainer.steps_done, "images": trainer.images_done, "seconds": round(self.seconds, 3)}
        try:
            found = self._measurer.turn(trainer, self.meta.measure_share, passed, moment)
        except MetricError as e:
            self.measure_problem, found = str(e), None
        step = self._measurer.measured_step
        if found:
            self.history.add_measure(found)
            self._flush()
            self._keep_best(found)
        elif step is not None and (self._measured is None or self._measured["steps_done"] != step):
            self._measured = distributed.copied(trainer.state_dict())
        self._clock(time.perf_counter() - started)

    def _keep_best(self, found: Measure) -> None:
        """Keep the state that was copied when this measure began, where none had a better FID."""
        state, self._measured = self._measured, None
        if state is not None and found["fid"] <= min(m["fid"] for m in self.history.measures):
            self._better = state, found["seconds"]
            self._write_best()

    def _write_best(self) -> None:
        """Where the disk would not take it, training is paused, and the next save tries again."""
        if self._better is None:
            return
        state, seconds = self._better
        try:
            save_state(self.best_path, self.config, state, {"seconds": seconds})
            self.best_step = state["steps_done"]
        except NotFinite:
            log.warning("run %s: the state of step %d is not finite", self.id, state["steps_done"])
        except OSError as e:
            self._pause_for_disk(e)
            return
        self._better = None

    def _publish(self, frame: bool = False) -> None:
        """Make the snapshot everybody sees; with `frame` it also enters the history. Raises Diverged."""
        started = time.perf_counter()
        trainer, step = self.trainer, self.trainer.steps_done
        x = trainer.sample(self._z, self._c)  # [K, C, H, W]
        tiles = to_uint8(x).cpu().numpy()
        fake = _rounded(trainer.verdict(x, self._c))
        real = _rounded(trainer.verdict(self._real, self._real_c))
        if not all(map(math.isfinite, fake + real)):  # a page cannot read such numbers, and would show them for ever
            raise Diverged(f"{_WORDS['d_fake']} became NaN or infinite at step {step:,}")
        wanted = step == 0 or time.monotonic() - self._weights_wanted_at < WATCHED_SECONDS
        weights = {k: v.detach().cpu().clone() for k, v in trainer.shown.state_dict().items()} if wanted else None
        numbers = self._numbers() | {"verdict_fake": fake, "verdict_real": real}
        version = max(int(time.time() * 1000), self.latest.version + 1 if self.latest else 0)
        self.latest = snapshot = Snapshot(version, step, tiles, self.meta.tiles["columns"], numbers, weights)
        if frame:
            self.history.add_frame(step, snapshot.png, fake, real)
        self._published_at = time.monotonic()
        self._publish_cost = time.perf_counter() - started

    def _numbers(self) -> dict[str, Any]:
        """What the header line of the page shows."""
        cfg, step = self.config, self.trainer.steps_done
        speed = self._images_per_second()
        left = (cfg.total_steps - step) * cfg.batch * distributed.world() / speed if speed and step > 10 else None
        images = self.trainer.images_done
        return {
            "status": self.status,
            "message": self.message,
            "epoch": self._epoch(images),
            "images": images,
            "images_per_s": round(speed, 1),
            "seconds": round(self.seconds, 1),
            "seconds_left": left and round(left, 1),
            "show_share": round(self._show_seconds / self._train_seconds, 4),
            "total_steps": cfg.total_steps,
            "lr": dict(self.trainer.lr),
            **self._counts(),
        }

    def _epoch(self, images: int) -> float | None:
        """How often every picture was seen; None where it is not known how many there are."""
        count = self.meta.dataset_count
        return round(images * self.config.d_steps / count, 2) if count else None

    def _counts(self) -> dict[str, Any]:
        """How much of everything there is, so that a page knows what it has not fetched; and the newest measure."""
        h = self.history
        return {
            "row_count": len(h.rows),
            "frame_count": len(h.frames),
            "event_count": len(h.events),
            "measure_count": len(h.measures),
            "generation": h.generation,
            "measure": h.measures[-1] if h.measures else None,
            "measure_share": self.meta.measure_share,
            "measure_problem": self.measure_problem,
            "best_step": self.best_step,
        }

    def _images_per_second(self) -> float:
        if len(self._speed) < 2:
            return 0.0
        (t0, s0), (t1, s1) = self._speed[0], self._speed[-1]
        return (s1 - s0) * self.config.batch * distributed.world() / max(t1 - t0, 1e-9)

    def _flush(self) -> None:
        try:
            self.history.flush()
        except OSError as e:
            self._pause_for_disk(e)

    def _save(self) -> bool:
        """Write the checkpoint; False when the disk would not take it, and training is paused."""
        self._saved_at = time.monotonic()
        try:
            self.history.flush()  # no state without its history
            save_checkpoint(self.checkpoint_path, self.trainer, {"seconds": self.seconds})
        except NotFinite as e:
            raise Diverged(str(e).split(";")[0]) from None
        except OSError as e:
            self._pause_for_disk(e)
            return False
        self._write_best()
        return True

    def _keep_state(self) -> None:
        if not self._save():
            return
        try:
            self.states.keep(self.checkpoint_path, self.trainer.steps_done)
        except OSError as e:
            self._pause_for_disk(e)

    def _pause_for_disk(self, e: OSError) -> None:
        reason = "The disk is full" if e.errno in (errno.ENOSPC, errno.EDQUOT) else f"Writing failed ({e.strerror})"
        self.status = "paused"
        self.message = f"{reason}, so training is paused. Nothing is lost: make room, then resume."
        self._publish()

    # Commands -----------------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Carry out what was asked; while paused, wait for it."""
        block = self.status == "paused"
        while not self._stopping:
            try:
                command = self._commands.get(block=block, timeout=1.0 if block else None)
            except queue.Empty:
                return
            _COMMANDS[command.kind](self, command)
            block = False

    def _do_pause(self, _: Command) -> None:
        if self.status == "running":
            self._event("pause", "Paused")
            self._settle("paused")

    def _do_yield(self, _: Command) -> None:
        if self.status == "running":
            self.message = "Paused, because nobody was watching and somebody else wanted to train. Nothing is lost."
            self._event("pause", "Paused: nobody was watching")
            self._settle("paused")

    def _do_resume(self, command: Command) -> None:
        if command.total_steps:
            self.config = self.config.changed(total_steps=command.total_steps)
        if self.status != "running":
            self._event("resume", "Resumed")
            self._running_since = time.monotonic()
            self.status, self.message = "running", ""
            self._speed.clear()
            self._flush()
            self._write_meta()

    def _do_step(self, command: Command) -> None:
        self.status, self.message = "paused", ""
        name = {"both": "D and G", "d": "D", "g": "G"}[command.players]
        self._event("step", f"One step of {name}")
        self._advance(command.players)
        self._publish()

    def _do_stop(self, command: Command) -> None:
        self._stopping = command.kind

    def _do_lr(self, command: Command) -> None:
        for player, name, value in (("d", "D", command.d_lr), ("g", "G", command.g_lr)):
            if value is not None and value != self.trainer.lr[player]:
                self._event("lr", f"{name}'s learning rate {self.trainer.lr[player]:g} → {value:g}")
                self.trainer.lr[player] = value
        self._publish()

    def _do_measure_share(self, command: Command) -> None:
        self.meta.measure_share = checked_measure_share(command.measure_share)
        self._write_meta()
        self._publish()

    def _do_rewind(self, command: Command) -> None:
        self._restore(self.state_until(command.at))
        self._event("rewind", f"Back to step {self.trainer.steps_done:,}")
        self._settle("paused")

    def _event(self, kind: str, text: str) -> None:
        self.history.add_event(self.trainer.steps_done, kind, text)

    # Beginnings and ends ------------------------------------------------------------------------------------------

    def _restore(self, path: Path) -> None:
        extra = load_checkpoint(path, self.trainer)
        self.seconds = float(extra.get("seconds", 0.0))
        self._sums, self._threads_now, self._measurer, self._measured, self._better = {}, 0, None, None, None
        self.history.forget_after(self.trainer.steps_done)
        self.states.forget_after(self.trainer.steps_done)
        if self.best_step is not None and self.best_step > self.trainer.steps_done:
            self.best_path.unlink(missing_ok=True)
            self.best_step = None
        distributed.broadcast_command_with("load", self.trainer.state_dict())

    def _choose_tiles(self, pictures: Pictures) -> None:
        """The latents and the real pictures that every frame of this run shows."""
        seed = self.meta.frame_seed  # a fork with another seed shows what its source showed
        self._z, self._c = self.trainer.preview_latents(self.meta.tiles["count"], seed)
        rng = torch.Generator().manual_seed(seed_of(seed, _REAL))
        chosen = torch.randperm(len(pictures.images), generator=rng)[:REAL_COUNT]
        self._real = pictures.images[chosen].float() / 127.5 - 1  # [16, C, H, W]
        labels = self.trainer.data.labels
        self._real_c = None if labels is None else labels[chosen]
        self._published_at = self._saved_at = -1e9
        self._publish_cost = 0.0
        self.meta.dataset_count = len(pictures.images)
        self.meta.real_labels = pictures.labels[chosen].tolist() if pictures.class_names else []
        path = self.folder / "real.png"
        if not path.exists():
            write_atomically(path, png_bytes(grid(pictures.images[chosen].numpy(), REAL_COUNT // 2)))

    def _settle(self, status: str | None = None) -> None:
        """Bring everything to disk and show it."""
        self.status = status or self.status
        self._save()
        self._publish()
        self._flush()
        self._write_meta()

    def _end(self, status: str, message: str) -> None:
        self.status, self.message = status, message
        if self.latest is not None:  # a new version, so that every viewer hears of it
            old = self.latest
            numbers = old.numbers | {"status": status, "message": message} | self._counts()
            self.latest = Snapshot(old.version + 1, old.step, old.tiles, old.columns, numbers, old.weights)
        self._write_meta()

    def _fail_diverged(self, e: Diverged) -> None:
        last = self.checkpoint_step()
        self.history.add_event(self.trainer.steps_done, "failed", str(e))
        try:
            self.history.flush()
        except OSError:
            log.warning("run %s: the last events could not be written", self.id)
        kept = "" if last is None else f" The last good state, step {last:,}, is kept: go back to it"
        advice = f"{kept} and lower a learning rate before you resume." if kept else " Lower a learning rate."
        self._end("failed", f"{e}. Training stopped.{advice}")

    def _fail_lost(self, e: distributed.LostRank) -> None:
        """Keep the state before the step that broke off (distributed.whole_step took it back).

        A GPU may wait for the lost process for ever, so there the last checkpoint must do.
        """
        if self._prepared and self.trainer.device.type == "cpu":
            with suppress(Diverged):
                self._save()
            self._event("failed", str(e))
            self._flush()
        kept = self.checkpoint_step()
        what = "Nothing was saved yet." if kept is None else f"The state of step {kept:,} is kept; it can continue."
        self._end("interrupted", f"{e} {what}")

    def _say(self, words: str) -> None:
        self.message = words

    def _write_meta(self) -> None:
        try:
            self.meta.write(self.folder)
        except OSError as e:
            log.warning("run %s: run.json could not be written (%s)", self.id, e)

    def _snapshot_from_disk(self) -> Snapshot | None:
        """The last stored frame and the numbers of its step, for a run that is not in memory."""
        if not self.history.frames:
            return None
        last, tiles, cfg = self.history.frames[-1], self.meta.tiles, self.config
        step = last["step"]
        try:
            pictures = split_grid(self.history.frame_path(step).read_bytes(), **tiles)
        except (OSError, ValueError):
            return None
        _, images, seconds, *_ = next((row for row in reversed(self.history.rows) if row[0] <= step), (0, 0, 0.0))
        numbers = {
            "status": self.status,
            "message": self.message,
            "epoch": self._epoch(images),
            "images": images,
            "images_per_s": round(images / seconds, 1) if seconds else 0.0,
            "seconds": round(seconds, 1),
            "seconds_left": None,
            "show_share": 0.0,
            "total_steps": cfg.total_steps,
            "lr": {"d": cfg.d_lr, "g": cfg.g_lr},
            "verdict_fake": last["fake"],
            "verdict_real": last["real"],
            **self._counts(),
        }
        # Newer than anything a page has seen before the program was started again.
        return Snapshot(int(time.time() * 1000), step, pictures, tiles["columns"], numbers)


_COMMANDS: dict[str, Callable[[Run, Command], None]] = {
    "pause": Run._do_pause,
    "yield": Run._do_yield,
    "resume": Run._do_resume,
    "step": Run._do_step,
    "stop": Run._do_stop,
    "shutdown": Run._do_stop,
    "lr": Run._do_lr,
    "measure_share": Run._do_measure_share,
    "rewind": Run._do_rewind,
}
COMMAND_KINDS = tuple(k for k in _COMMANDS if k not in ("yield", "shutdown"))

_WORDS = {
    "d_loss": "The discriminator's loss",
    "g_loss": "The generator's loss",
    "d_real": "The discriminator's verdict",
    "d_fake": "The discriminator's verdict",
}

assert set(PLAYERS) == {"both", "d", "g"}


def _rounded(values: Tensor) -> list[float]:
    return [round(v, 4) for v in values.float().cpu().tolist()]
