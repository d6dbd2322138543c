"""Named directions: does a slider from -3 to 3 do what it says, and leave the digit what it was?

Directions are found from one stream of latents and judged on another. A latent counts as monotone when its attribute
grows at every one of six steps, and its class as kept when the metric network sees the same digit at all five positions
from -2 to 2.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from gan import directions, weights
from gan.bench.common import Figure
from gan.metric_network import load, to_float
from gan.models.layers import Generator
from gan.picture import to_uint8
from gan.seeds import seed_of

SHIPPED = Path(__file__).resolve().parents[2] / "weights"
_JUDGE = 31  # stream of randomness, apart from the study's
ENOUGH = {"thickness": (1.0, "px"), "slant": (20.0, "°")}  # from -3 to 3; others only have to be monotone


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", nargs="+", default=["mnist-conditional", "mnist"])
    parser.add_argument("--latents", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)


def measure(args: argparse.Namespace) -> list[Figure]:
    return [figure for name in args.weights for figure in _of(name, args.latents, args.seed)]


def _of(name: str, count: int, seed: int) -> list[Figure]:
    loaded = weights.load(SHIPPED / f"{name}.safetensors")
    network = weights.build(loaded)
    seen = directions.look(network, loaded.config.dataset)
    z = torch.randn(count, network.z_dim, generator=torch.Generator().manual_seed(seed_of(_JUDGE, seed)))
    found = directions.measured(seen.study, seen.values)
    return [Figure(f"{name}, {key}", _judge(network, z, key, v, loaded.config.dataset)) for key, v in found.items()]


@torch.inference_mode()
def _judge(network: Generator, z: Tensor, key: str, direction: Tensor, dataset: str) -> str:
    c = torch.arange(len(z)) % network.classes if network.classes else None
    told, classifier = network.told(z, c), load(dataset)  # a push keeps the group, as in gan.latent
    pictures = [to_uint8(network(z + amount * direction, told)) for amount in range(-3, 4)]
    values = torch.stack([directions.measure(images, [key])[key] for images in pictures], 1)  # [N, 7]
    labels = torch.stack([classifier(to_float(images)).argmax(1) for images in pictures[1:-1]], 1)  # [N, 5]
    return _words(values, labels, *ENOUGH.get(key, (0.0, "")))


def _words(values: Tensor, labels: Tensor, enough: float, unit: str) -> str:
    monotone = (values.diff(dim=1) > 0).all(1).double().mean()
    span = values[:, -1] - values[:, 0]
    kept = (labels == labels[:, 2:3]).all(1).double().mean()
    spans = f", at least {enough:g} {unit} in {(span >= enough).double().mean():.1%}" if unit else ""
    return f"monotone {monotone:.1%}, spans {span.median():.1f} {unit or 'px'} (median){spans}, class kept {kept:.1%}"
