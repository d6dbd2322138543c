"""What several measurements share: processes, the app as a page speaks to it, alternating pairs, the last table."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar
from urllib.error import HTTPError

import torch

from gan.bench.load_clients import Moment, news_of
from gan.core.config import Changes, Value
from gan.core.errors import UserError
from gan.core.flags import whole
from gan.core.paths import ROOT
from gan.data.catalog import load
from gan.monitor.records import Event
from gan.recipes.catalog import RECIPES, make_config
from gan.runs.commands import Command
from gan.runs.registry import Runs
from gan.training.threads import thread_counts
from gan.training.trainer import Trainer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Item = TypeVar("Item")
Found = TypeVar("Found")

TRAINABLE = tuple(name for name in RECIPES if name != "conv-small-as-printed")  # which is refused, with the reason
PLAIN = tuple(name for name in TRAINABLE if RECIPES[name].group != "famous")  # what bare.py knows
ENDLESS: Changes = {"total_steps": 10**8}  # a run that does not end while it is measured


def side_by_side(work: Callable[[Item], Found], items: Iterable[Item], jobs: int) -> Iterator[Found]:
    """What `work` gives of each item, in order, from so many processes with their own torch.

    Spawned, because a fork would share torch's threads. An executor notices when one of its processes is killed; what
    has not begun when the caller stops is not done. No process outlives the caller, however that ends.
    """
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _end_with_parent)
    try:
        yield from pool.map(work, items)
    except KeyboardInterrupt:  # of a signal that only we have got
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


class BenchError(UserError):
    """A measurement that cannot be made here; the message is one sentence."""


# Figures ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figure:
    """One line of the table at the end."""

    what: str
    value: str
    bar: str = ""  # what it should reach, and whether it does


def table(figures: list[Figure]) -> str:
    widths = [max((len(getattr(f, name)) for f in figures), default=0) for name in ("what", "value")]
    return "\n".join(f"{f.what:<{widths[0]}}  {f.value:<{widths[1]}}  {f.bar}".rstrip() for f in figures)


def spread(values: list[float], unit: str = "") -> str:
    low, middle, high = map(_number, (min(values), statistics.median(values), max(values)))
    return f"median {middle}{unit}, {low} to {high}, n = {len(values)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def at_least(bar: float, values: list[float]) -> str:
    return f"at least {bar:g}: {'met' if statistics.median(values) >= bar else 'missed'}"


def at_most(bar: float, values: list[float]) -> str:
    return f"at most {bar:g}: {'met' if statistics.median(values) <= bar else 'missed'}"


def load_of_the_machine() -> Figure:
    """Stands below every table: where others compute too, even ratios waver."""
    if not hasattr(os, "getloadavg"):
        return Figure("load of the machine", "unknown here")
    return Figure("load of the machine", f"{os.getloadavg()[2]:.1f} over 15 min, {os.cpu_count()} cores")


# Pairs -----------------------------------------------------------------------------------------------------------


def alternate(pairs: int, first: Callable[[], Found], second: Callable[[], Found]) -> Iterator[tuple[Found, Found]]:
    """Pairs measured one right after the other, every other pair in reverse: what drifts, drifts through both."""
    for k in range(pairs):
        if k % 2:
            b = second()
            yield first(), b
        else:
            a = first()
            yield a, second()


def ratios(name: str, pairs: int, ours: Callable[[], float], theirs: Callable[[], float]) -> list[float]:
    """ours / theirs for each pair, printed as they come."""
    found = []
    for a, b in alternate(pairs, ours, theirs):
        found.append(a / b)
        print(f"  {name}: {a:,.4g} against {b:,.4g}, ratio {a / b:.3f}", flush=True)
    return found


def per_second(step: Callable[[], object], seconds: float) -> float:
    """How often a second `step` can be called."""
    count, started = 0, time.perf_counter()
    while True:
        step()
        count += 1
        passed = time.perf_counter() - started
        if passed >= seconds:
            return count / passed


# Training in this process ----------------------------------------------------------------------------------------


def app_threads() -> int:
    """How many processor threads the app trains with while nobody else computes."""
    return thread_counts()[-1]


def add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--threads", type=whole(0, 1024), default=0, help="processor threads (default: as many as the app takes)"
    )


def use_threads(args: argparse.Namespace) -> int:
    """Set and return the number of threads that was asked for."""
    torch.set_num_threads(args.threads or app_threads())
    return torch.get_num_threads()


def trainer_of(recipe: str, device: torch.device | str = "cpu", **changes: Value) -> Trainer:
    """The recipe's Trainer on its own data set, as a run makes it."""
    config = make_config(recipe, None, None, **changes)
    return Trainer(config, load(config.dataset), device)


class PausedRun:
    """A run that trains only while it is measured, so that others can be measured between.

    It takes no live measures, which have a stated share of the time and a bench of their own (`bench measures`).
    """

    def __init__(self, events: Callable[[], list[Event]], command: Callable[..., object]) -> None:
        self.events, self.command = events, command
        command("measure_share", measure_share=0.0)
        self.step = self.pause()

    def pause(self) -> int:
        """The step at which it stood still. The event has it exactly, and earlier than the picture of that step."""
        known = len(self.events())
        self.command("pause")
        end = time.monotonic() + 120
        while time.monotonic() < end:
            events = self.events()
            if len(events) > known:
                return events[-1]["step"]
            time.sleep(0.005)
        raise BenchError("A run that was to be measured no longer answers.")

    def per_second(self, meanwhile: Callable[[], object]) -> float:
        """Steps a second while `meanwhile` goes on."""
        self.command("resume")
        started = time.perf_counter()
        meanwhile()
        step = self.pause()
        rate = (step - self.step) / (time.perf_counter() - started)
        self.step = step
        return rate


@contextmanager
def run_here(recipe: str, warm_up: float) -> Iterator[PausedRun]:
    """A run in a thread of this process, started by the registry as the app does."""
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(Path(folder))
        run, _ = runs.create(recipe, None, ENDLESS)
        runs.start(run)
        time.sleep(warm_up)
        command = lambda kind, **more: runs.command(run, Command(kind, **more))  # noqa: E731
        yield PausedRun(lambda: list(run.history.events), command)
        run.send(Command("shutdown"))
        run.join(60)


# The app ---------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextmanager
def process(
    *command: str, cwd: Path = ROOT, log: IO[str] | None = None, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """log: a file for what it says of its troubles."""
    settings, errors = os.environ | environment, log or subprocess.DEVNULL
    p = subprocess.Popen(command, cwd=cwd, env=settings, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8")
    try:
        yield p
    finally:
        p.terminate()
        try:
            p.wait(20)
        except subprocess.TimeoutExpired:
            p.kill()


def wait_for(url: str, seconds: float = 120) -> None:
    """Until a server answers 200. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer within {seconds:.0f} s")


OURS = "/gradio_api/gan/"  # where the app answers what its page asks


class App:
    """The app in a process of its own, with a run folder of its own, spoken to as the page does."""

    def __init__(self, port: int, folder: Path = Path()) -> None:
        self.port, self.base = port, f"http://127.0.0.1:{port}{OURS}"
        self.owner = ""
        self.runs, self.log = folder / "runs", folder / "log"  # where its runs lie; what it says of its troubles

    def ready(self, p: subprocess.Popen) -> None:
        """Wait for the line that holds the owner's link. Raises BenchError when it ends without."""
        link = next(filter(None, (re.search(r"#owner=(\S+)", line) for line in p.stdout or ())), None)
        if link is None:
            raise BenchError("The app ended before it was ready.")
        self.owner = link[1]

    def get(self, path: str) -> Any:
        return self.ask(urllib.request.Request(self.base + path))

    def read(self, path: str) -> bytes:
        """What anybody gets."""
        with urllib.request.urlopen(self.base + path, timeout=60) as answer:
            return answer.read()

    def post(self, path: str, body: dict[str, object]) -> Any:
        headers = {"Content-Type": "application/json"}
        return self.ask(urllib.request.Request(self.base + path, json.dumps(body).encode(), headers))

    def ask(self, request: urllib.request.Request) -> Any:
        """The JSON that the owner gets."""
        request.add_header("X-Owner", self.owner)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def train(self, recipe: str, **changes: Value) -> str:
        """Start a run; returns its id."""
        return self.post("runs", {"recipe": recipe, "changes": changes})["id"]

    def measured_run(self, recipe: str, warm_up: float) -> tuple[PausedRun, str]:
        """A run that trains only while it is measured, and the address that its viewers poll."""
        path = f"runs/{self.train(recipe, **ENDLESS)}"
        time.sleep(warm_up)
        command = lambda kind, **more: self.post(f"{path}/command", {"command": kind, **more})  # noqa: E731
        return PausedRun(lambda: self.get(path)["events"], command), self.watched(path)

    def watched(self, path: str) -> str:
        """The address that the viewers of a run poll."""
        try:
            self.read(f"{path}/follow")
        except HTTPError:  # the program is older than this route
            return f"{self.base}{path}/live"
        return f"{self.base}{path}/follow"


@contextmanager
def app(checkout: Path = ROOT, *flags: str) -> Iterator[tuple[App, subprocess.Popen]]:
    """flags: of app.py, besides those for its port and folder."""
    port, folder = free_port(), tempfile.mkdtemp()
    found = App(port, Path(folder))
    command = (sys.executable, "app.py", "--port", str(port), "--runs", str(found.runs), *flags)
    try:
        with open(found.log, "w", encoding="utf-8") as log, process(*command, cwd=checkout, log=log) as p:
            found.ready(p)
            yield found, p
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def moment_at(url: str, since: str = "") -> tuple[str, Moment | None]:
    """What a viewer of a run asks with next, and (version, step) where there is a new moment of it."""
    with urllib.request.urlopen(f"{url}?since={since}", timeout=60) as answer:
        body = answer.read()
    return news_of(body) if body else (since, None)


def watch(url: str, count: int, seconds: float) -> dict[str, float]:
    """Let simulated viewers poll an address, from a process of their own; returns what they met."""
    return _load("watch", url, count, seconds)


def drag(url: str, count: int, seconds: float) -> dict[str, float]:
    """Let simulated hands drag a slider that asks an address for pictures; returns what they met."""
    return _load("drag", url, count, seconds)


def _load(client: str, url: str, count: int, seconds: float) -> dict[str, float]:
    command = [
        sys.executable,
        "-m",
        "gan.bench.load_clients",
        client,
        url,
        "--count",
        str(count),
        "--seconds",
        str(seconds),
    ]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout)


# The browser -----------------------------------------------------------------------------------------------------


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser. Raises BenchError in words when there is none."""
    path = find_chromium()
    if path is None:
        raise BenchError(
            "No Chromium was found; install it (Debian: chromium-headless-shell) or set CHROMIUM to its path."
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def find_chromium() -> str | None:
    """The browser that opens pages fastest comes first: the one that has no windows."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("CHROMIUM") or next((p for p in map(shutil.which, names) if p), None)
