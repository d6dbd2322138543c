"""The measures of a run while it trains: a small fixed protocol, a few pictures at a time between its steps.

Protocol: SAMPLES pictures of the generator that people see, from the same latents in every run, classes in equal
parts, rounded to 8 bits; the data set's metric network; FID against the whole test split, coverage of NEAR test
pictures drawn once. All pictures of one measure come from the weights of one step, copied at its beginning: a measure
is a function of that state, and training never depends on whether somebody measures. The first is of what a run
begins with, so that all later ones can be held against it; not of a run that begins with other weights than noise.

What is needed of the real pictures is shipped (`metric-NAME-live.safetensors`), because computing it would take the
first half minute of a run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors import torch as safetensors_torch
from torch import Tensor

from gan.core.config import Config
from gan.core.files import write_atomically
from gan.core.images import to_uint8
from gan.core.messages import say
from gan.core.seeds import Stream, seed_of
from gan.data import catalog
from gan.metrics import classifier
from gan.metrics.classifier import FEATURES, MetricError
from gan.metrics.evaluate import extract, latents
from gan.metrics.formulas import (
    Manifold,
    Stats,
    class_histogram,
    feature_stats,
    frechet_distance,
    manifold,
    mean_confidence,
    modes_covered,
    within_reach,
)
from gan.models.weights_file import Weights, build
from gan.monitor.records import Measure, Moment
from gan.training.trainer import Trainer

SAMPLES = 1000
CHUNK = 100  # pictures of 28 x 28 between two steps: about 40 ms on one processor core; of larger ones fewer
GROWTH = 1.03  # a measure begins at ≥ 1.03 × the step of the one before: at most some 400 in 100,000 steps
AFTERMATH = 0.25  # of a chunk's time: the steps behind it find the caches full of other things (bench measures)
FIRST_DEBT = 0.2  # seconds of measuring that must be earned before the first chunk: the first pictures come first
NEAR = 2000  # test pictures that are to be covered
DRAWS = 5  # "real against real" is the mean over so many draws of SAMPLES training pictures
KEY = "gan_forge_live_measures"


class Measurer:
    """Measures one run within a share of its time.

    Time is kept as a debt: what a chunk took must be earned, share by share of the time that passes, before the next.
    Nothing is saved up, so no share of time, however small, ever holds more measuring than was stated.
    """

    def __init__(self, config: Config, after: int = 0, clock: Callable[[], float] = time.perf_counter) -> None:
        """after: the step of the last measure there is."""
        self.config, self.clock = config, clock
        self.measurable = config.dataset in classifier.measured_sets()
        self._last, self._debt = after, FIRST_DEBT
        self._work: Iterator[Measure | None] | None = None

    def begin(self, trainer: Trainer, share: float, moment: Moment) -> None:
        """Copy the weights that a run begins with, so that all later measures can be held against theirs.

        They are looked at once their time is earned, as in `turn`, whose arguments these are.
        """
        if self.measurable and self._work is None:
            work = self._work = self._measure(trainer, moment)
            self._paid(lambda: next(work, None), share)

    def turn(self, trainer: Trainer, share: float, passed: float, moment: Moment) -> Measure | None:
        """Between two steps: at most one chunk of work. Returns a finished measure, or None.

        share: of all time, 0 to 0.5. passed: seconds since the last turn. moment: what to write down with a measure
        that begins now. Raises MetricError when the shipped files cannot be read.
        """
        self._debt = max(0.0, self._debt - share * passed)
        if self._debt or not share or not self.measurable:
            return None
        if self._work is None:
            if not max(self._last * GROWTH, self._last + 1) <= trainer.steps_done:
                return None
            self._last, self._work = trainer.steps_done, self._measure(trainer, moment)
        work = self._work
        found = self._paid(lambda: next(work, None), share)
        if found:
            self._work = None
        return found

    @property
    def measured_step(self) -> int | None:
        """The step whose pictures are being looked at; None between two measures."""
        return None if self._work is None else self._last

    def _paid(self, work: Callable[[], Measure | None], share: float) -> Measure | None:
        started = self.clock()
        try:
            found = work()
        except BaseException:
            self._work = None
            raise
        self._debt += (1 + AFTERMATH - share) * (self.clock() - started)  # its own time earns too
        return found

    def _measure(self, trainer: Trainer, moment: Moment) -> Iterator[Measure | None]:
        """All of one measure; what lies between two yields is done between two steps. First the weights are copied."""
        cfg, device = self.config, trainer.device
        state = {name: value.detach().clone() for name, value in trainer.shown.state_dict().items()}
        weights = Weights(cfg, "", (), trainer.steps_done, state)
        yield None
        reference, network, generator = reference_of(cfg.dataset), classifier.load(cfg.dataset), build(weights)
        z, labels = latents(SAMPLES, cfg.z_dim, cfg.classes)
        found, met = [], torch.zeros(len(reference.near.wide), dtype=torch.bool)
        for rows in torch.arange(SAMPLES).split(CHUNK * 28**2 // cfg.size**2):
            pictures = _draw(generator, z[rows].to(device), None if labels is None else labels[rows])
            if pictures is None:
                break
            features, logits = extract(network, pictures)
            met |= within_reach(features, reference.near.features, reference.near.wide)
            found.append((features, logits))
            yield None
        else:
            measure = _measured(moment, found, met, reference)
            if network.form.attributes:
                told = network.attributes(torch.cat([features for features, _ in found]))
                counts = zip(told, network.form.attributes, strict=True)
                measure["attributes"] = [n for labels, k in counts for n in class_histogram(labels, k).tolist()]
            yield measure
        self._work = None


@torch.inference_mode()
def _draw(generator: torch.nn.Module, z: Tensor, labels: Tensor | None) -> Tensor | None:
    """Pictures uint8 [N, C, S, S], or None where they are not finite: the run itself will say so."""
    pictures = generator(z, None if labels is None else labels.to(z.device))
    return to_uint8(pictures).cpu() if pictures.isfinite().all() else None


def _measured(moment: Moment, found: list[tuple[Tensor, Tensor]], met: Tensor, reference: Reference) -> Measure:
    features, logits = (torch.cat(parts) for parts in zip(*found, strict=True))
    histogram, real = class_histogram(logits, logits.shape[1]), reference.real
    return {
        **moment,
        "fid": round(frechet_distance(feature_stats(features), reference.stats), 3),
        "coverage": round(met.double().mean().item(), 4),
        "confidence": round(mean_confidence(logits), 4),
        "modes": modes_covered(histogram),
        "histogram": histogram.tolist(),
        "real_fid": real["real_fid"],
        "real_coverage": real["real_coverage"],
        "real_confidence": real["real_confidence"],
    }


# ---- what is known of the real pictures ----


@dataclass(frozen=True)
class Reference:
    """The test split as the metric network sees it, and the same measures of real pictures."""

    stats: Stats  # of the whole test split
    near: Manifold  # of NEAR test pictures
    real: dict[str, float]  # real_fid, real_coverage, real_confidence


def path_of(dataset: str) -> Path:
    """Where the shipped file of a data set lies."""
    return classifier.WEIGHTS / f"metric-{dataset}-live.safetensors"


@lru_cache(maxsize=4)
def reference_of(dataset: str) -> Reference:
    """Read once per process. Raises MetricError when the file is missing or damaged."""
    path = path_of(dataset)
    try:
        with safe_open(path, framework="pt") as file:
            real = {name: float(value) for name, value in json.loads(file.metadata()[KEY]).items()}
            tensors = [file.get_tensor(name).double() for name in ("mean", "cov", "near")]
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        command = f"python -m gan metric-network {dataset} --live-only"
        raise MetricError(say("metrics.reference_missing", name=path.name, command=command)) from error
    mean, cov, near = tensors
    if mean.shape != (FEATURES,) or cov.shape != (FEATURES, FEATURES) or near.shape[1:] != (FEATURES,):
        raise MetricError(say("metrics.reference_of_other", name=path.name, dataset=dataset))
    return Reference((mean, cov), manifold(near), real)


def make_reference(dataset: str) -> tuple[dict[str, Tensor], dict[str, float]]:
    """What the shipped file holds: tensors, and the real numbers in its header."""
    network, train = classifier.load(dataset), catalog.load(dataset, "train").images
    features, _ = extract(network, catalog.load(dataset, "test").images)
    mean, cov = (x.float().double() for x in feature_stats(features))
    # Drawn, because MNIST is in an order: every sixtieth picture of it is not like all of them.
    rng = torch.Generator().manual_seed(seed_of(Stream.LIVE_REFERENCE))
    near = manifold(features[torch.randperm(len(features), generator=rng)[:NEAR]].half().double())
    drawn = torch.randperm(len(train), generator=rng)[: DRAWS * SAMPLES]
    draws = [extract(network, train[rows]) for rows in drawn.split(SAMPLES)]
    met = [within_reach(f, near.features, near.wide).double().mean().item() for f, _ in draws]
    real = {
        "real_fid": sum(frechet_distance(feature_stats(f), (mean, cov)) for f, _ in draws) / DRAWS,
        "real_coverage": sum(met) / DRAWS,
        "real_confidence": sum(mean_confidence(logits) for _, logits in draws) / DRAWS,
    }
    tensors = {"mean": mean.float(), "cov": cov.float(), "near": near.features.half()}
    return tensors, {name: round(value, 4) for name, value in real.items()}


def write_reference(dataset: str) -> Path:
    """Make the shipped file anew; needed when the metric network of the data set has changed."""
    tensors, real = make_reference(dataset)
    write_atomically(path_of(dataset), safetensors_torch.save(tensors, {KEY: json.dumps(real)}))
    return path_of(dataset)
