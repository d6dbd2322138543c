"""Images a second of every recipe, and which share of this machine's matrix-multiply speed its arithmetic reaches.

The peak is that of products in the recipe's precision.

The operations of a step are counted, not estimated: all matrix products and convolutions of one real step, forward and
backward, a multiply-add as two. Element-wise work and batch statistics count as nothing, so the share is a lower bound.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from gan.bench.common import TRAINABLE, Figure, add_threads, alternate, per_second, spread, trainer_of, use_threads
from gan.core.flags import decimal, whole
from gan.training.trainer import Trainer

SIDE = 1024  # of the matrices whose product is the peak


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipes", nargs="+", choices=TRAINABLE, default=list(TRAINABLE))
    parser.add_argument("--pairs", type=whole(1, 1000), default=3)
    parser.add_argument("--seconds", type=decimal(0.001, 86_400), default=4, help="of each half of a pair")
    add_threads(parser)


def measure(args: argparse.Namespace) -> list[Figure]:
    threads = use_threads(args)
    return [_of(recipe, threads, args) for recipe in args.recipes]


def _of(recipe: str, threads: int, args: argparse.Namespace) -> Figure:
    trainer = trainer_of(recipe)
    peak = matmul_speed(args.seconds, getattr(torch, trainer.precision))
    operations = operations_of_a_step(trainer)
    pairs = list(alternate(args.pairs, lambda: per_second(trainer.step, args.seconds), peak))
    images = [steps * trainer.config.batch for steps, _ in pairs]
    shares = [100 * steps * operations / best for steps, best in pairs]
    best = spread([b / 1e9 for _, b in pairs], " GFLOP/s")
    print(f"  {recipe}, {trainer.precision}: {operations / 1e9:.3g} GFLOP a step, peak {best}")
    words = f"{spread(images, ' images/s')}; {spread(shares, ' %')} of the peak"
    return Figure(f"{recipe}, {threads} thread(s)", words)


def matmul_speed(seconds: float, dtype: torch.dtype) -> Callable[[], float]:
    """Measures floating-point operations a second in products of two square matrices."""
    a, b = torch.randn(SIDE, SIDE).to(dtype), torch.randn(SIDE, SIDE).to(dtype)
    out = torch.empty(SIDE, SIDE, dtype=dtype)
    return lambda: 2 * SIDE**3 * per_second(lambda: torch.mm(a, b, out=out), seconds)


def operations_of_a_step(trainer: Trainer) -> float:
    """The mean over the steps from one lazy penalty to the next."""
    period = trainer.config.penalty_every if trainer.penalty else 1
    return sum(operations(trainer.step) for _ in range(period)) / period


def operations(work: Callable[[], object]) -> int:
    """Floating-point operations of the matrix products and convolutions in one call, gradients included."""
    with _Counter() as counter:
        work()
    return counter.total


class _Counter(TorchDispatchMode):
    """torch's own formulas for each operation. Its FlopCounterMode hooks into modules too, which a penalty's gradient
    with respect to the pictures does not survive."""

    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        out = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=out)
        return out
