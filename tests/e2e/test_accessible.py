"""What axe-core finds in the page: nothing that keeps anybody out, in either theme, at a desk and on a phone.

Axe sees names, roles, contrast and the order of headings. What the keyboard does is tested where it is done.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from gan.core.paths import ROOT
from gan.web.page import TABS
from tests.conftest import not_here
from tests.e2e.conftest import (
    STRANGER,
    Server,
    css,
    open_tab,
    opened,
    part,
    served,
    wait_for_picture_of_tab,
    wait_for_status,
)

pytestmark = pytest.mark.slow

SCRIPT = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SCREENS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1440, "height": 900}},
    "phone in the dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}
ENABLED = {"game": "begin", "latent": "near", "interpolation": "weights"}  # when the tab can be used
RUN = """async (root) => {
  const { violations } = await axe.run(root, { resultTypes: ["violations"] });
  return violations.map(({ id, impact, nodes }) => `${impact}: ${id} ${nodes.slice(0, 3).map(({ target }) => target)}`);
}"""


@pytest.fixture(scope="module")
def axe() -> str:
    if not SCRIPT.is_file():
        not_here("axe-core was not found; npm ci installs it.")
    return SCRIPT.read_text(encoding="utf-8")


def found(page: Any, axe: str, root: str = "body") -> list[str]:
    page.evaluate(axe)
    return page.evaluate(RUN, root)


def test_axe_finds_what_is_wrong(axe, browser):
    """A page with faults has findings."""
    page = browser.new_page()
    page.set_content(
        '<html lang="en"><body><main><img src="x.png"><select></select><p style="color:#ccc">words</p></main>'
    )
    names = " ".join(found(page, axe))
    page.close()
    assert all(name in names for name in ("image-alt", "select-name", "color-contrast"))


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("tab", TABS)
def test_a_tab_keeps_nobody_out(server, visit, axe, plain_run, tab, screen):
    address = {"train": f"?tab=train&run={plain_run}", "compare": f"?tab=compare&runs={plain_run},recorded"}
    page = visit(server.url(address.get(tab, f"?tab={tab}")), bypass_csp=True, **SCREENS[screen])
    page.wait_for_selector(f"#gf-tab-{tab} .gf")
    if tab in ENABLED:
        expect(part(page, tab, ENABLED[tab]).last).to_be_enabled()
    if tab != "game":
        wait_for_picture_of_tab(page, tab)
    assert found(page, axe) == []
    for menu in page.locator(f"#gf-tab-{tab} details:visible").all():
        menu.evaluate("(menu) => (menu.open = true)")
    assert found(page, axe) == []


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("school"), "--teach", "--host", "127.0.0.1") as server:
        yield server


@pytest.mark.thorough
def test_a_lesson_keeps_nobody_out(school, visit, axe):
    run = school.train("dense", total_steps=10**6)
    teacher = opened(visit(school.url(), bypass_csp=True))
    student = visit(school.url(host=STRANGER), bypass_csp=True, **SCREENS["phone in the dark"])
    projector = visit(school.url("?view=projector", host=STRANGER), bypass_csp=True)
    expect(projector.locator(".gf-projector")).to_have_attribute("data-shows", "run")
    student.wait_for_url(re.compile(run))
    wait_for_status(student, "running")
    for menu in teacher.locator(".gf-lesson details").all():
        menu.evaluate("(menu) => (menu.open = true)")
    open_tab(student, "latent")
    expect(student.locator('[data-gf="lesson-raise"]')).to_be_visible()
    for page in (teacher, student, projector):
        assert found(page, axe) == []


def test_the_dialogs_and_the_game_keep_nobody_out(server, visit, axe):
    page = visit(server.url("?tab=latent"), bypass_csp=True)
    expect(part(page, "latent", "weights")).to_be_enabled()
    part(page, "latent", "python").click()
    page.wait_for_selector(css("latent", "python-dialog") + "[open]")
    assert found(page, axe) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    assert found(page, axe) == []
    page.keyboard.press("Escape")
    open_tab(page, "game")
    expect(part(page, "game", "begin")).to_be_enabled()
    part(page, "game", "begin").click()
    expect(part(page, "game", "question")).to_be_visible()
    assert found(page, axe) == []
