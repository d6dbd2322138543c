"""A tab is one file and one line: a dummy of one appears, opens by its address, and its script is mounted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from gan.bench import free_port, process
from tests.e2e.conftest import TITLES, Server, open_tab, opened

# The app with one tab more, whose script lies where the others are looked for.
PROGRAM = """
import shutil, sys
from pathlib import Path
from gan.core import paths
static = Path(sys.argv.pop(1))
shutil.copytree(paths.STATIC, static)
paths.STATIC = static
(static / "dummy.js").write_text('''
import { readState } from "./core/address.js";
export function mount(root) {
  root.querySelector('[data-gf="said"]').textContent = "mounted with " + JSON.stringify(readState("dummy"));
}
''')
from gan.web import page, text
text.EN["common"]["tab_dummy"] = "Dummy"
page.TABS["dummy"] = page.Tab(lambda text: '<p data-gf="said">not yet</p>', "dummy.js")
from gan.web.start import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def with_a_dummy(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("dummy")
    server = Server(free_port())
    flags = ("--port", str(server.port), "--runs", str(folder / "runs"))
    with process(sys.executable, "-c", PROGRAM, str(folder / "static"), *flags) as server.process:
        server.ready(server.process)
        yield server


def test_a_dummy_tab_is_a_tab(with_a_dummy: Server, visit: Any) -> None:
    page = opened(visit(with_a_dummy.url()))
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_text([*TITLES, "Dummy"])
    open_tab(page, "dummy")
    expect(page.locator('#gf-tab-dummy [data-gf="said"]')).to_have_text("mounted with {}")
    page.wait_for_url(lambda url: "tab=dummy" in url)


def test_a_link_opens_it_with_its_state(with_a_dummy: Server, visit: Any) -> None:
    page = visit(with_a_dummy.url("?tab=dummy&colour=red"))
    expect(page.locator('#gf-tab-dummy [data-gf="said"]')).to_have_text('mounted with {"colour":"red"}')
