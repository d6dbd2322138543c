"""Comparing without any network: zero for the same pictures, larger for what is wrong, in its units."""

from __future__ import annotations

import pytest
import torch

from gan.metrics.patch_distance import finest
from gan.monitor.likeness import Likeness
from tests.conftest import make_pictures


def smooth(count: int, seed: int = 0, channels: int = 1) -> torch.Tensor:
    """Blobs on black: pictures in which neighbours are alike."""
    rng = torch.Generator().manual_seed(seed)
    x = torch.rand(count, channels, 7, 7, generator=rng)
    return torch.nn.functional.interpolate(x, scale_factor=4, mode="bilinear").pow(3) * 2 - 1


@pytest.mark.parametrize("channels", [1, 3])
def test_real_pictures_are_nearer_than_any_others(channels):
    """Noise, grey and inverted pictures are farther away by every distance than other pictures of the same kind are."""
    likeness = Likeness(smooth(500, channels=channels), 64)
    real = likeness.look(smooth(64, seed=1, channels=channels))
    rng = torch.Generator().manual_seed(2)
    others = (torch.rand(64, channels, 28, 28, generator=rng) * 2 - 1, torch.zeros(64, channels, 28, 28))
    for x in others:
        found = likeness.look(x)
        assert all(found[name] > 2 * real[name] for name in ("detail", "patches", "spectrum"))
    inverted = likeness.look(-smooth(64, seed=1, channels=channels))
    assert inverted["patches"] > 5 * real["patches"] and inverted["spectrum"] == pytest.approx(real["spectrum"])


@pytest.mark.parametrize("side", [*range(8, 18), 28, 63, 64])
def test_pictures_of_every_size_that_a_run_may_have_are_compared(side: int) -> None:
    """Small and odd ones too: own pictures have 8 to 64 pixels a side."""
    x = torch.nn.functional.interpolate(smooth(64), size=(side, side), mode="bilinear")
    same, other = Likeness(x, 64).look(x), Likeness(x, 64).look(-x)
    assert all(value.isfinite() for value in (*same.values(), *other.values()))
    assert other["patches"] > 5 * same["patches"] and same["patches"] < 0.3


def test_the_same_pictures_are_at_a_distance_of_almost_nothing():
    x = smooth(64)
    found = Likeness(x, 64).look(x)
    assert found["spectrum"] == 0 and found["correlation"] == pytest.approx(1)
    assert found["flat"] == 0 and found["saturated"] == 0
    assert found["patches"] < 0.1  # real pictures are cut elsewhere


def test_a_shift_of_brightness_is_the_distance_in_deviations():
    """Along a direction w all patches move by sum(w) times the shift; the mean over directions of |sum(w)| is known."""
    x = smooth(400, seed=3)
    likeness = Likeness(x, len(x))
    shift, level = 0.5, likeness._levels[1]
    expected = level._directions.sum(0).abs().mean() * shift / x.std()
    assert likeness.look(x + shift)["patches"].item() == pytest.approx(expected.item(), rel=0.1)
    assert likeness.look(x + shift)["detail"].item() == pytest.approx(likeness.look(x)["detail"].item(), abs=1e-4)


def test_what_is_seen_at_once():
    likeness = Likeness(smooth(500), 64)
    rng = torch.Generator().manual_seed(4)
    assert abs(likeness.look(torch.randn(64, 1, 28, 28, generator=rng).clamp(-1, 1))["correlation"]) < 0.05
    white = likeness.look(torch.ones(64, 1, 28, 28))
    assert white["flat"] == 1 and white["saturated"] > 0.5 and white["correlation"] == 0
    assert white["darkest"].item() == pytest.approx(2, abs=0.1)
    half = torch.ones(64, 1, 28, 28)
    half[:32, :, ::2] = -1
    assert likeness.look(half)["flat"] == 0.5
    grey = likeness.look(smooth(64) / 2 + 0.5)  # from 0 up, as relu paints
    assert grey["darkest"].item() == pytest.approx(1, abs=0.1)


def test_every_number_is_finite_whatever_is_looked_at():
    flat = torch.full((20, 3, 32, 32), 0.25)
    for real in (flat, flat[:1], make_pictures(8).images.float() / 127.5 - 1):
        likeness = Likeness(real, 64)
        for x in (torch.zeros(64, *real.shape[1:]), torch.rand(64, *real.shape[1:])):
            assert all(torch.isfinite(value) for value in likeness.look(x).values())


def test_detail_and_half_make_the_picture_again():
    x = smooth(4, seed=5)
    detail, half = finest(x)
    assert torch.allclose(detail + torch.nn.functional.interpolate(half, scale_factor=2), x)
