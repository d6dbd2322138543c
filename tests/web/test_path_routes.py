"""The routes that travel: the files hold the pictures of the path, and each bad query gets one sentence."""

import io
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.core.images import split_grid, to_uint8
from gan.models import weights_file as files
from gan.serving.renderer import Renderer
from gan.web.middleware import OURS
from gan.web.routes import paths
from gan.web.routes.answers import routes_of
from gan.web.routes.drawings import DrawingRoutes
from gan.web.routes.paths import PathRoutes
from gan.web.routes.pictures import PictureRoutes
from tests.serving.test_renderer import make
from tests.web.test_picture_routes import pixels

BY_CLASS = make()
THREE = "w=by-class&a=1:2&b=9:7&bd=0:1.5&c=4:0"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    files.save(folder / "by-class.safetensors", BY_CLASS)
    files.save(folder / "plain.safetensors", make("quick"))
    files.save(folder / "colour.safetensors", make("quick", channels=3))
    renderer = Renderer(folder)
    app = Starlette(
        routes=routes_of(
            PictureRoutes(renderer, None).table(), DrawingRoutes(renderer).table(), PathRoutes(renderer).table()
        )
    )
    with TestClient(app, base_url="http://test" + OURS) as client:
        yield client
    renderer.close()


def film(answer, kind: str) -> list[np.ndarray]:
    """Every frame [H, W, 3] of an animated picture."""
    assert answer.status_code == 200, answer.text
    shown = Image.open(io.BytesIO(answer.content))
    assert shown.format == kind and shown.info["loop"] == 0
    frames = []
    for i in range(shown.n_frames):
        shown.seek(i)
        frames.append(np.asarray(shown.convert("RGB")))
    return frames


def enlarged(picture: np.ndarray, scale: int) -> np.ndarray:
    """[C, H, W] -> [H, W, 3]"""
    wide = picture.repeat(scale, 1).repeat(scale, 2).transpose(1, 2, 0)
    return np.broadcast_to(wide, (*wide.shape[:2], 3))


# Paths -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["slerp", "lerp", "smooth"])
def test_a_path_leads_through_its_keyframes(client, mode):
    keyframes = ["seed=1&c=2", "seed=9&c=7&d=0:1.5", "seed=4&c=0"]
    wanted = np.concatenate([pixels(client.get(f"pixels?w=by-class&{spec}")) for spec in keyframes])
    way = pixels(client.get(f"path?{THREE}&mode={mode}&frames=5"))
    assert len(way) == 9 and np.array_equal(way[::4], wanted)
    ring = pixels(client.get(f"path?{THREE}&mode={mode}&frames=5&loop=1"))
    assert len(ring) == 12 and np.array_equal(ring[::4], wanted)


def test_an_end_moved_with_the_sliders_is_the_same_picture(client):
    path = pixels(client.get("path?w=by-class&a=3:5&am=2:0.4&ad=0:1.5&az=12:0.5&b=9:5&frames=3"))
    assert np.array_equal(path[:1], pixels(client.get("pixels?w=by-class&seed=3&c=5&m=2:0.4&d=0:1.5&z=12:0.5")))


# Files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_the_film_is_the_path_there_and_back(client, kind):
    query = f"{THREE}&mode=smooth&frames=4"
    path = pixels(client.get(f"path?{query}"))
    shown = film(client.get(f"path.{kind}?{query}&scale=2&fps=10&boomerang=1"), kind.upper())
    assert len(shown) == 12
    for frame, picture in zip(shown, [*path, *path[-2:0:-1]], strict=True):
        assert np.array_equal(frame, enlarged(picture, 2))


def test_webp_keeps_every_colour(client):
    query = "w=colour&a=1&b=2&frames=3"
    shown = film(client.get(f"path.webp?{query}&scale=1&fps=20"), "WEBP")
    assert np.array_equal(shown, [enlarged(picture, 1) for picture in pixels(client.get(f"path?{query}"))])


def test_the_mp4_has_every_frame(client):
    av = pytest.importorskip("av")
    answer = client.get("path.mp4?w=plain&a=1&b=9&mode=lerp&frames=5&scale=4&fps=25")
    with av.open(io.BytesIO(answer.content)) as shown:
        assert len(list(shown.decode(video=0))) == 5
    assert answer.headers["content-type"] == "video/mp4"


def test_the_sheet_holds_every_picture_once(client):
    path = pixels(client.get(f"path?{THREE}&frames=4&loop=1"))
    answer = client.get(f"path.png?{THREE}&frames=4&loop=1&scale=2")
    sheet = split_grid(answer.content, 9, 3, 56, 1)
    assert np.array_equal(sheet, path.repeat(2, 2).repeat(2, 3))
    assert "attachment" in answer.headers["content-disposition"]


def singles(answer) -> np.ndarray:
    """The pictures of a zip, uint8 [N, C, H, W], in the order of their names, which are 0000.png, 0001.png, ..."""
    assert answer.headers["content-type"] == "application/zip" and "attachment" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as pack:
        assert pack.namelist() == [f"{i:04}.png" for i in range(len(pack.namelist()))] and pack.testzip() is None
        found = [np.asarray(Image.open(pack.open(name))) for name in pack.namelist()]
    return np.stack([x.transpose(2, 0, 1) if x.ndim == 3 else x[None] for x in found])


@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize("query", [f"{THREE}&frames=4&loop=1", "w=colour&a=1&b=2&frames=3&mode=smooth"])
def test_the_zip_holds_every_picture_of_the_path_exactly(client, query, scale):
    wanted = pixels(client.get(f"path?{query}")).repeat(scale, 2).repeat(scale, 3)
    answers = [client.get(f"path.zip?{query}&scale={scale}") for _ in range(2)]
    assert np.array_equal(singles(answers[0]), wanted)
    assert answers[0].content == answers[1].content


def test_the_zip_of_sums_holds_them_in_their_order(client):
    query = f"{THREE}&shares=1:0:0,0.5:0.5:0,0:0:1&as=1,7"
    wanted = pixels(client.get(f"sums?{query}")).repeat(2, 2).repeat(2, 3)
    assert np.array_equal(singles(client.get(f"sums.zip?{query}&scale=2")), wanted) and len(wanted) == 6


def test_the_latents_draw_the_pictures(client):
    """Plain arrays; with the classes beside them they give the path outside the app too."""
    query = f"{THREE}&frames=4&mode=smooth"
    answers = [client.get(f"path.npy?{query}&part={part}") for part in "zc"]
    z, c = (np.load(io.BytesIO(answer.content), allow_pickle=False) for answer in answers)
    assert (z.dtype, z.shape, c.dtype, c.shape) == (np.float32, (7, 64), np.float32, (7, 10))
    assert 'filename="gan-forge-latents-7x64.npy"' in answers[0].headers["content-disposition"]
    assert 'filename="gan-forge-classes-7x10.npy"' in answers[1].headers["content-disposition"]
    drawn = to_uint8(files.build(BY_CLASS)(torch.from_numpy(z), torch.from_numpy(c))).numpy()
    assert np.abs(drawn.astype(int) - pixels(client.get(f"path?{query}"))).max() <= 1


# Weighted sums ---------------------------------------------------------------------------------------------------


def test_a_share_of_one_is_the_picture(client):
    sums = pixels(client.get(f"sums?{THREE}&shares=1:0:0,0:1:0,0:0:1"))
    wanted = pixels(client.get(f"path?{THREE}&frames=2"))
    assert np.abs(sums.astype(int) - wanted).max() <= 1  # latents of links are float16


@pytest.mark.parametrize("keyframes", [THREE, "w=plain&a=1&b=9&bd=0:1.5&c=4"])
def test_a_sum_opens_as_a_place(client, keyframes):
    """Exactly the same picture, so that one may go on from it."""
    query = f"{keyframes}&shares=1:-1:1"
    spec = client.get(f"sum?{query}").json()
    assert spec.pop("left_out", 0) == 0
    weights = keyframes.partition("&")[0]
    opened = client.get(f"pixels?{weights}&" + "&".join(f"{key}={value}" for key, value in spec.items()))
    assert np.array_equal(pixels(opened), pixels(client.get(f"sums?{query}")))


def test_what_a_place_cannot_say_of_a_sum_is_told(client):
    spec = client.get(f"sum?{THREE}&shares=0.5:0.3:0.2").json()
    assert (spec["c"], spec["mix"], spec["left_out"]) == (2, "7:0.3750", 0.2)


def test_sums_become_files(client):
    query = f"{THREE}&shares=1:0:0,0:0:1&as=5,6,7"
    sheet = split_grid(client.get(f"sums.png?{query}&columns=3&scale=2").content, 6, 3, 56, 1)
    assert np.array_equal(sheet, pixels(client.get(f"sums?{query}")).repeat(2, 2).repeat(2, 3))
    z, c = (
        np.load(io.BytesIO(client.get(f"sums.npy?{query}&part={part}").content), allow_pickle=False) for part in "zc"
    )
    assert z.shape == (6, 64) and np.array_equal(c.argmax(1), [5, 6, 7] * 2)


def test_sums_are_drawn_as_every_class(client):
    sums = pixels(client.get(f"sums?{THREE}&shares=1:0:0,0:0:1&as=5,6,7"))
    wanted = [pixels(client.get(f"pixels?w=by-class&seed={seed}&c={c}")) for seed in (1, 4) for c in (5, 6, 7)]
    assert np.abs(sums.astype(int) - np.concatenate(wanted)).max() <= 1


# Sentences -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("path?w=plain&b=2", "begins"),
        ("path?w=plain&a=2", "ends"),
        ("path?w=plain&a=2&b=3&d=4", "goes on (c=SEED"),
        ("path?w=plain&a=1&b=2&frames=1", "from 2 to 240"),
        ("path?w=plain&a=1&b=2&frames=241", "from 2 to 240"),
        ("path?w=plain&a=1&b=2&mode=round", "slerp, lerp or smooth"),
        ("path?w=plain&a=1&b=2&loop=yes", "from 0 to 1"),
        ("path?w=plain&a=1:3&b=2", "no classes"),
        ("path?w=plain&a=1&b=2&bpsi=x", "must be a number"),
        ("path?w=plain&" + "&".join(f"{letter}=1" for letter in "abcdefghijkl") + "&frames=60", "not 650"),
        ("path.gif?w=plain&a=1&b=2&fps=0", "from 1 to 50"),
        ("path.webp?w=plain&a=1&b=2&scale=17", "from 1 to 16"),
        ("path.gif?w=plain&a=1&b=2&c=3&frames=240&loop=1&scale=16", "at most 480 pictures, not 717"),
        ("path.png?w=plain&a=1&b=2&c=3&frames=200&scale=16", "sheet would be too large"),
        ("path.npy?w=plain&a=1&b=2&part=x", "part is z"),
        ("path.zip?w=colour&a=1&b=2&c=3&d=4&frames=160&scale=16", "zip would be too large"),
        ("path.zip?w=plain&a=1&b=2&scale=17", "scale"),
        ("sums?w=plain&shares=1", "a=SEED"),
        ("sums?w=plain&a=1&b=2&shares=1", "2 numbers for each sum"),
        ("sums?w=plain&a=1&b=2", "2 numbers for each sum"),
        ("sums?w=plain&a=1&b=2&shares=1:1", "add up to 1, not 2"),
        ("sums?w=plain&a=1&b=2&shares=1:x", "must be a number"),
        ("sums?w=plain&a=1&b=2&shares=nan:1", "must be a number"),
        ("sums?w=plain&a=1&b=2&shares=" + ",".join(["0:1"] * 321), "At most 320"),
        ("sums?w=by-class&a=1&shares=" + ",".join(["1"] * 40) + "&as=" + ",".join("012345678"), "not 360"),
        ("sums?w=by-class&a=1&shares=1&as=10", "classes 0 to 9"),
        ("sums?w=by-class&a=1&shares=1&as=1,,2", "whole numbers"),
        ("sums?w=plain&a=1&shares=1&as=1", "no classes"),
        ("sum?w=plain&a=1&b=2&c=3&shares=1:-1", "3 numbers"),
        (f"sum?w=plain&a=1&b=2&az={','.join(f'{i}:10' for i in range(9))}&bz=0:-10&shares=2:-1", "too far out"),
    ],
)
def test_bad_queries_get_one_sentence(client, query, words):
    answer = client.get(query)
    sentence = answer.json()["error"]
    assert answer.status_code == 400 and words in sentence, sentence
    assert sentence.endswith(".") and "\n" not in sentence


@pytest.mark.parametrize("kind", ["gif", "webp", "mp4", "png"])
def test_large_files_are_refused_before_they_are_made(client, kind, monkeypatch):
    query = f"path.{kind}?w=plain&a=1&b=2&frames=3&scale=4"
    pixels_in_all = 3 * (28 * 4) ** 2
    monkeypatch.setattr(paths, "MAX_FILM_BYTES", pixels_in_all)
    monkeypatch.setattr(paths, "MAX_SHEET_BYTES", pixels_in_all)
    assert client.get(query).status_code == 200
    monkeypatch.setattr(paths, "MAX_FILM_BYTES", pixels_in_all - 1)
    monkeypatch.setattr(paths, "MAX_SHEET_BYTES", pixels_in_all - 1)
    assert "too large" in client.get(query).json()["error"]
