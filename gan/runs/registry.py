"""All runs, and how new ones come to them: made from settings, forked, or brought back from a zip."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from gan.core.config import Changes, Config, ConfigError
from gan.core.errors import Forbidden, UserError
from gan.core.messages import recognised, say
from gan.core.tokens import hash_of, hashes_of, new_token
from gan.data.catalog import DATA, OWN_NAME, DataError, describe
from gan.recipes.catalog import ALL_RECIPES
from gan.runs.archive import unpack
from gan.runs.commands import OF_PAUSED, STARTING, Command
from gan.runs.errors import RunsError
from gan.runs.files import PICTURES, START
from gan.runs.fork import Fork, write_fork
from gan.runs.history import History
from gan.runs.meta import new_meta
from gan.runs.run import Run
from gan.runs.starts import Start, link, settings, start_of
from gan.runs.store import TITLE_LENGTH, RunStore
from gan.training import distributed
from gan.training.checkpoint import CheckpointError
from gan.training.checks import check_config

RESTART_SECONDS = 600.0  # between the end of the program and its new start


class Runs(RunStore):
    """The runs of one folder. Making one deletes nothing: see evict_oldest."""

    def create(
        self,
        recipe: str,
        dataset: str | None = None,
        changes: Changes | None = None,
        shown: bool | None = False,
        tokens: Iterable[str] = (),
        start: str = "",
    ) -> tuple[Run, str]:
        """A new run (not yet training) and its owner's token.

        shown: others may find and watch it; None: unless it is on own pictures. tokens: of who asks. start: the weights
        that it begins with instead of noise, see starts.start_of. Raises ConfigError, DataError, NotFound,
        CheckpointError, or Forbidden for pictures that only others prepared, with a sentence.
        """
        changes = changes or {}
        if fixed := {"recipe", "dataset"} & set(changes):
            raise ConfigError(say("runs.not_a_setting", name=min(fixed)))
        found = start_of(start, self.get) if start else None
        config, tokens = settings(found, recipe, dataset, self.own_dir, changes), list(tokens)
        self._check_may_use(config.dataset, tokens)
        self.memory.check(config, tokens)
        return self.begin(config, found, tokens, shown=config.dataset in DATA if shown is None else shown)

    def begin(self, config: Config, start: Start | None, tokens: Iterable[str], **more: Any) -> tuple[Run, str]:
        """A new run with these settings, and with these weights where there are some; more: what run.json is to say.

        Raises ConfigError, DataError or OSError.
        """
        if start:
            start.check(config)
        check_config(config)
        if start is None:
            return self.adopt(config, tokens=tokens, **more)
        folder = self.folder / f".{secrets.token_hex(6)}"
        try:
            folder.mkdir()
            start = link(start, folder / START)
            history = History(folder)
            history.add_event(0, "start", say("events.started", title=start.title, step=start.step))
            history.flush()
            return self.adopt(config, folder, tokens=tokens, history=history, begins=start, **more)
        finally:
            shutil.rmtree(folder, ignore_errors=True)  # already renamed when all went well

    def adopt(
        self,
        config: Config,
        folder: Path | None = None,
        title: str = "",
        tokens: Iterable[str] = (),
        history: History | None = None,
        begins: Start | None = None,
        **more: Any,
    ) -> tuple[Run, str]:
        """A new run of exactly this config, fitted to its data set; `folder` holds what it has from another run.

        title: instead of the recipe's; tokens: of who asks; history: that in `folder`, where it has been read; begins:
        with these weights, which `folder` holds; more: what else run.json is to say.
        """
        words = more | self._words_of(config, more, list(tokens))
        token = new_token()
        recipe = ALL_RECIPES[config.recipe].title if config.recipe in ALL_RECIPES else config.recipe
        if not title:
            called = {"recipe": recipe, "dataset": words.get("dataset_title", config.dataset)}
            title = say("runs.title_from", **called, start=begins.title) if begins else say("runs.title", **called)
        info = {
            "created": time.time(),
            "token_sha256": hash_of(token),
            "title": _short(title),
            "job": distributed.job(),
            "visitor": self._visitor_of(tokens) or secrets.token_hex(8),
            **({"start": begins.kind} if begins else {}),
            **words,
        }
        path = self.folder / new_id()
        with self._guard:
            if folder is not None:
                folder.rename(path)
            if history is not None:
                history.move(path)
            run = self._made(path, config, info, history)
        return run, token

    def _visitor_of(self, tokens: Iterable[str]) -> str:
        """Who has started a run that one of these tokens controls; "" where there is none."""
        known = hashes_of(tokens)
        return next((run.visitor for run in self.all() if run.meta.is_controlled_by(known)), "")

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
        if own := self.prepared.own_summary(pictures, tokens):
            return recognised("data.untitled", own.title)
        known_title = known.get("dataset_title")
        title = known_title or self.prepared.summary(pictures, tokens, self.is_owner(tokens)).title
        return recognised("data.untitled", title)

    def _made(self, path: Path, config: Config, info: dict[str, Any], history: History | None) -> Run:
        """The new run in a folder; nothing is left when it cannot be opened. Raises RunsError or OSError."""
        try:
            path.mkdir(exist_ok=True)
            new_meta(config, **info).write(path)
            return self._open(path, history)
        except (CheckpointError, ConfigError, OSError) as e:
            shutil.rmtree(path, ignore_errors=True)
            if isinstance(e, OSError):
                raise
            raise RunsError(say("runs.not_opened", reason=e.message)) from None

    def _check_may_use(self, pictures: str, tokens: Iterable[str]) -> None:
        """Raises Forbidden for own pictures that are here, where none of the tokens claims them."""
        if self.prepared.has_claims(pictures) and not self.may_manage(pictures, tokens):
            raise Forbidden(say("runs.pictures_of_others"))

    def bring_back(self, file: Path | IO[bytes], tokens: Iterable[str] = ()) -> tuple[Run, str, str]:
        """A run from its zip, under a new id: it, its token, and one that claims the own pictures in the zip, or "".

        One on own pictures that are neither here nor in the zip comes back to be watched; see Run.needs. On pictures
        that are here already it needs a claim on them (one of the tokens), or the pictures themselves in the zip.
        Raises ArchiveError, DataError or Forbidden with a sentence.
        """
        folder = self.folder / f".{secrets.token_hex(6)}"
        config, about = unpack(file, folder)
        claim = ""
        try:
            if (folder / PICTURES).exists():
                claim = self.prepared.install(folder / PICTURES, config.dataset, about.get("dataset_title", ""))
                (folder / PICTURES).unlink()
            self._check_may_use(config.dataset, [*tokens, claim])
            visitor = self._visitor_of(tokens)
            run, token = self.adopt(config, folder, tokens=[claim], **about | ({"visitor": visitor} if visitor else {}))
            return run, token, claim
        except BaseException:
            self.prepared.give_up(config.dataset, [claim])
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)  # already renamed when all went well

    def fork(self, plan: Fork, tokens: Iterable[str] = ()) -> tuple[Run, str]:
        """A new run (not yet training) that begins where another was, and its owner's token; see fork.plan_fork.

        Without changes it continues bit for bit as the other did. It is shown to others where it is a fork of one's own
        run that is. Raises RunsError, ConfigError or CheckpointError.
        """
        tokens, source = list(tokens), plan.source
        shown = source.shown and self.may_control(source, tokens)
        folder = self.folder / f".{secrets.token_hex(6)}"
        try:
            fork, history = write_fork(plan, folder)
            words: dict[str, Any] = {"shown": shown, "shown_seed": fork.shown_seed, "format": source.meta.format}
            words |= {"start": "" if fork.forgets_start else source.meta.start}
            return self.adopt(fork.config, folder, fork.title, tokens, history, **words)
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

    def go_on(self, within: float = RESTART_SECONDS) -> list[Run]:
        """After a restart: what trained or waited for its turn when the program ended goes on, the oldest first.

        within: seconds, that the last state may be old: whoever starts the program a day later decides himself. What
        finds no place, or misses its pictures, stays listed as interrupted. Returns what goes on.
        """
        found = [run for run in self.all() if run.broken_off and not run.alive and run.saved_seconds() < within]
        gone_on = []
        for run in sorted(found, key=lambda run: run.meta.created):
            with suppress(UserError):
                self.command(run, Command("resume"), was_under_way=True)
                gone_on.append(run)
        return gone_on

    def start(self, run: Run, tokens: Iterable[str] = ()) -> None:
        """Train a run in the background. Raises NoRoom, in words for who has these tokens, when too many train."""
        self.command(run, Command("resume"), tokens)

    def command(self, run: Run, command: Command, tokens: Iterable[str] = (), was_under_way: bool = False) -> None:
        """Pass a command on, unless it would start one training too many, or take too much memory.

        was_under_way: its memory was looked at before a restart, for who may take it.
        """
        tokens = list(tokens)
        with self._guard:
            if command.kind in STARTING and run.needs:
                raise DataError(run.needs)
            comes = not run.alive and command.kind in OF_PAUSED and command.kind != "stop"  # back to memory
            if (command.kind in STARTING or comes) and not was_under_way:
                self.memory.check(run.config, tokens, run)
            if command.kind == "resume":
                self.admission.admit(tokens, run)
            if command.kind == "rewind":
                run.state_until(command.at)  # refused here, in words, when there is none
            if run.folder.exists():
                run.watch()
                run.threads = self.threads
                self.rest_paused(spare=run)
                run.send(command)


def new_id() -> str:
    """12 characters that nobody guesses, of which the first is a letter or digit: "-..." would look like an option."""
    while True:
        found = secrets.token_urlsafe(9)
        if found[0].isalnum():
            return found


def _short(title: str) -> str:
    return title if len(title) <= TITLE_LENGTH else title[:TITLE_LENGTH]
