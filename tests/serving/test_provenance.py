"""How a picture was made: what Python writes into a PNG the page reads, and nothing else; and the other way round.

The page's reader runs in node, as it stands in gan/web/static.
"""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gan.core.images import png_bytes
from gan.core.version import VERSION
from gan.latent.query import PICTURE_KEYS, BadQuery, read, written
from gan.serving.provenance import FORMAT_VERSION, KEY, PROGRAM, Provenance
from tests import samples
from tests.conftest import not_here
from tests.damage import ODD, hurt_png, hurt_tree, png_chunks, png_of

# Each line in: {bytes, origin?}; each line out: what the page makes of the file, or the key of its sentence.
_READER = """
import { createInterface } from "node:readline";
import { OriginError, originOf, withOrigin } from "./engine/provenance.js";
const base64 = (bytes) => Buffer.from(bytes).toString("base64");
async function answer({ bytes, origin }) {
  const data = Uint8Array.from(Buffer.from(bytes, "base64"));
  if (origin) return { bytes: base64(withOrigin(data, origin)) };
  return originOf(Object.assign(new Blob([data]), { name: "picture.png" }));
}
for await (const line of createInterface({ input: process.stdin })) {
  const found = await answer(JSON.parse(line)).catch((error) =>
    error instanceof OriginError ? { refused: error.key, values: error.values } : { error: String(error.stack) });
  console.log(JSON.stringify(found));
}
"""
Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """page(file, **origin): what the page's script makes of a file, or the file with that origin in it."""
    node = shutil.which("node")
    if node is None:
        not_here("No node was found, in which the page's reader could run (Debian: apt-get install nodejs).")
    folder = shutil.copytree("gan/web/static", tmp_path_factory.mktemp("page") / "static")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "reader.js").write_text(_READER)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    with subprocess.Popen([node, "reader.js"], cwd=folder, **pipes) as process:

        def ask(file: bytes, **origin: Any) -> dict[str, Any]:
            question = {"bytes": base64.b64encode(file).decode(), "origin": origin or None}
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            found = json.loads(process.stdout.readline())
            assert "error" not in found, found["error"]
            return found

        yield ask
        process.stdin.close()


def picture(side: int = 3, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(side).integers(0, 256, (channels, side, side), dtype=np.uint8)


def with_words(text: str) -> bytes:
    return png_bytes(picture().transpose(1, 2, 0), words={KEY: text})


ORIGIN = Provenance("mnist", "0123456789abcdef" * 2, samples.LINK)
LETTERS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
ORIGINS = st.builds(
    Provenance,
    st.text("abcXYZ019_.-", min_size=1, max_size=100),
    st.text("0123456789abcdef", min_size=32, max_size=32),
    st.dictionaries(st.sampled_from(PICTURE_KEYS), LETTERS).map(written),
)


@pytest.mark.slow
@given(origin=ORIGINS, side=st.integers(1, 6), channels=st.sampled_from([1, 3]), scale=st.integers(1, 3))
def test_the_page_reads_what_python_wrote(page: Ask, origin: Provenance, side: int, channels: int, scale: int) -> None:
    pixels = picture(side, channels)
    file = origin.png(pixels, scale)
    assert page(file) == {"weights": origin.weights, "digest": origin.digest, "query": read(origin.query)}
    shown = np.asarray(Image.open(io.BytesIO(file))).reshape(side * scale, side * scale, channels)
    assert np.array_equal(shown[::scale, ::scale].transpose(2, 0, 1), pixels)  # and the picture is what it was


@given(origin=ORIGINS)
def test_python_reads_what_the_page_wrote(page: Ask, origin: Provenance) -> None:
    plain = png_bytes(picture().transpose(1, 2, 0))
    told = {"weights": origin.weights, "digest": origin.digest, "query": origin.query, "madeWith": VERSION}
    file = base64.b64decode(page(plain, **told)["bytes"])
    shown = Image.open(io.BytesIO(file))
    assert np.array_equal(np.asarray(shown), picture()[0])
    assert json.loads(shown.text[KEY]) == json.loads(origin.words())
    assert page(file) == page(origin.png(picture(), 1))


PIECES = [
    "seed=",
    "c=",
    "from=",
    "&",
    "=",
    "+",
    "%",
    "%20",
    "%26",
    "%3D",
    "%00",
    "%c3%a9",
    "%e0",
    "%80",
    "%ff",
    "%zz",
    "7",
]


@given(
    pieces=st.lists(st.sampled_from(PIECES) | st.text(st.characters(min_codepoint=33, max_codepoint=126)), max_size=9)
)
def test_both_read_the_same_from_any_query(page: Ask, pieces: list[str]) -> None:
    """Percent and plus signs, broken letters and keys that stand twice mean the same to both, or both refuse."""
    text = "".join(pieces)
    found = page(with_words(Provenance("mnist", "0" * 32, text).words()))
    try:
        wanted = read(text)
    except BadQuery:  # a query of nothing but separators too, which says nothing to the page
        assert found.get("refused") == "share.strange_origin" or found["query"] == {}
    else:
        assert found["query"] == wanted


# What is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_file_with_any_byte_changed_or_cut_off_is_refused(page: Ask) -> None:
    """Every byte, each in several ways: a checksum finds any change of up to 32 bits that stand together."""
    file = ORIGIN.png(picture(), 1)
    assert "query" in page(file)
    for at in range(len(file)):
        for mask in (0x01, 0x80, 0xFF):
            changed = bytearray(file)
            changed[at] ^= mask
            assert page(bytes(changed)).get("refused") in ("share.broken", "share.not_png"), (at, mask)
        assert page(file[:at]).get("refused") in ("share.broken", "share.not_png"), at
        assert page(file[:at] + file[at + 1 :]).get("refused") in ("share.broken", "share.not_png"), at


@given(rng=st.randoms(use_true_random=False))
def test_a_damaged_picture_is_the_same_origin_or_refused(page: Ask, rng: Any) -> None:
    file = ORIGIN.png(picture(), 1)
    found = page(hurt_png(file, rng))
    assert "refused" in found or found == page(file)


@given(rng=st.randoms(use_true_random=False))
def test_whatever_the_words_say_is_an_origin_or_refused(page: Ask, rng: Any) -> None:
    words = hurt_tree(json.loads(ORIGIN.words()), rng)
    found = page(with_words(json.dumps(words)))
    if "refused" in found:
        assert found["refused"] in ("share.strange_origin", "share.other_version")
    else:
        assert words["program"] == PROGRAM and words["version"] == FORMAT_VERSION
        assert (found["weights"], found["query"]) == (words["weights"], read(words["query"]))


@pytest.mark.parametrize("field", ["program", "version", "weights", "digest", "query"])
def test_no_odd_value_is_taken_or_shown_at_any_length(page: Ask, field: str) -> None:
    for value in ODD:
        found = page(with_words(json.dumps(json.loads(ORIGIN.words()) | {field: value})))
        right = {"version": [1, True], "weights": ["0"], "query": ["", "0"]}  # of all that is odd
        if "refused" not in found:
            assert field in ("weights", "query", "version") and value in right[field], value
        assert all(len(str(shown)) <= 20 for shown in found.get("values", {}).values())


def test_the_words_are_one_chunk_that_any_program_reads(page: Ask) -> None:
    file = ORIGIN.png(picture())
    chunks = list(png_chunks(file))
    assert png_of(chunks) == file  # checksums as the PNG specification says
    assert [body for kind, body in chunks if kind == b"tEXt"] == [f"{KEY}\0{ORIGIN.words()}".encode("ascii")]
    assert json.loads(ORIGIN.words())["made_with"] == VERSION
