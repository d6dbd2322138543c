"""What fits on a phone, and what can be read in the dark."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.conftest import (
    TINY,
    choose,
    css,
    fill,
    look,
    open_tab,
    opened,
    part,
    run_on_screen,
    set_slider,
    wait_for_rest,
    wait_for_status,
)

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
PICTURE = css("latent", "picture")
READY = {
    "train": css("train", "bar") + " button",
    "compare": css("compare", "begin") + ":not([hidden])",
    "latent": PICTURE + "[data-shows]",
    "interpolation": "#gf-tab-interpolation [data-shows]",
    "how": '#gf-tab-how [data-gf="noise"][href]',
}

# Every text that is shown, with its contrast against what lies behind it.
_CONTRASTS = """() => {
  const parse = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return colour.startsWith('color(srgb') ? [255 * r, 255 * g, 255 * b, a] : [r, g, b, a];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const behind = (element) => {
    if (!element) return [255, 255, 255];
    const colour = parse(getComputedStyle(element).backgroundColor);
    return colour[3] === 1 ? colour.slice(0, 3) : over(colour, behind(element.parentElement));
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (element.closest('svg, option, script, style, :disabled')) continue;
    const back = behind(element);
    const [a, b] = [light(over(parse(getComputedStyle(element).color), back)), light(back)].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), text.slice(0, 60)]);
  }
  return found;
}"""


def wait_for_tab(page: Any, tab: str) -> None:
    page.wait_for_selector(READY[tab], state="attached")


def test_nothing_scrolls_sideways_on_a_phone(server, visit, class_run):
    page = opened(visit(server.url(f"?tab=train&run={class_run}"), **PHONE))
    size = "[document.documentElement.scrollWidth, Math.round(visualViewport.width * visualViewport.scale)]"
    for tab in READY:
        open_tab(page, tab)
        wait_for_tab(page, tab)
        assert page.evaluate(size) == [390, 390], f"in the tab {tab}"


def test_train_and_pause_stay_within_reach(server, visit):
    page = opened(visit(server.url(), **PHONE))
    choose(page, "dense")
    fill(page, **TINY)
    button = part(page, "train", "bar").get_by_role("button")
    for place in ("document.body.scrollHeight", "0", "300"):
        page.evaluate(f"scrollTo(0, {place})")
        reachable(page, button.first)
    expect(button.first).to_have_text("Train")
    button.first.tap()
    run_on_screen(page)
    wait_for_status(page, "running")
    expect(button.first).to_have_text("Pause")
    for place in ("document.body.scrollHeight", "0"):
        page.evaluate(f"scrollTo(0, {place})")
        reachable(page, button.first)
    button.first.tap()
    wait_for_status(page, "paused")
    expect(button.first).to_have_text("Resume")


def reachable(page: Any, locator: Any) -> None:
    """Wholly on the screen, and nothing lies over it."""
    expect(locator).to_be_in_viewport(ratio=1)
    assert locator.evaluate("""element => {
        const { x, y, width, height } = element.getBoundingClientRect();
        const top = document.elementFromPoint(x + width / 2, y + height / 2);
        return element.contains(top) || top.contains(element);
    }"""), "something lies over it"


def test_picture_and_slider_are_on_the_screen_together(server, visit, class_run):
    page = opened(visit(server.url(f"?tab=latent&w=run-{class_run}"), **PHONE))
    page.wait_for_selector(READY["latent"])
    rows = page.locator("#gf-tab-latent .gf-direction[data-key]")
    for number in range(rows.count()):
        key, slider = rows.nth(number).get_attribute("data-key"), rows.nth(number).locator("input[type=range]")
        expect(slider).to_be_enabled()
        slider.evaluate("element => element.scrollIntoView({block: 'center'})")
        before = look(page, "print", PICTURE)
        set_slider(slider, 2.5)
        page.wait_for_selector(f'{PICTURE}[data-shows*="{key}:2.5"]')
        reachable(page, slider)
        expect(part(page, "latent", "picture")).to_be_in_viewport(ratio=1)
        assert look(page, "print", PICTURE) != before


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_texts_can_be_read(server, visit, class_run, theme):
    page = opened(visit(server.url(f"?__theme={theme}&tab=train&run={class_run}")))
    wait_for_status(page, "finished")
    corners = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("L"))[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners < 40).all() if theme == "dark" else (corners > 230).all()
    for tab in READY:
        open_tab(page, tab)
        wait_for_tab(page, tab)
        wait_for_rest(page)  # a colour that fades in
        contrasts = page.evaluate(_CONTRASTS)
        assert len(contrasts) > 10
        assert [entry for entry in contrasts if entry[0] < 4.5] == [], f"in the tab {tab}"
