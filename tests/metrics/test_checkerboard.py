"""Energy at the Nyquist frequency: closed forms, and agreement with a Fourier transform."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gan.metrics.checkerboard import nyquist_energy, times_real

SIGNS = torch.tensor([1, -1]).repeat(8)  # of 16 pixels


def saved(x: Tensor) -> Tensor:
    """[H, W] in [-1, 1] -> uint8 [1, 1, H, W]."""
    return ((x.double() + 1) * 127.5).round().byte()[None, None]


def test_closed_forms() -> None:
    plain = torch.ones(16, 16)
    assert nyquist_energy(saved(0.3 * plain)) == pytest.approx(0, abs=1e-9)
    assert nyquist_energy(saved(plain * SIGNS)) == pytest.approx(1)
    assert nyquist_energy(saved(plain * SIGNS[:, None])) == pytest.approx(1)
    assert nyquist_energy(saved(SIGNS[:, None] * SIGNS)) == pytest.approx(2)
    ramp = torch.linspace(-1, 1, 16).expand(16, 16)  # neighbours differ by 2/15: eight such pairs of sixteen pixels
    assert nyquist_energy(saved(ramp)) == pytest.approx((1 / 15) ** 2, rel=0.02)


def test_it_is_the_energy_of_the_fourier_transforms_last_frequency() -> None:
    images = torch.randint(0, 256, (5, 3, 12, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    x = images.double() / 127.5 - 1
    waves = [torch.fft.fft(x, dim=axis, norm="forward").select(axis, x.shape[axis] // 2) for axis in (3, 2)]
    assert nyquist_energy(images) == pytest.approx(float(sum(w.abs().square().mean() for w in waves)), rel=1e-5)


def test_times_real_is_a_ratio() -> None:
    fine = saved(torch.ones(16, 16) * SIGNS * 0.5)
    half = saved(torch.ones(16, 16) * SIGNS * 0.25)
    assert times_real(fine, fine) == pytest.approx(1)
    assert times_real(fine, half) == pytest.approx(4, rel=0.02)
    assert times_real(fine, torch.zeros_like(fine)) > 1e6  # real pictures without any are divided by almost nothing


def test_an_odd_last_line_is_left_out() -> None:
    odd = torch.ones(16, 17)
    odd[:, :16] *= SIGNS
    assert nyquist_energy(saved(odd)) == pytest.approx(1)
