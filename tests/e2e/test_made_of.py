"""The card "What is it made of": nothing is asked before it is opened, then it follows the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from gan.data.catalog import load
from tests.e2e.conftest import grey_of, look, part, same, set_slider
from tests.e2e.test_latent import PICTURE, latent, on_canvas, slider


@pytest.fixture(scope="session")
def limited_run(shared_server: Any) -> str:
    """A finished run that learned from the first 300 digits."""
    return shared_server.finish("dense", data_limit=300, total_steps=40)


def opened(page: Any) -> Any:
    card = part(page, "latent", "made-of")
    card.locator("summary").click()
    return card


def pictures(page: Any, way: str = "pixels") -> list[np.ndarray]:
    """The picture itself and the nearest ones, as the card shows them."""
    row = f'#gf-tab-latent [data-way="{way}"] figure:nth-child'
    page.wait_for_selector(f"{row}(7) canvas[aria-label]")
    return [grey_of(page, f"{row}({i + 1}) canvas") for i in range(7)]


def test_a_run_shows_training_pictures_verdict_early_states_and_layers(server, visit, limited_run):
    page = latent(visit, server, f"w=run-{limited_run}&seed=9")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "made-of" in request.url else None)
    slider(page, 1).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: "d=0:" in url)
    assert not asked
    card = opened(page)
    shown = pictures(page)
    same(shown[0], on_canvas(page))
    train = load("mnist").images[:300, 0].numpy()
    assert all((train == picture).all((1, 2)).any() for picture in shown[1:])
    expect(part(page, "latent", "made-nearest")).to_contain_text("The nearest of 300 training pictures")
    expect(part(page, "latent", "made-verdict")).to_contain_text("at step 40.")
    expect(part(page, "latent", "made-verdict")).to_contain_text("The nearest training picture:")
    maps = page.get_by_label("What D looked at in: this picture")
    expect(maps).to_be_visible()
    assert look(page, "coloured", '#gf-tab-latent [aria-label="What D looked at in: this picture"]') > 20

    steps = part(page, "latent", "made-snapshots").get_by_role("button")
    expect(steps).to_have_count(4)
    assert steps.all_text_contents() == ["0", "16", "32", "40"]
    expect(steps.last).to_have_attribute("aria-pressed", "true")
    steps.first.click()
    expect(page.get_by_label("This noise at step 0")).to_be_visible()

    layers = part(page, "latent", "made-layers")
    options = layers.locator("option")
    assert options.all_text_contents() == ["1 · dense, 128 numbers", "2 · dense, 28×28 × 1: the picture"]
    layers.locator("select").select_option("1")
    expect(layers).to_contain_text("or more.")

    set_slider(slider(page, 1), 3)
    page.wait_for_selector(f'{PICTURE}[data-shows*="d=0:3"]')
    moved = on_canvas(page)
    page.wait_for_function(
        """wanted => gfTest.red('#gf-tab-latent [data-way="pixels"] figure canvas').every(
            (value, i) => Math.abs(value - wanted[i]) <= 1)""",
        arg=moved.ravel().tolist(),
    )
    expect(steps.first).to_have_attribute("aria-pressed", "true")  # what was chosen stays chosen
    card.get_by_role("button", name="Also by their shapes").click()
    assert all((train == picture).all((1, 2)).any() for picture in pictures(page, "features")[1:])


def test_shipped_weights_say_what_they_lack(server, visit):
    page = latent(visit, server, "w=mnist-conditional&seed=5&c=4")
    opened(page)
    same(pictures(page)[0], on_canvas(page))
    expect(part(page, "latent", "made-nearest")).to_contain_text("New. The nearest of 60,000 training pictures")
    expect(part(page, "latent", "made-verdict")).to_contain_text("came without their discriminator")
    expect(part(page, "latent", "made-snapshots")).to_contain_text("these weights have none")
    expect(part(page, "latent", "made-layers").locator("option")).to_have_count(3)
