"""Fully connected networks: the programs of articles 000 (`dense`, Keras) and 003 (`mlp`, PyTorch)."""

from __future__ import annotations

from torch import nn

from gan.core.config import Config
from gan.models.layers import Discriminator, Generator, Stack, input_size


def dense_generator(cfg: Config, last: nn.Module) -> Generator:
    layers = Stack(
        nn.Linear(input_size(cfg), 128),
        nn.LeakyReLU(0.2),
        nn.BatchNorm1d(128, eps=1e-3, momentum=0.01),
        nn.Linear(128, cfg.channels * cfg.size**2),
        last,
        nn.Unflatten(1, (cfg.channels, cfg.size, cfg.size)),  # [N, C, H, W]
    )
    return Generator(cfg, layers)


def dense_discriminator(cfg: Config) -> Discriminator:
    layers = Stack(nn.Flatten(), nn.Linear(cfg.channels * cfg.size**2, 128), nn.LeakyReLU(0.2))
    return Discriminator(cfg, layers, 128)


def mlp_generator(cfg: Config, last: nn.Module) -> Generator:
    layers = Stack(
        nn.Linear(input_size(cfg), 128),
        nn.ReLU(),
        nn.Linear(128, 256),
        nn.BatchNorm1d(256),
        nn.ReLU(),
        nn.Linear(256, 512),
        nn.BatchNorm1d(512),
        nn.ReLU(),
        nn.Linear(512, cfg.channels * cfg.size**2),
        last,
        nn.Unflatten(1, (cfg.channels, cfg.size, cfg.size)),  # [N, C, H, W]
    )
    return Generator(cfg, layers)


def mlp_discriminator(cfg: Config) -> Discriminator:
    layers = Stack(
        nn.Flatten(),
        nn.Linear(cfg.channels * cfg.size**2, 512),
        nn.LeakyReLU(0.2),
        nn.Linear(512, 256),
        nn.LeakyReLU(0.2),
    )
    return Discriminator(cfg, layers, 256)
