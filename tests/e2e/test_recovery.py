"""The program is killed in the middle of training: what the page says, and how the run goes on."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from gan.bench import free_port
from tests.e2e.conftest import css, part, press_train, run_on_screen, served, until, wait_for_status, wait_for_step

# What a browser may say of a server that was killed, also in the middle of an answer.
GONE = (
    "ERR_CONNECTION_(REFUSED|RESET|CLOSED|ABORTED)",
    "ERR_SOCKET_NOT_CONNECTED",
    "ERR_EMPTY_RESPONSE",
    "ERR_CONTENT_LENGTH_MISMATCH",
    "ERR_INCOMPLETE_CHUNKED_ENCODING",
)
PICTURE = css("latent", "picture")


@pytest.mark.thorough
def test_killed_and_started_again(visit, tmp_path):
    visit.expect(*GONE)
    port = free_port()
    with served(tmp_path, port=port) as server:
        finished = server.finish()
        sliders = visit(server.url(f"?tab=latent&w=run-{finished}&seed=3"))
        sliders.wait_for_selector(PICTURE + "[data-shows]")
        page = visit(server.url())
        run = press_train(page)
        wait_for_status(page, "running")
        saved = until(lambda: server.get(f"runs/{run}")["checkpoint_step"])
        server.process.kill()
        server.process.wait()
    sliders.locator("#gf-latent-seed").fill("4")
    for here in (page, sliders):
        expect(here.locator(".gf-toast-text")).to_have_text("Connection lost, trying again.")

    with served(tmp_path, port=port) as server:
        goes_on_by_itself(page, sliders)
        page.reload(wait_until="commit")
        wait_for_status(page, "interrupted")
        assert run_on_screen(page) == run
        kept = server.get(f"runs/{run}")["checkpoint_step"]
        assert kept >= saved
        listed(page).get_by_role("button", name="continue").click()
        wait_for_status(page, "running")
        wait_for_step(page, kept + 1)
        history_is_whole(server, run)
        part(page, "train", "stop").click()
        wait_for_status(page, "stopped")


def goes_on_by_itself(page: Any, sliders: Any) -> None:
    """Pages that outlived the program need no reload: one tells of the run, one shows the picture it waits for."""
    wait_for_status(page, "interrupted")
    expect(listed(page)).to_contain_text("interrupted")
    expect(part(page, "train", "message-text")).not_to_be_empty()
    sliders.wait_for_selector(PICTURE + '[data-shows*="seed=4"]')
    for here in (page, sliders):
        expect(here.locator(".gf-toast")).to_be_hidden()


def listed(page: Any) -> Any:
    """The newest of my runs."""
    return page.locator(".gf-run-list li").first


def history_is_whole(server: Any, run: str) -> None:
    """Every step was recorded once, in order."""
    steps = [row["step"] for row in server.records(run, "rows")]
    assert steps == sorted(set(steps))
    frames = server.frame_steps(run)
    assert frames == sorted(set(frames))
    assert frames[0] == 0
