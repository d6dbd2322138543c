"""The routes of the card "What is it made of": what they answer, to whom, and one sentence for each bad query."""

import base64
import time

import numpy as np
import pytest
import torch
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.core.images import to_uint8
from gan.data import catalog
from gan.data.pictures import Pictures, split_of, write_pictures
from gan.inspection.service import Inspector, NotAvailable
from gan.latent.spec import LatentSpec, latent_at
from gan.models import build_generator
from gan.models import weights_file as files
from gan.models.weights_file import Weights
from gan.runs.registry import Runs
from gan.serving.renderer import Renderer
from gan.training.checkpoint import load_checkpoint
from gan.training.trainer import Trainer
from gan.web.access import Access
from gan.web.middleware import OURS
from gan.web.routes.answers import routes_of
from gan.web.routes.drawings import DrawingRoutes
from gan.web.routes.inspection import InspectionRoutes
from gan.web.routes.pictures import PictureRoutes
from tests.conftest import PATIENCE
from tests.serving.test_renderer import make

OWN = "own-0123456789ab"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    runs = Runs(tmp_path_factory.mktemp("runs"))
    yield runs
    runs.close()


@pytest.fixture(scope="module")
def own_run(runs):
    """A run on somebody's own pictures, that has finished."""
    images = torch.randint(0, 256, (40, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    words = {"title": "Mine", "classes": "[]"}
    own = Pictures(OWN, images, torch.zeros(40, dtype=torch.long), ())
    write_pictures(runs.own_dir / f"{OWN}.safetensors", [split_of(own)], words)
    run, _ = runs.create("dense", OWN, {"batch": 4, "total_steps": 40})
    run.train()
    assert run.status == "finished", run.message
    return run


@pytest.fixture(scope="module")
def inspector(tmp_path_factory, runs):
    folder = tmp_path_factory.mktemp("weights")
    files.save(folder / "by-class.safetensors", make(data_limit=300))
    files.save(folder / "colour.safetensors", on("emoji", size=32, channels=3))
    files.save(folder / "own.safetensors", on(OWN))
    renderer = Renderer(folder, runs.newest_weights)
    inspector = Inspector(renderer, runs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog, "load", lambda *args: short(whole(*args)))
        yield inspector
    inspector.close()
    renderer.close()


@pytest.fixture(scope="module")
def client(inspector, runs):
    app = Starlette(
        routes=routes_of(
            PictureRoutes(inspector.renderer, runs).table(),
            DrawingRoutes(inspector.renderer).table(),
            InspectionRoutes(inspector, Access(runs)).table(),
        )
    )
    with TestClient(app, base_url="http://test" + OURS) as client:
        yield client


def on(dataset: str, **changes) -> Weights:
    """Weights that say they were trained on this data set."""
    config = make("quick").config.changed(dataset=dataset, **changes)
    state = build_generator(config, torch.Generator().manual_seed(0)).state_dict()
    return Weights(config, "", (), 10, state)


whole = catalog.load


def short(pictures: Pictures) -> Pictures:
    """Enough of them, quickly searched."""
    return Pictures(pictures.name, pictures.images[:600], pictures.labels[:600], pictures.class_names)


def ask(client, query: str, route: str = "nearest") -> dict:
    """What the route says once everything is ready."""
    end = time.monotonic() + PATIENCE
    while (answer := client.get(f"made-of/{route}?{query}")).status_code == 202:
        assert answer.json()["words"] and time.monotonic() < end
    assert answer.status_code == 200, answer.text
    return answer.json()


def images(found: dict, name: str = "images") -> np.ndarray:
    text = found[name]
    return np.frombuffer(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), np.uint8).reshape(found["shape"])


# ---- nearest training pictures ----


def test_the_nearest_are_pictures_of_the_training_set(client):
    found = ask(client, "w=by-class&seed=3&c=4")
    train = short(whole("mnist")).images[:300]
    drawn = client.get("pixels?w=by-class&seed=3&c=4").content
    assert images(found)[0].tobytes() == drawn
    assert np.array_equal(images(found)[1:], train[found["rows"]].numpy())
    difference = (images(found)[:1].astype(float) - images(found)[1:]) / 255
    assert np.allclose(np.sqrt((difference**2).mean((1, 2, 3))), found["distances"], atol=1e-4)
    assert found["distances"] == sorted(found["distances"]) and found["trained"] == 300 and found["held"] == 300
    assert found["ways"] == ["pixels", "features"] and not found["copied"]


def test_features_are_another_way(client):
    pixels, features = (ask(client, f"w=by-class&seed=3&c=4&way={way}") for way in ("pixels", "features"))
    assert features["rows"] != pixels["rows"] and features["judged"] == pixels["judged"] == 300


def test_a_data_set_without_a_network_and_without_held_out_pictures(client):
    found = ask(client, "w=colour&seed=3")
    assert found["ways"] == ["pixels"] and found["unseen"] is None and found["held"] == 0
    assert "no network" in ask(client, "w=colour&seed=3&way=features")["why"]


@pytest.mark.slow
def test_own_pictures_are_shown_through_the_run_alone(client, own_run):
    found = ask(client, f"w=run-{own_run.id}&seed=1")
    assert found["trained"] == 40 and images(found).shape == (7, 1, 28, 28)
    assert "are not here" in ask(client, "w=own&seed=1")["why"]  # a file that only names them
    uploaded = client.post("weights", content=files.to_bytes(on(OWN))).json()["id"]
    assert "are not here" in ask(client, f"w={uploaded}&seed=1")["why"]


# ---- the discriminator, early states, layers ----


def test_the_verdict_is_that_of_the_saved_discriminator(client, runs, own_run):
    found = ask(client, f"w=run-{own_run.id}&seed=1", "verdict")
    trainer = Trainer(own_run.config, catalog.load(OWN, "train", runs.own_dir))
    load_checkpoint(own_run.checkpoint_path, trainer)
    z = latent_at(LatentSpec(1), own_run.config.z_dim, torch.empty(0, own_run.config.z_dim))
    x = trainer.sample(z).clone()
    with torch.no_grad():
        logit = trainer.D.eval()(x).item()
    assert found["logit"] == pytest.approx(logit, abs=1e-3) and found["step"] == 40
    assert found["probability"] == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-3)
    heat = images(found | {"shape": [28, 28]}, "heat")
    assert heat.max() == 255 and found["steepest"] > 0

    near = ask(client, f"w=run-{own_run.id}&seed=1")["rows"]
    row = near[1]
    real = ask(client, f"w=run-{own_run.id}&seed=1&row={row}", "verdict")
    own = catalog.load(OWN, "train", runs.own_dir).images
    assert np.array_equal(images(real)[0], own[row].numpy())
    with torch.no_grad():
        assert real["logit"] == pytest.approx(trainer.D(own[row : row + 1].float() / 127.5 - 1).item(), abs=1e-3)
    for far in (40, next(row for row in range(40) if row not in near)):  # a link does not give all of them away
        assert "Only the nearest" in ask(client, f"w=run-{own_run.id}&seed=1&row={far}", "verdict")["why"]


def test_the_same_latent_is_drawn_by_every_state(client, runs, own_run):
    found = ask(client, f"w=run-{own_run.id}&seed=1", "snapshots")
    assert found["steps"] == [0, 16, 32, 40]
    trainer = Trainer(own_run.config, catalog.load(OWN, "train", runs.own_dir))
    z = latent_at(LatentSpec(1), own_run.config.z_dim, torch.empty(0, own_run.config.z_dim))
    for step, image in zip(found["steps"], images(found), strict=True):
        load_checkpoint(own_run.state_until(step), trainer)
        assert np.array_equal(to_uint8(trainer.sample(z))[0].numpy(), image)
    assert images(found)[-1].tobytes() == client.get(f"pixels?w=run-{own_run.id}&seed=1").content


def test_weights_without_a_run_say_what_they_lack(client):
    assert "without their discriminator" in ask(client, "w=by-class&seed=1&c=0", "verdict")["why"]
    assert "Early states" in ask(client, "w=by-class&seed=1&c=0", "snapshots")["why"]


@pytest.mark.slow
def test_a_damaged_or_foreign_state_is_said(inspector, runs):
    run, other = (runs.create(recipe, OWN, {"batch": 4, "total_steps": 1})[0] for recipe in ("dense", "mlp"))
    for each in (run, other):
        each.train()
    subject = inspector.subject(f"run-{run.id}", LatentSpec(1), None).result(PATIENCE)
    assert inspector.verdict(subject).result(PATIENCE).step == 1
    run.checkpoint_path.write_bytes(other.checkpoint_path.read_bytes())
    with pytest.raises(NotAvailable, match="other networks"):
        inspector.verdict(subject).result(PATIENCE)
    run.checkpoint_path.write_bytes(b"no checkpoint" * 9)
    with pytest.raises(NotAvailable, match="damaged"):
        inspector.verdict(subject).result(PATIENCE)


def test_layers_are_listed_and_shown(client):
    found = ask(client, "w=by-class&seed=3&c=4", "layers")
    assert found["layers"] == [
        {"kind": "dense", "channels": 16, "side": 7},
        {"kind": "transposed", "channels": 8, "side": 14},
        {"kind": "convolution", "channels": 1, "side": 28},
    ]
    assert images(found).shape == (16, 1, 7, 7) and found["low"] == 0 < found["high"]
    last = ask(client, "w=by-class&seed=3&c=4&layer=2", "layers")
    drawn = np.frombuffer(client.get("pixels?w=by-class&seed=3&c=4").content, np.uint8).astype(int)
    shown = images(last)[0, 0] / 255 * (last["high"] - last["low"]) + last["low"]
    wanted = np.minimum(drawn, (last["high"] + 1) * 127.5)
    assert np.abs((shown.ravel() + 1) * 127.5 - wanted).max() <= 2  # it is the picture itself


ROUTES = ("nearest", "verdict", "snapshots", "layers")


@pytest.mark.parametrize("route", ROUTES)
def test_a_strangers_guess_is_answered_as_everywhere(client, route):
    elsewhere = client.get("pixels?w=run-AAAAAAAAAAAA&seed=1")
    answer = client.get(f"made-of/{route}?w=run-AAAAAAAAAAAA&seed=1")
    assert answer.status_code == elsewhere.status_code == 404 and answer.json() == elsewhere.json()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("nearest?w=by-class&way=smell", "way must be"),
        *((f"{route}?w=by-class&seed=x", "seed must be") for route in ROUTES),
        ("layers?w=by-class&layer=3", "layer must be"),
        ("verdict?w=by-class&row=-1", "row must be"),
        ("nearest?seed=1", "which weights"),
        ("nearest?w=by-class&slot=,", "A slot is"),
    ],
)
def test_bad_queries_are_refused_in_words(client, query, words):
    answer = client.get(f"made-of/{query}")
    assert answer.status_code == 400 and words in answer.json()["error"]
