"""The generators that ship, and how each is trained; `python -m gan shipped-weights` makes them all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from gan.core.config import Changes, ConfigError
from gan.core.files import write_atomically
from gan.core.messages import say
from gan.models import weights_file
from gan.runs.recordings import SEED, STEPS
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.training.checkpoint import networks_of


@dataclass(frozen=True)
class Shipped:
    """How a generator in weights/ is trained; what the page says of it is in the catalogue, by its name."""

    recipe: str
    steps: int
    dataset: str | None = None  # None: the recipe's
    changes: Changes = field(default_factory=dict)  # of the recipe's settings
    starts: bool = False  # also G and D, for runs that begin with them


# By their files.
SHIPPED: dict[str, Shipped] = {
    "mnist-conditional": Shipped("quick-conditional", 7_987, changes={"batch": 64}),
    "fashion-mnist-conditional": Shipped("quick-conditional", 10_639, "fashion-mnist", {"batch": 64}),
    "mnist": Shipped("quick", 17_834),
    "monsters": Shipped("quick-monsters", STEPS["quick-monsters"], starts=True),
    "faces": Shipped("quick-faces", STEPS["quick-faces"], starts=True),
}


def words_of(name: str) -> tuple[str, str]:
    """Its title, and one line about it, as its file has them: in English."""
    return str(say(f"weights.{name}.title")), str(say(f"weights.{name}.about"))


def trained(
    recipe: str, folder: Path, threads: int, changes: Changes, dataset: str | None = None, may_fail: bool = False
) -> Run:
    """A run of a recipe to its end, with the seed of all that ships, below a new folder.

    Raises ConfigError where it cannot be, or fails and may not.
    """
    run, _ = Runs(folder).create(recipe, dataset, {"seed": SEED, **changes})
    run.threads, run.status = (threads,), "running"
    run.train()
    if run.status == "failed" and not may_fail:
        raise ConfigError(f"{run.meta.title}: {run.message}")
    return run


def file_of(name: str, out: Path) -> Path:
    """Its generator's file below `out`, which is laid out as weights/."""
    return out / f"{name}.safetensors"


def start_file_of(name: str, out: Path) -> Path:
    """The file of G and D, for runs that begin with them."""
    return file_of(f"starts/{name}", out)


def files_of(name: str, out: Path) -> list[Path]:
    """All its files."""
    return [file_of(name, out)] + ([start_file_of(name, out)] if SHIPPED[name].starts else [])


def make(name: str, folder: Path, out: Path, threads: int) -> list[Path]:
    """Train it in a new folder, and write those of its files that are not there."""
    shipped, missing = SHIPPED[name], [path for path in files_of(name, out) if not path.exists()]
    changes = {"total_steps": shipped.steps, **shipped.changes}
    run = trained(shipped.recipe, folder, threads, changes, shipped.dataset)
    for path in missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path == file_of(name, out):
            _write_generator(run, name, path)
        else:
            write_atomically(path, networks_of(run.checkpoint_path))
    return missing


def _write_generator(run: Run, name: str, path: Path) -> None:
    learned = run.weights()
    if learned is None:
        raise ConfigError(f"{run.meta.title}: {run.message}")
    title, about = words_of(name)
    weights_file.save(path, replace(learned, title=title, about=about), half=True)
