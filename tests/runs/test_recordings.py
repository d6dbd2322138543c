"""The shipped recordings, and how a run becomes one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gan.core.images import split_grid
from gan.core.paths import WEIGHTS
from gan.recipes.catalog import RECIPES
from gan.runs import recordings
from gan.runs.history import RECORDS
from gan.runs.recordings import Recordings, id_of, record
from gan.runs.registry import Runs
from gan.runs.run import Run
from tests.conftest import PATIENCE

SHIPPED = WEIGHTS / "recorded"
MOST_BYTES = 600_000  # of a recording that the page opens with
LOSS = 20  # mean difference of a pixel of noise, which shrinks least well, from what it was, of 255


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    runs = Runs(tmp_path_factory.mktemp("runs"))
    run, _ = runs.create("dense", changes={"batch": 8, "total_steps": 60})
    runs.start(run)
    run.join(PATIENCE)
    yield run
    runs.close()


@pytest.mark.slow
def test_a_recording_has_all_that_was_written_down_and_some_of_the_pictures(finished, tmp_path):
    record(finished, tmp_path / "it", frames=5, tiles=11)
    made = Run(tmp_path / "it")
    for name in set(RECORDS) - {"frames"}:
        assert made.history.all(name) == finished.history.all(name)
    steps = [frame["step"] for frame in made.history.frames]
    assert len(steps) == 5 and steps[0] == 0 and steps[-1] == 60 == made.latest.step
    whole = {frame["step"]: frame for frame in finished.history.frames}
    for frame in made.history.frames:
        assert frame["fake"] == whole[frame["step"]]["fake"][:11] and frame["real"] == whole[frame["step"]]["real"]
        pictures, few = (
            split_grid(run.history.frame_path(frame["step"]).read_bytes(), **run.meta.tiles) for run in (finished, made)
        )
        assert few.shape == (11, 1, 28, 28) and np.abs(few.astype(float) - pictures[:11]).mean() < LOSS
    names = {path.name for path in made.folder.iterdir()}
    assert "real.png" in names and not any(name.endswith(".safetensors") or name == "states" for name in names)
    assert finished.meta.token_sha256 and not made.meta.token_sha256  # nobody owns it
    assert made.status == "finished" and made.config == finished.config


@pytest.mark.slow
def test_of_a_run_with_few_frames_all_are_kept(finished, tmp_path):
    record(finished, tmp_path / "it", frames=1000, tiles=40)
    assert Run(tmp_path / "it").history.frames == finished.history.frames
    with pytest.raises(FileExistsError):
        record(finished, tmp_path / "it")


def test_what_ships_can_be_watched_by_everybody_and_steered_by_nobody(tmp_path):
    runs = Runs(tmp_path / "runs", recorded=SHIPPED)
    assert set(runs.recordings.of_recipes) == {"quick", "quick-monsters"} <= set(RECIPES)
    for recipe, run_id in runs.recordings.of_recipes.items():
        run = runs.get(run_id)
        assert (run.id, run.config.recipe, run.status, run.recorded) == (run_id, recipe, "finished", True)
        assert runs.get(run_id) is run and run not in runs.owned([runs.master])
        assert not runs.may_control(run, [runs.master])
        assert run.history.frames[0]["step"] == 0 and run.history.frames[-1]["step"] == run.config.total_steps
    runs.close()


def test_a_recording_is_opened_when_it_is_asked_for(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(recordings, "Run", lambda folder, own: opened.append(folder.name) or Run(folder, own))
    kept = Recordings(SHIPPED, tmp_path)
    assert kept.get("nobody") is None and opened == []
    kept.get(id_of("quick"))
    kept.get(id_of("quick"))
    assert opened == ["quick"]
    assert Recordings(None, tmp_path).of_recipes == {} and Recordings(tmp_path / "none", tmp_path).of_recipes == {}


def test_links_to_the_first_recording_go_on_working():
    assert id_of("quick") == "recorded"


def test_the_recording_that_the_page_opens_with_is_small():
    assert bytes_in(SHIPPED / next(iter(RECIPES))) < MOST_BYTES


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
