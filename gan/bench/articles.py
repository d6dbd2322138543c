"""Each reference recipe against the article's own program in the article's own framework, as a user would run it.

Keras's programs run in a virtual environment that is made once, with TensorFlow for processors. Theirs take the threads
their framework takes by itself, ours what `best_threads` finds. Where a core is busy, two threads of PyTorch hinder
each other: OMP_NUM_THREADS=1 before the command gives the PyTorch article one thread too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

from gan.bench.common import BenchError, Figure, at_least, ratios, spread
from gan.core.flags import decimal, whole
from gan.core.paths import ROOT
from gan.data.catalog import load
from gan.training.threads import thread_counts

BARS = {"dense": 10.0, "conv-small": 8.0, "mlp": 2.0, "dcgan-upsample": 1.2, "dcgan-transposed": 1.0}
IN_TORCH = ("mlp",)  # all others are Keras programs
CACHE = Path.home() / ".cache" / "gan-forge"
PACKAGE = "tensorflow-cpu"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipes", nargs="+", choices=BARS, default=list(BARS))
    parser.add_argument("--pairs", type=whole(1, 1000), default=3)
    parser.add_argument(
        "--seconds", type=decimal(0.001, 86_400), default=10, help="of each half of a pair, after its warm-up"
    )
    parser.add_argument(
        "--warm-up", type=decimal(0, 86_400), default=3, help="seconds; at least until everything is compiled"
    )
    words = "how Keras draws fakes for D: as article 004 prints it, or by calling the network, which is far faster"
    parser.add_argument("--generate", choices=["predict", "call"], default="predict", help=words)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for Keras's environment (about 1.5 GB)")


def measure(args: argparse.Namespace) -> list[Figure]:
    pictures = _write_pictures(args.cache)
    figures = []
    for recipe in args.recipes:
        try:
            theirs = _their_command(recipe, pictures, args)
            figures.append(_against(recipe, theirs, args))
        except BenchError as e:
            figures.append(Figure(f"{recipe} against its article", f"not measured: {e}"))
    return figures


def _against(recipe: str, theirs: list[str], args: argparse.Namespace) -> Figure:
    threads = best_threads(lambda n: images_per_s(_our_command(recipe, n, args)))
    ours = _our_command(recipe, threads, args)
    found = ratios(
        f"images/s, {recipe}, ours with {threads} thread(s)",
        args.pairs,
        lambda: images_per_s(ours),
        lambda: images_per_s(theirs),
    )
    words = f"{recipe}, times the article's program ({threads} thread(s))"
    return Figure(words, spread(found), at_least(BARS[recipe], found))


def best_threads(speed: Callable[[int], float]) -> int:
    """The number of threads that is fastest now, as a run finds it for itself (gan/training/threads.py)."""
    return max(thread_counts(), key=speed)


def images_per_s(command: list[str]) -> float:
    """Run a program to its end; the last line it prints says how fast it was."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", errors="replace")
    if done.returncode:
        raise BenchError(f"A measured program failed: {_last_line(done.stderr)}")
    return json.loads(_last_line(done.stdout))["images_per_s"]


def _our_command(recipe: str, threads: int, args: argparse.Namespace) -> list[str]:
    return [sys.executable, "-m", "gan.bench.ours", recipe, "--threads", str(threads), *_durations(args)]


def _their_command(recipe: str, pictures: Path, args: argparse.Namespace) -> list[str]:
    if recipe in IN_TORCH:
        return [sys.executable, "-m", "gan.bench.torch_program", str(pictures), *_durations(args)]
    program = [str(Path(__file__).with_name("keras_programs.py")), recipe, str(pictures)]
    return [keras_python(args.cache), *program, "--generate", args.generate, *_durations(args)]


def _durations(args: argparse.Namespace) -> list[str]:
    return ["--seconds", str(args.seconds), "--warm-up", str(args.warm_up)]


def _write_pictures(cache: Path) -> Path:
    """MNIST's training pictures, uint8 [60000, 28, 28], where any program can read them."""
    path = cache / "mnist.npy"
    cache.mkdir(parents=True, exist_ok=True)
    np.save(path, load("mnist").images[:, 0].numpy())
    return path


@lru_cache(maxsize=1)
def keras_python(cache: Path) -> str:
    """The Python of an environment with TensorFlow, made at the first call. Raises BenchError in words."""
    folder = cache / "bench-venv"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if _works(python):
        return str(python)
    print(f"  installing {PACKAGE} in {folder}, once", flush=True)
    made = [sys.executable, "-m", "venv", "--clear", str(folder)]
    for command in (made, [str(python), "-m", "pip", "install", "-q", PACKAGE]):
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
        if done.returncode:
            raise BenchError(f"{PACKAGE} could not be installed in {folder}: {_last_line(done.stderr)}")
    if not _works(python):
        raise BenchError(f"{PACKAGE} was installed in {folder}, but cannot be imported there.")
    return str(python)


def _works(python: Path) -> bool:
    if not python.exists():
        return False
    return subprocess.run([python, "-c", "import tensorflow"], capture_output=True, check=False).returncode == 0


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
