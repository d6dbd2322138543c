"""Looking into networks: what a discriminator looked at, and what each layer of a generator makes. Pure functions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan.core.seeds import Stream, seed_of
from gan.models.layers import Discriminator, Generator, UpsampleConv
from gan.models.skip import Canvas, LastDoubling, SkipDoubling

COPIES = 24  # noisy ones; Smilkov et al. see little change beyond 50, and little noise is left with half of them
NOISE = 0.1  # standard deviation, as a share of the way from black to white: 10 to 20 % is what they advise
MOST_MAPS = 64
WHITE = 0.99  # this share of a layer's numbers is not brighter than white

_KINDS = {
    nn.Linear: "dense",
    UpsampleConv: "doubling",
    SkipDoubling: "doubling",
    LastDoubling: "doubling",
    nn.ConvTranspose2d: "transposed",
    nn.Conv2d: "convolution",
}


# The discriminator ------------------------------------------------------------------------------------------------


def heat_map(discriminator: Discriminator, x: Tensor, c: Tensor | None) -> tuple[float, Tensor]:
    """D's logit of a picture x [1, C, H, W] in [-1, 1], and how steeply it depends on each pixel: [H, W], 0 or more.

    SmoothGrad (Smilkov et al. 2017, section 3): the mean of |∂ logit / ∂ x| over noisy copies, summed over the
    channels. A single gradient changes wildly from one picture to the next; the noise is always the same.
    """
    rng = torch.Generator().manual_seed(seed_of(Stream.HEAT_MAP))
    noise = torch.randn(COPIES, *x.shape[1:], generator=rng) * (2 * NOISE)
    copies = (x.detach().clone() + noise).requires_grad_(True)  # [COPIES, C, H, W]
    condition = None if c is None else c.expand(COPIES, *c.shape[1:])
    with torch.enable_grad():
        logits = discriminator(copies, condition)
        (gradient,) = torch.autograd.grad(logits.sum(), copies)
    with torch.no_grad():
        logit = discriminator(x.detach().clone(), c).item()
    return logit, gradient.abs().sum(1).mean(0)


# The generator ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layer:
    """A layer with weights and what follows it until the next one: what it makes has `channels` × `side` × `side`.

    kind: a value of _KINDS. side: 1 for a row of numbers without a place in the picture.
    """

    kind: str
    channels: int
    side: int


def layer_ends(generator: Generator) -> list[tuple[str, int]]:
    """For each layer its kind, and the position in `generator.layers` of the last module that belongs to it."""
    modules = list(generator.layers)
    starts = [i for i, module in enumerate(modules) if isinstance(module, tuple(_KINDS))]
    kinds = [next(kind for of, kind in _KINDS.items() if isinstance(modules[i], of)) for i in starts]
    return list(zip(kinds, [i - 1 for i in starts[1:]] + [len(modules) - 1], strict=True))


@torch.inference_mode()
def feature_maps(generator: Generator, z: Tensor, condition: Tensor | None) -> list[tuple[Layer, Tensor]]:
    """What every layer makes of a latent z [1, z_dim]: maps [channels, side, side], or [channels, 1, 1]."""
    x, begin, found = generator.inputs(z, condition), 0, []
    for kind, end in layer_ends(generator):
        x, begin = generator.layers[begin : end + 1](x), end + 1
        made = (x.features if isinstance(x, Canvas) else x)[0]
        maps = made if made.ndim == 3 else made[:, None, None]
        found.append((Layer(kind, maps.shape[0], maps.shape[-1]), maps))
    return found


def shown_maps(maps: Tensor) -> tuple[Tensor, float, float]:
    """Maps [channels, side, side] as grey pictures uint8 [n, 1, side, side], and the numbers of black and of white.

    Black is the lowest number of all that are shown; only one in a hundred is above white, because a few bright pixels
    would leave the rest dark. At most MOST_MAPS; numbers without a place become one square.
    """
    maps = maps.nan_to_num()  # those of a stranger's weights may be beyond all numbers
    maps = _square(maps) if maps.shape[-1] == 1 else maps[:MOST_MAPS]
    low, high = maps.min().item(), maps.flatten().kthvalue(math.ceil(WHITE * maps.numel())).values.item()
    grey = (maps - low) / max(high - low, 1e-9)
    return (grey * 255).round().nan_to_num(0).clamp(0, 255).byte()[:, None], low, high


def _square(numbers: Tensor) -> Tensor:
    """[n, 1, 1] -> [1, s, s], row by row; what is left over is as low as the lowest."""
    side = math.ceil(len(numbers) ** 0.5)
    padded = F.pad(numbers.flatten(), (0, side**2 - len(numbers)), value=numbers.min().item())
    return padded.reshape(1, side, side)
