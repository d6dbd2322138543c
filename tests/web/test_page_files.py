"""The scripts and style sheets of the page: what is served, linked, and fetched first."""

from __future__ import annotations

import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.core.paths import STATIC
from gan.web import page
from gan.web.page_files import served, with_imports
from gan.web.routes.answers import BASE, routes_of
from gan.web.routes.static import StaticRoutes


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(Starlette(routes=routes_of(StaticRoutes().table())))


@pytest.mark.slow
def test_every_file_of_every_folder_is_served_and_only_once_while_it_stays_the_same(client):
    assert {name.partition("/")[0] for name in served()} > {"core", "css", "engine", "page.js"}
    for name, path in served().items():
        answer = client.get(f"{BASE}/static/{name}")
        assert answer.status_code == 200 and answer.content == path.read_bytes(), name
        assert answer.headers["content-type"].startswith("text/javascript" if name.endswith(".js") else "text/css")
        again = client.get(f"{BASE}/static/{name}", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304 and not again.content


@pytest.mark.parametrize(
    "name",
    ["..%2fpage.py", "%2e%2e/page.py", "nothing.js", "core", "core/", "core/..%2fpage.js", "core/%2e%2e/page.js",
     "..%2fstatic%2fpage.js", "%2fetc%2fpasswd", "page.js%00", "core%5cdom.js", "PAGE.JS", "core/format.test.js", ""],
)  # fmt: skip
def test_nothing_else_is_served(client, name):
    """Also no second name of a file that is."""
    assert client.get(f"{BASE}/static/{name}").status_code == 404


def test_all_that_the_first_view_imports_is_fetched_at_once():
    linked = re.findall(r'rel="modulepreload" href="gradio_api/gan/static/([^"]+)"', page.head("en"))
    assert set(linked) == set(with_imports("page.js", "train/train.js")) and len(linked) == len(set(linked))
    for path in map(STATIC.joinpath, linked):
        imported = re.findall(r'from "([^"]+)"', path.read_text(encoding="utf-8"))
        assert {(path.parent / name).resolve() for name in imported} <= set(map(STATIC.joinpath, linked))


def test_every_style_sheet_is_linked():
    linked = re.findall(r'rel="stylesheet" href="gradio_api/gan/static/([^"]+)"', page.head("en"))
    assert sorted(linked) == sorted(name for name in served() if name.endswith(".css"))
