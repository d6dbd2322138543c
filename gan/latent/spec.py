"""What a latent is made of: seeds, walks to neighbours, principal directions. Pure functions.

A picture's latent is written down completely by a seed and a few numbers (see `LatentSpec`), so that a link can hold
it. Vectors in a link are float16, little-endian: half the length, and finer than any eye.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from gan.core.noise import latent_of, normal, sheet_latents
from gan.core.seeds import Stream, seed_of
from gan.models.layers import Generator

RING = 16  # neighbours on one circle


@dataclass(frozen=True)
class Push:
    """A push along a direction that is written down itself, not numbered."""

    key: str  # its name, for locks
    amount: float  # lengths of the vector
    vector: bytes  # float16 [z_dim]
    may_change_cluster: bool = (
        False  # the pushed latent votes for its group anew; otherwise the picture keeps its group
    )


@dataclass(frozen=True)
class LatentSpec:
    """One picture's latent, written down: start at a seed, walk to neighbours, push directions, set single numbers."""

    seed: int = 0
    walk: tuple[tuple[int, float], ...] = ()  # the walk: (neighbour's number, spread) in turn
    principal: Mapping[int, float] = field(default_factory=dict)  # principal direction -> standard deviations
    fixed: Mapping[int, float] = field(default_factory=dict)  # raw dimension -> its value
    base: bytes = b""  # float16 [z_dim]: a latent that was found, instead of the seed's
    sheet: tuple[str, int] | None = None  # a picture of one of SHEETS, instead of the seed's own
    psi: float = 1.0  # truncation: this share of the way from the mean latent
    directions: tuple[Push, ...] = ()
    locked: frozenset[str] = frozenset()  # keys of pushes, or numbers of moves, which no other push may move along
    mix: tuple[int, float] | None = None  # so much of another class


def latent_at(spec: LatentSpec, z_dim: int, directions: Tensor, votes: int = 0) -> Tensor:
    """The latent [1, z_dim] of a spec; its first `votes` numbers say what the picture is of."""
    return final_latents(cluster_latents(base_of(spec, z_dim), spec, directions, votes), spec, directions)


def base_of(spec: LatentSpec, z_dim: int) -> Tensor:
    """Where the walk has led [1, z_dim], before directions are pushed and single numbers set."""
    z = _start_of(spec, z_dim)
    for done, (number, spread) in enumerate(spec.walk):
        z = neighbour(z, number, spread, seed_of(spec.seed, done))
    return z


def _start_of(spec: LatentSpec, z_dim: int) -> Tensor:
    if spec.base:
        return unpacked(spec.base)[None]
    if spec.sheet is None:
        return latent_of(spec.seed, z_dim)
    name, row = spec.sheet
    return sheet_latents(name, spec.seed, z_dim)[row : row + 1]


def bases_around(spec: LatentSpec, n: int, spread: float, z_dim: int, first: int = 0) -> Tensor:
    """The base of a spec and of its neighbours number `first` and on, [1 + n, z_dim].

    Neighbour number k is the spec with one more step (k, spread).
    """
    z = base_of(spec, z_dim)
    return torch.cat([z, neighbours(z, n, spread, seed_of(spec.seed, len(spec.walk)), first)])


def cluster_latents(z: Tensor, spec: LatentSpec, directions: Tensor, votes: int = 0) -> Tensor:
    """Base latents z [N, z_dim] as they vote for their group: truncated, and pushed by whatever may change it."""
    z = torch.cat([z[:, :votes], spec.psi * z[:, votes:]], 1)  # the mean latent is zero, and keeps the group
    free = unlocked(spec, directions)
    z = edit(z, free, spec.principal, {})
    return edit(_along(z, spec, directions, may_change_cluster=True), free, {}, spec.fixed)


def final_latents(z: Tensor, spec: LatentSpec, directions: Tensor) -> Tensor:
    """What `cluster_latents` gave, pushed by what keeps its group."""
    return edit(_along(z, spec, directions, may_change_cluster=False), directions, {}, spec.fixed)


def _along(z: Tensor, spec: LatentSpec, directions: Tensor, may_change_cluster: bool) -> Tensor:
    for push in spec.directions:
        if push.may_change_cluster == may_change_cluster and push.amount:
            z = z + push.amount * _freed(push.key, unpacked(push.vector), spec, directions)
    return z


def unlocked(spec: LatentSpec, directions: Tensor) -> Tensor:
    """The principal directions [K, z_dim] that the spec moves along, none of them along a locked one."""
    rows = [_freed(str(k), direction, spec, directions) for k, direction in enumerate(directions)]
    return torch.stack(rows) if rows else directions


def _freed(key: str, vector: Tensor, spec: LatentSpec, directions: Tensor) -> Tensor:
    if key in spec.locked or not spec.locked:
        return vector
    locked = [directions[int(name)] for name in spec.locked if name.isdecimal()]
    locked += [unpacked(push.vector) for push in spec.directions if push.key in spec.locked]
    return without(vector, torch.stack(locked)) if locked else vector


def without(vector: Tensor, others: Tensor) -> Tensor:
    """Vector [D] less its part in the span of others [K, D]: what moves along it moves along none of them."""
    basis, scales, _ = torch.linalg.svd(others.double().T, full_matrices=False)  # [D, K], [K]
    basis = basis[:, scales > 1e-6 * scales.max().clamp(min=1e-6)]
    return (vector.double() - basis @ (basis.T @ vector.double())).to(vector.dtype)


def along(spec: LatentSpec, key: str, amount: float) -> LatentSpec:
    """The same spec with another amount of one push, or of the move with this number."""
    if key.isdecimal():
        return replace(spec, principal={**spec.principal, int(key): amount})
    pushes = (replace(push, amount=amount) if push.key == key else push for push in spec.directions)
    return replace(spec, directions=tuple(pushes))


def packed(vector: Tensor) -> bytes:
    """Float [D] as float16 bytes, for links."""
    return vector.detach().numpy().astype("<f2").tobytes()


def unpacked(data: bytes) -> Tensor:
    """The inverse of `packed`, float32 [D]."""
    return torch.from_numpy(np.frombuffer(data, "<f2").astype(np.float32))


def neighbours(z: Tensor, n: int, spread: float, seed: int, first: int = 0) -> Tensor:
    """Neighbours number first to first + n - 1 of z [1, z_dim], as [n, z_dim]."""
    numbers = range(first, first + n)
    return torch.cat([z[:0], *(neighbour(z, k, spread, seed) for k in numbers)])


def neighbour(z: Tensor, number: int, spread: float, seed: int) -> Tensor:
    """One neighbour [1, z_dim]: sqrt(1 - spread**2) z + spread * noise. spread is 0 (z itself) to 1 (a stranger).

    A mixture and not a sum, so that a walk of any length stays where the network was trained: if z is standard
    normal, so is its neighbour. Numbers 0 to 15 lie on a circle around z, so that the one beside the last resembles
    it; opposite numbers lead in opposite directions. 16 to 31 lie on another circle, and so on.
    """
    circle, position = divmod(number, RING)
    angle = 2 * math.pi * position / RING
    u, v = (normal(z.shape[1], Stream.NEIGHBOUR, seed, circle, axis) for axis in (0, 1))
    noise = math.cos(angle) * u + math.sin(angle) * v  # standard normal, as its axes are
    return math.sqrt(1 - spread**2) * z + spread * noise


def edit(z: Tensor, directions: Tensor, moves: Mapping[int, float], sets: Mapping[int, float]) -> Tensor:
    """A copy of z [N, z_dim], pushed along directions [K, z_dim] by `moves`, then with single numbers replaced."""
    z = z.clone()
    for k, amount in sorted(moves.items()):
        z += amount * directions[k]
    for i, value in sets.items():
        z[:, i] = value
    return z


# What the first layer listens to ---------------------------------------------------------------------------------


def principal_directions(generator: Generator, k: int = 8) -> tuple[Tensor, Tensor]:
    """The k latent directions that move the first layer most: unit, orthogonal [k, z_dim], and their shares [k].

    They are the right singular vectors of the first layer's weight, only its columns for z (Shen & Zhou 2021 factor
    the same weight); numbers that only vote for attributes have no column, and stay. A share is a squared singular
    value over the sum of all: how much of the first layer's variance the direction carries when z is standard normal.
    The sign is fixed by making the largest entry positive. A generator that does not begin with a dense layer, or whose
    weights are no longer finite, has none: [0, z_dim].
    """
    first = next((m for m in generator.modules() if isinstance(m, nn.Linear)), None)
    seen = generator.z_dim - generator.unseen
    if first is None or first.in_features < seen or not torch.isfinite(first.weight).all():
        return torch.empty(0, generator.z_dim), torch.empty(0)
    weight = first.weight.detach()[:, :seen].double()  # [out, seen]; the columns of what it is told come after
    # The eigenvectors of WᵀW are W's right singular vectors; [seen, seen] stays small where W has 12,544 rows.
    variances, vectors = torch.linalg.eigh(weight.T @ weight)  # ascending; vectors in columns
    variances, directions = variances.flip(0).clamp(min=0), pad(vectors.T.flip(0), (generator.unseen, 0))
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    directions = directions * torch.where(largest < 0, -1.0, 1.0)
    shares = variances / variances.sum().clamp(min=torch.finfo(torch.float64).tiny)
    return directions[:k].float().contiguous(), shares[:k].float()
