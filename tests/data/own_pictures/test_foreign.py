"""Prepared files from strangers: taken in as what they hold, or refused in words; nothing they say is trusted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan.data.catalog import describe, load
from gan.data.own_pictures import Summary, take_in
from gan.data.pictures import DataError, Split, content_digest, name_of, read_pictures, write_pictures

LABELS = np.arange(20) % 2


def split(labels: np.ndarray, seed: int = 0, size: int = 8, channels: int = 1) -> Split:
    shape = (len(labels), channels, size, size)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8).tobytes()
    return Split(shape, labels, lambda: [pixels])


def written(folder: Path, splits: list[Split], classes: Any = ("cat", "dog"), **words: str) -> tuple[Path, str]:
    """(a file as a stranger might make it, the name of what it holds)"""
    path = folder / "theirs.safetensors"
    write_pictures(path, splits, {"title": "pets", "classes": json.dumps(classes)} | words)
    kinds = classes if isinstance(classes, list | tuple) else ()
    return path, name_of(content_digest(splits, list(map(str, kinds))))


@pytest.fixture
def own_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "own"
    folder.mkdir()
    yield folder


def test_a_set_comes_over_whole(tmp_path: Path, own_dir: Path) -> None:
    told = Summary("pets", 20, 4, (("cat", 10), ("dog", 10)), 3, ("3 could not be read.",))
    path, name = written(tmp_path, [split(LABELS), split(LABELS[:4], 1)], summary=told.to_json())
    assert take_in(path, name, own_dir) == (name, told)
    kept = describe(name, own_dir)  # by all who have the same pictures
    assert kept.summary == Summary("Own pictures", 20, 4, told.classes) and kept.title == "Own pictures"
    for part in ("train", "test"):
        theirs, ours = read_pictures(path, name, part), load(name, part, own_dir)
        assert theirs.images.equal(ours.images) and theirs.labels.equal(ours.labels)
        assert theirs.class_names == ours.class_names


@pytest.mark.parametrize(
    ("splits", "classes"),
    [
        ([split(LABELS[:15])], ["cat", "dog"]),  # too few
        ([split(LABELS, size=4)], ["cat", "dog"]),
        ([split(LABELS, size=300)], ["cat", "dog"]),
        ([split(LABELS * 0)], ["cat"]),
        ([split(LABELS)], ["cat", "cat"]),
        ([split(LABELS)], ["cat", ""]),
        ([split(LABELS)], ["cat", "d\u202eog"]),
        ([split(LABELS)], ["cat", "d\nog"]),
        ([split(LABELS)], ["cat", "d" * 41]),
        ([split(LABELS)], [f"{i}" for i in range(101)]),
        ([split(LABELS + 1)], ["cat", "dog"]),
        ([split(LABELS - 1)], ["cat", "dog"]),
        ([split(LABELS), split(LABELS + 1)], ["cat", "dog"]),
        ([split(LABELS)], {"cat": 1}),
        ([split(LABELS)], 5),
        ([split(LABELS)], None),
    ],
)
def test_what_this_program_would_not_have_written_is_refused(
    tmp_path: Path, own_dir: Path, splits: list[Split], classes: Any
) -> None:
    path, name = written(tmp_path, splits, classes)
    with pytest.raises(DataError, match="damaged, or not those"):
        take_in(path, name, own_dir)
    assert list(own_dir.iterdir()) == []


def test_deeply_nested_words_are_refused_or_left_out(tmp_path: Path, own_dir: Path) -> None:
    path, name = written(tmp_path, [split(LABELS)], summary="[" * 200_000)
    assert take_in(path, name, own_dir).summary == Summary("pets", 20, 0, (("cat", 10), ("dog", 10)))
    path, name = written(tmp_path, [split(LABELS, 1)], **{"classes": "[" * 200_000})
    with pytest.raises(DataError, match="damaged, or not those"):
        take_in(path, name, own_dir)


def test_another_name_or_a_long_header_is_refused(tmp_path: Path, own_dir: Path) -> None:
    path, name = written(tmp_path, [split(LABELS)])
    for wrong in ("own-000000000000", "mnist", "../x"):
        with pytest.raises(DataError, match="damaged, or not those"):
            take_in(path, wrong, own_dir)
    path, name = written(tmp_path, [split(LABELS)], more="x" * (2 << 20))
    with pytest.raises(DataError, match="damaged, or not those"):
        take_in(path, name, own_dir)


WORDS = st.text(max_size=700) | st.sampled_from(["<b>x</b>", "a\nb", "\u202e" * 9])


@pytest.mark.slow
@settings(deadline=None, max_examples=100)
@given(
    WORDS,
    st.lists(WORDS, max_size=30),
    st.integers(-(2**70), 2**70),
    st.lists(st.tuples(WORDS, st.integers()), max_size=3),
)
def test_words_are_taken_over_as_plain_words_and_numbers_counted_anew(
    tmp_path_factory: Any, title, notes, skipped, classes
) -> None:
    folder = tmp_path_factory.mktemp("words")
    told = json.dumps({"title": title, "count": -5, "test": 9, "classes": classes, "skipped": skipped, "notes": notes})
    path, name = written(folder, [split(LABELS)], title=title, summary=told)
    made = take_in(path, name, folder).summary
    assert (made.count, made.test, made.classes) == (20, 0, (("cat", 10), ("dog", 10)))
    assert made.skipped == min(max(0, skipped), 10**9) and len(made.notes) >= min(1, sum(map(str.isalnum, notes[:20])))
    assert all(note.isprintable() and 0 < len(note) <= 500 for note in made.notes) and len(made.notes) <= 20
    assert made.title.isprintable() and 0 < len(made.title) <= 60
    assert describe(name, folder).summary == made.public()


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", '"x"', "null", "[]"])
def test_numbers_that_are_none_are_counted_anew(tmp_path: Path, own_dir: Path, number: str) -> None:
    told = Summary("theirs", 20, 0, (), 3, ("Untrue.",)).to_json().replace('"count": 20', f'"count": {number}')
    path, name = written(tmp_path, [split(LABELS)], summary=told)
    assert take_in(path, name, own_dir).summary == Summary("pets", 20, 0, (("cat", 10), ("dog", 10)))


@pytest.mark.slow
@settings(deadline=None, max_examples=400)
@given(st.data())
def test_whatever_is_changed_is_refused_in_words_or_changes_nothing(tmp_path_factory: Any, data: st.DataObject) -> None:
    """Bytes of a real file, mostly of its header, are changed, removed or added."""
    folder = tmp_path_factory.mktemp("bytes")
    path, name = written(folder, [split(LABELS), split(LABELS[:4], 1)], summary=Summary("pets", 20).to_json())
    real, body = read_pictures(path, name), bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 500) | st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path.write_bytes(body)
    try:
        take_in(path, name, folder)
    except DataError as refused:
        assert "damaged, or not those" in str(refused) and not (folder / f"{name}.safetensors").exists()
    else:
        taken = load(name, "train", folder)
        assert np.array_equal(
            taken.images.numpy(), np.frombuffer(b"".join(split(LABELS).images()), np.uint8).reshape(20, 1, 8, 8)
        )
        assert taken.class_names == real.class_names
