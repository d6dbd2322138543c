"""The state with the best FID in the page, and what is said beside a moment of the past."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import css, part, set_slider, until, wait_for_status

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes


def test_the_best_state_is_downloaded_opened_and_forked(visit, server):
    run = server.train("dense", batch=64)
    server.command(run, "measure_share", measure_share=0.5)
    until(lambda: server.get(f"runs/{run}")["best_step"])
    server.command(run, "stop")
    until(lambda: server.status(run) == "stopped")
    best = server.get(f"runs/{run}")["best_step"]
    page = visit(server.url(f"?tab=train&run={run}"))
    wait_for_status(page, "stopped")
    part(page, "train", "download").locator("summary").click()
    with page.expect_download() as download:
        page.get_by_text(f"Weights with the best FID (step {best:,})").click()
    assert download.value.suggested_filename.endswith("weights-best.safetensors")
    page.goto(server.url(f"?tab=latent&w=run-{run}@best&seed=3"))
    page.wait_for_selector(css("latent", "picture") + f'[data-step="{best}"]')
    page.goto(server.url(f"?tab=compare&runs={run}&fork={run}"))
    expect(part(page, "compare", "fork-from")).to_contain_text(f"the best FID, step {best:,}")


def test_the_verdict_beside_a_moment_is_that_moments(visit, server):
    if not server.get("boot")["recorded"]:
        pytest.skip("no recorded run is shipped")
    page = visit(server.url("?tab=train&run=recorded"), reduced_motion="reduce")
    title = part(page, "train", "diagnosis-title")
    expect(title).to_have_text(re.compile("^Healthy so far$|^You can stop$"))
    set_slider(part(page, "train", "scrub"), 40)
    page.wait_for_function(f"document.querySelector('{css('train', 'scrub-step')}').textContent.startsWith('Step')")
    step = part(page, "train", "scrub-step").text_content().removeprefix("Step ")
    then = server.get(f"runs/recorded/diagnosis?step={step.replace(',', '')}")["verdicts"]
    words = then[0]["title"] if then else "Too early to tell"
    expect(title).to_have_text(f"{words} · at step {step}")
    assert words != "Healthy so far"
    part(page, "train", "to-live").click()
    expect(title).to_have_text(re.compile("^Healthy so far$|^You can stop$"))
