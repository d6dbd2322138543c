"""Back and Forward go between tabs, each as it was left; a reload keeps all of them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import open_tab, opened, part, run_on_screen, wait_for_status
from tests.e2e.test_latent import PICTURE

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes


def shows(page: Any, tab: str) -> None:
    expect(page.locator(f'[role="tab"][data-tab-id="{tab}"]')).to_have_attribute("aria-selected", "true")
    page.wait_for_url(re.compile(f"[?&]tab={tab}"))


def test_back_and_forward_go_from_tab_to_tab(server, visit, plain_run, class_run):
    page = opened(visit(server.url(f"?run={plain_run}")))
    wait_for_status(page, "finished")
    part(page, "train", "sliders").click()
    page.wait_for_selector(PICTURE + "[data-shows]")
    shows(page, "latent")
    part(page, "latent", "seed").fill("77")
    page.wait_for_url(re.compile("seed=77"))
    open_tab(page, "how")
    shows(page, "how")
    page.go_back()
    shows(page, "latent")
    assert "seed=77" in page.url
    page.go_back()
    shows(page, "train")
    assert run_on_screen(page) == plain_run
    page.go_forward()
    shows(page, "latent")
    page.wait_for_url(re.compile("seed=77"))
    expect(part(page, "latent", "seed")).to_have_value("77")
    page.go_forward()
    shows(page, "how")


def test_back_brings_what_a_tab_showed_before_it_was_sent_something_else(server, visit, plain_run, class_run):
    page = visit(server.url(f"?tab=latent&w=run-{class_run}&seed=5&c=2"))
    page.wait_for_selector(PICTURE + '[data-shows*="seed=5"]')
    open_tab(page, "train")
    page.goto(server.url(f"?run={plain_run}"))
    opened(page)
    wait_for_status(page, "finished")
    part(page, "train", "sliders").click()
    page.wait_for_selector(PICTURE + f'[data-shows*="run-{plain_run}"]')
    page.go_back()
    shows(page, "train")
    page.go_back()  # a page that was loaded before: it is loaded again
    shows(page, "train")
    page.go_back()
    shows(page, "latent")
    page.wait_for_selector(PICTURE + f'[data-shows*="run-{class_run}"]')


def test_a_reload_in_one_tab_keeps_the_run_of_another(server, visit, plain_run):
    page = opened(visit(server.url(f"?run={plain_run}")))
    wait_for_status(page, "finished")
    open_tab(page, "how")
    shows(page, "how")
    page.reload()
    shows(page, "how")
    open_tab(page, "train")
    shows(page, "train")
    assert run_on_screen(page) == plain_run
    expect(part(page, "train", "status")).to_have_attribute("data-kind", "finished")


def test_a_link_to_the_sliders_of_a_run_opens_that_run_in_train(server, visit, plain_run):
    page = visit(server.url(f"?tab=latent&w=run-{plain_run}"))
    page.wait_for_selector(PICTURE + "[data-shows]")
    open_tab(page, "train")
    assert run_on_screen(page) == plain_run
    wait_for_status(page, "finished")
