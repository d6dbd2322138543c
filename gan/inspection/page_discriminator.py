"""A discriminator as the page needs it, to judge what a visitor draws there."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from gan.core.errors import UserError
from gan.core.messages import say
from gan.core.paths import WEIGHTS
from gan.losses.objectives import OBJECTIVES
from gan.models import meta_discriminator
from gan.serving.browser_export import PageFile, PageWeightsError, check_discriminator, discriminator_bytes
from gan.training.checkpoint import CheckpointError, discriminator_state, read_header

SHIPPED = WEIGHTS / "discriminators"
DRAWN = (1, 28)  # channels and side of what the page makes of a drawing


def shipped(name: str) -> Path | None:
    """The file of one that ships, by name."""
    return {path.stem: path for path in SHIPPED.glob("*.safetensors")}.get(name)


def page_discriminator(path: Path) -> PageFile:
    """See `_made`; the last ones are kept, because whoever looks at a page asks again and again."""
    try:
        return _made(path, path.stat().st_mtime_ns)
    except OSError:
        raise CheckpointError(say("inspection.state_gone")) from None


@lru_cache(maxsize=8)
def _made(path: Path, changed: int) -> PageFile:
    """Of a checkpoint, or of a file of `networks_of`.

    Raises CheckpointError where it cannot be read, UserError where it judges other pictures, or a browser cannot or
    should not compute it.
    """
    header = read_header(path)
    config = header["config"]
    if (config.channels, config.size) != DRAWN:
        raise UserError(say("game.no_drawings"))
    network = meta_discriminator(config)
    try:
        check_discriminator(network, *DRAWN)  # before anything is read
    except PageWeightsError:
        raise UserError(say("game.not_in_page")) from None
    network.load_state_dict(discriminator_state(path), assign=True)
    objective = OBJECTIVES[config.objective]
    about = {"step": header["steps_done"], "probability": objective.is_probability, "boundary": objective.boundary}
    return PageFile.of(discriminator_bytes(network.eval().requires_grad_(False), about, *DRAWN))
