"""What the browser keeps, and what is said where it keeps nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import css, opened, part, press_train, wait_for_status

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes

CLOSED = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('closed', 'SecurityError') }})"
FULL = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') }"
WARNING = "This window keeps nothing: after a reload you could not steer your run."


def test_a_window_that_keeps_nothing_says_so_before_train(server, visit):
    page = opened(visit(server.url()))
    expect(part(page, "train", "keeps-nothing")).to_be_hidden()
    for closed in (CLOSED, FULL):
        page = opened(visit(server.url()))
        page.add_init_script(closed)
        page.reload()
        opened(page)
        expect(part(page, "train", "keeps-nothing")).to_contain_text(WARNING)
        expect(part(page, "train", "open-directly")).to_be_hidden()
        run = press_train(page)
        part(page, "train", "pause").click()  # until the page closes, the run is steered from here
        wait_for_status(page, "paused")
        server.command(run, "stop")


def test_a_frame_that_keeps_nothing_offers_the_direct_page(server, visit):
    page = visit(server.url("theme.css"))
    page.add_init_script(CLOSED)
    # Another page of that address: ours, whatever they are, show no other page.
    page.route("**/frame.html", lambda route: route.fulfill(body="<body></body>", content_type="text/html"))
    page.goto(server.url("frame.html"))
    page.evaluate(
        """src => {
          const frame = document.createElement("iframe");
          frame.style = "width: 1200px; height: 800px";
          frame.src = src;
          document.body.append(frame);
        }""",
        server.url("?recipe=mlp"),
    )
    frame = page.frame_locator("iframe")
    expect(frame.locator(css("train", "keeps-nothing"))).to_contain_text(WARNING)
    with page.expect_popup() as direct:
        frame.locator(css("train", "open-directly")).click()
    visit.watch(direct.value)
    opened(direct.value)
    assert "recipe=mlp" in direct.value.url
    expect(direct.value.locator('.gf-recipe[data-recipe="mlp"] input')).to_be_checked()


def test_what_an_earlier_version_kept_is_still_read(server, visit, plain_run):
    page = visit(server.url(f"?run={plain_run}"))
    log = part(page, "train", "log")
    expect(log).not_to_be_checked()
    page.evaluate("localStorage.setItem('gf-charts', '{\"log\": true}')")
    page.reload()
    expect(log).to_be_checked()
    log.uncheck()
    page.reload()
    opened(page)
    expect(log).not_to_be_checked()
    page.evaluate("localStorage.setItem('gan-forge-charts', 'spoiled')")
    page.reload()
    opened(page)
    expect(log).not_to_be_checked()
