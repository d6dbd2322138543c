"""How far generated pictures are from real ones, without any network and in some milliseconds, for every data set.

Patches as in gan/metrics/patch_distance.py (Karras et al. 2018, section 5), at fixed places and along fixed
directions; power spectra, which many generators get wrong (Durall et al. 2020, https://arxiv.org/abs/2003.01826); and
what is seen at once: speckles, no black, too much of an end of the range, a single colour.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gan.metrics.patch_distance import finest, views_of

PATCHES = 8  # of each picture and size
DIRECTIONS = 32
LEAST_POWER = 1e-3  # added to a spectrum, so that the logarithm of nothing is none
DARK, REAL_DARK = 0.01, 0.05  # shares of pixels: a hundredth of the generated, a twentieth of the real ones
END = 2 / 127.5  # two levels from an end of the range: a saturated pixel
FLAT = 16 / 127.5  # a picture whose pixels differ by less than 16 levels has a single colour
LEAST_CORRELATION = 0.1  # of neighbouring pixels in real pictures, for a share to be taken of it


class Likeness:
    """Compares `count` generated pictures at a time with real ones [M, C, H, W] in about [-1, 1]."""

    def __init__(self, real: Tensor, count: int) -> None:
        self._deviation = real.std().clamp(min=1e-3)
        rng = torch.Generator().manual_seed(0)
        self._levels = [_Sliced(level, count, rng) for level in finest(real)]
        self._spectrum = _log_power(real)
        self._correlation = correlation(real).clamp(min=LEAST_CORRELATION)
        self._dark = _darkest(real, REAL_DARK)
        self._saturated, self._flat = _saturated(real), _flat(real)

    def look(self, x: Tensor) -> dict[str, Tensor]:
        """Of generated pictures x [count, C, H, W]: names of `records.SIGNALS`.

        detail, patches: mean sliced Wasserstein distance, in standard deviations of real pixels. spectrum: mean
        absolute difference of log power. correlation: of neighbours, 1 is what real pictures have.
        """
        detail, patches = (
            level.distance(y) / self._deviation for level, y in zip(self._levels, finest(x), strict=True)
        )
        return {
            "detail": detail,
            "patches": patches,
            "spectrum": (_log_power(x) - self._spectrum).abs().mean(),
            "correlation": correlation(x) / self._correlation,
            "darkest": _darkest(x, DARK) - self._dark,
            "saturated": _saturated(x) - self._saturated,
            "flat": _flat(x) - self._flat,
        }


class _Sliced:
    """The sliced Wasserstein distance from one set's patches, whose order along each direction is kept."""

    def __init__(self, real: Tensor, count: int, rng: torch.Generator) -> None:
        dims = views_of(real)[0, :, 0, 0].numel()  # of a patch
        directions = torch.randn(dims, DIRECTIONS, generator=rng)
        self._directions = (directions / directions.norm(dim=0)).to(real.device)
        self._places = _places(count, real, rng)
        along = (_patches(real, _places(len(real), real, rng)) @ self._directions).sort(0).values
        # As many as a generated set has, at the middle of equal shares.
        at = (torch.arange(count * PATCHES) + 0.5) / (count * PATCHES) * len(along)
        self._along = along[at.long()]

    def distance(self, x: Tensor) -> Tensor:
        return ((_patches(x, self._places) @ self._directions).sort(0).values - self._along).abs().mean()


def _places(count: int, like: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Rows and upper left corners of PATCHES patches of each of `count` pictures."""
    places = views_of(like).shape[2:4]
    y, x = (torch.randint(n, (count * PATCHES,), generator=rng).to(like.device) for n in places)
    return torch.arange(count, device=like.device).repeat_interleave(PATCHES), y, x


def _patches(x: Tensor, places: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    rows, y, z = places
    return views_of(x)[rows, :, y, z].flatten(1)  # [N · PATCHES, numbers of a patch]


def _log_power(x: Tensor) -> Tensor:
    """The logarithm of the mean power of each frequency [H, W / 2 + 1], over all pictures and channels."""
    return (torch.fft.rfft2(x).abs().square().mean((0, 1)) + LEAST_POWER).log()


def correlation(x: Tensor) -> Tensor:
    """Of pixels and their right neighbours, each picture's mean taken away; 0 where there is a single colour."""
    x = x - x.mean((2, 3), keepdim=True)
    a, b = x[..., :-1], x[..., 1:]
    return (a * b).sum() / (a.square().sum() * b.square().sum()).sqrt().clamp(min=1e-9)


def _darkest(x: Tensor, share: float) -> Tensor:
    """The value that this share of all pixels are below."""
    pixels = x.flatten()
    return pixels.kthvalue(1 + int(share * (len(pixels) - 1))).values


def _saturated(x: Tensor) -> Tensor:
    return (x.abs() >= 1 - END).float().mean()


def _flat(x: Tensor) -> Tensor:
    return ((x.amax((1, 2, 3)) - x.amin((1, 2, 3))) < FLAT).float().mean()
