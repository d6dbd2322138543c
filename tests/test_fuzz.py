"""Every reader of foreign bytes, given damaged ones: it reads them, or it refuses in one sentence of its own.

Never another exception, never more memory than such a file may need, and always an end. A plain run tries a few cases;
the thorough test goes on with others for a while. What fails names its seed.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gan.core.config import Config, ConfigError
from gan.core.images import split_grid
from gan.data import pictures
from gan.data.catalog import DataError
from gan.data.own_pictures.decode import read_one
from gan.data.own_pictures.summary import Summary
from gan.latent import directions, query
from gan.models import weights_file
from gan.runs import archive
from gan.runs.history import RECORDS, History
from gan.runs.meta import new_meta
from gan.runs.run import Run
from gan.training import checkpoint
from tests import samples
from tests.damage import (
    STATM,
    hurt,
    hurt_json,
    hurt_lines,
    hurt_png,
    hurt_safetensors,
    hurt_text,
    hurt_tree,
    hurt_zip,
    limited,
    seeds_for_a_while,
)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # warnings of libraries about damaged files
MEBIBYTES, PATIENCE = 400, 60  # for one damaged file of a few kilobytes, on a busy machine
LETTERS = "&=:,.-+%?#;0123456789eginfax_~ \t"  # that mean something in a link, or nearly
_trainer = cache(samples.make_trainer)


class Reader(NamedTuple):
    """good: what it reads. read: (bytes, empty folder) -> something, or one of `refuses`."""

    good: Callable[[], bytes]
    damage: Callable[[bytes, random.Random], bytes]
    read: Callable[[bytes, Path], Any]
    refuses: tuple[type[Exception], ...] = ()
    cases: int = 40


def refused(read: Callable[[], Any], allowed: tuple[type[Exception], ...]) -> Exception | None:
    """The refusal, which must be one sentence; None where it is read."""
    try:
        read()
    except allowed as error:
        words = str(error)
        assert words.isprintable() and 10 < len(words) < 700, words
        return error
    return None


# Readers -------------------------------------------------------------------------------------------------------------


def on_disk(name: str, error: type[Exception], *ways: Callable[[Path], Any]) -> Callable[[bytes, Path], None]:
    """Reads a file of this name in all these ways, even when one refuses it."""

    def read(data: bytes, folder: Path) -> None:
        (folder / name).write_bytes(data)
        refusals = [refused(partial(way, folder / name), (error,)) for way in ways]
        if any(refusals):
            raise next(filter(None, refusals))

    return read


def a_place(data: bytes, _folder: Path) -> None:
    """What a link says is the same when it is written again."""
    parts = query.read(data.decode())
    query.label_of(parts.get("c", ""))
    assert query.spec_of(query.read(query.written(parts))) == query.spec_of(parts)


def settings(data: bytes, _folder: Path) -> None:
    found = Config.from_dict(json.loads(data))
    assert Config.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def a_history(name: str, data: bytes, folder: Path) -> None:
    """Nothing in it is refused: what can be read is, and writing goes on behind that."""
    history = History(samples.put_run(folder, {name: data}))
    samples.add_records(history, range(9, 10))
    history.flush()
    again = History(folder)
    for kind in RECORDS:
        assert again.all(kind) == history.all(kind), kind


def an_opened_run(data: bytes, folder: Path) -> None:
    Run(samples.put_run(folder, {"run.json": data}))


def a_zip(data: bytes, folder: Path) -> None:
    """Whatever it holds, nothing is written beside the new folder; what was unpacked can be opened."""
    (folder / "it.zip").write_bytes(data)
    try:
        config, about = archive.unpack(folder / "it.zip", folder / "run")
    except archive.ArchiveError:
        assert [path.name for path in folder.iterdir()] == ["it.zip"]
        raise
    new_meta(config, **about).write(folder / "run")  # as the registry does, over what was in the zip
    Run(folder / "run")


def inside(rng: random.Random, name: str, content: bytes) -> bytes:
    damages = {".json": hurt_json, ".jsonl": hurt_lines, ".csv": hurt_lines, ".png": hurt_png}
    return damages.get(Path(name).suffix, partial(hurt_safetensors, key="gan-forge"))(content, rng)


def other_settings(data: bytes, rng: random.Random) -> bytes:
    return json.dumps(hurt_tree(json.loads(data), rng)).encode()


HISTORY = tuple(record.file for record in RECORDS.values())
READERS = {
    "weights": Reader(
        samples.weights,
        partial(hurt_safetensors, key=weights_file.KEY),
        on_disk(
            "w.safetensors",
            weights_file.WeightsError,
            weights_file.peek,
            lambda path: weights_file.build(weights_file.load(path)),
        ),
        (weights_file.WeightsError,),
    ),
    "checkpoint": Reader(
        samples.state,
        partial(hurt_safetensors, key="gan-forge"),
        on_disk(
            "checkpoint.safetensors",
            checkpoint.CheckpointError,
            checkpoint.read_header,
            checkpoint.shown_generator_state,
            checkpoint.discriminator_state,
            lambda path: checkpoint.load_checkpoint(path, _trainer()),
            lambda path: checkpoint.rewrite_checkpoint(path, samples.config().changed(batch=8), {"d": 0.1}),
        ),
        (checkpoint.CheckpointError,),
    ),
    "prepared pictures": Reader(
        samples.prepared,
        partial(hurt_safetensors, key="classes"),
        on_disk(
            "own-1.safetensors",
            DataError,
            pictures.read_header,
            pictures.content_name,
            lambda path: pictures.read_splits(path, path.stem),
        ),
        (DataError,),
    ),
    "run as a zip": Reader(
        samples.zipped, lambda data, rng: hurt_zip(data, rng, partial(inside, rng)), a_zip, (archive.ArchiveError,)
    ),
    "run.json": Reader(
        lambda: samples.run_files()["run.json"], hurt_json, an_opened_run, (checkpoint.CheckpointError, ConfigError)
    ),
    **{
        name: Reader(partial(lambda n: samples.run_files()[n], name), hurt_lines, partial(a_history, name), cases=15)
        for name in HISTORY
    },
    "frame": Reader(samples.sheet, hurt_png, lambda data, _: split_grid(data, 40, 8, 28, 1), (ValueError,)),
    "large frame": Reader(samples.large_sheet, hurt, lambda data, _: split_grid(data, 40, 8, 40, 3), (ValueError,)),
    "picture": Reader(samples.sheet, hurt_png, lambda data, _: read_one(data, 28, 1), (DataError,)),
    "link": Reader(
        samples.LINK.encode,
        lambda data, rng: hurt_text(data.decode(), rng, LETTERS).encode(),
        a_place,
        (query.BadQuery,),
        300,
    ),
    "settings": Reader(
        lambda: json.dumps(samples.config().to_dict()).encode(), other_settings, settings, (ConfigError,), 200
    ),
    "directions": Reader(
        samples.directions,
        hurt_json,
        lambda data, _: directions.from_text(data.decode(errors="replace"), 4),
        (directions.DirectionError,),
        200,
    ),
    "summary": Reader(
        lambda: json.dumps(samples.SUMMARY).encode(),
        hurt_json,
        lambda data, _: Summary.stored(data.decode(errors="replace")),
    ),
}


# The loop ------------------------------------------------------------------------------------------------------------


def one_more(name: str, seed: int, folder: Path) -> bool:
    """Whether damaged bytes, which are a function of the seed, were read."""
    reader = READERS[name]
    data = reader.damage(reader.good(), random.Random(seed))
    folder.mkdir()
    try:
        with limited(MEBIBYTES, PATIENCE):
            return refused(partial(reader.read, data, folder), reader.refuses) is None
    except Exception as error:
        raise AssertionError(f"{name}, seed {seed}: {error!r} at {data[:300]!r}") from error
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", READERS)
def test_good_bytes_are_read(name: str, tmp_path: Path) -> None:
    """What is damaged below is sound before."""
    READERS[name].read(READERS[name].good(), tmp_path)


@pytest.mark.parametrize("name", READERS)
def test_damaged_bytes_are_read_or_refused_in_words(name: str, tmp_path: Path) -> None:
    for seed in range(READERS[name].cases):
        one_more(name, seed, tmp_path / "it")


@pytest.mark.thorough
def test_whatever_else_is_sent_too(tmp_path: Path) -> None:
    """All readers in turn for a while."""
    for seed in seeds_for_a_while(20):
        for name in READERS:
            one_more(name, seed, tmp_path / "it")


@pytest.mark.skipif(not STATM.exists(), reason="This system does not say how much memory a process has.")
def test_a_reader_that_takes_too_much_memory_would_be_noticed() -> None:
    """A test of the limits that all readers run under."""
    with pytest.raises(MemoryError), limited(MEBIBYTES, PATIENCE):
        bytearray(MEBIBYTES << 26)  # 64 times as much: some hundred megabytes may lie free from earlier tests


def test_a_reader_that_finds_no_end_would_be_noticed() -> None:
    with pytest.raises(AssertionError, match="did not come to an end"), limited(MEBIBYTES, 1):
        while True:
            pass
