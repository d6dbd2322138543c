"""Many files to one prepared data set.

All cores decode, but the pictures in memory never weigh more than a fixed number of bytes, and the result is that of
one after the other. The user hears of every failure through a DataError.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image

from gan.core.files import disk_is_full, replacing
from gan.core.messages import joined, say
from gan.data.own_pictures import layout, summary, tables
from gan.data.own_pictures.decode import (
    MOST_FILE_BYTES,
    MOST_PIXELS,
    Form,
    Readable,
    Small,
    Unreadable,
    open_picture,
    readable_suffixes,
    shrink,
    weight_of,
)
from gan.data.own_pictures.files import Given, from_files, from_folder, from_zip
from gan.data.own_pictures.layout import Layout, Place, printable
from gan.data.own_pictures.look import pixel_notes
from gan.data.own_pictures.summary import Summary
from gan.data.pictures import (
    THREADS,
    UNTITLED,
    DataError,
    Progress,
    Split,
    content_digest,
    name_of,
    read_header,
    stored_digest,
    write_pictures,
)

LEAST, MOST = 16, 50_000  # pictures in a data set
MOST_PIXELS_TOGETHER = 50_000_000_000  # or a small zip that names one big picture 50,000 times would decode for hours
MOST_RESULT_BYTES = 2 << 30  # what is written
MOST_IN_FLIGHT = 256  # pictures between reading and writing: enough to keep all cores busy behind a slow one,
MOST_IN_FLIGHT_BYTES = 2 * (MOST_FILE_BYTES + 4 * MOST_PIXELS)  # and no more memory, but for one larger picture alone
SAY_SECONDS = 0.3  # between two words about progress
_WHITE_OF_16_BITS = 2**16 - 1


class Prepared(NamedTuple):
    """A data set of own pictures."""

    name: str  # "own-" and 12 hex digits of what is in it
    summary: Summary


# ---- decoding, on all cores ----


@dataclass
class _Job:
    """One file on its way: read and opened, then decoded by some thread."""

    row: int  # of the file among those given
    picture: Image.Image | None  # opened; None when it could not be, or has been handed to a thread
    pixels: int  # declared; 0 when it could not be opened
    weight: int  # bytes that it may hold until it is written, compressed and decoded
    done: Future[Small]  # what it became, or what went wrong, to be raised in its turn


def _opened(row: int, read: Callable[[], bytes]) -> _Job:
    done: Future[Small] = Future()
    try:
        data = read()
        picture = open_picture(data)
    except Exception as error:
        # A fresh one of the skipped: the traceback of the old would keep the file's bytes alive, unweighed.
        done.set_exception(Unreadable(*error.args) if isinstance(error, Unreadable) else error)
        return _Job(row, None, 0, 0, done)
    return _Job(row, picture, picture.width * picture.height, len(data) + weight_of(picture), done)


def _decoded(files: Iterable[tuple[int, Callable[[], bytes]]], form: Form) -> Generator[_Job, None, None]:
    """One job a file, in their order; all cores shrink the following ones meanwhile, within the limits of flight."""
    jobs: deque[_Job] = deque()
    weight = 0
    pool = ThreadPoolExecutor(THREADS, "pictures")  # Pillow decodes outside the interpreter's lock
    try:
        for row, read in files:
            new = _opened(row, read)
            while jobs and (len(jobs) >= MOST_IN_FLIGHT or weight + new.weight > MOST_IN_FLIGHT_BYTES):
                weight -= jobs[0].weight
                yield jobs.popleft()
            if new.picture is not None:
                new.done, new.picture = pool.submit(shrink, new.picture, form), None
            jobs.append(new)
            weight += new.weight
        yield from jobs
    finally:  # also when whoever asked has given up
        pool.shutdown(cancel_futures=True)


# ---- what became of them ----


@dataclass
class _Tally:
    """What became of the files so far. One spooled record for each good picture, in the order of `rows`."""

    form: Form
    pixels_spool: BinaryIO
    deep_spool: BinaryIO
    rows: list[int] = field(default_factory=list)  # of the good pictures among the files given
    deep: list[int] = field(default_factory=list)  # records of 16-bit grey
    bad: list[tuple[str, str]] = field(default_factory=list)  # (name, why)
    long: int = 0
    pixels: int = 0  # decoded so far

    def keep(self, row: int, small: Small) -> None:
        self.pixels_spool.write(small.pixels)
        if small.deep:
            self.deep.append(len(self.rows))
            self.deep_spool.write(small.deep)
        self.rows.append(row)
        self.long += small.long

    @property
    def record(self) -> int:
        """Bytes of one picture."""
        return self.form.size**2 * self.form.channels


def _gather(given: Given, order: Sequence[int], tally: _Tally, progress: Progress) -> None:
    """Decode the files onto the spools in this order."""
    said = _Teller(progress, len(order))
    files = ((row, given.pictures[row][1]) for row in order)
    with closing(_decoded(files, tally.form)) as jobs:
        for job in jobs:
            _check_room(tally)
            tally.pixels += job.pixels  # damaged ones cost time too
            if tally.pixels > MOST_PIXELS_TOGETHER:
                raise DataError(say("data.too_many_pixels", most=MOST_PIXELS_TOGETHER // 10**9))
            try:
                tally.keep(job.row, job.done.result())
            except Unreadable as reason:
                tally.bad.append((given.pictures[job.row][0], reason.args[0]))
            said.tell(len(tally.rows) + len(tally.bad))


class _Teller:
    """Says how many pictures were read, at most a few times a second."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._last = progress, total, time.monotonic()

    def tell(self, read: int) -> None:
        if (now := time.monotonic()) - self._last >= SAY_SECONDS:
            self._last = now
            self._progress(say("data.pictures_read", read=read, total=self._total))


def _check_room(tally: _Tally) -> None:
    """Whether one more picture may come. Raises DataError."""
    if len(tally.rows) == MOST:
        raise DataError(say("data.too_many_pictures", most=MOST))
    if (len(tally.rows) + 1) * tally.record > MOST_RESULT_BYTES:
        most, size = MOST_RESULT_BYTES // tally.record, tally.form.size
        raise DataError(say("data.too_many_of_this_size", size=size, most=most))


def _check_enough(count: int, notes: Sequence[str]) -> None:
    if count < LEAST:
        raise DataError(joined([say("data.too_few", count=count, least=LEAST), *notes]))


# ---- 16 bits ----


def _scale_deep(tally: _Tally) -> list[str]:
    """Spread 16-bit grey that uses a part of its range over the whole of 8 bits, all pictures alike; what is said."""
    if not tally.deep:
        return []
    low, high = _WHITE_OF_16_BITS, 0
    for values in _deep_records(tally):
        low, high = min(low, int(values.min())), max(high, int(values.max()))
    if high - low > _WHITE_OF_16_BITS // 2 or high == low:
        return []
    for record, values in zip(tally.deep, _deep_records(tally), strict=True):
        grey = ((values.astype(np.float32) - low) * (255 / (high - low))).round().astype(np.uint8)
        tally.pixels_spool.seek(record * tally.record)
        tally.pixels_spool.write(grey.tobytes() * tally.form.channels)
    if len(tally.deep) == len(tally.rows):
        return [say("data.all_deep", low=low, high=high, most=_WHITE_OF_16_BITS)]
    return [say("data.deep", count=len(tally.deep), low=low, high=high, most=_WHITE_OF_16_BITS)]


def _deep_records(tally: _Tally) -> Iterator[np.ndarray]:
    tally.deep_spool.seek(0)
    for _ in tally.deep:
        yield np.frombuffer(tally.deep_spool.read(2 * tally.form.size**2), "<u2")


# ---- writing ----


def _pieces(tally: _Tally, records: Sequence[int]) -> Iterator[bytes]:
    """The pixels of some pictures, as many at once as lie beside each other."""
    start = 0
    while start < len(records):
        first, end = records[start], start
        while end < len(records) and end - start < _AT_ONCE and records[end] - first == end - start:
            end += 1
        tally.pixels_spool.seek(first * tally.record)
        yield tally.pixels_spool.read((end - start) * tally.record)
        start = end


_AT_ONCE = 500  # pictures


def _split(tally: _Tally, records: Sequence[int], kinds: Sequence[str | None], classes: tuple[str, ...]) -> Split:
    index = {name: i for i, name in enumerate(classes)}
    labels = np.array([index[kinds[at] or ""] if classes else 0 for at in records], np.int64)
    shape = (len(records), tally.form.channels, tally.form.size, tally.form.size)
    return Split(shape, labels, partial(_pieces, tally, records))


def _store(tally: _Tally, found: Layout, given: Given, notes: list[str], own_dir: Path, public: bool) -> Prepared:
    """Name the spooled pixels by their content and write them, unless they are there already."""
    places = [found.places[row] or Place("train", None) for row in tally.rows]
    places, said = _with_enough(places)
    classes, about = layout.classes_of(places)
    kinds = [place.kind for place in places]
    train = [at for at, place in enumerate(places) if place.split == "train" and (not classes or place.kind)]
    test = [at for at, place in enumerate(places) if place.split == "test" and (not classes or place.kind in classes)]
    lost = [given.pictures[tally.rows[at]][0] for at in sorted(set(range(len(places))) - {*train, *test})]
    _check_enough(len(train), notes)
    splits = [_split(tally, train, kinds, classes), *([_split(tally, test, kinds, classes)] if test else [])]
    of = Counter(kinds[at] for at in train)
    unused = [summary.placed_out(say("data.of_empty_classes"), lost)] if lost else []
    made = Summary(
        title=printable(given.title, 60) or UNTITLED,
        count=len(train),
        test=len(test),
        classes=tuple((name, of[name]) for name in classes),
        skipped=len(tally.bad) + len(given.others) + given.skipped + len(lost) + found.left_out,
        notes=tuple([*notes, *said, *about, *unused, *pixel_notes(splits[0])]),
    )
    return write_set(splits, classes, made, own_dir, public)


def write_set(
    splits: Sequence[Split], classes: tuple[str, ...], made: Summary, own_dir: Path, public: bool = False
) -> Prepared:
    """Write the splits (train, and test where there is one) under the name of their content, if it is not there yet.

    public: the file says nothing of where the pictures came from, as strangers with the same ones share it. Raises
    DataError where other pictures have that name: it is short enough for somebody to have made such on purpose.
    """
    digest = content_digest(splits, classes)
    path = own_dir / f"{name_of(digest)}.safetensors"
    if not path.is_file():
        said = made.public() if public else made
        words = {"title": said.title, "classes": json.dumps(classes), "summary": said.to_json()}
        write_pictures(path, splits, words)
    elif stored_digest(path) != digest:
        raise DataError(say("data.other_pictures_here", name=path.stem))
    return Prepared(path.stem, made)


def _with_enough(places: list[Place]) -> tuple[list[Place], list[str]]:
    """Where too few pictures are left to train on, those held back are trained on too."""
    train = sum(place.split == "train" for place in places)
    if train >= LEAST or len(places) < LEAST:
        return places, []
    return [Place("train", place.kind) for place in places], [say("data.none_held_back", count=train)]


# ---- the work of all ways in ----


def _prepare(
    given: Given,
    form: Form,
    own_dir: Path,
    progress: Progress | None,
    mark: Path | None = None,
    public: bool = False,
) -> Prepared:
    """Leaves the name in the file `mark` when no picture had to be skipped."""
    found = _understood(given)
    order = [row for row, place in enumerate(found.places) if place is not None]
    try:
        own_dir.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:  # pixels wait here until their number is known
            pixels, deep = (stack.enter_context(tempfile.TemporaryFile(dir=own_dir)) for _ in range(2))
            tally = _Tally(form, pixels, deep)
            _gather(given, order, tally, progress or (lambda words: None))
            notes = _notes(given, found, tally, _scale_deep(tally))
            prepared = _store(tally, found, given, notes, own_dir, public)
        if mark and not tally.bad:  # what could not be read may be readable the next time
            with replacing(mark) as file:
                file.write(f"{prepared.name}\n{prepared.summary.to_json()}".encode())
    except OSError as error:
        full = say("data.disk_full", folder=own_dir)
        raise DataError(
            full if disk_is_full(error) else say("data.not_written", folder=own_dir, error=error)
        ) from error
    return prepared


def _understood(given: Given) -> Layout:
    """Where each picture belongs; tables that were not followed count as other files."""
    names = [name for name, _ in given.pictures]
    found = tables.understood(names, {name: _read_table(read) for name, read in given.tables.items()})
    if sum(place is not None for place in found.places) < LEAST <= len(names):
        found = layout.without_classes(len(names))
    given.others += [name for name in given.tables if name not in found.used]
    return found


def _read_table(read: Callable[[], bytes]) -> bytes:
    try:
        content = read()
    except Unreadable:
        return b""
    return content if len(content) <= tables.MOST_TABLE_BYTES else b""


def _notes(given: Given, found: Layout, tally: _Tally, scaled: list[str]) -> list[str]:
    """What is said of the files, the most important first."""
    names = [name for name, _ in given.pictures]
    good = {place.kind for row in tally.rows if (place := found.places[row]) and place.kind is not None}
    kinds = {place.kind for place in found.places if place and place.kind is not None}
    kinds |= layout.beside_classes(names, found, given.folders)
    return [
        *summary.left_out(given.others),
        *summary.unreadable(tally.bad),
        *(summary.placed_out(where, [names[row] for row in rows]) for where, rows in found.left),
        *given.notes,
        *found.notes,
        *summary.without_pictures(kinds, good),
        *scaled,
        *summary.of_lengths(tally.long, len(tally.rows)),
    ]


# ---- the three ways in ----


def prepare(
    files: Iterable[tuple[str, Readable | Path]],
    form: Form,
    own_dir: Path,
    progress: Progress | None = None,
    *,
    others: Sequence[str] = (),
    title: str = "",
    public: bool = False,
) -> Prepared:
    """Make a data set of the given (name, file) pairs.

    Each picture is turned upright, fitted into a square, put on white where transparent, brought to sRGB and scaled.
    Folders in the names and tables beside them tell classes and splits, see `layout`. others: names of files that are
    not among them because they are no pictures. progress gets sentences; what it raises ends the work. The result is
    own_dir/NAME.safetensors; the same pictures give the same name. public: see `write_set`. Raises DataError.
    """
    return _prepare(from_files(files, others, title), form, Path(own_dir), progress, public=public)


def prepare_zip(
    path: Path,
    form: Form,
    own_dir: Path,
    progress: Progress | None = None,
    opened: int | None = None,
    *,
    others: Sequence[str] = (),
    public: bool = False,
) -> Prepared:
    """As `prepare`, with the pictures in a zip, and others beside it. Nothing is unpacked to disk.

    opened: the descriptor of a file that holds the zip and has no path of its own; `path` then only names it.
    """
    with from_zip(Path(path), opened) as given:
        for name in others:
            given.leave(name)
        return _prepare(given, form, Path(own_dir), progress, public=public)


def prepare_folder(path: Path, form: Form, own_dir: Path, progress: Progress | None = None) -> Prepared:
    """As `prepare`, with every picture below a folder; links to folders are not followed, and that is said.

    A folder prepared before is known again, without decoding, when no path, size or time in it has changed.
    """
    given, files = from_folder(Path(path))
    mark = Path(own_dir) / f"folder-{_fingerprint(Path(path), given, files, form)}.txt"
    if (known := _marked(mark)) is not None:
        if progress:
            progress(say("data.prepared_before"))
        return known
    return _prepare(given, form, Path(own_dir), progress, mark)


def _fingerprint(path: Path, given: Given, read: list[tuple[str, Path]], form: Form) -> str:
    """16 hex digits of what a look at a folder tells: names, and sizes and times of what is read, before it is.

    The time of the last change of state (ctime) cannot be set, so that a copy that keeps its date is not missed.
    """
    around = sorted(given.others), sorted(given.folders), given.notes
    digest = hashlib.sha256(repr((3, path.resolve(), form, readable_suffixes(), around)).encode())  # 3: this way
    for name, file in read:
        with suppress(OSError):  # gone, or a broken link: it will be skipped, and no mark made
            seen = file.stat()
            digest.update(repr((name, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)).encode())
    return digest.hexdigest()[:16]


def _marked(mark: Path) -> Prepared | None:
    """The data set named in a mark, when both are there and sound."""
    try:
        name, _, words = mark.read_text(encoding="utf-8").partition("\n")
        read_header(mark.parent / f"{name}.safetensors")
        return Prepared(name, Summary.from_json(words))
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None
