"""The generators that ship, and how each is trained; `python -m gan shipped-weights` makes them all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from gan.core.config import Changes, ConfigError
from gan.core.files import write_atomically
from gan.models import weights_file
from gan.runs.recordings import SEED
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.training.checkpoint import networks_of


@dataclass(frozen=True)
class Shipped:
    """A generator in weights/: how it is trained, and what the page says of it."""

    recipe: str
    steps: int
    title: str
    about: str
    dataset: str | None = None  # None: the recipe's
    changes: Changes = field(default_factory=dict)  # of the recipe's settings
    starts: bool = False  # whether G and D ship too, for runs that begin with them


SHIPPED: dict[str, Shipped] = {
    "mnist-conditional": Shipped(
        "quick-conditional", 7_987, "MNIST, by class", "Handwritten digits; you choose which one it draws.",
        changes={"batch": 64},
    ),
    "fashion-mnist-conditional": Shipped(
        "quick-conditional", 10_639, "Fashion-MNIST, by class",
        "Pieces of clothing; you choose which kind it draws.", "fashion-mnist", {"batch": 64},
    ),
    "mnist": Shipped("quick", 17_834, "MNIST", "Handwritten digits; which one it draws is up to the latent."),
    "monsters": Shipped(
        "quick-monsters", 9_221, "Monsters", "Little monsters in colour; what each looks like is up to the latent.",
        starts=True,
    ),
    "faces": Shipped(
        "quick-faces", 5_274, "Faces", "Drawn people in colour; who each one is is up to the latent.", starts=True
    ),
}  # fmt: skip


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


def files_of(name: str, out: Path) -> list[Path]:
    """What is written of it below `out`, which is laid out as weights/."""
    files = [out / f"{name}.safetensors"]
    return [*files, out / "starts" / f"{name}.safetensors"] if SHIPPED[name].starts else files


def make(name: str, folder: Path, out: Path, threads: int) -> list[Path]:
    """Train it in a new folder and write those of its files that are missing."""
    shipped, (weights, *starts) = SHIPPED[name], files_of(name, out)
    changes = {"total_steps": shipped.steps, **shipped.changes}
    run = trained(shipped.recipe, folder, threads, changes, shipped.dataset)
    learned = run.weights()
    if learned is None:
        raise ConfigError(f"{run.meta.title}: {run.message}")
    missing = [path for path in (weights, *starts) if not path.exists()]
    for path in missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path == weights:
            weights_file.save(path, replace(learned, title=shipped.title, about=shipped.about), half=True)
        else:
            write_atomically(path, networks_of(run.checkpoint_path))
    return missing
