"""The game: a round, played with the keys, against the clock, and counted for all."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import STRANGER, open_tab, opened, part, wait_for_step

pytestmark = pytest.mark.slow

ROUND = 20


def ready(page: Any) -> Any:
    expect(part(page, "game", "begin")).to_be_enabled()
    return page


def answer(page: Any, i: int, key: str) -> None:
    """Answer question number i as soon as it is asked."""
    expect(part(page, "game", "number")).to_have_text(f"Picture {i} of {ROUND}")
    page.keyboard.press(key)


def play(page: Any, key: str = "ArrowLeft") -> None:
    if part(page, "game", "before").is_visible():
        part(page, "game", "no-clock").check()
    part(page, "game", "begin").or_(part(page, "game", "again")).locator("visible=true").click()
    for i in range(1, ROUND + 1):
        answer(page, i, key)
    expect(part(page, "game", "after")).to_be_visible()


@pytest.mark.thorough
def test_who_says_real_to_everything_is_right_half_of_the_time(server, visit):
    """As many pictures are real as are generated, at each step."""
    page = ready(visit(server.url("?tab=game", host=STRANGER)))
    play(page)
    expect(part(page, "game", "result")).to_have_text(re.compile(r"^You: 10 of 20\. D: \d+ of 20\.$"))
    shown = part(page, "game", "shown")
    expect(shown.locator("li")).to_have_count(ROUND)
    expect(shown.get_by_text("✓ You")).to_have_count(10)
    expect(shown.get_by_text(re.compile("^Generated, step"))).to_have_count(10)
    expect(shown.get_by_text("✗ You")).to_have_count(10)
    rows = part(page, "game", "scores").locator(".gf-game-row")
    expect(rows).to_have_count(1 + 10)  # the first says who is who
    expect(rows.nth(1)).to_contain_text(re.compile(r"from step 0\s*50 %"))
    expect(part(page, "game", "rounds")).to_contain_text("1 round was played")
    open_tab(page, "wall")
    expect(part(page, "wall", "game-title")).to_have_text("People against D: Quick on MNIST")
    part(page, "wall", "go-game").click()
    play(page, "ArrowRight")
    expect(part(page, "game", "rounds")).to_contain_text("2 rounds were played")
    owner = ready(visit(server.url("?tab=game")))
    part(owner, "game", "forget").click()
    expect(part(owner, "game", "scores-box")).to_be_hidden()


def test_what_is_not_answered_in_time_is_wrong_and_the_round_goes_on(server, visit):
    page = ready(visit(server.url("?tab=game", host=STRANGER)))
    part(page, "game", "begin").click()
    expect(part(page, "game", "feedback")).to_have_text(re.compile("^Too slow"))
    answer(page, 2, "ArrowLeft")
    expect(part(page, "game", "number")).to_have_text(f"Picture 3 of {ROUND}")


def test_a_finger_plays_with_pictures_in_colour_of_another_run(server, visit):
    page = ready(visit(server.url("?tab=game", host=STRANGER), viewport={"width": 390, "height": 844}))
    part(page, "game", "no-clock").check()
    part(page, "game", "run").select_option("recorded-quick-monsters")
    page.wait_for_url(re.compile("run=recorded-quick-monsters"))
    ready(page)
    part(page, "game", "begin").click()
    expect(part(page, "game", "number")).to_have_text(f"Picture 1 of {ROUND}")
    part(page, "game", "real").click()
    expect(part(page, "game", "feedback")).to_have_text(
        re.compile(r"^(Right|Wrong)\. .* D (knew it|was fooled|took it for generated): ")
    )
    open_tab(page, "how")
    open_tab(page, "game")
    expect(part(page, "game", "number")).to_have_text(f"Picture 2 of {ROUND}")
    assert page.evaluate("() => document.querySelector('#gf-tab-game [data-gf=picture]').width") > 100
    painted = "gfTest.image('#gf-tab-game [data-gf=picture]').some((value, i) => i % 4 === 3 && value > 0)"
    page.wait_for_function(f"() => {painted}")


def test_the_run_of_the_train_tab_can_be_played_with(server, visit, plain_run):
    page = opened(visit(server.url(f"?tab=train&run={plain_run}", host=STRANGER)))
    expect(part(page, "train", "title")).not_to_have_text("")
    open_tab(page, "game")
    ready(page)
    part(page, "game", "run").select_option("mine")
    page.wait_for_url(re.compile(plain_run))


def draw(page: Any, *strokes: list[tuple[float, float]]) -> None:
    """Lines through points given in shares of the sheet."""
    box = part(page, "game", "draw-pen").bounding_box()
    for stroke in strokes:
        at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*at[0])
        page.mouse.down()
        for x, y in at[1:]:
            page.mouse.move(x, y, steps=4)
        page.mouse.up()


SEVEN = [(0.3, 0.2), (0.72, 0.2), (0.45, 0.85)]
CROSS = ([(0.2, 0.2), (0.8, 0.8)], [(0.8, 0.2), (0.2, 0.8)])


def test_d_judges_a_drawing_with_every_stroke(server, visit):
    page = ready(visit(server.url("?tab=game&mode=draw", host=STRANGER)))
    words, share = part(page, "game", "draw-words"), part(page, "game", "draw-share")
    expect(words).to_have_text("Nothing is drawn yet.")
    draw(page, SEVEN)
    expect(words).to_have_text("D takes it for real.")
    expect(share).to_have_text(re.compile(r"^(9\d|[5-8]\d) %$"))
    expect(part(page, "game", "draw-meter")).to_be_visible()  # and not of no height
    expect(part(page, "game", "draw-best")).to_contain_text("Best on this sheet")
    part(page, "game", "draw-clear").click()
    expect(words).to_have_text("Nothing is drawn yet.")
    draw(page, *CROSS)
    expect(words).to_have_text("D does not take it for real.")
    part(page, "game", "modes").get_by_role("radio", name="Real or generated?").click()
    expect(part(page, "game", "begin")).to_be_enabled()
    part(page, "game", "modes").get_by_role("radio", name="Fool it: draw").click()
    page.wait_for_url(re.compile("mode=draw"))
    page.reload()
    expect(part(page, "game", "draw-pen")).to_be_visible()


def test_keys_draw_too_and_the_discriminator_of_ones_own_run_is_asked(server, visit):
    run = server.finish("quick", batch=8, total_steps=2, clusters=0)
    page = opened(visit(server.url(f"?tab=train&run={run}", host=STRANGER)))
    wait_for_step(page, 2)
    open_tab(page, "game")
    ready(page)
    part(page, "game", "modes").get_by_role("radio", name="Fool it: draw").click()
    part(page, "game", "draw-discriminator").select_option(label="of the run in Train, as it was saved last")
    part(page, "game", "draw-pen").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    expect(part(page, "game", "draw-share")).to_have_text(re.compile(r"^\d+ %$"))
    expect(part(page, "game", "draw-best")).to_contain_text("D learned for 2 steps")
