"""Costs added to the discriminator's loss: pure functions of one round, unreduced [N].

All of them measure how steep D is where they look: |slope| = |d logit / d picture|. Where D sees pictures through
transforms (gan/losses/transforms.py), the slope is taken with respect to the picture before them, as Karras et al. 2020
(ADA) and Huang et al. 2024 (R3GAN) do in their programs; for instance noise the two are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gan.core.messages import labelled


@dataclass(frozen=True)
class DiscriminatorStep:
    """What one update of the discriminator has in its hands.

    x and fake [N, C, H, W] (both require a gradient), c labels or None, logits [N]. `D(x, c, rng)` judges a picture as
    in training, through whatever it is seen through.
    """

    G: nn.Module
    D: Callable[[Tensor, Tensor | None, torch.Generator], Tensor]
    z: Tensor
    x: Tensor
    c: Tensor | None
    fake: Tensor
    real_logits: Tensor
    fake_logits: Tensor
    rng: torch.Generator


@dataclass(frozen=True)
class Penalty:
    """A cost (DiscriminatorStep) -> [N], and what the page says about it."""

    formula: str  # see gan/losses/objectives.py for the letters
    cost: Callable[[DiscriminatorStep], Tensor]
    title: str = ""  # what follows is in the catalogue, by its name
    about: str = ""  # two sentences for the page
    source: str = ""  # paper and equation


def squared_slope(logits: Tensor, x: Tensor) -> Tensor:
    """|d logit / d picture|² for each picture, [N]; differentiable, so that it can itself be minimised."""
    (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    return slope.flatten(1).square().sum(1)  # [N]


def _squared_slope_between(r: DiscriminatorStep) -> Tensor:
    """The same, [N], at random points on the lines from generated to real pictures."""
    t = torch.rand(len(r.x), 1, 1, 1, generator=r.rng, device=r.x.device)
    between = torch.lerp(r.fake.detach(), r.x.detach(), t).requires_grad_()  # [N, C, H, W]
    return squared_slope(r.D(between, r.c, r.rng), between)


def gradient_penalty(r: DiscriminatorStep) -> Tensor:
    """(|slope| − 1)² between real and fake pictures: WGAN-GP, Gulrajani et al. 2017, equation 3."""
    # The tiny term keeps the square root differentiable where the slope is exactly zero.
    return ((_squared_slope_between(r) + 1e-12).sqrt() - 1).square()


def r1(r: DiscriminatorStep) -> Tensor:
    """½|slope|² at real pictures: Mescheder et al. 2018, equation 9."""
    return 0.5 * squared_slope(r.real_logits, r.x)


def r2(r: DiscriminatorStep) -> Tensor:
    """½|slope|² at generated pictures: Mescheder et al. 2018, equation 10."""
    return 0.5 * squared_slope(r.fake_logits, r.fake)


def r1_and_r2(r: DiscriminatorStep) -> Tensor:
    """The sum of both, from one pass backwards: no logit depends on a picture of the other kind."""
    both = torch.autograd.grad(r.real_logits.sum() + r.fake_logits.sum(), (r.x, r.fake), create_graph=True)
    return 0.5 * torch.cat(both, 1).flatten(1).square().sum(1)


PENALTIES: dict[str, Penalty | None] = {
    "none": None,
    "gradient-penalty": Penalty(
        r"(\|\nabla D(\hat{x})\| - 1)^2,\quad \hat{x} = t x + (1 - t) G(z)",
        gradient_penalty,
    ),
    "zero-centred": Penalty(
        r"\|\nabla D(\hat{x})\|^2,\quad \hat{x} = t x + (1 - t) G(z)",
        _squared_slope_between,
    ),
    "r1": Penalty(
        r"\frac{1}{2}\|\nabla D(x)\|^2",
        r1,
    ),
    "r2": Penalty(
        r"\frac{1}{2}\|\nabla D(G(z))\|^2",
        r2,
    ),
    "r1+r2": Penalty(
        r"\frac{1}{2}\|\nabla D(x)\|^2 + \frac{1}{2}\|\nabla D(G(z))\|^2",
        r1_and_r2,
    ),
}  # fmt: skip
PENALTIES = labelled("penalties", PENALTIES, "title", "about", "source")
