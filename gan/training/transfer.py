"""Networks that were told attributes, as the beginning of a run on pictures whose attributes nobody knows."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan.core.config import Changes, Config
from gan.models import meta_generator
from gan.models.layers import chosen, told_share, unseen_numbers

UNTOLD: Changes = {"attributes": "", "classifier_weight": 0.0}  # of a run that is told groups instead, or nothing
Networks = tuple[dict[str, Tensor], dict[str, Tensor]]  # the states of G and of D


def told_as(old: Config, new: Config) -> Config:
    """The settings of old networks when they are told what new ones are: as old ones where nothing can be done."""
    if not (old.attributes and new.clusters):
        return old
    z_dim = new.clusters + old.z_dim - unseen_numbers(old)
    return old.changed(**UNTOLD, clusters=new.clusters, z_dim=z_dim)


def tell_groups(G: dict[str, Tensor], D: dict[str, Tensor], old: Config, new: Config, rng: torch.Generator) -> Networks:
    """The states of networks with settings `old`, which are told attributes, for those of `told_as(old, new)`.

    Each group begins as a drawing of attributes by lot, as often as the data had them, so that the first pictures are
    as varied as those before. The generator sees the numbers that vote for groups, and does not listen to them yet.
    """
    hot = _drawn_attributes(G["odds"].float(), old.codes, new.clusters, rng)  # [groups, votes]
    name = next(f"{name}.weight" for name, m in meta_generator(old).named_modules() if isinstance(m, nn.Linear))
    weight, seen = G[name].float(), old.z_dim - unseen_numbers(old)  # [out, seen + votes]
    unheard = torch.zeros(len(weight), new.clusters)
    first = torch.cat([unheard, weight[:, :seen], weight[:, seen:] @ hot.T], 1)
    embed = hot @ D["embed"].float() * told_share(old)
    untold = {key: value for key, value in D.items() if not key.startswith("classifier.")}  # which reads attributes
    return G | {name: first, "odds": torch.zeros(new.clusters)}, untold | {"embed": embed}


def _drawn_attributes(odds: Tensor, codes: tuple[int, ...], n: int, rng: torch.Generator) -> Tensor:
    """One-hots side by side [n, votes], as n latents would vote."""
    return chosen(torch.randn(n, len(odds), generator=rng) + odds, codes).float()
