"""Slider input to changed pixels on the canvas in headless Chromium: idle, then while `quick` trains."""

from __future__ import annotations

import argparse
import statistics
from typing import Any

from gan.bench.common import ENDLESS, Figure, app, chromium

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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--moves", type=int, default=200)


def measure(args: argparse.Namespace) -> list[Figure]:
    with app() as (ours, _), chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"http://127.0.0.1:{ours.port}/?tab=latent", wait_until="commit")
        page.wait_for_selector(SLIDER)
        page.wait_for_timeout(2000)
        idle = _moves(page, args.moves)
        ours.train("quick", **ENDLESS)
        page.wait_for_timeout(5000)
        busy = _moves(page, args.moves)
    return [Figure("slider to pixels, idle", idle), Figure("slider to pixels, while quick trains", busy)]


def _moves(page: Any, count: int) -> str:
    times = []
    for i in range(count):
        value = round(-3 + 6 * ((i * 37) % count) / count, 2)
        times.append(page.evaluate(_MOVE, [SLIDER, CANVAS, value]))
    seen = sorted(t for t in times if t is not None)
    p95 = seen[int(0.95 * len(seen))]
    return f"median {statistics.median(seen):.1f} ms, 95th percentile {p95:.1f} ms, {len(seen)} of {count} moves seen"
