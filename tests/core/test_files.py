"""Files are whole or not there, and a stranger's words about them fit into a sentence."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan.core.files import brief, disk_is_full, replacing, write_atomically


def test_a_file_is_replaced_as_a_whole_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for data in (b"long before", b"", b"new"):
        write_atomically(path, data)
        assert path.read_bytes() == data and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_when_the_disk_refuses_the_old_file_stays_alone(tmp_path: Path, monkeypatch: Any, call: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "its part")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError) as error:
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
    assert disk_is_full(error.value) and error.value.filename == str(path)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_is_written_piece_by_piece_takes_its_place_at_the_end(tmp_path: Path, error: type) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(error), replacing(path) as file:
        file.write(b"half")
        assert path.read_bytes() == b"old"
        raise error
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
    with replacing(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new" and list(tmp_path.iterdir()) == [path]


def test_only_a_full_disk_is_full() -> None:
    assert disk_is_full(OSError(errno.ENOSPC, "")) and disk_is_full(OSError(errno.EDQUOT, ""))
    assert not any(map(disk_is_full, (OSError(errno.EACCES, ""), OSError("No space left"), ValueError())))


@given(st.text(max_size=400))
def test_what_a_library_says_fits_into_a_sentence(text: str) -> None:
    assert brief(ValueError(text)).isprintable() and 0 < len(brief(ValueError(text))) <= 120
