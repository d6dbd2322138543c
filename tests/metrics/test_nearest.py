"""Nearest training pictures, and when a picture is called nearly a copy."""

import pytest
import torch

from gan.data.catalog import load
from gan.metrics.classifier import load as load_network
from gan.metrics.nearest import SHOWN, RealPictures, features_of, nearest_other, nearest_rows

RNG = torch.Generator().manual_seed(3)
TRAIN, HELD = torch.randint(0, 256, (400, 20), generator=RNG, dtype=torch.uint8), torch.randint(
    0, 256, (120, 20), generator=RNG, dtype=torch.uint8
)  # fmt: skip


def test_a_training_picture_is_its_own_nearest_at_distance_0():
    for row in (0, 7, 399):
        found = RealPictures(TRAIN, HELD).near(TRAIN[row])
        assert found.rows[0] == row and found.distances[0] == 0 and found.score == 0 and found.copied


def test_the_nearest_are_those_of_a_sort_of_all_distances():
    x = HELD[5]
    rows, distances = nearest_rows(x, TRAIN, SHOWN)
    all_of_them = (TRAIN.double() - x.double()).norm(dim=1)
    assert torch.equal(rows, all_of_them.argsort()[:SHOWN])
    torch.testing.assert_close(distances.double(), all_of_them.sort().values[:SHOWN])


def test_blocks_do_not_change_what_is_found(monkeypatch):
    whole, others = nearest_rows(HELD[0], TRAIN, 3), nearest_other(TRAIN, torch.tensor([0, 50, 399]))
    monkeypatch.setattr("gan.metrics.nearest.BLOCK", 640)
    for a, b in zip(whole, nearest_rows(HELD[0], TRAIN, 3), strict=True):
        assert torch.equal(a, b)
    torch.testing.assert_close(nearest_other(TRAIN, torch.tensor([0, 50, 399])), others)


def test_the_nearest_other_of_points_on_a_line():
    rows = torch.tensor([[0.0], [1.0], [4.0], [4.5]])
    assert nearest_other(rows, torch.arange(4)).tolist() == [1, 1, 0.5, 0.5]


def test_one_in_a_hundred_new_pictures_passes_for_a_copy():
    """Held-out pictures and others drawn like them are judged alike; the limit is the closest 1 %."""
    rng = torch.Generator().manual_seed(1)
    draw = lambda n: torch.randn(n, 8, generator=rng)  # noqa: E731
    real, new = RealPictures(draw(1500), draw(1500)), draw(400)
    assert (real.scores <= real.limit).double().mean() == pytest.approx(0.01, abs=0.005)
    found = [real.near(x) for x in new]
    assert sum(f.copied for f in found) / len(found) < 0.04
    assert sum(f.lower for f in found) / len(found) == pytest.approx(0.5, abs=0.06)
    assert found[0].trained == 1500 and found[0].held == 1000 and found[0].judged == 500


def test_where_nothing_was_held_back_training_pictures_are_the_yardstick():
    real = RealPictures(TRAIN, None)
    assert real.near(TRAIN[3]).copied and real.near(TRAIN[3]).unseen is None
    new = real.near(HELD[0])
    assert not new.copied and new.score == new.distances[0]


@pytest.mark.slow
def test_a_shifted_copy_is_one_and_a_test_picture_is_none():
    train, test = load("mnist"), load("mnist", "test")
    real = RealPictures(train.images[:4000].flatten(1), test.images[:2000].flatten(1))
    copy = (train.images[17].float() * 0.9).byte().flatten()
    assert real.near(copy).rows[0] == 17 and real.near(copy).copied
    assert sum(real.near(x).copied for x in test.images[3000:3050].flatten(1)) <= 3


def test_features_do_not_depend_on_the_batch():
    network, images, done = load_network("mnist"), load("mnist", "test").images[:30], []
    parts = features_of(network, images, done.append, batch=12)
    torch.testing.assert_close(parts, network.look(images)[0])
    assert done == [12, 24, 30]
