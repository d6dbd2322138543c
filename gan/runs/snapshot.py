"""What a browser may see of a run at one moment: immutable."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TypedDict

import numpy as np
from torch import Tensor

from gan.core.images import frame_bytes, grid, is_exact
from gan.runs.history import Mark
from gan.runs.turns import PlaceTold


class Numbers(TypedDict):
    """What a page is told of a moment besides its pictures; times in seconds, since the run began or left."""

    status: str
    message: str
    epoch: float | None  # None: nobody knows of how many pictures
    images: int
    images_per_s: float
    seconds: float
    seconds_left: float | None
    place: PlaceTold | None  # of one that shares the machine
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
    `weights` is a copy of the shown generator's state, or None when nobody asked for it; `stored` the frame of these
    pictures, where it is known: where they come from one that is not exact, or were shown before.
    """

    version: int
    step: int
    tiles: np.ndarray
    columns: int
    numbers: Numbers
    mark: Mark
    pictured: int
    weights: dict[str, Tensor] | None = None
    stored: bytes | None = None

    @property
    def is_exact(self) -> bool:
        """Whether its pictures are shown to the last pixel."""
        return is_exact(self.tiles.shape[2])

    @cached_property
    def sheet(self) -> np.ndarray:
        """All pictures in one, uint8 [H, W, C]."""
        return grid(self.tiles, self.columns)

    @cached_property
    def frame(self) -> bytes:
        """All pictures in one file, as they are kept; and shown, where they are not exact."""
        return self.stored or frame_bytes(self.tiles, self.columns)

    @property
    def known_frame(self) -> bytes | None:
        """The same, where somebody has asked for it."""
        return self.__dict__.get("frame", self.stored)


def next_snapshot(
    old: Snapshot | None,
    step: int,
    tiles: np.ndarray,
    columns: int,
    numbers: Numbers,
    mark: Mark,
    weights: dict[str, Tensor] | None = None,
    stored: bytes | None = None,
) -> Snapshot:
    """What is seen after `old`. A version is the millisecond of its making, and always larger than the one before."""
    version = max(int(time.time() * 1000), old.version + 1 if old else 0)
    same = old is not None and np.array_equal(old.tiles, tiles)
    pictured = old.pictured if old and same else version
    known = old.known_frame if old and same else None  # nobody waits for it twice
    return Snapshot(version, step, tiles, columns, numbers, mark, pictured, weights, stored or known)
