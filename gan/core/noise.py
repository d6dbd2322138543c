"""Latents by seed: one for a number, and whole sheets of them. The same everywhere and always."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gan.core.seeds import Stream, seed_of


class Sheet(NamedTuple):
    """Latents that are drawn at once from one seed."""

    stream: Stream
    latents: int


# Sheets of pictures that the page shows, so that a link can name any picture of them.
SHEETS = {
    "tile": Sheet(Stream.TILE, 40),  # the pictures of a run, by the run's seed
    "study": Sheet(Stream.STUDY, 1000),  # those that directions are learned from (see gan.latent.directions)
}


def latent_of(seed: int, z_dim: int) -> Tensor:
    """The latent [1, z_dim] of a seed: standard normal, the same everywhere and always."""
    return normal(z_dim, Stream.LATENT, seed)


def sheet_latents(name: str, seed: int, z_dim: int, n: int | None = None) -> Tensor:
    """The latents [n, z_dim] of one of SHEETS; n: as many as a sheet has, unless somebody looks at fewer or more."""
    stream, latents = SHEETS[name]
    rng = torch.Generator().manual_seed(seed_of(stream, seed))
    return torch.randn(latents if n is None else n, z_dim, generator=rng)


def normal(z_dim: int, stream: Stream, *parts: int) -> Tensor:
    """Standard normal numbers [1, z_dim] that the stream and the parts determine."""
    return torch.randn(1, z_dim, generator=torch.Generator().manual_seed(seed_of(stream, *parts)))
