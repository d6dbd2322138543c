"""Handing a picture on: the PNG says how it was made, and the lines of Python draw it again."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

import gan
from gan.models import weights_file as files
from gan.serving.renderer import Renderer
from gan.web.middleware import OURS
from gan.web.routes.answers import routes_of
from gan.web.routes.drawings import DrawingRoutes
from gan.web.routes.pictures import PictureRoutes
from gan.web.routes.share import ShareRoutes
from tests.serving.test_renderer import make
from tests.web.test_picture_routes import pixels

QUERY = "seed=3&c=5&d=0:1.5&psi=0.8"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    files.save(folder / "by-class.safetensors", make())
    return folder


@pytest.fixture(scope="module")
def client(shelf):
    renderer = Renderer(shelf)
    app = Starlette(
        routes=routes_of(
            PictureRoutes(renderer, None).table(), DrawingRoutes(renderer).table(), ShareRoutes(renderer, None).table()
        )
    )
    with TestClient(app, base_url="http://test" + OURS) as client:
        yield client
    renderer.close()


def test_the_png_is_the_picture_enlarged_and_says_how_it_was_made(client, shelf):
    answer = client.get(f"picture.png?w=by-class&{QUERY}&scale=4&slot=x")
    file = Image.open(io.BytesIO(answer.content))
    picture = pixels(client.get(f"pixels?w=by-class&{QUERY}"))[0, 0]
    assert (np.asarray(file) == picture.repeat(4, 0).repeat(4, 1)).all()
    assert "attachment" in answer.headers["content-disposition"]
    digest = files.digest(files.load(shelf / "by-class.safetensors"))
    about = {"program": "GAN Forge", "made_with": gan.__version__, "version": 1}
    origin = about | {"weights": "by-class", "digest": digest, "query": QUERY}
    assert list(file.text) == ["gan-forge"] and json.loads(file.text["gan-forge"]) == origin
    assert client.get(f"origin?w=by-class&{QUERY}").json()["digest"] == digest


def test_names_in_any_script_are_written_as_links_write_them(client):
    name, vector = "größer & 太い (x)!", "ADw" + "A" * 168  # 64 numbers
    answer = client.get("picture.png", params={"w": "by-class", "u": f"{name}:1:{vector}", "scale": "1"})
    words = json.loads(Image.open(io.BytesIO(answer.content)).text["gan-forge"])
    assert words["query"] == f"u=gr%C3%B6%C3%9Fer%20%26%20%E5%A4%AA%E3%81%84%20(x)!:1:{vector}"
    drawn, again = (pixels(client.get(f"pixels?w=by-class&{query}")) for query in ("seed=0", words["query"]))
    assert not np.array_equal(drawn, again)


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("", 400, "which weights"),
        ("w=nope", 404, "no weights named"),
        ("w=by-class&seed=x", 400, "whole number"),
        ("w=by-class&c=10", 400, "classes 0 to 9"),
        ("w=by-class&from=AAA", 400, "latent has 1 numbers"),
    ],
)
def test_bad_queries_get_one_sentence(client, query, status, words):
    for route in ("picture.png", "origin"):
        answer = client.get(f"{route}?{query}")
        assert answer.status_code == status and words in answer.json()["error"]
    assert client.get("picture.png?w=by-class&scale=17").status_code == 400
