"""The measures of a generator, each beside the same number for real pictures: what `python -m gan evaluate` prints.

`evaluate` is the one protocol that puts the formulas of gan/metrics/formulas.py together, so that every number printed
anywhere in the program means the same thing. What looks at the pictures is a network with `look`: the small
classifiers of gan/metrics/classifier.py, or Inception-v3 (gan/metrics/inception.py) for everything they cannot see.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import torch
from torch import Tensor

from gan.core.images import to_uint8
from gan.core.messages import say
from gan.core.seeds import Seeds, Stream, seed_of
from gan.data import catalog
from gan.metrics.classifier import FEATURES, MetricError, form_of, load, measured_sets
from gan.metrics.formulas import (
    BALL_NEIGHBOUR,
    DENSITY_NEIGHBOUR,
    KID_SUBSET,
    KID_SUBSETS,
    MODE_SHARE,
    SCORE_SPLITS,
    Manifold,
    agreement,
    class_histogram,
    closeness,
    closer_probability,
    copied_share,
    feature_stats,
    frechet_distance,
    inception_score,
    kernel_distance,
    manifold,
    mean_confidence,
    modes_covered,
    neighbour_measures,
)

SAMPLES = 10_000
LEAST_SAMPLES, MOST_SAMPLES = 2 * FEATURES, 60_000
BATCH = 250
JUDGED = 1000  # pictures at most whose nearest training pictures are looked for, in pixels
LEAST_JUDGED = 100
EXTRAS = ("kid", "neighbours", "copies")  # groups that cost some seconds each


Sample = Callable[[Tensor, Tensor | None], Tensor]  # (z [N, z_dim], labels [N] or None) -> pictures [N, C, H, W]
Progress = Callable[[str], None]
Made = TypeVar("Made")


class Network(Protocol):
    """What the measures look through: MetricNetwork, or Inception."""

    name: str

    def look(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features [N, F] and logits [N, classes] of pictures uint8 [N, C, H, W]."""


# ---- pictures -> features ----


@torch.inference_mode()
def extract(network: Network, images: Tensor | Iterable[Tensor], batch: int = BATCH) -> tuple[Tensor, Tensor]:
    """Features float64 [N, F] and logits [N, classes] of pictures uint8 [N, C, H, W], or of batches of them."""
    batches = images.split(batch) if isinstance(images, Tensor) else images
    parts = [(features.double(), logits) for features, logits in map(network.look, batches)]
    if not parts:
        raise MetricError(say("metrics.nothing_to_measure"))
    features, logits = zip(*parts, strict=True)
    return torch.cat(features), torch.cat(logits)


# ---- what was found ----


@dataclass(frozen=True)
class Report:
    """What `evaluate` found. Every `real_` field is the same measure of real pictures; None: not measured."""

    dataset: str
    network: str
    features: int  # numbers in which the network describes a picture
    split: str  # which real pictures the others are held against
    real_split: str  # which real pictures the "real" column is about
    samples: int
    real_count: int
    seed: int
    network_accuracy: float | None  # on the test split; None for a network that does not know these classes
    fid: float
    real_fid: float
    inception_score: float
    real_inception_score: float
    kid: float | None = None
    real_kid: float | None = None
    precision: float | None = None
    real_precision: float | None = None
    recall: float | None = None
    real_recall: float | None = None
    density: float | None = None
    real_density: float | None = None
    coverage: float | None = None
    real_coverage: float | None = None
    copied: float | None = None
    real_copied: float | None = None
    judged: int = JUDGED  # pictures that were looked at for this
    closer: float | None = None
    real_closer: float | None = None
    histogram: tuple[int, ...] | None = None
    real_histogram: tuple[int, ...] | None = None  # labels the network gives to the test split
    modes: int | None = None
    real_modes: int | None = None
    confidence: float | None = None
    real_confidence: float | None = None  # on the test split, which the network never saw
    agreement: float | None = None  # None when no class was asked for
    attributes: dict[str, tuple[float, ...]] | None = None  # for each attribute the share of every value
    real_attributes: dict[str, tuple[float, ...]] | None = None  # what the network tells of the test split

    def lines(self) -> list[str]:
        """A table for a terminal or a model card: measure, generated, real, protocol."""
        names = catalog.describe(self.dataset).class_names if self.histogram else ()
        width = max(26, 13 + max(map(len, names), default=0))
        rows = self._rows() + self._class_rows(names)
        return [
            f"{self.samples:,} generated pictures (seed {self.seed}, rounded to 8 bits as when saved), data set "
            f"{self.dataset}.",
            f"Network: {self.network}{self._accuracy()}.",
            f"Real pictures they are held against: {self.split} ({self.real_count:,}); real against real: "
            f"{self.real_split}.",
            "",
            f"{'measure':<{width}}{'generated':>10}{'real':>10}  protocol",
            *(f"{name:<{width}}{fake:>10}{real:>10}  {how}".rstrip() for name, fake, real, how in rows),
            *self._attribute_lines(width),
        ]

    def _accuracy(self) -> str:
        return "" if self.network_accuracy is None else f", {self.network_accuracy:.2%} right on the test split"

    def _rows(self) -> list[tuple[str, str, str, str]]:
        """One row for each measure that was taken."""
        facts = {"features": self.features, "classes": len(self.histogram or ()), "judged": self.judged}
        rows = []
        for name, field, form, how in _MEASURES:
            fake, real = getattr(self, field), getattr(self, f"real_{field}", None)
            if field == "agreement":
                real = self.network_accuracy
            if fake is not None:
                rows.append((name, form.format(fake, **facts), form.format(real, **facts), how.format(**facts)))
        ratio = f"{self.fid / self.real_fid:.2f}" if round(self.real_fid, 3) else "-"
        return [rows[0], ("FID, times real", ratio, "1.00", "the same, divided by the real one"), *rows[1:]]

    def _class_rows(self, names: tuple[str, ...]) -> list[tuple[str, str, str, str]]:
        fake_shares, real_shares = _shares(self.histogram or ()), _shares(self.real_histogram or ())
        shares = zip(names, fake_shares, real_shares, strict=True)
        rows = [(f"  share of {name}", f"{fake:.2%}", f"{real:.2%}", "") for name, fake, real in shares]
        how = "share that the network calls this class; real: test split"
        return [(*row[:3], "" if i else how) for i, row in enumerate(rows)]  # said once

    def _attribute_lines(self, width: int) -> list[str]:
        """Every attribute, and below it each value: share of the generated and of the real pictures."""
        if self.attributes is None or self.real_attributes is None:
            return []
        lines = []
        for name, attribute in catalog.describe(self.dataset).attributes.items():
            lines.append(attribute.title)
            both = zip(attribute.values, self.attributes[name], self.real_attributes[name], strict=True)
            lines += [f"{'  ' + value:<{width}}{fake:>10.2%}{real:>10.2%}" for value, fake, real in both]
        return lines


def _shares(histogram: Sequence[int]) -> list[float]:
    return [count / sum(histogram) for count in histogram]


# name, field of the Report, how its numbers are written, protocol
_MEASURES = (
    ("FID (lower is better)", "fid", "{:.3f}", "{features} features of the network; not comparable between networks"),
    (
        "KID (lower)", "kid", "{:.3f}",
        f"the same features; mean of {KID_SUBSETS} subsets of at most {KID_SUBSET:,} pictures",
    ),
    (
        "inception score (higher)", "inception_score", "{:.3f}",
        f"softmax of the network, mean of {SCORE_SPLITS} splits",
    ),
    ("precision (higher)", "precision", "{:.4f}", f"neighbour {BALL_NEIGHBOUR}: share within reach of real pictures"),
    ("recall (higher)", "recall", "{:.4f}", f"neighbour {BALL_NEIGHBOUR}: share of real ones within reach of these"),
    ("density (about the real)", "density", "{:.4f}", f"neighbour {DENSITY_NEIGHBOUR}: how crowded by real ones"),
    ("coverage (higher)", "coverage", "{:.4f}", f"neighbour {DENSITY_NEIGHBOUR}: share of real pictures met"),
    (
        "copied (about 1 %)", "copied", "{:.2%}",
        "of {judged:,}: closer to training pictures than the closest 1 % of {judged:,} test pictures; pixels",
    ),
    ("closer than held out", "closer", "{:.3f}", "AUROC of the same distances; 0.5: no closer than test pictures"),
    ("modes covered", "modes", "{}/{classes}", f"classes with at least {MODE_SHARE:.0%} of them; real: test split"),
    ("mean confidence", "confidence", "{:.4f}", "mean of the largest softmax output; real: test split"),
    ("agreement with class", "agreement", "{:.2%}", "most probable class is the class asked for; real: its label"),
)  # fmt: skip


# ---- the protocol ----


@dataclass(frozen=True)
class SampleFeatures:
    """Pictures and what a network makes of them."""

    images: Tensor  # uint8 [N, C, H, W]
    features: Tensor  # float64 [N, F]
    logits: Tensor  # [N, classes]


class _Reference:
    """The real pictures of a data set through one network: what every evaluation needs again, made when needed."""

    def __init__(self, dataset: str, network: Network, own_dir: Path | None = None) -> None:
        train, test = (catalog.load(dataset, split, own_dir) for split in ("train", "test"))
        self.network, self.dataset = network, dataset
        self.held_out = not torch.equal(train.images, test.images)
        self.train, self.labels = train.images, test.labels
        # Where nothing was held back, every other picture stands against the rest.
        self.pictures = test.images if self.held_out else test.images[::2]
        self.others = train.images if self.held_out else test.images[1::2]
        fewest = min(len(self.pictures), len(self.others))
        if fewest <= DENSITY_NEIGHBOUR:
            which = say("metrics.test_pictures") if self.held_out else say("metrics.pictures_in_halves")
            raise MetricError(say("metrics.too_small", least=DENSITY_NEIGHBOUR + 1, which=which, fewest=fewest))
        self.seen = _seen(network, self.pictures)
        self.stats = feature_stats(self.seen.features)
        self.judged = min(JUDGED, len(self.pictures) // 3)
        self._kept: dict[Hashable, object] = {}

    @property
    def manifold(self) -> Manifold:
        return self._once("manifold", lambda: manifold(self.seen.features))

    def closeness(self, images: Tensor, seen: int) -> Tensor:
        """`closeness` of the first `judged` of images to the first `seen` training pictures (0: all), in pixels."""
        train, others = self.train[: seen or None], self.pictures[2 * self.judged :]
        return closeness(*(x.flatten(1) for x in (images[: self.judged], train, others)))

    def closeness_of_real(self, start: int, seen: int) -> Tensor:
        """The same of `judged` held-out pictures, from `start` on."""
        return self._once(("judged", start, seen), lambda: self.closeness(self.pictures[start:], seen))

    def real(self, n: int, extras: tuple[str, ...], seen: int) -> dict[str, float]:
        """The measures of n other real pictures."""
        other = self._once(n, lambda: _seen(self.network, self.others[:n]))
        kept = self._once((n, seen), dict)
        for group in ("fid", *extras):
            if group not in kept:
                kept[group] = _GROUPS[group](other, self, seen, real=True)
        return {name: value for group in kept.values() for name, value in group.items()}

    def _once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        if key not in self._kept:
            self._kept[key] = make()
        return cast(Made, self._kept[key])  # what this key's `make` made


def _seen(network: Network, images: Tensor | Iterable[Tensor]) -> SampleFeatures:
    parts = list(images.split(BATCH) if isinstance(images, Tensor) else images)
    return SampleFeatures(torch.cat(parts) if parts else torch.empty(0), *extract(network, parts))


def _fid(seen: SampleFeatures, reference: _Reference, limit: int, real: bool) -> dict[str, float]:
    # The network has seen the training pictures, so what it says of real ones is taken from those it has not.
    logits = reference.seen.logits if real else seen.logits
    distance = frechet_distance(feature_stats(seen.features), reference.stats)
    return {"fid": distance, "inception_score": inception_score(logits)}


def _kid(seen: SampleFeatures, reference: _Reference, limit: int, real: bool) -> dict[str, float]:
    rng = torch.Generator().manual_seed(seed_of(Stream.KID_SUBSETS))
    return {"kid": kernel_distance(seen.features, reference.seen.features, rng)}


def _neighbours(seen: SampleFeatures, reference: _Reference, limit: int, real: bool) -> dict[str, float]:
    return neighbour_measures(reference.manifold, manifold(seen.features))._asdict()


def _copies(seen: SampleFeatures, reference: _Reference, limit: int, real: bool) -> dict[str, float]:
    """Nothing where no pictures, or too few, were held back: what is new cannot be known there."""
    if not reference.held_out or reference.judged < LEAST_JUDGED:
        return {}
    found = reference.closeness_of_real(reference.judged, limit) if real else reference.closeness(seen.images, limit)
    yardstick = reference.closeness_of_real(0, limit)
    return {"copied": copied_share(found, yardstick), "closer": closer_probability(found, yardstick)}


_GROUPS = {"fid": _fid, "kid": _kid, "neighbours": _neighbours, "copies": _copies}


def _classes(logits: Tensor, labels: Tensor | None) -> dict[str, Any]:
    """What only a network that knows the data set's own classes can say."""
    histogram = class_histogram(logits, logits.shape[1])
    found = {"histogram": tuple(histogram.tolist()), "modes": modes_covered(histogram)}
    found["confidence"] = mean_confidence(logits)
    return found | {"agreement": None if labels is None else agreement(logits, labels)}


def _attributes(dataset: str, seen: SampleFeatures) -> dict[str, tuple[float, ...]] | None:
    """The share of every value of every attribute; None where none are known."""
    known = catalog.DATA[dataset].attributes
    if not known:
        return None
    found = zip(known.items(), load(dataset).attributes(seen.features), strict=True)
    return {name: tuple(_shares(class_histogram(labels, len(a.values)).tolist())) for (name, a), labels in found}


@lru_cache(maxsize=4)
def _reference(dataset: str) -> _Reference:
    return _Reference(dataset, load(dataset))


def evaluate(
    sample: Sample,
    z_dim: int,
    classes: int,
    dataset: str,
    n: int = SAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
    extras: tuple[str, ...] = EXTRAS,
    seen: int = 0,
    through: Network | None = None,
    own_dir: Path | None = None,
) -> Report:
    """Measure a generator: n pictures from latents that are a function of (seed, n, z_dim), classes in equal parts.

    sample: (z float [N, z_dim], labels int64 [N] or None) -> pictures [N, C, H, W], about [-1, 1].
    classes: 0 for a generator that is not told one.
    extras: which of EXTRAS to measure beside FID, inception score and classes.
    seen: the generator learned from so many training pictures, the first ones (0: from all).
    through: a network for pictures of any kind, which knows nothing of the data set's classes (Inception-v3);
        None: the data set's own one, for grey pictures of 28 x 28.

    Raises MetricError when the data set has no metric network, or the pictures are not of its kind and finite.
    """
    if through is None:
        check_measurable(dataset, classes, n)
    reference = _reference(dataset) if through is None else _Reference(dataset, through, own_dir)
    n = min(n, len(reference.others))  # as many as there are real ones to compare with
    z, labels = latents(n, z_dim, classes, seed)
    drawn = _seen(reference.network, in_batches(sample, z, labels, progress))
    report = _report(drawn, reference, extras, seen) | {"seed": seed}
    if through is not None:
        return Report(**report, network=through.name, network_accuracy=None)
    known, fake = _classes(reference.seen.logits, None), _classes(drawn.logits, labels)
    real = {f"real_{name}": known[name] for name in ("histogram", "modes", "confidence")}
    fake["attributes"], real["real_attributes"] = (_attributes(dataset, part) for part in (drawn, reference.seen))
    accuracy = agreement(reference.seen.logits, reference.labels)
    network = f"gan/metrics/classifier.py for {dataset}"
    return Report(**report, **fake, **real, network=network, network_accuracy=accuracy)


def _report(drawn: SampleFeatures, reference: _Reference, extras: tuple[str, ...], seen: int) -> dict[str, Any]:
    n, held_out = len(drawn.features), reference.held_out
    fake: dict[str, float] = {}
    for group in ("fid", *extras):
        fake |= _GROUPS[group](drawn, reference, seen, real=False)
    real = reference.real(n, extras, seen)
    return {
        "dataset": reference.dataset,
        "samples": n,
        "features": drawn.features.shape[1],
        "split": "the whole test split" if held_out else "every other picture of the data set, none being held back",
        "real_split": f"the first {n:,} training pictures" if held_out else f"{n:,} of the rest",
        "real_count": len(reference.pictures),
        "judged": reference.judged,
        **fake,
        **{f"real_{name}": real[name] for name in fake},
    }


def check_measurable(dataset: str, classes: int = 0, n: int = SAMPLES) -> None:
    """Refuse, in words, what `evaluate` cannot measure; costs nothing."""
    if dataset not in (known := measured_sets()):
        name = say("metrics.own_set") if dataset.startswith("own-") else repr(dataset[:60])
        raise MetricError(say("metrics.not_measurable", name=name, known=known))
    wanted = form_of(dataset).classes
    if classes not in (0, wanted):
        raise MetricError(say("metrics.other_classes", classes=classes, dataset=dataset, wanted=wanted))
    if not LEAST_SAMPLES <= n <= MOST_SAMPLES:
        raise MetricError(say("metrics.wrong_number", least=LEAST_SAMPLES, most=MOST_SAMPLES, number=n))


def latents(n: int, z_dim: int, classes: int, seed: int = 0) -> tuple[Tensor, Tensor | None]:
    """z [n, z_dim] and labels [n] in equal parts, or None without classes: a function of the arguments."""
    rng = torch.Generator().manual_seed(Seeds(seed, 1).of(Stream.EVALUATED))
    return torch.randn(n, z_dim, generator=rng), torch.arange(n) % classes if classes else None


def in_batches(sample: Sample, z: Tensor, labels: Tensor | None, progress: Progress | None = None) -> Iterable[Tensor]:
    """Batches of generated pictures as they would be saved, uint8 [N, C, H, W]."""
    for start in range(0, len(z), BATCH):
        rows = slice(start, start + BATCH)
        pictures = sample(z[rows], None if labels is None else labels[rows])
        if not pictures.isfinite().all():
            raise MetricError(say("metrics.draws_not_finite"))
        if progress and start % (4 * BATCH) == 0:
            progress(say("metrics.drawn", done=start + len(pictures), total=len(z)))
        yield to_uint8(pictures).cpu()
