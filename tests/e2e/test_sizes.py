"""Pictures of 64 pixels a side in colour, in every tab and at every width: whole, undistorted, crisp unless somebody
wants them smooth, and small on the way to the page."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from gan.core.images import is_webp
from tests.conftest import until
from tests.e2e.conftest import Server, css, look, open_tab, opened, part, press_train
from tests.follow import answer_of

WIDTHS = (390, 820, 1440, 1920)
SIDE = 64
LIVE_BYTES = 60_000
STAGE = css("latent", "picture")
# What is in a tab: pictures that lie outside the window or are distorted, and a window that scrolls sideways.
FAULTS = """() => {
  const shown = [...document.querySelectorAll(".gf-canvas")].filter((c) => c.checkVisibility() && c.width > 1);
  const box = (c) => c.getBoundingClientRect();
  const outside = shown.filter((c) => box(c).left < -1 || box(c).right > innerWidth + 1);
  const distorted = shown.filter((c) => Math.abs(box(c).width / box(c).height / (c.width / c.height) - 1) > 0.05);
  const wide = document.documentElement.scrollWidth > innerWidth ? ["the page"] : [];
  return [...outside, ...distorted].map((c) => c.dataset.gf ?? c.parentElement.className).concat(wide);
}"""


@pytest.fixture(scope="module")
def colour_run(shared_server: Server) -> str:
    """A finished run of 64×64 in colour."""
    return shared_server.finish("dense", "monsters", batch=4, total_steps=12)


def tabs_of(run: str) -> dict[str, tuple[str, str]]:
    """The address of each view, and what is there once it is drawn."""
    row, travelled = f"?tab=interpolation&w=run-{run}&a=1&b=2&c=3&d=4", "#gf-tab-interpolation"
    return {
        "train": (f"?tab=train&run={run}", css("train", "fake")),
        "compare": (f"?tab=compare&runs={run}", "#gf-tab-compare canvas[data-step]"),
        "latent": (f"?tab=latent&w=run-{run}", f"{STAGE}[data-shows]"),
        "walk": (row, f"{travelled} [data-shows]"),
        "map": (f"{row}&show=map", f"{travelled} [data-gf=plane-picture][data-shows]"),
        "sum": (f"{row}&show=sum", f"{travelled} [data-gf=sum][data-shows]"),
        "grid": (f"{row}&show=grid", f"{travelled} [data-gf=grid][data-shows]"),
    }


def at_width(page: Any, width: int) -> None:
    """Resize the window, and wait until everything has been laid out."""
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("view", ["train", "compare", "latent", "walk", "map", "sum", "grid"])
def test_every_tab_shows_them_whole_at_every_width(server, visit, colour_run, view):
    address, drawn = tabs_of(colour_run)[view]
    page = opened(visit(server.url(address), reduced_motion="reduce"))
    page.wait_for_selector(drawn)
    for width in WIDTHS:
        at_width(page, width)
        page.wait_for_function(f"({FAULTS})().length === 0")


def scale_of_stage(page: Any) -> float:
    """Device pixels for each pixel of the picture on the stage."""
    return page.eval_on_selector(STAGE, "(c) => (c.getBoundingClientRect().width * devicePixelRatio) / c.width")


def rendering(page: Any) -> str:
    return page.eval_on_selector(STAGE, "(c) => getComputedStyle(c).imageRendering")


def test_a_picture_is_crisp_until_it_is_to_be_smooth(server, visit, colour_run):
    page = opened(visit(server.url(tabs_of(colour_run)["latent"][0])))
    page.wait_for_selector(f"{STAGE}[data-shows]")
    assert page.eval_on_selector(STAGE, "(c) => [c.width, c.height]") == [SIDE, SIDE]
    crisp = scale_of_stage(page)
    assert rendering(page) == "pixelated" and crisp >= 4 and crisp == round(crisp)

    part(page, "latent", "smooth").check()
    page.wait_for_function(f"getComputedStyle(document.querySelector('{STAGE}')).imageRendering === 'auto'")
    assert crisp <= scale_of_stage(page) < crisp + 1

    page.reload()  # it is remembered
    opened(page)
    page.wait_for_selector(f"{STAGE}[data-shows]")
    expect(part(page, "latent", "smooth")).to_be_checked()
    assert rendering(page) == "auto"


def test_the_choice_holds_in_every_tab(server, visit, colour_run):
    page = opened(visit(server.url(tabs_of(colour_run)["train"][0]), reduced_motion="reduce"))
    fake = css("train", "fake")
    page.wait_for_function(f"document.querySelector('{fake}').getContext('2d').imageSmoothingEnabled === false")
    sharp = look(page, "print", fake)
    part(page, "train", "smooth").check()
    page.wait_for_function(f"document.querySelector('{fake}').getContext('2d').imageSmoothingEnabled")
    page.wait_for_function("([canvas, sharp]) => gfTest.print(canvas) !== sharp", arg=[fake, sharp])
    for tab in ("compare", "latent", "interpolation"):
        open_tab(page, tab)
        expect(part(page, tab, "smooth")).to_be_checked()
    part(page, "interpolation", "smooth").uncheck()
    open_tab(page, "train")
    expect(part(page, "train", "smooth")).not_to_be_checked()
    page.wait_for_function("([canvas, sharp]) => gfTest.print(canvas) === sharp", arg=[fake, sharp])


def test_what_is_sent_while_it_learns_is_small(server, visit):
    page = opened(visit(server.url("?recipe=dense&dataset=monsters&k.batch=4")))
    run = press_train(page, "dense")
    until(lambda: server.follow(run).get("snapshot", {"step": 0})["step"] >= 3)
    line, picture = answer_of(server.fetch(f"runs/{run}/follow?since=")[1])
    assert line["picture"]["webp"] and is_webp(picture) and len(picture) <= LIVE_BYTES
    steps = line["records"]["frames"]["step"]
    frame = server.fetch(f"runs/{run}/frames/{steps[0]}")[1]
    assert is_webp(frame) and len(frame) <= LIVE_BYTES
    page.wait_for_function("canvas => gfTest.coloured(canvas) > 0", arg=css("train", "fake"))
