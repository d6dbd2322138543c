"""Where a network's first weights come from: an explicit generator, never the global one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.parametrize import ParametrizationList

from gan.models.layers import Discriminator, Generator

Weighted = nn.Linear | nn.Conv2d | nn.ConvTranspose2d
Network = TypeVar("Network", bound=nn.Module)


def keras(m: Weighted, rng: torch.Generator) -> None:
    """Keras's default: Glorot-uniform kernels, zero biases."""
    nn.init.xavier_uniform_(_weight(m), generator=rng)
    if m.bias is not None:
        nn.init.zeros_(m.bias)


def pytorch(m: Weighted, rng: torch.Generator) -> None:
    """PyTorch's default: weights and biases uniform in ±1/sqrt(fan_in)."""
    weight = _weight(m)
    bound = 1 / math.sqrt(nn.init._calculate_fan_in_and_fan_out(weight)[0])
    nn.init.uniform_(weight, -bound, bound, generator=rng)
    if m.bias is not None:
        nn.init.uniform_(m.bias, -bound, bound, generator=rng)


def he(m: Weighted, rng: torch.Generator) -> None:
    """He et al. 2015, equation 15, for leaky units of 0.2: sizes are kept where no batch norm would mend them."""
    nn.init.kaiming_normal_(_weight(m), a=0.2, generator=rng)
    if m.bias is not None:
        nn.init.zeros_(m.bias)


INITS: dict[str, Callable[[Weighted, torch.Generator], None]] = {"keras": keras, "pytorch": pytorch, "he": he}


def materialize(network: Network, init: str, rng: torch.Generator, device: torch.device) -> Network:
    """Give a network built on the meta device its memory and its first weights, all drawn from `rng`."""
    # As to_empty does, whose way leads through torch's Python for shapes and half a second of imports.
    network._apply(lambda t: torch.empty(t.shape, dtype=t.dtype))
    for m in network.modules():
        if isinstance(m, Weighted):
            INITS[init](m, rng)
        elif isinstance(m, nn.modules.batchnorm._BatchNorm):
            m.reset_parameters()
        elif isinstance(m, Generator) and m.votes:
            m.odds.zero_()  # every value as likely as the others, until a data set says more
        elif isinstance(m, Discriminator) and m.embed is not None:
            nn.init.zeros_(m.embed)  # projection: every class starts out judged alike
    for m in network.modules():
        if isinstance(m, _SpectralNorm):  # after the weights, whose singular vectors these are
            m._u.normal_(generator=rng)
            m._v.normal_(generator=rng)
    for m in network.modules():
        if isinstance(m, ParametrizationList) and isinstance(s := m[0], _SpectralNorm):
            with torch.no_grad():
                s._power_method(s._reshape_weight_to_matrix(m.original), 15)
    # Channels last is how the convolutions of CPUs and GPUs want their numbers; nothing else depends on it.
    return network.to(device).to(memory_format=torch.channels_last)


def _weight(m: Weighted) -> nn.Parameter:
    parametrized = nn.utils.parametrize.is_parametrized(m, "weight")
    return m.get_parameter("parametrizations.weight.original" if parametrized else "weight")
