"""One picture in Python, exactly as the page's server draws it:

    from gan.draw import draw
    picture = draw("mnist-conditional", "seed=5&c=4&psi=0.7")
    picture.save("four.png")

The query is what a link holds (see gan.latent.query); the page's "Copy as Python" writes these lines.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan.core.files import write_atomically
from gan.core.messages import say
from gan.latent import query as queries
from gan.models.weights_file import WeightsError
from gan.runs.sources import find_weights
from gan.serving.generator import LoadedGenerator
from gan.serving.provenance import SCALE, Provenance
from gan.training.threads import single_thread


@dataclass(frozen=True)
class Picture:
    """A generated picture, and how it was made."""

    pixels: np.ndarray  # uint8 [C, H, W]
    origin: Provenance

    def save(self, path: str | os.PathLike, scale: int = SCALE) -> None:
        """Write a PNG, each pixel a square of scale × scale. The file says how it was made: the page opens it again."""
        write_atomically(Path(path), self.origin.png(self.pixels, scale))


def draw(weights: str | os.PathLike, query: str = "", digest: str = "") -> Picture:
    """Draw the picture of a query.

    Args:
        weights: a shipped generator's name ("mnist"), a .safetensors file, or a run's folder or id in `runs`.
        query: seed, class and edits, as a link holds them: "seed=5&c=4&u=...".
        digest: the weights that are meant (gan.models.weights_file.digest); any others are refused.

    Raises:
        WeightsError, CheckpointError: there are no such weights, or they are others than `digest` means.
        BadQuery, RenderError: the query cannot be read, or was written for other weights.
    """
    name, loaded, _ = find_weights(weights)
    generator = LoadedGenerator(loaded, "")
    if digest and digest != generator.digest:
        raise WeightsError(
            say("latent.other_weights", weights=os.fspath(weights), digest=generator.digest, wanted=digest[:40])
        )
    parts = queries.read(query)
    with single_thread():
        drawn = generator.pixels(queries.spec_of(parts), queries.label_of(parts.get("c", "")))
    return Picture(drawn.images[0], Provenance(name, generator.digest, queries.written(parts)))
