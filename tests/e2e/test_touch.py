"""A finger on sliders, as a touch screen reports it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import css, opened, part, wait_for_status
from tests.e2e.test_latent import PICTURE

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


class Finger:
    """Touch events as the browser gets them from a screen."""

    def __init__(self, page: Any) -> None:
        self.page, self.line = page, page.context.new_cdp_session(page)

    def send(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        self.line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def swipe(self, at: tuple[float, float], dx: float, dy: float, steps: int = 12) -> None:
        x, y = at
        self.send("touchStart", at)
        for i in range(1, steps + 1):
            self.send("touchMove", (x + dx * i / steps, y + dy * i / steps))
        self.send("touchEnd")


def on(slider: Any, share: float) -> tuple[float, float]:
    """A point on a slider, by its share of the way along it."""
    slider.evaluate("slider => slider.scrollIntoView({block: 'center'})")
    box = slider.bounding_box()
    return box["x"] + share * box["width"], box["y"] + box["height"] / 2


@pytest.fixture
def sliders(server: Any, visit: Any) -> Iterator[tuple[Any, Any, Finger]]:
    page = visit(server.url("?tab=latent&w=mnist-conditional&d=0:1.85"), **PHONE)
    page.wait_for_selector(PICTURE + "[data-shows]")
    slider = page.locator('#gf-tab-latent [data-gf="direction"][data-key="0"] input[type="range"]')
    expect(slider).to_have_value("1.85")
    page.evaluate("window.told = []; document.addEventListener('input', e => told.push(e.target.value))")
    yield page, slider, Finger(page)


def test_scrolling_over_a_slider_leaves_it_alone(sliders):
    page, slider, finger = sliders
    for share, dy in ((0.1, -300), (0.9, 300)):
        at = on(slider, share)
        before = page.evaluate("scrollY")
        finger.swipe(at, 3, dy)
        page.wait_for_function("before => Math.abs(scrollY - before) > 100", arg=before)
        expect(slider).to_have_value("1.85")
    assert page.evaluate("told") == []
    expect(page.locator(PICTURE)).to_have_attribute("data-shows", re.compile("d=0:1.85"))


def test_a_finger_along_a_slider_moves_it_and_a_tap_sets_it(sliders):
    page, slider, finger = sliders
    at = on(slider, 0.8)
    before = page.evaluate("scrollY")
    finger.swipe(at, -150, 4)
    page.wait_for_function("told.length && told.at(-1) < 0.5")
    assert float(slider.input_value()) < 0.5 and page.evaluate("scrollY") == before
    page.touchscreen.tap(*on(slider, 0.1))
    page.wait_for_function("told.at(-1) < -2")
    assert float(slider.input_value()) < -2
    page.wait_for_function(f"document.querySelector('{PICTURE}').dataset.shows.includes('d=0:-2')")


def test_scrolling_over_the_history_of_a_run_leaves_its_moment(server, visit, plain_run):
    page = opened(visit(server.url(f"?run={plain_run}"), **PHONE))
    wait_for_status(page, "finished")
    scrub = part(page, "train", "scrub")
    page.wait_for_function(f"Number(document.querySelector('{css('train', 'scrub')}').max) > 2")
    value = scrub.input_value()
    at, before = on(scrub, 0.3), page.evaluate("scrollY")
    Finger(page).swipe(at, 0, -250)
    page.wait_for_function("before => Math.abs(scrollY - before) > 60", arg=before)
    expect(scrub).to_have_value(value)


def test_space_scrolls_a_fresh_page_and_starts_nothing(server, visit):
    runs = server.run_ids()
    page = opened(visit(server.url(), viewport={"width": 1200, "height": 500}))
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(" ")
    page.wait_for_function("scrollY > 0 || document.querySelector('.gf-setup-scroll').scrollTop > 0")
    assert server.run_ids() == runs
    expect(part(page, "train", "train")).to_be_enabled()


def test_space_does_not_wake_a_run_that_has_ended(server, visit):
    run = server.finish("dense")
    page = opened(visit(server.url(f"?run={run}"), viewport={"width": 1200, "height": 500}))
    wait_for_status(page, "finished")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(" ")
    page.wait_for_function("scrollY > 0")
    assert server.status(run) == "finished"
