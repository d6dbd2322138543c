"""Our networks for colour and larger pictures: a grid of 4 to 7 pixels that doubles, with a picture at every size.

After each doubling the generator adds what is new at that size to the picture so far (Karras et al. 2020, StyleGAN2,
figure 7b: output skips), so the first shapes stand after some steps, and details follow.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan.core.config import Config, ConfigError
from gan.core.messages import say
from gan.models.layers import Discriminator, FlatGrid, Generator, Grid, Stack, UpsampleConv, input_size

WIDEST = 4  # a layer has at most so many times `width` channels


class Canvas(NamedTuple):
    """What goes from doubling to doubling: features [N, F, S, S], and the picture so far [N, C, S, S]."""

    features: Tensor
    picture: Tensor


def first_side(size: int) -> int:
    """The side of the first grid, 4 to 7 pixels. Raises ConfigError unless size is that times 2, 4, 8, ..."""
    side = size
    while side > 7 and side % 2 == 0:
        side //= 2
    if side not in range(4, 8) or side == size:
        raise ConfigError(say("models.size_by_doubling", size=size))
    return side


def sides(size: int) -> list[int]:
    """The sides of all grids from the first to half of the picture: [4, 8, 16, 32] for 64."""
    first = first_side(size)
    return [first << k for k in range((size // first).bit_length() - 1)]


def channels(cfg: Config, side: int) -> int:
    """The one rule for widths: `width` at half of the picture's side, twice as many at half of that, up to WIDEST."""
    return cfg.width * _times(cfg, side)


def d_channels(cfg: Config, side: int) -> int:
    """The discriminator's: half as many, or by the same rule from `d_width`."""
    return cfg.d_width * _times(cfg, side) if cfg.d_width else channels(cfg, side) // 2


def _times(cfg: Config, side: int) -> int:
    return min(WIDEST, cfg.size // (2 * side))


def doubled(x: Tensor) -> Tensor:
    """Pictures [N, C, H, W] at twice the size, interpolated linearly: [N, C, 2H, 2W].

    As StyleGAN2's filter (1, 3, 3, 1) does, with edges continued. Written out, because torch's own on a GPU adds up its
    gradients in no fixed order.
    """
    return _doubled_along(_doubled_along(x, 2), 3)


def _doubled_along(x: Tensor, axis: int) -> Tensor:
    n = x.shape[axis]
    far = 0.25 * torch.cat([x.narrow(axis, 0, 1), x, x.narrow(axis, n - 1, 1)], axis)
    near = 0.75 * x
    pair = torch.stack([near + far.narrow(axis, 0, n), near + far.narrow(axis, 2, n)], axis + 1)
    return pair.flatten(axis, axis + 1)


class FirstPicture(nn.Module):
    """Features -> Canvas: the picture of the first grid."""

    def __init__(self, features: int, colours: int) -> None:
        super().__init__()
        self.to_picture = nn.Conv2d(features, colours, 1)

    def forward(self, x: Tensor) -> Canvas:
        return Canvas(x, self.to_picture(x))


class SkipDoubling(nn.Module):
    """Canvas -> Canvas of twice the side: new features, and what they add to the picture."""

    def __init__(self, inputs: int, outputs: int, colours: int) -> None:
        super().__init__()
        self.up = UpsampleConv(inputs, outputs, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.to_picture = nn.Conv2d(outputs, colours, 1)

    def forward(self, canvas: Canvas) -> Canvas:
        features = torch.relu(self.norm(self.up(canvas.features)))
        return Canvas(features, doubled(canvas.picture) + self.to_picture(features))


class LastDoubling(nn.Module):
    """Canvas -> picture of twice the side, without features of that side, which would take most of the time."""

    def __init__(self, inputs: int, colours: int) -> None:
        super().__init__()
        self.to_picture = UpsampleConv(inputs, colours)

    def forward(self, canvas: Canvas) -> Tensor:
        return doubled(canvas.picture) + self.to_picture(canvas.features)


def skip_generator(cfg: Config, last: nn.Module) -> Generator:
    widths = [channels(cfg, side) for side in sides(cfg.size)]
    first, side = widths[0], first_side(cfg.size)
    layers = Stack(
        *(nn.Linear(input_size(cfg), first * side**2), Grid(first, side), nn.BatchNorm2d(first), nn.ReLU()),
        FirstPicture(first, cfg.channels),
        *(SkipDoubling(a, b, cfg.channels) for a, b in pairwise(widths)),
        *(LastDoubling(widths[-1], cfg.channels), last),
    )
    return Generator(cfg, layers)


def skip_discriminator(cfg: Config) -> Discriminator:
    """Where nothing else is said half as wide as the generator on the same grids; no batch statistics: made for R1.

    Its first convolution takes two by two pixels as one, so it sees 8 by 8 and leaves a quarter of the picture's side:
    larger grids of few channels would take most of the time.
    """
    halves = sides(cfg.size)[:-1] or sides(cfg.size)  # a quarter of the picture's side, and smaller ones
    widths = [4 * cfg.channels, *(d_channels(cfg, side) for side in reversed(halves))]
    halvings = (layer for a, b in pairwise(widths) for layer in (nn.Conv2d(a, b, 4, 2, 1), nn.LeakyReLU(0.2)))
    layers = Stack(nn.PixelUnshuffle(2), *halvings, FlatGrid())
    return Discriminator(cfg, layers, widths[-1] * (cfg.size >> len(widths)) ** 2)
