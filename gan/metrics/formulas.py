"""The formulas of the measures: pure functions of features, logits, labels and distances.

Shapes: features [N, F] and logits [N, classes], one row a picture; everything is computed in float64 unless said
otherwise. Distances between two large sets are taken in blocks, so that memory stays bounded whatever their sizes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gan.core.messages import say
from gan.metrics.classifier import MetricError

MODE_SHARE = 0.03  # a class counts as covered from here on; an even generator gives each of ten classes 0.10
BALL_NEIGHBOUR = 3  # Kynkäänniemi et al. 2019, section 2
DENSITY_NEIGHBOUR = 5  # Naeem et al. 2020, section 3
KID_SUBSETS, KID_SUBSET = 100, 1000
SCORE_SPLITS = 10
COPY_PERCENTILE = 0.01
BLOCK = 8_000_000  # distances held at a time

Stats = tuple[Tensor, Tensor]  # mean [F] and covariance [F, F], float64


# ---- Fréchet distance ----


def feature_stats(features: Tensor) -> Stats:
    """Mean [F] and unbiased covariance [F, F] of features [N, F], in float64."""
    if features.ndim != 2 or len(features) < 2:
        raise MetricError(say("metrics.covariance_needs", shape=str(list(features.shape))))
    rows = features.double()
    mean = rows.mean(0)
    centred = rows - mean
    return mean, centred.T @ centred / (len(rows) - 1)


def frechet_distance(a: Stats, b: Stats) -> float:
    """Heusel et al. 2017, eq. 6: |m_a - m_b|² + tr(C_a + C_b - 2 (C_a C_b)^½). From 0 (the same) up.

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


# ---- kernel distance ----


def kernel_distance(
    a: Tensor, b: Tensor, rng: torch.Generator, subsets: int = KID_SUBSETS, size: int = KID_SUBSET
) -> float:
    """KID, Bińkowski et al. 2018, section 4: the mean of unbiased MMD² over random subsets without repetition.

    Unlike FID it does not depend on how many pictures there are, on average; so it may come out below 0 where a and
    b are alike (https://arxiv.org/abs/1801.01401).
    """
    size = min(size, len(a), len(b))
    chosen = [[torch.randperm(len(x), generator=rng)[:size] for x in (a, b)] for _ in range(subsets)]
    return sum(squared_mmd(a[i], b[j]) for i, j in chosen) / subsets


def squared_mmd(a: Tensor, b: Tensor) -> float:
    """Gretton et al. 2012, eq. 3: the unbiased estimate of MMD² under the kernel of `_cubic`."""
    a, b = a.double(), b.double()
    within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (_cubic(a, a), _cubic(b, b))]
    return (within[0] + within[1] - 2 * _cubic(a, b).mean()).item()


def _cubic(a: Tensor, b: Tensor) -> Tensor:
    """k(x, y) = (x·y / F + 1)³, [N, M]."""
    base = torch.addmm(torch.ones((), dtype=a.dtype), a, b.T, alpha=1 / a.shape[1])
    return base * base * base


# ---- classes and confidence ----


def inception_score(logits: Tensor, splits: int = SCORE_SPLITS) -> float:
    """Salimans et al. 2016, section 4: exp E_x KL(p(y|x) ‖ p(y)), the mean over so many splits of the pictures.

    From 1 (nothing, or always the same, is recognised) to the number of classes (each clear, all equally often).
    The classes are the network's, so scores through different networks cannot be compared.
    """
    scores = [_score(part) for part in logits.double().tensor_split(splits) if len(part)]
    return sum(scores) / len(scores)


def _score(logits: Tensor) -> float:
    log_p = logits.log_softmax(1)
    log_mean = log_p.logsumexp(0) - math.log(len(logits))
    return (log_p.exp() * (log_p - log_mean)).sum(1).mean().exp().item()


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


# ---- neighbours ----


@dataclass(frozen=True)
class Manifold:
    """Where pictures of one kind lie: around each of the features [N, F] a ball to its k-th nearest other one."""

    features: Tensor
    balls: Tensor  # radii [N], k = BALL_NEIGHBOUR
    wide: Tensor  # radii [N], k = DENSITY_NEIGHBOUR


class Neighbours(NamedTuple):
    """Four answers to where two manifolds overlap; see `neighbour_measures`."""

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(features: Tensor) -> Manifold:
    """Raises MetricError where there are too few pictures for a fifth neighbour."""
    features, most = features.double(), DENSITY_NEIGHBOUR
    if len(features) <= most:
        raise MetricError(say("metrics.neighbours_need", least=most + 1, number=len(features)))
    blocks = [d.topk(most + 1, largest=False).values for d in distances(features, features)]  # itself is the first
    near = torch.cat(blocks)  # [N, most + 1]
    return Manifold(features, near[:, BALL_NEIGHBOUR].contiguous(), near[:, most].contiguous())


def neighbour_measures(real: Manifold, fake: Manifold) -> Neighbours:
    """Kynkäänniemi et al. 2019, eq. 1-2, and Naeem et al. 2020, eq. 4-5, all from one pass over the distances.

    precision: share of generated pictures inside some real one's ball (0 to 1; do they look real?).
    recall: share of real pictures inside some generated one's ball (0 to 1; is every kind drawn?).
    density: how many real balls hold a generated picture, divided by k (0 up; about 1 for real pictures).
    coverage: share of real pictures whose ball holds a generated one (0 to 1; less fooled by outliers than recall).
    https://arxiv.org/abs/1904.06991, https://arxiv.org/abs/2002.09797
    """
    precise, dense, at = 0, 0, 0
    recalled, nearest = torch.zeros(len(real.features), dtype=torch.bool), torch.full_like(real.wide, torch.inf)
    for d in distances(fake.features, real.features):  # [n, N]
        precise += int((d <= real.balls).any(1).sum())
        dense += int((d < real.wide).sum())
        recalled |= (d <= fake.balls[at : at + len(d), None]).any(0)
        nearest = torch.minimum(nearest, d.amin(0))
        at += len(d)
    share: list[float | Tensor] = [precise / at, recalled, dense / (DENSITY_NEIGHBOUR * at), nearest < real.wide]
    return Neighbours(*(x if isinstance(x, float) else x.double().mean().item() for x in share))


def within_reach(points: Tensor, centres: Tensor, radii: Tensor) -> Tensor:
    """Which of the balls [N] hold at least one of the points [n, F]; their share is Naeem's coverage."""
    return (torch.cdist(points, centres) < radii).any(0)


def distances(a: Tensor, b: Tensor) -> Iterator[Tensor]:
    """Euclidean distances between the rows of a [N, F] and b [M, F], some rows of the matrix [N, M] at a time."""
    for rows in a.split(max(1, BLOCK // len(b))):
        yield torch.cdist(rows, b)


# ---- copies ----


def nearest(a: Tensor, b: Tensor) -> Tensor:
    """Distance of each row of a [N, F] to the nearest row of b [M, F], [N] float32; b may be uint8, and huge."""
    found, a = torch.full((len(a),), torch.inf), a.float()
    for rows in b.split(max(1, BLOCK // max(len(a), b.shape[1]))):
        found = torch.minimum(found, torch.cdist(a, rows.float()).amin(1))
    return found


def closeness(pictures: Tensor, train: Tensor, others: Tensor) -> Tensor:
    """Distance to the nearest training picture over that to the nearest of other real ones, [N]; a copy has about 0.

    The second distance tells how rare such a picture is: a plain stroke is near to everything, and no copy. After
    Meehan et al. 2020, who compare both distances cell by cell (https://arxiv.org/abs/2004.05675).

    pictures [N, F], train [M, F], others [K, F]: pixels or features.
    """
    return nearest(pictures, train) / nearest(pictures, others).clamp(min=1e-6)


def copied_share(fake: Tensor, real: Tensor, percentile: float = COPY_PERCENTILE) -> float:
    """Share of generated pictures closer to training pictures than the closest 1 % of held-out ones (0.01: no copies).

    fake [N], real [M]: `closeness`.
    """
    return (fake < torch.quantile(real.double(), percentile)).double().mean().item()


def closer_probability(fake: Tensor, real: Tensor) -> float:
    """AUROC: how likely a generated picture is closer than a held-out one; 0.5 no copies, 1 copies only (Fawcett 2006).

    fake [N], real [M]: `closeness`; ties count half.
    """
    ordered = real.sort().values
    beaten = len(real) - torch.searchsorted(ordered, fake, right=True)
    tied = torch.searchsorted(ordered, fake, right=True) - torch.searchsorted(ordered, fake)
    return ((beaten + 0.5 * tied).double().mean() / len(real)).item()
