"""The discriminator that judges what visitors draw: D of a run, fine-tuned to tell digits from scribbles.

D of a run knows only what its own generator gets wrong: it takes a cross or a dot for real, which no generator ever
showed it. This one also sees pictures of all states that the run keeps, and scribbles drawn by chance. Half of all
pictures, real ones too, get the sharp edges of a pen, so that these tell it nothing.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional as F

from gan.core.images import to_uint8
from gan.latent.inversion import centred
from gan.losses.objectives import OBJECTIVES
from gan.models import meta_discriminator, meta_generator
from gan.models.layers import Discriminator
from gan.training.checkpoint import discriminator_state, read_header, shown_generator_state

STEPS, BATCH = 6_000, 64
RATE = 0.002  # of learning, at first; it falls to 0
R1_WEIGHT, R1_EVERY = 0.015, 4
GENERATED_BY_LAST, GENERATED = 20_000, 2_000  # pictures of the run's last state, and of each earlier one
SCRIBBLES = 20_000
PENLIKE = 0.6  # the share of pictures that get the edges of a pen
_SIDE = 140  # pixels of a scribble
_MARGIN = 10


def fine_tune(
    checkpoints: Sequence[Path], real: Tensor, seed: int, tell: Callable[[int, float], None]
) -> Discriminator:
    """D of the last of a run's checkpoints, trained further.

    Args:
        checkpoints: of one unconditional run on grey pictures, oldest first.
        real: its pictures, uint8 [N, 1, S, S].
        seed: of all that is drawn by chance.
        tell: is called with the steps done and the loss, now and then.

    Raises:
        CheckpointError: one of them cannot be read.
    """
    rng = torch.Generator().manual_seed(seed)
    generated, scribbled = _generated(checkpoints, rng), scribbles(SCRIBBLES, seed)
    D = meta_discriminator(read_header(checkpoints[-1])["config"])
    D.load_state_dict(discriminator_state(checkpoints[-1]), assign=True)
    D.requires_grad_(True)
    optimiser = torch.optim.Adam(D.parameters(), RATE, betas=(0.5, 0.99))
    for step in range(STEPS):
        optimiser.param_groups[0]["lr"] = RATE * (1 - step / STEPS)
        others = torch.cat([_some(generated, BATCH // 2, rng), _some(scribbled, BATCH // 2, rng)])
        loss = _loss(D, penlike(_some(real, BATCH, rng), rng), penlike(others, rng), step % R1_EVERY == 0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if (step + 1) % 1000 == 0:
            tell(step + 1, loss.item())
    return D.eval().requires_grad_(False)


def _loss(D: Discriminator, real: Tensor, others: Tensor, penalised: bool) -> Tensor:
    real.requires_grad_(penalised)
    logits = D(real)
    loss = OBJECTIVES["non-saturating"].d_loss(logits, D(others)).mean()
    if penalised:
        (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
        loss = loss + R1_EVERY * R1_WEIGHT / 2 * gradient.square().sum((1, 2, 3)).mean()
    return loss


def _some(pictures: Tensor, count: int, rng: torch.Generator) -> Tensor:
    return pictures[torch.randint(len(pictures), (count,), generator=rng)]


@torch.inference_mode()
def _generated(paths: Sequence[Path], rng: torch.Generator) -> Tensor:
    """uint8 [N, 1, S, S]"""
    found = []
    for path in paths:
        config = read_header(path)["config"]
        G = meta_generator(config)
        G.load_state_dict(shown_generator_state(path), assign=True)
        G.eval()
        count = GENERATED_BY_LAST if path == paths[-1] else GENERATED
        found += [to_uint8(G(torch.randn(500, config.z_dim, generator=rng), None)) for _ in range(count // 500)]
    return torch.cat(found).clone()


def penlike(x: Tensor, rng: torch.Generator) -> Tensor:
    """uint8 [N, 1, S, S] -> float32 in [-1, 1]; some with edges as sharp and strokes as thick as some pen's."""
    fine = F.interpolate(x.float() / 255, scale_factor=4, mode="bicubic", align_corners=False).clamp(0, 1)
    edge, sharpness, chosen = torch.rand(3, len(x), 1, 1, 1, generator=rng)
    drawn = F.avg_pool2d(torch.sigmoid((fine - 0.25 - 0.4 * edge) * (6 + 20 * sharpness)), 4)
    return torch.where(chosen < PENLIKE, drawn, x.float() / 255) * 2 - 1


# Scribbles --------------------------------------------------------------------------------------------------------


def scribbles(count: int, seed: int) -> Tensor:
    """Strokes drawn by chance, put into the middle as digits are: uint8 [count, 1, 28, 28]."""
    rng = random.Random(seed)
    return torch.stack([_scribble(rng) for _ in range(count)])


def _scribble(rng: random.Random) -> Tensor:
    sheet = Image.new("L", (_SIDE, _SIDE))
    pen, width = ImageDraw.Draw(sheet), rng.randrange(5, 16)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        points = _straight(rng) if rng.random() < 0.4 else _round(rng)
        pen.line(points, fill=255, width=width, joint="curve")
        for x, y in (points[0], points[-1]):
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    return centred(torch.from_numpy(np.array(sheet)))


def _point(rng: random.Random) -> tuple[float, float]:
    return rng.uniform(_MARGIN, _SIDE - _MARGIN), rng.uniform(_MARGIN, _SIDE - _MARGIN)


def _straight(rng: random.Random) -> list[tuple[float, float]]:
    return [_point(rng) for _ in range(rng.randrange(2, 7))]


def _round(rng: random.Random) -> list[tuple[float, float]]:
    """A walk whose direction, and how fast that changes, change by chance."""
    points, angle, turn = [_point(rng)], rng.uniform(0, 2 * math.pi), rng.uniform(-0.4, 0.4)
    for _ in range(rng.randrange(4, 40)):
        turn = min(0.8, max(-0.8, turn + rng.uniform(-0.25, 0.25)))
        angle += turn
        x, y = points[-1][0] + 7 * math.cos(angle), points[-1][1] + 7 * math.sin(angle)
        inside = tuple(min(_SIDE - _MARGIN, max(_MARGIN, value)) for value in (x, y))
        if inside != (x, y):
            angle += 2.5  # away from the edge
        points.append((inside[0], inside[1]))
    return points
