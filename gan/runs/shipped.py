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
    starts: bool = False  # G and D, for runs that begin with them, instead of a generator for the page


# By their files. Runs begin with networks that were told groups: they learn other pictures faster than those that were
# told attributes (weights/README.md).
SHIPPED: dict[str, Shipped] = {
    "mnist-conditional": Shipped("quick-conditional", 7_987, changes={"batch": 64}),
    "fashion-mnist-conditional": Shipped("quick-conditional", 10_639, "fashion-mnist", {"batch": 64}),
    "mnist": Shipped("quick", 17_834),
    "monsters": Shipped("quick-monsters", STEPS["quick-monsters"]),
    "faces": Shipped("quick-faces", STEPS["quick-faces"]),
    "starts/monsters": Shipped("quick-monsters", 9_221, changes={"clusters": 100}, starts=True),
    "starts/faces": Shipped("quick-faces", 5_274, changes={"clusters": 100}, starts=True),
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
    """Its file below `out`, which is laid out as weights/."""
    return out / f"{name}.safetensors"


def make(name: str, folder: Path, out: Path, threads: int) -> Path:
    """Train it in a new folder, and write its file."""
    shipped, path = SHIPPED[name], file_of(name, out)
    changes = {"total_steps": shipped.steps, **shipped.changes}
    run = trained(shipped.recipe, folder, threads, changes, shipped.dataset)
    path.parent.mkdir(parents=True, exist_ok=True)
    if shipped.starts:
        write_atomically(path, networks_of(run.checkpoint_path))
        return path
    learned = run.weights()
    if learned is None:
        raise ConfigError(f"{run.meta.title}: {run.message}")
    title, about = words_of(name)
    weights_file.save(path, replace(learned, title=title, about=about), half=True)
    return path
