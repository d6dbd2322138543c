"""`draw` in Python gives the pixels of the server's route, and refuses what is not meant."""

import numpy as np
import pytest
import torch
from PIL import Image

from gan.core.images import to_uint8
from gan.core.noise import sheet_latents
from gan.core.paths import ROOT
from gan.draw import draw
from gan.latent.directions import study
from gan.latent.query import PICTURE_KEYS, BadQuery, in_base64, label_of, read, spec_of, written
from gan.latent.spec import LatentSpec, Push, packed
from gan.models import weights_file as files
from gan.models.weights_file import WeightsError
from gan.serving.generator import RenderError
from gan.serving.renderer import Renderer
from tests.serving.test_renderer import draw as draw_with
from tests.serving.test_renderer import make


@pytest.fixture(scope="module")
def renderer():
    renderer = Renderer(ROOT / "weights")
    yield renderer
    renderer.close()


def random_queries(count: int, z_dim: int, classes: int) -> list[dict[str, str]]:
    """Whatever a link may hold, each part in half of them."""
    rng = np.random.default_rng(7)

    def pairs(most: int, keys: int, low: float, high: float) -> str:
        chosen = rng.choice(keys, rng.integers(1, most + 1), replace=False)
        return ",".join(f"{k}:{round(rng.uniform(low, high), 3):g}" for k in chosen)

    def vector(length: float) -> str:
        return in_base64((length * rng.normal(size=z_dim)).astype("<f2").tobytes())

    def query() -> dict[str, str]:
        names = ["thickness", "größer & 太い", "class-3"]
        parts = {
            "seed": str(rng.integers(0, 2**31)),
            "c": str(rng.integers(0, classes)) if classes else "",
            "m": pairs(3, 48, 0.05, 1),
            "d": pairs(4, 8, -3, 3),
            "z": pairs(5, z_dim, -4, 4),
            "u": ",".join(f"{n}:{rng.uniform(-3, 3):.2f}:{vector(0.1)}{':g' * (n == 'class-3')}" for n in names),
            "psi": f"{rng.uniform(0, 1):.2f}",
            "mix": f"{rng.integers(0, classes)}:{rng.uniform(0, 1):.2f}" if classes else "",
            "from": vector(1) if rng.random() < 0.5 else f"tile:{rng.integers(0, 40)}",
        }
        kept = {key: text for key, text in parts.items() if text and (key in "seed c" or rng.random() < 0.5)}
        if "u" in kept and rng.random() < 0.5:
            kept["lock"] = "thickness"
        return {key: kept[key] for key in PICTURE_KEYS if key in kept}

    return [query() for _ in range(count)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "z_dim", "classes"), [("mnist", 164, 0), ("mnist-conditional", 64, 10)])
def test_any_state_is_the_same_from_its_text_and_in_python(renderer, name, z_dim, classes):
    for query in random_queries(12, z_dim, classes):
        text = written(query)
        assert read(text) == query and spec_of(read(text)) == spec_of(query)
        route = draw_with(renderer, name, spec_of(query), label_of(query.get("c", "")))
        torch.set_num_threads(2)  # whoever calls may have any
        picture = draw(name, text)
        assert torch.get_num_threads() == 2
        assert np.array_equal(picture.pixels, route[0])
        assert picture.origin.query == text and picture.origin.weights == name


def test_the_picture_of_a_sheet_is_that_which_is_shown(renderer):
    """Tiles of a run and pictures of the study are batches; a link draws one of them alone."""
    network = renderer.newest("mnist-conditional").network
    with torch.inference_mode():
        tiles = to_uint8(network(sheet_latents("tile", 8, 64), torch.arange(40) % 10)).numpy()
    for i in (0, 17, 39):
        alone = draw("mnist-conditional", f"seed=8&from=tile:{i}&c={i % 10}").pixels
        assert np.abs(alone.astype(int) - tiles[i]).max() <= 1
    seen = study(network, 1000)
    for row in (3, 999):
        alone = draw("mnist-conditional", f"seed=0&from=study:{row}&c={row % 10}").pixels
        assert np.abs(alone.astype(int) - seen.images[row].numpy()).max() <= 1


def test_copied_lines_save_the_same_picture_elsewhere(tmp_path, monkeypatch):
    """In another process: tests/e2e/test_share.py."""
    push = Push("a b", 1.5, packed(torch.linspace(-0.3, 0.3, 64)))
    query = written({"seed": "5", "c": "4", "u": f"{push.key}:{push.amount}:{in_base64(push.vector)}"})
    here = draw("mnist-conditional", query)
    code = here.origin.python("mnist-conditional", "shipped with GAN Forge", "four.png")
    assert len(code.splitlines()) <= 6
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert (tmp_path / "four.png").read_bytes() == here.origin.png(here.pixels)
    assert spec_of(read(query)) == LatentSpec(5, directions=(push,))


def test_a_weights_file_draws_and_is_named_by_its_content(tmp_path):
    files.save(tmp_path / "mine.safetensors", make())
    picture = draw(tmp_path / "mine.safetensors", "seed=5&c=4")
    renderer = Renderer(tmp_path)
    try:
        name = renderer.open_file((tmp_path / "mine.safetensors").read_bytes())
        drawn, digest = draw_with(renderer, name, LatentSpec(5), 4), renderer.newest(name).digest
    finally:
        renderer.close()
    assert (picture.origin.weights, picture.origin.digest) == (name, digest)
    assert np.array_equal(picture.pixels, drawn[0])
    picture.save(tmp_path / "four.png", scale=2)
    assert np.asarray(Image.open(tmp_path / "four.png")).shape == (56, 56)


def test_the_digest_stands_for_the_content(tmp_path):
    same = [make(seed=3, step=step, total_steps=100 + step) for step in (1, 2)]
    assert files.digest(same[0]) == files.digest(same[1]) == files.digest(files.from_bytes(files.to_bytes(same[0])))
    others = [make(seed=4), make(seed=3, width=6), files.from_bytes(files.to_bytes(same[0], half=True))]
    assert len({files.digest(w) for w in [same[0], *others]}) == 4
    files.save(tmp_path / "mine.safetensors", same[0])
    with pytest.raises(WeightsError, match="are not those of the picture"):
        draw(tmp_path / "mine.safetensors", digest=files.digest(others[0]))


@pytest.mark.parametrize(
    ("weights", "query", "error", "words"),
    [
        ("nowhere", "", WeightsError, "there are faces, fashion-mnist-conditional, mnist, mnist-conditional, monsters"),
        ("metric-mnist", "", WeightsError, "no shipped weights"),
        ("nowhere.safetensors", "", WeightsError, "cannot be read"),
        ("mnist", "w=mnist&seed=1", BadQuery, "A picture has no 'w'"),
        ("mnist", "hello", BadQuery, "A picture has no 'hello'"),
        ("mnist", "seed=-1", BadQuery, "whole number"),
        ("mnist", "c=1", RenderError, "no classes"),
    ],
)
def test_what_cannot_be_drawn_is_said(weights, query, error, words):
    with pytest.raises(error, match=words):
        draw(weights, query)
