"""What the pictures of a run are held against: real ones that it never saw, and a network that knows such pictures.

Digits and garments are looked at through the shipped metric networks. Where those do not fit (colour, 32 x 32 pixels,
both at once), a small classifier of the same design is trained for this purpose and kept beside the states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from gan.bench.corpus import KINDS, Dice, OwnSet
from gan.bench.corpus_states import PICTURES
from gan.core.seeds import Stream, seed_of
from gan.data.catalog import load
from gan.data.pictures import Pictures
from gan.metrics import classifier as metric_network
from gan.metrics import evaluate
from gan.metrics.classifier import CLASSES, Form, MetricError, View
from gan.metrics.formulas import (
    class_histogram,
    feature_stats,
    frechet_distance,
    manifold,
    modes_covered,
    within_reach,
)
from gan.monitor.live_metrics import Reference, reference_of

REFERENCE = 2000  # real pictures that others are held against
FEATURES = 32  # of a classifier trained here: few pictures tell no more of a covariance
EXAMPLES, LOOKED_AT = 10_000, 50_000  # pictures it learns from; how many it sees in all, again and again
HELD_BACK = 5  # one of so many tells how often it is right
BELIEVED = 0.8  # from this share on its classes are counted
PRESENT = 0.3  # of its even share: a class is drawn
VERSION = 1  # grows when a classifier would come out differently


# A classifier trained here ------------------------------------------------------------------------------------------


class Learned(NamedTuple):
    """How a kind of own pictures is learned. `labels(pictures)`: classes int64 [N], finer than those of the kind."""

    classes: int
    view: View
    labels: Callable[[Pictures], Tensor]


def _tint_too(pictures: Pictures) -> Tensor:
    """Ten digits times six colours: which of red, green and blue are there at all."""
    there = (pictures.images.amax((2, 3)) > 0).long() @ torch.tensor([1, 2, 4])  # [N], 1 to 6
    return pictures.labels * 6 + there - 1


def _digit_or_garment(pictures: Pictures) -> Tensor:
    half = len(pictures.labels) // 2
    return torch.cat([load("mnist").labels[:half], CLASSES + load("fashion-mnist").labels[:half]])


def _labels(pictures: Pictures) -> Tensor:
    return pictures.labels


_ON_WHITE = View(mirror=True, border=1.0)
LEARNED = {
    "emoji": Learned(9, _ON_WHITE, _labels),
    "grey emoji": Learned(9, _ON_WHITE, _labels),
    "tinted digits": Learned(60, View(), _tint_too),
    "digits and garments": Learned(20, View(), _digit_or_garment),
}


def classifier(kind: str, folder: Path) -> tuple[metric_network.MetricNetwork, float]:
    """The small classifier of a kind, and how often it is right; trained where `folder` does not keep it yet."""
    path = folder / f"{kind.replace(' ', '-')}-{VERSION}.safetensors"
    form = Form(KINDS[kind].channels, KINDS[kind].size, LEARNED[kind].classes, FEATURES)
    try:
        return metric_network.read(path, kind, form), metric_network.read_header(path, kind)["accuracy"]
    except MetricError:
        _train(kind, form, path)
    return classifier(kind, folder)


def _train(kind: str, form: Form, path: Path) -> None:
    learn, judge = examples(kind)
    epochs = LOOKED_AT // len(learn.images)
    network = metric_network.fit(learn, form, LEARNED[kind].view, epochs)
    path.parent.mkdir(parents=True, exist_ok=True)
    metric_network.save(network, path, {"dataset": kind, "accuracy": metric_network.accuracy(network, judge)})


def examples(kind: str) -> tuple[Pictures, Pictures]:
    """Labelled pictures to learn from, and those held back."""
    source = load(KINDS[kind].source)
    whole = Pictures(kind, *KINDS[kind].make(source, Dice(0)), KINDS[kind].classes)
    labels = LEARNED[kind].labels(whole)
    rng = torch.Generator().manual_seed(seed_of(Stream.YARDSTICK_EXAMPLES))
    rows = torch.randperm(len(labels), generator=rng)[:EXAMPLES]
    held = torch.arange(len(rows)) % HELD_BACK == 0
    learn, judge = (Pictures(kind, whole.images[r], labels[r], ()) for r in (rows[~held], rows[held]))
    return learn, judge


class Inverted:
    """The metric network of white on black, for pictures that are black on white."""

    name = "inverted"

    def __init__(self, network: metric_network.MetricNetwork) -> None:
        self.network = network

    def look(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.look(255 - images)


# The yardstick ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Yardstick:
    """`unseen`: real pictures that the run never saw and that are not in the reference."""

    network: evaluate.Network
    classes: int | None  # that can be counted; None where the network is not right often enough
    reference: Reference
    unseen: Pictures

    def seen(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features [N, F] and logits [N, classes] of pictures uint8 [N, C, H, W]."""
        return evaluate.extract(self.network, images)

    def far(self, features: Tensor) -> float:
        """Frechet distance from the reference."""
        return frechet_distance(feature_stats(features), self.reference.stats)

    def coverage(self, features: Tensor) -> float:
        """Share of the reference's pictures that have one of these within reach, as a share of what real ones reach."""
        met = within_reach(features, self.reference.near.features, self.reference.near.wide)
        return met.double().mean().item() / self.reference.real["real_coverage"]

    def modes(self, logits: Tensor) -> int | None:
        """How many classes these pictures show."""
        if self.classes is None:
            return None
        return modes_covered(class_histogram(logits, self.classes), PRESENT / self.classes)


def yardstick_of(dataset: str, own: OwnSet | None, folder: Path) -> Yardstick:
    """Of a run on `dataset`, or on the own set; classifiers are kept in `folder`."""
    if own is None:
        return Yardstick(metric_network.load(dataset), CLASSES, reference_of(dataset), load(dataset, "test"))
    network, classes = network_of(own.kind, folder)
    whole = own.population()
    train = torch.from_numpy(own.trained_on(len(whole.images)))
    rows = torch.cat([(~train).nonzero()[:, 0], train.nonzero()[:, 0]])  # those that it never saw first
    most = min(PICTURES, len(rows) // HELD_BACK)
    unseen, known = rows[:most], rows[most : most + REFERENCE]
    rest = Pictures(own.kind, whole.images[unseen], whole.labels[unseen], whole.class_names)
    return Yardstick(network, classes, _reference(network, whole.images[known], rest.images), rest)


def network_of(kind: str, folder: Path) -> tuple[evaluate.Network, int | None]:
    """What looks at a kind, and how many classes can be counted."""
    if kind in LEARNED:
        network, right = classifier(kind, folder)
        return network, LEARNED[kind].classes if right >= BELIEVED else None
    shipped = metric_network.load(KINDS[kind].source)
    return (Inverted(shipped) if kind == "black on white" else shipped), CLASSES


def _reference(network: evaluate.Network, known: Tensor, unseen: Tensor) -> Reference:
    """As gan/monitor/live_metrics.py has it for the shipped data sets."""
    features, others = (evaluate.extract(network, x)[0] for x in (known, unseen))
    near = manifold(features[:PICTURES])
    real = {
        "real_fid": frechet_distance(feature_stats(others), feature_stats(features)),
        "real_coverage": within_reach(others, near.features, near.wide).double().mean().item(),
    }
    return Reference(feature_stats(features), near, real)
