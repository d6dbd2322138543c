"""A training run: its folder, what it is asked, and what everybody sees of it. Its loop is in gan/runs/loop.py."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from gan.core.config import Config
from gan.core.messages import say
from gan.data.catalog import OWN_NAME
from gan.models.weights_file import Weights
from gan.runs import loop
from gan.runs.commands import OF_PAUSED, STARTING, Command, without_ends
from gan.runs.files import BEST, CHECKPOINT
from gan.runs.history import History
from gan.runs.kept_checkpoints import KeptCheckpoints, step_of
from gan.runs.loop import TrainingLoop
from gan.runs.mending import mend
from gan.runs.meta import PRIVATE_RUN, RunMeta, read_meta
from gan.runs.publishing import stored_snapshot, tell
from gan.runs.snapshot import Snapshot
from gan.runs.turns import Place, Turns
from gan.runs.watched import Watched
from gan.training.checkpoint import CheckpointError, shown_generator_state
from gan.training.checks import form_in_words
from gan.training.malloc import give_back_freed_memory
from gan.training.trainer import Trainer

log = logging.getLogger(__name__)


class Run(Watched):
    """One run and its folder. `status`: running, paused, stopped, finished, failed, interrupted."""

    def __init__(
        self,
        folder: Path,
        own_dir: Path | None = None,
        threads: tuple[int, ...] = (1,),
        history: History | None = None,
        turns: Turns | None = None,
    ) -> None:
        """Open a run's folder, whether it is training, done, or was interrupted. Raises CheckpointError or ConfigError.

        threads: the numbers of processor threads that training may choose from. history: where it has been read. turns:
        that it shares with others; None: it is always its turn.
        """
        super().__init__()
        self.folder, self.own_dir, self.threads = folder, own_dir, threads
        self.id = folder.name
        self.turns = turns or Turns()
        self.place: Place | None = None  # while it shares the machine with others
        self.recorded = False  # whether it is a shipped one, see gan.runs.recordings
        self.meta = read_meta(folder)
        self.history, self.states = history or History(folder), KeptCheckpoints(folder)
        self.broken_off = self.status == "running"  # and not since it is open here
        if self.status in ("running", "paused"):  # the process that trained it is gone
            self.status, self.message = "interrupted", say("runs.program_ended")
        mend(self)
        self.seconds = self.history.rows[-1].seconds if self.history.rows else 0.0
        self.best_step = _known_best(self.best_path, self.history)  # of the kept state with the best FID
        self.measure_problem = ""  # why nothing can be measured, in one sentence
        self.latest: Snapshot | None = stored_snapshot(self)
        self.training: TrainingLoop | None = None  # the loop that trains it; or trained it last, not in a thread
        self.commands: queue.SimpleQueue[Command] = queue.SimpleQueue()  # whose put a signal handler may interrupt
        self.running_since = time.monotonic()  # when it was started, or resumed, last
        self._thread: threading.Thread | None = None
        self.meta_guard = threading.RLock()  # of changes of run.json that build on what it says, and of its file
        self._start_guard = threading.RLock()  # a signal handler may interrupt another that holds it

    # What it is ---------------------------------------------------------------------------------------------------

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
    def visitor(self) -> str:
        """Who started it: the same for all runs of one person."""
        return self.meta.visitor or self.id

    @property
    def shown(self) -> bool:
        """Whether its owner lets everybody find and watch it; never one that began from a run which is not shown."""
        return self.meta.shown and self.meta.start != PRIVATE_RUN

    @property
    def listed(self) -> bool:
        """Whether everybody is told of it."""
        return self.shown and not self.meta.hidden

    @property
    def needs(self) -> str:
        """What continuing needs and is not here, as a sentence; empty where nothing is missing."""
        cfg = self.config
        if not OWN_NAME.fullmatch(cfg.dataset):
            return ""
        if self.own_dir is not None and (self.own_dir / f"{cfg.dataset}.safetensors").is_file():
            return ""
        what = form_in_words(cfg.size, cfg.channels)
        if count := self.meta.pictures_count:
            what = say("runs.pictures_of_form", number=count, form=what)
        if title := self.meta.dataset_title:
            return say("runs.needs_titled", title=title, what=what)
        return say("runs.needs", what=what)

    def describe(self, **words: object) -> None:
        """Change what run.json says about the run: title, kept. Raises OSError; nothing is changed then."""
        with self.meta_guard:
            before = {name: getattr(self.meta, name) for name in words}
            try:
                _change(self.meta, words)
                self.meta.write(self.folder)
            except OSError:
                _change(self.meta, before)
                raise

    def write_meta(self) -> None:
        """Bring run.json to disk; where that cannot be, the log says so."""
        try:
            with self.meta_guard:
                self.meta.write(self.folder)
        except OSError as e:
            log.warning("run %s: run.json could not be written (%s)", self.id, e)

    # Its states ---------------------------------------------------------------------------------------------------

    @property
    def checkpoint_path(self) -> Path:
        return self.folder / CHECKPOINT

    @property
    def best_path(self) -> Path:
        """The whole state of the step whose pictures had the best FID so far; there is one where best_step says so."""
        return self.folder / BEST

    def saved_seconds(self) -> float:
        """How long ago its last state was saved; infinite where there is none."""
        try:
            return time.time() - self.checkpoint_path.stat().st_mtime
        except OSError:
            return math.inf

    def checkpoint_step(self) -> int | None:
        """The step of the last good state on disk, None when there is none."""
        return step_of(self.checkpoint_path)

    def state_until(self, step: int | None) -> Path:
        """The file of the last saved state at or before a step; None: of the newest one. Raises CheckpointError."""
        newest = self.checkpoint_step()
        if newest is None:
            raise CheckpointError(say("runs.no_state"))
        if step is None or step >= newest:
            return self.checkpoint_path
        best, early = self.best_step, [s for s in self.states.steps() if s <= step]
        if best is not None and max(early, default=-1) < best <= step:
            return self.best_path
        return self.states.path(self.states.last_until(step))

    def forget_after(self, step: int) -> None:
        """Take back what lies after a step, because training continues from there. Raises OSError."""
        self.states.forget_after(step)  # first, because it makes room where the disk is full
        if self.best_step is not None and self.best_step > step:
            self.best_path.unlink(missing_ok=True)
            self.best_step = None
        self.history.forget_after(step)

    def weights(self) -> Weights | None:
        """The shown generator: of the newest picture, or of the last checkpoint; None where there is none yet.

        A picture brings its weights along while somebody follows them, see `watch`.
        """
        snapshot = self.latest
        if snapshot is not None and snapshot.weights is not None:
            return self._weights_of(snapshot.step, snapshot.weights)
        try:
            return self._weights_of(self.checkpoint_step(), shown_generator_state(self.checkpoint_path))
        except CheckpointError:
            return None

    def best_weights(self) -> Weights:
        """The shown generator of the state with the best FID. Raises CheckpointError."""
        if self.best_step is None:
            raise CheckpointError(say("runs.no_best_state"))
        return self._weights_of(self.best_step, shown_generator_state(self.best_path))

    def _weights_of(self, step: int | None, state: dict[str, Tensor]) -> Weights:
        names = tuple(self.meta.class_names) if self.config.classes else ()
        return Weights(self.config, self.meta.title, names, step or 0, state)

    # Training -----------------------------------------------------------------------------------------------------

    @property
    def trainer(self) -> Trainer:
        """What its loop trains; there is one while that is under way."""
        assert self.training is not None
        return self.training.trainer

    @property
    def alive(self) -> bool:
        thread = self._thread  # read once: another thread may take it away
        return thread is not None and thread.is_alive()

    def running_seconds(self) -> float:
        """How long it has been training since it was started, or resumed, last."""
        return time.monotonic() - self.running_since

    def send(self, command: Command) -> None:
        """Ask the loop for something; a run that is not in memory is started for it, paused unless it is to resume."""
        with self._start_guard:
            rests = not self.alive and self.status == "paused"  # as all others are that pause
            starts = not self.alive and command.kind in (OF_PAUSED if rests else STARTING)
            if starts and not rests:
                self.commands, _ = without_ends(self.commands)
            self.commands.put(command)
            if starts:
                self.start(paused=command.kind != "resume")

    def start(self, paused: bool = False) -> None:
        """Train in a background thread."""
        self._begins(paused)
        self._thread = threading.Thread(target=self.train, name=f"run-{self.id}", daemon=True)
        self._thread.start()

    def train(self, progress: Callable[[Run], None] | None = None) -> None:
        """Train here until the end, a stop, or a failure. Never raises: what went wrong is in status and message."""
        loop.train(self, progress)
        while self._goes_on():
            loop.train(self, progress)
        give_back_freed_memory()

    def _begins(self, paused: bool) -> None:
        self.running_since = time.monotonic()
        self.status, self.message = ("paused" if paused else "running"), ""

    def _goes_on(self) -> bool:
        """Whether it was asked to go on while it ended, which takes as long as its last save; else it is at rest."""
        with self._start_guard:  # whoever asks from now on starts it
            if self.training is not None and self.training.stopping == "rest" and not self.commands.empty():
                self._begins(paused=True)  # until it carries out what was asked
                return True
            if self.status in ("finished", "stopped"):
                self.commands, kinds = without_ends(self.commands, STARTING)
                if kinds & STARTING:
                    self._begins(paused="resume" not in kinds)
                    return True
            if self._thread is not None:
                self._thread = self.training = None  # which has the networks, and their optimisers
            return False

    def join(self, timeout: float | None = None) -> None:
        if (thread := self._thread) is not None:
            thread.join(timeout)

    def end(self, status: str, message: str) -> None:
        """It no longer trains: every viewer hears of it, and run.json says so."""
        self.status, self.message, self.place = status, message, None
        words = {"status": status, "message": message, "place": None}
        tell(self, **words, measure_problem=self.measure_problem, best_step=self.best_step)
        self.write_meta()


def _known_best(path: Path, history: History) -> int | None:
    """Of a file that does not belong to this history nothing is said."""
    step = step_of(path)
    return step if any(m["step"] == step for m in history.measures) else None


def _change(meta: RunMeta, words: dict[str, Any]) -> None:
    for name, value in words.items():
        setattr(meta, name, value)
