"""What our training step costs beyond the plainest loop for the same networks: alone, and in the app while watched.

The watched run is in a process of its own, with one viewer that polls like the page; its speed is that between the
first and the last live picture. All take as many threads as the app takes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch

from gan.bench.bare import Bare
from gan.bench.common import (
    PLAIN,
    Figure,
    app,
    app_threads,
    at_least,
    per_second,
    ratios,
    spread,
    trainer_of,
    watch,
)
from gan.core.flags import decimal, whole

BAR = 0.95


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipes", nargs="+", choices=PLAIN, default=["quick", "mlp", "dcgan-transposed"])
    parser.add_argument("--pairs", type=whole(1, 1000), default=5)
    parser.add_argument("--seconds", type=decimal(0.001, 86_400), default=6, help="of each half of a pair")
    parser.add_argument("--warm-up", type=decimal(0, 86_400), default=60, help="seconds; a young run writes down more")


def measure(args: argparse.Namespace) -> list[Figure]:
    torch.set_num_threads(app_threads())
    return [figure for recipe in args.recipes for figure in _of(recipe, args)]


def _of(recipe: str, args: argparse.Namespace) -> list[Figure]:
    plain = bare_of(recipe)

    def bare() -> float:
        return per_second(plain.step, args.seconds)

    def against(name: str, ours: Callable[[], float]) -> Figure:
        found = ratios(f"steps/s, {recipe}, {name} against bare", args.pairs, ours, bare)
        return Figure(f"{recipe}, {name}, times the bare loop", spread(found), at_least(BAR, found))

    per_second(plain.step, args.warm_up / 4)
    trainer = trainer_of(recipe)
    per_second(trainer.step, args.warm_up / 4)
    figures = [against("Trainer alone", lambda: per_second(trainer.step, args.seconds))]
    with app() as (ours, _):
        run, live = ours.measured_run(recipe, args.warm_up)

        def watched() -> float:
            run.command("resume")
            found = watch(live, 1, args.seconds + 1)  # the run and its viewer need a moment to begin
            run.pause()
            return found["steps_per_s"]

        figures.append(against("run with a viewer", watched))
    return figures


def bare_of(recipe: str) -> Bare:
    """The bare loop for a recipe, its data set in memory as floats."""
    trainer = trainer_of(recipe)  # for what it found in the data: labels or groups, and how the latents vote for them
    bare = Bare(trainer.config, trainer.data.pictures.images.float() / 127.5 - 1, trainer.data.labels)
    bare.G.load_state_dict(trainer.G.state_dict())
    return bare
