"""What everybody sees of a run: snapshots, made between its steps within a small share of its time."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gan.core.files import write_atomically
from gan.core.images import grid, is_webp, png_bytes, split_grid, to_uint8
from gan.core.messages import say
from gan.core.seeds import Seeds, Stream
from gan.monitor.records import Row
from gan.runs.files import REAL_PNG
from gan.runs.snapshot import Numbers, Snapshot, next_snapshot
from gan.runs.turns import told
from gan.training import distributed
from gan.training.trainer import Trainer

if TYPE_CHECKING:  # which imports this module
    from gan.runs.run import Run

PUBLISH_EVERY_SECONDS = 0.4
SHOW_SHARE = 0.03  # showing may take this share of the time; slower machines get fewer live frames
REAL_COUNT = 16


class Diverged(Exception):
    """A loss or a weight is no longer finite."""


class Publisher:
    """Makes the snapshots of a run that trains, and keeps the clock that its numbers come from."""

    def __init__(self, run: Run, trainer: Trainer) -> None:
        """Choose the latents and the real pictures that every frame shows. Raises OSError."""
        self.run, self.trainer = run, trainer
        self.speed: deque[tuple[float, int]] = deque(maxlen=40)  # seconds, step
        self._show_seconds, self._train_seconds = 0.0, 1e-9
        self._published_at, self._cost = -1e9, 0.0
        pictures, seed = trainer.data.pictures, run.meta.frame_seed  # a fork shows what its source showed
        self.z, self.c = trainer.preview_latents(run.meta.tiles["count"], seed)
        rng = torch.Generator().manual_seed(Seeds(seed, run.meta.format).of(Stream.REAL_SHOWN))
        chosen = torch.randperm(len(pictures.images), generator=rng)[:REAL_COUNT]
        self.real = pictures.images[chosen].float() / 127.5 - 1  # [16, C, H, W]
        labels = trainer.data.labels
        self.real_c = None if labels is None else labels[chosen]
        run.meta.dataset_count = len(pictures.images)
        run.meta.real_labels = pictures.labels[chosen].tolist() if pictures.class_names else []
        path = run.folder / REAL_PNG
        if not path.exists():
            write_atomically(path, png_bytes(grid(pictures.images[chosen].numpy(), REAL_COUNT // 2)))

    def clock(self, seconds: float, shown: bool = False) -> None:
        """So much time has passed; shown: spent on showing."""
        self.run.seconds += seconds
        self._train_seconds += seconds
        self._show_seconds += seconds if shown else 0.0

    def stepped(self) -> None:
        """One more step is done."""
        self.speed.append((self.run.seconds, self.trainer.steps_done))

    def due(self) -> bool:
        """Whether somebody watches, and the last picture is old enough."""
        pace = max(PUBLISH_EVERY_SECONDS, self._cost / SHOW_SHARE)
        return time.monotonic() - self._published_at > pace and self.run.is_watched

    def publish(self, frame: bool = False, weights: bool = False) -> None:
        """Make the snapshot everybody sees; with `frame` it also enters the history. Raises Diverged.

        weights: what drew it stays with it, whether somebody follows the run or not.
        """
        started = time.perf_counter()
        run, trainer, step = self.run, self.trainer, self.trainer.steps_done
        x = trainer.sample(self.z, self.c)  # [K, C, H, W]
        tiles = to_uint8(x).cpu().numpy()
        fake = _rounded(trainer.verdict(x, self.c))
        real = _rounded(trainer.verdict(self.real, self.real_c))
        if not all(map(math.isfinite, fake + real)):  # a page cannot read such numbers, and would show them for ever
            raise Diverged(say("runs.not_finite_d_fake", step=step))
        shown = show(run, step, tiles, self._numbers(fake, real), self._weights(weights))
        if frame:
            run.history.add_frame(step, shown.frame, fake, real)
        self._published_at = time.monotonic()
        self._cost = time.perf_counter() - started

    def _weights(self, wanted: bool) -> dict[str, Tensor] | None:
        """A copy of the generator, where it is wanted or followed; and of the very first, which everybody meets."""
        if self.trainer.steps_done and not wanted and not self.run.is_followed:
            return None
        return {k: v.detach().cpu().clone() for k, v in self.trainer.shown.state_dict().items()}

    def _numbers(self, fake: list[float], real: list[float]) -> Numbers:
        """What the page shows beside the pictures; fake, real: the verdicts on them."""
        run, step, speed = self.run, self.trainer.steps_done, self._images_per_second()
        left = (run.config.total_steps - step) * self._images_a_step / speed if speed and step > 10 else None
        return {
            **numbers_of(run, self.trainer.images_done, fake, real),
            "images_per_s": round(speed, 1),
            "seconds": round(run.seconds, 1),
            "seconds_left": left and round(left, 1),
            "show_share": round(self._show_seconds / self._train_seconds, 4),
            "lr": dict(self.trainer.lr),
        }

    @property
    def _images_a_step(self) -> int:
        return self.run.config.batch * distributed.world()

    def _images_per_second(self) -> float:
        if len(self.speed) < 2:
            return 0.0
        (t0, s0), (t1, s1) = self.speed[0], self.speed[-1]
        return (s1 - s0) * self._images_a_step / max(t1 - t0, 1e-9)


def show(
    run: Run, step: int, tiles: np.ndarray, numbers: Numbers, weights: dict[str, Tensor] | None = None
) -> Snapshot:
    """Let everybody see a moment, and all of the history until now; see Snapshot. Returns what they see."""
    columns, mark = run.meta.tiles["columns"], run.history.mark()
    run.latest = shown = next_snapshot(run.latest, step, tiles, columns, numbers, mark, weights)
    return shown


def tell(run: Run, **changed: Any) -> None:
    """Let everybody see other numbers, by the names of Numbers, beside the same pictures."""
    if (old := run.latest) is not None:
        numbers: Numbers = {**old.numbers, **changed}  # type: ignore[typeddict-item]
        show(run, old.step, old.tiles, numbers, old.weights)


def numbers_of(run: Run, images: int, fake: list[float], real: list[float]) -> Numbers:
    """What a page is told of a run that has seen so many images, whether it trains or not; fake, real: D's verdicts."""
    cfg, count = run.config, run.meta.dataset_count
    return {
        "status": run.status,
        "message": run.message,
        "epoch": round(images * cfg.d_steps / count, 2) if count else None,
        "images": images,
        "images_per_s": 0.0,
        "seconds": 0.0,
        "seconds_left": None,
        "place": told(run.place) if run.status == "running" else None,
        "show_share": 0.0,
        "total_steps": cfg.total_steps,
        "lr": {"d": cfg.d_lr, "g": cfg.g_lr},
        "measure_share": run.meta.measure_share,
        "measure_problem": run.measure_problem,
        "best_step": run.best_step,
        "verdict_fake": fake,
        "verdict_real": real,
    }


def stored_snapshot(run: Run) -> Snapshot | None:
    """The last stored frame and the numbers of its step, of a run that does not train."""
    if not run.history.frames:
        return None
    last, tiles = run.history.frames[-1], run.meta.tiles
    step = last["step"]
    try:
        frame = run.history.frame_path(step).read_bytes()
        pictures = split_grid(frame, **tiles)
    except (OSError, ValueError):
        return None
    row = next((row for row in reversed(run.history.rows) if row.step <= step), Row(0, 0, 0.0))
    numbers: Numbers = {
        **numbers_of(run, row.images, last["fake"], last["real"]),
        "images_per_s": round(row.images / row.seconds, 1) if row.seconds else 0.0,
        "seconds": round(row.seconds, 1),
    }
    stored = frame if is_webp(frame) else None
    return next_snapshot(None, step, pictures, tiles["columns"], numbers, run.history.mark(), stored=stored)


def _rounded(values: Tensor) -> list[float]:
    return [round(v, 4) for v in values.float().cpu().tolist()]
