"""How far two sets of pictures are apart without any network: the sliced Wasserstein distance of their patches.

Karras et al. 2018 (https://arxiv.org/abs/1710.10196), section 5, for small pictures: what no metric network here can
see, such as colour, is compared patch by patch, at full size and at half of it.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

PICTURES = 1000  # of each set; fewer where a set is smaller
SIDE = 7  # of a patch, in pixels
PATCHES = 32  # of each picture and size
DIRECTIONS = 128


def patch_distance(a: Tensor, b: Tensor, rng: torch.Generator) -> float:
    """Mean sliced Wasserstein distance, times 1000 as in the paper, of pictures uint8 [N, C, H, W] and [M, C, H, W].

    From 0 (the same) up. Both sets are normalised by the colours of the second, so that distances are in its standard
    deviations.
    """
    count = min(len(a), len(b), PICTURES)
    chosen = [x[torch.randperm(len(x), generator=rng)[:count]].float() / 127.5 - 1 for x in (a, b)]
    levels = zip(finest(chosen[0]), finest(chosen[1]), strict=True)
    return sum(_sliced(*_normalised(*level, rng), rng) for level in levels) / 2


def finest(x: Tensor) -> tuple[Tensor, Tensor]:
    """Fine detail, which pictures x [N, C, H, W] have and half their size has not; half their size.

    The finest two levels of a Laplacian pyramid.
    """
    half = avg_pool2d(x, 2)
    return x - interpolate(half, size=x.shape[2:]), half


def views_of(x: Tensor) -> Tensor:
    """Every patch of pictures x [N, C, H, W] as [N, C, h, w, side, side], without a copy; a smaller picture is one."""
    side = min(SIDE, *x.shape[2:])
    return x.unfold(2, side, 1).unfold(3, side, 1)


def _normalised(a: Tensor, b: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Patches [N · PATCHES, C · SIDE · SIDE] of both, the second one's colours with mean 0 and deviation 1."""
    mean, deviation = b.mean((0, 2, 3), keepdim=True), b.std((0, 2, 3), keepdim=True).clamp(min=1e-6)
    return _patches((a - mean) / deviation, rng), _patches((b - mean) / deviation, rng)


def _patches(x: Tensor, rng: torch.Generator) -> Tensor:
    views = views_of(x)
    n, _, h, w = views.shape[:4]
    rows = torch.arange(n).repeat_interleave(PATCHES)
    y, z = (torch.randint(side, (n * PATCHES,), generator=rng) for side in (h, w))
    return views[rows, :, y, z].flatten(1)


def _sliced(a: Tensor, b: Tensor, rng: torch.Generator) -> float:
    """1000 × the mean Wasserstein-1 distance of the rows of a and b [N, F] along random directions."""
    directions = torch.randn(a.shape[1], DIRECTIONS, generator=rng)
    directions /= directions.norm(dim=0)
    along = [(x @ directions).sort(0).values for x in (a, b)]  # [N, DIRECTIONS], each column sorted
    return 1000 * (along[0] - along[1]).abs().mean().item()
