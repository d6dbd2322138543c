"""A run as a zip: what is packed comes back, what should stay stays, and a stranger's zip writes nothing of its own."""

from __future__ import annotations

import errno
import io
import json
import re
import struct
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan.runs import archive
from gan.runs.archive import ArchiveError
from gan.runs.files import PICTURES
from tests import samples
from tests.damage import ODD, png_chunks, png_of


def zip_of(files: dict[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in files.items():
            z.writestr(name, content)
    return out


def changed(**contents: bytes | None) -> io.BytesIO:
    """The zip of the sample run with other files, _ for the dot of a name; None: without that file."""
    names = {name.replace("_", "."): content for name, content in contents.items()}
    return zip_of({name: content for name, content in (samples.run_files() | names).items() if content is not None})


def meta(**words: Any) -> bytes:
    return json.dumps(json.loads(samples.run_files()["run.json"]) | words).encode()


# What is taken over from the run.json of samples.run_files.
USUAL = {
    "title": "Test", "class_names": [], "status": "stopped", "dataset_count": 0, "pictures_count": 0, "real_labels": [],
    "format": 2,
}  # fmt: skip


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(zipped: Any, folder: Path) -> str:
    with pytest.raises(ArchiveError) as error:
        archive.unpack(zipped, folder)
    assert not folder.exists()
    return str(error.value)


# There and back ------------------------------------------------------------------------------------------------------


def test_all_files_come_back_byte_for_byte_but_for_the_owners_token(tmp_path: Path) -> None:
    config, about = archive.unpack(io.BytesIO(samples.zipped()), tmp_path / "run")
    back, original = files_in(tmp_path / "run"), samples.run_files()
    assert {k: v for k, v in back.items() if k != "run.json"} == {k: v for k, v in original.items() if k != "run.json"}
    assert json.loads(original["run.json"]).keys() - json.loads(back["run.json"]).keys() == {
        *("token_sha256", "more_tokens_sha256", "visitor"),
    }
    assert config == samples.config() and about == USUAL
    archive.pack(tmp_path / "run", again := io.BytesIO())
    archive.unpack(again, tmp_path / "again")
    assert files_in(tmp_path / "again") == back


def test_what_does_not_belong_to_a_run_stays_at_home(tmp_path: Path) -> None:
    folder = samples.put_run(
        tmp_path / "run", {"states/00000001.safetensors": b"x", ".run.json.1f": b"x", "a.py": b"x"}
    )
    archive.pack(folder, out := io.BytesIO())
    assert set(zipfile.ZipFile(out).namelist()) == set(samples.run_files())


@pytest.mark.slow
def test_a_large_best_state_stays_and_large_pictures_are_refused(tmp_path: Path, monkeypatch: Any) -> None:
    best, pictures = samples.state(), tmp_path / "own-1.safetensors"
    pictures.write_bytes(samples.prepared())
    folder = samples.put_run(tmp_path / "run", {"best.safetensors": best})
    for most, expected in ((len(best), {"best.safetensors"}), (len(best) - 1, set())):
        monkeypatch.setattr(archive, "MOST_BEST_BYTES", most)
        archive.pack(folder, out := io.BytesIO(), pictures)
        more = {PICTURES} | expected
        assert set(zipfile.ZipFile(out).namelist()) - set(samples.run_files()) == more
    assert zipfile.ZipFile(out).read(PICTURES) == samples.prepared()
    monkeypatch.setattr(archive, "MOST_PICTURES_BYTES", len(samples.prepared()) - 1)
    with pytest.raises(ArchiveError, match="Keep the files"):
        archive.pack(folder, io.BytesIO(), pictures)


# Zips of strangers ---------------------------------------------------------------------------------------------------

OURS = st.sampled_from([*samples.run_files(), "best.safetensors", PICTURES])
TRICKS = st.sampled_from(["../", "/", "./", "frames/", "\\", "C:", "\n", " ", ".", "x", "٣", "_"])


@pytest.mark.slow
@given(name=OURS, trick=TRICKS, at=st.integers(0, 30))
def test_no_name_but_ours_is_written(name: str, trick: str, at: int) -> None:
    other = name[:at] + trick + name[at:]
    with tempfile.TemporaryDirectory() as above:
        words = refused(zip_of({"run.json": meta(), other: b"x"}), Path(above, "run"))
        assert "not a run of ours" in words and words.isprintable() and not list(Path(above).iterdir())


RIGHT: dict[str, tuple[Any, ...]] = {  # of all that is odd
    "title": ("0", "é猫", "../x"),
    "dataset_title": ("0", "é猫", "../x"),
    "computes": ("0", "é猫", "../x"),
    "dataset_count": (0, 1, 7),
    "pictures_count": (0, 1, 7),
    "shown_seed": (0, 1, 7),
    "real_labels": ([],),
}
NAMES = (*RIGHT, "class_names", "created", "token_sha256", "kept", "shown", "tiles", "measure_share", "job")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_what_run_json_says_is_taken_over_only_where_it_is_right(tmp_path: Path, name: str) -> None:
    for i, value in enumerate(ODD):
        about = archive.unpack(zip_of({"run.json": meta(**{name: value})}), tmp_path / str(i))[1]
        right = any(type(value) is type(other) and value == other for other in RIGHT.get(name, ()))
        usual = {key: known for key, known in USUAL.items() if key != name or name == "class_names"}
        assert about == usual | ({name: value} if right else {}), value


@pytest.mark.parametrize("format", [None, 0, 3, -1, "1", 1.0, True, [1], {"a": 1}, "x" * 99])
def test_a_run_of_a_format_that_nobody_knows_is_refused(tmp_path: Path, format: object) -> None:
    words = refused(zip_of({"run.json": meta(format=format)}), tmp_path / "run")
    assert re.fullmatch(r"The run in this zip has format .{1,20}; this version reads formats 1 and 2\.", words)


def test_a_state_of_another_format_than_its_run_is_refused(tmp_path: Path) -> None:
    assert (
        refused(changed(run_json=meta(format=1)), tmp_path / "run")
        == "The checkpoint state in this zip belongs to another run."
    )


def huge_frame() -> bytes:
    """A PNG of some hundred bytes that says to have 3.6 thousand million pixels."""
    (kind, head), *rest = png_chunks(samples.sheet())
    return png_of([(kind, struct.pack(">II", 60_000, 60_000) + head[8:]), *rest])


def frame_of(step: int) -> bytes:
    return json.dumps({"step": step, "fake": [], "real": []}).encode() + b"\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({"run_json": None}, "run.json cannot be read"),
        ({"run_json": b"\xff"}, "run.json cannot be read"),
        ({"run_json": b"[]"}, "run.json cannot be read"),
        ({"run_json": meta(config={"z_dim": 0})}, "Latent size (z_dim) must be between 1 and 1024"),
        ({"run_json": meta(config=[])}, "settings in this file are not readable"),
        ({"frames_jsonl": frame_of(7)}, "frame of step 7 is missing"),
        ({"frames/00000001_png": huge_frame()}, "frame of step 1 in this zip cannot be read"),
        ({"frames/00000001_png": b""}, "frame of step 1 in this zip cannot be read"),
        ({"frames/00000001_png": samples.sheet()[:-40]}, "frame of step 1 in this zip cannot be read"),
        ({"best_safetensors": b"\x80\x04pickle"}, "best.safetensors is damaged"),
    ],
    ids=str,
)
def test_a_zip_that_cannot_be_a_run_is_refused_in_words(tmp_path: Path, contents: dict, words: str) -> None:
    assert words in refused(changed(**contents), tmp_path / "run")


def test_a_step_of_three_hundred_digits_is_no_step(tmp_path: Path) -> None:
    """No file could have its name; the history ends before it."""
    archive.unpack(changed(frames_jsonl=frame_of(0) + frame_of(10**300)), tmp_path / "run")


def test_a_listing_that_points_before_the_beginning(tmp_path: Path) -> None:
    data = bytearray(samples.zipped())
    at = data.rindex(b"PK\5\6") + 12  # the size of the listing in its last record
    data[at : at + 4] = struct.pack("<I", len(data))
    assert "not a readable zip" in refused(io.BytesIO(data), tmp_path / "run")


@pytest.mark.parametrize("limit", ["MAX_ENTRIES", "MAX_UNPACKED_BYTES"])
def test_the_whole_has_limits_too(tmp_path: Path, monkeypatch: Any, limit: str) -> None:
    files = samples.run_files()
    size = {"MAX_ENTRIES": len(files), "MAX_UNPACKED_BYTES": sum(map(len, files.values()))}[limit]
    monkeypatch.setattr(archive, limit, size)
    archive.unpack(changed(), tmp_path / "run")
    monkeypatch.setattr(archive, limit, size - 1)
    assert f"{(limit == 'MAX_ENTRIES' and 'entries') or 'unpacks to'}" in refused(changed(), tmp_path / "other")


def test_a_full_disk_is_no_fault_of_the_zip_and_leaves_no_folder(tmp_path: Path, monkeypatch: Any) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive, "_copy", full)
    with pytest.raises(OSError, match="No space"):
        archive.unpack(changed(), tmp_path / "run")
    assert not list(tmp_path.iterdir())
