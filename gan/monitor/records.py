"""What a run writes down of itself: the columns of its rows and of its signals, and when a record falls due."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypedDict

QUANTILES = (5, 25, 50, 75, 95)  # percent, of D's verdicts
SKETCH = tuple(f"sketch_{i:02d}" for i in range(32))  # of all generated pictures, gan/monitor/signals.py
SIGNALS = (
    "step",
    *("d_grad", "g_grad"),  # norms of the gradients that each player followed in this step
    *("d_weights", "g_weights", "d_spectral_norm"),  # norms of all weights; the largest spectral norm of a layer of D
    "d_auroc",  # how often D finds the real one of two pictures more real; 0.5 is chance
    *(f"{kind}_q{q:02d}" for kind in ("real", "fake") for q in QUANTILES),  # D's verdicts
    "diversity",  # mean distance of two generated pictures, as a share of that of real ones
    "fake_nn_ratio",  # the same, of a generated picture and the generated one most like it
    "train_nn_ratio",  # of a generated picture and the training picture most like it, as a share of that of a real one
    "min_pixel",  # the darkest pixel of all generated pictures, -1 is black
    # From here on since November 2026: gan/monitor/likeness.py. Older runs have none of them.
    *("detail", "patches", "spectrum"),  # distances from the training pictures
    "correlation",  # of neighbouring pixels, as a share of that in real pictures: 0 in white noise
    "darkest",  # the hundredth darkest of generated pixels, above the twentieth darkest of real ones
    "saturated",  # share of generated pixels that are at an end of the range, minus that of real ones
    "flat",  # share of generated pictures of a single colour, minus that of real ones
    # Only where augmentation follows D; runs that began before it could have none.
    "augment_p",  # its probability (gan/losses/adaptive.py)
    # The last that came. The distance between the sketches of two records is how far the pictures have moved.
    *SKETCH,
)
OLDER_NAMES = {  # in the heads of older files, and in what the bench has kept
    "d_steepest": "d_spectral_norm",
    "told_apart": "d_auroc",
    "twins": "fake_nn_ratio",
    "near": "train_nn_ratio",
    "lowest": "min_pixel",
}
# Of files that were begun before there were more; a line has as many cells as one of these, or as SIGNALS.
OLDER_SIGNALS = [SIGNALS[: SIGNALS.index(later)] for later in ("detail", "augment_p", SKETCH[0])]

Signal = dict[str, Any]  # by the names of SIGNALS; numbers, and None where there was no finite one, never for the step


class Row(NamedTuple):
    """Numbers of a run after a step: means since the row before. Those of a player who did not learn are None."""

    step: int
    images: int
    seconds: float
    d_loss: float | None = None
    g_loss: float | None = None
    d_real: float | None = None
    d_fake: float | None = None
    d_lr: float | None = None
    g_lr: float | None = None


COLUMNS = Row._fields


class Threads(NamedTuple):
    """From this step on, training took so many processor threads."""

    step: int
    threads: int


class _Happened(TypedDict):
    step: int
    kind: str
    text: str


class Event(_Happened, total=False):
    """What happened to a run after a step, for people; `messages` says where the text comes from (`with_messages`)."""

    messages: dict[str, object]  # older files have none


class Frame(TypedDict):
    """D's verdict on each generated (`fake`) and each real picture that a stored frame shows."""

    step: int
    fake: list[float]
    real: list[float]


class Moment(TypedDict):
    """How far a run was when a measure began."""

    step: int
    images: int
    seconds: float


class _Measure(Moment):
    fid: float
    coverage: float
    confidence: float
    modes: int
    histogram: list[int]
    real_fid: float
    real_coverage: float
    real_confidence: float


class Measure(_Measure, total=False):
    """What gan/monitor/live_metrics.py found; `real_…`: of real pictures.

    attributes: where the metric network tells attributes, how many pictures have each value of the first, the second …
    """

    attributes: list[int]


def while_training(measures: Sequence[Measure]) -> list[Measure]:
    """All but that of what the run began with, which is no result."""
    return [measure for measure in measures if measure["step"]]


def began_with_weights(events: Sequence[Event]) -> bool:
    """Whether a run began with other weights than noise, so that its pictures were pictures before it learned."""
    return any(event["kind"] == "start" for event in events)


def due(step: int, growth: float) -> bool:
    """Whether a record falls due at this step: a function of the step alone, geometrically thinner as a run grows."""
    if step <= 1:
        return True
    octave = math.log(growth)
    return int(math.log(step) / octave) != int(math.log(step - 1) / octave)
