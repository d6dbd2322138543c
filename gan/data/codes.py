"""What networks are told of pictures where nobody chooses a class: the attributes of drawings, or a group.

A latent chooses it (gan.models.layers.Generator), so each value also has a share of the pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from gan.core.config import NEVER, Config
from gan.data.clusters import cluster_shrink, find_clusters
from gan.data.pictures import Pictures

ENOUGH = 10  # pictures with which it is no chance that two values are had by the same ones


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
