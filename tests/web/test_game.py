"""The game: answers are counted by the step that drew the picture, and nothing else is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan.core.errors import Forbidden
from gan.core.paths import STATIC
from gan.monitor.records import Frame
from gan.runs.errors import NotFound
from gan.runs.registry import Runs
from gan.web import game as game_module
from gan.web.access import Access
from gan.web.game import MOST_ANSWERS, Bin, Game, GameError, bin_of, fooled_from, scores_of_d
from gan.web.routes.game import GameRoutes
from tests.web.test_handlers import called, told

NOTHING = {"rounds": 0, "bins": [], "fooled": None, "told": False}
ANSWERS = st.lists(st.tuples(st.integers(0, 10**6), st.booleans()), min_size=1, max_size=MOST_ANSWERS)


@pytest.fixture
def access(tmp_path: Path) -> Iterator[Access]:
    runs = Runs(tmp_path / "runs")
    yield Access(runs)
    runs.close()


@given(st.integers(0, 10**12))
def test_a_bin_is_the_power_of_two_below_a_step(step: int) -> None:
    found = bin_of(step)
    assert found == 0 if step == 0 else found <= step < 2 * found and found & (found - 1) == 0


@given(st.lists(ANSWERS, max_size=5))
def test_every_answer_is_counted_once(rounds: list[list[tuple[int, bool]]]) -> None:
    game = Game()
    for answers in rounds:
        game.count("run", [{"step": step, "right": right} for step, right in answers])
    found, everything = game.scores("run", {}), [one for answers in rounds for one in answers]
    assert found["rounds"] == len(rounds)
    assert sum(each["total"] for each in found["bins"]) == len(everything)
    assert sum(each["right"] for each in found["bins"]) == sum(right for _, right in everything)
    for each in found["bins"]:
        assert each["total"] == sum(bin_of(step) == each["step"] for step, _ in everything)
    assert game.scores("another", {}) == NOTHING


@pytest.mark.parametrize(
    "answers",
    [None, [], {}, "x", [1], [{}], *([{"step": step}] for step in (-1, True, 1.5, 10**13)), [{"step": 1}] * 21],
    ids=str,
)
def test_nonsense_is_not_counted(answers: Any) -> None:
    game = Game()
    with pytest.raises(GameError) as refused:
        game.count("run", answers)
    assert refused.value.message.endswith(".") and game.scores("run", {})["rounds"] == 0


def test_what_is_no_yes_is_no() -> None:
    game = Game()
    game.count("run", [{"step": 1, "right": "true"}, {"step": 1, "right": 1}, {"step": 1}])
    assert game.scores("run", {})["bins"] == [{"step": 1, "right": 0, "total": 3, "d": None}]


def test_counts_of_so_many_runs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(game_module, "MOST_RUNS", 2)
    game = Game()
    for run in ("a", "b", "a", "c"):
        game.count(run, [{"step": 0}])
    assert [game.scores(run, {})["rounds"] for run in "abc"] == [2, 0, 1]


def test_only_the_owner_begins_anew(access: Access) -> None:
    routes, (run, _) = GameRoutes(access), access.runs.create("dense", "mnist")
    body = json.dumps({"answers": [{"step": 5, "right": True}]}).encode()
    assert told(called(routes.count, run_id=run.id, body=body))["bins"] == [
        {"step": 4, "right": 1, "total": 1, "d": None}
    ]
    with pytest.raises(Forbidden):
        called(routes.forget)
    called(routes.forget, tokens=access.runs.master)
    assert told(called(routes.scores, run_id=run.id)) == NOTHING
    with pytest.raises(NotFound):
        called(routes.count, run_id="AAAAAAAAAAAA", body=body)


def test_a_round_of_the_page_is_counted_whole() -> None:
    (pairs,) = re.findall(
        r"export const PAIRS = (\d+);", (STATIC / "game" / "questions.js").read_text(encoding="utf-8")
    )
    assert 2 * int(pairs) == MOST_ANSWERS


def test_discriminators_ship_or_are_a_runs_own(access: Access) -> None:
    routes = GameRoutes(access)
    answer = called(routes.discriminator, name="mnist")
    assert answer.status_code == 200 and len(bytes(answer.body)) < 200_000
    with pytest.raises(NotFound):
        called(routes.discriminator, name="AAAAAAAAAAAA")
    run, _ = access.runs.create("dense", "mnist")
    with pytest.raises(NotFound, match="saved"):
        called(routes.discriminator, name=run.id)


def frame(step: int, fake: float, real: float) -> Frame:
    return {"step": step, "fake": [fake] * 24, "real": [real] * 16}


def test_d_is_right_about_real_and_generated_pictures_alike() -> None:
    frames = [frame(4, 0.9, 0.8), frame(5, 0.1, 0.8), frame(64, 0.1, 0.8), {"step": 128, "fake": [], "real": []}]
    assert scores_of_d(frames, probability=True) == {4: 0.75, 64: 1.0}
    assert scores_of_d([frame(2, -8, -2)], probability=False) == {2: 1.0}  # at the middle of scores without a scale
    assert scores_of_d([frame(2, 0.5, 0.5)], probability=True) == {2: 0.5}  # blind


def bins(*shares: float, total: int = 20) -> list[Bin]:
    return [{"step": 2**i, "right": round(s * total), "total": total, "d": None} for i, s in enumerate(shares)]


def test_people_are_fooled_from_where_they_are_right_as_by_chance_until_the_end() -> None:
    assert fooled_from([]) is None
    assert fooled_from(bins(1, 0.9, 0.7)) is None
    assert fooled_from(bins(1, 0.5, 0.9, 0.55, 0.4)) == 8
    assert fooled_from(bins(1, 0.5, 0.5, total=9)) is None  # too few answers to say so


def test_the_wall_has_the_most_played_run_that_everybody_may_see(access: Access) -> None:
    routes = GameRoutes(access)
    assert told(called(routes.most_played)) == {"run": None}
    hidden, shown = (access.runs.create("dense", "mnist", shown=is_shown)[0] for is_shown in (False, True))
    for run in (hidden, hidden, shown):
        routes.game.count(run.id, [{"step": 3, "right": True}])
    found = told(called(routes.most_played))
    assert (found["run"], found["rounds"], found["bins"][0]["step"]) == (shown.id, 1, 2)
    access.runs.delete(shown)
    assert told(called(routes.most_played)) == {"run": None}
