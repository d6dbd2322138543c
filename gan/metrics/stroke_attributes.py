"""What can be measured on a picture of one stroke-drawn thing: thickness, slant, width, height, ink. Pure functions.

The attributes are those of Morpho-MNIST (Castro et al. 2019, section 2.2), each by a formula that needs no skeleton.
All take ink [N, H, W]: 0 where there is paper, 1 where there is ink; pictures without ink measure 0.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from gan.data.catalog import DATA

NAMES = ("thickness", "slant", "width", "height", "ink")  # in the order in which they are shown
OF_SHAPES = ("width", "height", "ink")  # where nothing was drawn with a pen, the others mean nothing
FINER = 4  # thickness is measured on pictures so many times as large: strokes are only two to four pixels wide
_FAR = 1e4


def measurable(dataset: str) -> tuple[str, ...]:
    """The attributes that pictures of this data set have; of some that was not drawn with a pen, or is not known."""
    source = DATA.get(dataset)
    if source is None:
        return ()
    return NAMES if source.strokes else OF_SHAPES if source.shapes else ()


def ink_of(images: Tensor) -> Tensor:
    """uint8 [N, C, H, W], bright on dark -> ink [N, H, W], the mean of the colours."""
    return images.float().mean(1) / 255


def measure(ink: Tensor) -> dict[str, Tensor]:
    """Every attribute by name, each float32 [N]."""
    mass, spread_x, spread_y, shear = _moments(ink)
    return {
        "thickness": thickness(ink),
        "slant": torch.rad2deg(torch.atan(shear)),
        "width": (12 * spread_x).sqrt(),
        "height": (12 * spread_y).sqrt(),
        "ink": mass,
    }


def thickness(ink: Tensor) -> Tensor:
    """Mean width of the strokes in pixels, [N].

    Across a stroke of width w, the distance to its edge grows from 0 to w / 2 and falls again; its mean is w / 4.
    """
    fine = interpolate(ink[:, None], scale_factor=FINER, mode="bilinear")[:, 0] > 0.5  # [N, 4H, 4W]
    inside = (distances(fine) - 0.5).clamp(min=0)  # to the edge, not to the middle of the next pixel
    return 4 / FINER * inside.sum((1, 2)) / fine.sum((1, 2)).clamp(min=1)


def distances(mask: Tensor) -> Tensor:
    """Distance of every True of mask [N, H, W] to the nearest False, between the middles of pixels; float32.

    First along rows, then the smallest of (row distance)² + (rows between)² (Felzenszwalb & Huttenlocher 2012,
    section 4), looking only as many rows up and down as can matter. What lies outside the picture is neither: a stroke
    may leave it.
    """
    across, down = _steps_to_false(mask), _steps_to_false(mask.mT).mT
    squared, found = across.square(), torch.minimum(across, down).square()
    for k in range(1, mask.shape[1]):
        if k**2 >= found.max():
            break
        torch.minimum(found[:, k:], squared[:, :-k] + k**2, out=found[:, k:])
        torch.minimum(found[:, :-k], squared[:, k:] + k**2, out=found[:, :-k])
    return found.sqrt()


def _steps_to_false(mask: Tensor) -> Tensor:
    """How many steps away the nearest False of the row is, float32 [N, H, W]; far when there is none."""
    x = torch.arange(mask.shape[2], dtype=torch.float32)
    before = torch.where(mask, -_FAR, x).cummax(2).values
    after = torch.where(mask, _FAR, x).flip(2).cummin(2).values.flip(2)
    return torch.minimum(x - before, after - x)


def slant(ink: Tensor) -> Tensor:
    """How far the strokes lean to the right, in degrees, [N]: 0 is upright. Castro et al. 2019, "slant"."""
    return torch.rad2deg(torch.atan(_moments(ink)[3]))


def _moments(ink: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mass, variance across (after undoing the shear), variance down, and shear (pixels to the right per pixel up)."""
    mass = ink.sum((1, 2))
    share = ink / mass.clamp(min=1e-6)[:, None, None]
    y, x = (torch.arange(n, dtype=ink.dtype) for n in ink.shape[1:])
    columns, rows = share.sum(1), share.sum(2)  # [N, W], [N, H]
    x = x - (columns @ x)[:, None]  # [N, W], from the middle of the ink
    y = y - (rows @ y)[:, None]
    across, down = (columns * x.square()).sum(1), (rows * y.square()).sum(1)
    both = torch.einsum("nhw,nh,nw->n", share, y, x)
    shear = -both / down.clamp(min=1e-6)
    return mass, (across - shear.square() * down).clamp(min=0), down, shear
