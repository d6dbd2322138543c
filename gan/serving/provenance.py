"""How a picture was made: weights and query, as words inside the PNG and as lines of Python that draw it again.

The words are one tEXt chunk with the keyword `KEY`: JSON in ASCII. What reads them again is the page
(static/engine/png_text.js), without decoding the picture; so there is no reader here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from gan.core.images import grid, png_bytes
from gan.core.version import VERSION

PROGRAM = "GAN Forge"
KEY = "gan-forge"  # the keyword of the chunk; the same in static/engine/provenance.js
FORMAT_VERSION = 1  # of these words; the program's own is `made_with`
SCALE = 16  # pixels of a saved picture for each of the generator's


@dataclass(frozen=True)
class Provenance:
    """All that a picture depends on."""

    weights: str  # their id on the server: a shipped file's name, run-ID or file-HASH
    digest: str  # of their content, see models.weights_file.digest
    query: str  # seed, class and edits as a link holds them, see gan.latent.query

    def words(self) -> str:
        """The JSON inside the PNG."""
        about = {"program": PROGRAM, "made_with": VERSION, "version": FORMAT_VERSION}
        return json.dumps(about | {"weights": self.weights, "digest": self.digest, "query": self.query})

    def png(self, pixels: np.ndarray, scale: int = SCALE) -> bytes:
        """A PNG file of uint8 [C, H, W], each pixel a square of scale × scale, that says how it was made."""
        return png_bytes(grid(pixels[None], 1), scale, {KEY: self.words()})

    def python(self, file: str, about: str, name: str) -> str:
        """Lines that draw and save exactly this picture.

        Args:
            file: what to call the weights in Python: a shipped name or a .safetensors file.
            about: where those weights are to be had, a line without line breaks.
            name: of the PNG they save.
        """
        lines = (
            "from gan.draw import draw",
            "",
            f"weights = {json.dumps(file, ensure_ascii=False)}  # {about}",
            f"query = {json.dumps(self.query)}",
            f"picture = draw(weights, query, digest={json.dumps(self.digest)})",
            f"picture.save({json.dumps(name)})  # picture.pixels: uint8 [C, H, W]",
        )
        return "\n".join(lines) + "\n"
