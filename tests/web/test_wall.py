"""The wall: who hangs there, what it tells of them, and who decides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan.core.errors import Forbidden, Missing
from gan.core.images import split_grid
from gan.core.seeds import MAX_SEED
from gan.monitor.diagnosis import Verdict
from gan.runs import turns
from gan.runs.history import Mark
from gan.runs.meta import PRIVATE_RUN
from gan.runs.publishing import numbers_of
from gan.runs.registry import Runs
from gan.runs.room import no_room
from gan.runs.run import Run
from gan.runs.snapshot import next_snapshot
from gan.runs.turns import Place
from gan.runs.watched import WATCHED_SECONDS
from gan.web import diagnoses as diagnoses_module
from gan.web import wall as wall_module
from gan.web.access import Access
from gan.web.diagnoses import Diagnoses
from gan.web.routes.run_control import RunControl
from gan.web.routes.wall import WallRoutes
from gan.web.server import RECORDED
from gan.web.wall import Wall
from tests.web.test_handlers import called, told


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    runs = Runs(tmp_path / "runs")
    yield runs
    runs.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wall(runs: Runs, clock: Clock) -> Wall:
    return Wall(runs, Diagnoses(), clock)


def shown_run(runs: Runs, recipe: str = "dense", step: int = 7, **more: Any) -> Run:
    """One that has pictures."""
    run, _ = runs.create(recipe, more.pop("dataset", "mnist"), shown=more.pop("shown", True), **more)
    draw(run, step)
    return run


def draw(run: Run, step: int, seed: int = 0) -> None:
    tiles, size = run.meta.tiles, run.config.size
    pictures = np.random.default_rng(seed).integers(0, 256, (tiles["count"], run.config.channels, size, size), np.uint8)
    numbers = numbers_of(run, 0, [], [])
    run.latest = next_snapshot(run.latest, step, pictures, tiles["columns"], numbers, Mark())


def ids(tiles: list[Any]) -> list[str]:
    return [tile["id"] for tile in tiles]


def test_only_what_is_shown_and_has_pictures_hangs_there(runs: Runs, wall: Wall) -> None:
    shown = shown_run(runs)
    shown_run(runs, shown=False)
    runs.create("dense", "mnist", shown=True)  # nothing to see yet
    private = shown_run(runs)
    private.meta.start = PRIVATE_RUN
    assert ids(wall.live()) == ids(wall.live(hidden=True)) == [shown.id]


def test_a_tile_says_nothing_that_a_person_wrote(runs: Runs, wall: Wall) -> None:
    run = shown_run(runs, step=120)
    runs.rename(run, "Anna, class 7b")
    run.meta.dataset_title = "holiday"
    (tile,) = wall.live()
    run.config = run.config.changed(recipe="Anna was here", dataset="own-0123456789ab")  # as a file may say
    assert Wall(runs, Diagnoses()).live()[0]["title"] == "Another recipe on own pictures"
    assert (tile["title"], tile["step"], tile["severity"], tile["verdict"]) == ("Dense on MNIST", 120, "early", "")
    assert "Anna" not in json.dumps(tile) and "holiday" not in json.dumps(tile)


def test_tiles_lie_by_age_and_those_under_way_come_before_others(
    runs: Runs, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wall_module, "MOST", 3)
    made = [shown_run(runs) for _ in range(5)]
    for age, run in enumerate(made):
        run.meta.created = 100.0 - age
    made[4].status = "paused"
    assert ids(wall.live()) == [made[0].id, made[1].id, made[4].id]


def test_a_verdict_is_the_first_of_the_diagnosis(runs: Runs, wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    collapsed, strong = (Verdict(kind, "error", kind.upper(), "", "", "", "") for kind in ("one", "two"))
    monkeypatch.setattr(diagnoses_module, "diagnose", lambda *_: [collapsed, strong])
    shown_run(runs)
    (tile,) = wall.live()
    assert (tile["kind"], tile["severity"], tile["verdict"]) == ("one", "error", "ONE")


def test_who_waits_for_a_turn_is_said_to_wait(runs: Runs, wall: Wall, clock: Clock) -> None:
    run = shown_run(runs)
    run.status = "running"
    for place, status in ((None, "running"), (Place(None, 3.0), "running"), (Place(2, 30.0), "waiting")):
        run.place, clock.seconds = place, clock.seconds + wall_module.AGE
        assert wall.live()[0]["status"] == status


def test_tiles_are_made_once_for_all_who_look(runs: Runs, wall: Wall, clock: Clock) -> None:
    run = shown_run(runs)
    first = wall.live()
    draw(run, 50, seed=1)
    assert wall.live() == first
    clock.seconds += wall_module.AGE
    assert wall.live()[0]["step"] == 50


def test_who_looks_at_the_wall_sees_live_pictures_and_holds_no_place(runs: Runs, wall: Wall) -> None:
    run = shown_run(runs)
    run._watched_at = -1e9
    assert not run.is_watched
    wall.live()
    assert run.is_watched and run.unwatched_seconds() > WATCHED_SECONDS and turns.is_left_alone(run)


@pytest.mark.parametrize(("recipe", "dataset", "across"), [("dense", "mnist", 4), ("quick-monsters", "monsters", 3)])
def test_a_picture_has_the_first_of_the_newest_pictures(
    runs: Runs, wall: Wall, recipe: str, dataset: str, across: int
) -> None:
    run = shown_run(runs, recipe, dataset=dataset)
    size, channels = run.config.size, run.config.channels
    layout = {"count": across * across, "columns": across, "size": size, "channels": channels}
    found = split_grid(wall.picture(run), **layout)
    assert run.latest is not None and found.shape == (across * across, channels, size, size)
    if size == 28:
        assert np.array_equal(found, run.latest.tiles[: across * across])
    before = wall.picture(run)
    assert wall.picture(run) is before
    draw(run, 8, seed=1)
    assert wall.picture(run) != before


def test_pictures_of_few_runs_are_remembered(runs: Runs, wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wall_module, "KEPT", 2)
    for run in [shown_run(runs) for _ in range(4)]:
        wall.picture(run)
    assert len(wall._pictures) == 2


def test_every_recording_hangs_there_with_its_verdict(tmp_path: Path) -> None:
    runs = Runs(tmp_path / "runs", recorded=RECORDED)
    tiles = Wall(runs, Diagnoses()).recorded()
    assert sorted(ids(tiles)) == sorted(runs.recordings.of_recipes.values())
    assert all(tile["picture"] and tile["status"] == "recording" for tile in tiles)
    collapsed = next(tile for tile in tiles if tile["id"] == "recorded-gallery-mode-collapse")
    assert collapsed["kind"] == "mode-collapse"


def test_the_owner_of_the_program_hides_a_run_for_all_others(runs: Runs) -> None:
    access = Access(runs)
    run, token = runs.create("dense", "mnist", shown=True)
    draw(run, 3)
    routes, control = WallRoutes(access, Diagnoses()), RunControl(access)
    hide, show = (json.dumps({"hidden": hidden}).encode() for hidden in (True, False))
    with pytest.raises(Forbidden):
        called(control.change, run_id=run.id, body=hide, tokens=token)
    called(control.change, run_id=run.id, body=hide, tokens=runs.master)
    called(control.change, run_id=run.id, body=json.dumps({"shown": True}).encode(), tokens=token)  # does not help
    assert told(called(routes.wall, tokens=token))["live"] == []
    assert [tile["hidden"] for tile in told(called(routes.wall, tokens=runs.master))["live"]] == [True]
    assert Run(run.folder).meta.hidden
    assert no_room([run], lambda _: "", 120)[1]["run"] is None  # nor is it offered where no place is left
    called(control.change, run_id=run.id, body=show, tokens=runs.master)
    assert ids(told(called(WallRoutes(access, Diagnoses()).wall))["live"]) == [run.id]


def test_a_picture_that_is_not_there_is_said_so(runs: Runs) -> None:
    run, _ = runs.create("dense", "mnist", {"seed": MAX_SEED}, shown=True)
    routes = WallRoutes(Access(runs), Diagnoses())
    with pytest.raises(Missing):
        called(routes.tile, run_id=run.id)
    draw(run, 1)
    answer = called(routes.tile, run_id=run.id)
    assert answer.media_type == "image/png" and answer.headers["cache-control"].endswith("immutable")
