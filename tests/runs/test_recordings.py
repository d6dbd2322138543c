"""The shipped recordings, and how a run becomes one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gan.core.images import split_grid
from gan.core.paths import WEIGHTS
from gan.monitor.diagnosis import diagnose
from gan.recipes.catalog import ALL_RECIPES, RECIPES
from gan.recipes.failures import GALLERY, PREFIX
from gan.runs import recordings
from gan.runs.diagnosis_report import past_of
from gan.runs.history import RECORDS
from gan.runs.recordings import Recordings, id_of, record
from gan.runs.registry import Runs
from gan.runs.run import Run
from tests.conftest import PATIENCE

SHIPPED = WEIGHTS / "recorded"
MOST_BYTES = 600_000  # of a recording that the page opens with
ALIKE = 0.25  # correlation of noise, which shrinks least well, with what it was; with other noise it has none


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
    record(finished, tmp_path / "it", frames=5, tiles=17)  # two rows of eight
    made = Run(tmp_path / "it")
    for name in set(RECORDS) - {"frames"}:
        assert made.history.all(name) == finished.history.all(name)
    steps = [frame["step"] for frame in made.history.frames]
    assert len(steps) == 5 and steps[0] == 0 and steps[-1] == 60 == made.latest.step
    whole = {frame["step"]: frame for frame in finished.history.frames}
    for frame in made.history.frames:
        assert frame["fake"] == whole[frame["step"]]["fake"][:16] and frame["real"] == whole[frame["step"]]["real"]
        pictures, few = (
            split_grid(run.history.frame_path(frame["step"]).read_bytes(), **run.meta.tiles) for run in (finished, made)
        )
        assert few.shape == (16, 1, 28, 28)
        assert np.corrcoef(few.ravel(), pictures[:16].ravel())[0, 1] > ALIKE
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
    assert set(ALL_RECIPES) - set(runs.recordings.of_recipes) == {"conv-small-as-printed"}  # which is refused
    for recipe, run_id in runs.recordings.of_recipes.items():
        run = runs.get(run_id)
        assert (run.id, run.config.recipe, run.status, run.recorded) == (run_id, recipe, "finished", True)
        assert runs.get(run_id) is run and run not in runs.owned([runs.master])
        assert not runs.may_control(run, [runs.master])
        failed = recipe == "gallery:divergence"  # before its last step, on purpose
        assert run.history.frames[0]["step"] == 0 < run.history.frames[-1]["step"] <= run.config.total_steps
        assert failed or run.history.frames[-1]["step"] == run.config.total_steps
        assert not run.meta.tiles["count"] % run.meta.tiles["columns"]  # no row of pictures is broken off
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


def test_the_recording_that_the_page_opens_with_is_small_and_all_together_are():
    new = [bytes_in(path) for path in SHIPPED.iterdir() if path.name != "quick"]  # the first one keeps every pixel
    assert bytes_in(SHIPPED / next(iter(RECIPES))) < MOST_BYTES
    assert sum(new) / len(new) < 350_000 and max(new) < MOST_BYTES


@pytest.mark.parametrize(("recipe", "kind"), [(f"{PREFIX}{name}", failure.kind) for name, failure in GALLERY.items()])
def test_what_fails_on_purpose_is_seen_to_fail_in_its_recording(recipe, kind, tmp_path):
    run = Recordings(SHIPPED, tmp_path).get(id_of(recipe))
    assert kind in [verdict.kind for verdict in diagnose(*past_of(run))]


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
