"""Two people and one machine: what the second one reads, and how she gets her turn."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import (
    STRANGER,
    choose,
    opened,
    part,
    press_train,
    run_on_screen,
    wait_for_status,
)

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes

CONFLICT = "409"  # the browser's console tells of every refusal
TITLE = re.compile("^(?!●)")
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


@pytest.fixture
def people(visit, server):
    """The page of somebody who trains, with the title that nobody else may read, and that of a second person."""
    visit.expect(CONFLICT)
    first = visit(server.url(host=STRANGER))
    run = press_train(first)
    wait_for_status(first, "running")
    server.patch(run, title="Ann's cats")
    return first, run, lambda **options: opened(visit(server.url(host=STRANGER), **options))


def box(page: Any) -> Any:
    return part(page, "train", "busy")


def press(page: Any, name: str) -> None:
    box(page).get_by_role("button", name=name).click()


def refused(page: Any) -> None:
    choose(page, "dense")
    part(page, "train", "train").click()
    expect(box(page)).to_contain_text(re.compile(r"Somebody has been training here for \d+ (s|min)"))
    assert "cats" not in page.locator("body").inner_text()


def test_she_watches_where_the_owner_shows_it(people, server):
    _, run, come = people
    page = come()
    refused(page)
    press(page, "Watch it")
    assert run_on_screen(page) == run
    wait_for_status(page, "running")
    expect(part(page, "train", "controls")).to_be_hidden()
    server.patch(run, shown=False)
    other = come()
    refused(other)
    expect(box(other).get_by_role("button", name="Tell me when it is free")).to_be_visible()
    assert box(other).get_by_role("button", name="Watch it").count() == 0
    assert run not in other.content()


def test_the_tick_beside_train_decides_who_may_watch(visit, server):
    page = opened(visit(server.url()))
    expect(part(page, "train", "shown")).to_be_checked()
    part(page, "train", "shown").uncheck()
    run = press_train(page)
    wait_for_status(page, "running")
    assert server.get(f"runs/{run}")["shown"] is False
    more = page.locator(f".gf-run-list li[data-run='{run}']")
    more.get_by_role("button", name=re.compile("^Rename, keep")).click()
    more.get_by_role("button", name="Let others watch").click()
    page.wait_for_function("async (run) => (await (await fetch(`gradio_api/gan/runs/${run}`)).json()).shown", arg=run)
    more.locator(".gf-run-more").focus()
    server.command(run, "pause")
    expect(more.locator(".gf-run")).to_contain_text("paused")
    expect(more.locator(".gf-run-more")).to_be_focused()  # though its row is told anew
    part(page, "train", "shown").check()
    part(page, "train", "dataset").select_option("own")
    expect(part(page, "train", "shown")).not_to_be_checked()  # own pictures only where somebody says so


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_she_is_told_when_it_is_free_and_trains(people, server, options):
    _, run, come = people
    page = come(**options)
    choose(page, "dense")
    (part(page, "train", "bar").get_by_role("button") if options else part(page, "train", "train")).click()
    press(page, "Tell me when it is free")
    expect(box(page)).to_contain_text("You are told here when it is free.")
    expect(box(page)).to_be_in_viewport()
    expect(page).to_have_title(TITLE)
    server.command(run, "pause")
    expect(box(page)).to_contain_text("It is free now.")
    expect(page).to_have_title(re.compile("^● Free now"))
    press(page, "Train")
    expect(box(page)).to_be_hidden()
    expect(page).to_have_title(TITLE)
    wait_for_status(page, "running")
    assert run_on_screen(page) != run


def test_stop_waiting_asks_nothing_more(people, server):
    _, run, come = people
    page = come()
    refused(page)
    press(page, "Tell me when it is free")
    press(page, "Stop waiting")
    expect(box(page)).to_be_hidden()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    server.command(run, "pause")
    page.clock.install()
    page.clock.run_for(60_000)
    assert not [url for url in asked if url.endswith("/busy")]
    expect(page).to_have_title(TITLE)


def test_news_come_to_other_tabs_of_the_program(people, server):
    _, run, come = people
    page = come()
    refused(page)
    press(page, "Tell me when it is free")
    page.locator('[role="tab"][data-tab-id="how"]').click()
    server.command(run, "pause")
    expect(page.locator(".gf-toast-text")).to_have_text("It is free now.")
    page.locator(".gf-toast").get_by_role("button", name="Go there").click()
    expect(box(page).get_by_role("button", name="Train", exact=True)).to_be_visible()


def test_the_owner_who_comes_back_reads_the_same(people, server):
    first, run, come = people
    server.command(run, "pause")
    wait_for_status(first, "paused")
    page = come()
    second = press_train(page)
    wait_for_status(page, "running")
    part(first, "train", "pause").click()  # Resume
    expect(box(first)).to_contain_text("Somebody has been training")
    press(first, "Tell me when it is free")
    server.command(second, "stop")
    press(first, "Resume")
    wait_for_status(first, "running")
    assert run_on_screen(first) == run


def test_ones_own_run_is_named_and_can_make_room(people):
    first, run, _ = people
    part(first, "train", "train").click()
    expect(box(first)).to_contain_text("Your own run “Ann's cats” is training; pause or stop it first.")
    press(first, "Open it")
    assert run_on_screen(first) == run
    part(first, "train", "train").click()
    press(first, "Pause it and go on")
    first.wait_for_url(re.compile(rf"[?&]run=(?!{re.escape(run)})"))
    wait_for_status(first, "running")


def test_the_sentence_stands_where_it_is_read(people):
    _, _, come = people
    for width in (390, 820, 1440):
        page = come(viewport={"width": width, "height": 844})
        choose(page, "dense")
        button = part(page, "train", "train") if width > 860 else part(page, "train", "bar").get_by_role("button")
        button.click()
        expect(box(page)).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
