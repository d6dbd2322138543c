"""Training speed of `quick` while another process keeps one core busy, against its speed when left alone."""

from __future__ import annotations

import argparse
import sys
import time

from gan.bench.common import (
    Figure,
    add_threads,
    at_least,
    per_second,
    process,
    ratios,
    spread,
    trainer_of,
    use_threads,
)

BAR = 0.45
SPIN = "while True: pass"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6, help="of each half of a pair")
    add_threads(parser)


def measure(args: argparse.Namespace) -> list[Figure]:
    threads = use_threads(args)
    trainer = trainer_of("quick")
    per_second(trainer.step, 2)

    def quiet() -> float:
        return per_second(trainer.step, args.seconds)

    def beside_a_spinning_process() -> float:
        with process(sys.executable, "-c", SPIN):
            time.sleep(0.5)  # until it spins
            return quiet()

    found = ratios(f"steps/s, {threads} thread(s), one core busy", args.pairs, beside_a_spinning_process, quiet)
    what = f"quick beside a busy core, times alone ({threads} thread(s))"
    return [Figure(what, spread(found), at_least(BAR, found))]
