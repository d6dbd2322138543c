"""Training speed of a run of `quick` while another process keeps one core busy, against its speed when left alone."""

from __future__ import annotations

import argparse
import sys
import time

from gan.bench.common import Figure, at_least, process, ratios, run_here, spread
from gan.core.flags import decimal, whole

BAR = 0.45
SPIN = "while True: pass"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pairs", type=whole(1, 1000), default=5)
    parser.add_argument(
        "--seconds", type=decimal(0.001, 86_400), default=15, help="of each half of a pair; the run notices by itself"
    )


def measure(args: argparse.Namespace) -> list[Figure]:
    with run_here("quick", warm_up=5) as run:

        def quiet() -> float:
            return run.per_second(lambda: time.sleep(args.seconds))

        def beside_a_spinning_process() -> float:
            with process(sys.executable, "-c", SPIN):
                return quiet()

        found = ratios("steps/s, one core busy", args.pairs, beside_a_spinning_process, quiet)
    return [Figure("quick beside a busy core, times alone", spread(found), at_least(BAR, found))]
