"""Handing a picture on: a link, a PNG, and lines of Python give it back, elsewhere and exactly."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import expect

from gan.bench.common import ROOT
from gan.core.images import split_grid
from gan.latent.query import in_base64
from gan.latent.spec import packed
from tests.e2e.conftest import css, drawn_by, open_tab, part, png, same, served, set_slider, upload
from tests.e2e.test_latent import PICTURE, by_key, latent, on_canvas, wait_for_shown

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes

# A file held over the middle of the page and let go, as a hand does it.
_DROP = """([base64, name]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  const at = document.querySelector('#gf-tab-latent .gf-latent');
  for (const kind of ['dragover', 'drop'])
    at.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer}));
}"""


def drop(page: Any, data: bytes, name: str = "picture.png") -> None:
    page.evaluate(_DROP, [base64.b64encode(data).decode(), name])


def said(page: Any, words: str) -> None:
    expect(page.locator(".gf-toast-text")).to_contain_text(words)


def downloaded(page: Any) -> bytes:
    with page.expect_download() as download:
        part(page, "latent", "png").click()
    return download.value.path().read_bytes()


def downloaded_without_server(page: Any) -> bytes:
    drawn_by(page, "page")
    page.context.set_offline(True)
    data = downloaded(page)
    page.context.set_offline(False)
    return data


def seen(data: bytes) -> np.ndarray:
    """A downloaded picture in the generator's own size."""
    return np.asarray(Image.open(io.BytesIO(data)))[::16, ::16]


# Links -----------------------------------------------------------------------------------------------------------


def wave(count: int, k: int) -> str:
    """Some vector, as links hold them."""
    return in_base64(packed(0.2 * torch.sin(torch.linspace(0, 9 * k, count))))


# Every kind of edit, of weights with classes and without.
LINKS = [
    "w=mnist&seed=5",
    f"w=mnist&seed=7&m=3:0.7,12:0.4&u=thickness:1.5:{wave(164, 1)},class-3:0.5:{wave(164, 2)}:g&lock=thickness&psi=0.6",
    f"w=mnist&seed=7&d=0:2,3:-1.25&z=4:1.5,120:-2&from={wave(164, 3)}",
    "w=mnist&seed=3&psi=0.8&from=tile:17",
    f"w=mnist-conditional&seed=5&c=4&m=5:0.7&z=0:3&u=slant:-2:{wave(64, 4)}&mix=9:0.35",
    "w=mnist-conditional&seed=0&c=7&d=1:3&from=study:27",
]


def test_a_link_gives_the_same_pixels_in_a_new_process_and_a_new_browser(server, visit, tmp_path):
    """Nothing is carried over but the address, not even the folder of runs."""
    digests = [hashlib.sha256(server.pixels(link).tobytes()).hexdigest() for link in LINKS]
    with served(tmp_path) as other:
        for link, wanted in zip(LINKS, digests, strict=True):
            assert hashlib.sha256(other.pixels(link).tobytes()).hexdigest() == wanted
        page = latent(visit, other, LINKS[1])
        expect(part(page, "latent", "picture")).to_have_attribute("data-shows", LINKS[1])
        same(on_canvas(page), server.pixels(LINKS[1])[0, 0])
        page.wait_for_url(lambda url: url.endswith(f"?tab=latent&{LINKS[1]}"))
        page.context.close()


# PNG -------------------------------------------------------------------------------------------------------------


def test_a_downloaded_picture_comes_back_and_files_of_strangers_change_nothing(server, visit):
    page = latent(visit, server, "w=mnist-conditional&seed=5&c=4")
    set_slider(by_key(page, "thickness").locator("input"), 1.55)
    by_key(page, "slant").locator(".gf-lock").click()
    part(page, "latent", "mix-class").select_option("9")
    set_slider(part(page, "latent", "psi"), 0.6)
    shows = wait_for_shown(page, "psi=0.6&mix=9:0.5")
    file = downloaded(page)
    np.testing.assert_array_equal(seen(file), server.pixels(shows)[0, 0])

    there = latent(visit, server, "w=mnist&seed=1&psi=0.5")
    drop(there, file)
    there.wait_for_selector(f'{PICTURE}[data-shows="{shows}"]')
    said(there, "is back")
    expect(there.locator(css("latent", "drop"))).to_be_hidden()
    same(on_canvas(there), seen(file))
    np.testing.assert_array_equal(seen(downloaded(there)), seen(file))
    expect(by_key(there, "thickness").locator("input")).to_have_value("1.55")
    there.wait_for_url(lambda url: url.endswith(shows))

    part(there, "latent", "reset").click()
    there.wait_for_selector(f'{PICTURE}[data-shows="w=mnist-conditional&seed=5&c=4"]')
    part(there, "latent", "file").set_input_files([upload("picture.png", file)])
    there.wait_for_selector(f'{PICTURE}[data-shows="{shows}"]')
    part(there, "latent", "undo").click()
    there.wait_for_selector(f'{PICTURE}[data-shows="w=mnist-conditional&seed=5&c=4"]')
    part(there, "latent", "find").locator("summary").click()
    part(there, "latent", "find-file").set_input_files([upload("picture.png", file)])
    there.wait_for_selector(f'{PICTURE}[data-shows="{shows}"]')

    visit.expect("ERR_INTERNET_DISCONNECTED")
    made_here = downloaded_without_server(there)
    assert origin(made_here) == origin(file)
    same(seen(made_here)[:, :, 0], seen(file))

    visit.expect("status of 400", "status of 404")
    nothing_changes(page)
    drop(page, made_here)
    said(page, "“picture.png” is back.")
    drop(page, signed(json.dumps(origin(file) | {"digest": "0" * 32})))
    said(page, "its weights have changed since")
    open_tab(page, "how")
    assert page.evaluate(_HELD)  # nowhere a file takes the place of the page


def origin(file: bytes) -> dict[str, Any]:
    return json.loads(Image.open(io.BytesIO(file)).text["gan-forge"])


def signed(*texts: str, compressed: bool = False) -> bytes:
    """A small PNG with these words in it."""
    out, info = io.BytesIO(), PngInfo()
    for text in texts:
        info.add_text("gan-forge", text, zip=compressed)
    Image.new("L", (28, 28)).save(out, "PNG", pnginfo=info)
    return out.getvalue()


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("L", (28, 28)).save(out, "JPEG")
    return out.getvalue()


def longer_than_the_file() -> bytes:
    """A chunk that promises four gigabytes."""
    return signed("{}")[:33] + struct.pack(">I", 0xFFFFFFFF) + b"tEXt" + b"gan-forge\0{}"


def with_wrong_checksum() -> bytes:
    data = bytearray(signed("{}"))
    data[29] ^= 1
    return bytes(data)


def bomb() -> bytes:
    """Compressed words that stand for ten megabytes."""
    plain = signed()
    body = b"zTXt" + b"gan-forge\0\0" + zlib.compress(b" " * 10_000_000)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return plain[:33] + chunk + plain[33:]


GOOD = {"program": "GAN Forge", "version": 1, "weights": "mnist", "digest": "0" * 32, "query": "seed=1"}
STRANGE = "What this PNG says about its origin cannot be read"
HOSTILE = {
    "a PNG from elsewhere": (png(1), "does not say how it was made"),
    "cut off": (signed(json.dumps(GOOD))[:-20], "damaged"),
    "only a beginning": (signed("{}")[:11], "damaged"),
    "a wrong checksum": (with_wrong_checksum(), "damaged"),
    "a chunk longer than the file": (longer_than_the_file(), "damaged"),
    "words twice": (signed("{}", "{}"), "damaged"),
    "words too long": (signed("x" * 70_000), "damaged"),
    "compressed words": (bomb(), "does not say how it was made"),
    "a JPEG": (jpeg(), "“picture.png” is neither a PNG nor weights (.safetensors)"),
    "nothing": (b"", "is neither a PNG nor weights"),
    "too large": (png(1) + bytes(5 << 20), "at most 4 MB"),
    "no JSON": (signed("<img src=x onerror=alert(1)>"), STRANGE),
    "a list": (signed("[1]"), STRANGE),
    "deep": (signed("[" * 30_000), STRANGE),
    "another program": (signed(json.dumps(GOOD | {"program": "x"})), STRANGE),
    "another version": (signed(json.dumps(GOOD | {"version": "<b>2</b>"})), "format <b>2</b>"),
    "numbers for words": (signed(json.dumps(GOOD | {"query": 5})), STRANGE),
    "markup for an id": (signed(json.dumps(GOOD | {"weights": "<script>alert(1)</script>"})), STRANGE),
    "another address": (signed(json.dumps(GOOD | {"query": "seed=1&w=mnist-conditional"})), STRANGE),
    "unknown weights": (signed(json.dumps(GOOD | {"weights": "run-gone"})), "weights “run-gone”, which cannot be had"),
    "a seed of markup": (signed(json.dumps(GOOD | {"query": "seed=%3Cb%3E"})), "not '<b>'"),
    "a query for others": (signed(json.dumps(GOOD | {"query": "seed=1&c=3"})), "have no classes"),
    "a vector for others": (signed(json.dumps(GOOD | {"query": "seed=1&from=AAAA"})), "cannot be read"),
}


def nothing_changes(page: Any) -> None:
    """Every hostile file gets its sentence."""
    before = part(page, "latent", "picture").get_attribute("data-shows"), on_canvas(page)
    toast = page.locator(".gf-toast-text")
    for name, (data, words) in HOSTILE.items():
        drop(page, data)
        expect(toast, name).to_contain_text(words)
        assert toast.locator("*").count() == 0  # words stay words
        toast.evaluate("element => { element.textContent = '' }")
    assert part(page, "latent", "picture").get_attribute("data-shows") == before[0]
    np.testing.assert_array_equal(on_canvas(page), before[1])


# A file held over the page; whether the page would take it.
_HELD = """() => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(['x'], 'x.png'));
  const event = new DragEvent('dragover', {bubbles: true, cancelable: true, dataTransfer});
  document.body.dispatchEvent(event);
  return event.defaultPrevented;
}"""


# Any picture of the page -----------------------------------------------------------------------------------------


def test_any_picture_of_the_page_opens_in_latent_sliders(server, visit, class_run):
    page = visit(server.url(f"?tab=train&run={class_run}"))
    tile = page.locator("#gf-tab-train .gf-tile")
    expect(tile).to_be_visible()
    step = server.get(f"runs/{class_run}")["step"]
    frame = server.fetch(f"runs/{class_run}/frames/{step}")[1]
    tiles = split_grid(frame, 40, 10, 28, 1)[:, 0]

    tile.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    expect(tile).to_have_attribute("aria-label", "Open picture 14 in Latent sliders")
    page.keyboard.press("Enter")
    shows = f"w=run-{class_run}&seed=0&c=3&from=tile:13"
    page.wait_for_selector(f'{PICTURE}[data-shows="{shows}"]')
    same(on_canvas(page), tiles[13])
    same(server.pixels(shows)[0, 0], tiles[13])
    expect(part(page, "latent", "found-words")).to_contain_text("picture 14 of those that a run with seed 0 shows")
    expect(part(page, "latent", "drawn")).to_have_attribute("data-by", "page")
    same(on_canvas(page), tiles[13])

    for _ in range(2):  # a path begins with two pictures
        part(page, "latent", "send").click()
    part(page, "latent", "surprise").evaluate("button => button.click()")
    page.wait_for_selector(css("interpolation", "view") + ":not([aria-busy])")
    part(page, "interpolation", "to-sliders").click()
    page.wait_for_selector(f'{PICTURE}[data-shows="{shows}"]')

    open_tab(page, "train")
    part(page, "train", "compare").click()
    sheet = page.locator("#gf-tab-compare .gf-compare-sheet")
    expect(sheet.locator("canvas")).to_have_attribute("data-step", str(step))
    sheet.click(position={"x": 5, "y": 5})
    page.wait_for_selector(f'{PICTURE}[data-shows="w=run-{class_run}&seed=0&c=0&from=tile:0"]')
    same(on_canvas(page), tiles[0])


# Python ----------------------------------------------------------------------------------------------------------


LONG = "x" * 243 + ".safetensors"  # 255 characters, the most that a system allows


def test_a_file_of_weights_keeps_its_name(server, visit, class_run):
    """In the menu and in what is copied as Python, also when the page was loaded again."""
    page = latent(visit, server, f"w=run-{class_run}")
    chosen = part(page, "latent", "weights").locator("option:checked")
    _, data = server.fetch(f"runs/{class_run}/download/weights.safetensors")
    for name in ("my bear's (1).safetensors", 'öl "quoted" 猫.safetensors', LONG):
        part(page, "latent", "file").set_input_files([upload(name, data, "")])
        expect(chosen).to_have_text(name)
        page.wait_for_url(re.compile("w=file-"))
        for _ in range(2):
            part(page, "latent", "python").click()
            lines = part(page, "latent", "python-code")
            expect(lines).to_be_visible()
            assert f"weights = {json.dumps(name, ensure_ascii=False)}  # the weights file" in lines.input_value()
            page.reload()
            page.wait_for_selector(PICTURE + "[data-shows]")
            expect(chosen).to_have_text(name)


def test_copied_python_draws_the_picture_of_a_run_elsewhere(server, visit, tmp_path, class_run):
    """That of shipped weights: tests/test_draw.py."""
    page = latent(visit, server, f"w=run-{class_run}&seed=5&c=4&psi=0.7&mix=2:0.25")
    set_slider(by_key(page, "1").locator("input"), -1.35)
    shows = wait_for_shown(page, "d=1:-1.35")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    part(page, "latent", "python").click()
    lines, about = part(page, "latent", "python-code"), part(page, "latent", "python-about")
    expect(about).to_contain_text("Copied.")
    code = lines.input_value()
    assert page.evaluate("navigator.clipboard.readText()") == code
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    part(page, "latent", "python-copy").click()
    expect(about).to_contain_text("Ctrl+C")
    assert lines.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)") == code
    page.keyboard.press("Escape")
    expect(part(page, "latent", "python-dialog")).to_be_hidden()

    headers, data = server.fetch(f"runs/{class_run}/download/weights.safetensors")
    file = headers["Content-Disposition"].split('"')[1]
    assert f'weights = "{file}"  # in the run' in code
    (tmp_path / file).write_bytes(data)
    (tmp_path / "paste.py").write_text(code + "open('pixels', 'wb').write(picture.pixels.tobytes())\n")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "paste.py"], cwd=tmp_path, env=environment, check=True)
    assert Path(tmp_path, "pixels").read_bytes() == server.pixels(shows).tobytes()
    np.testing.assert_array_equal(seen((tmp_path / "gan-forge-5.png").read_bytes()), server.pixels(shows)[0, 0])
