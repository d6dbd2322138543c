"""The routes that find pictures: lines of progress, one search for a page, a sentence for what cannot be looked for."""

import base64
import io
import json
import threading
from http.client import HTTPConnection, HTTPResponse

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.data.catalog import load
from gan.models import weights_file as files
from gan.serving.renderer import Renderer
from gan.web.middleware import OURS
from gan.web.routes.answers import routes_of
from gan.web.routes.drawings import DrawingRoutes
from gan.web.routes.find import MAX_PICTURE_BYTES, FindRoutes
from gan.web.routes.pictures import PictureRoutes
from tests.conftest import PATIENCE, listening, port_of, until
from tests.serving.test_renderer import make

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def renderer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    files.save(folder / "plain.safetensors", make("quick"))
    renderer = Renderer(folder)
    yield renderer
    renderer.close()


@pytest.fixture(scope="module")
def client(renderer):
    app = Starlette(
        routes=routes_of(
            PictureRoutes(renderer, None).table(), DrawingRoutes(renderer).table(), FindRoutes(renderer).table()
        )
    )
    with TestClient(app, base_url="http://test" + OURS) as client:
        yield client


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def lines(answer) -> list[dict]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_test_pictures_are_the_first_of_each_class(client):
    answer = client.get("find/tests?w=plain")
    shown = np.frombuffer(answer.content, np.uint8).reshape(10, 28, 28)
    test = load("mnist", "test")
    first = [int(torch.nonzero(test.labels == k)[0]) for k in range(10)]
    assert np.array_equal(shown, test.images[first][:, 0].numpy())


def test_a_search_tells_its_progress_and_ends_with_a_latent_that_draws_its_picture(client):
    target, *found = lines(client.post("find?w=plain&kind=test&i=3&slot=page"))
    assert target["shape"] == [1, 28, 28]
    assert [line["share"] for line in found] == sorted(line["share"] for line in found) and found[-1]["share"] == 1
    drawn = client.get(f"pixels?w=plain&from={found[-1]['latent']}")
    image = np.frombuffer(base64.urlsafe_b64decode(found[-1]["image"] + "=="), np.uint8)
    assert np.abs(np.frombuffer(drawn.content, np.uint8).astype(int) - image).max() <= 1


def test_a_drawing_and_a_photographed_one_are_the_same_target(client):
    page = np.zeros((200, 200), np.uint8)
    page[40:160, 80:110] = page[130:160, 80:157] = 255
    drawn = lines(client.post("find?w=plain&kind=drawn&slot=page", content=png(page)))[0]
    photographed = lines(client.post("find?w=plain&kind=picture&slot=page", content=png(230 - page // 2)))[0]
    pixels = [
        np.frombuffer(base64.urlsafe_b64decode(line["target"] + "=="), np.uint8) for line in (drawn, photographed)
    ]
    assert pixels[0].max() == 255 and np.abs(np.subtract(*pixels, dtype=int)).max() <= 16  # resizing rounds otherwise


@pytest.mark.parametrize(
    ("query", "body", "words"),
    [
        ("w=plain&kind=test", b"", "name of its page"),
        ("w=plain&kind=test&i=10&slot=p", b"", "from 0 to 9"),
        ("w=plain&kind=else&slot=p", b"", "drawn, picture or test"),
        ("w=plain&kind=drawn&slot=p", png(np.zeros((9, 9), np.uint8)), "nothing on this picture"),
        ("w=plain&kind=picture&slot=p", b"GIF89a no picture", "cannot be used"),
        ("w=plain&kind=picture&slot=p", b"x" * (MAX_PICTURE_BYTES + 1), "at most 16 MB"),
        ("w=nope&kind=test&slot=p", b"", "no weights named"),
    ],
)
def test_what_cannot_be_looked_for_is_said(client, query, body, words):
    answer = client.post(f"find?{query}", content=body)
    assert answer.status_code in (400, 404) and words in answer.json()["error"]
    assert answer.json()["error"].endswith(".")


@pytest.fixture
def searches(renderer, monkeypatch):
    """Every job of a study or search, as it is begun, and an event that lets them run."""
    jobs, go, ask = [], threading.Event(), renderer.ask_study
    ask("plain", lambda *_: go.wait(PATIENCE))
    monkeypatch.setattr(renderer, "ask_study", lambda *args, **more: jobs.append(ask(*args, **more)) or jobs[-1])
    yield jobs, go
    go.set()


def looking(port: int, slot: str) -> tuple[HTTPConnection, HTTPResponse]:
    """A search that somebody has begun: its target has come, the search itself waits."""
    visitor = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    visitor.request("POST", f"{OURS}find?w=plain&kind=test&slot={slot}")
    answer = visitor.getresponse()
    assert "target" in json.loads(answer.readline())
    return visitor, answer


def test_a_visitor_who_leaves_ends_the_search(client, searches):
    jobs, go = searches
    with listening(client.app) as server:
        for closed in looking(port_of(server), "gone"):
            closed.close()
        until(jobs[0].cancelled)
        go.set()
        assert lines(client.post("find?w=plain&kind=test&slot=page"))[-1]["share"] == 1


def test_a_newer_search_of_the_page_ends_the_older_and_no_other(client, searches):
    _, go = searches
    with listening(client.app) as server:
        answers = [looking(port_of(server), slot)[1] for slot in ("page", "another", "page")]
        go.set()
        last = [json.loads(answer.read().splitlines()[-1]) for answer in answers]
    assert "newer request" in last[0]["problem"] and [line["share"] for line in last[1:]] == [1, 1]


def test_a_picture_does_not_wait_for_a_search(client, searches):
    """Searches and studies have a thread of their own."""
    jobs, _ = searches
    with listening(client.app) as server:
        visitor, _ = looking(port_of(server), "page")
        assert client.get("pixels?w=plain&seed=1&near=16").status_code == 200
        assert not jobs[0].done()
        visitor.close()
