"""Files that are whole or not there: written beside their place and moved, whenever the process dies; what is wrong."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Either the old file or the whole new one exists, whenever the process dies. Raises OSError."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(part, "wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        os.replace(part, path)
    except OSError as e:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        e.filename, e.filename2 = str(path), None  # what was asked for, not our name for its half
        raise


def bytes_below(folder: Path) -> int:
    """Of all files in a folder and below, each once however many names it has."""
    sizes: dict[int, int] = {}
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                found = os.stat(os.path.join(root, name))
            except FileNotFoundError:  # replaced meanwhile
                continue
            sizes[found.st_ino] = found.st_size
    return sum(sizes.values())


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for a file that is replaced but never changed; a copy where the disk has no such names.

    Raises OSError; FileNotFoundError where there is no such file.
    """
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        write_atomically(target, source.read_bytes())


@contextmanager
def replacing(path: Path) -> Iterator:
    """A new binary file that takes the place of path at the end, or leaves no trace when something is raised."""
    file = tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False)  # noqa: SIM115
    try:
        with file:
            yield file
        os.replace(file.name, path)
    except BaseException:
        Path(file.name).unlink(missing_ok=True)
        raise


def brief(error: Exception) -> str:
    """What a library says of a file that may be a stranger's: its first line, printable, of at most 120 letters."""
    line = (str(error).splitlines() or [""])[0]
    return "".join(letter for letter in line if letter.isprintable())[:120] or type(error).__name__


def disk_is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
