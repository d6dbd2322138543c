"""One follower of a run: what the server is asked, whichever tabs show it; what is put together from the answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from tests.e2e.conftest import (
    css,
    look,
    open_tab,
    part,
    press_train,
    wait_for_change,
    wait_for_status,
    wait_for_step,
)
from tests.e2e.test_train import FAKE, INSIDE

COLUMN = "#gf-tab-compare .gf-compare-run"


def heard(page: Any, run: str) -> list[str]:
    """A list that grows with the cursor of each question about a run that is answered with something new."""
    found: list[str] = []

    def answered(answer: Any) -> None:
        if f"runs/{run}/follow" in answer.url and answer.status == 200:
            found.append(parse_qs(urlsplit(answer.url).query, keep_blank_values=True)["since"][0])

    page.on("response", answered)
    return found


def test_tabs_share_what_is_known_of_a_run(server, visit):
    """Train, Compare and How ask on from where the others were; nothing is asked twice."""
    page = visit(server.url())
    run = press_train(page)
    wait_for_status(page, "running")  # and no longer the recording
    wait_for_step(page, 5)
    cursors = heard(page, run)
    part(page, "train", "compare").click()
    step = f"document.querySelector('{COLUMN} canvas')?.dataset.step"
    first = int(page.wait_for_function(step).json_value())
    page.wait_for_function(f"first => {step} > first", arg=first)
    open_tab(page, "how")
    source = page.locator('#gf-tab-how [data-gf="source"]').first
    expect(source).to_contain_text("step")
    words = source.text_content()
    expect(source).not_to_have_text(words)
    open_tab(page, "train")
    wait_for_step(page, first + 2)
    assert cursors and "" not in cursors
    assert len(cursors) == len(set(cursors)), cursors


def test_pictures_put_together_from_changes_are_those_that_a_new_page_gets_whole(server, visit):
    page = visit(server.url())
    run = press_train(page)
    wait_for_status(page, "running")
    wait_for_step(page, 3)
    for _ in range(3):
        wait_for_change(page, FAKE, look(page, "print", FAKE, *INSIDE), *INSIDE)
    part(page, "train", "stop").click()
    wait_for_status(page, "stopped")
    wait_for_step(page, server.moment(run)["step"])
    new = visit(server.url(f"?run={run}"))
    wait_for_status(new, "stopped")
    wait_for_step(new, server.moment(run)["step"])
    selector = css("train", "fake")
    shown = look(page, "print", selector)
    new.wait_for_function("([shown, selector]) => gfTest.print(selector) === shown", arg=[shown, selector])
