"""A real browser drags the sliders and walks the path; the canvas must show what the server draws for that state."""

from __future__ import annotations

import io
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan import weights as files
from tests.test_render import make

sync_api = pytest.importorskip("playwright.sync_api")
ROOT = Path(__file__).resolve().parents[2]

_SERVE = """
import sys; from pathlib import Path; import gan.web.serve as s
s.WEIGHTS = Path(sys.argv[2]) / "weights"
s.serve("127.0.0.1", int(sys.argv[1]), Path(sys.argv[2]) / "runs", 1)
"""

PICTURE = '.gf-latent [data-gf="picture"]'
READ = """canvas => Array.from(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data)
.filter((_, i) => i % 4 === 0)"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (folder / "weights").mkdir()
    files.save(folder / "weights" / "mnist-conditional.safetensors", make())
    files.save(folder / "weights" / "plain.safetensors", make("quick"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-c", _SERVE, str(port), str(folder)], cwd=ROOT)
    try:
        yield wait_for(f"http://127.0.0.1:{port}/", server)
    finally:
        server.terminate()
        server.wait(30)


def wait_for(address: str, server: subprocess.Popen) -> str:
    for _ in range(240):
        assert server.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(address + "gradio_api/gan/weights", timeout=2).read()
            return address
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the server did not start")


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        try:
            found = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except sync_api.Error as error:
            pytest.skip(f"no browser: {error}")
        yield browser
        browser.close()


@pytest.fixture
def open_page(address, browser):
    contexts, problems = [], []

    def open_page(query: str, **options):
        context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: problems.append(request.url) if foreign(request.url, address) else None)
        page.goto(address + query)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems


def foreign(url: str, address: str) -> bool:
    return not url.startswith((address, "data:", "blob:"))


def pixels(page, selector: str) -> np.ndarray:
    return np.array(page.locator(selector).first.evaluate(READ), np.uint8)


def drawn(address: str, query: str) -> np.ndarray:
    """What the server draws for a query."""
    data = urllib.request.urlopen(f"{address}gradio_api/gan/pixels?{query}").read()
    return np.frombuffer(data, np.uint8)[: 28 * 28]


def settled(page) -> str:
    """Wait until pictures and address rest; returns the query of the picture shown."""
    page.wait_for_selector(f"{PICTURE}[data-shows]", timeout=60_000)
    before = ""
    for _ in range(40):
        page.wait_for_timeout(400)
        now = page.locator(PICTURE).get_attribute("data-shows") + page.evaluate("location.search")
        if now == before:
            break
        before = now
    return page.locator(PICTURE).get_attribute("data-shows")


def test_after_a_fast_drag_the_picture_is_the_final_one(open_page, address):
    page = open_page("?tab=latent&w=mnist-conditional&seed=3&c=5")
    settled(page)
    box = page.locator("#gf-direction-0").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    for i in range(50):
        page.mouse.move(box["x"] + 10 + (i * 37) % (box["width"] - 20), middle)
    page.mouse.up()
    query = settled(page)
    value = float(page.locator("#gf-direction-0").input_value())
    assert f"d=0:{value:g}" in query and value != 0
    assert np.array_equal(pixels(page, PICTURE), drawn(address, query))


def test_arrow_keys_move_a_slider_and_reset_brings_it_back(open_page):
    page = open_page("?tab=latent&w=mnist-conditional&seed=3&c=5")
    before = settled(page)
    page.locator("#gf-direction-2").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert "d=2:0.15" in settled(page)
    page.locator('.gf-latent [data-gf="reset"]').click()
    assert settled(page) == before


def test_a_neighbour_can_be_clicked_linked_and_left_again(open_page):
    page = open_page("?tab=latent&w=plain&seed=8")
    first = settled(page)
    wanted = pixels(page, ".gf-near:nth-of-type(5) canvas")
    page.locator(".gf-near").nth(4).click()
    settled(page)
    assert np.array_equal(pixels(page, PICTURE), wanted)
    linked = open_page(page.evaluate("location.search"))
    settled(linked)
    assert np.array_equal(pixels(linked, PICTURE), wanted)
    linked.locator('.gf-latent [data-gf="back"]').click()
    assert settled(linked) == first


def test_a_single_number_can_be_held_and_let_go_with_the_keyboard(open_page):
    page = open_page("?tab=latent&w=plain&seed=8")
    first = settled(page)
    page.locator('.gf-latent [data-gf="raw"] summary').click()
    page.wait_for_selector(".gf-fader[data-value]")
    assert page.locator(".gf-fader").count() == 64
    page.locator(".gf-fader").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert "&z=1:" in settled(page)
    page.keyboard.press("Delete")
    assert settled(page) == first


def test_what_is_not_a_weights_file_is_refused_in_words(open_page):
    page = open_page("?tab=latent&w=plain")
    settled(page)
    bad = {"name": "bad.safetensors", "mimeType": "application/octet-stream", "buffer": b"not weights" * 9}
    page.locator('.gf-latent [data-gf="file"]').set_input_files(bad)
    page.get_by_text("This is not a weights file").wait_for()


def test_picture_and_slider_are_on_a_phones_screen_together(open_page):
    page = open_page("?tab=latent&w=plain", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    settled(page)
    slider = page.locator("#gf-direction-7")
    slider.evaluate("slider => slider.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(300)
    picture, box = page.locator(PICTURE).bounding_box(), slider.bounding_box()
    assert picture["y"] >= 0 and picture["y"] + picture["height"] <= box["y"] <= 844 - box["height"]
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_path_is_shown_sought_and_downloaded(open_page, address):
    page = open_page("?tab=interpolation&w=mnist-conditional&a=3:3&b=8:8&frames=12")
    page.wait_for_selector('[data-gf="stage"][data-frame]', timeout=60_000)
    ends = ((".gf-end[data-end='a']", "seed=3&c=3"), (".gf-end[data-end='b']", "seed=8&c=8"))
    for selector, query in ends:
        end = pixels(page, f'{selector} [data-gf="picture"]')
        assert np.array_equal(end, drawn(address, f"w=mnist-conditional&{query}"))
    page.locator('.gf-player [data-gf="play"]').click()
    page.locator('.gf-player [data-gf="position"]').focus()
    page.keyboard.press("End")
    assert page.locator('.gf-player [data-gf="stage"]').get_attribute("data-frame") == "11"
    with page.expect_download() as download:
        page.locator('[data-gf="gif"]').click()
    film = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert film.n_frames == 2 * 12 - 2


def test_a_picture_made_with_sliders_becomes_an_end_of_the_path(open_page):
    page = open_page("?tab=latent&w=mnist-conditional&seed=3&c=5&d=0:2&z=4:1")
    settled(page)
    wanted = pixels(page, PICTURE)
    page.locator('.gf-latent [data-gf="send"][data-end="b"]').click()
    page.wait_for_selector('[data-gf="stage"][data-frame]', timeout=60_000)
    assert np.array_equal(pixels(page, '.gf-end[data-end="b"] [data-gf="picture"]'), wanted)
    assert "bd=0:2" in page.evaluate("location.search")
