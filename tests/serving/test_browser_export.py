"""What a browser is sent of a generator: everything its picture depends on, exactly, and only where it should draw."""

import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gan.latent.spec import principal_directions
from gan.models import MODELS, meta_discriminator, meta_generator
from gan.models import weights_file as files
from gan.recipes.catalog import RECIPES, make_config
from gan.serving import browser_export
from gan.serving.browser_export import KINDS, MAX_BYTES, PageWeightsError
from tests.serving.test_renderer import make

SHIPPED = sorted(p for p in Path("weights").glob("*.safetensors") if not p.name.startswith("metric-"))


def parts(data: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    """The header, and the tensors by name, read as the format says."""
    length = struct.unpack("<I", data[:4])[0]
    header, body = json.loads(data[4 : 4 + length]), data[4 + length :]
    tensors = {e["name"]: np.frombuffer(body, e["type"], e["count"], e["at"]) for e in header["tensors"]}
    return header, tensors


def packed(weights: files.Weights) -> bytes:
    network = files.build(weights)
    directions = principal_directions(network)[0]
    return browser_export.to_bytes(
        network, directions, {"size": weights.config.size, "channels": weights.config.channels}
    )


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_weights_are_small_and_lose_nothing(path):
    weights = files.load(path)
    data = packed(weights)
    header, tensors = parts(data)
    assert len(data) < MAX_BYTES
    first = weights.state["layers.0.weight"].T.flatten()  # stored with 16 bits, so nothing is rounded here
    assert tensors["0.weight"].dtype == np.float16 and np.array_equal(tensors["0.weight"].astype("f"), first.numpy())
    assert tensors["directions"].size == header["directions"] * header["z_dim"]
    if header["codes"]:
        assert np.array_equal(tensors["odds"].astype("f"), weights.state["odds"].numpy())


def test_the_page_knows_the_same_kinds_of_layers():
    script = Path("gan/web/static/engine/layers.js").read_text(encoding="utf-8")
    names = re.search(r"KINDS = \{([^}]*)\}", script).group(1)
    assert tuple(name.strip() for name in names.split(",")) == KINDS
    written = {layer.kind for n in _PAGE_MODELS for layer in browser_export.layers_of(meta_generator(_config(n)))}
    judges = browser_export.layers_of_discriminator(meta_discriminator(make_config("quick")), 1, 28)
    assert written | {layer.kind for layer in judges} == set(KINDS)


@pytest.mark.parametrize("recipe", ["dcgan-upsample", "sngan"])
def test_discriminators_that_the_page_cannot_compute_are_refused_in_words(recipe):
    network = meta_discriminator(make_config(recipe))
    with pytest.raises(PageWeightsError, match="layer"):
        browser_export.layers_of_discriminator(network, 1, 28)


_PAGE_MODELS = [n for n in MODELS if n != "conv-small-as-printed"]


def _config(model: str):
    if model == "skip":
        return make_config("quick").changed(model=model, size=64, channels=3)
    return next(r.config for r in RECIPES.values() if r.config.model == model)


@pytest.mark.parametrize("recipe", ["quick", "quick-conditional", "quick-colour", "dense", "mlp", "conv-small"])
def test_a_page_is_sent_what_it_draws_quickly(recipe):
    browser_export.check(meta_generator(make_config(recipe)))


@pytest.mark.parametrize("recipe", ["dcgan-upsample", "dcgan-transposed"])
def test_what_a_page_would_draw_slowly_stays_on_the_server(recipe):
    with pytest.raises(PageWeightsError, match=r"^One picture takes \d+ million multiplications; .* faster\.$"):
        browser_export.check(meta_generator(make_config(recipe)))


def test_weights_that_would_be_too_large_are_refused_before_a_number_is_read():
    with pytest.raises(PageWeightsError, match=r"would be 3\.\d MB"):
        browser_export.check(meta_generator(make_config("quick", "mnist", width=16, z_dim=1024, clusters=0)))


def test_an_unknown_layer_is_refused():
    network = files.build(make("quick"))
    network.layers[2] = nn.GELU()
    with pytest.raises(PageWeightsError, match="GELU"):
        browser_export.check(network)


def test_numbers_of_32_bits_are_kept_while_there_is_room():
    small = make("quick")
    _, tensors = parts(packed(small))
    assert tensors["0.weight"].dtype == np.float32
    assert np.array_equal(tensors["0.weight"], small.state["layers.0.weight"].T.flatten().numpy())
    large = make("quick", z_dim=164, clusters=100, width=32)
    data = packed(large)
    _, tensors = parts(data)
    assert len(data) < MAX_BYTES and tensors["0.weight"].dtype == np.float16
    wanted = large.state["layers.0.weight"].T.flatten()
    assert torch.allclose(torch.from_numpy(tensors["0.weight"].astype("f")), wanted, atol=6e-5)
    assert tensors["1.scale"].dtype == np.float32 and tensors["odds"].dtype in (np.float32, np.float16)


def test_no_number_lies_at_an_odd_place():
    data = packed(make("quick", channels=3, width=5))
    header, _ = parts(data)
    assert struct.unpack("<I", data[:4])[0] % 4 == 0 and all(e["at"] % 4 == 0 for e in header["tensors"])
