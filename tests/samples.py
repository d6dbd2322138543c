"""One small good file of every kind that the program reads, for tests that cut, damage or compare them."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch

from gan.core.config import Config
from gan.core.images import frame_bytes, grid, png_bytes
from gan.data import pictures
from gan.latent.directions import Direction, to_text
from gan.models import build_generator, weights_file
from gan.monitor.records import SIGNALS, Row, Threads
from gan.recipes.catalog import make_config
from gan.runs import archive
from gan.runs.history import History
from gan.runs.meta import new_meta
from gan.training.checkpoint import save_checkpoint
from gan.training.trainer import Trainer
from tests.conftest import make_pictures

SUMMARY = {"title": "Few", "count": 6, "test": 2, "skipped": 0, "notes": [], "classes": [["a", 3], ["b", 3]]}
LINK = "seed=7&c=4&m=3:0.7,12:0.4&d=0:2,3:-1.25&z=4:1.5&u=thick:1.5:ADwAPA:g,slant:2:AEA&lock=slant,3&psi=0.6&mix=9:0.3"


def written_by(write: Callable[[Path], Any]) -> bytes:
    """What is in a file that `write` has written."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, "own-1.safetensors"))
        return Path(folder, "own-1.safetensors").read_bytes()


@cache
def config() -> Config:
    return make_config("dense", "mnist", batch=4, width=4, z_dim=4, clusters=0, total_steps=9)


@cache
def weights() -> bytes:
    network = build_generator(config(), torch.Generator().manual_seed(0))
    return weights_file.to_bytes(weights_file.Weights(config(), "Test", (), 3, network.state_dict()))


def make_trainer(**changes: Any) -> Trainer:
    """A trainer that has taken one step."""
    trainer = Trainer(config().changed(**changes), make_pictures(64))
    trainer.step()
    return trainer


@cache
def state() -> bytes:
    """A checkpoint of `make_trainer()`."""
    return written_by(lambda path: save_checkpoint(path, make_trainer(), {"seconds": 3.5}))


@cache
def sheet() -> bytes:
    """A frame of a run: 40 grey pictures of 28 × 28 in 8 columns."""
    return png_bytes(grid(make_pictures(40).images, 8))


@cache
def large_sheet() -> bytes:
    """A frame of a run: 40 pictures of 40 × 40 in colour in 8 columns, as WebP."""
    return frame_bytes(make_pictures(40, size=40, channels=3).images.numpy(), 8)


@cache
def prepared() -> bytes:
    """Six own pictures of two classes, and two that are held back."""
    few = [make_pictures(6, 8, classes=2), make_pictures(2, 8, classes=2)]
    words = {"classes": json.dumps(["a", "b"]), "title": "Few", "summary": json.dumps(SUMMARY)}
    splits = [pictures.split_of(part) for part in few]
    return written_by(lambda path: pictures.write_pictures(path, splits, words))


@cache
def directions() -> bytes:
    found = [Direction("bolder", "own", torch.ones(4)), Direction("to 7", "class", torch.eye(4)[0], True)]
    return to_text(found, "mnist", "1").encode()


# A run ---------------------------------------------------------------------------------------------------------------


def add_records(history: History, steps: range) -> None:
    """One record of every kind for each step."""
    measure = dict.fromkeys(("seconds", "fid", "coverage", "confidence", "real_fid", "real_coverage"), 0.5)
    for step in steps:
        history.add("rows", Row(step, step * 4, step / 7, 1.5, None, 0.5, 0.25, 1e-3, 1e-3))
        history.add_event(step, "lr", "D's learning rate 1 → 2")
        history.add("threads", Threads(step, 1))
        history.add("signals", dict.fromkeys(SIGNALS, step / 3) | {"step": step, "train_nn_ratio": None})
        history.add_frame(step, sheet(), [0.1] * 4, [0.9] * 4)
        more = {"step": step, "images": 8, "modes": 2, "histogram": [3, 5], "real_confidence": 0.5}
        history.add("measures", measure | more)


@cache
def run_files() -> dict[str, bytes]:
    """name -> content of all files of a run that has one of everything."""
    with tempfile.TemporaryDirectory() as above:
        folder = Path(above, "run")
        folder.mkdir()
        new_meta(config(), title="Test", created=1.0, token_sha256="secret").write(folder)
        (folder / "checkpoint.safetensors").write_bytes(state())
        (folder / "real.png").write_bytes(sheet())
        history = History(folder)
        add_records(history, range(3))
        history.flush()
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def put_run(folder: Path, changed: dict[str, bytes] | None = None) -> Path:
    """Write `run_files`, some of them changed, into a folder."""
    for name, content in (run_files() | (changed or {})).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@cache
def zipped() -> bytes:
    """That run as a zip."""
    out = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        archive.pack(put_run(Path(folder)), out)
    return out.getvalue()
