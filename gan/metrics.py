"""Measures of a generator: Fréchet distance, classes drawn, confidence, agreement with the class asked for.

The formulas are pure functions of features, logits and labels. `evaluate` is the one protocol that puts them
together, so that every number printed anywhere in the program means the same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from gan import data
from gan.metric_network import CHANNELS, CLASSES, EPOCHS, FEATURES, SIZE, MetricError, MetricNetwork, load, to_float
from gan.picture import to_uint8
from gan.seeds import seed_of

SAMPLES = 10_000
MODE_SHARE = 0.03  # a class counts as covered from here on; an even generator gives each of ten classes 0.10
BATCH = 250

_LATENTS = 21  # stream of randomness, see gan.seeds

Stats = tuple[Tensor, Tensor]  # mean [F] and covariance [F, F], float64
Sample = Callable[[Tensor, Tensor | None], Tensor]  # (z [N, z_dim], labels [N] or None) -> pictures [N, C, H, W]


# ---- formulas ----


def feature_stats(features: Tensor) -> Stats:
    """Mean [F] and unbiased covariance [F, F] of features [N, F], in float64."""
    if features.ndim != 2 or len(features) < 2:
        raise MetricError(f"A covariance needs at least two rows of features, not the shape {list(features.shape)}.")
    rows = features.double()
    mean = rows.mean(0)
    centred = rows - mean
    return mean, centred.T @ centred / (len(rows) - 1)


def frechet_distance(a: Stats, b: Stats) -> float:
    """Heusel et al. 2017, eq. 6: |m_a - m_b|² + tr(C_a + C_b - 2 (C_a C_b)^½).

    C_a C_b has the eigenvalues of C_a^½ C_b C_a^½, which is symmetric; so the root's trace needs no root of a matrix
    that is not, and no complex numbers (https://arxiv.org/abs/1706.08500).
    """
    (mean_a, cov_a), (mean_b, cov_b) = a, b
    root = _symmetric_root(cov_a)
    product = torch.linalg.eigvalsh(root @ cov_b @ root)  # [F]
    distance = (mean_a - mean_b).square().sum() + cov_a.trace() + cov_b.trace() - 2 * product.clamp(min=0).sqrt().sum()
    return max(0.0, distance.item())  # rounding can leave −1e−14 where two distributions are one


def _symmetric_root(cov: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(cov)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T


def class_histogram(logits_or_labels: Tensor, classes: int) -> Tensor:
    """How many pictures fall into each class, int64 [classes]; logits [N, classes] count for their largest."""
    labels = logits_or_labels.argmax(1) if logits_or_labels.ndim == 2 else logits_or_labels
    return torch.bincount(labels, minlength=classes)


def modes_covered(histogram: Tensor, threshold: float = MODE_SHARE) -> int:
    """Number of classes that hold at least `threshold` of all pictures."""
    return int((histogram >= threshold * histogram.sum()).sum()) if histogram.sum() else 0


def mean_confidence(logits: Tensor) -> float:
    """Mean over the pictures of the largest class probability (1/classes for noise, 1 for clear pictures)."""
    return logits.double().softmax(1).amax(1).mean().item()


def agreement(logits: Tensor, labels: Tensor) -> float:
    """Share of pictures whose most probable class is their label."""
    return (logits.argmax(1) == labels).double().mean().item()


# ---- pictures -> features ----


@torch.inference_mode()
def extract(network: MetricNetwork, images: Tensor | Iterable[Tensor], batch: int = BATCH) -> tuple[Tensor, Tensor]:
    """Features float64 [N, F] and logits [N, classes] of pictures uint8 [N, 1, 28, 28], or of batches of them."""
    batches = images.split(batch) if isinstance(images, Tensor) else images
    parts = []
    for part in batches:
        _check_pictures(part)
        features = network.features(to_float(part))
        parts.append((features.double(), network.head(features)))
    if not parts:
        raise MetricError("There are no pictures to measure.")
    features, logits = zip(*parts, strict=True)
    return torch.cat(features), torch.cat(logits)


def _check_pictures(images: Tensor) -> None:
    if images.dtype != torch.uint8:
        raise MetricError(f"The measures look at pictures as they are saved (uint8), not at {images.dtype}.")
    if images.ndim != 4 or tuple(images.shape[1:]) != (CHANNELS, SIZE, SIZE):
        raise MetricError(f"The measures look at grey pictures of {SIZE}×{SIZE}, not at {_in_words(images)}.")


def _in_words(images: Tensor) -> str:
    if images.ndim != 4:
        return f"numbers of the shape {list(images.shape)}"
    _, channels, height, width = images.shape
    return f"{'grey' if channels == 1 else f'{channels}-channel'} pictures of {width}×{height}"


# ---- the protocol ----


@dataclass(frozen=True)
class Report:
    """What `evaluate` found. Every `real_` field is the same measure of real pictures."""

    dataset: str
    samples: int
    seed: int
    network_accuracy: float  # on the test split
    fid: float  # generated pictures against the whole test split
    real_fid: float  # the first `samples` training pictures against the whole test split
    histogram: tuple[int, ...]
    real_histogram: tuple[int, ...]  # labels the network gives to the test split
    modes: int
    real_modes: int
    confidence: float
    real_confidence: float  # on the test split, which the network never saw
    agreement: float | None  # None when no class was asked for

    def lines(self) -> list[str]:
        """A table for a terminal or a model card: measure, generated, real, protocol."""
        classes = data.describe(self.dataset).class_names
        width = max(26, 13 + max(map(len, classes)))
        head = [
            f"{self.samples:,} generated pictures (seed {self.seed}, rounded to 8 bits as when saved), data set "
            f"{self.dataset}.",
            f"Network: gan/metric_network.py for {self.dataset}, {self.network_accuracy:.2%} right on the "
            f"{data.describe(self.dataset).title} test split.",
            "FID in the features of this network; not comparable with FIDs taken in Inception-v3.",
            "",
            f"{'measure':<{width}}{'generated':>10}{'real':>10}  protocol",
        ]
        rows = self._rows(classes)
        return head + [f"{name:<{width}}{fake:>10}{real:>10}  {how}".rstrip() for name, fake, real, how in rows]

    def _rows(self, classes: tuple[str, ...]) -> list[tuple[str, str, str, str]]:
        total, real_total = sum(self.histogram), sum(self.real_histogram)
        rows = [
            (
                "FID (lower is better)", f"{self.fid:.3f}", f"{self.real_fid:.3f}",
                f"{FEATURES} features, against all {real_total:,} test pictures; "
                f"real: the first {self.samples:,} training pictures",
            ),
            (
                "FID, times real", f"{self.fid / self.real_fid:.2f}" if self.real_fid else "-", "1.00",
                "the same, divided by the real one",
            ),
            (
                "modes covered", f"{self.modes}/{len(classes)}", f"{self.real_modes}/{len(classes)}",
                f"classes with at least {MODE_SHARE:.0%} of the pictures; real: test split",
            ),
            (
                "mean confidence", f"{self.confidence:.4f}", f"{self.real_confidence:.4f}",
                "mean of the largest softmax output; real: test split",
            ),
        ]  # fmt: skip
        if self.agreement is not None:
            how = "most probable class is the class asked for; real: its label, test split"
            rows.append(("agreement with class", f"{self.agreement:.2%}", f"{self.network_accuracy:.2%}", how))
        how = "share that the network calls this class; real: test split"
        for name, fake, real in zip(classes, self.histogram, self.real_histogram, strict=True):
            rows.append((f"  share of {name}", f"{fake / total:.2%}", f"{real / real_total:.2%}", how))
            how = ""  # said once
        return rows


@dataclass(frozen=True)
class _Reference:
    """What of the test pictures every evaluation needs again."""

    stats: Stats
    histogram: Tensor
    confidence: float
    accuracy: float


@lru_cache(maxsize=4)
def _reference(dataset: str) -> _Reference:
    test = data.load(dataset, "test")
    features, logits = extract(load(dataset), test.images)
    return _Reference(
        stats=feature_stats(features),
        histogram=class_histogram(logits, CLASSES),
        confidence=mean_confidence(logits),
        accuracy=agreement(logits, test.labels),
    )


@lru_cache(maxsize=16)
def real_fid(dataset: str, n: int = SAMPLES) -> float:
    """Real against real: the first n training pictures against the whole test split."""
    features, _ = extract(load(dataset), data.load(dataset, "train").images[:n])
    return frechet_distance(feature_stats(features), _reference(dataset).stats)


def evaluate(
    sample: Sample,
    z_dim: int,
    classes: int,
    dataset: str,
    n: int = SAMPLES,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Measure a generator: n pictures from latents that are a function of (seed, n, z_dim), classes in equal parts.

    sample: (z float [N, z_dim], labels int64 [N] or None) -> pictures [N, 1, 28, 28], about [-1, 1].
    classes: 0 for a generator that is not told one.

    Raises MetricError when the data set has no metric network, or the pictures are not grey 28 x 28 and finite.
    """
    check_measurable(dataset, classes, n)
    network = load(dataset)
    rng = torch.Generator().manual_seed(seed_of(seed, _LATENTS))
    z = torch.randn(n, z_dim, generator=rng)
    labels = torch.arange(n) % classes if classes else None
    features, logits = extract(network, _drawn(sample, z, labels, progress))
    reference = _reference(dataset)
    histogram = class_histogram(logits, CLASSES)
    return Report(
        dataset=dataset,
        samples=n,
        seed=seed,
        network_accuracy=reference.accuracy,
        fid=frechet_distance(feature_stats(features), reference.stats),
        real_fid=real_fid(dataset, n),
        histogram=tuple(histogram.tolist()),
        real_histogram=tuple(reference.histogram.tolist()),
        modes=modes_covered(histogram),
        real_modes=modes_covered(reference.histogram),
        confidence=mean_confidence(logits),
        real_confidence=reference.confidence,
        agreement=None if labels is None else agreement(logits, labels),
    )


def check_measurable(dataset: str, classes: int = 0, n: int = SAMPLES) -> None:
    """Refuse, in words, what `evaluate` cannot measure; costs nothing."""
    if dataset not in EPOCHS:
        raise MetricError(
            f"{str(dataset)[:60]!r} cannot be measured: only {' and '.join(EPOCHS)} have a metric network."
        )
    if classes not in (0, CLASSES):
        raise MetricError(f"The generator knows {classes} classes, but {dataset} has {CLASSES}.")
    if not 2 * FEATURES <= n <= 60_000:
        raise MetricError(f"FID needs between {2 * FEATURES} and 60,000 pictures, not {n:,}.")


def _drawn(
    sample: Sample, z: Tensor, labels: Tensor | None, progress: Callable[[str], None] | None
) -> Iterable[Tensor]:
    """Batches of generated pictures as they would be saved, uint8 [N, 1, 28, 28]."""
    for start in range(0, len(z), BATCH):
        rows = slice(start, start + BATCH)
        pictures = sample(z[rows], None if labels is None else labels[rows])
        if not pictures.isfinite().all():
            raise MetricError("The generator draws numbers that are not finite; there is nothing to measure.")
        if progress and start % (4 * BATCH) == 0:
            progress(f"{start + len(pictures):,} of {len(z):,} pictures drawn.")
        yield to_uint8(pictures).cpu()
