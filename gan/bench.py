"""python -m gan bench: speed as ratios against a named alternative in the same run, in alternating pairs.

Absolute times of a shared machine lie; each figure here is the median of pairs measured one right after the other.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BARE = """
import sys, gradio, torch
with gradio.Blocks(analytics_enabled=False) as page:
    gradio.Markdown("ready")
page.launch(server_port=int(sys.argv[1]), quiet=True, ssr_mode=False)
"""
DUMMY = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
body = b'{"version": 1, "x": "' + b"a" * 20000 + b'"}'
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


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen]:
    p = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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


class App:
    """The app in a process of its own, with a run folder of its own, spoken to as the page does."""

    def __init__(self, port: int) -> None:
        self.port, self.base = port, f"http://127.0.0.1:{port}/gradio_api/gan/"
        self.owner = ""

    def ready(self) -> None:
        wait_for(self.base + "boot")
        self.owner = self.get("boot")["owner"]

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.base + path, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def post(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Content-Type": "application/json", "X-Owner": self.owner}
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())


@contextmanager
def app() -> Iterator[tuple[App, subprocess.Popen]]:
    port, folder = free_port(), tempfile.mkdtemp()
    try:
        with process(sys.executable, "app.py", "--port", str(port), "--runs", folder) as p:
            found = App(port)
            found.ready()
            yield found, p
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def spread(values: list[float]) -> str:
    return f"median {statistics.median(values):.3f}, range {min(values):.3f} to {max(values):.3f}, n = {len(values)}"


# (a) start-up ----------------------------------------------------------------------------------------------------


def startup(args: argparse.Namespace) -> int:
    """Process start to an interactive page in Chromium, against one empty gradio page that also imports torch."""
    with chromium() as browser:
        ratios = []
        for _ in range(args.pairs):
            ours = _time_to_page(browser, _start_app, "[data-gf=train]:not([disabled])")
            bare = _time_to_page(browser, _start_bare, ".prose")
            ratios.append(ours / bare)
            print(f"app {ours:.2f} s, bare gradio and torch {bare:.2f} s, ratio {ratios[-1]:.2f}", flush=True)
    print(f"start-up ratio: {spread(ratios)} (bar: at most 1.5)")
    return 0


def _start_app(port: int, folder: str) -> list[str]:
    return [sys.executable, "app.py", "--port", str(port), "--runs", folder]


def _start_bare(port: int, folder: str) -> list[str]:
    return [sys.executable, "-c", BARE, str(port)]


def _time_to_page(browser: Any, command: Callable[[int, str], list[str]], selector: str) -> float:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        with process(*command(port, folder)):
            wait_for(f"http://127.0.0.1:{port}/")
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
            page.wait_for_selector(selector, timeout=120_000)
            seconds = time.monotonic() - started
            page.close()
    return seconds


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless browser. Raises OSError in words when there is none."""
    path = find_chromium()
    if path is None:
        raise OSError(
            "No Chromium was found; install it (Debian: apt-get install chromium) or set CHROMIUM to its path"
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def find_chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("CHROMIUM") or next((p for p in map(shutil.which, names) if p), None)


# (b) viewers -----------------------------------------------------------------------------------------------------


def viewers(args: argparse.Namespace) -> int:
    """Training speed while viewers poll the app, against the same viewers polling an unrelated server."""
    dummy_port = free_port()
    with process(sys.executable, "-c", DUMMY, str(dummy_port)), app() as (ours, p):
        wait_for(f"http://127.0.0.1:{dummy_port}/")
        run = ours.post("runs", {"recipe": "quick", "changes": {"total_steps": 10**8}})["id"]
        _wait_for_step(ours, run, 50)
        urls = {"app": f"{ours.base}runs/{run}/live", "dummy": f"http://127.0.0.1:{dummy_port}/"}
        ratios, cpu = [], []
        for pair in range(args.pairs):
            order = ("app", "dummy") if pair % 2 else ("dummy", "app")
            found = {name: _measure(ours, p.pid, run, urls[name], args) for name in order}
            ratios.append(found["app"]["steps_per_s"] / found["dummy"]["steps_per_s"])
            cpu.append((found["app"]["serving"] - found["dummy"]["serving"]) / args.viewers * 100)
            print(json.dumps({"ratio": round(ratios[-1], 4), **found}), flush=True)
    print(
        f"training with {args.viewers} viewers, against them polling elsewhere: {spread(ratios)} (bar: at least 0.95)"
    )
    print(f"CPU of the app per viewer, % of a core: {spread(cpu)}")
    return 0


def _measure(ours: App, pid: int, run: str, url: str, args: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "gan.viewers", url, "--count", str(args.viewers), "--seconds", str(args.seconds)]
    before, threads_before, t0 = ours.get(f"runs/{run}/live")["step"], thread_seconds(pid), time.monotonic()
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    after, threads_after, t1 = ours.get(f"runs/{run}/live")["step"], thread_seconds(pid), time.monotonic()
    used = {t: s - threads_before.get(t, 0.0) for t, s in threads_after.items()}
    training = max(used.values())  # the busiest thread trains; all others serve
    return {
        "steps_per_s": (after - before) / (t1 - t0),
        "serving": (sum(used.values()) - training) / (t1 - t0),
        "viewers": json.loads(answer.stdout),
    }


def thread_seconds(pid: int) -> dict[str, float]:
    """CPU seconds of each thread of a process (Linux)."""
    tick = os.sysconf("SC_CLK_TCK")
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
        found[task.name] = (int(fields[11]) + int(fields[12])) / tick
    return found


def _wait_for_step(ours: App, run: str, step: int) -> None:
    while (ours.get(f"runs/{run}/live") or {"step": 0})["step"] < step:
        time.sleep(0.2)


# (c) slider ------------------------------------------------------------------------------------------------------

# One move: set the slider, then wait until the canvas shows other pixels.
_MOVE = """async ([slider, canvas, value]) => {
  const read = () => { const c = document.querySelector(canvas);
    return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.reduce((a, v, i) => (a * 31 + v) | 0, 0); };
  const before = read(), s = document.querySelector(slider), t0 = performance.now();
  s.value = value; s.dispatchEvent(new Event('input', {bubbles: true}));
  while (performance.now() - t0 < 2000) {
    await new Promise(r => setTimeout(r, 0));
    if (read() !== before) return performance.now() - t0;
  }
  return null;
}"""
SLIDER, CANVAS = "[data-gf=direction] input[type=range]", "canvas[data-gf=picture]"


def slider(args: argparse.Namespace) -> int:
    """Slider input to changed pixels on the canvas in headless Chromium: idle, then while `quick` trains."""
    with app() as (ours, _), chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"http://127.0.0.1:{ours.port}/?tab=latent", wait_until="commit")
        page.wait_for_selector(SLIDER)
        page.wait_for_timeout(2000)
        print(f"idle: {_moves(page, 200)}", flush=True)
        ours.post("runs", {"recipe": "quick", "changes": {"total_steps": 10**8}})
        page.wait_for_timeout(5000)
        print(f"while quick trains: {_moves(page, 200)}")
    return 0


def _moves(page: Any, count: int) -> str:
    times = []
    for i in range(count):
        value = round(-3 + 6 * ((i * 37) % count) / count, 2)
        times.append(page.evaluate(_MOVE, [SLIDER, CANVAS, value]))
    seen = sorted(t for t in times if t is not None)
    p95 = seen[int(0.95 * len(seen))]
    return f"median {statistics.median(seen):.1f} ms, 95th percentile {p95:.1f} ms, {len(seen)} of {count} moves seen"


# (d) the first minute ------------------------------------------------------------------------------------------------


def first_minute(args: argparse.Namespace) -> int:
    """Press Train with `quick`, watch for 60 s as the owner's page does, then measure what it has learned, 3 seeds."""
    for seed in range(3):
        with app() as (ours, _):
            found = _watch_a_minute(ours, seed)
        print(json.dumps({"seed": seed, **found}), flush=True)
    return 0


def _watch_a_minute(ours: App, seed: int) -> dict[str, Any]:
    clicked = time.monotonic()
    run = ours.post("runs", {"recipe": "quick", "changes": {"seed": seed}})["id"]
    arrivals, version = [], 0
    while time.monotonic() - clicked < 60:
        snapshot = ours.get(f"runs/{run}/live?since={version}")
        if snapshot:
            arrivals.append(time.monotonic() - clicked)
            version, step = snapshot["version"], snapshot["step"]
        time.sleep(0.2)
    ours.post(f"runs/{run}/command", {"command": "stop"})
    while ours.get(f"runs/{run}")["status"] != "stopped":
        time.sleep(0.1)
    gaps = [b - a for a, b in itertools.pairwise(arrivals)]
    return {
        "first_frame_s": round(arrivals[0], 2),
        "frames_per_s": round(len(gaps) / sum(gaps), 2),
        "longest_gap_s": round(max(gaps), 2),
        "steps": step,
        **_quality(ours, run),
    }


def _quality(ours: App, run: str) -> dict[str, Any]:
    from gan import metrics, weights

    with urllib.request.urlopen(f"{ours.base}runs/{run}/download/weights.safetensors", timeout=60) as answer:
        loaded = weights.from_bytes(answer.read())
    network, config = weights.build(loaded), loaded.config
    report = metrics.evaluate(network, config.z_dim, config.classes, config.dataset)
    return {
        "fid": round(report.fid, 2),
        "times_real": round(report.fid / report.real_fid, 1),
        "rarest_class": f"{min(report.histogram) / sum(report.histogram):.1%}",
        "mean_confidence": round(report.confidence, 4),
    }


BENCHES: dict[str, Callable[[argparse.Namespace], int]] = {
    "startup": startup,
    "viewers": viewers,
    "slider": slider,
    "first-minute": first_minute,
}
