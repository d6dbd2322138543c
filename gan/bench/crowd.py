"""Strangers behind one address who queue, steer, drag sliders, play, reload, leave and come back, all at once.

No answer may be a failure, no run may be taken for another's, and when all have left and their runs are stopped, the
program holds what it held before. What it held before is looked at after a few visitors have done each thing once:
what the first use begins, and keeps, counts as before.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import Counter

from gan.bench.common import App, BenchError, Figure, app, at_most
from gan.bench.crowd_page import Tally
from gan.bench.crowd_visitors import KINDS, Crowd, visit
from gan.bench.held import Held, held_by
from gan.core.flags import decimal, whole
from gan.core.paths import ROOT

WARM_UP_VISITORS, WARM_UP_SECONDS = 2 * len(KINDS), 20.0
REST_SECONDS = 60.0  # within which what was used for a while is given back
IDLE_SECONDS = 11.0  # a worker thread of the server that was idle for 10 s ends when another is used
SHOWN_ERRORS = 12
ALIVE = ("running", "paused")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--visitors", type=whole(1, 60), default=30)
    parser.add_argument("--seconds", type=decimal(1, 86_400), default=600)
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=0, help="of what the visitors choose")

    parser.add_argument("--max-waiting", type=whole(0, 200), default=30, help="a flag of app.py, with its default")


def measure(args: argparse.Namespace) -> list[Figure]:
    with app(ROOT, "--max-waiting", str(args.max_waiting)) as (ours, p):
        before = warmed_up(ours, p.pid, args.seed)
        crowd = crowded(ours, args.visitors, args.seconds, args.seed)
        after = at_rest(ours, p.pid, before)
        return [*figures(crowd), *leftovers(before, after), tracebacks(ours)]


def crowded(ours: App, visitors: int, seconds: float, seed: int) -> Crowd:
    """What so many visitors met in so many seconds; all have left, and asked their runs to stop."""
    crowd = Crowd(ours.port, time.monotonic() + seconds)
    asyncio.run(visit(crowd, visitors, seed))
    return crowd


def warmed_up(ours: App, pid: int, seed: int) -> Held:
    """What the program holds once everything was used and all is at rest again."""
    crowd = crowded(ours, WARM_UP_VISITORS, WARM_UP_SECONDS, seed + 1)
    print(f"  warmed up by {len(crowd.runs)} runs of {WARM_UP_VISITORS} visitors", flush=True)
    return at_rest(ours, pid, None)


def at_rest(ours: App, pid: int, before: Held | None) -> Held:
    """What it holds when nothing trains; as soon as that is no more than before. Raises BenchError."""
    end, idle = time.monotonic() + REST_SECONDS, time.monotonic() + IDLE_SECONDS
    while True:
        time.sleep(1.0)
        ours.get("busy")  # is answered by a worker thread, for which the server ends those that were idle for long
        runs = ours.get("runs")["runs"]
        busy = [run["id"] for run in runs if run["status"] in ALIVE]
        now = held_by(pid, ours.runs, {run["id"] for run in runs})
        late = time.monotonic() > end
        if late and busy:
            raise BenchError(f"{len(busy)} runs did not stop within {REST_SECONDS:.0f} s.")
        rested = before is None or (now.threads <= before.threads and not _more(now.descriptors, before.descriptors))
        if late or (rested and not busy and time.monotonic() > idle):
            return now


def figures(crowd: Crowd) -> list[Figure]:
    """The table by kind of visitor, and what must not be."""
    errors = [error for tally in crowd.tallies.values() for error in tally.errors]
    for error, count in Counter(errors).most_common(SHOWN_ERRORS):
        print(f"  {count} times: {error}", flush=True)
    crossed = [error for error in errors if error.startswith("cross-talk")]
    return [
        *(Figure(f"{kind}s", _met(tally)) for kind, tally in crowd.tallies.items()),
        Figure("refusals in words", _refused(crowd)),
        Figure("errors", str(len(errors)), at_most(0, [len(errors)])),
        Figure(
            f"cross-talk in {crowd.checked:,} answers about {len(crowd.runs)} runs and {crowd.trespasses} trespasses",
            str(len(crossed)),
            at_most(0, [len(crossed)]),
        ),
    ]


def _met(tally: Tally) -> str:
    times = f"median {1e3 * tally.quantile(0.5):.1f} ms, 99 % within {1e3 * tally.quantile(0.99):,.0f} ms"
    return f"{len(tally.times):,} requests, {times}, {tally.refusals.total()} refusals, {len(tally.errors)} errors"


def _refused(crowd: Crowd) -> str:
    found = sum((tally.refusals for tally in crowd.tallies.values()), Counter[str]())
    return ", ".join(f"{count} {words}" for words, count in found.most_common()) or "none"


def leftovers(before: Held, after: Held) -> list[Figure]:
    """What is held afterwards and was not before; the files in a kept run's folder are explained by it."""
    more = _more(after.descriptors, before.descriptors)
    for what, count in more.items():
        print(f"  {count} more descriptors of {what}", flush=True)
    for path in after.strays[:SHOWN_ERRORS]:
        print(f"  no run explains {path}", flush=True)
    left = {
        f"threads afterwards, over the {before.threads} before": after.threads - before.threads,
        f"descriptors afterwards, that were not among the {before.descriptors.total()} before": more.total(),
        f"child processes afterwards, over the {before.children} before": after.children - before.children,
        "files in the folder of runs that no kept run explains": len(after.strays),
    }
    return [Figure(what, str(count), at_most(0, [count])) for what, count in left.items()]


def _more(now: Counter[str], before: Counter[str]) -> Counter[str]:
    return now - before


def tracebacks(ours: App) -> Figure:
    """What the program said of its troubles, and how many of these nobody expected."""
    lines = ours.log.read_text(encoding="utf-8").splitlines()
    found = [line for line in lines if line.startswith("Traceback")]
    for line in lines[:SHOWN_ERRORS]:
        print(f"  log: {line[:200]}", flush=True)
    return Figure("tracebacks in the log", str(len(found)), at_most(0, [len(found)]))
