"""How much memory a run takes, from its settings alone: nothing is allocated to know it.

Data sets are not counted: runs share them.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import torch
from torch import Tensor, nn

from gan.core.config import Config
from gan.models import meta_discriminator, meta_generator
from gan.models.layers import input_size

FLOAT = 4  # bytes
# Of a layer's output: itself, its gradient, and what the layer keeps for the way back or the second one of a penalty.
COPIES = 3


def memory_of(configs: Collection[Config], at_once: int) -> int:
    """Bytes of runs that share the machine: what all of them keep, and a step of each of the `at_once` largest."""
    steps = sorted((step_bytes(config) for config in configs), reverse=True)
    return sum(map(kept_bytes, configs)) + sum(steps[:at_once])


@lru_cache(1000)
def kept_bytes(config: Config) -> int:
    """Bytes between two steps: both networks, Adam's two moments of each, and the averaged generator."""
    G, D = meta_generator(config), meta_discriminator(config)
    kept = [*_numbers(G), *_numbers(D), *(2 * p.numel() for net in (G, D) for p in net.parameters())]
    return FLOAT * (sum(kept) + (sum(_numbers(G)) if config.ema_halflife_images else 0))


@lru_cache(1000)
def step_bytes(config: Config) -> int:
    """Bytes that a step takes besides, about: gradients, and what the layers say of real and generated pictures."""
    G, D = meta_generator(config), meta_discriminator(config)
    pictures = torch.empty(2, config.channels, config.size, config.size, device="meta")
    said = _said(G.layers, torch.empty(2, input_size(config), device="meta")) + 2 * _said(D.features, pictures)
    learned = sum(p.numel() for net in (G, D) for p in net.parameters())
    return FLOAT * (learned + COPIES * config.batch * said)


def _numbers(network: nn.Module) -> list[int]:
    return [t.numel() for t in (*network.parameters(), *network.buffers())]


def _said(layers: nn.Module, x: Tensor) -> int:
    """How many numbers all layers without layers of their own say of one picture; x has a row for each of two."""
    said = 0

    def count(_: nn.Module, __: object, output: Tensor) -> None:
        nonlocal said
        said += output.numel() // 2

    leaves = [m for m in layers.modules() if not any(m.children())]
    hooks = [leaf.register_forward_hook(count) for leaf in leaves]
    layers(x)
    for hook in hooks:
        hook.remove()
    return said
