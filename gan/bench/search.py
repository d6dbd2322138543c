"""What each part of `quick` is worth: one thing changed at a time, by what the recipe can do after some seconds.

weights/README.md has the table that led to the recipe. Resumable with --cache, as `quality` is.
"""

from __future__ import annotations

import argparse
from typing import Any

from gan.bench import quality
from gan.bench.common import Figure, use_threads

CANDIDATES: dict[str, dict[str, Any]] = {
    "quick": {},
    "no groups": {"clusters": 0, "z_dim": 64},
    "20 groups": {"clusters": 20, "z_dim": 84},
    "200 groups": {"clusters": 200, "z_dim": 264},
    "no penalty": {"penalty": "none"},
    "penalty 3": {"penalty_weight": 3.0},
    "half the learning rates": {"d_lr": 2e-3, "g_lr": 2e-3},
    "learning rates that stay": {"lr_decay_images": 0},
    "momentum 0.5": {"beta1": 0.5},
    "batch 32": {"batch": 32},
    "batch 128": {"batch": 128},
    "width 16": {"width": 16},
    "width 64": {"width": 64},
    "no average": {"ema_halflife_images": 0},
    "least squares": {"objective": "least-squares"},
    "hinge": {"objective": "hinge"},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--candidates", nargs="+", choices=CANDIDATES, default=list(CANDIDATES))
    quality.add_how(parser)
    parser.set_defaults(marks=[30], seeds=[0])


def measure(args: argparse.Namespace) -> list[Figure]:
    threads = use_threads(args)
    return [
        figure
        for name in args.candidates
        for figure in quality.of_all_seeds(name, "quick", threads, args, **CANDIDATES[name])
    ]
