"""The routes that draw: shapes, files, and one sentence for each bad query."""

from dataclasses import replace

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.latent.query import spec_of
from gan.models import weights_file as files
from gan.runs import loop as loop_module
from gan.runs.registry import Runs
from gan.serving.renderer import MAX_UPLOAD_BYTES, Renderer
from gan.web.access import Access
from gan.web.middleware import OURS
from gan.web.routes.answers import routes_of
from gan.web.routes.drawings import DRAWINGS, Drawing, DrawingRoutes
from gan.web.routes.pictures import PictureRoutes
from gan.web.routes.queries import class_of
from gan.web.routes.register import run_tables
from tests.conftest import until
from tests.serving.test_renderer import make


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    files.save(folder / "by-class.safetensors", make())
    files.save(folder / "plain.safetensors", make("quick"))
    renderer = Renderer(folder)
    app = Starlette(routes=routes_of(PictureRoutes(renderer, None).table(), DrawingRoutes(renderer).table()))
    with TestClient(app, base_url="http://test" + OURS) as client:
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


@pytest.mark.slow
def test_directions_come_back_in_requests_and_files(client):
    answer = client.get("weights/by-class/directions").json()
    found = {d["key"]: d for d in answer["directions"]}
    assert {d["kind"] for d in found.values()} == {"measured", "varied"} and "slant" in found
    u = f"slant:0:{found['slant']['vector']},varied-0:1.5:{found['varied-0']['vector']}"
    strip = pixels(client.get(f"strips?w=by-class&seed=3&c=5&u={u}&d=2:1&along=slant,2"))
    assert strip.shape == (14, 1, 28, 28)
    pushed = pixels(client.get(f"pixels?w=by-class&seed=3&c=5&d=2:1&u={u.replace(':0:', ':3:')}"))
    assert np.abs(strip[6:7].astype(int) - pushed).max() <= 1 and not np.array_equal(strip[3:4], pushed)

    file = client.get(f"directions.json?w=by-class&u={u}")
    back = client.post("weights/by-class/directions", content=file.content).json()["directions"]
    assert [(d["key"], d["vector"]) for d in back] == [(k, found[k]["vector"]) for k in ("slant", "varied-0")]
    wrong = client.post("weights/by-class/directions", content=b"{}")
    assert wrong.status_code == 400 and "not a file of directions" in wrong.json()["error"]


def test_a_direction_is_fitted_to_a_picture_whatever_else_pushes_it(client):
    def fitted(query: str) -> list[dict]:
        return client.get(f"steered?w=by-class&{query}").json()["directions"]

    (found,) = fitted("seed=3&c=5")
    assert found["key"] == "slant" and found["kind"] == "measured"
    assert fitted(f"seed=3&c=5&u=slant:2:{found['vector']},bold:-1:{found['vector']}") == [found]
    assert fitted("seed=4&c=5") != [found] and fitted(f"seed=3&c=5&u=to 7:2:{found['vector']}:g") != [found]
    assert client.get("steered?w=by-class&seed=3&c=11").json()["error"].endswith("classes 0 to 9.")


def test_marks_teach_a_direction(client):
    answer = client.get("teach?w=by-class&more=1,11,21&less=31,41").json()
    assert len(answer["vector"]) == -(-64 * 2 * 4 // 3)
    shown = pixels(client.get("study?w=by-class&rows=0,999"))
    assert shown.shape == (2, 1, 28, 28)


def test_a_class_mixed_with_none_or_all_of_another_is_one_of_them(client):
    draw = lambda query: pixels(client.get(f"pixels?w=by-class&seed=3&{query}"))  # noqa: E731
    assert np.array_equal(draw("c=5&mix=7:0"), draw("c=5")) and np.array_equal(draw("c=5&mix=7:1"), draw("c=7"))
    assert np.array_equal(draw("c=5&mix=7:0.25"), draw("c=7&mix=5:0.75"))


@pytest.mark.slow
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
        ("pixels?w=plain&slot=a%20b", 400, "slot"),
        ("pixels?w=plain&u=a:1", 400, "u must look like"),
        ("pixels?w=plain&u=7:1:AAAA", 400, "u must look like"),
        ("pixels?w=plain&u=a:1:AAAA", 400, "vector in u cannot be read"),
        ("pixels?w=plain&u=a:1:A*AA", 400, "vector in u cannot be read"),
        ("pixels?w=plain&u=a:x:AAAA", 400, "must be a number"),
        ("pixels?w=plain&u=a:1:AHw", 400, "beyond 10"),
        ("pixels?w=plain&u=a:1:AH4", 400, "beyond 10"),
        ("pixels?w=plain&u=a:1:AAAAAAAA", 400, "'a' has 3 numbers; these weights take 64"),
        ("pixels?w=plain&u=a:1:AAA,a:1:AAA", 400, "only once"),
        ("pixels?w=plain&u=" + ",".join(["a:1:AAA"] * 13), 400, "at most 12"),
        ("pixels?w=plain&from=AAA", 400, "latent has 1 numbers; these weights take 64"),
        ("pixels?w=plain&lock=a", 400, "lock must name"),
        ("pixels?w=plain&psi=x", 400, "must be a number"),
        ("pixels?w=plain&mix=1:0.5", 400, "no classes"),
        ("pixels?w=by-class&mix=10:0.5", 400, "classes 0 to 9"),
        ("pixels?w=by-class&mix=3", 400, "CLASS:SHARE"),
        ("strips?w=plain&along=a", 400, "along must name"),
        ("strips?w=plain&along=" + ",".join("0" * 400), 400, "each once"),
        ("study?w=plain&rows=x", 400, "whole numbers"),
        ("study?w=plain&rows=99999", 400, "0 to 999"),
        ("teach?w=plain&more=1", 400, "at least one picture"),
        ("pixels?w=plain&from=tile:40", 400, "tile:0 to tile:39 or study:0 to study:999"),
        ("pixels?w=plain&from=sheet:1", 400, "from must be a vector"),
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


# Who is watching -------------------------------------------------------------------------------------------------


@pytest.fixture
def learning(tmp_path, monkeypatch, random_pictures):
    """The routes about one run that learns, and the run."""
    monkeypatch.setattr(loop_module, "load", lambda *a, **k: random_pictures)
    runs = Runs(tmp_path / "runs")
    renderer = Renderer(tmp_path, runs.newest_weights)
    tables = *run_tables(Access(runs)), PictureRoutes(renderer, runs).table(), DrawingRoutes(renderer).table()
    app = Starlette(routes=routes_of(*tables))
    run, _ = runs.create("dense", "mnist", {"batch": 8, "total_steps": 10**6})
    runs.start(run)
    with TestClient(app, base_url="http://test" + OURS) as client:
        until(lambda: run.checkpoint_step() is not None and run.latest is not None)
        yield client, run
    runs.close()
    renderer.close()


def test_asking_for_a_picture_changes_nobody_watching(learning):
    client, run = learning
    run._watched_at -= 1000
    seconds = run.unwatched_seconds()
    for path in ("weights", f"weights/run-{run.id}", f"weights/run-{run.id}/page", f"pixels?w=run-{run.id}&seed=1"):
        assert client.get(path).status_code == 200
    assert run.unwatched_seconds() >= seconds


def test_who_follows_a_run_draws_with_its_newest_weights(learning):
    client, run = learning

    def drawn() -> int:
        """The step that a picture is of, while this page follows."""
        assert client.post(f"runs/{run.id}/watch").json() == {"ok": True}
        return int(client.get(f"pixels?w=run-{run.id}&seed=1").headers["x-step"])

    saved = run.checkpoint_step()
    until(lambda: drawn() > saved and run.latest.weights is not None)
    assert run.unwatched_seconds() < 1000


# Adding a route --------------------------------------------------------------------------------------------------


def test_a_drawing_route_is_a_method_of_the_generator_and_a_line(tmp_path, monkeypatch):
    def upside_down(generator, spec, label, check):
        drawn = generator.pixels(spec, label, None, check)
        return replace(drawn, images=drawn.images[:, :, ::-1])

    monkeypatch.setitem(DRAWINGS, "upside-down", Drawing(upside_down, (spec_of, class_of)))
    files.save(tmp_path / "plain.safetensors", make("quick"))
    renderer = Renderer(tmp_path)
    app = Starlette(routes=routes_of(DrawingRoutes(renderer).table()))
    client = TestClient(app, base_url="http://test" + OURS)
    upright, turned = (pixels(client.get(f"{path}?w=plain&seed=3")) for path in ("pixels", "upside-down"))
    assert np.array_equal(turned, upright[:, :, ::-1])
    assert client.get("upside-down?w=plain&seed=x").status_code == 400
    renderer.close()
