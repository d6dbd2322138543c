"""The shipped runs: recordings of recipes, which anybody may watch and nobody can control."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from gan.core.images import grid, is_exact, small_webp, split_grid
from gan.monitor.records import Frame
from gan.recipes.catalog import ALL_RECIPES
from gan.runs.files import REAL_PNG, RUN_JSON
from gan.runs.history import RECORDS, History
from gan.runs.run import Run

PREFIX = "recorded"
FIRST = "quick"  # its recording was the only one, and links know it as `PREFIX`
SEED = 1  # of the trainings that are recorded
# How long they are, in steps: about two minutes of a core, or until there is something to see; monsters and faces are
# the runs of the weights that ship. Failures: to their end.
STEPS = {
    **{"quick": 3000, "quick-monsters": 13_000, "quick-faces": 13_000, "quick-conditional": 6000, "quick-colour": 6000},
    **{"lsgan": 4000, "wgan": 3000, "wgan-gp": 2000, "sngan": 4000, "r3gan": 4000, "cgan": 4000},
    **{"dense": 20_000, "dcgan-upsample": 1200, "dcgan-upsample-as-printed": 1200, "dcgan-transposed": 700},
    **{"mlp": 15_000, "conv-small": 10_000},
}
FRAMES, TILES = 48, 24  # of a recording that `record` makes
# Of its frames, by how large their pictures are: those of 24 pictures of 64 × 64 pixels take half a megabyte, those of
# 28 × 28 a third of that, and still look as they were.
BYTES_A_PIXEL = {"small": 0.2, "large": 0.093}


class Recordings:
    """The recordings in a folder, one sub-folder for each recipe; each is opened when it is asked for first.

    of_recipes: the id of the recording of each recipe that has one; that of digits, where nothing else is said, first.
    """

    def __init__(self, folder: Path | None, own_dir: Path) -> None:
        names = sorted(ALL_RECIPES, key=lambda name: name != FIRST)
        folders = {name: folder / name_of(name) for name in names} if folder else {}
        self.of_recipes = {name: id_of(name) for name, path in folders.items() if (path / RUN_JSON).exists()}
        self._folders = {run_id: folders[name] for name, run_id in self.of_recipes.items()}
        self._own_dir = own_dir
        self._opened: dict[str, Run] = {}
        self._guard = threading.Lock()

    def get(self, run_id: str) -> Run | None:
        """Raises CheckpointError or ConfigError where the recording is damaged."""
        if run_id not in self._folders:
            return None
        with self._guard:
            if run_id not in self._opened:
                run = Run(self._folders[run_id], self._own_dir)
                run.id, run.recorded, run.status, run.message = run_id, True, "finished", ""
                self._opened[run_id] = run
            return self._opened[run_id]


def name_of(recipe: str) -> str:
    """The folder of a recipe's recording: "gallery:divergence" is no name for one on every system."""
    return recipe.replace(":", "-")


def id_of(recipe: str) -> str:
    """What the recording of a recipe is called in addresses."""
    return PREFIX if recipe == FIRST else f"{PREFIX}-{name_of(recipe)}"


def record(run: Run, folder: Path, frames: int = FRAMES, tiles: int = TILES) -> None:
    """Write the recording of a run into a new folder: its history with at most so many frames, of so many pictures.

    Of the rows of pictures, which have a column for each class, only whole ones are kept, where there is a whole one.
    Frames are left out evenly, so that early steps, in which most happens, keep their share. Raises OSError.
    """
    real = (run.folder / REAL_PNG).read_bytes()
    (folder / "frames").mkdir(parents=True)
    history, layout = History(folder), run.meta.tiles
    shown = min(tiles, layout["count"])
    shown -= shown % layout["columns"] if shown > layout["columns"] else 0
    most = BYTES_A_PIXEL["small" if is_exact(layout["size"]) else "large"]
    for name in RECORDS:
        for entry in [] if name == "frames" else run.history.all(name):
            history.add(name, entry)
    for frame in _some(run.history.frames, frames):
        pictures = split_grid(run.history.frame_path(frame["step"]).read_bytes(), **layout)[:shown]
        data = small_webp(grid(pictures, layout["columns"]), most)
        history.add_frame(frame["step"], data, frame["fake"][:shown], frame["real"])
    history.flush()
    nobody = replace(run.meta, token_sha256="", more_tokens_sha256=[], visitor="", job="", start="")
    replace(nobody, status="finished", message="", tiles={**layout, "count": shown}).write(folder)
    (folder / REAL_PNG).write_bytes(real)


def _some(frames: list[Frame], most: int) -> list[Frame]:
    """At most so many, evenly, with the first and the last."""
    if len(frames) <= most:
        return frames
    return [frames[round(i * (len(frames) - 1) / (most - 1))] for i in range(most)]
