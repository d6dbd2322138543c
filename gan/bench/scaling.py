"""What training with several processes costs: a model of one step, and a measurement to hold it to.

The model: every process computes for `compute_seconds`, then the gradients of D, those of G and the running statistics
are averaged, one message after the other, with a ring: N processes each send 2 (N − 1)/N of the bytes in 2 (N − 1)
turns (Patarasuk & Yuan 2009). Nothing overlaps, because each message must have come before the other player learns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan.bench.common import TRAINABLE, Figure
from gan.core.flags import whole
from gan.core.paths import ROOT

if TYPE_CHECKING:
    from gan.training.trainer import Trainer

COUNTS = (1, 2, 4, 8, 16, 32, 64)
WARMUP_STEPS = 5
WORD_BYTES = 40  # what rank 0 says before every step: five numbers of 8 bytes


@dataclass(frozen=True)
class Link:
    """How messages travel. `turn_seconds`: from a process to the next; `bytes_per_second`: of one process's link."""

    turn_seconds: float
    bytes_per_second: float


# Assumed from data sheets and common experience, not measured by us; all with some room for the software.
LINKS = {
    "10 Gbit/s Ethernet": Link(50e-6, 1.0e9),
    "100 Gbit/s Ethernet": Link(25e-6, 1.0e10),
    "NVLink": Link(5e-6, 2.0e11),
}


def ring_seconds(count: int, message_bytes: int, link: Link) -> float:
    """Time for `count` processes to average a message."""
    return 2 * (count - 1) * (link.turn_seconds + message_bytes / count / link.bytes_per_second)


def step_seconds(count: int, compute_seconds: float, messages: Sequence[int], link: Link) -> float:
    """Time of one step; `messages` are the bytes of each average in it, in any order."""
    return compute_seconds + sum(ring_seconds(count, size, link) for size in messages)


def efficiency(count: int, compute_seconds: float, messages: Sequence[int], link: Link) -> float:
    """Pictures a second of `count` processes, as a share of `count` times those of one alone."""
    return compute_seconds / step_seconds(count, compute_seconds, messages, link)


def messages_of(trainer: Trainer) -> list[int]:
    """Bytes of every average in one step of a Trainer, and of rank 0's word."""
    d_bytes, g_bytes, others = (
        sum(t.numel() * 4 for t in tensors) for tensors in (trainer.d_params, trainer.g_params, trainer.statistics)
    )
    updates = trainer.config.d_steps * (2 if trainer.config.update_order == "split" else 1)
    return [d_bytes] * updates + [
        g_bytes,
        others + 4 * 4,
        WORD_BYTES,
    ]  # 4 losses and verdicts travel with the statistics


# Measuring -------------------------------------------------------------------------------------------------------


def measure_here(recipe: str, steps: int) -> dict[str, Any]:
    """In one process of a job: median seconds of a step apart and together, of messages, of copying the state."""
    from gan.data.catalog import load
    from gan.recipes.catalog import RECIPES
    from gan.training import distributed
    from gan.training.device import best_device
    from gan.training.trainer import Trainer

    config = RECIPES[recipe].config
    trainer = Trainer(config, load(config.dataset), best_device())

    def step() -> None:
        distributed.broadcast_command("both") if distributed.rank() == 0 else distributed.receive_command()
        with distributed.whole_step(trainer):
            float(trainer.step()["d_loss"])  # waits for the device

    _median(step, WARMUP_STEPS)
    apart = _median(step, steps)  # beside the other processes, which take memory and cores, but without a word to them
    distributed.join()
    trainer = Trainer(config, load(config.dataset), best_device())  # anew: on this process's own GPU, exchanging
    _median(step, WARMUP_STEPS)
    messages = messages_of(trainer)
    found = {"apart": apart, "together": _median(step, steps), "messages": messages}
    found |= {"short": _message(10, 50), "largest": _message(max(messages) // 4, 10)}
    return found | {"copy": _median(lambda: distributed.copied(trainer.state_dict()), 10)}


def _message(numbers: int, repeats: int) -> float:
    import torch

    from gan.training import distributed

    tensor = torch.zeros(numbers)
    return _median(lambda: distributed.average([tensor]), repeats)


def _median(what: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        what()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _job(count: int, args: argparse.Namespace) -> dict[str, Any]:
    """What rank 0 of `count` processes on this machine measured, each with one thread."""
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}", "-m", "gan.bench.scaling"]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        options = ["--recipe", args.recipe, "--steps", str(args.steps), "--worker", str(out)]
        command = [sys.executable, *launcher, *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", errors="replace")
        if done.returncode:
            raise OSError(f"{count} processes could not be measured: {(done.stderr.splitlines() or [''])[-1]}")
        return json.loads(out.read_text(encoding="utf-8"))


def _worker(args: argparse.Namespace) -> None:
    import torch

    from gan.training import distributed

    torch.set_num_threads(1)
    measured = measure_here(args.recipe, args.steps)
    if distributed.rank() == 0:
        Path(args.worker).write_text(json.dumps(measured), encoding="utf-8")
    distributed.leave()


# python -m gan bench scaling -------------------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipe", choices=TRAINABLE, default="quick")
    parser.add_argument("--steps", type=whole(1, 1_000_000), default=30, help="in each measurement")
    parser.add_argument("--pairs", type=whole(1, 1000), default=3)


def measure(args: argparse.Namespace) -> list[Figure]:
    pairs = [(_job(1, args), _job(2, args)) for _ in range(args.pairs)]
    one, two = (_medians(found) for found in zip(*pairs, strict=True))
    print("\n".join(report(args.recipe, one, two)))
    ratio = 2 * one["apart"] / two["together"]
    return [Figure(f"{args.recipe}, pictures a second of two processes, times one", f"{ratio:.2f}")]


def report(recipe: str, one: dict[str, Any], two: dict[str, Any]) -> list[str]:
    """What one and two processes measured here, beside what the model says, as lines of text."""
    here, messages = link_between(two), one["messages"]
    predicted = step_seconds(2, two["apart"] + two["copy"], messages, here)
    lines = [
        f"{recipe}: {sum(messages) / 1e6:.2f} MB a step in {len(messages)} messages",
        f"this machine: {here.turn_seconds * 1e6:.0f} µs a turn, {here.bytes_per_second / 1e9:.2f} GB/s, "
        f"{two['copy'] * 1e3:.2f} ms for a copy of the state",
    ]
    for what, seconds in (
        ("1 process", one["apart"]),
        ("2 processes that do not talk", two["apart"]),
        ("2 processes, predicted", predicted),
        ("2 processes, measured", two["together"]),
    ):
        lines.append(f"{what:30}{seconds * 1e3:8.2f} ms a step")
    lines.append(f"measured / predicted          {two['together'] / predicted:8.2f}")
    lines.append(f"pictures a second, 2 for 1    {2 * one['apart'] / two['together']:8.2f}")
    return lines + table(one["apart"], messages)


def link_between(two: dict[str, Any]) -> Link:
    """The link that two processes measured: a message of a few bytes takes two turns, the rest is its bytes."""
    return Link(two["short"] / 2, max(two["messages"]) / max(two["largest"] - two["short"], 1e-9))


def _medians(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    seconds = ("apart", "together", "short", "largest", "copy")
    return found[0] | {k: statistics.median(f[k] for f in found) for k in seconds}


def table(compute_seconds: float, messages: Sequence[int]) -> list[str]:
    """Predicted speed-up for each number of processes and each link, as lines of a Markdown table."""
    lines = [f"| {compute_seconds * 1e3:.3g} ms a step, processes | " + " | ".join(map(str, COUNTS)) + " |"]
    lines.append("|---" * (len(COUNTS) + 1) + "|")
    for name, link in LINKS.items():
        cells = [f"{n * efficiency(n, compute_seconds, messages, link):.3g}" for n in COUNTS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--worker", metavar="FILE", required=True)
    _worker(parser.parse_args())
