"""Named directions: does a slider from -3 to 3 do what it says, and leave the digit what it was?

Directions are found from one stream of latents and judged on another, as a slider moves along them: those that are
fitted to the picture at hand (see gan.latent.steering) are fitted to each, and rounded as a link holds them. A latent
counts as monotone when its attribute grows at every one of six steps, and its class as kept when the metric network
sees the same digit at all five positions from -2 to 2. A direction towards a value of an attribute has reached it where
the network sees the value at 3, and has kept another attribute where its value there is that at 0.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping

import torch
from torch import Tensor

from gan.bench.common import Figure
from gan.core.flags import seed, whole
from gan.core.images import to_uint8
from gan.core.paths import WEIGHTS
from gan.core.seeds import Stream, seed_of
from gan.data.catalog import DATA
from gan.latent import directions, steering
from gan.latent.directions import Direction
from gan.latent.spec import packed, unpacked
from gan.metrics.classifier import load, to_float
from gan.models import weights_file
from gan.models.layers import Generator
from gan.training.threads import single_thread

HOLDS = (0.9, 0.85)  # reached, and others kept on average: the bars for a direction towards a value
ENOUGH = {"thickness": (1.0, "px"), "slant": (20.0, "°")}  # from -3 to 3; others only have to be monotone


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", nargs="+", default=["mnist-conditional", "mnist", "monsters", "faces"])
    parser.add_argument("--latents", type=whole(1, 10_000), default=200)
    parser.add_argument("--seeds", type=seed, nargs="+", default=[1], help="of the latents")


def measure(args: argparse.Namespace) -> list[Figure]:
    with single_thread():  # as in the app
        return [figure for name in args.weights for figure in _of(name, args.latents, args.seeds)]


def _of(name: str, count: int, seeds: list[int]) -> list[Figure]:
    loaded = weights_file.load(WEIGHTS / f"{name}.safetensors")
    network, dataset = weights_file.build(loaded), loaded.config.dataset
    seen = directions.look(network, dataset)
    if attributes := [found for found in seen.directions() if found.kind in ("attribute", "weak")]:
        return [
            f
            for seed in seeds
            for f in _of_attributes(f"{name}, seed {seed}", network, dataset, attributes, count, seed)
        ]
    return [f for seed in seeds for f in _of_seed(f"{name}, seed {seed}", network, dataset, seen.measured, count, seed)]


def _of_seed(
    name: str, network: Generator, dataset: str, common: Mapping[str, Tensor], count: int, seed: int
) -> list[Figure]:
    z = _judged(count, network.z_dim, seed)
    condition = network.condition(z, torch.arange(count) % network.classes if network.classes else None)
    fitted, seconds = _fitted(network, z, condition, common)
    found = {key: fitted.get(key, v.expand_as(z)) for key, v in common.items()}
    figures = [Figure(f"{name}, {key}", _judge(network, z, condition, key, v, dataset)) for key, v in found.items()]
    if not fitted:
        return figures
    words = f"median {1000 * statistics.median(seconds):.0f} ms, longest {1000 * max(seconds):.0f}"
    return [*figures, Figure(f"{name}, fit to one picture", words)]


def _judged(count: int, z_dim: int, seed: int) -> Tensor:
    rng = torch.Generator().manual_seed(seed_of(Stream.JUDGED_DIRECTIONS, seed))
    return torch.randn(count, z_dim, generator=rng)


@torch.inference_mode()
def _of_attributes(
    name: str, network: Generator, dataset: str, found: list[Direction], count: int, seed: int
) -> list[Figure]:
    """A line for each direction towards a value, and one for all that are not weak."""
    z, classifier, known = _judged(count, network.z_dim, seed), load(dataset), list(DATA[dataset].attributes.values())
    batches = torch.arange(count).split(directions.AT_ONCE)

    def told(push: Tensor, votes_anew: bool = False) -> Tensor:
        """The value of every attribute, [N, A]."""
        condition = network.condition(z + push if votes_anew else z, None)
        drawn = (network(z[rows] + push, None if condition is None else condition[rows]) for rows in batches)
        features = torch.cat([classifier.look(to_uint8(pictures))[0] for pictures in drawn])
        return torch.stack(classifier.attributes(features), 1)

    before, figures, shares = told(torch.zeros(network.z_dim)), [], []
    for direction in found:
        a, value = map(int, direction.key.split("-")[1:])
        after = told(directions.END * direction.vector, direction.may_change_cluster)
        reached = (after[:, a] == value).double().mean().item()
        same = (after == before).double().mean(0)
        others = torch.cat([same[:a], same[a + 1 :]])
        words = f"reached {reached:.0%}, others kept {others.mean():.0%}, least {others.min():.0%}"
        weak = direction.kind == "weak"
        figures.append(Figure(f"{name}, {known[a].title}: {known[a].values[value]}", words + ", weak" * weak))
        if not weak:
            shares.append((reached, others.mean().item(), others.min().item()))
    if not shares:
        return figures
    reached, kept, least = (statistics.median(column) for column in zip(*shares, strict=True))
    hold = sum(row[0] >= HOLDS[0] and row[1] >= HOLDS[1] for row in shares)
    words = f"medians: reached {reached:.0%}, others kept {kept:.0%}, least {least:.0%}; {hold} hold both bars"
    return [*figures, Figure(f"{name}, {len(shares)} directions that are not weak", words)]


def _fitted(
    network: Generator, z: Tensor, condition: Tensor | None, common: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], list[float]]:
    """The directions that are fitted, [N, z_dim] each, and the time of each fit."""
    fits, seconds = [], []
    for i in range(len(z)):
        started = time.perf_counter()
        fits.append(steering.steer(network, z[i : i + 1], None if condition is None else condition[i : i + 1], common))
        seconds.append(time.perf_counter() - started)
    return {key: torch.stack([unpacked(packed(fit[key])) for fit in fits]) for key in fits[0]}, seconds


@torch.inference_mode()
def _judge(network: Generator, z: Tensor, condition: Tensor | None, key: str, along: Tensor, dataset: str) -> str:
    """along: each latent's own vector, [N, z_dim]. A push keeps what a latent is told, as in gan.latent.spec."""
    classifier = load(dataset)
    pictures = [to_uint8(network(z + amount * along, condition)) for amount in range(-3, 4)]
    values = torch.stack([directions.measure(images, [key])[key] for images in pictures], 1)  # [N, 7]
    labels = torch.stack([classifier(to_float(images)).argmax(1) for images in pictures[1:-1]], 1)  # [N, 5]
    return _words(values, labels, *ENOUGH.get(key, (0.0, "")))


def _words(values: Tensor, labels: Tensor, enough: float, unit: str) -> str:
    monotone = (values.diff(dim=1) > 0).all(1).double().mean()
    span = values[:, -1] - values[:, 0]
    kept = (labels == labels[:, 2:3]).all(1).double().mean()
    spans = f", at least {enough:g} {unit} in {(span >= enough).double().mean():.1%}" if unit else ""
    return f"monotone {monotone:.1%}, spans {span.median():.1f} {unit or 'px'} (median){spans}, class kept {kept:.1%}"
