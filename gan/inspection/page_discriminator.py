"""A discriminator as the page needs it, to judge what a visitor draws there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from gan.core.errors import UserError
from gan.core.messages import say
from gan.core.paths import WEIGHTS
from gan.losses.objectives import OBJECTIVES
from gan.models import meta_discriminator
from gan.serving.browser_export import discriminator_bytes
from gan.training.checkpoint import discriminator_state, read_header

SHIPPED = WEIGHTS / "discriminators"
DRAWN = (1, 28)  # channels and side of what the page makes of a drawing


@dataclass(frozen=True)
class PageDiscriminator:
    """The file (see gan/serving/browser_export.py), and a name for exactly this content."""

    data: bytes
    digest: str


def shipped(name: str) -> Path | None:
    """The file of one that ships, by name."""
    return {path.stem: path for path in SHIPPED.glob("*.safetensors")}.get(name)


def page_discriminator(path: Path) -> PageDiscriminator:
    """Of a checkpoint, or of a file of `networks_of`.

    Raises CheckpointError where it cannot be read, UserError where it judges other pictures, PageWeightsError where a
    browser cannot or should not compute it.
    """
    header = read_header(path)
    config = header["config"]
    if (config.channels, config.size) != DRAWN:
        raise UserError(say("game.no_drawings"))
    network = meta_discriminator(config)
    network.load_state_dict(discriminator_state(path), assign=True)
    about = {"step": header["steps_done"], "probability": OBJECTIVES[config.objective].is_probability}
    data = discriminator_bytes(network.eval().requires_grad_(False), about, *DRAWN)
    return PageDiscriminator(data, hashlib.sha256(data).hexdigest()[:32])
