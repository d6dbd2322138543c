"""A lesson, played through by a teacher, two students and a projector."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.conftest import until
from tests.e2e.conftest import (
    STRANGER,
    Server,
    choose,
    css,
    fill,
    look,
    open_tab,
    opened,
    part,
    press_train,
    run_on_screen,
    served,
    wait_for_status,
    wait_for_step,
)

pytestmark = pytest.mark.slow

NO_TRAIN = css("train", "train") + "[disabled]"


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("school"), "--teach", "--host", "127.0.0.1", "--max-waiting", "3") as server:
        yield server


@pytest.fixture
def server(school: Server) -> Iterator[Server]:
    yield school
    school.rest()
    everything_open = json.dumps({"train": True, "hidden": [], "screen": {}, "here": None, "names": False}).encode()
    school.ask(urllib.request.Request(f"{school.base}lesson", everything_open, method="PATCH"))


@pytest.fixture
def teacher(server: Server, visit: Any) -> Any:
    return opened(visit(server.url()))


@pytest.fixture
def student(server: Server, visit: Any) -> Any:
    return opened(visit(server.url(host=STRANGER)))


def press(page: Any, what: str) -> None:
    page.locator(f'[data-gf="lesson-{what}"]').click()


def tick(page: Any, words: str) -> None:
    """Whether students have a part of the page."""
    menu = page.locator("details", has=page.locator('[data-gf="lesson-hide"]'))
    if menu.get_attribute("open") is None:
        press(page, "hide")
    menu.get_by_label(words, exact=True).click()


def test_the_class_sees_what_its_teacher_starts_and_goes_where_it_is_called(server, visit, teacher, student):
    projector = visit(server.url("?view=projector", host=STRANGER))
    expect(projector.locator(".gf-projector")).to_have_attribute("data-shows", "nothing")
    projector.wait_for_function("() => document.querySelector('.gf-projector-join img')?.naturalWidth > 0")
    choose(teacher, "dense")
    fill(teacher, batch=8)
    part(teacher, "train", "train").click()
    run = run_on_screen(teacher)
    assert run_on_screen(student) == run  # by itself, because nothing of its own is on the screen
    wait_for_step(student, 5)
    expect(projector.locator(".gf-projector")).to_have_attribute("data-shows", "run")
    expect(projector.locator(".gf-projector h1")).to_have_text("Dense on MNIST")
    until(lambda: look(projector, "print", ".gf-projector canvas"))
    expect(projector.locator(".gf-projector-step")).to_have_text(re.compile(r"step [1-9]"))
    assert projector.locator(".gf-projector :is(button, a, input)").count() == 0
    open_tab(teacher, "how")
    press(teacher, "everybody")
    expect(student.locator('[role="tab"][data-tab-id="how"]')).to_have_attribute("aria-selected", "true")
    expect(student.get_by_text("Your teacher has called everybody here.")).to_be_visible()
    student.locator('[data-gf="lesson-see"]').click()
    assert run_on_screen(student) == run


def test_a_step_is_pinned_for_all(server, visit, teacher, student):
    run = server.finish("dense", total_steps=60)
    teacher.goto(server.url(f"?tab=train&run={run}"))
    wait_for_status(teacher, "finished")
    teacher.wait_for_function("([scrub]) => Number(document.querySelector(scrub).max) > 3", arg=[css("train", "scrub")])
    part(teacher, "train", "scrub").press("Home")
    part(teacher, "train", "scrub").press("ArrowRight")
    expect(part(teacher, "train", "scrub-step")).to_have_text(re.compile(r"\b1\b"))
    press(teacher, "project")
    projector = visit(server.url("?view=projector", host=STRANGER))
    expect(projector.locator(".gf-projector-step")).to_have_text("step 1")
    press(teacher, "everybody")
    assert run_on_screen(student) == run
    expect(part(student, "train", "scrub-step")).to_have_text(re.compile(r"\b1\b"))


def test_the_class_sees_how_it_does_against_d(server, visit, teacher, student):
    played = {"answers": [{"step": 3000, "right": i % 2 == 0} for i in range(20)]}
    send = "([body]) => fetch('gradio_api/gan/runs/recorded/game', {method: 'POST', headers: {'X-Owner': ''}, body})"
    student.evaluate(send, [json.dumps(played)])
    open_tab(teacher, "game")
    expect(part(teacher, "game", "rounds")).to_contain_text("can hardly tell them apart")
    press(teacher, "project")
    projector = visit(server.url("?view=projector", host=STRANGER))
    expect(projector.locator(".gf-projector-scores")).to_contain_text("1 round was played")
    expect(projector.locator(".gf-projector-scores .gf-game-row").nth(1)).to_contain_text(re.compile("50 %"))
    expect(projector.locator(".gf-projector .gf-chart")).to_be_hidden()


def test_train_is_closed_and_opened_for_the_class(server, teacher, student):
    press(teacher, "close")
    student.wait_for_selector(NO_TRAIN)
    expect(part(student, "train", "only-here")).to_have_text("Your teacher has closed Train for a while.")
    expect(part(teacher, "train", "train")).to_be_enabled()
    press(teacher, "close")
    expect(part(student, "train", "train")).to_be_enabled()
    run = press_train(student)
    wait_for_step(student, 1)
    press(teacher, "pause")
    wait_for_status(student, "paused")
    part(student, "train", "pause").click()
    until(lambda: server.status(run) == "running")


def test_a_student_shows_a_picture_to_the_class(server, visit, teacher, student):
    projector = visit(server.url("?view=projector", host=STRANGER))
    open_tab(student, "latent")
    expect(part(student, "latent", "seed")).not_to_have_value("")
    part(student, "latent", "seed").fill("31")
    part(student, "latent", "seed").press("Enter")
    student.wait_for_url(re.compile("seed=31"))
    press(student, "raise")
    expect(teacher.locator('[data-gf="lesson-raised"]')).to_have_text("1 picture raised")
    press(teacher, "raised")
    teacher.wait_for_function("() => document.querySelector('.gf-lesson-raised img')?.naturalWidth > 0")
    teacher.locator(".gf-lesson-raised").get_by_role("button", name="Show to the class").click()
    expect(projector.locator(".gf-projector")).to_have_attribute("data-shows", "picture")
    expect(projector.locator(".gf-projector-pictures img")).to_have_attribute("src", re.compile("seed=31"))
    other = opened(visit(server.url(host=STRANGER)))
    other.locator('[data-gf="lesson-see"]').click()
    other.wait_for_url(re.compile("seed=31"))
    teacher.locator(".gf-lesson-raised").get_by_role("button", name="Put away").click()
    expect(teacher.locator('[data-gf="lesson-raised"]')).to_have_text("0 pictures raised")


def tab_to(page: Any, selector: str, words: str = "") -> None:
    """Go on with the Tab key until an element has the focus, one with these words where it is said."""
    reached = """([selector, words]) => {
      const { activeElement: now } = document;
      return now?.matches(selector) && now.checkVisibility() && (!words || now.textContent === words);
    }"""
    for _ in range(150):
        if page.evaluate(reached, [selector, words]):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key never comes to {selector} {words}")


def enter(page: Any, selector: str, words: str = "") -> None:
    tab_to(page, selector, words)
    page.keyboard.press("Enter")


def to_tab(page: Any, name: str) -> None:
    """A tab by the keyboard: there with Tab, along the others with the arrows, opened with Enter."""
    tab_to(page, '[role="tab"]')
    for _ in range(10):
        if page.evaluate("() => document.activeElement.dataset.tabId") == name:
            break
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(f'[role="tab"][data-tab-id="{name}"]')).to_have_attribute("aria-selected", "true")


def test_a_whole_lesson_by_keyboard(server, visit, teacher, student):
    choose(teacher, "dense")
    enter(teacher, css("train", "train"))
    run = run_on_screen(teacher)
    enter(teacher, '[data-gf="lesson-close"]')
    expect(student.locator(NO_TRAIN)).to_be_attached()
    enter(student, '[data-gf="lesson-see"]')
    assert run_on_screen(student) == run
    to_tab(teacher, "game")
    enter(teacher, '[data-gf="lesson-everybody"]')
    expect(student.locator('[role="tab"][data-tab-id="game"]')).to_have_attribute("aria-selected", "true")
    expect(part(student, "game", "begin")).to_be_enabled()
    enter(student, css("game", "begin"))
    for i in range(1, 3):
        expect(part(student, "game", "number")).to_contain_text(f"Picture {i} of")
        student.keyboard.press("ArrowLeft")
    enter(teacher, '[data-gf="lesson-raised"]')
    tab_to(teacher, ".gf-lesson-raised .gf-check input")
    teacher.keyboard.press("Space")
    to_tab(student, "latent")
    expect(student.locator(".gf-lesson-name")).to_be_visible()  # the class hears a moment later that names are allowed
    tab_to(student, ".gf-lesson-name")
    student.keyboard.type("Ada")
    enter(student, '[data-gf="lesson-raise"]')
    expect(teacher.locator('[data-gf="lesson-raised"]')).to_have_text("1 picture raised")
    expect(teacher.locator(".gf-lesson-raised")).to_contain_text("Ada")
    enter(teacher, ".gf-lesson-raised button", "Show to the class")
    projector = visit(server.url("?view=projector", host=STRANGER))
    expect(projector.locator(".gf-projector h1")).to_have_text("A picture by Ada")
    enter(teacher, ".gf-lesson-raised button", "Hide the name")
    expect(projector.locator(".gf-projector h1")).to_have_text("A picture from the class")


def test_parts_of_the_page_are_hidden_from_the_class_and_not_from_the_teacher(server, visit, teacher, student):
    tick(teacher, "The form of Train")
    tick(teacher, "Compare")
    expect(part(student, "train", "recipes")).to_be_hidden()
    expect(student.locator('[role="tab"][data-tab-id="compare"]')).to_be_hidden()
    expect(part(teacher, "train", "recipes")).to_be_visible()
    tick(teacher, "Compare")
    expect(student.locator('[role="tab"][data-tab-id="compare"]')).to_be_visible()
    by_link = opened(visit(server.url("?hide=how,diagnosis", host=STRANGER)))
    expect(by_link.locator('[role="tab"][data-tab-id="how"]')).to_be_hidden()
    expect(part(by_link, "train", "recipes")).to_be_hidden()  # as the teacher says
    open_tab(by_link, "wall")
    by_link.wait_for_url(re.compile("hide="))
    expect(by_link.locator('[role="tab"][data-tab-id="how"]')).to_be_hidden()


def test_the_projector_shows_a_run_where_there_is_no_lesson(shared_server, visit, plain_run):
    projector = visit(shared_server.url(f"?view=projector&run={plain_run}", host=STRANGER))
    expect(projector.locator(".gf-projector")).to_have_attribute("data-shows", "run")
    until(lambda: look(projector, "print", ".gf-projector canvas"))
