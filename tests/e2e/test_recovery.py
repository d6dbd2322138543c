"""The program is killed in the middle of training: what the page says, and how the run goes on."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from gan.bench import free_port
from tests.e2e.conftest import TINY, css, opened, part, run_on_screen, served, until, wait_for_status, wait_for_step


def test_killed_and_started_again(visit, tmp_path):
    visit.expect("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE_CHUNKED")
    port = free_port()
    with served(tmp_path, port) as server:
        page = opened(visit(server.url()))
        run = press_train(page)
        wait_for_status(page, "running")
        saved = until(lambda: server.get(f"runs/{run}")["checkpoint_step"])
        server.process.kill()
        server.process.wait()
        expect(page.locator(".gf-toast")).to_have_text("Connection lost, trying again.×")

    with served(tmp_path, port) as server:
        wait_for_status(page, "interrupted")  # by itself
        expect(page.locator(".gf-toast")).to_be_hidden()
        interrupted = page.locator(".gf-run-list li")
        expect(interrupted).to_contain_text("interrupted")
        expect(part(page, "train", "message-text")).not_to_be_empty()

        page.reload(wait_until="commit")
        wait_for_status(page, "interrupted")
        assert run_on_screen(page) == run
        again = server.get(f"runs/{run}")
        assert again["checkpoint_step"] >= saved
        interrupted.get_by_role("button", name="continue").click()
        wait_for_status(page, "running")
        wait_for_step(page, again["checkpoint_step"] + 1)
        history_is_whole(server, run)
        part(page, "train", "stop").click()
        wait_for_status(page, "stopped")


def press_train(page: Any) -> str:
    page.locator('.gf-recipe[data-recipe="dense"]').click()
    for name, value in TINY.items():
        page.locator(f"#gf-knob-{name}").fill(str(value))
    part(page, "train", "train").click()
    return run_on_screen(page)


def history_is_whole(server: Any, run: str) -> None:
    """Every step was recorded once, in order."""
    steps = [row[0] for row in server.get(f"runs/{run}/rows")["rows"]]
    assert steps == sorted(set(steps))
    frames = server.get(f"runs/{run}/frames")["steps"]
    assert frames == sorted(set(frames))
    assert frames[0] == 0


def test_page_survives_a_restart_with_the_sliders_open(visit, tmp_path):
    """A page whose server went away and came back goes on where it was, without being loaded again."""
    visit.expect("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE_CHUNKED")
    port = free_port()
    picture = css("latent", "picture")
    with served(tmp_path, port) as server:
        run = server.finish()
        page = visit(server.url(f"?tab=latent&w=run-{run}&seed=3"))
        page.wait_for_selector(picture + "[data-shows]")
    page.locator("#gf-latent-seed").fill("4")
    expect(page.locator(".gf-toast")).to_be_visible()
    with served(tmp_path, port):
        page.wait_for_selector(picture + '[data-shows*="seed=4"]')
        expect(page.locator(".gf-toast")).to_be_hidden()
