"""What each part of our small recipes is worth: one thing changed at a time, by what they can do after some seconds.

weights/README.md has the tables that led to the recipes. Resumable with --cache, as `quality` is.
"""

from __future__ import annotations

import argparse

from gan.bench import quality
from gan.bench.common import Figure, use_threads
from gan.core.config import Changes
from gan.recipes.catalog import make_config

RECIPES = ("quick", "quick-conditional", "quick-colour", "quick-monsters")
OF_ALL: dict[str, Changes] = {
    "as it is": {},
    "no penalty": {"penalty": "none"},
    "penalty 0.1": {"penalty_weight": 0.1},
    "penalty 0.3": {"penalty_weight": 0.3},
    "penalty 1": {"penalty_weight": 1.0},
    "penalty 3": {"penalty_weight": 3.0},
    "penalty 10": {"penalty_weight": 10.0},
    "learning rates of 0.002": {"d_lr": 2e-3, "g_lr": 2e-3},
    "learning rates that stay": {"lr_decay_images": 0},
    "momentum 0.5": {"beta1": 0.5},
    "batch 16": {"batch": 16},
    "batch 32": {"batch": 32},
    "batch 64": {"batch": 64},
    "batch 128": {"batch": 128},
    "width 16": {"width": 16},
    "width 48": {"width": 48},
    "width 64": {"width": 64},
    "no average": {"ema_halflife_images": 0},
    "augmentation 0.3": {"augment": 0.3},
    "augmentation 0.7": {"augment": 0.7},
    "least squares": {"objective": "least-squares"},
    "hinge": {"objective": "hinge"},
}
OF_GROUPS: dict[str, Changes] = {  # for recipes that sort the pictures into groups, or tell attributes
    "no groups": {"clusters": 0, "z_dim": 64},
    "20 groups": {"clusters": 20, "z_dim": 84},
    "50 groups": {"clusters": 50, "z_dim": 114},
    "100 groups": {"clusters": 100, "z_dim": 164},
    "200 groups": {"clusters": 200, "z_dim": 264},
}
OF_LARGE: dict[str, Changes] = {  # for colour and large pictures, which have other networks
    "networks of quick, width 48": {"model": "quick", "width": 48},
}
CANDIDATES = OF_ALL | OF_GROUPS | OF_LARGE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", choices=RECIPES, default="quick")
    parser.add_argument("--candidates", nargs="+", choices=CANDIDATES, help="default: all that differ from the recipe")
    quality.add_how(parser)
    parser.set_defaults(marks=[30], seeds=[0])


def measure(args: argparse.Namespace) -> list[Figure]:
    threads = use_threads(args)
    return [
        figure
        for name in args.candidates or candidates(args.recipe)
        for figure in quality.of_all_seeds(f"{args.recipe}, {name}", args.recipe, threads, args, **CANDIDATES[name])
    ]


def candidates(recipe: str) -> list[str]:
    """The names of what can be changed in a recipe, without what it already is."""
    config = make_config(recipe)
    wanted = OF_ALL | (OF_GROUPS if config.codes else {}) | (OF_LARGE if config.model == "skip" else {})
    return [name for name, changes in wanted.items() if not changes or config.changed(**changes) != config]
