"""The diagnosis in Train and Compare: a prepared history is brought in, its verdicts are read, a remedy is tried."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from gan.core.images import png_bytes
from gan.monitor.records import SIGNALS, Row
from gan.recipes.catalog import make_config
from gan.runs.archive import pack
from gan.runs.registry import Runs
from tests.conftest import PATIENCE, until
from tests.e2e.conftest import TINY, Server, opened, part, run_on_screen, wait_for_status

MARKUP = "<img src=x onerror=alert(1)> is no longer finite"


def recorded_run(folder: Path, end: str = "", first: float | None = None, **signals: float | None) -> Path:
    """The zip of a run with these signals at every look, which failed in the end with these words.

    first: what each signal was before the first step; None where that was not written down.
    """
    changes = TINY | {"width": 4, "z_dim": 16, "clusters": 0, "penalty": "none", "g_lr": 0.01, "d_lr": 0.001}
    run, _ = Runs(folder).adopt(make_config("quick", **changes))
    if first is not None:
        run.history.add("signals", dict.fromkeys(SIGNALS, first) | {"step": 0})
    for step in range(20, 420, 20):
        run.history.add("signals", dict.fromkeys(SIGNALS, 0.5) | {"step": step} | signals)
        run.history.add("rows", Row(step, 8 * step, step / 10, 1.3, 0.7, 0.5, 0.4, 1e-3, 1e-3))
    run.history.add_frame(400, png_bytes(np.zeros((5 * 28, 8 * 28, 1), np.uint8)), [0.5] * 40, [0.5] * 16)
    if end:
        run.history.add_event(400, "failed", end)
    run.history.flush()
    file = folder / "run.zip"
    pack(run.folder, file)
    return file


def brought_in(server: Server, zipped: Path) -> str:
    """The id of a run that somebody brought back from a zip."""
    headers = {"Content-Type": "application/zip", "X-Owner": server.owner}
    request = urllib.request.Request(f"{server.base}runs/import", zipped.read_bytes(), headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.loads(answer.read())["id"]


def verdict(page: Any, kind: str) -> Any:
    return part(page, "train", "diagnosis").locator(f'.gf-verdict[data-kind="{kind}"]')


@pytest.mark.thorough
def test_a_run_on_pictures_that_are_all_the_same_is_told_so_and_nothing_else(server, visit, tmp_path):
    visit.expect("404 .*real.png")
    page = opened(visit(server.url()))
    alike = recorded_run(tmp_path, train_nn_ratio=None, diversity=None, fake_nn_ratio=None)
    part(page, "train", "bring-back").set_input_files(alike)
    expect(part(page, "train", "diagnosis-title")).to_have_text("Too alike to judge")
    part(page, "train", "diagnosis").locator("summary").click()
    said = verdict(page, "incomparable").locator("dd")
    expect(said).to_have_count(3)  # nothing is claimed, so it is not said how sure that is
    expect(said.first).to_have_text("D tells real and generated pictures apart 50\u00a0% of the time (50 % is chance).")
    assert verdict(page, "incomparable").evaluate("card => card.lastChild.tagName") == "DL"  # no stray number below


def test_a_verdict_is_read_and_its_remedy_tried(server, visit, tmp_path):
    visit.expect("404 .*real.png")  # a run that never trained here has no real pictures
    page = opened(visit(server.url()))
    part(page, "train", "bring-back").set_input_files(recorded_run(tmp_path, MARKUP, diversity=0.1))  # all are one
    sick = run_on_screen(page)

    box = part(page, "train", "diagnosis")
    expect(box).to_have_attribute("data-severity", "error")
    expect(part(page, "train", "diagnosis-title")).to_have_text("Training has blown up")
    expect(part(page, "train", "diagnosis-seen")).to_have_text(MARKUP + ".")
    height = box.bounding_box()["height"]
    box.locator("summary").click()
    expect(verdict(page, "divergence")).to_contain_text(MARKUP)
    expect(box.locator("img")).to_have_count(0)
    blown_up = verdict(page, "divergence")
    expect(blown_up).to_contain_text("checks say the same")
    first = blown_up.locator("ul").first.locator("li")
    rates = ["Discriminator's learning rate: 0.001 → 0.004", "Generator's learning rate: 0.01 → 0.004"]
    expect(first).to_have_text(["Penalty: None → R1", *rates])
    expect(blown_up.locator("ul").last).to_contain_text("Groups: 0 → 100")
    expect(blown_up.get_by_role("button", name="Or set all 5 back, in a new run")).to_be_visible()

    blown_up.get_by_role("button", name="Try it").click()
    page.wait_for_url(lambda url: "run=" in url and sick not in url)
    wait_for_status(page, "running")
    config = server.get(f"runs/{run_on_screen(page)}")["config"]
    assert (config["d_lr"], config["penalty"], config["width"]) == (0.004, "r1", 4)
    # Another run, another verdict, in a line of the same height.
    expect(part(page, "train", "diagnosis-seen")).not_to_have_text(MARKUP + ".")
    assert box.bounding_box()["height"] == height


@pytest.mark.thorough
def test_what_is_noise_and_a_collapse_is_said_to_be_both_and_one_remedy_offered(server, visit, tmp_path):
    visit.expect("404 .*real.png")
    page = opened(visit(server.url()))
    same_speckles = recorded_run(tmp_path, first=1.0, diversity=0.1, correlation=0.1, d_auroc=0.9)
    part(page, "train", "bring-back").set_input_files(same_speckles)
    expect(part(page, "train", "diagnosis-title")).to_have_text("All pictures alike so far · Nothing to be seen yet")
    part(page, "train", "diagnosis").locator("summary").click()
    expect(verdict(page, "mode-collapse").get_by_role("button", name="Try it")).to_have_count(1)
    expect(verdict(page, "not-learning")).to_contain_text("the pictures are speckles")
    expect(verdict(page, "not-learning").get_by_role("button")).to_have_count(0)


def test_a_run_that_fails_on_purpose_offers_its_cure(server, visit):
    run = server.train("gallery:divergence", batch=32)
    page = visit(server.url(f"?tab=train&run={run}"))
    wait_for_status(page, "failed")
    expect(part(page, "train", "diagnosis-title")).to_have_text("Training has blown up")
    part(page, "train", "diagnosis").locator("summary").click()
    part(page, "train", "diagnosis").get_by_role("button", name="Try the cure").click()
    page.wait_for_url(lambda url: "run=" in url and run not in url)
    assert server.get(f"runs/{run_on_screen(page)}")["config"]["beta2"] == 0.99


# Compare ---------------------------------------------------------------------------------------------------------


def line_of(page: Any, run: str) -> Any:
    return page.locator(f'.gf-compare-run[data-run="{run}"] .gf-compare-verdict')


def tops(page: Any) -> list[float]:
    """Where the pictures of each column begin."""
    return [sheet.bounding_box()["y"] for sheet in page.locator(".gf-compare-run canvas").all()]


def test_compare_says_of_each_run_how_it_is_and_nothing_moves(server, visit, tmp_path):
    sick, young = brought_in(server, recorded_run(tmp_path, MARKUP, diversity=0.1)), server.finish("dense")
    page = visit("about:blank")
    held = []
    page.route("**/diagnosis", lambda route: held.append(route))  # the real answers, later
    page.goto(server.url(f"?tab=compare&runs={sick},{young}"), wait_until="commit")
    expect(page.locator(".gf-compare-run canvas[data-step]")).to_have_count(2)  # they do not wait for it
    until(lambda: page.evaluate("1") and len(held) == 2)
    before = tops(page)
    for route in held:
        route.continue_()
    page.unroute("**/diagnosis")

    answer = server.get(f"runs/{sick}/diagnosis")["verdicts"][0]
    expect(line_of(page, sick)).to_have_attribute("data-severity", "error")
    expect(line_of(page, sick).locator("b")).to_have_text(answer["title"])
    expect(line_of(page, sick)).to_have_attribute("title", answer["seen"])
    expect(line_of(page, sick).locator("img")).to_have_count(0)
    early = server.get(f"runs/{young}/diagnosis")["verdicts"][0]
    expect(line_of(page, young)).to_have_attribute("data-severity", early["severity"])
    assert tops(page) == before
    for width in (390, 820, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        heights = {line_of(page, run).bounding_box()["height"] for run in (sick, young)}
        assert heights == {40}, width


@pytest.mark.thorough
def test_compare_follows_a_run_with_few_requests_and_none_once_it_rests(server, visit, tmp_path):
    done, run = brought_in(server, recorded_run(tmp_path, diversity=0.1)), server.train("dense")
    page = visit("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    of = lambda run, what: [url for url in asked if f"runs/{run}/{what}" in url]  # noqa: E731
    page.goto(server.url(f"?tab=compare&runs={done},{run}"), wait_until="commit")
    known = re.compile("fine|note|warning|error")
    expect(line_of(page, run)).to_have_attribute("data-severity", known)  # it has come past its first steps
    server.command(run, "stop")
    expect(page.locator(f'.gf-compare-run[data-run="{run}"] .gf-tag')).to_have_attribute("data-kind", "stopped")
    expect(line_of(page, run).locator("b")).to_have_text(server.get(f"runs/{run}/diagnosis")["verdicts"][0]["title"])

    at_rest = len(of(run, "diagnosis"))
    looks = len(of(run, "follow"))
    until(lambda: page.evaluate("1") and len(of(run, "follow")) >= looks + 3)  # it is still polled
    assert len(of(run, "diagnosis")) == at_rest
    assert len(of(done, "diagnosis")) == 1 < len(of(done, "follow"))
