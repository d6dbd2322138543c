"""The runs of one folder: unguessable ids, an owner's token for every control, and how they go again.

How many may train at once is decided in gan/runs/admission.py, which ones a full server gives up in
gan/runs/eviction.py; new ones are made in gan/runs/registry.py.
"""

from __future__ import annotations

import logging
import re
import secrets
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from gan.core.config import ConfigError
from gan.core.errors import Forbidden
from gan.core.files import bytes_below
from gan.core.messages import say
from gan.core.tokens import hash_of, hashes_of, new_token
from gan.data.catalog import DATA
from gan.models.weights_file import Weights
from gan.runs.admission import Admission
from gan.runs.commands import Command
from gan.runs.errors import InUse, NotFound, RunsError
from gan.runs.eviction import OWN_MACHINE, Limits, evicted, next_to_go, without_states
from gan.runs.files import RUN_JSON
from gan.runs.history import History
from gan.runs.memory import Memory
from gan.runs.meta import PRIVATE_RUN, RunMeta
from gan.runs.prepared_sets import PreparedSets
from gan.runs.recordings import Recordings
from gan.runs.run import Run
from gan.runs.turns import Turns
from gan.training.checkpoint import CheckpointError
from gan.training.threads import thread_counts

TITLE_LENGTH = 80  # characters
MOST_PAUSED = 10  # runs, that stay in memory: 20 to 30 MB each, of our own networks
MOST_GIVEN_UP = 500  # runs, of which their owners can be told
MOST_TOKENS = 16  # of one run, besides that of the page that started it
_ID = re.compile(r"[A-Za-z0-9_-]{12}")

log = logging.getLogger(__name__)


class RunStore:
    """All runs below one folder.

    Args:
        folder: where runs live, one sub-folder each; made when missing. Raises RunsError when it cannot be written.
        recorded: the folder of the shipped runs, if there is one.
        limit: how many runs may train at the same time; two on two cores would only slow each other down.
        waiting: how many more share the machine with them in turns, each of them in memory.
        limits: how many runs `evict_oldest` leaves, of these only the newest tenth with its early states, and what one
            visitor may have.
    """

    def __init__(
        self, folder: Path, recorded: Path | None = None, limit: int = 1, limits: Limits = OWN_MACHINE, waiting: int = 0
    ) -> None:
        self.folder, self.limits = folder, limits
        self._given_up: OrderedDict[str, RunMeta] = OrderedDict()  # by id; the last given up last
        self._given_up_guard = threading.Lock()
        self.own_dir = folder / "pictures"
        self.prepared = PreparedSets(self.own_dir)
        self.master = new_token()  # the token of the person who started the program
        self.threads = thread_counts(limit)
        self._guard = threading.RLock()
        self._runs: dict[str, Run] = {}
        self.turns = Turns(limit)
        self.admission = Admission(
            limit + waiting, limit, self._runs, self.may_control, limits.under_way, self.is_owner
        )
        self.memory = Memory(limit, self._runs, lambda: self.limits, self.is_owner)
        _make_folder(self.own_dir)
        self.recordings = Recordings(recorded, self.own_dir)
        for path in sorted(folder.iterdir()):
            if _ID.fullmatch(path.name) and (path / RUN_JSON).exists():
                self._open_if_whole(path)

    # Finding ------------------------------------------------------------------------------------------------------

    def get(self, run_id: str) -> Run:
        """Raises NotFound when there is no such run."""
        run = self._runs.get(run_id) or self.recordings.get(run_id)
        if run is None:
            raise NotFound(say("runs.not_found"))
        return run

    def whose_weights(self, name: str) -> tuple[Run, bool]:
        """Of weights called ID or ID@best: their run, and whether they are those with the best FID. Raises NotFound."""
        run_id, at, what = name.partition("@")
        if at and what != "best":
            raise NotFound(say("runs.weights_names"))
        return self.get(run_id), bool(at)

    def newest_weights(self, name: str) -> tuple[str, Callable[[], Weights]]:
        """For a Renderer, of weights called ID or ID@best: their stamp, which is cheap, and what reads them.

        Of a run that is followed they are those of its newest picture, else of its last saved state. Asking for them
        changes nothing: a page that follows a run says so, see Run.watch. Raises NotFound; KeyError where there are
        none yet.
        """
        run, best = self.whose_weights(name)
        if best:
            if run.best_step is None:
                raise KeyError(name)
            return f"best-{run.best_step}", run.best_weights
        latest = run.latest
        if run.alive and latest is not None and latest.weights is not None:
            return str(latest.step), partial(_read_weights, run)
        try:
            changed = run.checkpoint_path.stat().st_mtime_ns
        except OSError:
            raise KeyError(name) from None
        return f"{changed:x}", partial(_read_weights, run)

    def all(self) -> list[Run]:
        """Every run but the recorded ones."""
        return list(self._runs.values())

    def owned(self, tokens: Iterable[str]) -> list[Run]:
        """The runs that these tokens control: the kept ones first, then the newest."""
        known = hashes_of(tokens)
        owner = hash_of(self.master) in known
        found = [run for run in self.all() if owner or run.meta.is_controlled_by(known)]
        return sorted(found, key=lambda run: (not run.meta.kept, -run.meta.created))

    def is_owner(self, tokens: Iterable[str]) -> bool:
        """Whether one of the tokens is that of the person who started the program."""
        return hash_of(self.master) in hashes_of(tokens)

    def may_control(self, run: Run, tokens: Iterable[str]) -> bool:
        if run.recorded:
            return False
        known = hashes_of(tokens)
        return hash_of(self.master) in known or run.meta.is_controlled_by(known)

    def may_manage(self, pictures: str, tokens: Iterable[str]) -> bool:
        """Whether who has these tokens may look at prepared pictures, change their classes, take them along, delete."""
        tokens = list(tokens)
        return self.is_owner(tokens) or self.prepared.is_claimed(pictures, tokens)

    def new_token(self, run: Run) -> str:
        """One more token that controls the run, for another device; the oldest of more than MOST_TOKENS ends."""
        token = new_token()
        with run.meta_guard:  # two who ask at once both get one that works
            run.describe(more_tokens_sha256=[*run.meta.more_tokens_sha256, hash_of(token)][-MOST_TOKENS:])
        return token

    # Keeping order ------------------------------------------------------------------------------------------------

    def rename(self, run: Run, title: str) -> None:
        """Give a run another title. Raises RunsError when it cannot be one."""
        title = " ".join(title.split())
        if not title or len(title) > TITLE_LENGTH or not title.isprintable():
            raise RunsError(say("runs.wrong_title", most=TITLE_LENGTH))
        run.describe(title=title)

    def mark(self, run: Run, kept: bool, tokens: Iterable[str] = ()) -> None:
        """Keep a run: it is not deleted to make room until it is unmarked.

        Raises RunsError for one too many, unless one of the tokens is the owner's of the program.
        """
        with self._guard:
            if kept and not run.meta.kept and not self.is_owner(tokens):
                self._check_may_keep(run)
            run.describe(kept=kept)

    def _check_may_keep(self, run: Run) -> None:
        """One visitor may keep so many; all together half of the room, as anybody can be another one each time."""
        most, kept = self.limits.kept, [other for other in self.all() if other.meta.kept]
        if most and sum(other.visitor == run.visitor for other in kept) >= most:
            raise RunsError(say("runs.kept_too_many", most=most))
        full = 2 * sum(map(_bytes_of, [run, *kept])) > self.limits.disk > 0
        if most and (full or 2 * len(kept) >= self.limits.runs):
            raise RunsError(say("runs.kept_by_all"))

    def show(self, run: Run, shown: bool, tokens: Iterable[str] = ()) -> None:
        """Let others find and watch a run, or no longer. Raises RunsError for one that never is, see Run.shown.

        Raises Forbidden where it has learned from prepared pictures that none of the tokens claims: who goes on from
        another's run on own pictures does not show them to everybody.
        """
        if shown and run.meta.start == PRIVATE_RUN:
            raise RunsError(say("runs.start_not_shown"))
        if shown and run.config.dataset not in DATA and not self.may_manage(run.config.dataset, tokens):
            raise Forbidden(say("runs.pictures_of_others"))
        run.describe(shown=shown)

    def delete(self, run: Run) -> None:
        """Remove a run and its folder for good. Raises RunsError when it trains, is kept, or is not one of ours."""
        with self._guard:
            if run.meta.kept:
                raise RunsError(say("runs.kept"))
            if run.alive and run.status == "running":
                raise RunsError(say("runs.training"))
            if run.alive:  # a paused run's thread still holds its files
                run.send(Command("stop"))
                run.join(10)
            self._remove(run)

    def delete_pictures(self, name: str, tokens: Iterable[str]) -> bool:
        """Take the claim of these tokens away, and the pictures with the last one; returns whether they are gone.

        Others' runs on them are stopped then. Raises InUse while one trains that these tokens control.
        """
        tokens = list(tokens)

        def end_runs() -> None:
            alive = [run for run in self._runs.values() if run.alive and run.config.dataset == name]
            if any(run.status == "running" and self.may_control(run, tokens) for run in alive):
                raise InUse(say("runs.pictures_in_use"))
            for run in alive:  # a paused one, too, would hold them in memory
                run.send(Command("stop"))

        with self._guard:
            return self.prepared.give_up(name, tokens, self.is_owner(tokens), end_runs)

    def _remove(self, run: Run) -> None:
        """Take a run off the list and its folder off the disk: only a folder of ours, in our own place."""
        path = run.folder
        if (
            run.alive
            or path.is_symlink()
            or path.resolve().parent != self.folder.resolve()
            or not _ID.fullmatch(path.name)
        ):
            raise RunsError(say("runs.not_deletable"))
        if path.exists():
            gone = path.rename(self.folder / f".{secrets.token_hex(6)}")  # what is half deleted is no run any more
            shutil.rmtree(gone, ignore_errors=True)
        self._runs.pop(run.id, None)

    def close(self) -> None:
        """End the program: every run saves its state and is listed as interrupted next time."""
        alive = [run for run in self._runs.values() if run.alive]
        for run in alive:
            run.send(Command("shutdown"))
        for run in alive:
            run.join(10)

    def rest_paused(self, spare: Run) -> None:
        """Of more paused runs than may stay in memory, those that nobody has looked at for longest leave it.

        They stay paused, and go on from the disk exactly; who needs room deletes them as others that do not train.
        spare: is asked for something just now.
        """
        paused = [run for run in self.all() if run.alive and run.status == "paused" and run is not spare]
        for run in sorted(paused, key=Run.unwatched_seconds)[MOST_PAUSED:]:
            run.send(Command("rest"))

    def evict_oldest(self, spare: Run | None = None) -> None:
        """Delete the oldest runs that do not train and are not kept, and the early states of others, as limits say.

        spare: is not touched. Whoever made a new run calls this; making one deletes nothing.
        """
        sizes = {run: _bytes_of(run) for run in self.all()} if self.limits.disk else {}  # nobody waits for that
        with self._guard:
            for run in evicted(self._runs.values(), self.limits, lambda run: sizes.get(run, 0), spare):
                with suppress(RunsError, OSError):
                    self._remove(run)
                    self._note_given_up(run)
            for run in without_states(self._runs.values(), self.limits.runs, spare):
                run.states.forget()

    def given_up(self, tokens: Iterable[str]) -> list[tuple[str, str]]:
        """Of those that these tokens controlled and that were deleted to make room: id and title, the newest first."""
        known = hashes_of(tokens)
        with self._given_up_guard:  # nobody waits here for what is deleted just now
            gone = list(self._given_up.items())
        return [(run_id, meta.title) for run_id, meta in reversed(gone) if meta.is_controlled_by(known)]

    def _note_given_up(self, run: Run) -> None:
        with self._given_up_guard:
            self._given_up[run.id] = run.meta
            while len(self._given_up) > MOST_GIVEN_UP:
                self._given_up.popitem(last=False)

    def next_to_go(self) -> set[str]:
        """The ids of runs that are deleted soon, if as many new ones come as one may expect."""
        return next_to_go(self.all(), self.limits)

    def _open(self, path: Path, history: History | None = None) -> Run:
        run = self._runs[path.name] = Run(path, self.own_dir, self.threads, history, self.turns)
        return run

    def _open_if_whole(self, path: Path) -> None:
        try:
            self._open(path)
        except (CheckpointError, ConfigError, OSError) as e:
            log.warning("the run in %s was left out: %s", path, e)


def _bytes_of(run: Run) -> int:
    return bytes_below(run.folder)


def _read_weights(run: Run) -> Weights:
    found = run.weights()
    if found is None:
        raise CheckpointError(say("runs.state_unreadable"))
    return found


def _make_folder(own_dir: Path) -> None:
    """Make the folder for own pictures in that for runs. Raises RunsError when it cannot be written."""
    folder = own_dir.parent
    try:
        own_dir.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{secrets.token_hex(4)}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as e:
        raise RunsError(say("runs.folder_not_written", folder=folder, reason=e.strerror)) from None
