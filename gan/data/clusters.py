"""Groups of similar pictures, found without labels: what tells an unconditional GAN which pictures to compare.

A discriminator that knows the group of a picture judges it among its like, and a generator that starts from groups need
not draw the bridges between them, which are no pictures (Sage et al. 2018; Liu et al. 2020, "self-conditioned GAN").
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, one_hot

from gan.core.config import NEVER, Config
from gan.data.pictures import Pictures

FIT_PICTURES = 5_000  # groups are found on so many pictures, then all are sorted into them
ROUNDS = 12
FEWEST = 50  # pictures of one group, on average: a small data set has fewer groups than asked for
ENOUGH = 10  # pictures with which it is no chance that two values are had by the same ones
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


def values_of_codes(pictures: Pictures, config: Config, rng: torch.Generator) -> tuple[Tensor, list[Tensor]]:
    """What D is told of real pictures (see Config.codes): attributes float32 [N, sum of codes], or groups int64 [N].

    Also the share of each value, float64 [values] for each code.
    """
    if config.attributes and pictures.attributes is not None:
        return told_attributes(pictures.attributes, config.codes, rng)
    labels, shares = find_clusters(pictures.images, config.clusters, rng, cluster_shrink(config))
    return labels, [shares]


def told_attributes(labels: Tensor, codes: Sequence[int], rng: torch.Generator) -> tuple[Tensor, list[Tensor]]:
    """What is known of pictures, as D is told: labels uint8 [N, A] -> one-hots side by side, float32 [N, sum of codes].

    Also each value's share of the pictures, float64 [values] for each attribute. Latents choose each attribute for
    itself. So a value that another attribute has said already (the colour of a part that is not there) is not told:
    another one of its attribute is, by lot, or latents would choose what no picture has.
    """
    hot = _one_hots(labels, codes)
    for a, own in enumerate(hot):
        said = torch.cat([own[:, :0], *hot[:a]], 1)
        together, sizes = own.T.double() @ said.double(), own.sum(0)  # [values, all before], [values]
        known = ((together == sizes[:, None]) & (together == said.sum(0)) & (together >= ENOUGH)).any(1)
        rows, others = own[:, known].any(1), torch.where(known, 0, sizes).double()
        if rows.any() and others.any():
            drawn = torch.multinomial(others, int(rows.sum()), replacement=True, generator=rng)
            own[rows] = one_hot(drawn, len(others))
    return torch.cat(hot, 1).float(), [each.double().mean(0) for each in hot]


def attributes_of(pictures: Pictures, row: int, config: Config) -> Tensor | None:
    """What D is told of one picture where it is told attributes, float32 [1, sum of codes]; else None."""
    if not config.attributes or pictures.attributes is None:
        return None
    return torch.cat(_one_hots(pictures.attributes[row : row + 1], config.codes), 1).float()


def _one_hots(labels: Tensor, codes: Sequence[int]) -> list[Tensor]:
    """Labels uint8 [N, A] -> for each attribute int64 [N, values]."""
    return [one_hot(column.long(), values) for column, values in zip(labels.T, codes, strict=True)]


def code_logit_bias(shares: Tensor, rng: torch.Generator, draws: int = 20_000, rounds: int = 40) -> Tensor:
    """What to add to k standard normal numbers, float32 [k], so that each is the largest as often as `shares` says."""
    votes = torch.randn(draws, len(shares), generator=rng)
    odds = torch.zeros(len(shares))
    wanted = shares.clamp(min=1e-6).log().float()
    for _ in range(rounds):
        found = torch.bincount((votes + odds).argmax(1), minlength=len(shares)) / draws
        odds += 0.5 * (wanted - found.clamp(min=1 / draws).log())
    return torch.where(shares > 0, odds, NEVER)
