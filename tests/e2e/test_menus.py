"""What opens over the page opens where it can be seen and pressed, and what comes for a moment moves nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import TINY, css, look, opened, part, press_train, set_slider, wait_for_status, wait_for_step
from tests.e2e.test_screens import PHONE, reachable

pytestmark = pytest.mark.thorough  # beside the main journeys, which a plain run takes

WINDOWS = [(390, 844), (1024, 768), (1280, 800), (1920, 1080)]
NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined })"


def stopped_run(page: Any) -> None:
    """A run of this page that has ended, on its Train tab."""
    press_train(page)
    wait_for_step(page, 20)
    part(page, "train", "stop").click()
    wait_for_status(page, "stopped")


def all_reachable(page: Any, items: Any) -> None:
    expect(items.first).to_be_visible()
    for number in range(items.count()):
        if items.nth(number).is_visible():
            reachable(page, items.nth(number))


def test_menus_open_in_sight(server, visit):
    page = visit(server.url())
    stopped_run(page)
    more = page.locator("#gf-tab-train .gf-run-more").first
    tools = page.locator("#gf-tab-train .gf-run-tools")
    for width, height in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        more.scroll_into_view_if_needed()
        more.click()
        all_reachable(page, tools.locator("button"))
        expect(more).to_be_focused()
        tools.locator("button").first.click()  # Rename
        all_reachable(page, tools.locator("input, button"))
        page.keyboard.press("Escape")
        more.click()
        expect(tools).to_have_count(0)
        menu = part(page, "train", "download")
        menu.locator("summary").click()
        all_reachable(page, menu.locator("a"))
        page.keyboard.press("Escape")
        expect(menu.locator("summary")).to_be_focused()
        expect(part(page, "train", "scrub")).not_to_have_attribute("max", "0")  # there is an earlier moment
        set_slider(part(page, "train", "scrub"), 0)
        part(page, "train", "from-here").click()
        all_reachable(page, part(page, "train", "from-box").locator("button"))
        part(page, "train", "title").click()
        expect(part(page, "train", "from-box")).not_to_have_attribute("open", "")


def test_the_export_menu_opens_in_sight(server, visit, class_run):
    page = visit(server.url(f"?tab=interpolation&w=run-{class_run}"))
    page.wait_for_selector(css("interpolation", "view") + ":not([aria-busy])")
    for width, height in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        part(page, "interpolation", "export").locator("summary").click()
        all_reachable(page, part(page, "interpolation", "export").locator("a, select"))
        page.keyboard.press("Escape")


@pytest.mark.parametrize("options", [{}, PHONE], ids=["window", "phone"])
def test_the_click_after_copy_link_is_not_lost(server, visit, class_run, options):
    """Where the browser keeps the clipboard closed, the link lies selected over the page."""
    page = visit("about:blank", **options)
    page.add_init_script(NO_CLIPBOARD)
    page.goto(server.url(f"?tab=latent&w=run-{class_run}"), wait_until="commit")
    page.wait_for_selector(css("latent", "picture") + "[data-shows]")
    png = part(page, "latent", "png")
    png.scroll_into_view_if_needed()
    before = png.bounding_box()
    part(page, "latent", "copy-link").click()
    field = page.locator(".gf-link-field")
    expect(field).to_be_focused()
    expect(field).to_have_value(re.compile(rf"tab=latent&w=run-{class_run}"))
    assert field.evaluate("field => field.selectionEnd - field.selectionStart") == len(field.input_value())
    reachable(page, field)
    expect(page.locator(".gf-link-box")).to_contain_text("Ctrl+C")
    after = png.bounding_box()
    assert (after["x"], after["width"]) == (before["x"], before["width"])
    with page.expect_download() as download:
        png.click()
    assert download.value.suggested_filename.endswith(".png")
    expect(field).to_have_count(0)


# The keyboard ----------------------------------------------------------------------------------------------------


def test_tabs_are_one_stop_and_take_arrow_keys(server, visit):
    page = opened(visit(server.url()))
    selected = page.get_by_role("tab", selected=True)
    selected.focus()
    for key, name in [
        ("ArrowRight", "Compare"),
        ("End", "How it works"),
        ("ArrowRight", "Train"),
        ("ArrowLeft", "How it works"),
    ]:
        page.keyboard.press(key)
        expect(selected).to_have_text(name)
        expect(selected).to_be_focused()
        expect(page.locator('[role="tab"][tabindex="0"]')).to_have_text([name])
    assert page.locator('[role="tab"][tabindex="-1"]').count() >= 4
    page.keyboard.press("Home")
    expect(selected).to_have_text("Train")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") != "tab"


def test_after_train_the_keyboard_is_at_pause(server, visit):
    page = opened(visit(server.url(f"?recipe=dense&k.batch={TINY['batch']}&k.total_steps={TINY['total_steps']}")))
    part(page, "train", "train").focus()
    page.keyboard.press("Enter")
    wait_for_status(page, "running")
    expect(part(page, "train", "pause")).to_be_focused()
    page.keyboard.press("Enter")
    wait_for_status(page, "paused")


def test_sliders_come_before_the_neighbours_and_their_values_have_names(server, visit, class_run):
    page = visit(server.url(f"?tab=latent&w=run-{class_run}"))
    page.wait_for_selector(css("latent", "picture") + "[data-shows]")
    assert page.evaluate("""() => {
        const part = (name) => document.querySelector(`#gf-tab-latent [data-gf="${name}"]`);
        return Boolean(part('spread').compareDocumentPosition(part('near')) & Node.DOCUMENT_POSITION_FOLLOWING);
    }""")
    row = page.locator('#gf-tab-latent .gf-direction[data-key="0"]')
    expect(row.locator("input")).to_be_enabled()
    set_slider(row.locator("input"), 1.5)
    expect(row.locator(".gf-value")).to_have_accessible_name(re.compile(r"^Direction 1: \+?1\.50, set to zero$"))


# Who watches -----------------------------------------------------------------------------------------------------


def test_the_bar_of_a_watcher_says_what_is_watched(server, visit):
    run = server.train("dense", total_steps=100_000)
    page = visit(server.url(f"?tab=train&run={run}", "visitor.test"), **PHONE)
    wait_for_status(page, "running")
    bar = part(page, "train", "bar")
    expect(bar).to_contain_text(re.compile(r"Watching · \d+\.\d % · training"))
    expect(bar).to_contain_text(server.get(f"runs/{run}")["title"])
    expect(bar.get_by_role("button")).to_have_count(0)
    train = part(page, "train", "train")
    train.scroll_into_view_if_needed()
    reachable(page, train)  # in the form it is still there
    server.command(run, "pause")
    expect(bar).to_contain_text("paused")
    assert look(page, "print", css("train", "fake"))
