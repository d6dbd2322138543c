"""What the page is told of a run besides what it has learned: a line of a list, and all of it."""

from __future__ import annotations

from typing import Any, TypedDict

from gan.core.config import Value
from gan.core.messages import recognised
from gan.data.catalog import OWN_NAME, titles
from gan.losses.objectives import OBJECTIVES
from gan.metrics.classifier import measured_sets
from gan.runs.meta import Tiles
from gan.runs.publishing import REAL_COUNT
from gan.runs.run import Run
from gan.runs.turn_taking import is_waiting


class Messages(TypedDict, total=False):
    """Where texts come from, by their names: see gan.core.messages.with_messages."""

    messages: dict[str, Any]


class Summary(Messages):
    """What lists of runs say of one."""

    id: str
    title: str
    recipe: str
    dataset: str
    status: str
    waits: bool  # of one that trains: whether it is another's turn
    message: str
    step: int
    total_steps: int
    created: float
    kept: bool
    shown: bool


class Description(Summary):
    """What is known of a run when its status changes."""

    config: dict[str, Value]
    class_names: list[str]
    dataset_title: str
    own_pictures: bool
    tiles: Tiles
    shown_seed: int
    real_count: int
    real_labels: list[int]
    verdict_is_probability: bool
    conditional: bool
    measurable: bool
    measured_sets: str
    checkpoint_step: int | None
    needs: str
    best_step: int | None
    states: list[int]
    recorded: bool
    start: str


def summary_of(run: Run) -> Summary:
    step = run.latest.step if run.latest else 0
    return {
        "id": run.id,
        "title": run.meta.title,
        "recipe": run.config.recipe,
        "dataset": run.config.dataset,
        "status": run.status,
        "waits": is_waiting(run),
        "message": run.message,
        "step": step,
        "total_steps": run.config.total_steps,
        "created": run.meta.created,
        "kept": run.meta.kept,
        "shown": run.shown,
    }


def description_of(run: Run) -> Description:
    """Looks into the run's folder."""
    return {
        **summary_of(run),
        "config": run.config.to_dict(),
        "class_names": [
            recognised(f"datasets.{run.config.dataset}.class_{i}", name) for i, name in enumerate(run.meta.class_names)
        ],
        "dataset_title": run.meta.dataset_title or run.config.dataset,
        "own_pictures": bool(OWN_NAME.fullmatch(run.config.dataset)),
        "tiles": run.meta.tiles,
        "shown_seed": run.meta.frame_seed,
        "real_count": min(REAL_COUNT, run.config.data_limit or REAL_COUNT),
        "real_labels": run.meta.real_labels,
        "verdict_is_probability": OBJECTIVES[run.config.objective].is_probability,
        "conditional": run.config.classes > 0,
        "measurable": run.config.dataset in measured_sets(),
        "measured_sets": titles(measured_sets()),
        "checkpoint_step": run.checkpoint_step(),
        "needs": run.needs,
        "best_step": run.best_step,
        "states": run.states.steps(),
        "recorded": run.recorded,
        "start": run.meta.start,
    }
