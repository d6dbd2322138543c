"""Process start to an interactive page in Chromium, against one empty gradio page that also imports torch."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gan.bench.common import Figure, at_most, chromium, free_port, process, ratios, spread, wait_for
from gan.core.flags import whole

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BARE = """
import sys, gradio, torch
with gradio.Blocks(analytics_enabled=False) as page:
    gradio.Markdown("ready")
page.launch(server_port=int(sys.argv[1]), quiet=True, ssr_mode=False)
"""
BAR = 1.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pairs", type=whole(1, 1000), default=5)


def measure(args: argparse.Namespace) -> list[Figure]:
    with chromium() as browser:
        found = ratios(
            "seconds, app against bare gradio and torch",
            args.pairs,
            lambda: _time_to_page(browser, _start_app, "[data-gf=train]:not([disabled])"),
            lambda: _time_to_page(browser, _start_bare, ".prose"),
        )
    return [Figure("start-up, times an empty gradio page with torch", spread(found), at_most(BAR, found))]


def _start_app(port: int, folder: str) -> list[str]:
    return [sys.executable, "app.py", "--port", str(port), "--runs", folder]


def _start_bare(port: int, folder: str) -> list[str]:
    return [sys.executable, "-c", BARE, str(port)]


def _time_to_page(browser: Browser, command: Callable[[int, str], list[str]], selector: str) -> float:
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
