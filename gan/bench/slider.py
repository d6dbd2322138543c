"""Slider input to changed pixels in headless Chromium, drawn in the page and by the server; then 50 people who drag."""

from __future__ import annotations

import argparse
import statistics
from typing import TYPE_CHECKING

from gan.bench.common import ENDLESS, App, Figure, app, at_least, at_most, chromium, drag
from gan.core.flags import decimal, whole

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Both: what the canvas shows now, as one number.
_READ = """const slider = document.querySelector(where.slider), canvas = document.querySelector(where.canvas);
const read = () => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
  .reduce((sum, value) => (sum * 31 + value) | 0, 0);
const set = (value) => { slider.value = value; slider.dispatchEvent(new Event('input', {bubbles: true})); };
"""
# One move of a hand that rested, at any moment between two frames: set the slider, wait for other pixels on the canvas.
_MOVE = """async ([where, value]) => {
  %s
  for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
  await new Promise((done) => setTimeout(done, 16 * Math.random()));
  const before = read(), started = performance.now();
  set(value);
  while (performance.now() - started < 2000) {
    if (read() !== before) return performance.now() - started;
    await new Promise((done) => setTimeout(done, 0));
  }
  return null;
}"""
# A drag, to and fro, another value with every frame: frames a second, and how many of them showed another picture.
_DRAG = """async ([where, seconds]) => {
  %s
  let shown = read(), changed = 0, frames = 0;
  const started = performance.now();
  while (performance.now() - started < 1000 * seconds) {
    set(3 - Math.abs((0.15 * frames) %% 12 - 6));
    await new Promise(requestAnimationFrame);
    const now = read();
    frames += 1;
    changed += now !== shown;
    shown = now;
  }
  return [frames, changed].map((count) => count / (performance.now() - started) * 1000);
}"""
# Of the first layer's: each of its moves changes the picture; one that chooses a value of an attribute does it once.
SLIDER = '[data-gf=direction][data-key="0"] input[type=range]:enabled'
CANVAS = "canvas[data-gf=picture]"
WHERE = {"slider": SLIDER, "canvas": CANVAS}
# Milliseconds, of the largest generators of digits and of 64 pixels a side that are shipped.
BARS = {"mnist": {"page": 8, "server": 25}, "monsters": {"page": 16, "server": 30}}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", choices=BARS, default="mnist")
    parser.add_argument("--moves", type=whole(1, 100_000), default=200)
    parser.add_argument("--draggers", type=whole(1, 1000), default=50)
    parser.add_argument("--seconds", type=decimal(0.001, 86_400), default=10, help="of each drag")


def measure(args: argparse.Namespace) -> list[Figure]:
    figures = []
    with app() as (ours, _), chromium() as browser:
        pages = {by: _page(browser, ours, by, args.weights) for by in BARS[args.weights]}
        for state in ("idle", "while quick trains"):
            for by, page in pages.items():
                figures += _slider(page, by, state, args)
            if state == "idle":
                figures.append(_draggers(ours, args))
                ours.train("quick", **ENDLESS)
                pages["page"].wait_for_timeout(5000)
    return figures


def _page(browser: Browser, ours: App, by: str, weights: str) -> Page:
    """A page that draws by itself, or, because its weights never come, one that asks the server."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    if by == "server":
        page.route("**/weights/*/page", lambda route: None)
    page.goto(f"http://127.0.0.1:{ours.port}/?tab=latent&w={weights}", wait_until="commit")
    page.wait_for_selector(f"[data-gf=drawn][data-by={by}]")
    page.wait_for_timeout(2000)
    return page


def _slider(page: Page, by: str, state: str, args: argparse.Namespace) -> list[Figure]:
    page.bring_to_front()
    values = (round(-3 + 6 * ((i * 37) % args.moves) / args.moves, 2) for i in range(args.moves))
    times = [page.evaluate(_MOVE % _READ, [WHERE, value]) for value in values]
    seen = sorted(t for t in times if t is not None)
    p95 = seen[int(0.95 * len(seen))]
    words = f"median {statistics.median(seen):.1f} ms, 95th percentile {p95:.1f} ms, {len(seen)} of {args.moves} moves"
    frames, rate = page.evaluate(_DRAG % _READ, [WHERE, args.seconds])
    bar = at_least(50, [rate]) if by == "page" else ""
    return [
        Figure(f"slider to pixels, drawn by the {by}, {state}", words, at_most(BARS[args.weights][by], seen)),
        Figure("  while dragging", f"{rate:.1f} pictures a second, of {frames:.1f} frames", bar),
    ]


def _draggers(ours: App, args: argparse.Namespace) -> Figure:
    met = drag(f"{ours.base}pixels?w={args.weights}", args.draggers, args.seconds)
    words = f"{met['requests'] / args.seconds:.0f} pictures a second, median {met['p50_ms']:.0f} ms, "
    words += (
        f"95th percentile {met['p95_ms']:.0f} ms; {met['errors']} errors; {met['fresh']} end with their last picture"
    )
    bar = "no error, newest last: " + ("met" if not met["errors"] and met["fresh"] == args.draggers else "missed")
    return Figure(f"{args.draggers} people drag through the server", words, bar)
