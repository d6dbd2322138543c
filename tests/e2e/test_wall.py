"""The wall as two strangers and the owner of the program see it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.conftest import until
from tests.e2e.conftest import (
    STRANGER,
    choose,
    fill,
    open_tab,
    opened,
    part,
    press_train,
    run_on_screen,
    wait_for_status,
    wait_for_step,
)

pytestmark = pytest.mark.slow


def tile(page: Any, run: str) -> Any:
    return page.locator(f'.gf-wall [data-run="{run}"]')


def wait_for_picture(page: Any, run: str) -> str:
    """The address of the tile's picture, once it is there."""
    image = f'.gf-wall [data-run="{run}"] img'
    page.wait_for_function("(image) => document.querySelector(image)?.naturalWidth > 0", arg=image)
    return page.locator(image).get_attribute("src")


def test_a_run_that_is_shown_hangs_there_live_and_leads_to_it(server, visit):
    ann, bob = (visit(server.url(host=STRANGER)) for _ in range(2))
    run = press_train(ann)
    wait_for_step(ann, 1)
    open_tab(opened(bob), "wall")
    first = wait_for_picture(bob, run)
    expect(tile(bob, run).locator("h3")).to_have_text("Dense on MNIST")
    expect(tile(bob, run).locator('.gf-tag[data-kind="running"]')).to_be_visible()
    ann.close()  # nobody but who looks at the wall makes new pictures
    expect(tile(bob, run).locator("img")).not_to_have_attribute("src", first)
    tile(bob, run).get_by_role("button", name="Watch").click()
    assert run_on_screen(bob) == run
    wait_for_step(bob, 2)
    expect(part(bob, "train", "pause")).to_be_hidden()  # it is another's
    open_tab(bob, "wall")
    tile(bob, run).get_by_role("button", name="Sliders").click()
    expect(part(bob, "latent", "weights")).to_have_value(f"run-{run}")


def test_a_fork_of_what_hangs_there_is_ones_own(server, visit):
    run = server.train("dense", total_steps=10**6)
    until(lambda: server.moment(run)["step"] >= 60)
    server.command(run, "stop")
    until(lambda: server.status(run) == "stopped")
    page = visit(server.url("?tab=wall", host=STRANGER))
    wait_for_picture(page, run)
    expect(tile(page, run).locator('.gf-tag[data-kind="stopped"]')).to_be_visible()
    tile(page, run).get_by_role("button", name="Fork").click()
    page.wait_for_function("(run) => !location.search.includes(run) && location.search.includes('run=')", arg=run)
    wait_for_step(page, 60)


def test_what_is_not_shown_does_not_hang_there_and_can_be_taken_down(server, visit):
    page = visit(server.url(host=STRANGER))
    choose(opened(page), "dense")
    fill(page, batch=8)
    part(page, "train", "shown").uncheck()
    part(page, "train", "train").click()
    secret = run_on_screen(page)
    wait_for_step(page, 1)
    part(page, "train", "stop").click()
    wait_for_status(page, "stopped")
    part(page, "train", "shown").check()
    part(page, "train", "train").click()
    page.wait_for_function("(run) => !location.search.includes(run)", arg=secret)
    run = run_on_screen(page)
    wait_for_step(page, 1)
    open_tab(page, "wall")
    wait_for_picture(page, run)
    expect(tile(page, secret)).to_have_count(0)
    expect(tile(page, run).get_by_text("yours")).to_be_visible()
    tile(page, run).get_by_role("button", name="Take it down").click()
    expect(tile(page, run)).to_have_count(0)


def test_the_owner_of_the_program_takes_down_what_he_likes(server, visit):
    run = server.finish("dense")
    stranger, owner = visit(server.url("?tab=wall", host=STRANGER)), visit(server.url("?tab=wall"))
    for page in (stranger, owner):
        wait_for_picture(page, run)
    expect(tile(stranger, run).get_by_role("button", name="Take it down")).to_be_hidden()
    tile(owner, run).get_by_role("button", name="Take it down").click()
    expect(tile(stranger, run)).to_have_count(0)
    expect(tile(owner, run)).to_be_visible()
    tile(owner, run).get_by_role("button", name="Put it back").click()
    wait_for_picture(stranger, run)


def test_recordings_hang_there_with_what_is_to_be_said_of_them(server, visit):
    page = visit(server.url("?tab=wall", host=STRANGER))
    for run, verdict in (("recorded-quick-monsters", "Healthy"), ("recorded-gallery-mode-collapse", "Mode collapse")):
        wait_for_picture(page, run)
        expect(tile(page, run).locator("p")).to_contain_text(verdict)
    tile(page, "recorded-gallery-mode-collapse").get_by_role("button").click()
    expect(part(page, "train", "title")).to_contain_text("Mode collapse")
    wait_for_status(page, "recording")
