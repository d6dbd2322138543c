"""What stands between pictures and the discriminator, and what bounds the networks: neither objective nor penalty.

TRANSFORMS change what D sees, real and generated pictures alike, while both players learn; gradients go through them.
CONSTRAINTS bound D's certainty, weights and gradients. An entry does nothing, and costs nothing, while its knob is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from gan.core.config import Config
from gan.core.messages import labelled

Chance = Tensor | None


@dataclass(frozen=True)
class Transform:
    """How D sees pictures: `apply(x [N, C, H, W], strength, rng, chance)` -> [N, C, H, W], the identity at strength 0.

    `strength(config, images)` is what it is after so many images; one that is 0 at the start is never applied. `chance`
    is a scalar in [0, 1], with which each of its operations changes each picture; None: always.
    """

    formula: str  # see gan/losses/objectives.py for the letters
    strength: Callable[[Config, int], float]
    apply: Callable[[Tensor, float, torch.Generator, Chance], Tensor]
    title: str = ""  # what follows is in the catalogue, by its name
    about: str = ""  # two sentences for the page
    source: str = ""


@dataclass(frozen=True)
class Constraint:
    """What the page says about a bound. It takes hold in Objective.smoothed, Trainer._apply, or the networks."""

    formula: str
    title: str = ""
    about: str = ""
    source: str = ""


# Transforms ------------------------------------------------------------------------------------------------------


def noise_strength(cfg: Config, images: int) -> float:
    """Standard deviation of instance noise after so many images: it falls in a straight line where it falls."""
    last = cfg.instance_noise_images
    return cfg.instance_noise * (max(0.0, 1 - images / last) if last else 1.0)


def add_noise(x: Tensor, strength: float, rng: torch.Generator, _chance: Chance = None) -> Tensor:
    """x + ε with ε normal of standard deviation `strength` (pixels lie in [−1, 1]); always on every picture."""
    return x + strength * torch.empty_like(x).normal_(generator=rng)


def augment(x: Tensor, strength: float, rng: torch.Generator, chance: Chance = None) -> Tensor:
    """Zhao et al. 2020's policy: colour where there are colours, translation, cutout; drawn for each picture alone.

    At strength 1 the ranges are the paper's, at 0 it is the identity, and so it is at chance 0.
    """
    if x.shape[1] == 3:
        x = shift_colours(x, strength, rng, chance)
    return cut_out(translate(x, strength, rng, chance), strength, rng, chance)


def _chosen(chance: Chance, rng: torch.Generator, *shape: int) -> Tensor | bool:
    """Which pictures an operation changes: bool of this shape, drawn where there is a chance."""
    return True if chance is None else torch.rand(*shape, generator=rng, device=chance.device) < chance


def shift_colours(x: Tensor, strength: float, rng: torch.Generator, chance: Chance = None) -> Tensor:
    """Brightness ± strength/2, saturation times 1 ± strength, contrast times 1 ± strength/2: x [N, 3, H, W]."""
    drawn = 2 * torch.rand(3, len(x), 1, 1, 1, generator=rng, device=x.device) - 1  # [3, N, 1, 1, 1]
    drawn = drawn * _chosen(chance, rng, 3, len(x), 1, 1, 1)
    x = x + 0.5 * strength * drawn[0]
    x = _spread(x, x.mean(1, keepdim=True), 1 + strength * drawn[1])
    return _spread(x, x.mean((1, 2, 3), keepdim=True), 1 + 0.5 * strength * drawn[2])


def _spread(x: Tensor, middle: Tensor, factor: Tensor) -> Tensor:
    return middle + factor * (x - middle)


def translate(x: Tensor, strength: float, rng: torch.Generator, chance: Chance = None) -> Tensor:
    """Each picture moved by up to an eighth of its side either way; mid-grey (0) comes in."""
    n, channels, height, width = x.shape
    most = int(strength * height / 8 + 0.5)
    moved = torch.randint(0, 2 * most + 1, (2, n), generator=rng, device=x.device) - most
    dy, dx = moved * _chosen(chance, rng, n) + most
    rows = (torch.arange(height, device=x.device) + dy[:, None])[:, None, :, None]  # [N, 1, H, 1]
    columns = (torch.arange(width, device=x.device) + dx[:, None])[:, None, None]  # [N, 1, 1, W]
    x = pad(x, (most, most, most, most)).gather(2, rows.expand(-1, channels, -1, width + 2 * most))
    return x.gather(3, columns.expand(-1, channels, height, -1))


def cut_out(x: Tensor, strength: float, rng: torch.Generator, chance: Chance = None) -> Tensor:
    """A square of half the side, anywhere in each picture, replaced by mid-grey (0)."""
    n, _, height, width = x.shape
    side = int(strength * height / 2 + 0.5)
    middle = torch.rand(2, n, 1, generator=rng, device=x.device)  # [2, N, 1]
    rows, columns = (_inside(m, size, side) for m, size in zip(middle, (height, width), strict=True))
    chosen = _chosen(chance, rng, n, 1)
    return x * ~((rows & chosen)[:, None, :, None] & columns[:, None, None])


def _inside(middle: Tensor, size: int, side: int) -> Tensor:
    """Which of `size` places lie in a stretch of `side` around `middle` [N, 1] in [0, 1): bool [N, size]."""
    places = torch.arange(size, device=middle.device)
    start = (middle * (size + 1 - side % 2)).floor() - side // 2
    return (places >= start) & (places < start + side)


TRANSFORMS: dict[str, Transform] = {
    "augment": Transform(
        r"D(T(x)),\quad D(T(G(z)))",
        lambda cfg, images: cfg.augment,
        augment,
    ),
    "instance_noise": Transform(
        r"D(x + \epsilon),\quad D(G(z) + \epsilon),\quad \epsilon \sim N(0, s^2)",
        noise_strength,
        add_noise,
    ),
}  # fmt: skip
TRANSFORMS = labelled("transforms", TRANSFORMS, "title", "about", "source")


# Constraints -----------------------------------------------------------------------------------------------------


def joint_norm(tensors: Sequence[Tensor]) -> Tensor:
    """The Euclidean norm of all numbers of all tensors together, a scalar where they are."""
    return torch.stack(torch._foreach_norm([t.detach() for t in tensors])).norm()


def clip_gradients(grads: Sequence[Tensor], most: float) -> Sequence[Tensor]:
    """All gradients shortened by one factor, so that together they are at most `most` long; none is turned.

    One that is not finite stays so: a run that diverges must be seen to.
    """
    return torch._foreach_mul(list(grads), (most / joint_norm(grads)).clamp(max=1.0))


@torch.no_grad()
def clip_weights(params: Sequence[Tensor], most: float) -> None:
    """Put every weight back into [−most, most]."""
    torch._foreach_clamp_min_(list(params), -most)
    torch._foreach_clamp_max_(list(params), most)


CONSTRAINTS: dict[str, Constraint] = {
    "label_smoothing": Constraint(
        r"-(1 - s) \log\sigma(D(x)) - s \log(1 - \sigma(D(x)))",
    ),
    "weight_clip": Constraint(
        r"w \leftarrow \min(c, \max({-c}, w))",
    ),
    "gradient_clip": Constraint(
        r"g \leftarrow g \cdot \min(1, c / \|g\|)",
    ),
    "spectral_norm": Constraint(
        r"W \leftarrow W / \sigma_1(W)",
    ),
}  # fmt: skip
CONSTRAINTS = labelled("constraints", CONSTRAINTS, "title", "about", "source")
