"""A run that is on the screen is deleted elsewhere, or the server comes back without it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from gan.bench import free_port
from tests.e2e.conftest import css, open_tab, part, press_train, run_on_screen, served, wait_for_status, wait_for_step
from tests.e2e.test_recovery import GONE

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes

NOT_FOUND = "404"  # the browser's console tells of every refusal


def says_that_it_is_gone(page: Any, run: str) -> None:
    """The page says so, and asks for the run no more."""
    wait_for_status(page, "gone")
    expect(part(page, "train", "message-text")).to_contain_text("This run is gone")
    expect(part(page, "train", "n-left")).to_have_text("–")
    expect(part(page, "train", "controls")).to_be_hidden()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_event("requestfinished", lambda request: request.url.endswith("gan/runs"))  # my runs, every 5 s
    assert not [url for url in asked if f"runs/{run}" in url]
    expect(page.locator(".gf-toast")).to_be_hidden()


@pytest.fixture
def deleted(visit, server):
    """A page with a run that was deleted in another window; and the run's former id."""
    visit.expect(NOT_FOUND)
    page = visit(server.url())
    run = press_train(page)
    wait_for_step(page, 5)
    delete(server, run)
    return page, run


def delete(server: Any, run: str) -> None:
    server.rest()
    server.delete(run)


def test_a_run_deleted_elsewhere_is_gone_and_can_be_started_over(deleted, server):
    page, run = deleted
    says_that_it_is_gone(page, run)
    part(page, "train", "gone-over").click()
    page.wait_for_url(re.compile(rf"[?&]run=(?!{re.escape(run)})"))
    wait_for_step(page, 1)
    again = server.get(f"runs/{run_on_screen(page)}")
    assert (again["config"]["recipe"], again["config"]["batch"]) == ("dense", 8)
    expect(part(page, "train", "gone-over")).to_be_hidden()


def test_from_a_gone_run_to_the_recording(deleted, server):
    page, run = deleted
    if not server.get("boot")["recorded"]:
        pytest.skip("no recorded run is shipped")
    says_that_it_is_gone(page, run)
    part(page, "train", "gone-recorded").click()
    wait_for_status(page, "recording")


def test_pressing_pause_on_a_gone_run_says_it_once(visit, server):
    visit.expect(NOT_FOUND)
    page = visit(server.url())
    run = press_train(page)
    wait_for_step(page, 5)
    page.route(re.compile(r"/follow\?"), lambda route: route.abort())  # the button is the first to learn of it
    visit.expect("ERR_FAILED")
    delete(server, run)
    part(page, "train", "pause").click()
    page.unroute(re.compile(r"/follow\?"))
    says_that_it_is_gone(page, run)


def test_the_server_comes_back_empty(visit, tmp_path):
    visit.expect(NOT_FOUND, *GONE)
    port = free_port()
    with served(tmp_path / "a", port=port) as server:
        page = visit(server.url())
        run = press_train(page)
        wait_for_step(page, 5)
    with served(tmp_path / "b", port=port):
        says_that_it_is_gone(page, run)


def test_a_gone_run_beside_another_one(visit, server, plain_run):
    visit.expect(NOT_FOUND)
    run = server.train()
    page = visit(server.url(f"?tab=compare&runs={run},{plain_run}"))
    column = page.locator(f'.gf-compare-run[data-run="{run}"]')
    expect(column.locator(".gf-tag")).to_have_attribute("data-kind", "running")
    delete(server, run)
    expect(column.locator(".gf-tag")).to_have_attribute("data-kind", "gone")
    expect(part(page, "compare", "error")).to_contain_text("is gone")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_event("requestfinished", lambda request: f"runs/{plain_run}/follow" in request.url)
    page.wait_for_event("requestfinished", lambda request: f"runs/{plain_run}/follow" in request.url)
    assert not [url for url in asked if f"runs/{run}" in url]


@pytest.mark.parametrize("tab", ["latent", "interpolation"])
def test_weights_of_a_gone_run(visit, server, tab):
    visit.expect(NOT_FOUND)
    run = server.train()
    page = visit(server.url(f"?tab={tab}&w=run-{run}"))
    page.wait_for_selector(css(tab, "view") + ":not([aria-busy])")
    delete(server, run)
    expect(page.locator(".gf-toast-text")).to_have_text("The run of these weights is gone. Choose other weights.")
    asked: list[str] = []
    # The list of weights is asked for every 5 s. What was on its way when the first heard of it has ended by then.
    page.wait_for_event("requestfinished", lambda request: request.url.endswith("gan/weights"))
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_event("requestfinished", lambda request: request.url.endswith("gan/weights"))
    page.wait_for_event("requestfinished", lambda request: request.url.endswith("gan/weights"))
    assert not [url for url in asked if run in url]


def test_how_it_works_follows_no_gone_run(visit, server):
    visit.expect(NOT_FOUND)
    page = visit(server.url())
    run = press_train(page)
    wait_for_step(page, 5)
    open_tab(page, "how")
    about_it = lambda answer: f"runs/{run}" in answer.url  # noqa: E731
    page.wait_for_event("response", about_it)
    delete(server, run)
    page.wait_for_event("response", lambda answer: about_it(answer) and answer.status == 404)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_event("requestfinished", lambda request: request.url.endswith("gan/runs"))
    assert not [url for url in asked if f"runs/{run}" in url]
    open_tab(page, "train")
    says_that_it_is_gone(page, run)
