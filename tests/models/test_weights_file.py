"""Weights files: what is written comes back, what is hostile is refused in words and quickly."""

import contextlib
import json
import struct
import time
from dataclasses import replace

import pytest
import safetensors.torch
import torch

from gan.core.config import Config
from gan.models import build_generator
from gan.models import weights_file as files
from gan.models.weights_file import KEY, Weights, WeightsError
from gan.recipes.catalog import make_config

RECIPES = ["quick", "quick-conditional", "mlp", "dense", "dcgan-upsample", "dcgan-transposed", "conv-small"]


def make(recipe="quick-conditional", **changes) -> Weights:
    few = {} if recipe == "quick-conditional" else {"clusters": 16}
    config = make_config(recipe, "mnist", **{"z_dim": 64} | few | changes)
    network = build_generator(config, torch.Generator().manual_seed(0))
    names = tuple("0123456789") if config.classes else ()
    return Weights(config, "Test", names, 1234, network.state_dict(), "made by a test")


@pytest.fixture(scope="module")
def good() -> bytes:
    return files.to_bytes(make("quick", width=8))


def taken_apart(data: bytes) -> tuple[dict, bytes]:
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def put_together(header: dict | str, body: bytes) -> bytes:
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(text)) + text + body


def ours(header: dict) -> dict:
    return json.loads(header["__metadata__"][KEY])


def with_ours(header: dict, **changes) -> dict:
    return header | {"__metadata__": {KEY: json.dumps(ours(header) | changes)}}


# ---- round trip ----


@pytest.mark.parametrize("recipe", RECIPES)
def test_float32_comes_back_bit_for_bit(recipe, tmp_path):
    weights = make(recipe)
    files.save(tmp_path / "w.safetensors", weights)
    back = files.load(tmp_path / "w.safetensors")
    assert (back.config, back.title, back.class_names, back.step, back.about) == (
        weights.config, weights.title, weights.class_names, weights.step, weights.about,
    )  # fmt: skip
    assert list(back.state) and set(back.state) == set(weights.state)
    assert all(torch.equal(back.state[k], v) and back.state[k].dtype == v.dtype for k, v in weights.state.items())


def test_the_rebuilt_generator_draws_the_same_picture():
    weights = make()
    network = build_generator(weights.config, torch.Generator().manual_seed(0)).eval()
    z, c = torch.randn(4, 64, generator=torch.Generator().manual_seed(1)), torch.arange(4)
    assert torch.equal(files.build(files.from_bytes(files.to_bytes(weights)))(z, c), network(z, c))


def test_half_precision_halves_the_file_and_keeps_statistics_whole():
    weights = make()
    whole, half = files.to_bytes(weights), files.to_bytes(weights, half=True)
    assert len(half) < 0.52 * len(whole)
    back = files.from_bytes(half)
    for name, tensor in weights.state.items():
        assert back.state[name].dtype == tensor.dtype
        assert torch.equal(back.state[name], tensor.half().float() if tensor.dim() >= 2 else tensor)


def test_half_precision_keeps_what_does_not_fit_into_it():
    weights = make("quick", width=8)
    name = next(k for k, v in weights.state.items() if v.dim() == 2)
    state = dict(weights.state) | {name: torch.full_like(weights.state[name], 1e6)}
    assert files.from_bytes(files.to_bytes(replace(weights, state=state), half=True)).state[name].max() == 1e6


def test_the_library_reads_the_same_tensors_and_equal_weights_give_equal_files():
    weights = make()
    data = files.to_bytes(weights)
    assert data == files.to_bytes(weights)
    other = safetensors.torch.load(data)
    assert all(torch.equal(other[k], v) for k, v in files.from_bytes(data).state.items())


def test_peek_reads_the_labels_only(tmp_path):
    files.save(tmp_path / "w.safetensors", make())
    peeked = files.peek(tmp_path / "w.safetensors")
    assert (peeked.title, peeked.step, dict(peeked.state)) == ("Test", 1234, {})


def test_weights_that_are_not_finite_are_not_written(tmp_path):
    weights = make("quick", width=8)
    state = {k: v.clone() for k, v in weights.state.items()}
    next(iter(state.values())).view(-1)[0] = float("nan")
    with pytest.raises(WeightsError, match="not finite"):
        files.save(tmp_path / "w.safetensors", replace(weights, state=state))
    assert not list(tmp_path.iterdir())


# ---- hostile files ----


def refused(data: bytes, words: str) -> None:
    start = time.thread_time()  # of this thread: others may be busy
    with pytest.raises(WeightsError) as caught:
        files.from_bytes(data)
    sentence = str(caught.value)
    assert words in sentence, sentence
    assert sentence.endswith((".", ":")) and "\n" not in sentence and len(sentence) < 500
    assert time.thread_time() - start < 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "shorter than"),
        (b"\x00" * 8, "does not begin"),
        (b"GIF89a" + b"x" * 100, "does not begin"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "does not begin"),
        (struct.pack("<Q", 2**63) + b"{}", "does not begin"),
        (struct.pack("<Q", 100) + b"{}", "does not begin"),
        (put_together("[" * 100_000, b""), "cannot be read"),
        (put_together('{"a":' * 20_000, b""), "cannot be read"),
        (put_together("[1, 2]", b""), "cannot be read"),
        (put_together('{"a": 1, "a": 2}', b""), "cannot be read"),
        (put_together(f'{{"a": {"9" * 5000}}}', b""), "cannot be read"),
        (struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc" + b"x", "cannot be read"),
        (put_together({}, b""), "not made by GAN Forge"),
        (put_together({"__metadata__": {KEY: "[" * 50_000}}, b""), "not made by GAN Forge"),
        (put_together({"__metadata__": [1]}, b""), "not made by GAN Forge"),
        (safetensors.torch.save({"x": torch.zeros(2)}, {"format": "pt"}), "not made by GAN Forge"),
    ],
)
def test_what_is_not_ours_is_refused(data, words):
    refused(data, words)


def test_a_large_file_is_refused_by_its_size_alone(tmp_path):
    path = tmp_path / "large.safetensors"
    with path.open("wb") as file:
        file.truncate(files.MAX_FILE_BYTES + 1)
    with pytest.raises(WeightsError, match="at most 64 MB"):
        files.load(path)
    refused(b"x" * (files.MAX_FILE_BYTES + 1), "at most 64 MB")


def test_a_missing_file_is_named(tmp_path):
    for read in (files.load, files.peek):
        with pytest.raises(WeightsError, match=r"none\.safetensors cannot be read"):
            read(tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 99}, "format version 99"),
        ({"config": None}, "cannot be used"),
        ({"config": {"self": 1}}, "cannot be used"),
        ({"config": {"width": 10**400}}, "cannot be used"),
        ({"config": {"z_dim": -1}}, "cannot be used"),
        ({"config": {"z_dim": "64"}}, "cannot be used"),
        ({"config": {"model": "transformer"}}, "no networks named 'transformer'"),
        ({"config": {"import os": 1}}, "no setting named"),
        ({"config": {"model": "conv-small-as-printed"}}, "56×56"),
        ({"config": {"model": "quick", "size": 30}}, "cannot be used"),
        ({"class_names": ["a"]}, "must name its 0 classes"),
        ({"class_names": None}, "must name its 0 classes"),
        ({"step": -1}, "how many steps"),
        ({"step": True}, "how many steps"),
        ({"title": "x" * 300}, "title"),
        ({"title": "line\nbreak"}, "title"),
        ({"title": {"a": 1}}, "title"),
    ],
)
def test_bad_labels_are_refused(good, changes, words):
    header, body = taken_apart(good)
    refused(put_together(with_ours(header, **changes), body), words)


def test_weights_of_another_architecture_name_the_first_difference(good):
    header, body = taken_apart(good)
    config = ours(header)["config"]
    rows = header[first := "layers.0.weight"]["shape"][0]
    for changes in ({"width": 16}, {"width": 128, "z_dim": 512}, {"model": "mlp"}):
        other = Config.from_dict(config | changes)
        shape = "×".join(map(str, files.meta_generator(other).state_dict()[first].shape))
        words = f"{first} is {rows}×80, but {other.model!r} needs {shape}"
        refused(put_together(with_ours(header, config=other.to_dict()), body), words)


def entry(header: dict) -> str:
    return next(name for name in header if name.endswith("weight"))


def change_entry(good: bytes, **changes) -> bytes:
    header, body = taken_apart(good)
    header[entry(header)] |= changes
    return put_together(header, body)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dtype": "F64"}, "only F32, F16 and I64"),
        ({"dtype": "BOOL"}, "only F32, F16 and I64"),
        ({"dtype": ["F32"]}, "only F32, F16 and I64"),
        ({"dtype": "I64"}, "wrong kind of number"),
        ({"dtype": "F16"}, "wrong number of bytes"),
        ({"shape": [2**50, 2**50]}, "does not describe"),
        ({"shape": [-1, 64]}, "does not describe"),
        ({"shape": [1.5]}, "does not describe"),
        ({"shape": [True, 64]}, "does not describe"),
        ({"shape": "64"}, "does not describe"),
        ({"shape": [64, 1]}, "another architecture"),
        ({"data_offsets": [0]}, "does not describe"),
        ({"data_offsets": None}, "does not describe"),
        ({"data_offsets": [5, 1]}, "damaged"),
        ({"data_offsets": [0, 2**39]}, "damaged"),
        ({"data_offsets": [4, 8]}, "damaged"),
    ],
)
def test_bad_tensor_descriptions_are_refused(good, changes, words):
    refused(change_entry(good, **changes), words)


def test_missing_extra_hidden_and_truncated_tensors_are_refused(good):
    header, body = taken_apart(good)
    missing = {k: v for k, v in header.items() if k != entry(header)}
    refused(put_together(missing, body), "damaged")
    state = {name: t.contiguous() for name, t in make("quick", width=8).state.items()}
    first, *rest = state
    labels = header["__metadata__"]
    refused(safetensors.torch.save({k: state[k] for k in rest}, labels), f"needs {first}, which is missing")
    refused(safetensors.torch.save(state | {"layers.99.evil": torch.zeros(3)}, labels), "has no layers.99.evil")
    refused(good + b"hidden", "damaged")
    refused(good[:-4], "damaged")
    many = {f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(2000)}
    refused(put_together(many | {"__metadata__": labels}, b""), "at most 1,000")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(good, value):
    header, body = taken_apart(good)
    start = header[entry(header)]["data_offsets"][0]
    refused(put_together(header, body[:start] + struct.pack("<f", value) + body[start + 4 :]), "not finite")


def test_any_single_flipped_byte_of_the_header_is_harmless(good):
    """Whatever a header says, reading it ends in weights or in a sentence, never in another exception."""
    length = 8 + struct.unpack("<Q", good[:8])[0]
    rng = torch.Generator().manual_seed(0)
    for _ in range(150):
        span = int(torch.randint(length, (1,), generator=rng))
        data = bytearray(good)
        data[span] ^= 1 << int(torch.randint(8, (1,), generator=rng))
        with contextlib.suppress(WeightsError):
            files.from_bytes(bytes(data))
