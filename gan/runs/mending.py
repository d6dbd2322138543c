"""A run whose newest checkpoint is damaged goes on from an earlier one: decided once, when its folder is opened."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gan.core.messages import say
from gan.runs.kept_checkpoints import step_of
from gan.training.checkpoint import is_torn

if TYPE_CHECKING:  # which imports this module
    from gan.runs.run import Run


def mend(run: Run) -> None:
    """Put an earlier state in the place of a damaged one, and say so; nothing where all is whole, or not there yet.

    What the history has after the state that is found is taken back when the run goes on, as after every kill.
    """
    before = run.states.before.exists()
    if not (is_torn(run.checkpoint_path) or (before and not run.checkpoint_path.exists())):
        return
    run.status, run.message = _mended(run)
    with suppress(OSError):
        run.meta.write(run.folder)  # the file is whole now: nobody would find out again


def _mended(run: Run) -> tuple[str, str]:
    """Its status and its message."""
    try:
        if not run.states.put_back(run.checkpoint_path):
            return "failed", say("runs.state_damaged_alone")
        step = step_of(run.checkpoint_path) or 0
        words = say("runs.state_damaged", step=step)
        run.history.add_event(step, "damaged", words)
        run.history.flush()
        return "interrupted", words
    except OSError:
        return "interrupted", say("runs.state_unreadable")
