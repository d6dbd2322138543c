"""More people than learn at once: each reads when it is his turn, and gets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import STRANGER, Server, part, press_train, served, shown_step, wait_for_status, wait_for_step

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sharing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("sharing"), "--max-waiting", "3") as server:
        yield server


@pytest.fixture
def server(sharing: Server) -> Iterator[Server]:
    yield sharing
    sharing.rest()


def message(page: Any) -> Any:
    return part(page, "train", "message-text")


def test_two_people_learn_in_turns(server, visit):
    ann, bob = (visit(server.url(host=STRANGER)) for _ in range(2))
    press_train(ann)
    wait_for_step(ann, 1)
    press_train(bob)
    wait_for_step(bob, 1)  # in his first slice
    expect(message(bob)).to_have_text(re.compile(r"It is this run's turn, for about \d+ s; others wait"))
    wait_for_status(bob, "waiting")
    expect(message(bob)).to_have_text(re.compile(r"Other runs are learning now.* in about \d+ s, as number 1 "))
    expect(part(bob, "train", "pause")).to_be_visible()
    part(bob, "train", "pause").click()
    wait_for_status(bob, "paused")
    expect(message(bob)).to_be_hidden()
    wait_for_status(ann, "running")
    wait_for_step(ann, shown_step(ann) + 5)


def test_two_runs_of_one_person_take_turns_and_the_page_says_how_to_end_that(server, visit):
    page = visit(server.url(host=STRANGER))
    press_train(page)
    wait_for_step(page, 1)
    press_train(page)
    wait_for_step(page, 1)
    wait_for_status(page, "waiting")
    expect(message(page)).to_have_text(
        re.compile(r"Other runs are learning now.*Your other runs share its time: pause them")
    )
    expect(message(page).locator("xpath=ancestor::*[@role='status']")).to_have_attribute("aria-live", "off")
    expect(part(page, "train", "n-left")).to_have_text("–")
