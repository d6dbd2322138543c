"""Convolutions with fewer multiplications: Winograd's F(4×4, 5×5), after Lavin & Gray 2016 (arXiv:1509.09308).

A tile of 4×4 results takes 8×8 products instead of 16 · 25, so a grid of 7×7 needs 256 instead of 1,225. The linear
maps before and after are products with constant matrices, one for each direction; autograd derives their backward pass.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import pad

TILE, TAPS = 4, 5
POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)  # and infinity: small, so that float32 loses less than a digit
WAVES = len(POINTS) + 1  # = TILE + TAPS − 1


def _at_points(coefficients: int) -> Tensor:
    """[8, coefficients]: a polynomial's values at the points; at infinity its leading coefficient."""
    finite = torch.tensor(POINTS, dtype=torch.float64)[:, None] ** torch.arange(coefficients)
    leading = torch.eye(coefficients, dtype=torch.float64)[-1:]
    return torch.cat([finite, leading])


@lru_cache(maxsize=8)
@torch.inference_mode(False)  # kept for training too, whoever asks first
def _matrices(side: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """For one direction of a grid: input [tiles, 8, side], kernel [8, 5], result [4, 8]."""
    tiles = -(-side // TILE)
    to_tile = torch.linalg.inv(_at_points(WAVES)).T  # [8, 8]
    line = torch.zeros(tiles, WAVES, side + tiles * TILE + TAPS, dtype=torch.float64)
    for t in range(tiles):
        line[t, :, t * TILE : t * TILE + WAVES] = to_tile
    inside = slice(TAPS // 2, TAPS // 2 + side)  # what lies outside is zero padding
    maps = (line[..., inside], _at_points(TAPS), _at_points(TILE).T)
    line, kernel, result = (m.to(device, dtype) for m in maps)
    return line, kernel, result


def same_conv5(x: Tensor, weight: Tensor) -> Tensor:
    """What `conv2d(x, weight, padding=2)` computes: x [N, C, S, S], weight [K, C, 5, 5] -> [N, K, S, S].

    In float32 the result is within 1e-5 of its own size (the root of the mean square), a direct sum within 2e-6.
    """
    (n, channels, side, _), made = x.shape, len(weight)
    line, kernel, result = _matrices(side, x.dtype, x.device)
    tiles = len(line)

    # Input: rows into (tile a, wave p), then columns into (wave q, tile b).
    v = line.flatten(0, 1) @ x.permute(2, 3, 0, 1).reshape(side, -1)  # [a · p, S · N · C]
    v = v.view(tiles, WAVES, side, -1).transpose(0, 1).transpose(1, 2).reshape(WAVES, side, -1)  # [p, S, a · N · C]
    v = line.transpose(0, 1).flatten(0, 1) @ v  # [p, q · b, a · N · C]
    # Kernel.
    u = kernel @ weight.permute(2, 3, 1, 0).reshape(TAPS, -1)  # [p, 5 · C · K]
    u = kernel @ u.view(WAVES, TAPS, -1)  # [p, q, C · K]

    m = v.view(WAVES**2, -1, channels) @ u.view(WAVES**2, channels, made)  # [p · q, b · a · N, K]

    y = result @ m.view(WAVES, -1)  # [4, q · b · a · N · K]
    y = result @ y.view(TILE, WAVES, -1)  # [4, 4, b · a · N · K]
    y = y.view(TILE, TILE, tiles, tiles, n, made).permute(4, 3, 0, 2, 1, 5)  # [N, a, 4, b, 4, K]
    y = y.reshape(n, tiles * TILE, tiles * TILE, made).permute(0, 3, 1, 2)
    return corner(y, tiles * TILE - side)  # [N, K, S, S]


def corner(x: Tensor, rest: int) -> Tensor:
    """x [N, C, H, W] without the last `rest` rows and columns: a copy, for batch norm takes far longer on a view."""
    return pad(x, (0, -rest, 0, -rest))
