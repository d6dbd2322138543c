"""One picture in Python, exactly as the page's server draws it:

    from gan.draw import draw
    picture = draw("mnist-conditional", "seed=5&c=4&psi=0.7")
    picture.save("four.png")

The query is what a link holds (see gan.query); the page's "Copy as Python" writes these lines.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan import query as queries
from gan import weights as files
from gan.checkpoint import write_atomically
from gan.origin import SCALE, Origin
from gan.render import Ready
from gan.threads import single_thread
from gan.weights import Weights, WeightsError

SHIPPED = Path(__file__).resolve().parents[1] / "weights"


@dataclass(frozen=True)
class Picture:
    """A generated picture, and how it was made."""

    pixels: np.ndarray  # uint8 [C, H, W]
    origin: Origin

    def save(self, path: str | os.PathLike, scale: int = SCALE) -> None:
        """Write a PNG, each pixel a square of scale × scale. The file says how it was made: the page opens it again."""
        write_atomically(Path(path), self.origin.png(self.pixels, scale))


def draw(weights: str | os.PathLike, query: str = "", digest: str = "") -> Picture:
    """Draw the picture of a query.

    Args:
        weights: a shipped generator's name ("mnist") or a .safetensors file.
        query: seed, class and edits, as a link holds them: "seed=5&c=4&u=...".
        digest: the weights that are meant (gan.weights.digest); any others are refused.

    Raises:
        WeightsError: there are no such weights, or they are others than `digest` means.
        BadQuery, RenderError: the query cannot be read, or was written for other weights.
    """
    name, loaded = _load(weights)
    ready = Ready(loaded, "")
    if digest and digest != ready.digest:
        raise WeightsError(
            f"The weights {os.fspath(weights)} are not those of the picture: their digest is {ready.digest}, "
            f"not {digest[:40]}."
        )
    parts = queries.read(query)
    with single_thread():
        z, told = ready.latents(queries.place_of(parts), queries.label_of(parts.get("c", "")))
        pixels = ready.draw(z, told)[0]
    return Picture(pixels, Origin(name, ready.digest, queries.written(parts)))


def _load(weights: str | os.PathLike) -> tuple[str, Weights]:
    """The name that the page has for these weights, and the weights."""
    path = Path(weights)
    if path.suffix == ".safetensors":
        return files.load_with_id(path)
    names = sorted(p.stem for p in SHIPPED.glob("*.safetensors") if not p.name.startswith("metric-"))
    if str(weights) not in names:
        raise WeightsError(
            f"There are no shipped weights named {str(weights)[:60]!r}; there are {', '.join(names)}, "
            "or give a .safetensors file."
        )
    return str(weights), files.load(SHIPPED / f"{weights}.safetensors")
