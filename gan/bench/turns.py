"""People who press Train one after the other: when each sees own pictures, and what sharing the machine costs.

Every visitor is a stranger with one run, who polls it as the page does. First one of them alone gives the speed that
all together are compared with. Told right: how far the waiting time, as told at the beginning of each wait, was from
the time that passed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from gan.bench.common import ENDLESS, App, Figure, app
from gan.core.flags import decimal, whole

ALONE_SECONDS, WARM_UP_SECONDS = 60.0, 10.0
POLL_SECONDS = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--visitors", type=whole(2, 200), default=30)
    parser.add_argument("--recipe", default="quick")
    parser.add_argument("--within", type=decimal(0, 3600), default=60, help="seconds, in which all have pressed Train")
    parser.add_argument("--learned", type=decimal(1, 3600), default=20, help="seconds, that each is to learn")
    parser.add_argument("--at-most", type=decimal(1, 86_400), default=900, help="seconds, after which it ends anyhow")


@dataclass
class Visitor:
    """One stranger and the run. Times in seconds since Train was pressed."""

    pressed: float = 0.0
    first: float | None = None  # picture of a step
    enough: float | None = None  # learned as long as asked for
    images: int = 0
    told: list[tuple[float, float]] = field(default_factory=list)  # and how long it took
    problems: list[str] = field(default_factory=list)
    _wait: tuple[float, float] | None = None  # told, and when

    def go(self, ours: App, args: argparse.Namespace, ended: threading.Event) -> None:
        try:
            self._go(ours, args, ended)
        except (OSError, ValueError, KeyError) as e:
            self.problems.append(f"{type(e).__name__}: {e}")

    def _go(self, ours: App, args: argparse.Namespace, ended: threading.Event) -> None:
        self.pressed = time.monotonic()
        run = _asked(ours, "runs", {"recipe": args.recipe, "changes": ENDLESS})["id"]
        since = ""
        while not ended.wait(POLL_SECONDS):
            said = _asked(ours, f"runs/{run}/follow?since={since}")
            if said:
                since = said["cursor"]
                self._look(said.get("snapshot"), args.learned)

    def _look(self, snapshot: dict[str, Any] | None, learned: float) -> None:
        if snapshot is None:
            return
        now = time.monotonic()
        self.images = snapshot["images"]
        if snapshot["step"] and self.first is None:
            self.first = now - self.pressed
        if snapshot["seconds"] >= learned and self.enough is None:
            self.enough = now - self.pressed
        place = snapshot["place"]
        waits = place is not None and place["before"] is not None
        if waits and self._wait is None:
            self._wait = (place["seconds"], now)
        elif not waits and self._wait is not None:
            self.told.append((self._wait[0], now - self._wait[1]))
            self._wait = None


def _asked(ours: App, path: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON that somebody gets who owns nothing here; None where nothing is new."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(ours.base + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        said = answer.read()
    return json.loads(said.partition(b"\n")[0]) if said else None


def measure(args: argparse.Namespace) -> list[Figure]:
    with app() as (ours, _):
        alone = _alone(ours, args)
    print(f"  alone: {alone:,.0f} pictures a second", flush=True)
    with app() as (ours, _):
        started = time.monotonic()
        everybody = _together(ours, args)
        passed = time.monotonic() - started
    return _figures(args, everybody, sum(v.images for v in everybody) / passed / alone)


def _alone(ours: App, args: argparse.Namespace) -> float:
    """Pictures a second."""
    one, ended = Visitor(), threading.Event()
    thread = threading.Thread(target=one.go, args=(ours, args, ended))
    thread.start()
    time.sleep(WARM_UP_SECONDS)
    before, started = one.images, time.monotonic()
    time.sleep(ALONE_SECONDS)
    rate = (one.images - before) / (time.monotonic() - started)
    ended.set()
    thread.join()
    return rate


def _together(ours: App, args: argparse.Namespace) -> list[Visitor]:
    everybody, ended = [Visitor() for _ in range(args.visitors)], threading.Event()
    threads = [threading.Thread(target=visitor.go, args=(ours, args, ended)) for visitor in everybody]
    end = time.monotonic() + args.at_most
    for thread in threads:
        thread.start()
        time.sleep(args.within / args.visitors)
    while time.monotonic() < end and not all(v.enough or v.problems for v in everybody):
        time.sleep(POLL_SECONDS)
    ended.set()
    for thread in threads:
        thread.join()
    return everybody


def _figures(args: argparse.Namespace, everybody: list[Visitor], speed: float) -> list[Figure]:
    told = [abs(said - real) / real for v in everybody for said, real in v.told if real > 0]
    problems = [problem for v in everybody for problem in v.problems]
    return [
        Figure("first own pictures", _spread([v.first for v in everybody])),
        Figure(f"learned for {args.learned:g} s", _spread([v.enough for v in everybody])),
        Figure("pictures learned by all, times one alone", f"{speed:.3f}"),
        Figure("waiting time told, median error", f"{statistics.median(told):.0%} of {len(told)}" if told else "none"),
        Figure("problems", "; ".join(problems) or "none"),
    ]


def _spread(times: list[float | None]) -> str:
    known = [t for t in times if t is not None]
    if not known:
        return "nobody"
    missing = f", {len(times) - len(known)} never" if len(known) < len(times) else ""
    return f"median {statistics.median(known):.0f} s, last {max(known):.0f} s{missing}"
