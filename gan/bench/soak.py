"""The crowd of `bench crowd` for half an hour or longer: does what the program holds level off, and does it go on?

Every five seconds: resident memory, threads, descriptors, bytes in the folder of runs, steps trained. A quantity levels
off where a straight line through the last half of its samples rises by no more than a stated share of their mean.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gan.bench.common import App, Figure, app, at_least, at_most
from gan.bench.crowd import add_arguments as crowd_arguments
from gan.bench.crowd import at_rest, crowded, figures, leftovers, tracebacks, warmed_up
from gan.bench.held import descriptor_count, resident_bytes, sampled, thread_count
from gan.bench.plot import Panel, svg_of
from gan.core.files import bytes_below
from gan.core.paths import ROOT

EVERY_SECONDS = 5.0
# Rise over the last half, as a share of the mean there. Threads and descriptors swing with who happens to be there, the
# folder with who deletes; what leaks would grow by about two thirds, as from nothing to its end.
MOST_RISE = {"memory": 0.05, "threads": 0.15, "descriptors": 0.15, "disk": 0.15}
LEAST_PACE = 0.8  # of the second half, times the first: the recipes that happen to train are not the same


class Sample(NamedTuple):
    seconds: float
    memory: float  # MB
    threads: float
    descriptors: float
    disk: float  # MB
    steps: float  # that all runs together have trained, also those that are gone


def add_arguments(parser: argparse.ArgumentParser) -> None:
    crowd_arguments(parser)
    parser.set_defaults(seconds=1800.0)
    parser.add_argument("--plot", type=Path, help="an SVG file for the curves")


def measure(args: argparse.Namespace) -> list[Figure]:
    with app(ROOT, "--max-waiting", str(args.max_waiting)) as (ours, p):
        before, memory = warmed_up(ours, p.pid, args.seed), resident_bytes(p.pid)
        with sampled(Sampler(ours, p.pid), EVERY_SECONDS) as samples:
            crowd = crowded(ours, args.visitors, args.seconds, args.seed)
        after = at_rest(ours, p.pid, before)
        found = [*figures(crowd), *leftovers(before, after), tracebacks(ours)]
        found.append(
            Figure("memory at rest, before and after", f"{memory / 1e6:,.0f} and {resident_bytes(p.pid) / 1e6:,.0f} MB")
        )
    during = [sample for sample in samples if sample.seconds < args.seconds]  # afterwards they stop their runs
    if args.plot:
        args.plot.write_text(_drawn(f"{args.visitors} visitors at once", during), encoding="utf-8")
    return [*found, *_levels(during), _pace(during)]


class Sampler:
    """Looks at the program from outside, but for the steps, which it is asked for."""

    def __init__(self, ours: App, pid: int) -> None:
        self.ours, self.pid, self.started = ours, pid, time.monotonic()
        self._steps: dict[str, int] = {}  # by run: the most that was seen, since some go back or are deleted

    def __call__(self) -> Sample:
        for run in self.ours.get("runs")["runs"]:
            self._steps[run["id"]] = max(run["step"], self._steps.get(run["id"], 0))
        found = Sample(
            time.monotonic() - self.started,
            resident_bytes(self.pid) / 1e6,
            thread_count(self.pid),
            descriptor_count(self.pid),
            bytes_below(self.ours.runs) / 1e6,
            sum(self._steps.values()),
        )
        if found.seconds % 60 < EVERY_SECONDS:
            print(
                f"  {found.seconds:,.0f} s: {found.memory:,.0f} MB, {found.threads:.0f} threads, "
                f"{found.descriptors:.0f} descriptors, {found.disk:,.0f} MB on disk, {found.steps:,.0f} steps",
                flush=True,
            )
        return found


def rise(seconds: Sequence[float], values: Sequence[float]) -> float:
    """What the straight line through the values (least squares) rises by, as a share of their mean."""
    mean = statistics.fmean(values)
    if not mean or len(values) < 2:
        return 0.0
    return statistics.linear_regression(seconds, values).slope * (seconds[-1] - seconds[0]) / mean


def _levels(samples: Sequence[Sample]) -> list[Figure]:
    last = samples[len(samples) // 2 :]
    seconds = [sample.seconds for sample in last]
    found = []
    for name, most in MOST_RISE.items():
        values = [getattr(sample, name) for sample in last]
        share = rise(seconds, values)
        what = f"{name} in the last half, rise as a share of its mean of {statistics.fmean(values):,.0f}"
        found.append(Figure(what, f"{share:+.3f}", at_most(most, [share])))
    return found


def _pace(samples: Sequence[Sample]) -> Figure:
    first, middle, last = samples[0], samples[len(samples) // 2], samples[-1]
    halves = [(b.steps - a.steps) / (b.seconds - a.seconds) for a, b in ((first, middle), (middle, last))]
    share = halves[1] / halves[0] if halves[0] else float("nan")
    what = f"steps a second, {halves[0]:,.1f} in the first half and {halves[1]:,.1f} in the second: their ratio"
    return Figure(what, f"{share:.3f}", at_least(LEAST_PACE, [share]))


def _drawn(title: str, samples: Sequence[Sample]) -> str:
    def curve(name: str) -> list[float]:
        return [getattr(sample, name) for sample in samples]

    panels = [
        Panel("Resident memory, MB", {"": curve("memory")}),
        Panel("Threads and descriptors", {"threads": curve("threads"), "descriptors": curve("descriptors")}),
        Panel("Folder of runs, MB", {"": curve("disk")}),
        Panel("Steps trained, by all runs", {"": curve("steps")}),
    ]
    return svg_of(title, [sample.seconds / 60 for sample in samples], "minutes", panels)
