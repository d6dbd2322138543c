"""What is kept of a run of the corpus, one file for each outside git: its states, its pictures, what it wrote down.

Of each state: both networks (and the averaged generator) as they were, and PICTURES generated pictures; of the moments
between, the pictures alone. So new signals can be computed later without training again. The clock's readings are left
out: the same number gives the same file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gan.bench.common import BenchError
from gan.core.config import Config
from gan.core.files import write_atomically
from gan.core.images import to_uint8
from gan.metrics import evaluate
from gan.monitor.records import OLDER_NAMES, SIGNALS, Event, Row, Signal
from gan.training.trainer import Trainer

PICTURES = 1000  # of each moment, always of the same latents
MOMENTS = 6  # of each run, evenly spread: their pictures are kept
STATES = (2, 4, 6)  # of the moments: the networks are kept too
KEY = "gan_forge_corpus_run"
FORMAT = 1
_NETWORKS = ("G", "D", "ema")


def moments(total_steps: int) -> list[int]:
    """The steps after which pictures are kept, ascending."""
    return [round(total_steps * k / MOMENTS) for k in range(1, MOMENTS + 1)]


def state_moments(total_steps: int) -> list[int]:
    """The steps after which the networks are kept too: a third, two thirds, the end."""
    return [moments(total_steps)[k - 1] for k in STATES]


def pictures_of(trainer: Trainer, count: int = PICTURES, seed: int = 0) -> Tensor:
    """Pictures uint8 [count, C, H, W] of the generator people see; what is not a number becomes mid-grey."""
    z, labels = evaluate.latents(count, trainer.config.z_dim, trainer.config.classes, seed)
    parts = torch.arange(count).split(evaluate.BATCH)
    return torch.cat([to_uint8(trainer.sample(z[p], None if labels is None else labels[p])) for p in parts])


class Keeper:
    """Collects what is to be kept while a run trains."""

    def __init__(self, total_steps: int) -> None:
        self._moments, self._states = moments(total_steps), state_moments(total_steps)
        self.tensors: dict[str, Tensor] = {}
        self.steps: list[int] = []
        self.states: list[int] = []

    def look(self, trainer: Trainer, last: bool = False) -> None:
        """Keep this moment, where it is one; `last`: the run ends here, sooner than it should."""
        step = trainer.steps_done
        if step in self.steps or not (last or step in self._moments):
            return
        self.steps.append(step)
        self.tensors[f"{step}.pictures"] = pictures_of(trainer)
        if last or step in self._states:
            self.states.append(step)
            for name in _NETWORKS:
                network = getattr(trainer, name)
                if network is not None:
                    kept = {f"{step}.{name}.{key}": v.clone() for key, v in network.state_dict().items()}
                    self.tensors.update(kept)

    def write(self, path: Path, words: dict[str, Any]) -> None:
        """Raises OSError."""
        words = words | {"format": FORMAT, "steps": self.steps, "states": self.states}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, save({k: v.contiguous() for k, v in self.tensors.items()}, {KEY: json.dumps(words)}))


@dataclass(frozen=True)
class State:
    """One state of a kept run, and what the run had written down until then."""

    run: KeptRun
    step: int

    @property
    def steps(self) -> list[int]:
        """The moments until now, this one last."""
        return [s for s in self.run.words["steps"] if s <= self.step]

    @property
    def rows(self) -> list[Row]:
        rows = (Row(*row) for row in self.run.words["rows"])
        return [row for row in rows if row.step <= self.step]

    @property
    def signals(self) -> list[Signal]:
        """Those kept by earlier versions have other names (`records.OLDER_NAMES`), and fewer."""
        kept = (signal for signal in self.run.words["signals"] if signal["step"] <= self.step)
        unknown: Signal = dict.fromkeys(SIGNALS)
        return [unknown | {OLDER_NAMES.get(name, name): value for name, value in signal.items()} for signal in kept]

    @property
    def events(self) -> list[Event]:
        return [event for event in self.run.words["events"] if event["step"] <= self.step]

    def pictures(self, step: int) -> Tensor:
        """uint8 [PICTURES, C, H, W] of one of the moments."""
        return self.run.tensors([f"{step}.pictures"])[0]

    def restore(self, trainer: Trainer) -> None:
        """Put the networks of this state into a trainer of the run's config; its optimisers stay as they are."""
        with safe_open(self.run.path, framework="pt") as file:
            for name in _NETWORKS:
                network, prefix = getattr(trainer, name), f"{self.step}.{name}."
                if network is not None:
                    keys = [key for key in file.keys() if key.startswith(prefix)]  # noqa: SIM118
                    network.load_state_dict({key.removeprefix(prefix): file.get_tensor(key) for key in keys})


@dataclass(frozen=True)
class KeptRun:
    """A run of the corpus that is finished: its file, and what its header says."""

    path: Path
    words: dict[str, Any]  # number, about, config, own, steps, states, rows, signals, events

    @property
    def config(self) -> Config:
        return Config.from_dict(self.words["config"])

    @property
    def number(self) -> int:
        return self.words["number"]

    def states(self) -> Iterator[State]:
        return (State(self, step) for step in self.words["states"])

    def tensors(self, names: list[str]) -> list[Tensor]:
        with safe_open(self.path, framework="pt") as file:
            return [file.get_tensor(name) for name in names]


def path_of(folder: Path, number: int) -> Path:
    return folder / f"{number:05d}.safetensors"


def kept_run(folder: Path, number: int) -> KeptRun | None:
    """The run of this number, or None where it is not kept (whole, and in today's format)."""
    path = path_of(folder, number)
    try:
        with safe_open(path, framework="pt") as file:
            words = json.loads((file.metadata() or {}).get(KEY, "{}"))
    except (OSError, SafetensorError, ValueError):
        return None
    return KeptRun(path, words) if words.get("format") == FORMAT else None


def needed_run(folder: Path, number: int) -> KeptRun:
    """The run of this number. Raises BenchError where it is not kept."""
    run = kept_run(folder, number)
    if run is None:
        raise BenchError(f"Run {number} of the corpus is not in {folder}; --part corpus trains it.")
    return run


def without_clock(rows: list[Row]) -> list[Row]:
    """Rows of a history whose seconds are 0."""
    return [row._replace(seconds=0.0) for row in rows]
