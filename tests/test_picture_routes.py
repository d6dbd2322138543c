"""The routes that draw: shapes, files, and one sentence for each bad query."""

import io

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient

from gan import weights as files
from gan.render import MAX_UPLOAD_BYTES, Renderer
from gan.web.picture_routes import PREFIX, add_picture_routes
from tests.test_render import make


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    files.save(folder / "by-class.safetensors", make())
    files.save(folder / "plain.safetensors", make("quick"))
    renderer = Renderer(folder)
    app = FastAPI()
    add_picture_routes(app, renderer, None)
    with TestClient(app, base_url="http://test" + PREFIX) as client:
        yield client
    renderer.close()


def pixels(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.frombuffer(answer.content, np.uint8).reshape([int(n) for n in answer.headers["x-shape"].split(",")])


def test_weights_are_listed_and_described(client):
    listed = client.get("weights").json()["weights"]
    assert [(w["id"], w["group"]) for w in listed] == [("by-class", "shipped"), ("plain", "shipped")]
    about = client.get("weights/by-class").json()
    assert about["live"] is False and about["class_names"] == list("0123456789") and len(about["directions"]) == 8


def test_a_browser_gets_weights_once_for_each_content(client):
    answer = client.get("weights/plain/page")
    assert answer.status_code == 200 and answer.headers["cache-control"] == "private, no-cache"
    again = client.get("weights/plain/page", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304 and not again.content and again.headers["etag"] == answer.headers["etag"]
    assert client.get("weights/by-class/page").headers["etag"] != answer.headers["etag"]
    assert client.get("weights/plain").json()["page_refusal"] == ""


def test_a_browser_is_told_what_it_cannot_draw(client):
    name = client.post("weights", content=files.to_bytes(make("dcgan-upsample", clusters=0))).json()["id"]
    refusal = client.get(f"weights/{name}").json()["page_refusal"]
    answer = client.get(f"weights/{name}/page")
    assert answer.status_code == 400 and answer.json()["error"] == refusal
    assert "million multiplications" in refusal and refusal.endswith(".")


def test_pixels_with_neighbours(client):
    query = "w=by-class&seed=3&c=5&m=2:0.4&d=0:1.5,3:-2&z=12:0.5"
    alone = pixels(client.get(f"pixels?{query}"))
    ring = pixels(client.get(f"pixels?{query}&near=16&spread=0.3"))
    assert alone.shape == (1, 1, 28, 28) and ring.shape == (17, 1, 28, 28)
    assert np.array_equal(alone, ring[:1])
    clicked = pixels(client.get("pixels?w=by-class&seed=3&c=5&m=2:0.4,6:0.3&d=0:1.5,3:-2&z=12:0.5"))
    assert np.array_equal(clicked[0], ring[1 + 6])
    other = pixels(client.get(f"pixels?{query}&near=16&spread=0.3&ring=1"))
    assert not np.array_equal(other[1:], ring[1:])


def test_the_latent_route_gives_the_numbers(client):
    numbers = client.get("latent?w=plain&seed=3&z=5:1.25").json()["z"]
    assert len(numbers) == 64 and numbers[5] == 1.25


def test_values_beyond_the_limits_are_set_to_them(client):
    far, limit = (pixels(client.get(f"pixels?w=plain&seed=1&z=0:{value}")) for value in (500, 10))
    assert np.array_equal(far, limit)


def test_the_png_is_the_picture_enlarged(client):
    answer = client.get("picture.png?w=by-class&seed=3&c=5&scale=4")
    shown = np.asarray(Image.open(io.BytesIO(answer.content)))
    picture = pixels(client.get("pixels?w=by-class&seed=3&c=5"))[0, 0]
    assert (shown == picture.repeat(4, 0).repeat(4, 1)).all()
    assert "attachment" in answer.headers["content-disposition"]


def test_the_gif_is_the_path_there_and_back(client):
    query = "w=by-class&a=1:2&b=9:7&mode=slerp&frames=6"
    path = pixels(client.get(f"path?{query}"))
    assert path.shape == (6, 1, 28, 28)
    film = Image.open(io.BytesIO(client.get(f"path.gif?{query}&scale=2&fps=10&boomerang=1").content))
    assert film.n_frames == 10
    for i, frame in enumerate([*path, *path[-2:0:-1]]):
        film.seek(i)
        assert (np.asarray(film.convert("L")) == frame[0].repeat(2, 0).repeat(2, 1)).all()


def test_the_mp4_has_every_frame(client):
    av = pytest.importorskip("av")
    answer = client.get("path.mp4?w=plain&a=1&b=9&mode=lerp&frames=5&scale=4&fps=25")
    with av.open(io.BytesIO(answer.content)) as film:
        assert len(list(film.decode(video=0))) == 5
    assert answer.headers["content-type"] == "video/mp4"


def test_an_end_moved_with_the_sliders_is_the_same_picture(client):
    path = pixels(client.get("path?w=by-class&a=3:5&am=2:0.4&ad=0:1.5&az=12:0.5&b=9:5&frames=3"))
    assert np.array_equal(path[:1], pixels(client.get("pixels?w=by-class&seed=3&c=5&m=2:0.4&d=0:1.5&z=12:0.5")))


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("pixels", 400, "which weights"),
        ("pixels?w=nope", 404, "no weights named"),
        ("pixels?w=..%2F..%2Fsecret", 404, "no weights named"),
        ("weights/run-abc", 404, "no weights"),
        ("pixels?w=plain&seed=-1", 400, "from 0 to 2147483647"),
        ("pixels?w=plain&seed=2147483648", 400, "from 0 to 2147483647"),
        ("pixels?w=plain&seed=1e3", 400, "whole number"),
        ("pixels?w=plain&c=1", 400, "no classes"),
        ("pixels?w=by-class&c=10", 400, "classes 0 to 9"),
        ("pixels?w=by-class&c=x", 400, "whole number"),
        ("pixels?w=plain&d=8:1", 400, "below 8"),
        ("pixels?w=plain&d=0", 400, "look like"),
        ("pixels?w=plain&d=0:nan", 400, "must be a number"),
        ("pixels?w=plain&d=0:inf", 400, "must be a number"),
        ("pixels?w=plain&z=64:1", 400, "no latent dimension 64"),
        ("pixels?w=plain&z=" + ",".join(["1:1"] * 1025), 400, "at most 1024"),
        ("pixels?w=plain&m=" + ",".join(["1:1"] * 65), 400, "at most 64"),
        ("pixels?w=plain&near=33", 400, "from 0 to 32"),
        ("pixels?w=plain&near=2&spread=x", 400, "must be a number"),
        ("pixels?w=plain&lane=a%20b", 400, "lane"),
        ("picture.png?w=plain&scale=17", 400, "from 1 to 16"),
        ("path?w=plain&b=2", 400, "begins"),
        ("path?w=plain&a=2", 400, "ends"),
        ("path?w=plain&a=1&b=2&frames=1", 400, "from 2 to 240"),
        ("path?w=plain&a=1&b=2&frames=241", 400, "from 2 to 240"),
        ("path?w=plain&a=1&b=2&mode=round", 400, "slerp or lerp"),
        ("path?w=plain&a=1:3&b=2", 400, "no classes"),
        ("path.gif?w=plain&a=1&b=2&fps=0", 400, "from 1 to 50"),
    ],
)
def test_bad_queries_get_one_sentence(client, query, status, words):
    answer = client.get(query)
    sentence = answer.json()["error"]
    assert answer.status_code == status and words in sentence, sentence
    assert sentence.endswith(".") and "\n" not in sentence


def test_a_weights_file_can_be_opened_and_a_bad_one_is_refused(client):
    opened = client.post("weights", content=files.to_bytes(make(seed=5)))
    assert opened.status_code == 201
    assert pixels(client.get(f"pixels?w={opened.json()['id']}&c=1")).shape == (1, 1, 28, 28)
    bad = client.post("weights", content=b"PK\x03\x04 a zip, not weights")
    assert bad.status_code == 400 and "not a weights file" in bad.json()["error"]
    large = client.post("weights", content=b"x" * (MAX_UPLOAD_BYTES + 1))
    assert large.status_code == 400 and "too large" in large.json()["error"]
