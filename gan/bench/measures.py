"""Training speed of a run that measures itself as it goes, against the same run when it does not."""

from __future__ import annotations

import argparse
import time
from functools import partial

from gan.bench.common import Figure, at_least, ratios, run_here, spread
from gan.core.flags import decimal, whole
from gan.runs.meta import MEASURE_SHARE, MOST_MEASURE_SHARE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--shares",
        type=decimal(0, MOST_MEASURE_SHARE),
        nargs="+",
        default=[MEASURE_SHARE],
        help="of the time, for measures",
    )
    parser.add_argument("--pairs", type=whole(1, 1000), default=6)
    parser.add_argument("--seconds", type=decimal(0.001, 86_400), default=15, help="of each half of a pair")


def measure(args: argparse.Namespace) -> list[Figure]:
    figures = []
    with run_here("quick", warm_up=5) as run:

        def with_share(share: float) -> float:
            run.command("measure_share", measure_share=share)
            return run.per_second(lambda: time.sleep(args.seconds))

        for share in args.shares:
            name = f"steps/s, {share:.0%} for measures"
            found = ratios(name, args.pairs, partial(with_share, share), lambda: with_share(0.0))
            what = f"quick with {share:.0%} of its time for measures, times without"
            figures.append(Figure(what, spread(found), at_least(1 - share, found)))
    return figures
