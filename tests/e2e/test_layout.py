"""Every tab at every size from a phone to a large projector, measured: nothing outside the window, nothing cut, nothing
over something else, no large hole, and on Train the generated pictures are the largest thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from gan.web.languages import LANGUAGES
from gan.web.pseudo import PSEUDO
from tests.e2e.conftest import css, open_tab, opened, part, press_train, wait_for_status
from tests.e2e.test_own_pictures import choose_zip, pets
from tests.e2e.test_screens import READY, reachable, wait_for_tab

SIZES = [(390, 844), (820, 1180), (1024, 768), (1280, 800), (1440, 900), (1920, 1080), (2560, 1440)]
TABLETS = [(820, 1180), (1024, 768), (1080, 810), (1112, 834), (1180, 820)]
MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8")
LARGEST_HOLE = 0.25  # of the window
IN_LANGUAGES = [("light", language) for language in (*LANGUAGES, PSEUDO) if language != "en"]


def thorough(*values: str) -> Any:
    return pytest.param(*values, marks=pytest.mark.thorough)


@pytest.fixture
def look_at(visit):
    """look_at(url) -> a page that can be measured; the recording is not played in it."""

    def open_page(url: str) -> Any:
        page = visit("about:blank", reduced_motion="reduce")
        page.add_init_script(MEASURE)
        page.goto(url, wait_until="commit")
        return opened(page)

    return open_page


def resize(page: Any, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})


def faults(page: Any, tab: str) -> list[str]:
    """What is wrong with the tab that is open, at the size that the window has."""
    page.evaluate("gfLayout.settled()")
    found = page.evaluate("gfLayout.faults()")
    empty = page.evaluate("gfLayout.empty()")
    if empty > LARGEST_HOLE:
        found.append(f"a hole of {empty:.0%} of the window")
    largest, _ = page.evaluate("gfLayout.largest()")
    if tab == "train" and largest != "fake":
        found.append(f"the largest thing is {largest}")
    return found


def faults_everywhere(page: Any, tabs: Any = READY, sizes: Any = SIZES) -> list[str]:
    found = []
    for tab in tabs:
        resize(page, (1440, 900))  # where all tabs can be pressed
        open_tab(page, tab)
        wait_for_tab(page, tab)
        for width, height in sizes:
            resize(page, (width, height))
            found += [f"{tab} at {width}x{height}: {fault}" for fault in faults(page, tab)]
    return found


@pytest.mark.parametrize(
    ("theme", "language"),
    [("light", "en"), *(thorough(theme, code) for theme, code in (("dark", "en"), *IN_LANGUAGES))],
)
def test_every_tab_fits_every_screen(server, look_at, theme, language):
    page = look_at(server.url(f"?__theme={theme}&lang={language}"))
    wait_for_status(page, "recording")
    assert faults_everywhere(page) == []


@pytest.mark.thorough
def test_nothing_scrolls_sideways_where_one_reads_from_right_to_left(server, look_at):
    page = look_at(server.url(f"?lang={PSEUDO}"))
    page.evaluate("document.documentElement.dir = 'rtl'")
    wait_for_status(page, "recording")
    wide = [fault for fault in faults_everywhere(page) if "px wide" in fault]
    assert wide == []


@pytest.mark.thorough
def test_a_run_fits_while_its_owner_steers_it(server, look_at):
    page = look_at(server.url("?__theme=dark&dataset=fashion-mnist"))
    press_train(page, "quick-conditional")
    wait_for_status(page, "running")
    part(page, "train", "pause").click()
    wait_for_status(page, "paused")
    assert faults_everywhere(page, ["train"]) == []
    page.evaluate(
        "for (const fold of document.querySelectorAll('#gf-tab-train details:not(.gf-menu)')) fold.open = true"
    )
    assert faults_everywhere(page, ["train"], [SIZES[0], SIZES[2], SIZES[5]]) == []


@pytest.mark.thorough
def test_a_finished_run_fits_in_both_tabs_that_show_it(server, look_at, class_run, plain_run):
    page = look_at(server.url(f"?tab=compare&runs={class_run},{plain_run}"))
    expect(page.locator("#gf-tab-compare .gf-compare-run canvas")).to_have_count(2)
    assert faults_everywhere(page, ["compare"]) == []
    page.goto(server.url(f"?tab=train&run={class_run}"), wait_until="commit")
    wait_for_status(opened(page), "finished")
    assert faults_everywhere(page, ["train"]) == []


@pytest.mark.parametrize("size", TABLETS)
def test_the_picture_stays_in_sight_on_a_tablet(server, look_at, class_run, size):
    page = look_at(server.url(f"?tab=latent&w=run-{class_run}"))
    resize(page, size)
    wait_for_tab(page, "latent")
    slider = page.locator("#gf-tab-latent .gf-direction input[type=range]:visible").last
    slider.evaluate("element => element.scrollIntoView({block: 'center'})")
    reachable(page, slider)
    expect(page.locator(css("latent", "picture"))).to_be_in_viewport(ratio=1)


@pytest.mark.thorough
def test_own_pictures_fit_while_they_are_set_up(server, look_at):
    """The form, the card, and the card with all that it folds."""
    page = look_at(server.url())
    part(page, "train", "dataset").select_option("own")
    assert faults_everywhere(page, ["train"]) == []
    choose_zip(page, pets(cat=8, dog=9), "a-long-name-of-a-zip-with-pets.zip")
    assert faults_everywhere(page, ["train"]) == []
    part(page, "train", "own-classes").evaluate("fold => { fold.open = true }")
    part(page, "train", "own-delete").click()
    assert faults_everywhere(page, ["train"]) == []
