"""A run whose newest checkpoint is damaged goes on from the one before: decided once, when its folder is opened."""

from __future__ import annotations

from pathlib import Path

from gan.core.messages import say
from gan.runs.history import History
from gan.runs.kept_checkpoints import KeptCheckpoints, step_of
from gan.training.checkpoint import is_torn


def mend(checkpoint: Path, states: KeptCheckpoints, history: History) -> tuple[str, str] | None:
    """Status and message of a run whose checkpoint is damaged; None where it is whole, or not there yet.

    What the history has after the state that is found is taken back when the run goes on, as after every kill.
    """
    if not is_torn(checkpoint):
        return None
    try:
        if not states.put_back(checkpoint):
            return "failed", say("runs.state_damaged_alone")
        step = step_of(checkpoint) or 0
        words = say("runs.state_damaged", step=step)
        history.add_event(step, "damaged", words)
        history.flush()
        return "interrupted", words
    except OSError:
        return "interrupted", say("runs.state_unreadable")
