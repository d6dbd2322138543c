"""The Interpolation tab: pictures, the path through them, a player, and files to take home."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import av
import numpy as np
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.conftest import STRANGER, css, grey_of, look, part, same, set_slider
from tests.e2e.test_screens import PHONE

FRAMES = 12
STAGE = css("interpolation", "stage")
THUMBS = css("interpolation", "keyframes") + " button"


def path_page(visit: Any, server: Any, query: str, **host: str) -> Any:
    """A page whose Interpolation tab shows a path."""
    page = visit(server.url(f"?tab=interpolation&{query}", **host))
    page.wait_for_selector("#gf-tab-interpolation [data-shows]")
    return page


def shows(page: Any, ending: str) -> None:
    """Wait until the path that is drawn is this one."""
    page.wait_for_selector(f'#gf-tab-interpolation [data-shows$="{ending}"]')


def rest(page: Any) -> None:
    play = part(page, "interpolation", "play")
    if play.get_attribute("data-playing") == "true":
        play.click()
    expect(play).to_have_attribute("data-playing", "false")


def seek(page: Any, position: int) -> np.ndarray:
    """The picture on the stage there."""
    set_slider(part(page, "interpolation", "position"), position)
    expect(part(page, "interpolation", "stage")).to_have_attribute("data-frame", str(position))
    return grey_of(page, STAGE)


def thumb(page: Any, i: int) -> np.ndarray:
    return grey_of(page, f"{THUMBS}:nth-of-type({i + 1}) canvas")


def strip(page: Any) -> list[np.ndarray]:
    """The middle of every picture on the filmstrip, uint8 [12, 12]: the border may be marked."""
    canvas = part(page, "interpolation", "strip")
    columns = int(canvas.get_attribute("data-columns"))
    sheet = grey_of(page, css("interpolation", "strip"))
    tile = (sheet.shape[1] + 4) // columns - 4
    middles = [int((pixel + 0.5) * tile / 28) for pixel in range(8, 20)]
    places = [((i // columns) * (tile + 4), (i % columns) * (tile + 4)) for i in range(FRAMES)]
    return [sheet[top:, left:][middles][:, middles] for top, left in places]


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
    for i, (end, position) in enumerate(((a, 0), (b, FRAMES - 1))):
        same(thumb(page, i), end)
        same(seek(page, position), end)


def test_link_shows_the_same_path(server, visit, plain_run):
    page = path_page(visit, server, f"w=run-{plain_run}&a=1&b=5&frames=6")
    part(page, "interpolation", "modes").locator('[data-mode="lerp"]').click()
    page.locator(THUMBS).nth(1).click()
    page.locator("#gf-keyframe-seed").fill("77")
    set_slider(part(page, "interpolation", "frames"), 9)
    shows(page, "a=1&b=77&mode=lerp&frames=9")
    page.wait_for_url(lambda url: url.endswith("&a=1&b=77&mode=lerp&frames=9"))
    there = path_page(visit, server, page.url.partition("tab=interpolation&")[2], host=STRANGER)
    for here in (page, there):
        rest(here)
        seek(here, 4)
        expect(part(here, "interpolation", "position-value")).to_have_text("5 / 9")
    same(grey_of(there, STAGE), grey_of(page, STAGE))
    middle = server.pixels(f"w=run-{plain_run}&a=1&b=77&mode=lerp&frames=9", "path")[4, 0]
    same(grey_of(there, STAGE), middle)


def test_a_smooth_loop_through_four_pictures(server, visit, class_run):
    """Built by hand, played round and round, and the same after a reload."""
    page = path_page(visit, server, f"w=run-{class_run}&a=1:2&b=5:7&frames=5")
    for seed, label in ((21, 4), (33, 0)):
        part(page, "interpolation", "add").click()
        page.locator("#gf-keyframe-seed").fill(str(seed))
        part(page, "interpolation", "classes").get_by_role("radio").nth(label).click()
    part(page, "interpolation", "earlier").click()
    part(page, "interpolation", "modes").locator('[data-mode="smooth"]').click()
    part(page, "interpolation", "after").select_option("loop")
    query = "a=1:2&b=5:7&c=33:0&d=21:4&mode=smooth&frames=5&loop=1"
    shows(page, query)
    expect(part(page, "interpolation", "count")).to_have_text("· 16")
    path = server.pixels(f"w=run-{class_run}&{query}", "path")[:, 0]

    page.wait_for_url(lambda url: url.endswith(query))
    page.reload()
    shows(page, query)
    expect(page.locator(THUMBS)).to_have_count(4)
    frame = f"Number(document.querySelector('{STAGE}').dataset.frame)"
    for condition in (f"{frame} >= 12", f"{frame} < 4", f"{frame} >= 12"):  # round, not back
        page.wait_for_function(condition)
    rest(page)
    for i in range(4):
        same(thumb(page, i), path[4 * i])
    for i in (2, 6, 15):
        same(seek(page, i), path[i])


def test_pictures_are_removed_and_morph_through_the_classes(server, visit, class_run):
    page = path_page(visit, server, f"w=run-{class_run}&a=1:2&b=5:7&c=8:1&frames=4")
    page.locator(THUMBS).nth(0).click()
    part(page, "interpolation", "remove").click()
    shows(page, "a=5:7&b=8:1&mode=slerp&frames=4")
    expect(part(page, "interpolation", "remove")).to_be_disabled()
    part(page, "interpolation", "morph").click()
    query = "&".join(f"{letter}=5:{c}" for c, letter in enumerate("abcdefghij")) + "&mode=slerp&frames=4&loop=1"
    shows(page, query)
    same(thumb(page, 9), server.pixels(f"w=run-{class_run}&seed=5&c=9")[0, 0])


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


def test_films_sheets_and_latents_are_downloaded(server, visit, class_run):
    page = path_page(visit, server, f"w=run-{class_run}&a=1:2&b=5:7&c=2:2&frames=4")
    for kind, ending in (("GIF", "gif"), ("WEBP", "webp")):
        with Image.open(io.BytesIO(exported(page, ending))) as film:
            assert (film.format, film.n_frames, film.size) == (kind, 7 + 5, (280, 280))  # there and back
    part(page, "interpolation", "after").select_option("again")
    part(page, "interpolation", "export").evaluate("menu => menu.open = true")
    part(page, "interpolation", "scale").select_option(label="56 × 56")
    with av.open(io.BytesIO(exported(page, "mp4"))) as film:
        assert [frame.width for frame in film.decode(video=0)] == [56] * 7
    with Image.open(io.BytesIO(exported(page, "png"))) as sheet:
        assert sheet.size == (3 * 56, 3 * 56)
    drawn = server.pixels(f"w=run-{class_run}&a=1:2&b=5:7&c=2:2&frames=4", "path")
    with zipfile.ZipFile(io.BytesIO(exported(page, "zip"))) as pack:
        assert pack.namelist() == [f"{i:04}.png" for i in range(7)]
        for name, picture in zip(pack.namelist(), drawn, strict=True):
            found = np.asarray(Image.open(pack.open(name)))
            assert np.array_equal(found, picture[0].repeat(2, 0).repeat(2, 1))
    for what, shape in (("z", (7, 16)), ("c", (7, 10))):
        assert np.load(io.BytesIO(exported(page, f'npy"][data-part="{what}')), allow_pickle=False).shape == shape
    page.wait_for_url(re.compile("&scale=2$"))


def exported(page: Any, file: str) -> bytes:
    part(page, "interpolation", "export").evaluate("menu => menu.open = true")
    with page.expect_download() as download:
        page.locator(f'#gf-tab-interpolation [data-file="{file}"]').click()
    return download.value.path().read_bytes()


def test_pictures_go_to_the_path_and_to_the_sliders(server, visit, plain_run):
    page = visit(server.url(f"?tab=latent&w=run-{plain_run}&seed=4&d=0:1.5"))
    page.wait_for_selector(css("latent", "picture") + "[data-shows]")
    here = grey_of(page, css("latent", "picture"))
    part(page, "latent", "send").click()  # one picture is no path yet, and nobody chooses another one
    expect(page.locator(".gf-toast")).to_contain_text("first of the path")
    expect(page.get_by_role("tab", selected=True)).to_have_text("Latent sliders")
    for name in "bc":
        part(page, "latent", "send").click()
        expect(page.locator(THUMBS)).to_have_count("abc".index(name) + 1)
        page.wait_for_selector(f'#gf-tab-interpolation [data-shows*="{name}d=0:1.5"]')
        same(thumb(page, "abc".index(name)), here)
        expect(page.get_by_role("tab", selected=True)).to_have_text("Interpolation")
        page.locator(THUMBS).nth("abc".index(name)).click()
        part(page, "interpolation", "to-sliders").click()
        expect(page.get_by_role("tab", selected=True)).to_have_text("Latent sliders")
        page.wait_for_selector(css("latent", "picture") + '[data-shows*="d=0:1.5"]')


# Map, sum, grid --------------------------------------------------------------------------------------------------

THREE = "a=1:2&b=5:7&c=9:4"
POINT = css("interpolation", "plane-picture")
LATENT = css("latent", "picture")


def view_page(visit: Any, server: Any, query: str, canvas: str, **options: Any) -> Any:
    page = visit(server.url(f"?tab=interpolation&{query}"), **options)
    page.wait_for_selector(css("interpolation", canvas) + "[data-shows]")
    return page


def test_the_point_on_the_map_is_dragged(server, visit, class_run):
    """The large picture follows; it is the server's for the shares in the link, and the link brings the point back."""
    page = view_page(visit, server, f"w=run-{class_run}&{THREE}&show=map", "plane-picture")
    part(page, "interpolation", "plane-pad").hover()
    page.mouse.down()  # from here on the map has the mouse, wherever it is moved to
    pad = part(page, "interpolation", "plane-pad").bounding_box()
    corner = lambda x, y: (pad["x"] + x / 9 * pad["width"], pad["y"] + y / 9 * pad["height"])  # noqa: E731
    for place, shares in (
        ((1.5, 7.5), "1:0:0"),
        ((7.5, 7.5), "0:1:0"),
        ((4.5, 1.5), "0:0:1"),
        ((9, 9), "-0.125:1.375:-0.25"),
    ):
        page.mouse.move(*corner(*place))
        right, top = (float(share) for share in shares.split(":")[1:])
        page.wait_for_selector(f'{POINT}[data-shows="{right:.3f},{top:.3f}"]')
        same(grey_of(page, POINT), server.pixels(f"w=run-{class_run}&{THREE}&shares={shares}", "sums")[0, 0])
    page.mouse.up()
    part(page, "interpolation", "plane-point").press("Home")
    page.wait_for_selector(f'{POINT}[data-shows="0.333,0.333"]')
    part(page, "interpolation", "plane-point").press("Shift+ArrowUp")
    page.wait_for_selector(f'{POINT}[data-shows="0.250,0.500"]')
    page.wait_for_url(re.compile("at=0.25,0.5$"))
    page.reload()
    page.wait_for_selector(f'{POINT}[data-shows="0.250,0.500"]')
    shown = grey_of(page, POINT)
    same(shown, server.pixels(f"w=run-{class_run}&{THREE}&shares=0.25:0.25:0.5", "sums")[0, 0])
    expect(part(page, "interpolation", "plane-point")).to_have_attribute("aria-valuetext", "25 % A, 25 % B, 50 % C")


def test_the_map_of_a_large_network_is_drawn_by_the_server(server, visit, large_run):
    page = view_page(visit, server, f"w=run-{large_run}&a=1&b=2&c=3&show=map", "plane-picture")
    part(page, "interpolation", "plane-point").press("ArrowRight")
    page.wait_for_selector(f'{POINT}[data-shows="0.350,0.333"]')
    shown = grey_of(page, POINT)
    same(shown, server.pixels(f"w=run-{large_run}&a=1&b=2&c=3&shares=0.317:0.35:0.333", "sums")[0, 0])


def test_a_sum_goes_on_in_the_sliders_and_on_the_path(server, visit, class_run, plain_run):
    for query in (f"w=run-{class_run}&{THREE}", f"w=run-{plain_run}&a=1&b=5&c=9"):
        page = view_page(visit, server, f"{query}&show=sum", "sum")
        sum_here = grey_of(page, css("interpolation", "sum"))
        same(sum_here, server.pixels(f"{query}&shares=1:-1:1", "sums")[0, 0])
        part(page, "interpolation", "sum-keep").click()
        expect(page.locator(THUMBS)).to_have_count(4)
        page.wait_for_url(re.compile("dfrom="))
        page.wait_for_function(
            "selector => document.querySelector(selector)?.width === 28", arg=f"{THUMBS}:nth-of-type(4) canvas"
        )
        same(thumb(page, 3), sum_here)
        part(page, "interpolation", "sum-open").click()
        expect(page.get_by_role("tab", selected=True)).to_have_text("Latent sliders")
        page.wait_for_selector(f'{LATENT}[data-shows*="from="]')
        same(grey_of(page, LATENT), sum_here)


def test_a_cell_of_the_grid_goes_on_in_the_sliders(server, visit, class_run):
    page = view_page(visit, server, f"w=run-{class_run}&{THREE}&d=4:0&show=grid&grid=classes", "grid")
    grid = part(page, "interpolation", "grid")
    expect(grid).to_have_attribute("data-shows", "10x4")
    for _ in range(3):
        grid.press("ArrowRight")
    grid.press("ArrowDown")
    expect(grid).to_have_attribute("aria-label", "Row 2, column 4: open in Latent sliders")
    grid.press("Enter")
    page.wait_for_selector(f'{LATENT}[data-shows="w=run-{class_run}&seed=5&c=3"]')
    page.get_by_role("tab", name="Interpolation").click()
    part(page, "interpolation", "grid-kind").select_option("3")
    expect(grid).to_have_attribute("data-shows", "3x3")
    page.wait_for_url(re.compile("show=grid&grid=3$"))
    sheet = grey_of(page, css("interpolation", "grid"))
    step = (len(sheet) + 3) / 3
    middles = [int((pixel + 0.5) * (step - 3) / 28) for pixel in range(28)]
    tile = sheet[int(step) :, int(step) :][middles][:, middles]
    quarter = f"w=run-{class_run}&{THREE}&d=4:0&shares=0.25:0.25:0.25:0.25"
    same(tile, server.pixels(quarter, "sums")[0, 0])


def test_a_view_says_what_it_needs(server, visit, plain_run):
    page = visit(server.url(f"?tab=interpolation&w=run-{plain_run}&a=1&b=2&show=map"))
    expect(part(page, "interpolation", "needs-words")).to_contain_text("three pictures")
    part(page, "interpolation", "needs-add").click()
    page.wait_for_selector(f"{POINT}[data-shows]")
    expect(part(page, "interpolation", "needs")).to_be_hidden()


def test_views_fit_on_a_phone(server, visit, class_run):
    page = view_page(visit, server, f"w=run-{class_run}&{THREE}&d=4:0&show=map", "plane-picture", **PHONE)
    pad, picture = (part(page, "interpolation", name) for name in ("plane-pad", "plane-picture"))
    pad.evaluate("pad => pad.scrollIntoView({block: 'end'})")
    expect(picture).to_be_in_viewport(ratio=1)
    box = pad.bounding_box()
    pad.tap(position={"x": box["width"] * 1.5 / 9, "y": box["height"] * 7.5 / 9})
    page.wait_for_selector(f'{POINT}[data-shows="0.000,0.000"], {POINT}[data-shows="-0.000,0.000"]')
    for show in ("map", "sum", "grid", "walk"):
        part(page, "interpolation", "shows").locator(f'[data-show="{show}"]').tap()
        section = page.locator(f'#gf-tab-interpolation [data-view="{show}"]')
        expect(section).to_be_visible()
        beyond = section.evaluate("""section => [...section.querySelectorAll('*')].filter((element) =>
            element.getBoundingClientRect().right > innerWidth).map((element) => element.className)""")
        assert beyond == [], show
