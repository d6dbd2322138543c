"""The renderer: the same request, the same bytes; newest wins; training beside it notices nothing."""

import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gan.core.paths import ROOT
from gan.latent.spec import LatentSpec
from gan.models import build_generator
from gan.models import weights_file as files
from gan.models.weights_file import Weights
from gan.recipes.catalog import make_config
from gan.serving.renderer import KEPT_FILES, Renderer, UnknownWeights
from gan.serving.requests import Keyframe, KeyframePath, Near
from gan.serving.worker import Job, Superseded
from gan.training.trainer import Trainer
from tests.conftest import PATIENCE

pytestmark = pytest.mark.slow

PLACE = LatentSpec(3, ((5, 0.5),), {0: 1.5}, {7: -0.5})


def make(recipe="quick-conditional", seed=0, step=10, **changes) -> Weights:
    groups = 0 if recipe == "quick-conditional" else 16
    config = make_config(recipe, "mnist", **{"width": 8, "z_dim": 64, "clusters": groups} | changes)
    state = build_generator(config, torch.Generator().manual_seed(seed)).state_dict()
    return Weights(config, recipe, tuple("0123456789") if config.classes else (), step, state)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    files.save(folder / "by-class.safetensors", make())
    files.save(folder / "plain.safetensors", make("quick"))
    files.save(folder / "metric-mnist.safetensors", make("quick"))
    (folder / "broken.safetensors").write_bytes(b"not weights at all")
    return folder


@pytest.fixture
def renderer(shelf):
    renderer = Renderer(shelf)
    yield renderer
    renderer.close()


def ask(renderer, name, method, *arguments, **options) -> Job:
    """What a method of the generator makes of these arguments."""
    return renderer.ask(name, lambda generator, check: getattr(generator, method)(*arguments, check), **options)


def draw(renderer, name="by-class", spec=PLACE, label=4, near=None) -> np.ndarray:
    return ask(renderer, name, "pixels", spec, label, near).result(PATIENCE).images


def straight(frames: int) -> KeyframePath:
    return KeyframePath((Keyframe(LatentSpec(1), 0), Keyframe(LatentSpec(2), 0)), "lerp", frames)


# ---- exactness ----


def test_the_same_request_gives_the_same_bytes_in_another_process(renderer, shelf):
    script = (
        "import sys; from pathlib import Path; from gan.latent.spec import LatentSpec;"
        "from gan.serving.renderer import Renderer;"
        f"r = Renderer(Path({str(shelf)!r}));"
        f"drawn = r.ask('by-class', lambda generator, check: generator.pixels({PLACE!r}, 4, None, check)).result();"
        "sys.stdout.buffer.write(drawn.images.tobytes())"
    )
    other = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True, timeout=120)
    assert other.stdout == draw(renderer).tobytes()


def test_the_picture_is_the_generators_own(renderer, shelf):
    network = files.build(files.load(shelf / "by-class.safetensors"))
    latent = torch.tensor(renderer.newest("by-class").latent(PLACE))[None]
    with torch.inference_mode():
        x = network(latent, torch.tensor([4]))
    assert np.array_equal(draw(renderer), ((x + 1) * 127.5).round().clamp(0, 255).byte().numpy())


def test_a_picture_does_not_depend_on_its_neighbours(renderer):
    alone = draw(renderer)
    together = draw(renderer, near=Near(16, 0, 0.4))
    assert together.shape == (17, 1, 28, 28) and np.array_equal(together[:1], alone)
    there = LatentSpec(3, ((5, 0.5), (9, 0.4)), {0: 1.5}, {7: -0.5})
    assert np.array_equal(draw(renderer, spec=there)[0], together[1 + 9])


def test_the_ends_of_a_path_are_the_pictures_of_its_ends(renderer):
    way = KeyframePath((Keyframe(PLACE, 2), Keyframe(LatentSpec(8), 7)), "slerp", 19)
    film = ask(renderer, "by-class", "path", way).result(PATIENCE).images
    assert len(film) == 19
    assert np.array_equal(film[:1], draw(renderer, label=2))
    assert np.array_equal(film[-1:], draw(renderer, spec=LatentSpec(8), label=7))


def test_a_path_between_groups_blends_them(renderer, shelf):
    """The votes of latents on the way would jump; the picture half way is of half one group and half the other."""
    a, b = LatentSpec(1), LatentSpec(2)
    way = KeyframePath((Keyframe(a), Keyframe(b)), "lerp", 3)
    film = ask(renderer, "plain", "path", way).result(PATIENCE).images
    for spec, picture in ((a, film[:1]), (b, film[2:])):
        assert np.array_equal(picture, draw(renderer, "plain", spec, None))
    network = files.build(files.load(shelf / "plain.safetensors"))
    za, zb = (torch.tensor(renderer.newest("plain").latent(spec))[None] for spec in (a, b))
    with torch.inference_mode():
        x = network((za + zb) / 2, (network.vote(za) + network.vote(zb)) / 2)
    assert np.abs(film[1:2].astype(int) - ((x + 1) * 127.5).round().clamp(0, 255).numpy()).max() <= 1


def test_sliders_change_the_picture(renderer):
    pictures = {
        draw(renderer, spec=LatentSpec(3, (), d, z)).tobytes() for d, z in [({}, {}), ({0: 2}, {}), ({}, {1: 2})]
    }
    assert len(pictures) == 3
    assert not np.array_equal(draw(renderer, label=1), draw(renderer, label=2))


# ---- leaving others alone ----


def test_training_beside_a_busy_renderer_is_bit_for_bit_the_same(renderer, random_pictures):
    def learn(steps=4):
        trainer = Trainer(make_config("quick", "mnist", width=8, batch=16), random_pictures)
        for _ in range(steps):
            trainer.step()
        return trainer.G.state_dict()

    alone = learn()
    stop = threading.Event()

    def pester():
        while not stop.is_set():
            draw(renderer, near=Near(16))

    with ThreadPoolExecutor(2) as pool:
        pesters = [pool.submit(pester) for _ in range(2)]
        torch.manual_seed(1)
        before = torch.get_rng_state()
        together = learn()
        stop.set()
        [p.result() for p in pesters]
    assert all(torch.equal(alone[k], together[k]) for k in alone)
    assert torch.equal(before, torch.get_rng_state())


def test_the_source_of_a_run_is_not_changed(shelf):
    weights = make()
    before = {k: v.clone() for k, v in weights.state.items()}
    renderer = Renderer(shelf, lambda _: ("1", lambda: weights))
    draw(renderer, "run-x", near=Near(4))
    renderer.close()
    assert all(torch.equal(before[k], v) for k, v in weights.state.items())


# ---- who waits for whom ----


def held(renderer):
    """Keep the thread that draws busy until the returned event is set."""
    started, go = threading.Event(), threading.Event()
    renderer.ask("plain", lambda *_: (started.set(), go.wait(PATIENCE)))
    assert started.wait(PATIENCE)
    return go


def test_only_the_newest_waiting_request_of_a_slot_is_drawn(renderer):
    go = held(renderer)
    older, newest = (ask(renderer, "plain", "pixels", LatentSpec(seed), None, None, slot="page") for seed in (1, 2))
    go.set()
    assert np.array_equal(newest.result(PATIENCE).images, draw(renderer, "plain", LatentSpec(2), None))
    with pytest.raises(Superseded):
        older.result(PATIENCE)


def test_a_slider_need_not_wait_for_a_long_path(renderer):
    order = []
    alone = draw(renderer, spec=LatentSpec(5), label=0)
    go = held(renderer)
    waiting = {
        "first path": ask(renderer, "by-class", "path", straight(100)),
        "neighbours": ask(renderer, "by-class", "pixels", LatentSpec(5), 0, Near(16)),
        "slider": ask(renderer, "by-class", "pixels", LatentSpec(5), 0, None, urgent=True),
    }
    for name, future in waiting.items():
        future.add_done_callback(lambda _, name=name: order.append(name))
    go.set()
    drawn = {name: future.result(PATIENCE).images for name, future in waiting.items()}
    assert order == ["slider", "first path", "neighbours"]
    assert np.array_equal(drawn["slider"], alone) and np.array_equal(drawn["neighbours"][:1], alone)


def test_a_slider_passes_in_the_middle_of_a_path(renderer):
    draw(renderer)
    order = []
    path = ask(renderer, "by-class", "path", straight(240))
    slider = ask(renderer, "by-class", "pixels", LatentSpec(5), 0, None, urgent=True)
    for name, future in (("path", path), ("slider", slider)):
        future.add_done_callback(lambda _, name=name: order.append(name))
    assert slider.result(PATIENCE).images.shape == (1, 1, 28, 28)
    assert path.result(PATIENCE).images.shape == (240, 1, 28, 28)
    assert order == ["slider", "path"]


# ---- weights of a run ----


def test_newer_weights_of_a_run_are_used_and_older_ones_forgotten(shelf):
    now = {"stamp": "1", "weights": make(seed=1)}
    reads = []

    def source(run_id):
        if run_id != "abc":
            raise KeyError(run_id)
        return now["stamp"], lambda: (reads.append(1), replace(now["weights"], step=int(now["stamp"])))[1]

    renderer = Renderer(shelf, source)
    first, again = (ask(renderer, "run-abc", "pixels", PLACE, 4, None).result(PATIENCE) for _ in range(2))
    older = weakref.ref(renderer.newest("run-abc"))
    now.update(stamp="2", weights=make(seed=2))
    second = ask(renderer, "run-abc", "pixels", PLACE, 4, None).result(PATIENCE)
    assert (first.stamp, second.stamp, second.step) == ("1", "2", 2)
    assert np.array_equal(first.images, again.images) and not np.array_equal(first.images, second.images)
    assert len(reads) == 2 and older() is None
    with pytest.raises(UnknownWeights):
        draw(renderer, "run-other")
    renderer.close()


# ---- names and limits ----


def test_the_shipped_generators_are_listed_and_nothing_else(renderer):
    assert sorted(renderer.shipped()) == ["by-class", "plain"]


@pytest.mark.parametrize("name", ["nope", "../secret", "metric-mnist", "run-1", "file-0", "", "a/b", "."])
def test_unknown_weights_are_refused(renderer, name):
    with pytest.raises(UnknownWeights):
        draw(renderer, name)


def test_a_broken_file_says_so_and_the_renderer_lives_on(renderer):
    with pytest.raises(files.WeightsError, match="not a weights file"):
        draw(renderer, "broken")
    assert draw(renderer).shape == (1, 1, 28, 28)


def test_opened_files_are_drawn_and_the_oldest_forgotten(renderer):
    names = [renderer.open_file(files.to_bytes(make(seed=seed))) for seed in range(KEPT_FILES + 1)]
    assert renderer.open_file(files.to_bytes(make(seed=1))) == names[1]
    assert renderer.newest(names[-1]).config.classes == 10
    with pytest.raises(UnknownWeights, match="open it again"):
        draw(renderer, names[0])
    with pytest.raises(files.WeightsError):
        renderer.open_file(b"x" * 100)
