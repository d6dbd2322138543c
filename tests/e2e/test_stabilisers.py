"""The switches behind "More settings": each reaches the run, explains itself, and is refused where it has no sense."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from gan.core.config import KNOBS
from gan.losses.objectives import OBJECTIVES
from gan.losses.penalties import PENALTIES
from gan.losses.transforms import CONSTRAINTS, TRANSFORMS
from tests.e2e.conftest import choose, fill, opened, part, run_on_screen, wait_for_status, wait_for_step

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes

SWITCHES = {
    "d_steps": 2,
    "penalty_weight": 0.5,
    "penalty_every": 3,
    "augment": 0.4,
    "instance_noise": 0.2,
    "instance_noise_images": 5000,
    "gradient_clip": 2.5,
    "data_limit": 60,
    "width": 8,
    "batch": 8,
    "total_steps": 10**6,
}


def unfold(page: Any, *sections: str) -> None:
    page.locator('[data-gf="more-title"]').click()
    for section in sections:
        page.locator(f'.gf-section[data-section="{section}"] > summary').click()


def pick(page: Any, knob: str, name: str) -> Any:
    """Choose an entry; returns its explanation."""
    page.locator(f"#gf-knob-{knob}").select_option(name)
    return page.locator(f'[data-knob="{knob}"] [data-name="{name}"]')


def test_every_switch_reaches_the_run(server, visit):
    page = opened(visit(server.url()))
    choose(page, "r3gan")
    unfold(page, "objective", "penalty", "seen", "limits", "pictures", "networks")
    fill(page, **SWITCHES)
    page.locator("#gf-knob-spectral_norm").check()
    part(page, "train", "train").click()
    run = run_on_screen(page)
    wait_for_status(page, "running")
    wait_for_step(page, 2)
    config = server.get(f"runs/{run}")["config"]
    assert {name: config[name] for name in SWITCHES} == SWITCHES and config["spectral_norm"]
    assert (config["objective"], config["penalty"]) == ("relativistic", "r1+r2")
    # A score is no probability: no percentage anywhere.
    expect(part(page, "train", "fake-caption")).to_contain_text("D's score")
    expect(part(page, "train", "legend-verdict")).to_contain_text(re.compile(r"\d"))
    expect(part(page, "train", "legend-verdict")).not_to_contain_text("%")


def test_every_entry_is_explained_with_its_formula(server, visit):
    page = opened(visit(server.url()))
    unfold(page, "objective", "penalty", "seen", "limits")
    heights = set()
    for knob, table, formulas in (("objective", OBJECTIVES, 2), ("penalty", PENALTIES, 1)):
        for name, entry in table.items():
            text = pick(page, knob, name)
            expect(text).to_be_visible()
            expect(page.locator(f'[data-knob="{knob}"] [data-name]:visible')).to_have_count(1)
            heights.add((knob, page.locator(f'[data-knob="{knob}"]').bounding_box()["height"]))
            if entry:
                expect(text).to_contain_text(entry.about)
                expect(text).to_contain_text(entry.source)
                expect(text.locator("math")).to_have_count(formulas)
                assert text.locator("math").first.bounding_box()["width"] > 40
    assert len(heights) == 2  # choosing moves nothing
    for name, entry in (TRANSFORMS | CONSTRAINTS).items():
        box = page.locator(f'[data-knob="{name}"]')
        box.locator("summary").click()
        expect(box).to_contain_text(entry.about)
        expect(box.locator("math")).to_be_visible()


WRONG = (
    ("quick", {"objective": "hinge"}, {"label_smoothing": 0.1}, "label_smoothing"),
    ("wgan", {}, {"label_smoothing": 0.1}, "label_smoothing"),
    ("r3gan", {}, {"augment": 1, "augment_target": 0.6}, "augment_target"),
    ("r3gan", {"penalty": "none", "update_order": "split"}, {}, "update_order"),
    ("wgan-gp", {}, {"penalty_weight": 0}, "penalty_weight"),
    ("lsgan", {}, {"instance_noise_images": 100}, "instance_noise_images"),
)


def test_what_does_not_go_together_shows_its_sentence_and_the_setting(server, visit):
    visit.expect("status of 400")
    runs = server.run_ids()
    page = opened(visit(server.url()))
    note = part(page, "train", "setup-error")
    for recipe, choices, numbers, knob in WRONG:
        choose(page, recipe)
        set_folds(page, True)
        for name, value in choices.items():
            page.locator(f"#gf-knob-{name}").select_option(value)
        fill(page, **numbers)
        set_folds(page, False)  # the sentence has to open the right one
        part(page, "train", "train").click()
        expect(note).to_contain_text(f"({knob})")
        expect(page.locator(f"#gf-knob-{knob}")).to_have_attribute("aria-invalid", "true")
        expect(page.locator(f"#gf-knob-{knob}")).to_be_in_viewport()
        part(page, "train", "reset").click()
        expect(note).to_be_hidden()
    assert server.run_ids() == runs


def set_folds(page: Any, is_open: bool) -> None:
    page.evaluate("open => document.querySelectorAll('.gf-more, .gf-section').forEach(f => { f.open = open })", is_open)


def test_sections_hold_every_setting_that_can_be_turned(server, visit):
    page = opened(visit(server.url()))
    shown = page.locator("[data-knob]").evaluate_all("boxes => boxes.map(box => box.dataset.knob)")
    assert sorted(shown) == sorted(name for name, knob in KNOBS.items() if knob.group != "fixed")
