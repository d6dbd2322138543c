"""The Interpolation tab: a filmstrip, a player, and films to take home."""

from __future__ import annotations

import io
from typing import Any

import av
import numpy as np
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.conftest import STRANGER, css, look, part, same, set_slider

FRAMES = 12
STAGE = css("interpolation", "stage")
ENDS = [f'#gf-tab-interpolation [data-end="{end}"] canvas' for end in "ab"]


def path_page(visit: Any, server: Any, query: str, **host: str) -> Any:
    """A page whose Interpolation tab shows a path."""
    page = visit(server.url(f"?tab=interpolation&{query}", **host))
    page.wait_for_selector("#gf-tab-interpolation [data-shows]")
    return page


def rest(page: Any) -> None:
    play = part(page, "interpolation", "play")
    if play.get_attribute("data-playing") == "true":
        play.click()
    expect(play).to_have_attribute("data-playing", "false")


def small(page: Any, selector: str) -> np.ndarray:
    """The grey picture of a canvas that has one pixel for each of the picture's."""
    return np.array(look(page, "red", selector), np.uint8).reshape(28, 28)


def strip(page: Any) -> list[np.ndarray]:
    """The middle of every picture on the filmstrip, uint8 [12, 12]: the border may be marked."""
    canvas = part(page, "interpolation", "strip")
    width, height = canvas.evaluate("canvas => [canvas.width, canvas.height]")
    sheet = np.array(look(page, "red", css("interpolation", "strip")), np.uint8).reshape(height, width)
    assert (width + 4) % FRAMES == 0, "twelve pictures lie in one row"
    middles = [int((pixel + 0.5) * height / 28) for pixel in range(8, 20)]
    tiles = [sheet[:, i * (height + 4) :][:, :height] for i in range(FRAMES)]
    return [tile[middles][:, middles] for tile in tiles]


def test_filmstrip_shows_the_path(server, visit, class_run):
    query = f"w=run-{class_run}&a=1:2&b=5:7"
    page = path_page(visit, server, f"{query}&frames={FRAMES}")
    rest(page)
    expect(part(page, "interpolation", "frames-value")).to_have_text(str(FRAMES))
    path = server.pixels(f"{query}&mode=slerp&frames={FRAMES}", "path")[:, 0]
    for shown, wanted in zip(strip(page), path, strict=True):
        same(shown, wanted[8:20, 8:20])

    a, b = server.pixels(f"w=run-{class_run}&seed=1&c=2")[0, 0], server.pixels(f"w=run-{class_run}&seed=5&c=7")[0, 0]
    assert not np.array_equal(a, b)
    for selector, end, position in zip(ENDS, (a, b), (0, FRAMES - 1), strict=True):
        same(small(page, selector), end)
        set_slider(part(page, "interpolation", "position"), position)
        expect(part(page, "interpolation", "stage")).to_have_attribute("data-frame", str(position))
        same(small(page, STAGE), end)


def test_link_shows_the_same_path(server, visit, plain_run):
    page = path_page(visit, server, f"w=run-{plain_run}&a=1&b=5&frames=6")
    part(page, "interpolation", "modes").locator('[data-mode="lerp"]').click()
    seed = page.locator("#gf-end-b")
    seed.fill("77")
    set_slider(part(page, "interpolation", "frames"), 9)
    page.wait_for_selector('#gf-tab-interpolation [data-shows$="a=1&b=77&mode=lerp&frames=9"]')
    page.wait_for_url(lambda url: url.endswith("&a=1&b=77&mode=lerp&frames=9"))
    there = path_page(visit, server, page.url.partition("tab=interpolation&")[2], host=STRANGER)
    for here in (page, there):
        rest(here)
        set_slider(part(here, "interpolation", "position"), 4)
        expect(part(here, "interpolation", "position-value")).to_have_text("5 / 9")
    same(small(there, STAGE), small(page, STAGE))
    middle = server.pixels(f"w=run-{plain_run}&a=1&b=77&mode=lerp&frames=9", "path")[4, 0]
    same(small(there, STAGE), middle)


def test_player_plays(server, visit, class_run):
    page = path_page(visit, server, f"w=run-{class_run}&a=1:2&b=5:7&frames={FRAMES}")
    rest(page)
    set_slider(part(page, "interpolation", "position"), 0)
    first = look(page, "print", STAGE)
    part(page, "interpolation", "play").click()
    frame = f"Number(document.querySelector('{STAGE}').dataset.frame)"
    page.wait_for_function(f"{frame} >= 3")  # there ...
    page.wait_for_function(f"{frame} < 3")  # ... and back
    page.wait_for_function(f"{frame} >= 3")
    rest(page)
    before = part(page, "interpolation", "stage").get_attribute("data-frame")
    page.evaluate("async () => { for (let i = 0; i < 30; i++) await new Promise(requestAnimationFrame) }")
    expect(part(page, "interpolation", "stage")).to_have_attribute("data-frame", before)
    assert look(page, "print", STAGE) != first or before == "0"


def test_films_are_downloaded(server, visit, class_run):
    page = path_page(visit, server, f"w=run-{class_run}&a=1:2&b=5:7&frames=6")
    gif = downloaded(page, server, "gif", "image/gif")
    with Image.open(io.BytesIO(gif)) as film:
        assert (film.format, film.n_frames, film.size) == ("GIF", 6 + 4, (280, 280))  # there and back
    page.get_by_label("There and back").uncheck()
    mp4 = downloaded(page, server, "mp4", "video/mp4")
    with av.open(io.BytesIO(mp4)) as film:
        assert len(list(film.decode(video=0))) == 6


def downloaded(page: Any, server: Any, button: str, kind: str) -> bytes:
    with page.expect_download() as download:
        part(page, "interpolation", button).click()
    data = download.value.path().read_bytes()
    address = part(page, "interpolation", button).get_attribute("href")
    headers, _ = server.fetch(address.partition("/gradio_api/gan/")[2])
    assert headers["Content-Type"] == kind
    return data


def test_sliders_send_a_picture_to_the_path(server, visit, plain_run):
    page = visit(server.url(f"?tab=latent&w=run-{plain_run}&seed=4&d=0:1.5"))
    page.wait_for_selector(css("latent", "picture") + "[data-shows]")
    here = small(page, css("latent", "picture"))
    page.locator(css("latent", "send") + '[data-end="b"]').click()
    page.wait_for_selector('#gf-tab-interpolation [data-shows*="bd=0:1.5"]')
    same(small(page, ENDS[1]), here)
    expect(page.get_by_role("tab", selected=True)).to_have_text("Interpolation")
