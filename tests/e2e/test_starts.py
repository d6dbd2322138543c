"""A new run may begin with weights instead of noise."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.conftest import until
from tests.e2e.conftest import fill, opened, part, run_on_screen, wait_for_status
from tests.e2e.test_own_pictures import about, choose_zip, pets

SMALL = {"width": 4, "z_dim": 12, "clusters": 3}


def test_a_run_begins_with_the_weights_of_another(server, visit):
    source = server.finish("quick", **SMALL)
    page = opened(visit(server.url(f"?recipe=quick&dataset=fashion-mnist&start={source}")))
    start = part(page, "train", "start-from")
    expect(start.locator("option:checked")).to_have_text("Quick on MNIST")  # a link may name a run before it is listed
    expect(part(page, "train", "start-about")).to_be_visible()
    fill(page, batch=8, total_steps=30)
    part(page, "train", "train").click()
    run = run_on_screen(page)
    wait_for_status(page, "finished")
    expect(part(page, "train", "title")).to_have_text("Quick on Fashion-MNIST, from Quick on MNIST")
    expect(part(page, "train", "event-line")).to_contain_text("Begins with the weights of Quick on MNIST (step 40)")
    assert {name: server.get(f"runs/{run}")["config"][name] for name in SMALL} == SMALL
    until(lambda: server.saved(run))
    part(page, "train", "start-over").click()
    page.wait_for_url(lambda url: run not in url)  # the same once more, with the same weights: a fork of its beginning
    again = server.get(f"runs/{run_on_screen(page)}")
    assert again["start"] == "run" and "at step 0" in again["events"][1]["text"]


def test_what_does_not_fit_is_said_before_anything_is_made(server, visit):
    page = opened(visit(server.url("?recipe=quick")))
    part(page, "train", "start-from").select_option("monsters")
    page.wait_for_url(re.compile("start=monsters"))
    visit.expect("status of 400")
    part(page, "train", "train").click()
    expect(part(page, "train", "setup-error")).to_contain_text(
        "The weights of Monsters draw 64 × 64, colour, and these pictures are 28 × 28, grey (size)"
    )
    part(page, "train", "start-from").select_option("")
    expect(part(page, "train", "start-about")).to_be_hidden()
    page.wait_for_url(lambda url: "start=" not in url)


def test_own_pictures_are_prepared_as_the_weights_need_them(server, visit):
    page = opened(visit(server.url("?recipe=quick&start=monsters")))
    name = choose_zip(page, pets(cat=20))
    expect(about(page)).to_contain_text("20 pictures")
    card = server.get(f"pictures/{name}")
    assert [card["size"], card["channels"]] == [64, 3]
