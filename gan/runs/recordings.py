"""The shipped runs: recordings of recipes, which anybody may watch and nobody can control."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np

from gan.core.images import frame_bytes, split_grid
from gan.monitor.records import Frame
from gan.runs.files import REAL_PNG, RUN_JSON
from gan.runs.history import RECORDS, History
from gan.runs.run import Run

PREFIX = "recorded"
FIRST = "quick"  # its recording was the only one, and links know it as `PREFIX`
FRAMES, TILES = 48, 24  # of a recording that `record` makes
BYTES_A_PIXEL = 0.115  # of its frames: those of 24 pictures of 64 × 64 pixels take half a megabyte


class Recordings:
    """The recordings in a folder, one sub-folder for each recipe; each is opened when it is asked for first."""

    def __init__(self, folder: Path | None, own_dir: Path) -> None:
        found = sorted(folder.glob(f"*/{RUN_JSON}")) if folder else []
        self._folders = {id_of(path.parent.name): path.parent for path in found}
        self._own_dir = own_dir
        self._opened: dict[str, Run] = {}
        self._guard = threading.Lock()

    @property
    def of_recipes(self) -> dict[str, str]:
        """The id of the recording of each recipe that has one."""
        return {folder.name: run_id for run_id, folder in self._folders.items()}

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


def id_of(recipe: str) -> str:
    """What the recording of a recipe is called in addresses."""
    return PREFIX if recipe == FIRST else f"{PREFIX}-{recipe}"


def record(run: Run, folder: Path, frames: int = FRAMES, tiles: int = TILES) -> None:
    """Write the recording of a run into a new folder: its history with at most so many frames, of so many pictures.

    Frames are left out evenly, so that early steps, in which most happens, keep their share. Raises OSError.
    """
    real = (run.folder / REAL_PNG).read_bytes()
    (folder / "frames").mkdir(parents=True)
    history, layout = History(folder), run.meta.tiles
    shown = min(tiles, layout["count"])
    for name in RECORDS:
        for entry in [] if name == "frames" else run.history.all(name):
            history.add(name, entry)
    for frame in _some(run.history.frames, frames):
        pictures = split_grid(run.history.frame_path(frame["step"]).read_bytes(), **layout)[:shown]
        data = frame_bytes(np.ascontiguousarray(pictures), layout["columns"], BYTES_A_PIXEL)
        history.add_frame(frame["step"], data, frame["fake"][:shown], frame["real"])
    history.flush()
    nobody = replace(run.meta, status="finished", message="", token_sha256="", more_tokens_sha256=[], job="", start="")
    replace(nobody, tiles={**layout, "count": shown}).write(folder)
    (folder / REAL_PNG).write_bytes(real)


def _some(frames: list[Frame], most: int) -> list[Frame]:
    """At most so many, evenly, with the first and the last."""
    if len(frames) <= most:
        return frames
    return [frames[round(i * (len(frames) - 1) / (most - 1))] for i in range(most)]
