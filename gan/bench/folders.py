"""How fast, and in how much memory, a folder of pictures becomes a data set.

One thread against all cores, and both against the loop that one would write by hand: Pillow's `open`, `ImageOps.fit`,
a list, one array. With --against DIR, all cores against all cores of another checkout of this program (`git worktree
add DIR COMMIT`), which measures itself by its own copy of this file. Every measurement is a process of its own, so that
its peak of memory is its own; the pictures have just been written, so that they come from the page cache and the disk
is not what is measured.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from gan.bench.common import BenchError, Figure, spread
from gan.core.flags import whole
from gan.core.paths import ROOT
from gan.data.own_pictures import Form, preparation, prepare_folder

SIZE = 32  # pixels a side of what is made
SIDES = (128, 2048)  # shortest and longest side of the pictures read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pictures", type=whole(1, 1_000_000), default=1500)
    parser.add_argument("--pairs", type=whole(1, 1000), default=5)
    parser.add_argument("--against", type=_checkout, metavar="DIR", help="another checkout of this program")


def _checkout(text: str) -> Path:
    path = Path(text).resolve()
    if not (path / "gan" / "bench" / "folders.py").is_file():
        raise argparse.ArgumentTypeError(f"{path} is no checkout of this program")
    return path


def measure(args: argparse.Namespace) -> list[Figure]:
    # What is compared: first ours with all cores, then the others.
    whose = {"all": ("all", ROOT)} | {way: (way, ROOT) for way in WAYS if not args.against}
    if args.against:
        whose["the other checkout"] = "all", args.against
    with tempfile.TemporaryDirectory() as folder:
        megapixels = _make_folder(Path(folder), args.pictures)
        print(f"{args.pictures:,} pictures, two JPEG to one PNG, {megapixels:,.0f} megapixels, to {SIZE} x {SIZE}")
        found: dict[str, list[dict[str, float]]] = {name: [] for name in whose}
        for pair in range(args.pairs):
            for name in reversed(whose) if pair % 2 else whose:
                found[name].append(_measured(*whose[name], folder))
            print(json.dumps({name: rounds[-1] for name, rounds in found.items()}), flush=True)
    return _figures(found)


def _figures(found: dict[str, list[dict[str, float]]]) -> list[Figure]:
    figures = []
    for way, rounds in found.items():
        speed, memory = ([r[key] for r in rounds] for key in ("pictures_per_s", "peak_mb"))
        figures.append(Figure(f"folder, {way}", f"pictures/s {spread(speed)}; peak memory {spread(memory, ' MB')}"))
    for other in list(found)[1:]:
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


def _measured(way: str, checkout: Path, folder: str) -> dict[str, float]:
    """In a fresh process, by the program of a checkout: started there, `-m` finds that one first."""
    command = [sys.executable, "-m", "gan.bench.folders", "--way", way, "--folder", folder]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=checkout)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        raise BenchError(f"The program in {checkout} could not prepare the pictures: {reason[0]}")
    return json.loads(done.stdout)


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
    import resource  # there is none on Windows, and the command line imports every bench

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kB on Linux


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--way", choices=list(WAYS), required=True)
    parser.add_argument("--folder", type=Path, required=True)
    chosen = parser.parse_args()
    print(json.dumps(_run(chosen.way, chosen.folder)))
