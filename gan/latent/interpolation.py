"""Between latents: straight lines, great circles, splines through keyframes, weighted sums. Pure functions.

Beside latents [K, z_dim] may go mixtures [K, classes] of classes or groups. They are blended on straight lines whatever
the latents do, so that one picture becomes the other and does not jump where another group wins the vote.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import normalize

MODES = ("slerp", "lerp", "smooth")
_TINY = 1e-6  # radians between vectors that count as parallel, or from opposite ones


def path(
    keyframes: Tensor, mixtures: Tensor | None, mode: str, frames: int, loop: bool = False
) -> tuple[Tensor, Tensor | None]:
    """Latents [N, z_dim] on the way through keyframes [K, z_dim], with mixtures [N, classes] from [K, classes].

    Every leg has `frames` latents, both its keyframes among them, so that N is (K - 1) (frames - 1) + 1. A loop has one
    leg more, back to the first keyframe, which is not repeated: N is K (frames - 1).
    """
    t = torch.linspace(0, 1, frames, dtype=torch.float64)[:-1, None]  # [frames - 1, 1]
    curves = _spline(keyframes, loop) if mode == "smooth" else None
    between = slerp if mode == "slerp" else lerp
    latents, blends = [], []
    for i in range(legs(len(keyframes), loop)):
        j = (i + 1) % len(keyframes)
        latents.append(curves[i](t) if curves else between(keyframes[i : i + 1], keyframes[j : j + 1], t))
        if mixtures is not None:
            share = _eased(t, i == 0 and not loop, j == len(keyframes) - 1 and not loop) if curves else t
            blends.append(lerp(mixtures[i : i + 1], mixtures[j : j + 1], share))
    if not loop:
        latents.append(keyframes[-1:])
        if mixtures is not None:
            blends.append(mixtures[-1:])
    return torch.cat(latents), None if mixtures is None else torch.cat(blends)


def legs(keyframes: int, loop: bool) -> int:
    """How many legs a path has."""
    return keyframes if loop else keyframes - 1


def count(keyframes: int, frames: int, loop: bool) -> int:
    """How many latents `path` gives."""
    return legs(keyframes, loop) * (frames - 1) + (not loop)


def lerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """The straight line from a (t = 0, exactly) to b (t = 1, exactly); t [K, 1] gives K points."""
    t = torch.as_tensor(t, dtype=torch.float64)
    return ((1 - t) * a.double() + t * b.double()).to(a.dtype)


def slerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """The great circle from a to b, vectors of one shape [z_dim] or [1, z_dim] (Shoemake 1985, section 3.3).

    High-dimensional normal noise lies in a thin shell, which the straight line leaves and this path does not (White
    2016). t = 0 is exactly a, t = 1 exactly b; vectors of equal length keep it. Between parallel vectors it is the
    straight line. Between opposite ones every half circle is a shortest path: it takes the one through the axis that
    is least along a.
    """
    t = torch.as_tensor(t, dtype=torch.float64)
    p, q = a.double(), b.double()
    lengths = p.norm() * q.norm()
    cosine = float((p * q).sum() / lengths) if lengths > 0 else 1.0
    omega = math.acos(max(-1.0, min(1.0, cosine)))
    if omega < _TINY:
        return lerp(a, b, t)
    if math.pi - omega < _TINY:
        return _half_circle(p, q, t).to(a.dtype)
    weights = torch.sin((1 - t) * omega) / math.sin(omega), torch.sin(t * omega) / math.sin(omega)
    return torch.where(t == 1, q, weights[0] * p + weights[1] * q).to(a.dtype)


def _half_circle(p: Tensor, q: Tensor, t: Tensor) -> Tensor:
    u = p / p.norm()
    length = (1 - t) * p.norm() + t * q.norm()
    arc = length * (torch.cos(t * math.pi) * u + torch.sin(t * math.pi) * _perpendicular(u))
    return torch.where(t == 0, p, torch.where(t == 1, q, arc))


def _perpendicular(u: Tensor) -> Tensor:
    """A unit vector at a right angle to a unit vector, towards the axis that is least along it."""
    axis = torch.zeros_like(u)
    axis.view(-1)[u.abs().argmin()] = 1
    side = axis - (axis * u).sum() * u
    return side / side.norm()


# Smooth ----------------------------------------------------------------------------------------------------------


def _spline(keyframes: Tensor, loop: bool) -> list[Callable[[Tensor], Tensor]]:
    """For each leg a function of t [N, 1] that gives its latents [N, z_dim]: a spherical Catmull-Rom spline.

    Each leg is a Bézier curve made of great circles instead of straight lines (Shoemake 1985, section 4), and leaves a
    keyframe in the direction from the one before to the one after (Catmull & Rom 1974), so that direction and speed do
    not change there. Angles are measured between directions; the weights found with them then make the latents, so
    that lengths pass as smoothly, and two keyframes alone give exactly `slerp`.
    """
    exact = keyframes.double()
    points = torch.stack([normalize(exact), exact], 1)  # [K, 2, z_dim]: a direction, and the latent itself
    tangents = [_tangent(points, i, loop) for i in range(len(points))]

    def leg(i: int) -> Callable[[Tensor], Tensor]:
        j = (i + 1) % len(points)
        corners = points[i], _moved(points[i], tangents[i] / 3), _moved(points[j], -tangents[j] / 3), points[j]

        def curve(t: Tensor) -> Tensor:
            steps, row = t[:, :, None], [corner.expand(len(t), 2, -1) for corner in corners]
            while len(row) > 1:  # de Casteljau
                row = [_turned(a, b, steps) for a, b in pairwise(row)]
            return torch.where(t == 0, exact[i], row[0][:, 1]).to(keyframes.dtype)

        return curve

    return [leg(i) for i in range(legs(len(points), loop))]


def _tangent(points: Tensor, i: int, loop: bool) -> Tensor:
    """How the spline moves at keyframe i, for one leg of time: the mean of the ways to it and from it [2, z_dim]."""
    n = len(points)
    ways = []
    if loop or i < n - 1:
        ways.append(_way(points[i], points[(i + 1) % n]))
    if loop or i > 0:
        ways.append(-_way(points[i], points[i - 1]))
    return torch.stack(ways).mean(0)


def _way(a: Tensor, b: Tensor) -> Tensor:
    """The velocity [2, z_dim] with which the great circle from a leads to b in one unit of time (the logarithm)."""
    omega = float(_angle(a, b))
    if omega < _TINY:
        return b - a
    if math.pi - omega < _TINY:
        side = _perpendicular(a[0])
        return math.pi * torch.stack([side, a[1].norm() * side])
    return omega / math.sin(omega) * (b - math.cos(omega) * a)


def _moved(a: Tensor, velocity: Tensor) -> Tensor:
    """Where a velocity leads from a in one unit of time (the exponential)."""
    omega = float(velocity[0].norm())
    if omega < _TINY:
        return a + velocity
    return math.cos(omega) * a + math.sin(omega) / omega * velocity


def _turned(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """`slerp` of points [N, 2, z_dim] with t [N, 1, 1], by the angles between their directions."""
    omega = _angle(a, b)[:, None, None]
    sine = torch.sin(omega)
    straight = sine < _TINY
    sine = torch.where(straight, 1.0, sine)
    first = torch.where(straight, 1 - t, torch.sin((1 - t) * omega) / sine)
    second = torch.where(straight, t, torch.sin(t * omega) / sine)
    return first * a + second * b


def _angle(a: Tensor, b: Tensor) -> Tensor:
    """Between the directions of points [..., 2, z_dim], exact also where it is small (Kahan); 0 to a zero vector."""
    u, v = normalize(a[..., 0, :], dim=-1), normalize(b[..., 0, :], dim=-1)
    return 2 * torch.atan2((u - v).norm(dim=-1), (u + v).norm(dim=-1)) * u.norm(dim=-1) * v.norm(dim=-1)


def _eased(t: Tensor, from_start: bool, to_end: bool) -> Tensor:
    """0 to 1 like t, but standing still at keyframes, so that no mixture is left at a corner or leaves 0 to 1.

    At the two ends of a path it moves at its usual speed: between two keyframes alone it is t.
    """
    return t**2 * (3 - 2 * t) + from_start * t * (1 - t) ** 2 + to_end * t**2 * (t - 1)


# Weighted sums ---------------------------------------------------------------------------------------------------


def blend(keyframes: Tensor, shares: Tensor) -> Tensor:
    """Weighted sums [N, z_dim] of keyframes [K, z_dim] with shares [N, K] that add up to 1 and may be negative.

    A - B + C has the shares (1, -1, 1); the plane through three latents is all their sums. A sum is shorter or longer
    than what the network was trained on, so it is given the same weighted sum of lengths (at most the longest, at least
    the shortest keyframe's). Rounded to float16, as links hold latents: what a link opens is exactly this.
    """
    lengths = keyframes.double().norm(dim=1)
    sums = shares.double() @ keyframes.double()  # [N, z_dim]
    wanted = (shares.double() @ lengths).clamp(lengths.min(), lengths.max())
    now = sums.norm(dim=1)
    scale = torch.where(now > _TINY * lengths.max(), wanted / now.clamp(min=1e-30), 1.0)  # no direction, no length
    return (scale[:, None] * sums).half().float()


def blend_mixtures(mixtures: Tensor, shares: Tensor) -> Tensor:
    """The same sums of mixtures [K, classes] as [N, classes]: what is less than nothing of a class is nothing."""
    sums = (shares.to(mixtures.dtype) @ mixtures).clamp(min=0)
    return sums / sums.sum(1, keepdim=True)
