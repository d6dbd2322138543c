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
# Of each activation: itself, its gradient, and what its layer saves for the backward pass, or a penalty's second one.
ACTIVATION_COPIES = 3


def memory_of(configs: Collection[Config], at_once: int) -> int:
    """Bytes of runs that share the machine: the state of all of them, and a step of each of the `at_once` largest."""
    steps = sorted((step_bytes(config) for config in configs), reverse=True)
    return sum(map(state_bytes, configs)) + sum(steps[:at_once])


@lru_cache(1000)
def state_bytes(config: Config) -> int:
    """Bytes between two steps: both networks, Adam's two moments of each, and the averaged generator."""
    G, D = meta_generator(config), meta_discriminator(config)
    state = [*_sizes(G), *_sizes(D), *(2 * p.numel() for net in (G, D) for p in net.parameters())]
    return FLOAT * (sum(state) + (sum(_sizes(G)) if config.ema_halflife_images else 0))


@lru_cache(1000)
def step_bytes(config: Config) -> int:
    """Bytes that a step takes besides, about: gradients, and activations for real and for generated pictures."""
    G = meta_generator(config)
    D = meta_discriminator(config.changed(spectral_norm=False))  # whose wrappers are layers, and have no activations
    pictures = torch.empty(2, config.channels, config.size, config.size, device="meta")
    activations = _activations(G.layers, torch.empty(2, input_size(config), device="meta"))
    activations += 2 * _activations(D.features, pictures)
    gradients = sum(p.numel() for net in (G, D) for p in net.parameters())
    return FLOAT * (gradients + ACTIVATION_COPIES * config.batch * activations)


def _sizes(network: nn.Module) -> list[int]:
    return [t.numel() for t in (*network.parameters(), *network.buffers())]


def _activations(layers: nn.Module, x: Tensor) -> int:
    """How many numbers all layers without layers of their own give for one picture; x has a row for each of two."""
    count = 0

    def add(_: nn.Module, __: object, output: Tensor) -> None:
        nonlocal count
        count += output.numel() // 2

    leaves = [m for m in layers.modules() if not any(m.children())]
    hooks = [leaf.register_forward_hook(add) for leaf in leaves]
    try:
        layers(x)
    finally:
        for hook in hooks:
            hook.remove()
    return count
