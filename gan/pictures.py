"""Pictures in memory and on disk, and the way from a stranger's files to a data set.

Every file that comes in is hostile until decoded: sizes are checked in headers before a pixel is read, bytes are
counted while they are read (headers lie), nothing from an archive touches the disk. All cores decode, but the pictures
in memory never weigh more than a fixed number of bytes, and the result is that of one after the other. The user hears
of every failure through a DataError.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from operator import length_hint
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps
from safetensors import SafetensorError, safe_open
from torch import Tensor

LEAST, MOST = 16, 50_000  # pictures in a data set
MOST_ENTRIES = 60_000  # of a zip or a folder
MOST_DIRECTORY_BYTES = 32 << 20  # of a zip's table of contents
MOST_FILE_BYTES = 64 << 20  # one picture, compressed
MOST_UNPACKED_BYTES = 4 << 30  # all pictures, compressed, out of their zip
MOST_PIXELS = 40_000_000  # one picture, decoded
MOST_PIXELS_TOGETHER = 50_000_000_000  # or a small zip that names one big picture 50,000 times would decode for hours
MOST_RESULT_BYTES = 2 << 30  # what is written
MOST_IN_FLIGHT = 256  # pictures between reading and writing: enough to keep all cores busy behind a slow one,
MOST_IN_FLIGHT_BYTES = 2 * (MOST_FILE_BYTES + 4 * MOST_PIXELS)  # and no more memory than two of the largest
MOST_CLASSES = 100
SIDES = (8, 256)  # smallest and largest picture a data set may be prepared for
THREADS = os.cpu_count() or 2  # that decode; Pillow does so outside the interpreter's lock
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff")

Progress = Callable[[str], None]


class DataError(ValueError):
    """Its message is one clear sentence for the person in front of the screen."""


@dataclass(frozen=True)
class Pictures:
    """One split of a data set, whole."""

    name: str
    images: Tensor  # uint8 [N, C, H, W]
    labels: Tensor  # int64 [N], all zero when there are no classes
    class_names: tuple[str, ...]  # () when unlabelled


# ---- prepared pictures on disk: one safetensors file a split, "labels" and "images", words in its header ----


def write_pictures(
    path: Path, images: Iterable[bytes], shape: tuple[int, ...], labels: np.ndarray, words: dict[str, str]
) -> None:
    """Write a prepared split atomically; images are the bytes of uint8 [N, C, H, W] in pieces of any length.

    Written by hand because the safetensors library wants all pixels in memory at once. Raises OSError.
    """
    label_bytes = labels.astype("<i8").tobytes()
    end = len(label_bytes) + int(np.prod(shape, dtype=np.int64))
    header = {
        "__metadata__": words,
        "labels": {"dtype": "I64", "shape": [len(labels)], "data_offsets": [0, len(label_bytes)]},
        "images": {"dtype": "U8", "shape": list(shape), "data_offsets": [len(label_bytes), end]},
    }
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)  # the format wants its tensors aligned
    with replacing(path) as file:
        file.write(len(head).to_bytes(8, "little") + head + label_bytes)
        for piece in images:
            file.write(piece)


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


@contextmanager
def _prepared(path: Path) -> Iterator:
    """An open prepared file whose header holds what `write_pictures` writes; DataError when it does not."""
    if not path.is_file():
        raise DataError(f"The pictures {path.stem} are not here (any more); prepare them again.")
    try:
        with safe_open(path, framework="pt") as file:
            count, channels, height, width = file.get_slice("images").get_shape()
            kinds = [file.get_slice(key).get_dtype() for key in ("images", "labels")]
            fits = kinds == ["U8", "I64"] and file.get_slice("labels").get_shape() == [count]
            if not (fits and count and channels in (1, 3) and height == width and "classes" in file.metadata()):
                raise ValueError("unexpected contents")
            yield file
    except DataError:
        raise
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"The file {path.name} is damaged ({error}); delete it and prepare it again.") from error


def read_pictures(path: Path, name: str) -> Pictures:
    """Map what `write_pictures` wrote. Raises DataError when it is missing or damaged.

    The library maps the images privately: pages come from the file when they are touched and go when memory is short,
    and writing to the tensor would not reach the file. It compares the length of the file with the header first, and
    here files are only ever replaced whole, so that no page can be missing later.
    """
    with _prepared(path) as file:
        classes = _class_names(file)
        images, labels = file.get_tensor("images"), file.get_tensor("labels")
        if labels.min() < 0 or labels.max() >= max(1, len(classes)):
            raise ValueError(f"a label outside 0..{max(1, len(classes)) - 1}")
        return Pictures(name, images, labels, classes)


def read_words(path: Path) -> tuple[str, tuple[int, ...], tuple[str, ...]]:
    """(title, shape of the images, class names) from the header alone. Raises DataError as `read_pictures`."""
    with _prepared(path) as file:
        shape = tuple(file.get_slice("images").get_shape())
        return file.metadata().get("title", "Own pictures"), shape, _class_names(file)


def _class_names(file: safe_open) -> tuple[str, ...]:
    return tuple(str(word) for word in json.loads(file.metadata()["classes"]))


def disk_is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


# ---- one picture ----


class _Unreadable(Exception):
    """Why one picture is skipped; the others go on."""


def _open(data: bytes) -> Image.Image:
    """The header of a picture, its size checked before anything is decoded."""
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _Unreadable(f"it has more than {MOST_PIXELS // 1_000_000} megapixels") from None
    except Exception:  # decoders answer hostile bytes with any exception there is
        raise _Unreadable("it is not a PNG, JPEG, WebP, GIF, BMP or TIFF picture") from None
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise _Unreadable(f"it is {width} x {height}, more than {MOST_PIXELS // 1_000_000} megapixels")
    if min(width, height) < 1:
        raise _Unreadable("it is empty")
    return picture


def _shrink(picture: Image.Image, size: int, channels: int) -> bytes:
    """An opened picture, closed here -> the bytes of uint8 [C, size, size]. Raises _Unreadable."""
    try:
        with closing(picture):  # gives its pixels back before the square is worked on
            picture.draft(None, (2 * size, 2 * size))  # a JPEG can be decoded at 1/2, 1/4 or 1/8 for much less work
            ImageOps.exif_transpose(picture, in_place=True)
            square = _square(picture)
        small = _eight_bits(square).resize((size, size), Image.Resampling.LANCZOS)  # weighs colours by their opacity
        if small.mode == "RGBA":
            small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small)
        pixels = np.asarray(small.convert("RGB").convert("L" if channels == 1 else "RGB"))
    except Exception as error:  # as above
        raise _Unreadable(f"it is damaged ({str(error)[:80] or type(error).__name__})") from None
    return pixels.reshape(size, size, channels).transpose(2, 0, 1).tobytes()


def read_one(data: bytes, size: int, channels: int) -> np.ndarray:
    """A stranger's picture, cropped to a square in the middle: uint8 [C, size, size]. Raises DataError."""
    try:
        pixels = _shrink(_open(data), size, channels)
    except _Unreadable as error:
        raise DataError(f"This picture cannot be used: {error}.") from None
    return np.frombuffer(pixels, np.uint8).reshape(channels, size, size).copy()


def _square(picture: Image.Image) -> Image.Image:
    """The largest square in the middle (of the first frame)."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Any Pillow mode -> "L", "RGB" or "RGBA"; 16 bits and floats are scaled, where Pillow's convert would clip."""
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) // 257).astype(np.uint8))
    if picture.mode in ("I", "F"):
        values = np.nan_to_num(np.asarray(picture, np.float32))
        highest = values.max()  # what white is goes unsaid in these formats
        white = 1 if picture.mode == "F" and highest <= 1 else 255 if highest <= 255 else 65535
        values *= 255 / white
        return Image.fromarray(values.round(out=values).clip(0, 255, out=values).astype(np.uint8))
    clear = picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info
    mode = "RGBA" if clear else "L" if picture.mode == "L" else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)  # which copies even when nothing changes


# ---- many pictures ----


@dataclass
class _Tally:
    """What became of the files so far."""

    folders: list[tuple[str, ...]] = field(default_factory=list)  # one entry for each good picture
    bad: int = 0
    first_bad: str = ""
    pixels: int = 0

    def skip(self, name: str, reason: str) -> None:
        self.bad += 1
        self.first_bad = self.first_bad or f"{_printable(name)}: {reason}"


def _printable(words: str, most: int = 80) -> str:
    """A stranger's file name, fit for a sentence: no control or direction characters, not endless."""
    kept = "".join(c for c in words if c.isprintable()).strip()
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def _folders_of(name: str) -> tuple[str, ...]:
    parts = PurePosixPath(name.replace("\\", "/")).parts[:-1]
    return tuple(_printable(p, 40) or "?" for p in parts if p not in ("/", ".", ".."))


def _classes(folders: list[tuple[str, ...]]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels int64 [N] and class names: the first folder below those all pictures share, or none at all."""
    shared = len(os.path.commonprefix(folders))  # noqa: RUF071  (tuples here: it compares whole names)
    names = [folder[shared] if len(folder) > shared else "" for folder in folders]
    classes = tuple(sorted(set(names)))
    if "" in classes or not 2 <= len(classes) <= MOST_CLASSES:
        return np.zeros(len(folders), np.int64), ()
    index = {name: i for i, name in enumerate(classes)}
    return np.array([index[name] for name in names], np.int64), classes


# A file still to be read: its path for messages and classes, and a function that reads its bytes.
_File = tuple[str, Callable[[], bytes]]


@dataclass
class _Job:
    """One file on its way: read and opened, then decoded by some thread."""

    name: str
    picture: Image.Image | None  # opened; None when it could not be, or has been handed to a thread
    pixels: int  # declared; 0 when it could not be opened
    weight: int  # bytes that it may hold until it is written, compressed and decoded
    done: Future[bytes]  # the bytes of uint8 [C, size, size], or what went wrong, to be raised in its turn


def _opened(name: str, read: Callable[[], bytes]) -> _Job:
    done: Future[bytes] = Future()
    try:
        data = read()
        picture = _open(data)
    except Exception as error:
        # A fresh one of the skipped: the traceback of the old would keep the file's bytes alive, unweighed.
        done.set_exception(_Unreadable(*error.args) if isinstance(error, _Unreadable) else error)
        return _Job(name, None, 0, 0, done)
    pixels = picture.width * picture.height
    pixel_bytes = 16 if picture.mode in ("I", "F") else 4  # Pillow and numpy copy these between them
    return _Job(name, picture, pixels, len(data) + pixel_bytes * pixels, done)


def _decoded(files: Iterable[_File], shrink: Callable[[Image.Image], bytes]) -> Iterator[_Job]:
    """One job a file, in their order; all cores shrink the following ones meanwhile, within the limits of flight."""
    jobs: deque[_Job] = deque()
    weight = 0
    pool = ThreadPoolExecutor(THREADS, "pictures")
    try:
        for name, read in files:
            new = _opened(name, read)
            while jobs and (len(jobs) >= MOST_IN_FLIGHT or weight + new.weight > MOST_IN_FLIGHT_BYTES):
                weight -= jobs[0].weight
                yield jobs.popleft()
            if new.picture is not None:
                new.done, new.picture = pool.submit(shrink, new.picture), None
            jobs.append(new)
            weight += new.weight
        yield from jobs
    finally:  # also when whoever asked has given up
        pool.shutdown(cancel_futures=True)


def _gather(files: Iterable[_File], size: int, channels: int, spool: BinaryIO, progress: Progress) -> _Tally:
    """Decode the files onto the spool in their order; the good ones' folders and the bad ones' reasons."""
    tally, total = _Tally(), length_hint(files)
    with closing(_decoded(files, partial(_shrink, size=size, channels=channels))) as jobs:
        for job in jobs:
            _check_room(tally, size, channels)
            tally.pixels += job.pixels  # damaged ones cost time too
            if tally.pixels > MOST_PIXELS_TOGETHER:
                raise DataError(f"Together the pictures have more than {MOST_PIXELS_TOGETHER // 10**9} gigapixels.")
            try:
                spool.write(job.done.result())
            except _Unreadable as reason:
                tally.skip(job.name, str(reason))
                continue
            tally.folders.append(_folders_of(job.name))
            if len(tally.folders) % 250 == 0:
                progress(f"{len(tally.folders):,}{f' of {total:,}' if total else ''} pictures read.")
    return tally


def _check_room(tally: _Tally, size: int, channels: int) -> None:
    """Whether one more file may come. Raises DataError."""
    if len(tally.folders) == MOST:
        raise DataError(f"There are more than {MOST:,} pictures, the most that a data set may have.")
    if (len(tally.folders) + 1) * size * size * channels > MOST_RESULT_BYTES:
        most = MOST_RESULT_BYTES // (size * size * channels)
        raise DataError(f"At {size} x {size} a data set may have {most:,} pictures and these are more.")
    if tally.bad > MOST_ENTRIES:
        raise DataError(f"More than {MOST_ENTRIES:,} files are not readable pictures; first {tally.first_bad}.")


def _check_enough(tally: _Tally) -> None:
    good = len(tally.folders)
    if good >= LEAST:
        return
    if not tally.bad:
        raise DataError(f"The number of pictures is {good}, but at least {LEAST} are needed.")
    raise DataError(
        f"Of {good + tally.bad} pictures {good} could be read, but at least {LEAST} are needed; "
        f"the first that could not be read was {tally.first_bad}."
    )


def _prepare(
    files: Iterable[_File],
    size: int,
    channels: int,
    own_dir: Path,
    title: str,
    progress: Progress | None,
    mark: Path | None = None,
) -> str:
    """The work of all ways in; leaves the name in the file `mark` when no picture had to be skipped."""
    progress = progress or (lambda words: None)
    if channels not in (1, 3):
        raise DataError(f"Pictures have 1 (grey) or 3 (colour) channels, not {channels}.")
    if not SIDES[0] <= size <= SIDES[1]:
        raise DataError(f"A size of {size} was asked for; {SIDES[0]} to {SIDES[1]} pixels are possible.")
    try:
        own_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=own_dir) as spool:  # pixels wait here until their number is known
            tally = _gather(files, size, channels, spool, progress)
            _check_enough(tally)
            name = _store(spool, tally, (size, channels), own_dir, title)
        if mark and not tally.bad:  # what could not be read may be readable the next time
            with replacing(mark) as file:
                file.write(name.encode())
    except OSError as error:
        full = f"The disk of {own_dir} is full." if disk_is_full(error) else f"{own_dir} cannot be written ({error})."
        raise DataError(full) from error
    skipped = f", {tally.bad} skipped, first {tally.first_bad}" if tally.bad else ""
    progress(f"{len(tally.folders):,} pictures ready{skipped}.")
    return name


def _store(spool: BinaryIO, tally: _Tally, form: tuple[int, int], own_dir: Path, title: str) -> str:
    """Name the spooled pixels by their content and write them, unless they are there already."""
    size, channels = form
    labels, classes = _classes(tally.folders)
    # The classes count too: the same pictures with and without folders are two data sets.
    digest = hashlib.sha256(json.dumps([size, channels, classes]).encode() + labels.tobytes())
    for piece in _pieces(spool):
        digest.update(piece)
    name = f"own-{digest.hexdigest()[:12]}"
    path = own_dir / f"{name}.safetensors"
    if not path.is_file():
        words = {"title": _printable(title, 60) or "Own pictures", "classes": json.dumps(classes)}
        write_pictures(path, _pieces(spool), (len(labels), channels, size, size), labels, words)
    return name


def _pieces(spool: BinaryIO) -> Iterator[bytes]:
    spool.seek(0)
    while piece := spool.read(1 << 20):
        yield piece


def _read_bounded(file: BinaryIO, most: int = MOST_FILE_BYTES) -> bytes:
    data = file.read(most + 1)
    if len(data) > most:
        raise _Unreadable(f"the file is larger than {MOST_FILE_BYTES >> 20} MB")
    return data


# ---- the three ways in ----


def prepare(
    files: Iterable[tuple[str, BinaryIO | Path]],
    size: int,
    channels: int,
    own_dir: Path,
    progress: Progress | None = None,
) -> str:
    """Make a data set of the given (name, file) pairs and return its name, "own-" and 12 hex digits.

    Each picture is turned upright, cut to the square in its middle, put on white where transparent and scaled to
    size x size (8..256), grey (channels 1) or colour (3). Unreadable ones are skipped and counted; progress gets
    sentences. Folders in the names become classes when every picture lies in one of 2..100. The result is
    own_dir/NAME.safetensors; the same pictures give the same name. Raises DataError.
    """
    return _prepare(
        ((name, partial(_read_file, file)) for name, file in files),
        size, channels, Path(own_dir), "Own pictures", progress,
    )  # fmt: skip


def _read_file(file: BinaryIO | Path) -> bytes:
    try:
        if hasattr(file, "read"):
            return _read_bounded(file)
        if not Path(file).is_file():  # a pipe or a device would never end
            raise _Unreadable("it is not a file")
        with Path(file).open("rb") as opened:
            return _read_bounded(opened)
    except OSError as error:
        raise _Unreadable(f"it cannot be read ({error.strerror})") from None


def prepare_folder(path: Path, size: int, channels: int, own_dir: Path, progress: Progress | None = None) -> str:
    """As `prepare`, with every picture below a folder; links to folders are not followed.

    A folder prepared before is known again, without decoding, when no path, size or time in it has changed.
    """
    path = Path(path)
    if not path.is_dir():
        raise DataError(f"There is no folder {path}.")
    found: list[tuple[str, Path]] = []
    for at, _, names in os.walk(path):
        new = [((Path(at) / n).relative_to(path).as_posix(), Path(at) / n) for n in names]
        found += [(name, file) for name, file in new if _is_picture_name(name)]
        if len(found) > MOST_ENTRIES:
            raise DataError(f"The folder {path} holds more than {MOST_ENTRIES:,} pictures.")
    found.sort()
    mark = Path(own_dir) / f"folder-{_fingerprint(path, found, size, channels)}.txt"
    if (known := _marked(mark)) is not None:
        if progress:
            progress(f"{len(found):,} pictures ready, prepared before; the folder has not changed since.")
        return known
    files = [(name, partial(_read_file, file)) for name, file in found]
    return _prepare(files, size, channels, Path(own_dir), path.resolve().name, progress, mark)


def _fingerprint(path: Path, found: list[tuple[str, Path]], size: int, channels: int) -> str:
    """16 hex digits of what a look at the files' names, sizes and times tells, taken before they are read.

    The time of the last change of state (ctime) cannot be set, so that a copy that keeps its date is not missed.
    """
    digest = hashlib.sha256(repr((1, path.resolve(), size, channels)).encode())  # 1: this way of preparing
    for name, file in found:
        with suppress(OSError):  # gone, or a broken link: it will be skipped, and no mark made
            seen = file.stat()
            digest.update(repr((name, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)).encode())
    return digest.hexdigest()[:16]


def _marked(mark: Path) -> str | None:
    """The data set named in a mark, when both are there and sound."""
    try:
        name = mark.read_text(encoding="utf-8")
        read_words(mark.parent / f"{name}.safetensors")
    except (OSError, ValueError):
        return None
    return name


def _is_picture_name(name: str) -> bool:
    """By its ending, and neither hidden nor the shadow files that macOS adds to its zips."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    hidden = any((p.startswith(".") and p not in (".", "..")) or p == "__MACOSX" for p in parts)
    return not hidden and name.lower().endswith(SUFFIXES)


class _Guarded(io.FileIO):
    """A zip file whose table of contents is refused while zipfile reads it, before it becomes 100,000 objects."""

    guarding = True

    def read(self, size: int = -1) -> bytes:
        if self.guarding and size > MOST_DIRECTORY_BYTES:
            raise DataError(f"The zip's table of contents is larger than {MOST_DIRECTORY_BYTES >> 20} MB.")
        data = super().read(size)
        if self.guarding and data.count(b"PK\x01\x02") > MOST_ENTRIES:
            raise DataError(f"The zip has more than {MOST_ENTRIES:,} entries.")
        return data


def prepare_zip(
    path: Path,
    size: int,
    channels: int,
    own_dir: Path,
    progress: Progress | None = None,
    opened: int | None = None,
) -> str:
    """As `prepare`, with the pictures in a zip. Nothing is unpacked to disk; other files and zips in it are ignored.

    opened: the descriptor of a file that holds the zip and has no path of its own; `path` then only names it.
    """
    try:
        with (
            _Guarded(path if opened is None else opened, "rb", closefd=opened is None) as file,
            zipfile.ZipFile(file) as archive,
        ):
            file.guarding = False
            files = _entries(archive)
            return _prepare(files, size, channels, Path(own_dir), Path(path).stem, progress)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{_printable(Path(path).name)} is not a readable zip file ({error}).") from error


def _entries(archive: zipfile.ZipFile) -> list[_File]:
    """The pictures of a zip, checked as a whole by what it declares, and byte by byte while they are read."""
    infos = [i for i in archive.infolist() if not i.is_dir() and _is_picture_name(i.filename)]
    if any(i.flag_bits & 1 for i in infos):
        raise DataError("The zip is protected by a password; pack the pictures without one.")
    declared = sum(i.file_size for i in infos)
    if declared > MOST_UNPACKED_BYTES:
        raise DataError(f"The zip unpacks to {declared / 2**30:,.1f} GB, more than {MOST_UNPACKED_BYTES >> 30} GB.")
    counted = 0

    def read(info: zipfile.ZipInfo) -> bytes:
        nonlocal counted
        data = _read_entry(archive, info)
        counted += len(data)
        if counted > MOST_UNPACKED_BYTES:
            raise DataError(f"The zip unpacks to more than {MOST_UNPACKED_BYTES >> 30} GB.")
        return data

    return [(i.filename, partial(read, i)) for i in sorted(infos, key=lambda i: i.filename)]


def _read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    # Others exist, rare for pictures; LZMA lets a header of 5 bytes ask for 4 GB.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _Unreadable("it is packed in a way this program does not read")
    if info.file_size > MOST_FILE_BYTES:
        raise _Unreadable(f"the file is larger than {MOST_FILE_BYTES >> 20} MB")
    try:
        with archive.open(info) as entry:
            return _read_bounded(entry)
    except _Unreadable:
        raise
    except Exception as error:  # a wrong checksum, a cut stream, a lying header: many kinds
        raise _Unreadable(f"it is damaged inside the zip ({str(error)[:80]})") from None
