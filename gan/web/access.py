"""Who may ask what, by the tokens that a page sends along: SECURITY.md has it as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gan.core.errors import Forbidden
from gan.core.messages import say
from gan.data.catalog import DataError
from gan.runs.errors import NotFound
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.web.lesson import Lesson


@dataclass(frozen=True)
class Access:
    """What is decided about visitors of these runs.

    only_here: nobody but the owner of the program may start a training. lesson: its teacher may end that for a while.
    """

    runs: Runs
    only_here: bool = False
    lesson: Lesson = field(default_factory=Lesson)

    def may_train(self, tokens: Sequence[str]) -> bool:
        return (self.lesson.lets_train and not self.only_here) or self.runs.is_owner(tokens)

    def check_training(self, tokens: Sequence[str]) -> None:
        """Raises Forbidden where only the owner may start a training."""
        if not self.may_train(tokens):
            raise Forbidden(say("train.only_here" if self.only_here else "lesson.closed"))

    def steered(self, run_id: str, tokens: Sequence[str]) -> Run:
        """A run, for who may steer it. Raises NotFound or Forbidden."""
        run = self.runs.get(run_id)
        if not self.runs.may_control(run, tokens):
            raise Forbidden(say("web.not_steered"))
        return run

    def check_owner(self, tokens: Sequence[str]) -> None:
        """Raises Forbidden for everybody but the owner of the program."""
        if not self.runs.is_owner(tokens):
            raise Forbidden(say("web.only_owner"))

    # Own pictures -------------------------------------------------------------------------------------------------

    def check_pictures(self, name: str, tokens: Sequence[str]) -> None:
        """Raises NotFound where a prepared set is not here, Forbidden where these tokens may not change it."""
        if self.runs.prepared.path(name) is None:
            raise NotFound(say("web.pictures_gone"))
        if not self.runs.may_manage(name, tokens):
            raise Forbidden(say("web.not_prepared_here"))

    def pictures_bytes(self, run: Run, tokens: Sequence[str]) -> int:
        """How large the own pictures are that who has these tokens may take along with the run; 0: none."""
        may = self.runs.may_control(run, tokens) and self.runs.may_manage(run.config.dataset, tokens)
        return self.runs.prepared.bytes_of(run.config.dataset) if may else 0

    def pictures_to_take(self, run: Run, tokens: Sequence[str]) -> Path:
        """The prepared pictures of a run, for who may take them along. Raises DataError or Forbidden."""
        path = self.runs.prepared.path(run.config.dataset)
        if path is None:
            raise DataError(say("web.pictures_not_here"))
        if not self.pictures_bytes(run, tokens):
            raise Forbidden(say("web.pictures_not_yours"))
        return path

    def pictures_behind(self, weights: str) -> Path | None:
        """The folder of own pictures, where who draws with these weights may see some that they learned from.

        Somebody's own pictures are shown through his run alone: whoever has its id may watch it. A weights file only
        claims to be made from a data set.
        """
        return self.runs.own_dir if weights.startswith("run-") else None
