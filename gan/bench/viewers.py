"""Training speed while viewers poll the app, against the same viewers polling an unrelated server."""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from gan.bench.common import (
    Figure,
    PausedRun,
    app,
    at_least,
    at_most,
    free_port,
    process,
    ratios,
    spread,
    wait_for,
    watch,
)
from gan.bench.held import resident_bytes, sampled
from gan.core.flags import decimal, whole

DUMMY = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
body = b'{"version": 1, "step": 1, "x": "' + b"a" * 20000 + b'"}'
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *a): pass
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
BAR, IN_TIME, GROWTH = 0.95, 0.99, 0.05
FIRST_SECONDS, MEMORY_EVERY_SECONDS = 60.0, 1.0  # what the first viewers begin, the program keeps
WARM_UP_SECONDS = 8.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--counts", type=whole(0, 10_000), nargs="+", default=[0, 10, 50, 200], help="how many viewers")
    parser.add_argument("--pairs", type=whole(1, 1000), default=4)
    parser.add_argument("--seconds", type=decimal(0.001, 86_400), default=15, help="of each half of a pair")


def measure(args: argparse.Namespace) -> list[Figure]:
    dummy_port = free_port()
    figures = []
    with process(sys.executable, "-c", DUMMY, str(dummy_port)), app() as (ours, p):
        dummy = f"http://127.0.0.1:{dummy_port}/"
        wait_for(dummy)
        run, live = ours.measured_run("quick", WARM_UP_SECONDS)
        for count in args.counts:
            figures += _with_viewers(run, p.pid, (live, dummy), count, args)
    return figures


def _with_viewers(
    run: PausedRun, pid: int, urls: tuple[str, str], count: int, args: argparse.Namespace
) -> list[Figure]:
    live, dummy = (_Half(run, pid, url, count, args.seconds) for url in urls)
    found = ratios(f"steps/s, {count} viewers", args.pairs, live.steps_per_second, dummy.steps_per_second)
    what = f"training with {count} viewers, times the same viewers elsewhere"
    if not count:
        return [Figure(f"{what} (nobody anywhere: the noise)", spread(found))]
    print(f"  the last of them met {live.met[-1]}", flush=True)
    cpu = [(a - b) / count * 100 for a, b in zip(live.serving, dummy.serving, strict=True)]
    head = [Figure(what, spread(found), at_least(BAR, found)), Figure("  CPU of the app a viewer", spread(cpu, " %"))]
    return [*head, *live.figures()]


class _Half:
    """One side of the pairs: so many viewers of an address while the run trains, and what came of it, half by half."""

    def __init__(self, run: PausedRun, pid: int, url: str, count: int, seconds: float) -> None:
        self.run, self.pid, self.url, self.count, self.seconds = run, pid, url, count, seconds
        self.serving: list[float] = []  # CPU seconds a second
        self.met: list[dict[str, float]] = []
        self.growth: list[float] = []  # of resident memory since the end of the first minute, as a share

    def steps_per_second(self) -> float:
        before, started = thread_seconds(self.pid), time.monotonic()
        with sampled(lambda: (time.monotonic() - started, resident_bytes(self.pid)), MEMORY_EVERY_SECONDS) as memory:
            rate = self.run.per_second(self._watch)
        used = [s - before.get(t, 0.0) for t, s in thread_seconds(self.pid).items()]
        # The busiest thread trains; all others serve.
        self.serving.append((sum(used) - max(used)) / (time.monotonic() - started))
        self.growth.append(_growth(memory, min(FIRST_SECONDS, self.seconds / 4)))
        return rate

    def _watch(self) -> None:
        if self.count:
            self.met.append(watch(self.url, self.count, self.seconds))
        else:
            time.sleep(self.seconds)

    def figures(self) -> list[Figure]:
        """In time: what was asked for had come within a second; a picture was no older when it had come."""
        answers, updates = ([met[f"{what}_in_time"] for met in self.met] for what in ("answers", "updates"))
        errors = sum(met["errors"] for met in self.met)
        after = min(FIRST_SECONDS, self.seconds / 4)
        return [
            Figure(
                "  answers within a second, share in the worst half",
                f"{min(answers):.4f}",
                at_least(IN_TIME, [min(answers)]),
            ),
            Figure(
                "  pictures seen within a second of their making, likewise",
                f"{min(updates):.4f}",
                at_least(IN_TIME, [min(updates)]),
            ),
            Figure(
                "  errors", f"{errors:.0f} in {sum(met['requests'] for met in self.met):,.0f}", at_most(0, [errors])
            ),
            Figure(
                f"  memory, growth after {after:.0f} s, share", spread(self.growth), at_most(GROWTH, [max(self.growth)])
            ),
        ]


def _growth(memory: list[tuple[float, int]], begins: float) -> float:
    """By how much of what was resident after so many seconds there was more at most later."""
    later = [held for seconds, held in memory if seconds >= begins] or [memory[-1][1]]
    return max(later) / later[0] - 1


def thread_seconds(pid: int) -> dict[str, float]:
    """CPU seconds of each thread of a process (Linux)."""
    tick = os.sysconf("SC_CLK_TCK")
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            fields = (task / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
            found[task.name] = (int(fields[11]) + int(fields[12])) / tick
    return found
