"""Training speed while viewers poll the app, against the same viewers polling an unrelated server."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gan.bench.common import Figure, PausedRun, app, at_least, free_port, process, ratios, spread, wait_for, watch
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
BAR = 0.95
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
    serving: dict[str, list[float]] = {url: [] for url in urls}
    met: dict[str, dict[str, float]] = {}

    def steps_per_second(url: str) -> Callable[[], float]:
        def measured() -> float:
            before, started = thread_seconds(pid), time.monotonic()
            rate = run.per_second(lambda: met.update({url: _watched(url, count, args.seconds)}))
            used = [s - before.get(t, 0.0) for t, s in thread_seconds(pid).items()]
            # The busiest thread trains; all others serve.
            serving[url].append((sum(used) - max(used)) / (time.monotonic() - started))
            return rate

        return measured

    live, dummy = urls
    found = ratios(f"steps/s, {count} viewers", args.pairs, steps_per_second(live), steps_per_second(dummy))
    what = f"training with {count} viewers, times the same viewers elsewhere"
    if not count:
        return [Figure(f"{what} (nobody anywhere: the noise)", spread(found))]
    print(f"  the last of them met {met[live]}", flush=True)
    cpu = [(a - b) / count * 100 for a, b in zip(serving[live], serving[dummy], strict=True)]
    return [Figure(what, spread(found), at_least(BAR, found)), Figure("  CPU of the app a viewer", spread(cpu, " %"))]


def _watched(url: str, count: int, seconds: float) -> dict[str, float]:
    if count:
        return watch(url, count, seconds)
    time.sleep(seconds)
    return {}


def thread_seconds(pid: int) -> dict[str, float]:
    """CPU seconds of each thread of a process (Linux)."""
    tick = os.sysconf("SC_CLK_TCK")
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            fields = (task / "stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
            found[task.name] = (int(fields[11]) + int(fields[12])) / tick
    return found
