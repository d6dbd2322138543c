"""Layers of D that stay as they began: few pictures teach the others, and the first know edges and colours already.

Mo et al. 2020, "Freeze the Discriminator: a Simple Baseline for Fine-Tuning GANs".
"""

from __future__ import annotations

from torch import Tensor, nn

from gan.models.layers import Discriminator


def learning_parameters(D: Discriminator, frozen: int) -> list[Tensor]:
    """The parameters of D but those of its first `frozen` layers, which no longer ask for a gradient.

    A layer has weights, and what follows it until the next one belongs to it. The last one, from features to the logit,
    always learns.
    """
    layers = 0
    for module in D.features:
        layers += any(isinstance(m, nn.Linear | nn.Conv2d) for m in module.modules())
        if layers <= frozen:
            module.requires_grad_(False)
    return [p for p in D.parameters() if p.requires_grad]
