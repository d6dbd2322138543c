"""Keyboard shortcuts, what stays when the seed changes, and the picture in words."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from gan.latent.query import in_base64
from tests.e2e.conftest import opened, part, press_train, set_slider, wait_for_status
from tests.e2e.test_latent import PICTURE, by_key, latent, slider, wait_for_shown

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes


def test_question_mark_lists_the_shortcuts(server, visit, plain_run):
    page = latent(visit, server, f"w=run-{plain_run}")
    dialog = page.locator("dialog.gf-shortcuts")
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Latent sliders")
    page.keyboard.press("r")  # nothing is pressed behind it
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert part(page, "latent", "seed").input_value() == "0"
    page.get_by_role("button", name="Keyboard shortcuts").click()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)


def test_keys_choose_seed_and_class_and_undo(server, visit, class_run):
    page = latent(visit, server, f"w=run-{class_run}&seed=7&c=3")
    page.keyboard.press("8")
    wait_for_shown(page, "seed=7&c=8")
    page.wait_for_url(re.compile("c=8"))
    page.keyboard.press("z")
    wait_for_shown(page, "seed=7&c=3")
    page.keyboard.press("Shift+Z")
    wait_for_shown(page, "seed=7&c=8")
    page.keyboard.press("Control+r")  # the browser's own
    expect(part(page, "latent", "seed")).to_have_value("7")
    page.wait_for_selector(PICTURE + "[data-shows]")
    seed = part(page, "latent", "seed")
    page.keyboard.press("r")
    expect(seed).not_to_have_value("7")
    seed.fill("")
    seed.press_sequentially("42?3z")  # typed, not pressed
    expect(seed).to_have_value("42?3z")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(part(page, "latent", "classes").get_by_role("radio").nth(8)).to_have_attribute("aria-checked", "true")


def test_space_plays_and_trains(server, visit, plain_run):
    page = visit(server.url(f"?tab=interpolation&w=run-{plain_run}&a=1&b=2"))
    play = part(page, "interpolation", "play")
    expect(play).to_have_attribute("aria-label", "Pause")
    page.keyboard.press(" ")
    expect(play).to_have_attribute("aria-label", "Play")

    page = visit(server.url())
    press_train(opened(page))
    wait_for_status(page, "running")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(" ")
    wait_for_status(page, "paused")
    page.keyboard.press(" ")
    wait_for_status(page, "running")


def test_what_is_pushed_held_and_locked_survives_a_new_seed_and_is_told_in_words(server, visit):
    vector = in_base64(np.ones(64, np.float16).tobytes())
    page = latent(visit, server, f"w=mnist-conditional&c=4&from={vector}&z=3:1.5&psi=0.8&mix=9:0.5")
    set_slider(by_key(page, "thickness").locator("input"), 2)
    set_slider(slider(page, 1), -1)
    by_key(page, "slant").locator(".gf-lock").click()
    found = wait_for_shown(page, "lock=slant")
    moved = "Mixed with 9, 50 %. Pushed: Direction 1 −1.00, Thicker +2.00. Locked: Leaning right. "
    moved += "Latent numbers held: 1. Truncation 0.80."
    picture = page.locator(PICTURE)
    expect(picture).to_have_attribute(
        "aria-label", f"The generator's picture of 4. This picture was found, not drawn from a seed. {moved}"
    )
    part(page, "latent", "surprise").click()
    shows = [other_than(page, found)]
    part(page, "latent", "seed").fill("77")
    shows.append(other_than(page, shows[-1]))
    assert len({re.sub("&seed=[0-9]+", "", text) for text in shows}) == 1
    assert "seed=77" in shows[-1] and found.replace(f"&from={vector}", "").replace("seed=0", "seed=77") == shows[-1]
    expect(by_key(page, "thickness").locator("input")).to_have_value("2")
    expect(by_key(page, "slant").locator(".gf-lock")).to_have_attribute("aria-pressed", "true")
    part(page, "latent", "near").first.click()
    expect(picture).to_have_attribute(
        "aria-label", f"The generator's picture of 4 for seed 77. {moved} Steps walked from there: 1."
    )


def other_than(page, shown: str) -> str:
    """Wait until the picture is that of another state; returns the query of that one."""
    found = page.wait_for_function(
        "([canvas, was]) => [document.querySelector(canvas).dataset.shows].find(shows => shows !== was)",
        arg=[PICTURE, shown],
    )
    return found.json_value()
