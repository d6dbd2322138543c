"""Convolutional networks: the programs of articles 001, 002 and 004 (Keras), and our own small ones.

Every family starts from a grid of a quarter of the picture's side (7 for 28, 8 for 32) and doubles it twice.
"""

from __future__ import annotations

import math

from torch import nn

from gan.core.config import Config, ConfigError
from gan.core.messages import say
from gan.models.layers import (
    Discriminator,
    Dropout,
    FlatGrid,
    Generator,
    Grid,
    SameConv,
    SameConvTranspose,
    SameConvTranspose5,
    Stack,
    UpsampleConv,
    batch_norm,
    input_size,
)


def _grid(cfg: Config) -> int:
    if cfg.size % 4:
        raise ConfigError(say("models.size_by_four", size=cfg.size))
    return cfg.size // 4


def _start(cfg: Config, channels: int, side: int, *after: nn.Module, bias: bool = True) -> list[nn.Module]:
    """Latent -> Dense -> [N, channels, side, side]."""
    dense = nn.Linear(input_size(cfg), channels * side**2, bias=bias)
    return [dense, *after, Grid(channels, side)]


# Article 001 -----------------------------------------------------------------------------------------------------


def upsample_generator(cfg: Config, last: nn.Module) -> Generator:
    layers = Stack(
        *_start(cfg, 128, _grid(cfg), nn.ReLU()),  # [N, 128, 7, 7]
        UpsampleConv(128, 128),  # [N, 128, 14, 14]
        nn.ReLU(),
        batch_norm(128, 0.8),
        UpsampleConv(128, 64),  # [N, 64, 28, 28]
        nn.ReLU(),
        batch_norm(64, 0.8),
        SameConv(64, cfg.channels, 3),
        last,
    )
    return Generator(cfg, layers)


def upsample_discriminator(cfg: Config) -> Discriminator:
    layers = Stack(
        *(SameConv(cfg.channels, 32, 3, 2), nn.LeakyReLU(0.2), Dropout(0.25)),
        *(SameConv(32, 64, 3, 2), nn.ZeroPad2d((0, 1, 0, 1)), batch_norm(64, 0.8), nn.LeakyReLU(0.2), Dropout(0.25)),
        *(SameConv(64, 128, 3, 2), batch_norm(128, 0.8), nn.LeakyReLU(0.2), Dropout(0.25)),
        *(SameConv(128, 256, 3, 1), batch_norm(256, 0.8), nn.LeakyReLU(0.2), Dropout(0.25)),
        FlatGrid(),
    )
    side = math.ceil((_grid(cfg) + 1) / 2)
    return Discriminator(cfg, layers, 256 * side**2)


# Article 002 -----------------------------------------------------------------------------------------------------


def transposed_generator(cfg: Config, last: nn.Module) -> Generator:
    side = _grid(cfg)
    flat = 256 * side**2
    layers = Stack(
        # Normalised before it becomes a grid: one statistic for each of the 12,544 numbers.
        *_start(cfg, 256, side, nn.BatchNorm1d(flat, eps=1e-3, momentum=0.01), nn.LeakyReLU(0.3), bias=False),
        *(SameConvTranspose5(256, 128), batch_norm(128, 0.99), nn.LeakyReLU(0.3)),
        *(SameConvTranspose(128, 64, 5, 2, bias=False), batch_norm(64, 0.99), nn.LeakyReLU(0.3)),
        *(SameConvTranspose(64, cfg.channels, 5, 2, bias=False), last),
    )
    return Generator(cfg, layers)


def transposed_discriminator(cfg: Config) -> Discriminator:
    layers = Stack(
        *(SameConv(cfg.channels, 64, 5, 2), nn.LeakyReLU(0.3), Dropout(0.3)),
        *(SameConv(64, 128, 5, 2), nn.LeakyReLU(0.3), Dropout(0.3)),
        FlatGrid(),
    )
    return Discriminator(cfg, layers, 128 * _grid(cfg) ** 2)


# Article 004 -----------------------------------------------------------------------------------------------------


def small_generator(cfg: Config, last: nn.Module) -> Generator:
    """The repaired program: a grid of a quarter of the picture, doubled twice."""
    layers = Stack(
        *_start(cfg, 8, _grid(cfg), nn.ReLU()),  # [N, 8, 7, 7]
        *(SameConvTranspose(8, 64, 4, 2), nn.ReLU()),
        *(SameConvTranspose(64, cfg.channels, 4, 2), last),
    )
    return Generator(cfg, layers)


def small_generator_as_printed(cfg: Config, last: nn.Module) -> Generator:
    """4×4 with strides 2 and 7: 56×56 pictures for a discriminator of 28×28. Refused, as Keras refuses it."""
    made = 4 * 2 * 7
    raise ConfigError(say("models.as_printed", made=made, size=cfg.size))


def small_discriminator(cfg: Config) -> Discriminator:
    layers = Stack(SameConv(cfg.channels, 64, 4, 2), nn.LeakyReLU(0.2), FlatGrid())
    return Discriminator(cfg, layers, 64 * (2 * _grid(cfg)) ** 2)


# Our own: made for two CPU cores ---------------------------------------------------------------------------------


def quick_generator(cfg: Config, last: nn.Module) -> Generator:
    """Most of the arithmetic at a quarter of the side; the last doubling only rearranges channels."""
    w, side = cfg.width, _grid(cfg)
    layers = Stack(
        *_start(cfg, 2 * w, side),
        *(nn.BatchNorm2d(2 * w), nn.ReLU()),  # [N, 2w, 7, 7]
        *(nn.ConvTranspose2d(2 * w, w, 4, 2, 1, bias=False), nn.BatchNorm2d(w), nn.ReLU()),  # [N, w, 14, 14]
        *(SameConv(w, 4 * cfg.channels, 3), nn.PixelShuffle(2), last),  # [N, C, 28, 28]
    )
    return Generator(cfg, layers)


def quick_discriminator(cfg: Config) -> Discriminator:
    """Deep enough to see the whole picture, half as wide as the generator, without batch statistics: made for R1."""
    w, side = cfg.d_width or cfg.width // 2, math.ceil(_grid(cfg) / 2)
    layers = Stack(
        *(nn.Conv2d(cfg.channels, w, 4, 2, 1), nn.LeakyReLU(0.2)),  # [N, w, 14, 14]
        *(nn.Conv2d(w, 2 * w, 4, 2, 1), nn.LeakyReLU(0.2)),  # [N, 2w, 7, 7]
        *(nn.Conv2d(2 * w, 4 * w, 3, 2, 1), nn.LeakyReLU(0.2)),  # [N, 4w, 4, 4]
        FlatGrid(),
    )
    return Discriminator(cfg, layers, 4 * w * side**2)
