"""Sending files: progress, Cancel, servers in between that refuse, lines that break, and what is dropped."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.conftest import until
from tests.e2e.conftest import open_tab, opened, part, png, upload
from tests.e2e.test_screens import wait_for_tab
from tests.proxy import proxied

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes

BETWEEN = "A server between you and GAN Forge does not take"


def heavy_zip(pictures: int = 16, side: int = 400) -> bytes:
    """About 7 MB: more than the buffers of a connection hold."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for i in range(pictures):
            noise = np.random.default_rng(i).integers(0, 256, (side, side, 3), dtype=np.uint8)
            picture = io.BytesIO()
            Image.fromarray(noise).save(picture, "BMP")
            z.writestr(f"{i}.bmp", picture.getvalue())
    return out.getvalue()


def send_own(page: Any, data: bytes) -> Any:
    """Choose a zip as own pictures; returns the line that says what becomes of it."""
    part(opened(page), "train", "dataset").select_option("own")
    part(page, "train", "own-files").set_input_files(upload("mine.zip", data, "application/zip"))
    return part(page, "train", "own-note")


def test_progress_cancel_and_what_train_says_meanwhile(server, visit):
    runs = server.run_ids()
    with proxied(server.port) as proxy:
        page = visit(proxy.url(), reduced_motion="reduce")
        opened(page)
        proxy.hold()
        note = send_own(page, heavy_zip(60))
        expect(note).to_have_text(re.compile(r"^Sending… \d+ %$"))
        part(page, "train", "train").click()
        expect(part(page, "train", "setup-error")).to_have_text("Your pictures are still being sent.")
        part(page, "train", "own-cancel").click()
        expect(note).to_have_text("Cancelled.")
        expect(part(page, "train", "own-cancel")).to_be_hidden()
        proxy.go_on()
        part(page, "train", "own-again").click()
        expect(part(page, "train", "dataset-about")).to_contain_text("60 pictures")
        expect(part(page, "train", "own-again")).to_be_hidden()
        page.close()  # before its proxy
    assert server.run_ids() == runs


def test_a_line_that_breaks_keeps_the_form_and_the_files(server, visit):
    visit.expect("ERR_", "Failed to load resource")
    with proxied(server.port) as proxy:
        page = visit(proxy.url(), reduced_motion="reduce")
        opened(page)
        proxy.hold()
        note = send_own(page, heavy_zip(60))
        page.wait_for_function("note => /^Sending… [1-9]/.test(note.textContent)", arg=note.element_handle())
        until(lambda: proxy.sending)
        proxy.cut()
        expect(note).to_have_text(re.compile(r"^The connection broke when \d+ % had been sent\. Please try again\.$"))
        expect(part(page, "train", "dataset")).to_have_value("own")
        part(page, "train", "own-again").click()
        expect(part(page, "train", "dataset-about")).to_contain_text("60 pictures")
        page.close()  # before its proxy


def test_a_server_in_between_that_takes_less_is_named(server, visit):
    visit.expect("status of 413", "ERR_")
    with proxied(server.port, limit=1 << 20) as proxy:
        page = visit(proxy.url(), reduced_motion="reduce")
        note = send_own(page, heavy_zip())
        expect(note).to_contain_text(BETWEEN)
        expect(note).to_contain_text("7.3 MB at once")
        expect(part(page, "train", "dataset")).to_have_value("own")
        toast = page.locator(".gf-toast-text")
        part(page, "train", "bring-back").set_input_files(upload("run.zip", heavy_zip(), "application/zip"))
        expect(toast).to_contain_text(BETWEEN)
        open_tab(page, "latent")
        page.wait_for_selector('#gf-tab-latent [data-gf="picture"][data-shows]')
        page.locator(".gf-toast-close").click()
        part(page, "latent", "file").set_input_files(upload("w.safetensors", heavy_zip(), ""))
        expect(toast).to_contain_text(BETWEEN)
        page.close()  # before its proxy


def test_bringing_back_a_run_can_be_cancelled(server, visit):
    with proxied(server.port) as proxy:
        page = opened(visit(proxy.url(), reduced_motion="reduce"))
        proxy.hold()
        part(page, "train", "bring-back").set_input_files(upload("run.zip", heavy_zip(60), "application/zip"))
        toast = page.locator(".gf-toast")
        expect(toast).to_contain_text("Sending… ")
        toast.get_by_role("button", name="Cancel").click()
        expect(toast).to_contain_text("Cancelled.")
        expect(toast.get_by_role("button", name="Cancel")).to_be_hidden()
        page.close()  # before its proxy


# Drops -----------------------------------------------------------------------------------------------------------


def drop(page: Any, selector: str, *paths: Path) -> None:
    """Files or folders let go over an element, as the browser is told by the desktop."""
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    line = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + min(box["height"], 300) / 2}
        line.send("Input.dispatchDragEvent", {"type": kind, **where, "data": data})


def pictures_in(folder: Path, numbers: range) -> Path:
    folder.mkdir(parents=True)
    for i in numbers:
        (folder / f"{i}.png").write_bytes(png(i))
    (folder / ".DS_Store").write_bytes(b"rubbish")
    return folder


def test_pictures_folders_and_zips_are_taken_anywhere_on_train(server, visit, tmp_path):
    page = opened(visit(server.url()))
    url = page.url
    cats, dogs = pictures_in(tmp_path / "pets/cat", range(10)), pictures_in(tmp_path / "pets/dog", range(10, 120))
    drop(page, '#gf-tab-train [data-gf="fake"]', cats.parent)
    about = part(page, "train", "dataset-about")
    expect(about).to_contain_text("120 pictures, 2 classes: cat (10), dog (110).")
    own = part(page, "train", "dataset").input_value()
    drop(page, '#gf-tab-train [data-gf="dataset"]', cats, dogs)  # the same pictures in the same folders
    expect(part(page, "train", "own-cancel")).to_be_hidden()
    expect(part(page, "train", "dataset")).to_have_value(own)
    (tmp_path / "all.zip").write_bytes(heavy_zip())
    drop(page, "#gf-tab-train .gf-recipes >> nth=0", tmp_path / "all.zip")
    expect(about).to_contain_text("16 pictures")
    assert page.url.split("?")[0] == url.split("?")[0]
    body = {"recipe": "quick-conditional", "dataset": own, "changes": {"batch": 8, "total_steps": 1, "width": 4}}
    run = server.post("runs", body)["id"]
    assert server.get(f"runs/{run}")["class_names"] == ["cat", "dog"]


ELSEWHERE = {
    "how": "How it works takes no files. Pictures to train on belong to Train.",
    "compare": "Compare takes no files. A run that was downloaded belongs to Train, “Bring back a run…”.",
    "interpolation": "Interpolation takes no files. Weights and downloaded PNGs belong to Latent sliders.",
    "latent": "“letter.html” is neither a PNG nor weights (.safetensors).",
}


def test_what_no_place_takes_is_said_and_never_opened(server, visit, tmp_path):
    visit.expect("status of 400")
    page = opened(visit(server.url()))
    (tmp_path / "letter.html").write_text("<title>gone</title>")
    (tmp_path / "empty").mkdir()
    toast = page.locator(".gf-toast")
    for tab, words in ELSEWHERE.items():
        open_tab(page, tab)
        wait_for_tab(page, tab)
        drop(page, f"#gf-tab-{tab}", tmp_path / "letter.html")
        expect(toast).to_contain_text(words)
        page.locator(".gf-toast-close").click()
    drop(page, "#gf-tab-latent", tmp_path / "letter.html", tmp_path / "letter.html")
    expect(toast).to_contain_text("One file at a time")
    open_tab(page, "train")
    drop(page, "#gf-tab-train .gf-stats", tmp_path / "empty")
    expect(toast).to_contain_text("There is no picture in it.")
    drop(page, "#gf-tab-train .gf-stats", tmp_path / "letter.html")
    expect(part(page, "train", "own-note")).to_contain_text("letter.html")
    assert page.title() == "GAN Forge"
    assert len(page.context.pages) == 1
