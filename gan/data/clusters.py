"""Groups of similar pictures, found without labels: what tells an unconditional GAN which pictures to compare.

A discriminator that knows the group of a picture judges it among its like, and a generator that starts from groups need
not draw the bridges between them, which are no pictures (Sage et al. 2018; Liu et al. 2020, "self-conditioned GAN").
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from gan.core.config import Config

FIT_PICTURES = 5_000  # groups are found on so many pictures, then all are sorted into them
ROUNDS = 12
FEWEST = 50  # pictures of one group, on average: a small data set has fewer groups than asked for
GRAIN = 16  # centres are multiples of 1/16


def cluster_shrink(config: Config) -> int:
    """How many times smaller pictures are sorted: at half their size, which would take half a minute for large ones."""
    return max(2, config.size // 8) if config.model == "skip" else 2


def find_clusters(images: Tensor, k: int, rng: torch.Generator, shrink: int = 2) -> tuple[Tensor, Tensor]:
    """Sort pictures uint8 [N, C, H, W] into at most k groups: labels int64 [N], and each group's share, float64 [k].

    Lloyd's k-means on pictures `shrink` times smaller, begun as Arthur & Vassilvitskii 2007 say. Pixels are whole
    numbers and centres are rounded, so that every sum below is exact in float64: the same groups come out whatever the
    number of threads, and a run resumes exactly.
    """
    count = max(1, min(k, len(images) // FEWEST))
    rows = torch.randperm(len(images), generator=rng)[:FIT_PICTURES]
    sample = _smaller(images[rows], shrink)  # [n, F]
    centres = _far_apart(sample, count, rng)  # [count, F]
    for _ in range(ROUNDS):
        labels = _nearest(sample, centres)
        sizes = torch.bincount(labels, minlength=count)
        sums = torch.zeros_like(centres).index_add_(0, labels, sample)
        means = (sums / sizes.clamp(min=1)[:, None] * GRAIN).round() / GRAIN
        centres = torch.where(sizes[:, None] > 0, means, centres)
    labels = torch.cat([_nearest(_smaller(part, shrink), centres) for part in images.split(FIT_PICTURES)])
    return labels, torch.bincount(labels, minlength=k).double() / len(labels)


def _far_apart(rows: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """First centres [count, F]: each a row, drawn the likelier the farther it is from those before (k-means++)."""
    centres, distance = rows[:1], torch.full((len(rows),), torch.inf, dtype=torch.float64)
    while len(centres) < count:
        distance = torch.minimum(distance, (rows - centres[-1]).square().sum(1))
        chosen = torch.multinomial(distance.clamp(min=1e-9), 1, generator=rng)
        centres = torch.cat([centres, rows[chosen]])
    return centres


def _smaller(images: Tensor, shrink: int) -> Tensor:
    """uint8 [n, C, H, W] -> whole numbers float64 [n, F]: each the sum of `shrink` by `shrink` pixels."""
    return avg_pool2d(images.float(), shrink, divisor_override=1).flatten(1).double()


def _nearest(rows: Tensor, centres: Tensor) -> Tensor:
    """The nearest centre of each row, int64 [n]: |r − c|² without |r|², which is the same for all."""
    return (2 * rows @ centres.T - centres.square().sum(1)).argmax(1)
