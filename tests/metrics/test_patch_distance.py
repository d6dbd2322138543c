"""The distance of patches is the paper's: closed forms, and what it must and must not see."""

from __future__ import annotations

import math

import pytest
import torch

from gan.metrics.patch_distance import _sliced, patch_distance

pytestmark = pytest.mark.slow


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def shipped(count: int = 400) -> torch.Tensor:
    from gan.data.catalog import load

    return load("emoji").images[:count]


def test_a_shift_has_its_closed_form():
    rows = torch.randn(2000, 1, generator=rng())
    assert math.isclose(_sliced(rows, rows + 0.5, rng()), 500, rel_tol=1e-4)  # along ±1 every number moves by a half


def test_a_shift_in_many_dimensions_is_seen_as_the_mean_projection():
    # E|u · d| over unit vectors u of F dimensions is |d| Γ(F/2) / (√π Γ((F + 1)/2)).
    dims, shift = 30, 2.0
    rows = torch.randn(500, dims, generator=rng())
    moved = rows + shift * torch.eye(dims)[0]
    mean = shift * math.exp(math.lgamma(dims / 2) - math.lgamma((dims + 1) / 2)) / math.sqrt(math.pi)
    found = sum(_sliced(rows, moved, rng(seed)) for seed in range(40)) / 40  # directions are few, so several draws
    assert math.isclose(found, 1000 * mean, rel_tol=0.03)


def test_it_sees_colour_blur_and_detail_and_not_the_order():
    real = shipped()
    same = patch_distance(real.flip(0), real, rng())
    swapped = real.flip(1)  # red for blue
    blurred = torch.nn.functional.avg_pool2d(real.float(), 2).repeat_interleave(2, 2).repeat_interleave(2, 3).byte()
    noisy = (real.float() + 40 * torch.randn(real.shape, generator=rng())).clamp(0, 255).byte()
    for other in (swapped, blurred, noisy):
        assert patch_distance(other, real, rng()) > 3 * same


def test_it_is_a_function_of_its_arguments():
    real = shipped(100)
    assert patch_distance(real[:50], real[50:], rng(3)) == patch_distance(real[:50], real[50:], rng(3))
