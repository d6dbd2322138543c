"""The renderer: the same request, the same bytes; newest wins; training beside it notices nothing."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
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
from gan.serving.renderer import (
    KEPT_FILES,
    MAX_WAITING,
    Busy,
    Keyframe,
    KeyframePath,
    Near,
    Renderer,
    RenderError,
    Superseded,
    UnknownWeights,
)
from gan.training.trainer import Trainer
from tests.conftest import PATIENCE

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


def draw(renderer, name="by-class", spec=PLACE, label=4, near=None) -> np.ndarray:
    return renderer.pixels(name, spec, label, near).result(PATIENCE).images


def straight(frames: int) -> KeyframePath:
    return KeyframePath((Keyframe(LatentSpec(1), 0), Keyframe(LatentSpec(2), 0)), "lerp", frames)


# ---- exactness ----


def test_the_same_request_gives_the_same_bytes_in_another_process(renderer, shelf):
    script = (
        "import sys; from pathlib import Path; from gan.latent.spec import LatentSpec;"
        "from gan.serving.renderer import Renderer;"
        f"p = Renderer(Path({str(shelf)!r})).pixels('by-class', {PLACE!r}, 4).result().images;"
        "sys.stdout.buffer.write(p.tobytes())"
    )
    other = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True, timeout=120)
    assert other.stdout == draw(renderer).tobytes()


def test_the_picture_is_the_generators_own(renderer, shelf):
    network = files.build(files.load(shelf / "by-class.safetensors"))
    ready_latent = torch.tensor(renderer.numbers("by-class", PLACE).result(PATIENCE))[None]
    with torch.inference_mode():
        x = network(ready_latent, torch.tensor([4]))
    assert np.array_equal(draw(renderer), ((x + 1) * 127.5).round().clamp(0, 255).byte().numpy())


def test_a_picture_does_not_depend_on_its_neighbours(renderer):
    alone = draw(renderer)
    together = draw(renderer, near=Near(16, 0, 0.4))
    assert together.shape == (17, 1, 28, 28) and np.array_equal(together[:1], alone)
    there = LatentSpec(3, ((5, 0.5), (9, 0.4)), {0: 1.5}, {7: -0.5})
    assert np.array_equal(draw(renderer, spec=there)[0], together[1 + 9])


def test_the_ends_of_a_path_are_the_pictures_of_its_ends(renderer):
    film = (
        renderer.path("by-class", KeyframePath((Keyframe(PLACE, 2), Keyframe(LatentSpec(8), 7)), "slerp", 19))
        .result(PATIENCE)
        .images
    )
    assert len(film) == 19
    assert np.array_equal(film[:1], draw(renderer, label=2))
    assert np.array_equal(film[-1:], draw(renderer, spec=LatentSpec(8), label=7))


def test_a_path_between_groups_blends_them(renderer, shelf):
    """The votes of latents on the way would jump; the picture half way is of half one group and half the other."""
    a, b = LatentSpec(1), LatentSpec(2)
    film = renderer.path("plain", KeyframePath((Keyframe(a), Keyframe(b)), "lerp", 3)).result(PATIENCE).images
    for spec, picture in ((a, film[:1]), (b, film[2:])):
        assert np.array_equal(picture, draw(renderer, "plain", spec, None))
    network = files.build(files.load(shelf / "plain.safetensors"))
    za, zb = (torch.tensor(renderer.numbers("plain", spec).result(PATIENCE))[None] for spec in (a, b))
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


def test_the_thread_count_of_others_stays_as_it_was(shelf):
    seen = {}

    def look(name):
        thread = threading.Thread(target=lambda: seen.update({name: torch.get_num_threads()}))
        thread.start()
        thread.join()

    torch.set_num_threads(2)
    renderer = Renderer(shelf)
    try:
        draw(renderer)
        look("later thread")
        seen["this thread"] = torch.get_num_threads()
        seen["renderer"] = renderer._worker.submit(torch.get_num_threads).result(PATIENCE)
    finally:
        renderer.close()
        torch.set_num_threads(1)
    assert seen == {"later thread": 2, "this thread": 2, "renderer": 1}


def test_the_source_of_a_run_is_not_changed(shelf):
    weights = make()
    before = {k: v.clone() for k, v in weights.state.items()}
    renderer = Renderer(shelf, lambda _: ("1", 1, weights.config, weights.class_names, weights.state))
    draw(renderer, "run-x", near=Near(4))
    renderer.close()
    assert all(torch.equal(before[k], v) for k, v in weights.state.items())


# ---- newest wins ----


def held(renderer):
    """Keep the renderer's thread busy until the returned event is set."""
    started, go = threading.Event(), threading.Event()
    renderer._worker.submit(lambda: (started.set(), go.wait(PATIENCE)))
    assert started.wait(PATIENCE)
    return go


def test_only_the_newest_waiting_request_of_a_lane_is_drawn(renderer):
    go = held(renderer)
    older = [renderer.pixels("plain", LatentSpec(seed), lane="page") for seed in range(20)]
    other = renderer.pixels("plain", LatentSpec(99), lane="another page")
    newest = renderer.pixels("plain", LatentSpec(20), lane="page")
    go.set()
    assert np.array_equal(newest.result(PATIENCE).images, draw(renderer, "plain", LatentSpec(20), None))
    assert np.array_equal(other.result(PATIENCE).images, draw(renderer, "plain", LatentSpec(99), None))
    for future in older:
        with pytest.raises(Superseded):
            future.result(PATIENCE)


def test_a_request_being_drawn_is_finished(renderer):
    first = renderer.pixels("plain", LatentSpec(1), lane="page")
    first.result(PATIENCE)
    second = renderer.pixels("plain", LatentSpec(2), lane="page")
    assert second.result(PATIENCE).images.shape == (1, 1, 28, 28)


def test_too_many_waiting_requests_are_sent_away(renderer):
    go = held(renderer)
    waiting = [renderer.pixels("plain", LatentSpec(0)) for _ in range(MAX_WAITING)]
    with pytest.raises(Busy):
        renderer.pixels("plain", LatentSpec(0))
    go.set()
    assert all(f.result(PATIENCE) for f in waiting)


def test_a_slider_need_not_wait_for_a_long_path(renderer):
    order = []
    alone = draw(renderer, spec=LatentSpec(5), label=0)
    go = held(renderer)
    waiting = {
        "first path": renderer.path("by-class", straight(100)),
        "neighbours": renderer.pixels("by-class", LatentSpec(5), 0, Near(16)),
        "slider": renderer.pixels("by-class", LatentSpec(5), 0),
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
    path = renderer.path("by-class", straight(240))
    slider = renderer.pixels("by-class", LatentSpec(5), 0)
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
        w = now["weights"]
        return now["stamp"], int(now["stamp"]), w.config, w.class_names, lambda: (reads.append(1), w.state)[1]

    renderer = Renderer(shelf, source)
    first = renderer.pixels("run-abc", PLACE, 4).result(PATIENCE)
    again = renderer.pixels("run-abc", PLACE, 4).result(PATIENCE)
    now.update(stamp="2", weights=make(seed=2))
    second = renderer.pixels("run-abc", PLACE, 4).result(PATIENCE)
    assert (first.stamp, second.stamp, second.step) == ("1", "2", 2)
    assert np.array_equal(first.images, again.images) and not np.array_equal(first.images, second.images)
    assert len(reads) == 2 and len(renderer._ready) == 1
    with pytest.raises(UnknownWeights):
        renderer.pixels("run-other", PLACE).result(PATIENCE)
    renderer.close()


# ---- names and limits ----


def test_the_shelf_lists_generators_only(renderer):
    assert sorted(renderer.shipped()) == ["by-class", "plain"]


@pytest.mark.parametrize("name", ["nope", "../secret", "metric-mnist", "run-1", "file-0", "", "a/b", "."])
def test_unknown_weights_are_refused(renderer, name):
    with pytest.raises(UnknownWeights):
        draw(renderer, name)


def test_a_broken_file_says_so_and_the_renderer_lives_on(renderer):
    with pytest.raises(files.WeightsError, match="not a weights file"):
        draw(renderer, "broken")
    assert draw(renderer).shape == (1, 1, 28, 28)


@pytest.mark.parametrize(
    ("name", "spec", "label", "words"),
    [
        ("by-class", LatentSpec(), 10, "classes 0 to 9"),
        ("plain", LatentSpec(), 0, "no classes"),
        ("plain", LatentSpec(principal={8: 1.0}), None, "no direction 8"),
        ("plain", LatentSpec(fixed={64: 1.0}), None, "no latent dimension 64"),
    ],
)
def test_what_these_weights_cannot_do_is_said(renderer, name, spec, label, words):
    with pytest.raises(RenderError, match=words):
        draw(renderer, name, spec, label)


def test_opened_files_are_drawn_and_the_oldest_forgotten(renderer):
    names = [renderer.open_file(files.to_bytes(make(seed=seed))) for seed in range(KEPT_FILES + 1)]
    assert renderer.open_file(files.to_bytes(make(seed=1))) == names[1]
    assert renderer.about(names[-1]).result(PATIENCE)["classes"] == 10
    with pytest.raises(UnknownWeights, match="open it again"):
        draw(renderer, names[0])
    with pytest.raises(files.WeightsError):
        renderer.open_file(b"x" * 100)


def test_about_tells_what_a_page_needs(renderer):
    about = renderer.about("by-class").result(PATIENCE)
    assert (about["z_dim"], about["classes"], about["size"], about["channels"]) == (64, 10, 28, 1)
    assert len(about["directions"]) == 8 and 0 < about["directions"][0]["share"] < 1
