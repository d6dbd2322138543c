"""What can be asked of a generator, written down; whatever of it comes in a query is read by gan.web.routes."""

from __future__ import annotations

from dataclasses import dataclass

from gan.latent.spec import LatentSpec


@dataclass(frozen=True)
class Near:
    """Which neighbours of a latent: `count` of them from number `first` on, and how far away (0 to 1)."""

    count: int = 0
    first: int = 0
    spread: float = 0.5


@dataclass(frozen=True)
class Keyframe:
    """A keyframe of a path: a latent and a class (None when the weights have no classes)."""

    spec: LatentSpec
    label: int | None = None


@dataclass(frozen=True)
class KeyframePath:
    """A path: where it leads through, and how (see gan.latent.interpolation.path)."""

    keyframes: tuple[Keyframe, ...]
    mode: str
    frames: int
    loop: bool = False


@dataclass(frozen=True)
class Sums:
    """Weighted sums of keyframes (interpolation.blend), each drawn once, or once as each of some classes."""

    keyframes: tuple[Keyframe, ...]
    shares: tuple[tuple[float, ...], ...]  # one row for each sum, with a number for each keyframe
    labels: tuple[int, ...] = ()

    @property
    def single(self) -> bool:
        """Whether they are one picture."""
        return len(self.shares) * max(len(self.labels), 1) == 1
