"""Steps on an NVIDIA GPU: replayed as a whole against launched kernel by kernel, and replayed in bfloat16.

All in one process, taking turns; each half of a pair ends when the GPU has finished what it was given.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch

from gan.bench.common import TRAINABLE, BenchError, Figure, per_second, ratios, spread, trainer_of
from gan.core.config import Value
from gan.core.flags import decimal, whole
from gan.recipes.catalog import make_config

AT_ONCE = 20  # steps between two waits for the GPU


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipes", nargs="+", choices=TRAINABLE, default=list(TRAINABLE))
    parser.add_argument("--pairs", type=whole(1, 1000), default=3)
    parser.add_argument("--seconds", type=decimal(0.001, 86_400), default=1, help="of each half of a pair")


def measure(args: argparse.Namespace) -> list[Figure]:
    if not torch.cuda.is_available():
        raise BenchError("There is no NVIDIA GPU here.")
    torch.set_num_threads(1)
    name = Figure("device", torch.cuda.get_device_name())
    return [name, *(figure for recipe in args.recipes for figure in _of(recipe, args))]


def _of(recipe: str, args: argparse.Namespace) -> list[Figure]:
    replayed = _speed(recipe, args.seconds)
    found: list[float] = []

    def ours() -> float:
        found.append(replayed())
        return found[-1]

    gain = ratios(
        f"steps/s, {recipe}, replayed against launched", args.pairs, ours, _speed(recipe, args.seconds, False)
    )
    rough = _speed(recipe, args.seconds, precision="bfloat16")
    bits = ratios(f"steps/s, {recipe}, bfloat16 against float32", args.pairs, rough, replayed)
    batch = make_config(recipe).batch
    return [
        Figure(f"{recipe}, a step", spread([1000 / f for f in found], " ms")),
        Figure(f"{recipe}, pictures learned", spread([batch * f for f in found], " images/s")),
        Figure(f"{recipe}, replayed, times launched one by one", spread(gain)),
        Figure(f"{recipe}, bfloat16, times float32", spread(bits)),
    ]


def _speed(recipe: str, seconds: float, recorded: bool = True, **changes: Value) -> Callable[[], float]:
    """Measures the steps a second of a trainer of its own, which is warm: recorded, where it is to be."""
    trainer = trainer_of(recipe, "cuda", **changes)
    trainer.graphs.wanted = recorded

    def steps() -> None:
        for _ in range(AT_ONCE):
            trainer.step()
        torch.cuda.synchronize()

    for _ in range(3):
        steps()
    return lambda: AT_ONCE * per_second(steps, seconds)
