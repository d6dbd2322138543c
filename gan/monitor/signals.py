"""What a run writes down about itself now and then: numbers that tell how the game stands (see gan/monitor/diagnosis/).

Everything is a function of the trainer's state: fixed latents, fixed real pictures, nothing random, no training mode.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from gan.core.images import LEVEL
from gan.data.pictures import spread_rows
from gan.losses.transforms import joint_norm
from gan.models.layers import Discriminator
from gan.monitor.likeness import Likeness
from gan.monitor.records import QUANTILES, SIGNALS, SKETCH, Signal, due
from gan.training.trainer import Trainer

COUNT = 64  # generated pictures, always of the same latents, and as many real ones
REFERENCE = 2_000  # training pictures among which the nearest is looked for
LIKENESS_REFERENCE = 1_000  # training pictures that patches and spectra are compared with
ALONE = 256  # of them tell how near the nearest other real picture usually is
EVERY, GROWTH = 20, 1.03  # every 20 steps, later 3 % apart: about 200 records in 100,000 steps
POWER_ITERATIONS = 8


def signal_due(step: int) -> bool:
    """Whether the state after this step is written down: a function of the step alone. 0 and 1: what it began with."""
    return step <= 1 or (step % EVERY == 0 and due(step // EVERY, GROWTH))


class Signals:
    """Looks at one trainer; what it compares with is prepared at the first look."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer, self._ready = trainer, False

    def _prepare(self) -> None:
        trainer, images = self.trainer, self.trainer.data.pictures.images
        self._z, self._c = trainer.preview_latents(COUNT)
        rows = spread_rows(len(images), COUNT)
        self._real = self._pixels(images[rows])  # [64, C, H, W]
        labels = trainer.data.labels
        self._real_c = None if labels is None else labels[rows]
        self._reference = small(self._pixels(images[spread_rows(len(images), REFERENCE)]))  # [≤ 2000, P]
        self._sketch = Sketch(COUNT * self._reference.shape[1], trainer.device)
        self._set_yardsticks(small(self._real))
        self._likeness = Likeness(self._pixels(images[spread_rows(len(images), LIKENESS_REFERENCE)]), COUNT)
        self._ready = True

    def _set_yardsticks(self, real: Tensor) -> None:
        """How far real pictures lie from each other; NaN where they do not differ, so that nothing is a share of it."""
        same = LEVEL * real.shape[1] ** 0.5
        near = (mean_nearest_other(rows, count, same) for rows, count in ((real, None), (self._reference, ALONE)))
        found = (mean_distance(real), *near)
        self._spread, self._twins, self._near = (d.where(d.isfinite() & (d >= same), math.nan) for d in found)

    def _pixels(self, images: Tensor) -> Tensor:
        return images.to(self.trainer.device).float() / 127.5 - 1

    @torch.inference_mode()
    def look(self, gradients: dict[str, Tensor]) -> Signal:
        """One record: the names of `records.SIGNALS`; what is not finite, or was not to be had, is None.

        gradients: d_grad and g_grad as `Trainer.step` returned them.
        """
        if not self._ready:
            self._prepare()
        trainer = self.trainer
        x = trainer.sample(self._z, self._c)  # [64, C, H, W]
        real, fake = trainer.verdict(self._real, self._real_c), trainer.verdict(x, self._c)
        found = gradients | self._weights() | self._pictures(x) | {"d_auroc": d_auroc(real, fake)}
        found |= quantiles("real", real) | quantiles("fake", fake)
        if trainer.adaptive is not None:
            found["augment_p"] = trainer.adaptive.p
        numbers = torch.stack([number.float() for number in found.values()]).tolist()  # waits for the device once
        finite = {name: number for name, number in zip(found, numbers, strict=True) if math.isfinite(number)}
        return {"step": trainer.steps_done} | {name: finite.get(name) for name in SIGNALS[1:]}

    def _weights(self) -> dict[str, Tensor]:
        trainer = self.trainer
        return {
            "d_weights": joint_norm(trainer.d_params),
            "g_weights": joint_norm(trainer.g_params),
            "d_spectral_norm": largest_spectral_norm(trainer.D.eval()),
        }

    def _pictures(self, x: Tensor) -> dict[str, Tensor]:
        """How different the pictures x [N, C, H, W] are, each as a share of what real pictures have."""
        fake = small(x)
        return {
            "diversity": mean_distance(fake) / self._spread,
            "fake_nn_ratio": mean_nearest_other(fake) / self._twins,
            "train_nn_ratio": torch.cdist(fake, self._reference).amin(1).mean() / self._near,
            "min_pixel": x.amin(),
            **dict(zip(SKETCH, self._sketch(fake) / self._spread, strict=True)),
        } | self._likeness.look(x)


class Sketch:
    """A random projection of rows, all as one vector of `size` numbers, that keeps distances.

    The distance between the sketches of two sets of rows is the root mean square distance of their rows, with a
    standard error of an eighth (Johnson & Lindenstrauss 1984; sums of random signs as in Charikar et al. 2002). It is
    the same for all runs, so that records of one, whenever they were written down, can be compared.
    """

    def __init__(self, size: int, device: torch.device | str = "cpu") -> None:
        rng = torch.Generator().manual_seed(0)
        self._order = torch.randperm(size, generator=rng).to(device)
        self._signs = (torch.randint(2, (size,), generator=rng) * 2 - 1).to(device, torch.float32)

    def __call__(self, x: Tensor) -> Tensor:
        """Of rows x [N, size / N]: [len(SKETCH)]."""
        parts = (x.flatten()[self._order] * self._signs).tensor_split(len(SKETCH))
        return torch.stack([part.sum() for part in parts]) / len(x) ** 0.5


# Pure functions --------------------------------------------------------------------------------------------------


def small(x: Tensor) -> Tensor:
    """Pictures [N, C, H, W] at half the size as rows [N, P]: distances that ignore the noise of single pixels."""
    return avg_pool2d(x, 2).flatten(1)


def mean_distance(x: Tensor) -> Tensor:
    """Mean Euclidean distance of two different rows of x [N, P]; NaN where there is a single one."""
    return torch.pdist(x).mean()


def mean_nearest_other(x: Tensor, count: int | None = None, same: float = 0.0) -> Tensor:
    """Mean distance of the first `count` rows of x [N, P] to the nearest other row; infinite where there is none.

    Rows that are nearer than `same` are no others, but the same picture once more.
    """
    distances = torch.cdist(x[:count], x).fill_diagonal_(math.inf)  # [count, N]
    return distances.masked_fill_(distances < same, math.inf).amin(1).mean()


def d_auroc(real: Tensor, fake: Tensor) -> Tensor:
    """How often D finds the real one of two pictures more real: the area under the ROC curve, ½ is chance.

    Verdicts [N] and [M]; whatever their scale (Mann & Whitney 1947). NaN where one of them is.
    """
    more, less = real[:, None] > fake, real[:, None] < fake  # [N, M]
    share = 0.5 + 0.5 * (more.float().mean() - less.float().mean())
    return share.where(~(real.isnan().any() | fake.isnan().any()), math.nan)


def quantiles(kind: str, verdicts: Tensor) -> dict[str, Tensor]:
    """D's verdicts [N] as the quantiles of `history.QUANTILES`: names real_q05 to real_q95, or fake_..."""
    found = verdicts.float().quantile(torch.tensor([q / 100 for q in QUANTILES], device=verdicts.device))
    return {f"{kind}_q{q:02d}": value for q, value in zip(QUANTILES, found, strict=True)}


def largest_spectral_norm(D: Discriminator) -> Tensor:
    """The largest singular value of any layer's weights, kernels as matrices [out, in · k · k] (Miyato et al. 2018).

    Of the layers between a picture and the logit. By power iteration from a fixed vector. The network must be in
    evaluation mode: in training mode a spectrally normalised layer changes when its weights are read.
    """
    layers = (*D.features.modules(), D.head)
    matrices = [m.weight.flatten(1) for m in layers if isinstance(m, nn.Linear | nn.Conv2d)]
    return torch.stack([spectral_norm(w) for w in matrices]).amax()


def spectral_norm(w: Tensor) -> Tensor:
    """The largest singular value of a matrix, from below."""
    v = torch.ones(w.shape[1], device=w.device)
    for _ in range(POWER_ITERATIONS):
        v = w.T @ (w @ v)
        v = v / v.norm().clamp(min=1e-30)
    return (w @ v).norm()
