"""How much of a checkerboard pictures have: their energy at the Nyquist frequency, the finest that pixels can hold.

Layers that double a picture can leave a pattern that changes sign from pixel to pixel (Odena et al. 2016,
"Deconvolution and checkerboard artifacts"); edges of things lie elsewhere in every picture, and nearly cancel.
"""

from __future__ import annotations

import torch
from torch import Tensor


def nyquist_energy(images: Tensor) -> float:
    """Energy of pictures uint8 [N, C, H, W] at the Nyquist frequency of their rows and of their columns.

    Of each row the alternating mean (first pixel minus second plus third …) is squared, likewise of each column; the
    means of both are added. Pixels count in [-1, 1]: stripes of one pixel from black to white have 1, a checkerboard 2.
    """
    x = images.float() / 127.5 - 1
    rows, columns = (_alternating_mean(x, axis).square().mean() for axis in (3, 2))
    return float(rows + columns)


def times_real(fake: Tensor, real: Tensor) -> float:
    """How many times as much energy generated pictures have at the Nyquist frequency as real ones, both uint8."""
    return nyquist_energy(fake) / max(nyquist_energy(real), 1e-12)


def _alternating_mean(x: Tensor, axis: int) -> Tensor:
    n = x.shape[axis] // 2 * 2  # an odd side has no Nyquist frequency: its last line is left out
    signs = torch.ones(n).index_fill_(0, torch.arange(1, n, 2), -1.0) / n
    return torch.tensordot(x.narrow(axis, 0, n), signs, dims=([axis], [0]))
