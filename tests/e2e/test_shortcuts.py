"""Keyboard shortcuts, what stays when the seed changes, and the picture in words."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import opened, part, press_train, set_slider, wait_for_status
from tests.e2e.test_latent import PICTURE, by_key, latent, slider, wait_for_shown


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
    page.keyboard.press("r")
    expect(part(page, "latent", "seed")).not_to_have_value("7")


def test_nothing_is_pressed_while_somebody_types(server, visit, class_run):
    page = latent(visit, server, f"w=run-{class_run}&seed=7&c=3")
    seed = part(page, "latent", "seed")
    seed.fill("")
    seed.press_sequentially("42?rz")
    expect(seed).to_have_value("42?rz")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(part(page, "latent", "classes").get_by_role("radio").nth(3)).to_have_attribute("aria-checked", "true")


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


@pytest.mark.parametrize("way", ["surprise", "seed"])
def test_what_is_pushed_held_and_locked_survives_a_new_seed(server, visit, way):
    page = latent(visit, server, "w=mnist-conditional&seed=5&c=4&z=3:1.5&psi=0.8")
    set_slider(by_key(page, "thickness").locator("input"), 2)
    set_slider(slider(page, "0"), -1)
    by_key(page, "slant").locator(".gf-lock").click()
    before = wait_for_shown(page, "lock=slant")
    if way == "surprise":
        part(page, "latent", "surprise").click()
    else:
        part(page, "latent", "seed").fill("77")
    page.wait_for_function(
        "([picture, was]) => document.querySelector(picture).dataset.shows !== was", arg=[PICTURE, before]
    )
    now = page.locator(PICTURE).get_attribute("data-shows")
    without_seed = [re.sub("&seed=[0-9]+", "", text) for text in (before, now)]
    assert without_seed[0] == without_seed[1] and "u=thickness:2:" in now and "z=3:1.5" in now
    expect(by_key(page, "thickness").locator("input")).to_have_value("2")
    expect(by_key(page, "slant").locator(".gf-lock")).to_have_attribute("aria-pressed", "true")


def test_the_picture_is_told_in_words(server, visit):
    page = latent(visit, server, "w=mnist-conditional&seed=5&c=4&mix=9:0.5&psi=0.6&z=3:1.5&m=2:0.7")
    set_slider(by_key(page, "thickness").locator("input"), 2)
    by_key(page, "slant").locator(".gf-lock").click()
    expect(page.locator(PICTURE)).to_have_attribute(
        "aria-label",
        "The generator's picture of 4 for seed 5. Mixed with 9, 50 %. Pushed: Thicker +2.00. Locked: Leaning right. "
        "Latent numbers held: 1. Truncation 0.60. Steps walked from there: 1.",
    )
    found = latent(visit, server, f"w=mnist-conditional&c=4&from={'PAAA' * 43}")
    expect(found.locator(PICTURE)).to_have_attribute(
        "aria-label", "The generator's picture of 4 that was found for another one."
    )
