"""What a person calls a generator or a run: a file, a shipped name, a run's folder or its id; found here for everybody.

One way for `sample`, `evaluate`, `export`, `train --resume` and `--fork`, and `gan.draw`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from gan.core.messages import say
from gan.core.paths import WEIGHTS
from gan.models import weights_file as files
from gan.models.weights_file import Weights, WeightsError
from gan.runs.files import RUN_JSON
from gan.runs.run import Run
from gan.training.checkpoint import CheckpointError

RUNS = Path(os.environ.get("GAN_FORGE_RUNS") or "runs")  # the folder for runs where nothing else is said


class Source(NamedTuple):
    """A generator that was found."""

    name: str  # the page's: a shipped name, file-HASH or run-ID
    weights: Weights
    own_dir: Path | None  # where the visitor's own pictures are, if it learned from such


def find_run(given: str | os.PathLike, runs: Path = RUNS) -> Path:
    """The folder of a run, given as that or as an id in `runs`. Raises CheckpointError with a sentence."""
    found = _run_folder(Path(given), runs)
    if found is None:
        raise CheckpointError(say("runs.no_run", name=Path(given), folder=_named(runs)))
    return found


def find_weights(given: str | os.PathLike, runs: Path = RUNS, best: bool = False) -> Source:
    """A generator: a .safetensors file, a shipped name ("mnist"), or a run's folder or id.

    Of a run the newest state counts, or the one with the best FID. Raises WeightsError or CheckpointError.
    """
    path = Path(given)
    if best:
        return _of_run(find_run(path, runs), best)
    if path.is_file() or path.suffix == ".safetensors":
        return Source(*files.load_with_id(path), runs / "pictures")
    names = sorted(p.stem for p in WEIGHTS.glob("*.safetensors") if not p.name.startswith("metric-"))
    if str(path) in names:
        return Source(str(path), files.load(WEIGHTS / f"{path}.safetensors"), runs / "pictures")
    folder = _run_folder(path, runs)
    if folder is None:
        raise WeightsError(say("runs.no_weights_of", name=str(given)[:80], folder=_named(runs), names=list(names)))
    return _of_run(folder)


def open_run(folder: Path) -> Run:
    """Raises CheckpointError with a sentence."""
    return Run(folder, folder.parent / "pictures")


def _of_run(folder: Path, best: bool = False) -> Source:
    run = open_run(folder)
    weights = run.best_weights() if best else run.weights()
    if weights is None:
        raise CheckpointError(say("runs.no_weights_yet", id=run.id))
    return Source(f"run-{run.id}@best" if best else f"run-{run.id}", weights, run.own_dir)


def _run_folder(given: Path, runs: Path) -> Path | None:
    folders = (given, runs / given)
    return next((folder for folder in folders if given.name and (folder / RUN_JSON).exists()), None)


def _named(runs: Path) -> str:
    return f"{str(runs).rstrip(os.sep)}{os.sep}"
