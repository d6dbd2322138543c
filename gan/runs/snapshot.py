"""What a browser may see of a run at one moment: immutable, encoded once for all viewers."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from torch import Tensor

from gan.core.images import grid, png_bytes
from gan.core.messages import with_messages


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One moment of a run. `tiles` uint8 [K, C, H, W] are the generator's pictures of the run's fixed latents.

    `weights` is a copy of the shown generator's state, or None when nobody asked for it; `numbers` is JSON-ready.
    """

    version: int
    step: int
    tiles: np.ndarray
    columns: int
    numbers: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, Tensor] | None = None

    @cached_property
    def png(self) -> bytes:
        return png_bytes(grid(self.tiles, self.columns))

    @cached_property
    def payload(self) -> bytes:
        """The JSON that every viewer of this version gets, as bytes."""
        tiles = base64.b64encode(self.png).decode()
        said = {"version": self.version, "step": self.step, "tiles": tiles, **self.numbers}
        return json.dumps(with_messages(said)).encode()
