"""What visitors send, received to files without a name: nothing of it is ever in memory as a whole."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import BinaryIO, NamedTuple, TypeVar

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from gan.core.config import SIZES
from gan.core.errors import UserError
from gan.core.files import disk_is_full
from gan.core.messages import say
from gan.data.catalog import DataError
from gan.data.own_pictures import FITS, MOST, MOST_FILES, MOST_NAME, SHOWN, SIDECARS, USUAL_SIZES, readable_suffixes
from gan.data.own_pictures.decode import Readable
from gan.data.own_pictures.files import MOST_DIRECTORY_BYTES
from gan.runs.errors import RunsError

OFFERED_SIZES = tuple(size for size in SIZES if 28 <= size <= 64)  # larger ones train for hours
CHANNELS = (1, 3)
PREVIEW_COLUMNS = 8  # pictures beside each other on the sheet that the page shows of a set
MOST_HEADER_BYTES = MOST_DIRECTORY_BYTES  # of all parts together
MOST_FIELD_BYTES = 8 << 20  # of all fields together: the names of files that were not sent
FILE_WEIGHT = 300  # bytes that a file takes in memory beside its name, about
_PIECE = 1 << 20  # bytes written at a time

_T = TypeVar("_T")
_INCOMPLETE = say("web.incomplete")


class DiskFull(UserError):
    """The folder where files wait until they have arrived is full."""

    status = 507

    def __init__(self, folder: str) -> None:
        super().__init__(say("web.no_room_for_files", folder=folder))


def accepted() -> dict[str, object]:
    """What the page is told of the pictures that may be sent."""
    suffixes = {"suffixes": readable_suffixes(), "sidecars": SIDECARS}
    preview = {"columns": PREVIEW_COLUMNS, "most": SHOWN}
    forms = {"fits": FITS, "sizes": OFFERED_SIZES, "usual": USUAL_SIZES}
    return suffixes | forms | {"most": MOST, "letters": MOST_NAME, "preview": preview}


def with_room(write: Callable[[], _T], make_room: Callable[[], bool]) -> _T:
    """What `write` returns, tried again while the disk of waiting files is full and room is made. Raises DiskFull."""
    while True:
        try:
            return write()
        except OSError as problem:
            if not disk_is_full(problem):
                raise
            if not make_room():
                raise DiskFull(tempfile.gettempdir()) from problem


# The files of one request ----------------------------------------------------------------------------------------


class Sent(NamedTuple):
    """Where in an upload one file lies."""

    name: str
    offset: int
    length: int


class Upload:
    """The files of one request, one after the other in one anonymous file on the disk.

    make_room: called when that disk is full, for as long as it says that it has freed something.
    """

    def __init__(self, make_room: Callable[[], bool] = lambda: False) -> None:
        self.file = with_room(lambda: tempfile.TemporaryFile(buffering=0), make_room)  # noqa: SIM115 - see `drop`
        self.files: list[Sent] = []
        self.fields: dict[str, str] = {}
        self.length = 0  # bytes on the disk
        self.header_bytes = 0
        self._make_room = make_room
        self._guard = threading.Lock()
        self._users, self._dropped = 0, False

    @property
    def weight(self) -> int:
        """Bytes that keeping it takes, on the disk and in memory."""
        return self.length + self.header_bytes + FILE_WEIGHT * len(self.files)

    @property
    def zip_name(self) -> str | None:
        """The name of the zip that was sent, if it was one: it is the whole file then."""
        return self.files[0].name if self.files and is_zip(self.files[0].name) else None

    def write(self, data: bytes | bytearray) -> None:
        """Append to the disk. Raises DiskFull, OSError."""
        left = memoryview(data)
        while left:
            left = left[with_room(partial(self.file.write, left), self._make_room) :]
        self.length += len(data)

    def __iter__(self) -> Iterator[tuple[str, Readable]]:
        """(name, its bytes as a file) of each."""
        for sent in self.files:
            yield sent.name, _Part(self.file, sent, self._guard)

    @contextmanager
    def held(self) -> Iterator[None]:
        """The file stays open until the end of the block, whoever drops it meanwhile. Raises DataError if one has."""
        with self._guard:
            if self._dropped:
                raise DataError(_INCOMPLETE)
            self._users += 1
        try:
            yield
        finally:
            with self._guard:
                self._users -= 1
                self._close_when_unused()

    def drop(self) -> None:
        """Free the disk, at once or when the last who holds it is done."""
        with self._guard:
            self._dropped = True
            self._close_when_unused()

    def _close_when_unused(self) -> None:
        if self._dropped and not self._users:
            self.file.close()


class _Part:
    """One file of an upload, to be read."""

    def __init__(self, file: BinaryIO, sent: Sent, guard: threading.Lock) -> None:
        self._file, self._guard = file, guard
        self._at, self._end = sent.offset, sent.offset + sent.length

    def read(self, most: int = -1) -> bytes:
        """As files do: at most so many bytes, all that are left for -1."""
        left = self._end - self._at
        with self._guard:  # one position for all who read
            self._file.seek(self._at)
            data = self._file.read(left if most < 0 else min(most, left))
        self._at += len(data)
        return data


@asynccontextmanager
async def received(request: Request, most: int, make_room: Callable[[], bool]) -> AsyncIterator[BinaryIO]:
    """The body as a file, for as long as the block lasts. Raises RunsError above `most` bytes, DiskFull."""
    upload = Upload(make_room)
    try:
        async for chunk in request.stream():
            if upload.length + len(chunk) > most:
                raise RunsError(say("web.file_too_large", most=most >> 20))
            upload.write(chunk)
        yield upload.file
    finally:
        upload.drop()


def is_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


async def receive_files(request: Request, make_room: Callable[[], bool]) -> Upload:
    """The multipart body of a request. Raises DataError, DiskFull, or ClientDisconnect; nothing is left then."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise DataError(say("web.no_file_arrived"))
    upload = Upload(make_room)
    try:
        await _receive(request, options[b"boundary"], upload)
    except BaseException:
        upload.drop()
        raise
    return upload


async def _receive(request: Request, boundary: bytes, upload: Upload) -> None:
    try:
        body = _Body(upload, boundary)
        async for chunk in request.stream():
            body.take(chunk)
            if len(body.pending) >= _PIECE:
                await run_in_threadpool(upload.write, body.handed_over())
        await run_in_threadpool(upload.write, body.handed_over())
    except FormParserError:
        raise DataError(_INCOMPLETE) from None
    if not body.complete:
        raise DataError(_INCOMPLETE)
    if not upload.files and upload.fields.get("others", "[]") == "[]":  # a sentence is made of names alone, too
        raise DataError(say("web.no_file_arrived"))


class _Body:
    """A multipart body while it arrives: what is known of its parts, and bytes that are not on the disk yet."""

    def __init__(self, upload: Upload, boundary: bytes) -> None:
        self.upload, self.pending, self.complete = upload, bytearray(), False
        self._arrived = 0  # bytes of files, written or pending
        self._field_bytes = 0
        self._begin()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            },
        )

    def take(self, chunk: bytes) -> None:
        """Raises DataError or FormParserError."""
        self._parser.write(chunk)

    def handed_over(self) -> bytearray:
        """The bytes that were pending."""
        pending, self.pending = self.pending, bytearray()
        return pending

    def _begin(self) -> None:
        self._header, self._value, self._disposition = bytearray(), bytearray(), b""
        self._file_name: str | None = None
        self._field, self._start = bytearray(), self._arrived

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += self._counted(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += self._counted(data[start:end])

    def _counted(self, header: bytes) -> bytes:
        self.upload.header_bytes += len(header)
        if self.upload.header_bytes > MOST_HEADER_BYTES:
            raise DataError(say("web.names_too_long"))
        return header

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header, self._value = bytearray(), bytearray()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._field_name = _decoded(options.get(b"name", b""))
        if b"filename" in options:
            self._file_name = _decoded(options[b"filename"])
            self._check(self._file_name)

    def _check(self, name: str) -> None:
        """Whether one more file may come. Raises DataError."""
        files = self.upload.files
        if len(files) >= MOST_FILES:
            raise DataError(say("web.too_many_files", most=MOST_FILES))
        if files and is_zip(files[0].name) and is_zip(name):
            raise DataError(say("web.one_zip"))
        if files and (is_zip(files[0].name) or is_zip(name)):
            raise DataError(say("web.zip_alone"))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file_name is not None:
            self.pending += data[start:end]
            self._arrived += end - start
            return
        self._field_bytes += end - start
        if self._field_bytes > MOST_FIELD_BYTES:
            raise DataError(say("web.list_too_long", most=MOST_FIELD_BYTES >> 20))
        self._field += data[start:end]

    def _part_end(self) -> None:
        if self._file_name is None:
            self.upload.fields[self._field_name] = _decoded(bytes(self._field))
        elif self._file_name or self._arrived > self._start:  # an empty file field of a form has neither
            self.upload.files.append(Sent(self._file_name or "picture", self._start, self._arrived - self._start))

    def _end(self) -> None:
        self.complete = True


def _decoded(words: bytes) -> str:
    try:
        return words.decode("utf-8")
    except UnicodeDecodeError:
        return words.decode("latin-1")
