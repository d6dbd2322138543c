"""How fast, and in how much memory, a folder of pictures becomes a data set.

One thread against all cores, and both against the loop that one would write by hand: Pillow's `open`, `ImageOps.fit`,
a list, one array. Every measurement is a process of its own, so that its peak of memory is its own; the pictures have
just been written, so that they come from the page cache and the disk is not what is measured.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from gan.bench.common import Figure, spread
from gan.flags import whole
from gan.own_pictures import Form, preparation, prepare_folder

SIZE = 32  # pixels a side of what is made
SIDES = (128, 2048)  # shortest and longest side of the pictures read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pictures", type=whole(1, 1_000_000), default=1500)
    parser.add_argument("--pairs", type=whole(1, 1000), default=5)


def measure(args: argparse.Namespace) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        megapixels = _make_folder(Path(folder), args.pictures)
        print(f"{args.pictures:,} pictures, two JPEG to one PNG, {megapixels:,.0f} megapixels, to {SIZE} x {SIZE}")
        found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for pair in range(args.pairs):
            for way in reversed(WAYS) if pair % 2 else WAYS:
                found[way].append(_measured(way, folder))
            print(json.dumps({way: rounds[-1] for way, rounds in found.items()}), flush=True)
    figures = []
    for way, rounds in found.items():
        speed, memory = ([r[key] for r in rounds] for key in ("pictures_per_s", "peak_mb"))
        figures.append(Figure(f"folder, {way}", f"pictures/s {spread(speed)}; peak memory {spread(memory, ' MB')}"))
    for other in ("one", "plain"):
        times = [a["pictures_per_s"] / b["pictures_per_s"] for a, b in zip(found["all"], found[other], strict=True)]
        figures.append(Figure(f"folder, all cores ({preparation.THREADS}), times {other}", spread(times)))
    return figures


def _make_folder(folder: Path, count: int) -> float:
    """Smooth noise in sides spread evenly over the scale of SIDES. Returns megapixels."""
    rng, pixels = random.Random(0), 0
    for i in range(count):
        width, height = (round(SIDES[0] * (SIDES[1] / SIDES[0]) ** rng.random()) for _ in "wh")
        picture = Image.frombytes("RGB", (16, 16), rng.randbytes(3 * 256)).resize((width, height))
        pixels += width * height
        if i % 3:
            picture.save(folder / f"{i:06}.jpg", quality=90)
        else:
            picture.save(folder / f"{i:06}.png", compress_level=1)
    return pixels / 1e6


def _measured(way: str, folder: str) -> dict[str, float]:
    command = [sys.executable, "-m", "gan.bench.folders", "--way", way, "--folder", folder]
    return json.loads(subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout)


# ---- in the process that is measured ----


def _prepared(folder: Path) -> int:
    with tempfile.TemporaryDirectory() as own:
        return prepare_folder(folder, Form(SIZE), Path(own)).summary.count


def _one(folder: Path) -> int:
    preparation.THREADS = 1
    return _prepared(folder)


def _plain(folder: Path) -> int:
    form = (SIZE, SIZE)
    rows = [
        np.asarray(ImageOps.fit(Image.open(path).convert("RGB"), form, Image.Resampling.LANCZOS))
        for path in sorted(folder.iterdir())
    ]
    return len(np.stack(rows))


WAYS: dict[str, Callable[[Path], int]] = {"all": _prepared, "one": _one, "plain": _plain}


def _run(way: str, folder: Path) -> dict[str, float]:
    before, start = _peak_mb(), time.monotonic()
    count = WAYS[way](folder)
    seconds = time.monotonic() - start
    return {"pictures_per_s": round(count / seconds, 1), "peak_mb": round(_peak_mb() - before, 1)}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kB on Linux


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--way", choices=list(WAYS), required=True)
    parser.add_argument("--folder", type=Path, required=True)
    chosen = parser.parse_args()
    print(json.dumps(_run(chosen.way, chosen.folder)))
