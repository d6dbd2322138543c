"""The app in a process of its own, somebody's run that trains there, and what the server spends on a request."""

from __future__ import annotations

import json
import math
import os
import re
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gan.bench.common import App, free_port, process
from gan.bench.viewers import thread_seconds
from gan.core.paths import ROOT
from gan.runs.registry import Runs
from gan.runs.store import MOST_TOKENS
from gan.web.access import Access
from gan.web.routes.register import all_tables
from tests import samples
from tests.conftest import PATIENCE, until
from tests.web.hostile.asking import Target, form
from tests.web.test_own_picture_routes import NOISE

# The app itself, but for its patience with what does not arrive; and data sets are not read while memory is measured.
_START = """
import runpy
from gan.web import back_pressure, server
server._warm_up = lambda: None
back_pressure.SILENT_SECONDS = back_pressure.HEAD_SECONDS = 1.5
runpy.run_path("app.py", run_name="__main__")
"""
_BUSY_SECONDS = 0.4  # of processor time, until it is clear which threads train


@dataclass
class Site:
    """pid: of the server. trainers: its threads that train."""

    app: App
    pid: int
    folder: Path
    target: Target
    trainers: frozenset[str] = frozenset()

    def seconds(self) -> float:
        """Processor time of everything but training."""
        threads = thread_seconds(self.pid)
        return self._all_seconds() - sum(threads.get(thread, 0.0) for thread in self.trainers)

    def _all_seconds(self) -> float:
        """Also of threads that have ended."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, peak: bool = False) -> int:
        """Bytes that it has, or has had at most since `forget_peak`."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        found = re.search(rf"{'VmHWM' if peak else 'VmRSS'}:\s+(\d+) kB", status)
        assert found
        return int(found[1]) << 10

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="utf-8")

    def step(self) -> int:
        return int(self.told()["step"])

    def told(self) -> Any:
        return self.app.get(f"runs/{self.target.run}")

    def losses(self) -> list[float]:
        """All numbers of the run's record."""
        lines = self.app.read(f"runs/{self.target.run}/download/history.csv").decode().splitlines()[1:]
        return [float(word) for line in lines for word in line.split(",") if word]

    def find_trainers(self) -> None:
        before = thread_seconds(self.pid)

        def busy() -> dict[str, float]:
            now = thread_seconds(self.pid)
            return {thread: now[thread] - before.get(thread, 0.0) for thread in now}

        until(lambda: max(busy().values()) > _BUSY_SECONDS)
        found = busy()
        self.trainers = frozenset(thread for thread in found if found[thread] > max(found.values()) / 4)

    def places(self) -> tuple[str, ...]:
        """What stands in no answer: where things lie on the server."""
        return (str(self.folder), str(ROOT), "site-packages", "Traceback", "root:x:0")


@contextmanager
def opened(folder: Path) -> Iterator[Site]:
    """The app, with all that a `Target` names. One run trains, and nobody else's has a place."""
    app = App(free_port())
    flags = ("--port", str(app.port), "--runs", str(folder / "runs"), "--max-waiting", "0")
    with process(sys.executable, "-c", _START, *flags) as p:
        app.ready(p)
        site = Site(app, p.pid, folder, _target(app, folder))
        app.post(f"runs/{site.target.run}/command", {"command": "measure_share", "measure_share": 0.0})
        until(lambda: site.step() > 200)
        site.find_trainers()
        yield site


def _target(app: App, folder: Path) -> Target:
    mine, *spare = (_brought(app) for _ in range(6))
    ended = _token(app, *mine)
    for _ in range(MOST_TOKENS):
        _token(app, *mine)  # of more the oldest ends
    sent = _sent(app, "pictures?size=28&channels=1", form(NOISE), "multipart/form-data; boundary=x")
    weights = json.loads(app.read("weights"))["weights"][0]["id"]
    changes = {"batch": 8, "total_steps": 10**7}
    made = _sent(app, "runs", json.dumps({"recipe": "dense", "dataset": "mnist", "changes": changes}).encode())
    return Target(
        app.port,
        all_lines(folder / "lines"),
        made["id"],
        made["token"],
        *mine,
        ended,
        sent["dataset"],
        weights,
        tuple(spare),
    )


def all_lines(folder: Path) -> tuple[str, ...]:
    """ "METHOD path" of all our routes."""
    nothing: Any = SimpleNamespace()
    return tuple(line for table in all_tables(Access(Runs(folder)), nothing, nothing) for line in table)


def _brought(app: App) -> tuple[str, str]:
    """The id and the token of a run that a visitor brought along."""
    found = _sent(app, "runs/import", samples.zipped(), "application/zip")
    return found["id"], found["token"]


def _token(app: App, run: str, token: str) -> str:
    return str(_sent(app, f"runs/{run}/token", b"", token=token)["token"])


def _sent(app: App, path: str, body: bytes, kind: str = "application/json", token: str = "") -> Any:
    headers = {"Content-Type": kind, "X-Owner": token}
    with urllib.request.urlopen(urllib.request.Request(app.base + path, body, headers), timeout=PATIENCE) as answer:
        return json.loads(answer.read())


def is_fine(numbers: list[float]) -> bool:
    return bool(numbers) and all(map(math.isfinite, numbers))
