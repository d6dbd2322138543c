"""A direction at one picture: the vector at whose two ends this picture looks as if it had been warped by hand. Pure.

A slope over many pictures (see gan.latent.directions) is true of their mean. Of digits without labels, whose groups
are alike in slant to begin with, it has changed the digit before that leans; one slope for each group does so too. So
the vector is fitted to the picture at hand, as Jahanian et al. 2020 ("On the steerability of GANs", section 3) fit one
to all pictures. Once fitted it is a direction like any other: fixed, written into the link, pushed along by any
amount.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from gan.latent.directions import END, LARGEST
from gan.metrics.stroke_attributes import slant
from gan.models.layers import Generator

STEERED = ("slant",)  # the measured directions for which there is a warp
PACE = 4.5  # degrees for a push of 1: 27 along the slider
ROUNDS, HALVINGS = 10, 8  # steps, and how often each may be halved; most are taken whole
DEGREES = 30.0  # so far from the wanted slant is as bad as every pixel half way wrong


def steer(
    generator: Generator,
    z: Tensor,
    condition: Tensor | None,
    common: Mapping[str, Tensor],
    check: Callable[[], None] = lambda: None,
) -> dict[str, Tensor]:
    """The directions [z_dim] of STEERED at one picture.

    Args:
        z: the picture's latent [1, z_dim]; condition: what it is told, [1], [1, classes or groups] or None.
        common: the measured directions that all pictures share (directions.measured), where the fit begins;
            those of STEERED that are missing there are missing in the result.
        check: called between two looks.
    """
    return {key: _leaning(generator, z, condition, common[key], check) for key in STEERED if key in common}


def _leaning(
    generator: Generator, z: Tensor, condition: Tensor | None, start: Tensor, check: Callable[[], None]
) -> Tensor:
    """Fitted to the pixels at both ends and to their slant. Without ink, `start` as it is."""
    ends = torch.tensor([[-END], [END]])
    both = None if condition is None else torch.cat([condition, condition])
    with torch.no_grad():
        picture = generator(z, condition)
        wanted = torch.cat([sheared(picture, float(end) * PACE) for end in ends])  # [2, C, H, W]
        lean = slant(_ink(wanted))

    def look(v: Tensor) -> tuple[float, Tensor]:
        check()
        v = v.clone().requires_grad_(True)
        drawn = generator(z + ends * v, both)
        loss = (drawn - wanted).square().mean() + ((slant(_ink(drawn)) - lean) / DEGREES).square().mean()
        return loss.item(), torch.autograd.grad(loss, v)[0]

    return descend(look, start, ROUNDS).clamp(-LARGEST, LARGEST)


def descend(look: Callable[[Tensor], tuple[float, Tensor]], x: Tensor, rounds: int) -> Tensor:
    """Go down from x [D] by BFGS (Nocedal & Wright 2006, algorithm 6.1), each step halved until it leads down enough.

    `look` gives the loss and its gradient at a point. torch.optim has the like, at the cost of importing the compiler.
    """
    loss, slope = look(x)
    inverse: Tensor | None = None  # of the second derivative, [D, D]; unknown before the first step
    for _ in range(rounds):
        step = -slope / slope.abs().sum().clamp(min=1) if inverse is None else -inverse @ slope
        for _ in range(HALVINGS):
            there, slope_there = look(x + step)
            if there <= loss + 1e-4 * float(step @ slope):
                break
            step = step / 2
        else:
            return x  # nowhere lower than here
        bend = slope_there - slope
        along = float(step @ bend)
        if along > 1e-12:
            inverse = torch.eye(len(x)) * (along / (bend @ bend)) if inverse is None else inverse
            inverse = _bent(inverse, step, bend, along)
        x, loss, slope = x + step, there, slope_there
    return x


def _bent(inverse: Tensor, step: Tensor, bend: Tensor, along: float) -> Tensor:
    """The inverse of the second derivative [D, D], so that it is right along the last step (equation 6.17)."""
    side = inverse @ bend
    grown = (along + float(bend @ side)) / along**2
    return inverse + grown * torch.outer(step, step) - (torch.outer(side, step) + torch.outer(step, side)) / along


def sheared(images: Tensor, degrees: float) -> Tensor:
    """Pictures [N, C, H, W] in [-1, 1], dark paper, that lean so many degrees further to the right.

    Rows move sideways about the middle of the ink, which stays where it is.
    """
    ink = _ink(images)
    _, height, width = ink.shape
    before = slant(ink)
    after = (before + degrees).clamp(-80, 80)
    more = torch.tan(torch.deg2rad(after)) - torch.tan(torch.deg2rad(before))  # pixels to the right per pixel up
    x, y = torch.arange(width, dtype=ink.dtype), torch.arange(height, dtype=ink.dtype)
    middle = ink.sum(2) @ y / ink.sum((1, 2)).clamp(min=1e-6)  # [N], the ink's row
    source = x - (more[:, None] * (middle[:, None] - y))[:, :, None]  # [N, H, W]: the column each pixel is taken from
    grid = torch.stack([(2 * source + 1) / width - 1, ((2 * y + 1) / height - 1)[:, None].expand_as(source)], 3)
    moved = grid_sample((images + 1) / 2, grid, "bicubic", align_corners=False)  # paper beyond
    return 2 * moved.clamp(0, 1) - 1


def _ink(images: Tensor) -> Tensor:
    """[N, C, H, W] in [-1, 1] -> ink [N, H, W], see gan.metrics.stroke_attributes."""
    return (images.mean(1) + 1) / 2
