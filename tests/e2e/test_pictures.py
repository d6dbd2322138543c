"""A person's own pictures: from the file chooser to a run, and what is said when they cannot be used."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
import torch
from playwright.sync_api import expect

from gan.core.config import Config
from gan.models import build_generator
from gan.models.weights_file import Weights, to_bytes
from tests.e2e.conftest import css, look, opened, part, png, press_train, upload, wait_for_status, wait_for_step

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes

HOSTILE = "<img src=x onerror=window.gfHacked=1>"
FAKE = css("train", "fake")
OWN = [upload(f"picture-{i}.png", png(i)) for i in range(20)]


def choose_files(page: Any, files: list[dict[str, Any]]) -> None:
    part(opened(page), "train", "dataset").select_option("own")
    expect(part(page, "train", "own")).to_be_visible()
    part(page, "train", "own-files").set_input_files(files)


def test_own_pictures_become_a_run(server, visit):
    page = visit(server.url())
    choose_files(page, [*OWN, upload("notes.png", b"this is no picture at all")])
    expect(part(page, "train", "dataset-about")).to_contain_text("20 pictures. 1 could not be read (notes.png, not a")
    assert part(page, "train", "dataset").input_value().startswith("own-")
    run = press_train(page)
    wait_for_status(page, "running")
    wait_for_step(page, 1)
    assert server.get(f"runs/{run}")["dataset"].startswith("own-")
    expect(part(page, "train", "title")).to_have_text("Dense on Own pictures")


UNUSABLE = (
    (OWN[:3], "3 pictures can be used, but at least 16 are needed."),
    ([upload("letter.png", b"Dear Sir or Madam, this is text.")], "1 could not be read (letter.png, not a PNG"),
    ([upload("all.zip", b"PK but no zip", "application/zip")], "all.zip is not a readable zip file"),
)


def test_what_cannot_be_used_is_said(server, visit):
    visit.expect("status of 400")
    runs = server.run_ids()
    page = visit(server.url())
    note = part(page, "train", "own-note")
    for files, sentence in UNUSABLE:
        choose_files(page, files)
        expect(note).to_contain_text(sentence)
        expect(note).to_be_in_viewport()
        assert part(page, "train", "dataset").input_value() == "own"
    part(page, "train", "train").click()
    expect(part(page, "train", "setup-error")).to_have_text("Choose your pictures first.")
    assert server.run_ids() == runs


def hostile_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for i in range(20):
            z.writestr(f"{HOSTILE if i % 2 else '<script>gfHacked=1<script>'}/{i}.png", png(i))
    return out.getvalue()


def hostile_weights() -> bytes:
    config = Config(recipe="dense", model="dense", z_dim=8, classes=2)
    state = build_generator(config, torch.Generator().manual_seed(0)).state_dict()
    return to_bytes(Weights(config, HOSTILE, (HOSTILE, "two"), 3, state))


def test_names_are_never_markup(server, visit):
    page = visit(server.url())
    choose_files(page, [upload(f"{HOSTILE}.zip", hostile_zip(), "application/zip")])
    expect(part(page, "train", "dataset-about")).to_contain_text("20 pictures, 2 classes: <img src=x")
    run = press_train(page, "quick-conditional")
    wait_for_step(page, 1)
    assert HOSTILE in server.get(f"runs/{run}")["class_names"]
    expect(part(page, "train", "title")).to_have_text("Quick, by class on img src x onerror window.gfHacked 1")
    assert look(page, "print", FAKE)
    harmless(page)

    part(page, "train", "sliders").click()
    classes = part(page, "latent", "classes").get_by_role("radio")
    expect(classes.nth(0)).to_have_text(HOSTILE)
    part(page, "latent", "file").set_input_files([upload(f"{HOSTILE}.safetensors", hostile_weights(), "")])
    expect(part(page, "latent", "weights").locator("option:checked")).to_contain_text(HOSTILE)
    harmless(page)
    for _ in range(2):  # a path begins with two pictures
        part(page, "latent", "send").click()
    expect(part(page, "interpolation", "classes").locator("option").nth(0)).to_have_text(HOSTILE)
    harmless(page)


def test_address_is_never_markup(server, visit):
    visit.expect("status of 404")
    page = opened(visit(server.url(f"?recipe={HOSTILE}&k.seed={HOSTILE}")))
    expect(part(page, "train", "setup-error")).to_contain_text(HOSTILE)
    harmless(page)
    page = opened(visit(server.url(f"?run={HOSTILE}")))
    expect(page.locator(".gf-toast")).to_be_visible()
    harmless(page)


def harmless(page: Any) -> None:
    assert page.locator("img[src=x], img[onerror]").count() == 0
    assert page.evaluate("window.gfHacked") is None
