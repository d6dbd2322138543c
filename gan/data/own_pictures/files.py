"""What a person gave, sorted by the names: pictures, tables beside them, and the rest; from files, a folder or a zip.

Bytes are counted while they are read (headers lie), and nothing from a zip touches the disk.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

from gan.core.messages import say
from gan.data.own_pictures import summary
from gan.data.own_pictures.decode import MOST_FILE_BYTES, Readable, Unreadable, read_bounded, readable_suffixes
from gan.data.own_pictures.layout import natural, printable
from gan.data.own_pictures.tables import MOST_TABLES, SIDECARS, is_table
from gan.data.own_pictures.zip_names import names_of
from gan.data.pictures import DataError

MOST_FILES = 60_000  # of a zip or a folder
MOST_DIRECTORY_BYTES = 32 << 20  # of a zip's table of contents
MOST_UNPACKED_BYTES = 4 << 30  # all pictures, compressed, out of their zip
MOST_LOOKED_AT = 20 * MOST_FILES  # files of a folder, pictures or not


# A file still to be read: its path for messages and classes, and a function that reads its bytes.
File = tuple[str, Callable[[], bytes]]


@dataclass
class Given:
    """What a person gave, sorted into what will be read and what will not."""

    title: str
    pictures: list[File] = field(default_factory=list)
    tables: dict[str, Callable[[], bytes]] = field(default_factory=dict)  # what may say the classes
    others: list[str] = field(default_factory=list)  # names of files that are neither
    notes: list[str] = field(default_factory=list)
    skipped: int = 0  # files of which a note tells
    folders: set[str] = field(default_factory=set)  # that hold no picture, as far as they tell something

    def add(self, name: str, read: Callable[[], bytes]) -> None:
        """One more file, by the ending of its name; hidden ones and those of the system are not worth a word."""
        if _is_rubbish(name):
            return
        if _suffix(name) in readable_suffixes():
            self.pictures.append((name, read))
        elif is_table(name) and len(self.tables) < MOST_TABLES:
            self.tables[name] = read
        else:
            self.leave(name)

    def leave(self, name: str) -> None:
        """A file that is no picture to this program."""
        if _is_rubbish(name):
            return
        self.others.append(name)
        if summary.is_picture(_suffix(name)):
            self.folders.add(name.replace("\\", "/").rpartition("/")[0])


def _suffix(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).suffix.lower()


def _is_rubbish(name: str) -> bool:
    """Hidden files, and those that macOS and Windows leave in folders and zips."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    hidden = any((p.startswith(".") and p not in (".", "..")) or p == "__MACOSX" for p in parts)
    return hidden or not parts or parts[-1].lower() in ("thumbs.db", "desktop.ini", "icon\r")


# ---- single files, a folder ----


def from_files(files: Iterable[tuple[str, Readable | Path]], others: Iterable[str], title: str) -> Given:
    """Files that were chosen one by one: all count as pictures, whatever their names end in, but tables."""
    given = Given(title)
    for name, file in files:
        read = partial(_read_file, file)
        if _suffix(name) in SIDECARS:  # a table, or of another program
            given.add(name, read)
        elif not _is_rubbish(name):
            given.pictures.append((name, read))
        if len(given.pictures) > MOST_FILES:
            raise DataError(say("data.too_many_files", most=MOST_FILES))
    for name in others:
        given.leave(name)
        if len(given.others) > MOST_FILES:
            raise DataError(say("data.too_many_files", most=MOST_FILES))
    return given


def _read_file(file: Readable | Path) -> bytes:
    try:
        if not isinstance(file, Path):
            return read_bounded(file)
        if not file.is_file():  # a pipe or a device would never end
            raise Unreadable(say("data.is_no_file"))
        with file.open("rb") as opened:
            return read_bounded(opened)
    except OSError as error:
        raise Unreadable(say("data.is_not_to_be_read", strerror=error.strerror)) from None


def from_folder(path: Path) -> tuple[Given, list[tuple[str, Path]]]:
    """(what is below a folder, the files that are read of it by their names relative to it). Raises DataError."""
    if not path.is_dir():
        raise DataError(say("data.no_folder", path=path))
    found = _walk(path)
    given = Given(path.resolve().name)
    given.folders |= set(found.empty)
    for name, file in found.files:
        given.add(name, partial(_read_file, file))
    if len(given.pictures) > MOST_FILES:
        raise DataError(say("data.folder_too_many_pictures", folder=path, most=MOST_FILES))
    if found.links:
        given.notes.append(summary.not_followed(found.links, "folder"))
    if found.closed:
        given.notes.append(summary.not_opened(found.closed))
    read = {name for name, _ in given.pictures} | set(given.tables)
    return given, [file for file in found.files if file[0] in read]


@dataclass
class _Below:
    """What is below a folder, by names relative to it; hidden folders are not looked into."""

    files: list[tuple[str, Path]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)  # to folders
    empty: list[str] = field(default_factory=list)  # folders with nothing in them
    closed: list[str] = field(default_factory=list)  # folders that may not be read


def _walk(path: Path) -> _Below:
    below = _Below()

    def name_of(inside: Path | str) -> str:
        return Path(inside).relative_to(path).as_posix()

    for at, folders, names in os.walk(path, onerror=lambda error: below.closed.append(name_of(error.filename))):
        inside = Path(at)
        folders[:] = sorted(folder for folder in folders if not _is_rubbish(folder))
        below.files += [(name_of(inside / name), inside / name) for name in names]
        below.links += [name_of(inside / folder) for folder in folders if (inside / folder).is_symlink()]
        if not folders and not names:
            below.empty.append(name_of(inside))
        if len(below.files) > MOST_LOOKED_AT:
            raise DataError(say("data.folder_too_many_files", folder=path, most=MOST_LOOKED_AT))
    below.files.sort()
    below.links.sort(key=natural)
    return below


# ---- zip ----


class _Guarded(io.FileIO):
    """A zip file whose table of contents is refused while zipfile reads it, before it becomes 100,000 objects."""

    guarding = True

    def read(self, size: int | None = -1) -> bytes:
        if self.guarding and size is not None and size > MOST_DIRECTORY_BYTES:
            raise DataError(say("data.zip_directory_too_large", most=MOST_DIRECTORY_BYTES >> 20))
        data = super().read(size)
        if self.guarding and data.count(b"PK\x01\x02") > MOST_FILES:
            raise DataError(say("data.zip_too_many_entries", most=MOST_FILES))
        return data


@contextmanager
def from_zip(path: Path, opened: int | None = None) -> Iterator[Given]:
    """The files of a zip, to be read while the block lasts. Raises DataError.

    opened: the descriptor of a file that holds the zip and has no path of its own; `path` then only names it.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(_Guarded(path if opened is None else opened, "rb", closefd=opened is None))
            archive = stack.enter_context(zipfile.ZipFile(file))
            file.guarding = False
            given = _entries(archive, path.stem)
        except DataError:
            raise
        except Exception as error:  # zipfile answers hostile bytes with many kinds
            raise DataError(say("data.zip_unreadable", name=printable(path.name), error=str(error)[:100])) from error
        yield given


def _entries(archive: zipfile.ZipFile, title: str) -> Given:
    """The files of a zip, checked as a whole by what it declares, and byte by byte while they are read."""
    infos = sorted(archive.infolist(), key=lambda i: i.filename)
    names, sure = names_of(infos)
    given = Given(title)
    read = _Reader(archive)
    links = []
    for info, name in zip(infos, names, strict=True):
        if name.endswith(("/", "\\")):
            given.folders |= {name[:-1]} - {""} if not _is_rubbish(name) else set()
        elif stat.S_ISLNK(info.external_attr >> 16):
            links.append(name)
        else:
            given.add(name, partial(read, info))
    if _is_run(names, given):
        raise DataError(say("data.zip_is_run"))
    _check_zip(given, dict(zip(names, infos, strict=True)))
    if links:
        given.notes.append(summary.not_followed(links, "zip"))
        given.skipped += len(links)
    if not sure:
        given.notes.append(say("data.zip_unknown_names"))
    return given


def _is_run(names: Iterable[str], given: Given) -> bool:
    """Whether a zip is a whole run that was downloaded here: its frames would pass for pictures."""
    paths = [PurePosixPath(name) for name in names]
    beside = {path.parent for path in paths if path.name == "run.json"}
    frames = {path.parent.parent for path in paths if path.parent.name == "frames"}
    return not beside.isdisjoint(frames) or (bool(beside) and not given.pictures)


def _check_zip(given: Given, infos: dict[str, zipfile.ZipInfo]) -> None:
    """Refuse what cannot be read as a whole. Raises DataError."""
    read = [infos[name] for name in [*(name for name, _ in given.pictures), *given.tables]]
    locked = read or [info for name, info in infos.items() if not _is_rubbish(name)]
    if any(info.flag_bits & 1 for info in locked):
        raise DataError(say("data.zip_locked"))
    inner = [name for name in given.others if summary.is_packed(_suffix(name))]
    if not given.pictures and inner:
        raise DataError(say("data.zip_in_zip", name=printable(inner[0])))
    declared = sum(info.file_size for info in read)
    if declared > MOST_UNPACKED_BYTES:
        raise DataError(say("data.zip_too_large", size=declared / 2**30, most=MOST_UNPACKED_BYTES >> 30))


class _Reader:
    """Reads the entries of one zip and counts their bytes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive, self._counted = archive, 0

    def __call__(self, info: zipfile.ZipInfo) -> bytes:
        data = _read_entry(self._archive, info)
        self._counted += len(data)
        if self._counted > MOST_UNPACKED_BYTES:
            raise DataError(say("data.zip_larger", most=MOST_UNPACKED_BYTES >> 30))
        return data


def _read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    # Others exist, rare for pictures; LZMA lets a header of 5 bytes ask for 4 GB.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable(say("data.is_packed_otherwise"))
    if info.file_size > MOST_FILE_BYTES:
        raise Unreadable(say("data.is_larger_bytes", most=MOST_FILE_BYTES >> 20))
    try:
        with archive.open(info) as entry:
            return read_bounded(entry)
    except Unreadable:
        raise
    except Exception as error:  # a wrong checksum, a cut stream, a lying header: many kinds
        raise Unreadable(say("data.is_damaged_in_zip", error=str(error)[:80])) from None
