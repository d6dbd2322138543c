"""The diagnosis in the Train tab: a prepared history is brought in, its verdicts are read, and a remedy is tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from gan.archive import pack
from gan.history import SIGNALS
from gan.picture import png_bytes
from gan.recipes import make_config
from gan.runs import Runs
from tests.e2e.conftest import TINY, opened, part, run_on_screen, wait_for_status

MARKUP = "<img src=x onerror=alert(1)> is no longer finite"


def recorded_run(folder: Path, end: str = "", **signals: float | None) -> Path:
    """The zip of a run with these signals at every look, which failed in the end with these words."""
    changes = TINY | {"width": 4, "z_dim": 16, "clusters": 0, "penalty": "none", "g_lr": 0.01, "d_lr": 0.001}
    run, _ = Runs(folder).adopt(make_config("quick", **changes))
    for step in range(20, 420, 20):
        run.history.add_signal(dict.fromkeys(SIGNALS, 0.5) | {"step": step} | signals)
        run.history.add_row((step, 8 * step, step / 10, 1.3, 0.7, 0.5, 0.4, 1e-3, 1e-3))
    run.history.add_frame(400, png_bytes(np.zeros((5 * 28, 8 * 28, 1), np.uint8)), [0.5] * 40, [0.5] * 16)
    if end:
        run.history.add_event(400, "failed", end)
    run.history.flush()
    file = folder / "run.zip"
    pack(run.folder, file)
    return file


def verdict(page: Any, kind: str) -> Any:
    return part(page, "train", "diagnosis").locator(f'.gf-verdict[data-kind="{kind}"]')


@pytest.mark.slow
def test_a_run_on_pictures_that_are_all_the_same_is_told_so_and_nothing_else(server, visit, tmp_path):
    visit.expect("404 .*real.png")
    page = opened(visit(server.url()))
    alike = recorded_run(tmp_path, near=None, diversity=None, twins=None)
    part(page, "train", "bring-back").set_input_files(alike)
    expect(part(page, "train", "diagnosis-title")).to_have_text("Too alike to judge")
    part(page, "train", "diagnosis").locator("summary").click()
    said = verdict(page, "incomparable").locator("dd")
    expect(said).to_have_count(3)
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
    collapse = verdict(page, "mode-collapse")
    expect(collapse).to_contain_text("10\u00a0% as much as real ones")
    expect(collapse).to_contain_text("Generator's learning rate: 0.01 → 0.001")

    collapse.get_by_role("button").click()
    page.wait_for_url(lambda url: "run=" in url and sick not in url)
    wait_for_status(page, "running")
    config = server.get(f"runs/{run_on_screen(page)}")["config"]
    assert (config["g_lr"], config["penalty"], config["width"]) == (0.001, "r1", 4)
    # Another run, another verdict, in a line of the same height.
    expect(part(page, "train", "diagnosis-seen")).not_to_have_text(MARKUP + ".")
    assert box.bounding_box()["height"] == height


def test_a_run_that_fails_on_purpose_offers_its_cure(server, visit):
    run = server.train("gallery:divergence", batch=32)
    page = visit(server.url(f"?tab=train&run={run}"))
    wait_for_status(page, "failed")
    expect(part(page, "train", "diagnosis-title")).to_have_text("Training has blown up")
    part(page, "train", "diagnosis").locator("summary").click()
    part(page, "train", "diagnosis").get_by_role("button", name="Try the cure").click()
    page.wait_for_url(lambda url: "run=" in url and run not in url)
    assert server.get(f"runs/{run_on_screen(page)}")["config"]["beta2"] == 0.99
