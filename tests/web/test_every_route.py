"""Every route, also one that is added tomorrow: whatever it is sent, it answers with a sentence, and never 500.

The routes are taken from their tables. What may be asked without a token, or is read without a body, is listed here; a
new route is held to the stricter rule.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from gan.inspection.service import Inspector
from gan.models import weights_file as files
from gan.runs.registry import Runs
from gan.serving.renderer import Renderer
from gan.web import middleware
from gan.web.access import Access
from gan.web.middleware import OURS
from gan.web.routes.answers import routes_of
from gan.web.routes.register import all_tables
from tests.serving.test_renderer import make
from tests.web.test_own_picture_routes import NOISE, send

pytestmark = pytest.mark.slow

ANYBODY = {  # may ask this without a token; all others steer something
    "POST runs", "POST runs/import", "POST runs/{run_id}/fork", "POST runs/{run_id}/watch", "POST pictures",
    "POST pictures/again", "POST weights", "POST weights/{name}/directions", "POST find", "POST lesson/raised",
    "POST runs/{run_id}/game",
}  # fmt: skip
NO_BODY = {  # nothing is read
    "POST runs/{run_id}/watch",
    "POST runs/{run_id}/token",
    "POST runs/{run_id}/next",
    "POST lesson/pause",
}
NO_ERROR = {"GET pictures/progress/{key}"}  # a page asks for the progress of what has not begun, or is over
UNKNOWN = ["nope", "A" * 12, "own-000000000000", "run-" + "A" * 12, "file-x", "é\0", "..\\..\\x", "9" * 3000, "-1", " "]
QUERIES = [  # each is nonsense for some routes
    "", "w=nope", "w=run-AAAAAAAAAAAA@x", "w=%00", "w=..%2F..%2Fx&kind=x", "w=plain&slot=%20",
    "w=plain&seed=x&a=x&rows=x&more=x", "w=plain&c=99&a=1:99&row=-1&way=x", "w=plain&from=AAA&am=x&near=x&rows=99999",
    "w=plain&d=0&a=1&b=2&frames=1e9&shares=nan", "w=plain&scale=999&fps=0&layer=-1&as=x&columns=x&a=1&b=2&shares=1",
    "from=%C2%B2&since=-1&step=x&pictures=1",
]  # fmt: skip
ODD = {
    "recipe": {}, "dataset": [], "changes": [1], "command": [], "players": [1], "step": "x", "title": "x" * 1000,
    "upload": [], "size": {}, "channels": [], "classes": [1], "progress": "é", "measure_share": "nan",
}  # fmt: skip
BODIES = [b"", b"{", b"[]", b"null", b"\x80\x02pickle", b"PK\x03\x04", b"[" * 50_000, json.dumps(ODD).encode()]
WRONG = ["", "wrong", ",", "\u00e9", "x," * 600]


class Site:
    """All routes, a run that is not trained, a prepared set, and weights that are called "plain"."""

    def __init__(self, folder) -> None:
        files.save(folder / "plain.safetensors", make("quick"))
        self.runs = Runs(folder / "runs")
        self.renderer = Renderer(folder, self.runs.newest_weights)
        self.inspector = Inspector(self.renderer, self.runs)
        self.tables = all_tables(Access(self.runs), self.renderer, self.inspector)
        guard = [Middleware(middleware.BodyLimit)]
        self.client = TestClient(Starlette(routes=routes_of(*self.tables), middleware=guard))
        self.run, self.token = self.runs.create("dense", "mnist")
        self.pictures = send(self.client, NOISE).json()

    @property
    def lines(self) -> list[str]:
        return [line for table in self.tables for line in table]

    def address(self, line: str, word: str = "") -> str:
        """The path of a route, with what there is in its gaps, or with a word in all of them."""
        path = line.split(" ")[1]
        known = {"run_id": self.run.id, "name": self.pictures["dataset"] if path.startswith("pictures") else "plain"}

        def fill(gap: re.Match[str]) -> str:
            return quote(word or known.get(gap[1], "1"), safe="")

        return OURS + re.sub(r"\{(\w+)(?::path)?\}", fill, path)

    def ask(self, line: str, word: str = "", query: str = "", **more):
        method = line.split(" ")[0]
        return self.client.request(method, f"{self.address(line, word)}?{query}", **more)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.inspector.close()
    site.renderer.close()
    site.runs.close()


def refused(answer, what: object) -> int:
    """The status of a refusal, which is a sentence."""
    assert 400 <= answer.status_code < 500, (what, answer.status_code, answer.text[:300])
    words = answer.json()["error"]
    assert words.endswith(".") and "\n" not in words and "Traceback" not in words, (what, words)
    return answer.status_code


def answered(answer, what: object) -> None:
    """An answer, or a refusal in words."""
    if answer.status_code >= 400:
        refused(answer, what)


def test_every_route_stands_once_in_one_table(site):
    assert len(site.lines) == len(set(site.lines)) > 50
    assert {line.split(" ")[0] for line in site.lines} <= {"GET", "POST", "PATCH", "DELETE"}
    assert set(site.lines) >= ANYBODY | NO_BODY | NO_ERROR


@pytest.mark.parametrize("word", UNKNOWN, ids=range(len(UNKNOWN)))
def test_what_is_not_there_is_a_sentence(site, word):
    for line in site.lines:
        if "{" in line and line not in NO_ERROR:
            refused(site.ask(line, word, "w=plain&slot=a&kind=picture"), line)


def test_a_run_that_is_not_there_is_404(site):
    owner = {"X-Owner": site.runs.master}
    for line in site.lines:
        if "runs/{run_id}" in line:
            answer = site.ask(line, "A" * 12, content=b"{}", headers=owner)
            assert refused(answer, line) == 404, line


@pytest.mark.parametrize("query", QUERIES)
def test_nonsense_in_the_query_is_a_sentence(site, query):
    for line in site.lines:
        if line.startswith("GET"):
            answered(site.ask(line, query=query), (line, query))


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_nonsense_body_is_a_sentence(site, body):
    owner = {"X-Owner": site.runs.master}
    for line in site.lines:
        if line.startswith(("POST", "PATCH", "PUT")) and line not in NO_BODY:
            refused(site.ask(line, query="w=plain&slot=a&kind=picture", content=body, headers=owner), line)


def test_a_body_that_is_too_large_is_a_sentence(site, monkeypatch):
    monkeypatch.setattr(middleware, "MOST_BYTES", 100_000)
    monkeypatch.setattr(middleware, "MOST_BYTES_ELSEWHERE", 100_000)
    query, owner = "w=plain&slot=a&kind=picture", {"X-Owner": site.runs.master}
    for line in site.lines:
        if not line.startswith("GET"):
            assert refused(site.ask(line, query=query, content=b"x" * 100_001, headers=owner), line) == 413, line
        if line.startswith(("POST", "PATCH", "PUT")) and line not in NO_BODY:  # in pieces, so nothing is announced
            refused(site.ask(line, query=query, content=iter([b"x" * 60_000] * 2), headers=owner), line)


@pytest.mark.parametrize("tokens", WRONG, ids=range(len(WRONG)))
def test_who_has_no_token_steers_nothing(site, tokens):
    for line in site.lines:
        if not line.startswith("GET") and line not in ANYBODY:
            assert refused(site.ask(line, content=b"{}", headers={"X-Owner": tokens.encode()}), line) == 403, line
    assert site.run.folder.exists() and site.runs.prepared.path(site.pictures["dataset"]) is not None
