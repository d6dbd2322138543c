"""The registry of runs: unguessable ids, an owner's token for every control, a limit on how many train at once."""

from __future__ import annotations

import logging
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from gan.core.config import Changes, Config, ConfigError
from gan.core.errors import Forbidden, UserError
from gan.core.tokens import hash_of, hashes_of, new_token
from gan.data.catalog import DATA, OWN_NAME, DataError, describe
from gan.recipes.catalog import ALL_RECIPES, make_config
from gan.runs.archive import PICTURES, unpack
from gan.runs.fork import plan_fork, write_fork
from gan.runs.meta import new_meta
from gan.runs.prepared_sets import PreparedSets
from gan.runs.room import Full, no_room
from gan.runs.run import Command, Run
from gan.training import distributed
from gan.training.checkpoint import CheckpointError
from gan.training.checks import check_config
from gan.training.threads import thread_counts

UNWATCHED_SECONDS = 120.0  # a run that nobody has looked at for so long makes room for other people's
RECORDED = "recorded"  # the id of the shipped run, which anybody may watch and nobody can control
PAUSE_SECONDS = 20.0  # a step of the largest networks takes some seconds
TITLE_LENGTH = 80  # characters
MOST_TOKENS = 16  # of one run, besides that of the page that started it
_ID = re.compile(r"[A-Za-z0-9_-]{12}")

log = logging.getLogger(__name__)


class RunsError(UserError):
    """A request that cannot be served; the message is one sentence."""


class NotFound(RunsError):
    """There is no such run (any more)."""

    status = 404
    details = MappingProxyType({"gone": True})  # so that a page can tell it from an address that a proxy does not know


class InUse(RunsError):
    """What is to be deleted is needed just now."""

    status = 409


class NoRoom(RunsError):
    """As many runs train as may; `details` say what the page can offer, see gan.runs.room.no_room."""

    status = 409

    def __init__(self, sentence: str, about: Full) -> None:
        super().__init__(sentence)
        self.details = {"busy": about}


class Runs:
    """All runs below one folder.

    Args:
        folder: where runs live, one sub-folder each; made when missing. Raises RunsError when it cannot be written.
        recorded: the folder of the shipped run, if there is one.
        limit: how many runs may train at the same time; two on two cores would only slow each other down.
        keep: with more runs than this, the oldest that do not train and are not marked as kept are deleted when a new
            one starts. Of these only the newest tenth keeps its early states.
    """

    def __init__(self, folder: Path, recorded: Path | None = None, limit: int = 1, keep: int = 200) -> None:
        self.folder, self.limit, self.keep = folder, limit, keep
        self.own_dir = folder / "pictures"
        self.prepared = PreparedSets(self.own_dir)
        self.master = new_token()  # the token of the person who started the program
        self.threads = thread_counts(limit)
        self._guard = threading.RLock()
        self._runs: dict[str, Run] = {}
        try:
            self.own_dir.mkdir(parents=True, exist_ok=True)
            probe = folder / f".{secrets.token_hex(4)}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as e:
            raise RunsError(
                f"The folder for runs, {folder}, cannot be written ({e.strerror}). Choose another with --runs."
            ) from None
        self.recorded = self._open_recorded(recorded)
        for path in sorted(folder.iterdir()):
            if _ID.fullmatch(path.name) and (path / "run.json").exists():
                self._open_if_whole(path)

    # Finding ------------------------------------------------------------------------------------------------------

    def get(self, run_id: str) -> Run:
        """Raises NotFound when there is no such run."""
        if run_id == RECORDED and self.recorded:
            return self.recorded
        run = self._runs.get(run_id)
        if run is None:
            raise NotFound("There is no run with this address; it may have been deleted, or the server started anew.")
        return run

    def whose_weights(self, name: str) -> tuple[Run, bool]:
        """Of weights called ID or ID@best: their run, and whether they are those with the best FID. Raises NotFound."""
        run_id, at, what = name.partition("@")
        if at and what != "best":
            raise NotFound("A run has its newest weights, ID, and those with the best FID, ID@best.")
        return self.get(run_id), bool(at)

    def owned(self, tokens: Iterable[str]) -> list[Run]:
        """The runs that these tokens control: the kept ones first, then the newest."""
        known = hashes_of(tokens)
        owner = hash_of(self.master) in known
        found = [run for run in list(self._runs.values()) if owner or _made_with(run, known)]
        return sorted(found, key=lambda run: (not run.meta.kept, -run.meta.created))

    def is_owner(self, tokens: Iterable[str]) -> bool:
        """Whether one of the tokens is that of the person who started the program."""
        return hash_of(self.master) in hashes_of(tokens)

    def may_control(self, run: Run, tokens: Iterable[str]) -> bool:
        if run is self.recorded:
            return False
        known = hashes_of(tokens)
        return hash_of(self.master) in known or _made_with(run, known)

    def may_manage(self, pictures: str, tokens: Iterable[str]) -> bool:
        """Whether who has these tokens may look at prepared pictures, change their classes, take them along, delete."""
        tokens = list(tokens)
        return self.is_owner(tokens) or self.prepared.is_claimed(pictures, tokens)

    def new_token(self, run: Run) -> str:
        """One more token that controls the run, for another device; the oldest of more than MOST_TOKENS ends."""
        token = new_token()
        run.describe(more_tokens_sha256=[*run.meta.more_tokens_sha256, hash_of(token)][-MOST_TOKENS:])
        return token

    # Making -------------------------------------------------------------------------------------------------------

    def create(
        self,
        recipe: str,
        dataset: str | None = None,
        changes: Changes | None = None,
        shown: bool = False,
        tokens: Iterable[str] = (),
    ) -> tuple[Run, str]:
        """A new run (not yet training) and its owner's token.

        shown: others may find and watch it, unless it is on own pictures. tokens: of who asks. Raises ConfigError,
        DataError, or Forbidden for pictures that only others prepared, with a sentence.
        """
        changes = changes or {}
        if fixed := {"recipe", "dataset"} & set(changes):
            raise ConfigError(f"The {min(fixed)} is chosen beside the settings, not among them.")
        config, tokens = make_config(recipe, dataset, self.own_dir, **changes), list(tokens)
        if self.prepared.has_claims(config.dataset) and not self.may_manage(config.dataset, tokens):
            raise Forbidden("Only who prepared these pictures can start a run on them.")
        check_config(config)
        return self.adopt(config, tokens=tokens, shown=shown and config.dataset in DATA)

    def adopt(
        self, config: Config, folder: Path | None = None, title: str = "", tokens: Iterable[str] = (), **more: Any
    ) -> tuple[Run, str]:
        """A new run of exactly this config, fitted to its data set; `folder` is an unpacked history to take over.

        title: instead of the recipe's; tokens: of who asks; more: what else run.json is to say.
        """
        words = more | self._words_of(config, more, list(tokens))
        token = new_token()
        recipe = ALL_RECIPES[config.recipe].title if config.recipe in ALL_RECIPES else config.recipe
        info = {
            "created": time.time(),
            "token_sha256": hash_of(token),
            "title": (title or f"{recipe} on {words['dataset_title']}")[:TITLE_LENGTH],
            "job": distributed.job(),
            **words,
        }
        with self._guard:
            self._delete_oldest()
            path = self.folder / new_id()
            if folder is not None:
                folder.rename(path)
            return self._made(path, config, info), token

    def _words_of(self, config: Config, known: dict[str, Any], tokens: list[str]) -> dict[str, Any]:
        """What run.json says of the data set; of own pictures that are not here, what was known. Raises DataError."""
        try:
            source = describe(config.dataset, self.own_dir)
        except DataError:
            if "dataset_title" not in known or not OWN_NAME.fullmatch(config.dataset):
                raise
            return {}
        title = source.title if config.dataset in DATA else self._title_of(config.dataset, known, tokens)
        return {"dataset_title": title, "class_names": list(source.class_names), "pictures_count": source.count}

    def _title_of(self, pictures: str, known: dict[str, Any], tokens: list[str]) -> str:
        """How who has these tokens calls prepared pictures; what another calls his is not told."""
        if told := self.prepared.told(pictures, tokens):
            return told.title
        return known.get("dataset_title") or self.prepared.summary(pictures, tokens, self.is_owner(tokens)).title

    def _made(self, path: Path, config: Config, info: dict[str, Any]) -> Run:
        """The new run in a folder; nothing is left when it cannot be opened. Raises RunsError or OSError."""
        try:
            path.mkdir(exist_ok=True)
            new_meta(config, **info).write(path)
            return self._open(path)
        except (CheckpointError, ConfigError, OSError) as e:
            shutil.rmtree(path, ignore_errors=True)
            if isinstance(e, OSError):
                raise
            raise RunsError(f"The new run could not be opened: {e}") from None

    def bring_back(self, file: Path | IO[bytes]) -> tuple[Run, str, str]:
        """A run from its zip, under a new id: it, its token, and one that claims the own pictures in the zip, or "".

        One on own pictures that are neither here nor in the zip comes back to be watched; see Run.needs. Raises
        ArchiveError or DataError with a sentence.
        """
        folder = self.folder / f".{secrets.token_hex(6)}"
        config, about = unpack(file, folder)
        claim = ""
        try:
            if (folder / PICTURES).exists():
                claim = self.prepared.install(folder / PICTURES, config.dataset, about.get("dataset_title", ""))
                (folder / PICTURES).unlink()
            return *self.adopt(config, folder, tokens=[claim], **about), claim
        except BaseException:
            self.prepared.give_up(config.dataset, [claim])
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)  # already renamed when all went well

    def fork(
        self, run_id: str, changes: Changes, step: int | None = None, tokens: Iterable[str] = ()
    ) -> tuple[Run, str]:
        """A new run (not yet training) that begins where another was, and its owner's token; see fork.plan_fork.

        Without changes it continues bit for bit as the other did. It is shown to others where it is a fork of one's own
        run that is. Raises RunsError, ConfigError or CheckpointError.
        """
        source = self.get(run_id)
        tokens = list(tokens)
        fork, shown = plan_fork(source, changes, step), source.shown and self.may_control(source, tokens)
        folder = self.folder / f".{secrets.token_hex(6)}"
        try:
            fork = write_fork(fork, folder)
            return self.adopt(fork.config, folder, title=fork.title, tokens=tokens, shown=shown, **fork.shows)
        finally:
            shutil.rmtree(folder, ignore_errors=True)  # already renamed when all went well

    def of_job(self, config: Config) -> Run | None:
        """The run that this torchrun job was training with this config before it was started anew, if there is one."""
        made = [
            r
            for r in self._runs.values()
            if distributed.job() and r.meta.job == distributed.job() and r.config == config
        ]
        newest = max(made, key=lambda r: r.meta.created, default=None)
        if newest is not None and (newest.status == "interrupted" or distributed.restarted()):
            return newest
        return None

    def start(self, run: Run, tokens: Iterable[str] = ()) -> None:
        """Train a run in the background. Raises NoRoom, in words for who has these tokens, when too many train."""
        self.command(run, Command("resume"), tokens)

    def command(self, run: Run, command: Command, tokens: Iterable[str] = ()) -> None:
        """Pass a command on, unless it would start one training too many."""
        with self._guard:
            if command.kind in ("resume", "step", "rewind") and run.needs:
                raise DataError(run.needs)
            if command.kind == "resume":
                self.refuse_when_busy(tokens, run)
            if command.kind == "rewind":
                run.state_until(command.at)  # refused here, in words, when there is none
            if run.folder.exists():
                run.watch()
                run.threads = self.threads
                run.send(command)

    # Keeping order ------------------------------------------------------------------------------------------------

    def rename(self, run: Run, title: str) -> None:
        """Give a run another title. Raises RunsError when it cannot be one."""
        title = " ".join(title.split())
        if not title or len(title) > TITLE_LENGTH or not title.isprintable():
            raise RunsError(f"A title has 1 to {TITLE_LENGTH} characters, on one line.")
        run.describe(title=title)

    def mark(self, run: Run, kept: bool) -> None:
        """Keep a run: it is not deleted to make room until it is unmarked."""
        run.describe(kept=kept)

    def show(self, run: Run, shown: bool) -> None:
        """Let others find and watch a run, or no longer. Raises RunsError for one on own pictures."""
        if shown and run.config.dataset not in DATA:
            raise RunsError("A run on your own pictures is not shown to others.")
        run.describe(shown=shown)

    def delete(self, run: Run) -> None:
        """Remove a run and its folder for good. Raises RunsError when it trains, is kept, or is not one of ours."""
        with self._guard:
            if run.meta.kept:
                raise RunsError("This run is kept; unmark it before you delete it.")
            if run.alive and run.status == "running":
                raise RunsError("This run is training; stop it before you delete it.")
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
                raise InUse("A run of yours is training on these pictures; stop it before you delete them.")
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
            raise RunsError("This run cannot be deleted.")
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

    def refuse_when_busy(self, tokens: Iterable[str] = (), run: Run | None = None) -> None:
        """Raises NoRoom, in words for who has these tokens, when as many runs train as may and none makes room.

        run: the one that is to train, if it is there already.
        """
        tokens = list(tokens)
        if refusal := self.no_room(tokens, run):
            raise refusal
        if len(self._busy(run)) >= self.limit:
            max(self._left_alone(tokens, run), key=Run.unwatched_seconds).send(Command("yield"))

    def no_room(self, tokens: Iterable[str] = (), run: Run | None = None) -> NoRoom | None:
        """Why nothing more can train just now, in words for who has these tokens; None when something can."""
        busy, tokens = self._busy(run), list(tokens)
        if len(busy) < self.limit or self._left_alone(tokens, run):
            return None

        def whose(run: Run) -> str:
            if _made_with(run, hashes_of(tokens)):
                return "Your own run"
            return "The run" if self.may_control(run, tokens) else ""

        return NoRoom(*no_room(busy, whose, UNWATCHED_SECONDS))

    def _left_alone(self, tokens: Iterable[str], run: Run | None) -> list[Run]:
        """The runs that train and make room for who has these tokens: others', which nobody watches."""
        unwatched = [r for r in self._busy(run) if r.unwatched_seconds() >= UNWATCHED_SECONDS]
        return [r for r in unwatched if not self.may_control(r, tokens)]

    def _busy(self, run: Run | None = None) -> list[Run]:
        """The runs that train, but for this one."""
        return [r for r in self._runs.values() if r is not run and r.alive and r.status == "running"]

    def make_room_for_fork(self, source: Run, tokens: Iterable[str] = ()) -> None:
        """A run that trains gives its place to its own fork when there is no other. Raises NoRoom."""
        try:
            self.refuse_when_busy(tokens)
        except NoRoom:
            if source.status != "running" or not source.alive:
                raise
            self.command(source, Command("pause"))
            end = time.monotonic() + PAUSE_SECONDS
            # The snapshot tells of the pause after the state was saved, from which the fork may begin.
            while source.latest is None or source.latest.numbers["status"] == "running":
                if time.monotonic() > end or not source.alive:
                    raise
                time.sleep(0.02)

    def _delete_oldest(self) -> None:
        """Make room for one more: by whole runs, and by the early states of all but the newest tenth."""
        idle = [r for r in self._runs.values() if not r.alive and not r.meta.kept]
        idle.sort(key=lambda r: r.meta.created)
        for run in idle[: max(0, len(self._runs) + 1 - self.keep)]:
            with suppress(RunsError, OSError):
                self._remove(run)
        for run in idle[: max(0, len(self._runs) + 1 - max(1, self.keep // 10))]:
            run.states.forget()

    def _open(self, path: Path) -> Run:
        run = self._runs[path.name] = Run(path, self.own_dir, self.threads)
        return run

    def _open_if_whole(self, path: Path) -> None:
        try:
            self._open(path)
        except (CheckpointError, ConfigError, OSError) as e:
            log.warning("the run in %s was left out: %s", path, e)

    def _open_recorded(self, path: Path | None) -> Run | None:
        if path is None or not (path / "run.json").exists():
            return None
        run = Run(path, self.own_dir)
        run.id, run.status, run.message = RECORDED, "finished", ""
        return run


def _made_with(run: Run, hashes: set[str]) -> bool:
    return not hashes.isdisjoint((run.meta.token_sha256, *run.meta.more_tokens_sha256))


def new_id() -> str:
    """12 characters that nobody guesses, of which the first is a letter or digit: "-..." would look like an option."""
    while True:
        found = secrets.token_urlsafe(9)
        if found[0].isalnum():
            return found
