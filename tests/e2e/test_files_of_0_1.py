"""Links and files of version 0.1 show in the present page what they showed there (tests/files_of_0_1/README.md)."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Server, css, drawn_by, grey_of, part, same, served, set_slider
from tests.e2e.test_latent import PICTURE, on_canvas
from tests.test_files_of_0_1 import DRAWN, FILES, MADE


@pytest.fixture(scope="module")
def old_runs(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app on a folder of runs that version 0.1 left."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("run", "fork"):
        with zipfile.ZipFile(FILES / f"{name}.zip") as zipped:
            zipped.extractall(folder / MADE[name])
    (folder / "pictures").mkdir()
    (folder / MADE["run"] / "pictures.safetensors").rename(folder / "pictures" / f"{MADE['dataset']}.safetensors")
    with served(folder) as server:
        yield server


@pytest.mark.parametrize("number", range(len(MADE["requests"])))
def test_the_server_draws_what_it_drew(old_runs: Server, number: int) -> None:
    route, _, query = MADE["requests"][number].partition("?")
    same(old_runs.pixels(query, route), DRAWN[f"request{number}"])


@pytest.mark.parametrize("number", range(len(MADE["pages"])))
def test_a_link_opens_what_it_opened(old_runs: Server, visit: Any, number: int) -> None:
    link = MADE["pages"][number]
    page = visit(old_runs.url(link["address"]), reduced_motion="reduce")
    page.wait_for_selector(link["ready"])
    if "tab=interpolation" in link["address"]:
        set_slider(part(page, "interpolation", "position"), 5)
        page.wait_for_selector(link["canvas"] + '[data-frame="5"]')
    if "tab=latent" in link["address"]:
        drawn_by(page, "page")
    if "tab=compare" in link["address"]:  # both columns, at the step that `ready` names
        columns = page.locator("#gf-tab-compare .gf-compare-run canvas")
        step = page.locator(link["ready"]).get_attribute("data-step")
        expect(columns).to_have_count(2)
        expect(columns.first).to_have_attribute("data-step", step)
    else:
        same(grey_of(page, link["canvas"]).ravel(), np.array(link["red"], np.uint8))
    page.wait_for_url(lambda url: link["address"] in url)


def test_a_run_of_0_1_shows_its_frames_byte_for_byte(old_runs: Server) -> None:
    for name in ("run", "fork"):
        with zipfile.ZipFile(FILES / f"{name}.zip") as zipped:
            frame = zipped.read("frames/00000016.png")
        assert old_runs.fetch(f"runs/{MADE[name]}/frames/16")[1] == frame


def test_a_picture_of_0_1_comes_back_with_its_weights(old_runs: Server, visit: Any) -> None:
    page = visit(old_runs.url("?tab=latent&w=mnist&seed=1"))
    page.wait_for_selector(PICTURE + "[data-shows]")
    part(page, "latent", "file").set_input_files(FILES / "weights.safetensors")
    page.wait_for_selector(PICTURE + '[data-shows*="w=file-"]')
    part(page, "latent", "file").set_input_files(FILES / "picture.png")
    page.wait_for_selector(PICTURE + f'[data-shows$="{MADE["picture"]}"]')
    drawn_by(page, "page")
    same(on_canvas(page), DRAWN["picture"][0])
    part(page, "latent", "import").set_input_files(FILES / "directions.json")
    expect(page.locator(css("latent", "direction") + '[data-key="taught"]')).to_be_visible()
