"""Costs added to the discriminator's loss: pure functions of one round, unreduced [N]."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Round:
    """What one update of the discriminator has in its hands.

    x and fake [N, C, H, W] (x requires a gradient), c labels or None, logits [N].
    """

    G: nn.Module
    D: nn.Module
    z: Tensor
    x: Tensor
    c: Tensor | None
    fake: Tensor
    real_logits: Tensor
    fake_logits: Tensor
    rng: torch.Generator


def squared_slope(logits: Tensor, x: Tensor) -> Tensor:
    """|d logit / d picture|² for each picture, [N]; differentiable, so that it can itself be minimised."""
    (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return slope.flatten(1).square().sum(1)  # [N]


def gradient_penalty(r: Round) -> Tensor:
    """(|slope| − 1)² between real and fake pictures: WGAN-GP, Gulrajani et al. 2017, equation 3."""
    t = torch.rand(len(r.x), 1, 1, 1, generator=r.rng, device=r.x.device)
    between = torch.lerp(r.fake.detach(), r.x.detach(), t).requires_grad_()  # [N, C, H, W]
    # The tiny term keeps the square root differentiable where the slope is exactly zero.
    return ((squared_slope(r.D(between, r.c, r.rng), between) + 1e-12).sqrt() - 1).square()


def r1(r: Round) -> Tensor:
    """½|slope|² at real pictures: Mescheder et al. 2018, equation 9."""
    return 0.5 * squared_slope(r.real_logits, r.x)


PENALTIES: dict[str, Callable[[Round], Tensor] | None] = {
    "none": None,
    "gradient-penalty": gradient_penalty,
    "r1": r1,
}
