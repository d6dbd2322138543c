"""Finding test pictures: the class kept, the error beside the nearest training picture's, the time, and histograms.

Digits where nothing else is said; of monsters the class is the body, of faces the hair. The judge of the class is a
vote of the five nearest training pictures, which the search knows nothing of. Errors are distances over all pixels.
Digits that were looked at while the search was tuned are not among those that are drawn. Of weights with classes, also
how often a picture is drawn as the digit it is.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from gan.bench.common import Figure
from gan.core.flags import seed, whole
from gan.core.paths import WEIGHTS
from gan.core.seeds import Stream, seed_of
from gan.data import catalog
from gan.latent import directions, inversion
from gan.models import weights_file
from gan.models.layers import Generator
from gan.training.threads import single_thread

TUNED = 300, 77  # so many digits of torch.randperm with this seed were, or may be, used for tuning
VOTES = 5
COLUMNS = 40  # of a histogram


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", nargs="+", default=["mnist", "mnist-conditional"])
    parser.add_argument("--digits", type=whole(1, 10_000), default=200)
    parser.add_argument("--seed", type=seed, default=1)


def measure(args: argparse.Namespace) -> list[Figure]:
    with single_thread():  # as in the app
        return [figure for name in args.weights for figure in _measure(name, args.digits, args.seed)]


def _measure(name: str, digits: int, seed: int) -> list[Figure]:
    loaded = weights_file.load(WEIGHTS / f"{name}.safetensors")
    dataset, network = loaded.config.dataset, weights_file.build(loaded)
    train, test = catalog.load(dataset), catalog.load(dataset, "test")
    rows = _rows(len(test.images), digits, seed)
    seen = directions.study(network)
    found, seconds = zip(*(_search(network, dataset, seen, test.images[row]) for row in rows), strict=True)
    images = torch.stack([f.image for f in found])
    errors, (beside, neighbours) = _distances(images, test.images[rows]), _nearest(test.images[rows], train.images)
    nearest, votes = beside.amin(1), (_votes(train, _nearest(images, train.images)[1]), _votes(train, neighbours))
    kept, own = (_share(vote == test.labels[rows]) for vote in votes)
    ratio = (errors.median() / nearest.median()).item()
    for title, values in (
        ("pixels off (root mean square)", [f.error for f in found]),
        ("distance of the found picture", errors.tolist()),
        ("distance of the nearest training picture", nearest.tolist()),
        ("explained", [f.explained for f in found]),
        ("seconds", list(seconds)),
    ):
        print(histogram(f"{name}: {title}", values), flush=True)
    figures = [
        Figure(f"find, {name}, class kept", f"{kept} of {len(rows)} (as they are: {own})", "at least 85 %"),
        Figure(f"find, {name}, distance / nearest training picture's", f"medians {ratio:.2f}", "at most 1.3"),
        Figure(
            f"find, {name}, seconds",
            f"median {statistics.median(seconds):.2f}, longest {max(seconds):.2f}",
            "at most 3",
        ),
        Figure(
            f"find, {name}, called far outside",
            f"test pictures {sum(f.far for f in found)} of {len(rows)}, {_others(network, dataset, seen)}",
        ),
    ]
    if network.classes:
        drawn_as = _share(torch.tensor([f.label for f in found]) == test.labels[rows])
        figures.append(Figure(f"find, {name}, drawn as what it is", f"{drawn_as} of {len(rows)}"))
    return figures


def _share(true: Tensor) -> str:
    return f"{true.double().mean().item():.1%}"


def _rows(count: int, digits: int, seed: int) -> Tensor:
    tuned = torch.randperm(count, generator=torch.Generator().manual_seed(TUNED[1]))[: TUNED[0]]
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed_of(Stream.FOUND_DIGITS, seed)))
    return order[~torch.isin(order, tuned)][:digits]


def _search(
    network: Generator, dataset: str, seen: directions.SampleSet, target: Tensor
) -> tuple[inversion.Found, float]:
    started = time.perf_counter()
    *_, found = inversion.search(network, seen, target, inversion.opinion_of(network, dataset, target))
    return found, time.perf_counter() - started


def _others(network: Generator, dataset: str, seen: directions.SampleSet) -> str:
    """What these weights never learned: clothes (or digits), emoji, noise, as large as these pictures."""
    shape = seen.images.shape[1:]
    stranger = "mnist" if dataset == "fashion-mnist" else "fashion-mnist"
    kinds: dict[str, Callable[[], Tensor]] = {
        stranger: lambda: _like(catalog.load(stranger, "test").images[:20], shape),
        "emoji": lambda: _like(catalog.load("emoji").images[:1000:50], shape),
        "noise": lambda: torch.randint(0, 256, (5, *shape), generator=torch.Generator().manual_seed(0)).byte(),
    }
    words = []
    for kind, make in kinds.items():
        far = [_search(network, dataset, seen, image)[0].far for image in make()]
        words.append(f"{kind} {sum(far)} of {len(far)}")
    return ", ".join(words)


def _like(images: Tensor, shape: torch.Size) -> Tensor:
    """Pictures as those of a shape [C, H, W]: grey, or in colour, and as large."""
    channels, height, width = shape
    coloured = images.float() if channels > 1 else images.float().mean(1, keepdim=True)
    return (
        torch.nn.functional.interpolate(coloured, (height, width), mode="area")
        .expand(-1, channels, -1, -1)
        .round()
        .byte()
    )


def _distances(a: Tensor, b: Tensor) -> Tensor:
    return (a.float() - b.float()).flatten(1).norm(dim=1) / 255


def _nearest(images: Tensor, train: Tensor) -> tuple[Tensor, Tensor]:
    """Distances and rows of the nearest training pictures, [N, VOTES] each."""
    found = torch.cdist(images.flatten(1).float() / 255, train.flatten(1).float() / 255).topk(VOTES, largest=False)
    return found.values, found.indices


def _votes(train: catalog.Pictures, neighbours: Tensor) -> Tensor:
    """The class that most of the training pictures in these rows [N, VOTES] have, [N]."""
    return torch.mode(train.labels[neighbours], 1).values


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
