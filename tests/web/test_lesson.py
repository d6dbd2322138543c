"""A lesson: what its teacher decides, what students raise, and that nobody else decides anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gan.core.errors import Forbidden, UserError
from gan.core.paths import STATIC
from gan.latent.query import BadQuery
from gan.runs.errors import NotFound
from gan.runs.registry import Runs
from gan.web import lesson as lesson_module
from gan.web import page
from gan.web.access import Access
from gan.web.lesson import PARTS, Lesson, LessonError
from gan.web.routes.kept_uploads import KeptUploads
from gan.web.routes.lesson import LessonRoutes
from gan.web.routes.run_control import RunControl
from gan.web.routes.run_files import RunFiles
from gan.web.routes.start import StartRoutes
from tests.web.test_handlers import called, told

PICTURE = "w=mnist-conditional&seed=5&c=3&d=1:2"
ME = "a-page-of-one-student"
NOTHING = {"run": None, "step": None, "picture": None, "game": False, "name": ""}


@pytest.fixture
def lesson() -> Lesson:
    return Lesson(on=True)


@pytest.fixture
def access(tmp_path: Path, lesson: Lesson) -> Iterator[Access]:
    runs = Runs(tmp_path / "runs")
    yield Access(runs, lesson=lesson)
    runs.close()


def test_at_first_everything_is_open_and_nothing_is_shown(lesson: Lesson) -> None:
    assert lesson.told() == {
        "on": True, "train": True, "names": False, "hidden": [], "screen": NOTHING, "here": None, "raised": None
    }  # fmt: skip


def test_the_class_sees_a_run_a_step_of_it_or_a_picture(lesson: Lesson) -> None:
    for wanted, screen in (
        ({"run": "A" * 12}, NOTHING | {"run": "A" * 12}),
        ({"run": "recorded-quick-monsters", "step": 300}, NOTHING | {"run": "recorded-quick-monsters", "step": 300}),
        ({"picture": PICTURE}, NOTHING | {"picture": PICTURE}),
        ({"picture": PICTURE, "game": True}, NOTHING | {"picture": PICTURE}),  # no score without a run
        ({"run": "A" * 12, "game": True}, NOTHING | {"run": "A" * 12, "game": True}),
        ({"picture": "seed=5&w=mnist-conditional&d=1:2&c=3&sl=9"}, NOTHING | {"picture": PICTURE}),  # as we write it
        ({}, NOTHING),
    ):
        lesson.change({"screen": wanted})
        assert lesson.told()["screen"] == screen


def test_each_call_to_a_place_has_a_number_of_its_own(lesson: Lesson) -> None:
    for number in (1, 2):
        lesson.change({"here": {"tab": "latent", "state": {"w": "mnist", "seed": "7"}}})
        assert lesson.told()["here"] == {"number": number, "tab": "latent", "state": {"w": "mnist", "seed": "7"}}
        lesson.change({"here": None})
        assert lesson.told()["here"] is None


def test_what_is_hidden_is_named_once_and_in_one_order(lesson: Lesson) -> None:
    lesson.change({"hidden": ["how", "setup", "how"]})
    assert lesson.told()["hidden"] == ["how", "setup"]
    assert set(lesson.told()["hidden"]) <= set(PARTS)


@pytest.mark.parametrize(
    "wanted",
    [
        {"hidden": ["train"]},
        {"hidden": "setup"},
        {"screen": "A" * 12},
        {"screen": {"run": "../x"}},
        {"screen": {"run": "A" * 12, "step": True}},
        {"screen": {"run": "A" * 12, "step": -1}},
        {"screen": {"run": "A" * 12, "picture": PICTURE}},
        {"screen": {"picture": "seed=5"}},
        {"screen": {"picture": "w=mnist&seed=x"}},
        {"screen": {"picture": "w=mnist&" + "m" * 25_000}},
        {"here": {"tab": "admin", "state": {}}},
        {"here": {"tab": "train", "state": {"run": 5}}},
        {"here": {"tab": "train", "state": {"<b>": "x"}}},
        {"here": {"tab": "train", "state": {"run": "x" * 25_000}}},
        {"here": "train"},
    ],
    ids=str,
)
def test_nonsense_is_refused_and_changes_nothing(lesson: Lesson, wanted: dict[str, Any]) -> None:
    before = lesson.told()
    with pytest.raises((LessonError, BadQuery)) as refused:
        lesson.change({"train": False, **wanted})
    assert refused.value.message.endswith(".") and lesson.told() == before


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["train", "hidden", "screen", "here"]), JSON))
def test_whatever_is_asked_the_lesson_can_be_told(wanted: dict[str, Any]) -> None:
    lesson = Lesson(on=True)
    try:
        lesson.change(wanted)
    except UserError as refused:
        assert refused.message.endswith(".")
    now = json.loads(json.dumps(lesson.told(), allow_nan=False))
    assert set(now["hidden"]) <= set(PARTS) and set(now["screen"]) == set(NOTHING)


def test_a_student_has_one_picture_raised_and_the_class_so_many(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes when there is no room pushes nobody out."""
    monkeypatch.setattr(lesson_module, "MOST_RAISED", 3)
    lesson.raise_picture(ME, PICTURE)
    for i in range(2):
        lesson.raise_picture(f"{ME}-{i}", f"w=mnist&seed={i}")
    with pytest.raises(LessonError, match="no room"):
        lesson.raise_picture(f"{ME}-9", PICTURE)
    lesson.raise_picture(ME, "w=mnist&seed=9")  # instead of the first
    raised = lesson.told(teacher=True)["raised"] or []
    assert [one["picture"] for one in raised] == [f"w=mnist&seed={i}" for i in (0, 1, 9)]
    lesson.put_away(raised[1]["id"])
    lesson.put_away("unknown")
    assert len(lesson.told(teacher=True)["raised"] or []) == 2
    lesson.put_away()
    assert lesson.told(teacher=True)["raised"] == []


@given(st.text(max_size=80) | st.builds("w={}&{}".format, st.text(max_size=20), st.text(max_size=60)))
@example("w=mnist&" + "&".join(f"x{i}=1" for i in range(200)))
@example("w=\ud800&seed=1")
@example("w=../../etc&seed=1")
@example("w=mnist%26x%3D<b>&seed=1")
def test_whatever_is_raised_is_a_picture_or_refused_in_words(text: str) -> None:
    lesson = Lesson(on=True)
    try:
        lesson.raise_picture(ME, text)
    except UserError as refused:
        assert refused.message.endswith(".")
        return
    (one,) = lesson.told(teacher=True)["raised"] or []
    assert one["picture"].isascii() and not set("<>\"' #") & set(one["picture"].partition("&")[0])
    lesson.raise_picture(ME, one["picture"])  # what is written can be read
    assert (lesson.told(teacher=True)["raised"] or [])[0]["picture"] == one["picture"]


@pytest.mark.parametrize("by", [None, "short", "x" * 99, "<script>alert(1)</script>", 5])
def test_who_raises_a_picture_has_a_name_that_a_page_makes(lesson: Lesson, by: object) -> None:
    with pytest.raises(LessonError):
        lesson.raise_picture(by, PICTURE)
    assert lesson.told(teacher=True)["raised"] == []


def test_without_a_lesson_nothing_of_it_works() -> None:
    lesson = Lesson()
    lesson.started("A" * 12, shown=True)
    assert lesson.told()["on"] is False and lesson.told()["screen"] == NOTHING and lesson.lets_train
    with pytest.raises(LessonError, match="--teach"):
        lesson.change({"train": False})
    with pytest.raises(LessonError, match="--teach"):
        lesson.raise_picture(ME, PICTURE)


def test_only_the_teacher_decides_and_sees_what_was_raised(access: Access) -> None:
    routes = LessonRoutes(access)
    raised = json.dumps({"by": ME, "picture": PICTURE}).encode()
    assert called(routes.raise_picture, body=raised).status_code == 201
    assert told(called(routes.told))["raised"] is None
    (one,) = told(called(routes.told, tokens=access.runs.master))["raised"]
    for handler, asked in (
        (routes.change, {"body": b'{"train": false}'}),
        (routes.pause, {}),
        (routes.put_away, {"raised_id": one["id"]}),
    ):
        with pytest.raises(Forbidden):
            called(handler, tokens="wrong", **asked)
    assert told(called(routes.change, body=b'{"train": false}', tokens=access.runs.master))["train"] is False
    assert told(called(routes.put_away, raised_id=one["id"], tokens=access.runs.master))["raised"] == []


def test_while_train_is_closed_only_the_teacher_starts_runs(access: Access) -> None:
    access.lesson.change({"train": False})
    control, master = RunControl(access), access.runs.master
    order = json.dumps({"recipe": "dense", "changes": {"batch": 4, "total_steps": 10**6}}).encode()
    with pytest.raises(Forbidden, match="closed"):
        called(control.create, body=order)
    run, token = access.runs.create("dense", "mnist")
    for handler, asked in (
        (control.command, {"body": b'{"command": "resume"}', "run_id": run.id}),
        (control.command, {"body": b'{"command": "step"}', "run_id": run.id}),
        (control.fork, {"body": b"{}", "run_id": run.id}),
        (RunFiles(access, KeptUploads()).bring_back, {}),
    ):
        with pytest.raises(Forbidden, match="closed"):
            called(handler, tokens=token, **asked)
    started = told(called(control.create, body=order, tokens=master))["id"]
    assert access.lesson.told()["screen"] == NOTHING | {"run": started}  # the class sees what its teacher starts
    boot = told(called(StartRoutes(access).boot))
    assert boot["lesson"] is True and boot["may_train"] is True  # the page hears of the lesson otherwise
    access.lesson.change({"train": True})
    assert access.may_train([])


def test_a_run_of_the_teacher_that_is_not_shown_is_not_told_to_the_class(access: Access) -> None:
    order = json.dumps({"recipe": "dense", "shown": False, "changes": {"batch": 4, "total_steps": 10**6}}).encode()
    called(RunControl(access).create, body=order, tokens=access.runs.master)
    assert access.lesson.told()["screen"] == NOTHING


def test_pause_reaches_what_students_train(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what the class sees, nor what its teacher has started."""
    runs = [access.runs.create("dense", "mnist")[0] for _ in range(4)]
    asked = []
    monkeypatch.setattr(type(runs[0]), "alive", property(lambda _: True))
    for run in runs:
        run.status = "running"
        monkeypatch.setattr(run, "send", lambda command, run=run: asked.append((run.id, command.kind)))
    access.lesson.started(runs[3].id, shown=False)
    access.lesson.change({"screen": {"run": runs[1].id}})
    called(LessonRoutes(access).pause, tokens=access.runs.master)
    assert sorted(asked) == sorted((run.id, "pause") for run in (runs[0], runs[2]))
    monkeypatch.undo()


def test_a_run_that_is_not_there_is_shown_to_nobody(access: Access) -> None:
    routes, (run, _) = LessonRoutes(access), access.runs.create("dense", "mnist")
    with pytest.raises(NotFound):
        called(routes.change, body=b'{"screen": {"run": "AAAAAAAAAAAA"}}', tokens=access.runs.master)
    wanted = json.dumps({"screen": {"run": run.id}}).encode()
    assert told(called(routes.change, body=wanted, tokens=access.runs.master))["screen"]["run"] == run.id
    access.runs.delete(run)
    assert told(called(routes.told))["screen"] == NOTHING


def test_every_tab_is_a_place_and_can_be_left_out() -> None:
    assert tuple(page.TABS) == lesson_module.TABS and set(lesson_module.TABS) - {"train"} <= set(PARTS)
    sheet = (STATIC / "css" / "lesson.css").read_text(encoding="utf-8")
    assert [name for name in PARTS if f'[data-hides~="{name}"]' not in sheet] == []


def test_an_address_becomes_a_code_and_a_token_does_not(access: Access) -> None:
    routes = LessonRoutes(access)
    drawn = called(routes.qr, query={"of": "http://192.0.2.7:7860/"})
    assert drawn.media_type == "image/svg+xml" and bytes(drawn.body).startswith(b"<?xml")
    assert bytes(drawn.body) != bytes(called(routes.qr, query={"of": "http://192.0.2.8:7860/"}).body)
    for wrong in (
        "",
        "javascript:alert(1)",
        "http://x/#owner=T",
        "http://" + "x" * 400,
        "http://x y",
        "http://x/\u00e9",
    ):
        with pytest.raises(LessonError):
            called(routes.qr, query={"of": wrong})


def test_names_are_off_until_the_teacher_allows_them_and_can_be_hidden():
    lesson = Lesson(on=True)
    lesson.raise_picture("a" * 12, PICTURE, "Ada")
    assert lesson.told(teacher=True)["raised"][0]["name"] == ""
    lesson.change({"names": True})
    lesson.raise_picture("a" * 12, PICTURE, "  Ada   L. ")
    (raised,) = lesson.told(teacher=True)["raised"]
    assert raised["name"] == "Ada L."
    lesson.change({"screen": {"picture": raised["picture"], "name": raised["name"]}})
    assert lesson.told()["screen"]["name"] == "Ada L."
    lesson.change({"names": False})
    assert lesson.told()["screen"]["name"] == "" and lesson.told(teacher=True)["raised"][0]["name"] == ""
    lesson.change({"names": True})
    lesson.hide_name(raised["id"])
    assert lesson.told()["screen"]["name"] == "" and lesson.told(teacher=True)["raised"][0]["name"] == ""


@pytest.mark.parametrize("name", ["x" * 17, "a\u202eb", "a\x00b", "\u200b", 5, None, ["a"]], ids=repr)
def test_a_name_is_short_and_stays_in_its_line(name):
    lesson = Lesson(on=True)
    lesson.change({"names": True})
    with pytest.raises(LessonError):
        lesson.raise_picture("a" * 12, PICTURE, name)
    assert lesson.told(teacher=True)["raised"] == []
