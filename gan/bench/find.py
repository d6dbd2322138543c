"""Finding test digits with the generator that has no classes: the class kept, the error beside the nearest training
picture's, the time, and histograms.

The judge of the class is a vote of the five nearest training pictures, which the search knows nothing of. Errors are
distances over all pixels. Digits that were looked at while the search was tuned are not among those that are drawn.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from gan import data, directions, inversion, weights
from gan.bench.common import Figure
from gan.bench.directions import SHIPPED
from gan.seeds import seed_of

_JUDGED = 32  # stream of randomness
TUNED = 40, 77  # so many digits of torch.randperm with this seed were used for tuning
VOTES = 5
COLUMNS = 40  # of a histogram


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", default="mnist")
    parser.add_argument("--digits", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)


def measure(args: argparse.Namespace) -> list[Figure]:
    """One thread, as in the app."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _measure(args)
    finally:
        torch.set_num_threads(threads)


def _measure(args: argparse.Namespace) -> list[Figure]:
    loaded = weights.load(SHIPPED / f"{args.weights}.safetensors")
    name, network = loaded.config.dataset, weights.build(loaded)
    train, test = data.load(name), data.load(name, "test")
    rows = _rows(len(test.images), args.digits, args.seed)
    seen = directions.study(network)
    found, seconds = zip(*(_search(network, seen, test.images[row]) for row in rows), strict=True)
    images = torch.stack([f.image for f in found])
    errors, nearest = _distances(images, test.images[rows]), _nearest(test.images[rows], train.images)[0].amin(1)
    labels = _votes(train, images)
    kept = (labels == test.labels[rows]).double().mean().item()
    ratio = (errors.median() / nearest.median()).item()
    print(histogram("distance of the found picture", errors.tolist()), flush=True)
    print(histogram("distance of the nearest training picture", nearest.tolist()), flush=True)
    print(histogram("explained", [f.explained for f in found]), flush=True)
    return [
        Figure("find, class kept", f"{kept:.1%} of {len(rows)} (bar: 85 %)"),
        Figure("find, distance / nearest training picture's", f"medians {ratio:.2f} (bar: at most 1.3)"),
        Figure("find, seconds", f"median {statistics.median(seconds):.2f}, longest {max(seconds):.2f} (bar: 3)"),
        Figure(
            "find, called far outside", f"digits {sum(f.far for f in found)} of {len(rows)}, {_others(network, seen)}"
        ),
    ]


def _rows(count: int, digits: int, seed: int) -> Tensor:
    tuned = torch.randperm(count, generator=torch.Generator().manual_seed(TUNED[1]))[: TUNED[0]]
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed_of(_JUDGED, seed)))
    return order[~torch.isin(order, tuned)][:digits]


def _search(network: torch.nn.Module, seen: directions.Study, target: Tensor) -> tuple[inversion.Found, float]:
    started = time.perf_counter()
    *_, found = inversion.search(network, seen, target)
    return found, time.perf_counter() - started


def _others(network: torch.nn.Module, seen: directions.Study) -> str:
    """What is no digit: clothes, emoji in grey, noise."""
    shape = seen.images.shape[1:]
    kinds: dict[str, Callable[[], Tensor]] = {
        "clothes": lambda: data.load("fashion-mnist", "test").images[:20],
        "emoji": lambda: _grey(data.load("emoji").images[:1000:50], shape[1]),
        "noise": lambda: torch.randint(0, 256, (5, *shape), generator=torch.Generator().manual_seed(0)).byte(),
    }
    words = []
    for kind, make in kinds.items():
        far = [_search(network, seen, image)[0].far for image in make()]
        words.append(f"{kind} {sum(far)} of {len(far)}")
    return ", ".join(words)


def _grey(images: Tensor, size: int) -> Tensor:
    grey = images.float().mean(1, keepdim=True)
    return torch.nn.functional.interpolate(grey, size, mode="area").round().byte()


def _distances(a: Tensor, b: Tensor) -> Tensor:
    return (a.float() - b.float()).flatten(1).norm(dim=1) / 255


def _nearest(images: Tensor, train: Tensor) -> tuple[Tensor, Tensor]:
    """Distances and rows of the nearest training pictures, [N, VOTES] each."""
    found = torch.cdist(images.flatten(1).float() / 255, train.flatten(1).float() / 255).topk(VOTES, largest=False)
    return found.values, found.indices


def _votes(train: data.Pictures, images: Tensor) -> Tensor:
    return torch.mode(train.labels[_nearest(images, train.images)[1]], 1).values


def histogram(title: str, values: list[float], bins: int = 10) -> str:
    """Values as rows of text, the fullest as wide as COLUMNS."""
    low, high = min(values), max(values)
    width = (high - low) / bins or 1.0
    counts = [0] * bins
    for value in values:
        counts[min(int((value - low) / width), bins - 1)] += 1
    bars = ["#" * round(COLUMNS * n / max(counts)) for n in counts]
    rows = [f"  from {low + i * width:6.3f}  {bar:{COLUMNS}} {counts[i]}" for i, bar in enumerate(bars)]
    return "\n".join([title, *rows])
