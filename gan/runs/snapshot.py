"""What a browser may see of a run at one moment: immutable."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TypedDict

import numpy as np
from torch import Tensor

from gan.core.images import grid, png_bytes
from gan.runs.history import Mark


class Numbers(TypedDict):
    """What a page is told of a moment besides its pictures; times in seconds, since the run began or left."""

    status: str
    message: str
    epoch: float | None  # None: nobody knows of how many pictures
    images: int
    images_per_s: float
    seconds: float
    seconds_left: float | None
    show_share: float  # of the time, that showing took
    total_steps: int
    lr: dict[str, float]  # "d" and "g"
    measure_share: float
    measure_problem: str
    best_step: int | None
    verdict_fake: list[float]  # of each picture in `tiles`
    verdict_real: list[float]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One moment of a run. `tiles` uint8 [K, C, H, W] are the generator's pictures of the run's fixed latents.

    `pictured` is the version in which these pictures were new; `mark` says how much of the history belongs to it;
    `weights` is a copy of the shown generator's state, or None when nobody asked for it.
    """

    version: int
    step: int
    tiles: np.ndarray
    columns: int
    numbers: Numbers
    mark: Mark
    pictured: int
    weights: dict[str, Tensor] | None = None

    @cached_property
    def sheet(self) -> np.ndarray:
        """All pictures in one, uint8 [H, W, C]."""
        return grid(self.tiles, self.columns)

    @cached_property
    def png(self) -> bytes:
        return png_bytes(self.sheet)


def next_snapshot(
    old: Snapshot | None,
    step: int,
    tiles: np.ndarray,
    columns: int,
    numbers: Numbers,
    mark: Mark,
    weights: dict[str, Tensor] | None = None,
) -> Snapshot:
    """What is seen after `old`. A version is the millisecond of its making, and always larger than the one before."""
    version = max(int(time.time() * 1000), old.version + 1 if old else 0)
    same = old is not None and np.array_equal(old.tiles, tiles)
    return Snapshot(version, step, tiles, columns, numbers, mark, old.pictured if old and same else version, weights)
