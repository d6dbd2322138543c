"""The formulas against closed forms, the papers' definitions written out slowly, and torch-fidelity."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from gan.metrics import formulas
from gan.metrics.classifier import MetricError


@pytest.fixture
def rng() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def gaussian(rng: torch.Generator, size: int = 6, rank: int = 12) -> formulas.Stats:
    """A random mean and a random covariance of at most the given rank."""
    root = torch.randn(size, rank, generator=rng, dtype=torch.float64)
    return torch.randn(size, generator=rng, dtype=torch.float64), root @ root.T / rank


def rotation(rng: torch.Generator, size: int) -> Tensor:
    return torch.linalg.qr(torch.randn(size, size, generator=rng, dtype=torch.float64)).Q


# ---- Fréchet distance ----


def test_distance_of_a_distribution_to_itself_is_zero(rng):
    stats = gaussian(rng)
    assert formulas.frechet_distance(stats, stats) == pytest.approx(0, abs=1e-12)


def test_distance_of_shifted_means_is_their_squared_length(rng):
    mean, cov = gaussian(rng)
    shift = torch.tensor([3.0, 0, 4, 0, 0, 0], dtype=torch.float64)
    assert formulas.frechet_distance((mean, cov), (mean + shift, cov)) == pytest.approx(25)


def test_distance_of_diagonal_covariances_is_that_of_their_roots():
    zero = torch.zeros(3, dtype=torch.float64)
    a, b = (torch.tensor(v, dtype=torch.float64) for v in ([1.0, 4, 9], [16.0, 4, 0]))
    wanted = (1 - 4) ** 2 + 0 + 3**2  # Dowson and Landau 1982: sum of (sigma_a - sigma_b)^2
    assert formulas.frechet_distance((zero, a.diag()), (zero, b.diag())) == pytest.approx(wanted)


def test_distance_of_commuting_covariances_is_that_of_their_eigenvalues(rng):
    axes, zero = rotation(rng, 5), torch.zeros(5, dtype=torch.float64)
    a, b = torch.rand(2, 5, generator=rng, dtype=torch.float64)
    covs = [axes @ values.diag() @ axes.T for values in (a, b)]
    wanted = (a.sqrt() - b.sqrt()).square().sum().item()
    assert formulas.frechet_distance((zero, covs[0]), (zero, covs[1])) == pytest.approx(wanted, abs=1e-7)


@pytest.mark.parametrize("rank", [12, 3])  # 3: covariances without full rank, as dead features give
def test_distance_agrees_with_numpy_and_scipy(rng, rank):
    a, b = gaussian(rng, rank=rank), gaussian(rng, rank=rank)
    means, covs = [s[0].numpy() for s in (a, b)], [s[1].numpy() for s in (a, b)]
    head = np.sum((means[0] - means[1]) ** 2) + np.trace(covs[0]) + np.trace(covs[1])

    trace = np.sqrt(np.linalg.eigvals(covs[0] @ covs[1]).astype(complex)).real.sum()
    assert formulas.frechet_distance(a, b) == pytest.approx(head - 2 * trace, abs=1e-5)

    if rank == 12:  # scipy's root is defined for matrices of full rank only
        linalg = pytest.importorskip("scipy.linalg")
        root = linalg.sqrtm(covs[0] @ covs[1])
        assert formulas.frechet_distance(a, b) == pytest.approx(head - 2 * np.trace(root).real, abs=1e-8)


def test_distance_is_symmetric_and_indifferent_to_rotation_and_order(rng):
    a, b = torch.randn(2, 400, 6, generator=rng, dtype=torch.float64)
    b = b @ torch.randn(6, 6, generator=rng, dtype=torch.float64) + 1
    distance = formulas.frechet_distance(formulas.feature_stats(a), formulas.feature_stats(b))
    turn, order = rotation(rng, 6), torch.randperm(400, generator=rng)

    def again(a: Tensor, b: Tensor) -> float:
        return formulas.frechet_distance(formulas.feature_stats(a), formulas.feature_stats(b))

    assert again(b, a) == pytest.approx(distance)
    assert again(a @ turn, b @ turn) == pytest.approx(distance)
    assert again(a[order], b) == pytest.approx(distance)
    assert again(a * 3, b * 3) == pytest.approx(distance * 9)


def test_feature_stats_are_those_of_numpy(rng):
    features = torch.randn(50, 4, generator=rng) * 5 + 100
    mean, cov = formulas.feature_stats(features)
    assert mean.dtype == cov.dtype == torch.float64
    np.testing.assert_allclose(mean, features.double().numpy().mean(0))
    np.testing.assert_allclose(cov, np.cov(features.double().numpy(), rowvar=False))
    with pytest.raises(MetricError, match="two rows"):
        formulas.feature_stats(features[:1])


# ---- classes and confidence ----


def test_histogram_counts_labels_and_logits_alike():
    labels = torch.tensor([0, 2, 2, 2])
    logits = torch.nn.functional.one_hot(labels, 4).float()
    assert formulas.class_histogram(labels, 4).tolist() == [1, 0, 3, 0]
    assert formulas.class_histogram(logits, 4).tolist() == [1, 0, 3, 0]


def test_a_mode_counts_from_three_percent_on():
    assert formulas.modes_covered(torch.tensor([94, 3, 2, 1])) == 2
    assert formulas.modes_covered(torch.tensor([94, 3, 2, 1]), threshold=0.01) == 4
    assert formulas.modes_covered(torch.zeros(4, dtype=torch.int64)) == 0


def test_confidence_is_one_for_certainty_and_one_tenth_for_none():
    assert formulas.mean_confidence(torch.zeros(5, 10)) == pytest.approx(0.1)
    assert formulas.mean_confidence(torch.eye(10) * 1e4) == pytest.approx(1)
    logits = torch.tensor([[3.0, 1.0]]).log()
    assert formulas.mean_confidence(logits) == pytest.approx(0.75)


def test_agreement_is_the_share_of_matches():
    logits = torch.eye(4)
    assert formulas.agreement(logits, torch.tensor([0, 1, 2, 0])) == 0.75


@pytest.mark.parametrize("classes", [1, 4, 10])
def test_score_of_clear_and_even_pictures_is_the_number_of_classes(classes):
    logits = 1e3 * torch.eye(classes).repeat(20, 1)
    assert formulas.inception_score(logits) == pytest.approx(classes)
    assert formulas.inception_score(torch.zeros(30, classes)) == pytest.approx(1)  # nothing is recognised
    assert formulas.inception_score(logits[:1].expand(30, -1)) == pytest.approx(1)  # always the same


def test_score_agrees_with_the_definition(rng):
    logits = 3 * torch.randn(60, 5, generator=rng)
    p = np.exp(logits.double().numpy())
    p /= p.sum(1, keepdims=True)
    scores = []
    for part in np.split(p, 3):
        divergences = [sum(q[y] * np.log(q[y] / part[:, y].mean()) for y in range(5)) for q in part]
        scores.append(np.exp(np.mean(divergences)))
    assert formulas.inception_score(logits, splits=3) == pytest.approx(np.mean(scores), rel=1e-9)


# ---- kernel distance ----


def textbook_mmd(a: np.ndarray, b: np.ndarray) -> float:
    """Gretton et al. 2012, eq. 3, term by term."""

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return (x @ y / len(x) + 1) ** 3

    def within(x: np.ndarray) -> float:
        return sum(k(p, q) for i, p in enumerate(x) for j, q in enumerate(x) if i != j) / (len(x) * (len(x) - 1))

    return within(a) + within(b) - 2 * sum(k(p, q) for p in a for q in b) / (len(a) * len(b))


def test_squared_mmd_agrees_with_the_definition(rng):
    a, b = torch.randn(2, 12, 4, generator=rng)
    b = b[:9] + 1
    assert formulas.squared_mmd(a, b) == pytest.approx(textbook_mmd(a.double().numpy(), b.double().numpy()))


def test_mmd_of_two_points_each_is_worked_out_by_hand():
    a, b = torch.tensor([[0.0], [1.0]]), torch.tensor([[2.0], [3.0]])
    within_a, within_b, between = 1, (2 * 3 + 1) ** 3, (1 + 1 + (2 + 1) ** 3 + (3 + 1) ** 3) / 4
    assert formulas.squared_mmd(a, b) == pytest.approx(within_a + within_b - 2 * between)


def test_kernel_distance_is_unbiased_and_leaves_its_generator_reproducible(rng):
    """Around zero for two halves of one distribution, whatever the size of the subsets."""
    x = torch.randn(4000, 3, generator=rng)
    found = [formulas.kernel_distance(x[::2], x[1::2], seeded(), 50, size) for size in (20, 200)]
    assert all(abs(value) < 0.2 for value in found)
    assert formulas.kernel_distance(x[::2], x[1::2] + 1, seeded(), 50, 20) > 2
    assert formulas.kernel_distance(x[::2], x[1::2], seeded(), 50, 20) == found[0]


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


# ---- neighbours ----


def textbook_neighbours(real: np.ndarray, fake: np.ndarray, k: int = 3, wide: int = 5) -> list[float]:
    """Kynkäänniemi et al. 2019, eq. 1-2, and Naeem et al. 2020, eq. 4-5, one pair of pictures after the other."""

    def gap(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.sqrt(((x - y) ** 2).sum()))

    def radius(x: np.ndarray, i: int, k: int) -> float:
        return sorted(gap(x[i], y) for j, y in enumerate(x) if j != i)[k - 1]

    def inside(x: np.ndarray, centres: np.ndarray) -> bool:
        return any(gap(x, c) <= radius(centres, i, k) for i, c in enumerate(centres))

    balls = [radius(real, i, wide) for i in range(len(real))]
    density = sum(gap(f, r) < ball for f in fake for r, ball in zip(real, balls, strict=True)) / (wide * len(fake))
    coverage = np.mean([any(gap(f, r) < ball for f in fake) for r, ball in zip(real, balls, strict=True)])
    return [
        np.mean([inside(f, real) for f in fake]),
        np.mean([inside(r, fake) for r in real]),
        density,
        float(coverage),
    ]


def neighbours(real: Tensor, fake: Tensor) -> formulas.Neighbours:
    return formulas.neighbour_measures(formulas.manifold(real), formulas.manifold(fake))


@pytest.mark.parametrize("block", [7, 10**6])  # blocks of one row, and all at once
def test_neighbour_measures_agree_with_the_definitions(rng, monkeypatch, block):
    monkeypatch.setattr(formulas, "BLOCK", block)
    real, fake = torch.randn(26, 3, generator=rng), 0.7 * torch.randn(19, 3, generator=rng) + 0.5
    wanted = textbook_neighbours(real.double().numpy(), fake.double().numpy())
    assert 0 < wanted[0] < 1 and 0 < wanted[3] < 1
    assert list(neighbours(real, fake)) == pytest.approx(wanted, rel=1e-12)


def test_neighbour_measures_of_equal_and_of_distant_sets(rng):
    x = torch.randn(200, 4, generator=rng)
    same = neighbours(x, x.clone())
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1)
    assert same.density == pytest.approx(1, abs=0.01)  # each is in its own ball and in those of whom it is nearest to
    assert list(neighbours(x, x + 1000)) == [0, 0, 0, 0]


def test_half_of_the_kinds_is_half_of_the_coverage(rng):
    """Two far clusters, of which only one is drawn: precise, but half of the real pictures are missed."""
    near = torch.randn(600, 2, generator=rng)
    real = torch.cat([near[:200], near[200:400] + 1000])
    half = neighbours(real, near[400:])
    assert half.precision > 0.9
    assert half.coverage == pytest.approx(0.5, abs=0.05)
    assert half.recall == pytest.approx(0.5, abs=0.05)
    assert half.density == pytest.approx(1, abs=0.2)


def test_a_manifold_needs_a_fifth_neighbour():
    with pytest.raises(MetricError, match="at least 6 pictures"):
        formulas.manifold(torch.zeros(5, 2))


# ---- copies ----


def test_nearest_agrees_with_the_definition(rng, monkeypatch):
    a, b = torch.rand(9, 5, generator=rng), torch.randint(0, 256, (23, 5), generator=rng, dtype=torch.uint8)
    wanted = [min(float((x - y).square().sum().sqrt()) for y in b.float()) for x in a]
    for block in (1, 40, 10**6):
        monkeypatch.setattr(formulas, "BLOCK", block)
        assert formulas.nearest(a, b).tolist() == pytest.approx(wanted, rel=1e-5)


def test_copies_are_found_and_new_pictures_are_not(rng):
    train, test = torch.randn(600, 10, generator=rng), torch.randn(600, 10, generator=rng)
    held_out, others = test[:200], test[200:]
    yardstick = formulas.closeness(held_out, train, others)

    def found(pictures: Tensor) -> tuple[float, float]:
        close = formulas.closeness(pictures, train, others)
        return formulas.copied_share(close, yardstick), formulas.closer_probability(close, yardstick)

    new = torch.randn(200, 10, generator=rng)
    assert found(train[:200]) == (1, 1)
    share, closer = found(torch.cat([train[:50], new[:150]]))
    assert share == pytest.approx(0.25, abs=0.04) and 0.55 < closer < 0.7
    share, closer = found(new)
    assert share < 0.04 and closer == pytest.approx(0.5, abs=0.06)
    share, closer = found(0.1 * new)  # dull pictures are near to everything, but no copies
    assert share < 0.04 and closer < 0.6


def test_closer_probability_counts_pairs_and_half_of_the_ties(rng):
    fake, real = torch.randint(0, 6, (2, 40), generator=rng).float()
    pairs = [(f < r) + 0.5 * (f == r) for f in fake for r in real]
    assert formulas.closer_probability(fake, real) == pytest.approx(float(sum(pairs) / len(pairs)))


# ---- an independent library on the same features ----


def test_all_agree_with_torch_fidelity(rng):
    pytest.importorskip("torch_fidelity")
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torch_fidelity.metric_prc import prc_features_to_metric

    real = torch.randn(500, 16, generator=rng).relu()
    fake = (0.9 * torch.randn(500, 16, generator=rng) + 0.1).relu()
    stats = [formulas.feature_stats(x) for x in (fake, real)]
    theirs = fid_statistics_to_metric(*map(fid_features_to_statistics, (fake, real)), False)
    assert formulas.frechet_distance(*stats) == pytest.approx(theirs["frechet_inception_distance"], rel=1e-3)

    # One subset that is everything: nothing is left to chance.
    theirs = kid_features_to_metric(fake.double(), real.double(), kid_subsets=1, kid_subset_size=500, verbose=False)
    ours = formulas.kernel_distance(fake, real, seeded(), 1, 500)
    assert ours == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-3)

    theirs = isc_features_to_metric(fake, 10, shuffle=False)
    assert formulas.inception_score(fake) == pytest.approx(theirs["inception_score_mean"], rel=1e-3)

    theirs = prc_features_to_metric(fake.double(), real.double(), verbose=False)
    ours = neighbours(real, fake)
    assert ours.precision == pytest.approx(theirs["precision"], rel=1e-3)
    assert ours.recall == pytest.approx(theirs["recall"], rel=1e-3)
