"""Learning from few pictures: from noise or from weights that know others; augmentation: none, constant, adaptive.

Each draw takes other pictures of the world; the pictures are compared with 1,000 that were held back. FID and KID are
taken in the features of the metric network of the world that the weights come from: they are not made for this one,
but see colours and shapes. Copies: the share of generated pictures that are nearer to a training picture than all but
1 % of held-out ones are (0.01 is none), in pixels at half the size.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from gan.bench.common import Figure, side_by_side
from gan.core.config import Changes, Config
from gan.core.flags import seed, whole
from gan.data.catalog import Pictures, load
from gan.metrics import evaluate
from gan.metrics.classifier import load as load_metric_network
from gan.metrics.formulas import closeness, copied_share, feature_stats, frechet_distance, kernel_distance
from gan.metrics.patch_distance import patch_distance
from gan.monitor.signals import small
from gan.runs import starts
from gan.training.checkpoint import begin_with
from gan.training.trainer import Trainer

NOISE = "noise"
RECIPE = "quick-colour"  # that of people with pictures of their own
AUGMENTED: dict[str, Changes] = {
    "none": {"augment": 0.0, "augment_target": 0.0},
    "constant": {"augment": 1.0, "augment_target": 0.0},
    "adaptive": {"augment": 1.0, "augment_target": 0.6},
}


class _Wanted(NamedTuple):
    dataset: str
    pictures: int
    start: str
    weights: str  # that runs begin with, and whose metric network judges
    augmented: str
    draw: int
    steps: tuple[int, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset", default="sprouts")
    parser.add_argument("--pictures", type=whole(2, 1000), nargs="+", default=[100])
    parser.add_argument("--weights", choices=sorted(starts.shipped()), default="monsters")
    parser.add_argument("--starts", nargs="+", choices=(NOISE, "weights"), default=[NOISE, "weights"])
    parser.add_argument("--augmentation", nargs="+", choices=AUGMENTED, default=list(AUGMENTED))
    parser.add_argument("--draws", type=seed, nargs="+", default=[0])
    parser.add_argument("--steps", type=whole(1, 10**6), nargs="+", default=[500, 2000])
    parser.add_argument("--jobs", type=whole(1, 64), default=2, help="trainings at once, on one thread each")


def measure(args: argparse.Namespace) -> list[Figure]:
    kinds = [(n, s, a) for n in args.pictures for s in args.starts for a in args.augmentation]
    steps = tuple(sorted(args.steps))
    wanted = [
        _Wanted(args.dataset, count, start, args.weights, augmented, draw, steps)
        for count, start, augmented in kinds
        for draw in args.draws
    ]
    rows = side_by_side(_rows, wanted, args.jobs)
    figures = [_real(args.dataset, args.weights)]
    for count, start, augmented in kinds:
        draws = [next(rows) for _ in args.draws]
        beginning = NOISE if start == NOISE else args.weights
        figures += _figures(f"{count} {args.dataset} from {beginning}, augmentation {augmented}", draws)
    return figures


def _figures(name: str, draws: list[list[dict[str, float]]]) -> Iterator[Figure]:
    for rows in zip(*draws, strict=True):
        words = (f"{key} {statistics.median(row[key] for row in rows):.3g}" for key in rows[0] if key != "step")
        yield Figure(f"{name}, {rows[0]['step']} steps", ", ".join(words))


def _rows(wanted: _Wanted) -> list[dict[str, float]]:
    """What one training can do after each of the steps."""
    torch.set_num_threads(1)
    start = None if wanted.start == NOISE else starts.shipped()[wanted.weights]
    changes = AUGMENTED[wanted.augmented] | {"total_steps": 10**8}
    config = starts.settings(start, RECIPE, wanted.dataset, None, changes)
    trainer = Trainer(config, _drawn(load(wanted.dataset), wanted.pictures, wanted.draw))
    if start:
        begin_with(start.path, trainer)
    judge, rows = _Judge(wanted.dataset, wanted.weights), []
    for mark in wanted.steps:
        while trainer.steps_done < mark:
            trainer.step()
        rows.append({"step": mark, **judge(_pictures(trainer, config), trainer.data.pictures.images)} | _p(trainer))
        print(f"  {wanted}: {json.dumps(rows[-1])}", flush=True)
    return rows


def _p(trainer: Trainer) -> dict[str, float]:
    return {} if trainer.adaptive is None else {"p": trainer.adaptive.p.item()}


def _drawn(pictures: Pictures, count: int, draw: int) -> Pictures:
    rows = torch.randperm(len(pictures.images), generator=torch.Generator().manual_seed(draw))[:count]
    return replace(pictures, images=pictures.images[rows], labels=pictures.labels[rows], attributes=None)


def _pictures(trainer: Trainer, config: Config) -> Tensor:
    drawn = evaluate.in_batches(trainer.sample, *evaluate.latents(1000, config.z_dim, config.classes))
    return torch.cat(list(drawn))


class _Judge:
    """Compares pictures, uint8 [N, C, H, W], with those of a data set that were held back."""

    def __init__(self, dataset: str, knows: str) -> None:
        self.held = load(dataset, "test").images[:1000]
        self.network = load_metric_network(knows)
        self.features = self._features(self.held)

    def _features(self, images: Tensor) -> Tensor:
        return evaluate.extract(self.network, images)[0]

    def __call__(self, images: Tensor, trained: Tensor) -> dict[str, float]:
        features, rng = self._features(images), torch.Generator().manual_seed(0)
        near = [small(x.float()) for x in (images, trained, *self.held.chunk(2))]
        fake, train, others, real = near
        return {
            "patches": patch_distance(images, self.held, rng),
            "FID": frechet_distance(feature_stats(features), feature_stats(self.features)),
            "KID": kernel_distance(features, self.features, rng),
            "copies": copied_share(closeness(fake, train, others), closeness(real, train, others)),
        }


def _real(dataset: str, knows: str) -> Figure:
    judge = _Judge(dataset, knows)
    found = judge(load(dataset).images[:1000], judge.held[:100])
    return Figure(f"1,000 other real pictures of {dataset}", ", ".join(f"{k} {v:.3g}" for k, v in found.items()))
