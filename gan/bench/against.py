"""This program against another checkout of it: start-up, first picture, training while watched, pictures by the server.

For "nothing became slower": each pair starts both programs, one after the other, every other pair in reverse. The other
checkout runs with the same Python, and is spoken to as its page speaks to it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from gan.bench.common import (
    ENDLESS,
    App,
    BenchError,
    Figure,
    alternate,
    app,
    at_least,
    moment_at,
    spread,
    wait_for,
    watch,
)
from gan.core.flags import decimal, whole
from gan.core.paths import ROOT

BAR = 0.97
PICTURES = 200  # asked for one after the other
PATIENCE = 60.0  # seconds until a run's first picture

Speeds = dict[str, float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--checkout", type=Path, help="folder of the other program (needed)")
    parser.add_argument("--pairs", type=whole(1, 1000), default=8)
    parser.add_argument(
        "--seconds", type=decimal(5, 3600), default=20.0, help="of training while watched: less shows no two steps"
    )


def measure(args: argparse.Namespace) -> list[Figure]:
    if args.checkout is None or not (args.checkout / "app.py").is_file():
        raise BenchError("Please name a folder with another version of this program: --checkout FOLDER.")
    found: dict[str, list[float]] = {}
    sides = (lambda: speeds(ROOT, args.seconds), lambda: speeds(args.checkout, args.seconds))
    for ours, theirs in alternate(args.pairs, *sides):
        for what in ours:
            found.setdefault(what, []).append(ours[what] / theirs[what])
            print(f"  {what}: {ours[what]:.4g} against {theirs[what]:.4g}, ratio {found[what][-1]:.3f}", flush=True)
    return [
        Figure(f"{what}, times the other's", spread(values), at_least(BAR, values)) for what, values in found.items()
    ]


def speeds(checkout: Path, seconds: float) -> Speeds:
    """What one start of the program gives, the more the better."""
    started = time.monotonic()
    with app(checkout) as (one, _):
        wait_for(f"http://127.0.0.1:{one.port}/")
        page = time.monotonic() - started
        clicked = time.monotonic()
        path = f"runs/{one.train('quick', **ENDLESS)}"
        address = one.watched(path)
        while moment_at(address)[1] is None:
            if time.monotonic() - clicked > PATIENCE:
                raise BenchError(f"The program in {checkout} shows no picture.")
            time.sleep(0.02)
        first = time.monotonic() - clicked
        steps = watch(address, 1, seconds)["steps_per_s"]
        one.post(f"{path}/command", {"command": "pause"})
        return {
            "starts a second": 1 / page,
            "first pictures a second": 1 / first,
            "steps a second while watched": steps,
            "pictures a second by the server": 1 / _picture(one),
        }


def _picture(one: App) -> float:
    """Seconds until a picture of another slider position has come, median."""
    times = []
    for k in range(PICTURES):
        started = time.perf_counter()
        one.read(f"pixels?w=mnist&seed=1&d=0:{k / PICTURES:.4f}")
        times.append(time.perf_counter() - started)
    return statistics.median(times)
