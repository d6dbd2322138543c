"""What visitors send: received to temporary files; own pictures are prepared once and named by their content."""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from gan.data import DataError
from gan.own_pictures import Form, Prepared, prepare, prepare_zip
from gan.pictures import disk_is_full
from gan.runs import RunsError
from gan.web.errors import DiskFull

MAX_FILES = 5_000  # in one request; more come as a zip
MAX_KEPT_BYTES = 4 << 30  # of all prepared pictures together
SIZES, CHANNELS = (28, 32), (1, 3)


@asynccontextmanager
async def received(request: Request, most: int) -> AsyncIterator[Path]:
    """The body as a temporary file, for as long as the block lasts. Raises RunsError above `most` bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sent.zip"
        with path.open("wb") as file:
            await _keep(request, most, file)
        yield path


async def _keep(request: Request, most: int, file: BinaryIO) -> None:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise RunsError(f"The file is larger than {most >> 20} MB, the limit.")
        with _spooling():
            file.write(chunk)
    with _spooling():
        file.flush()


@contextmanager
def _spooling() -> Iterator[None]:
    """Where a full disk is the one that files wait on until they have arrived."""
    try:
        yield
    except OSError as problem:
        if disk_is_full(problem):
            raise DiskFull(tempfile.gettempdir()) from problem
        raise


async def receive_pictures(request: Request, own_dir: Path) -> dict[str, Any]:
    """The multipart body of one request -> {dataset, count, skipped, message}. Raises DataError with a sentence."""
    size, channels = _choice(request, "size", SIZES), _choice(request, "channels", CHANNELS)
    kept = sum(p.stat().st_size for p in own_dir.glob("*") if p.is_file())
    if kept > MAX_KEPT_BYTES:
        raise DataError("This server has no more room for pictures; please ask its owner to delete old ones.")
    try:
        with _spooling():
            form = await request.form(max_files=MAX_FILES, max_fields=10)
    except HTTPException as e:
        if "files" in str(e.detail):
            raise DataError(f"More than {MAX_FILES:,} files at once; please put them into a .zip.") from None
        raise DataError("The files did not arrive completely; please try again.") from None
    try:
        name, summary = await run_in_threadpool(_prepare, form, Form(size, channels), own_dir)
        return {
            "dataset": name, "count": summary.count, "skipped": summary.skipped, "message": summary.sentence
        }  # fmt: skip
    finally:
        await form.close()


def _choice(request: Request, name: str, allowed: tuple[int, ...]) -> int:
    text = request.query_params.get(name, str(allowed[0]))
    if text not in map(str, allowed):
        raise DataError(
            f"The {name} of your pictures must be one of {', '.join(map(str, allowed))}, not {text[:20]!r}."
        )
    return int(text)


def _prepare(form: FormData, wanted: Form, own_dir: Path) -> Prepared:
    uploads = [v for _, v in form.multi_items() if isinstance(v, UploadFile)]
    if not uploads:
        raise DataError("No file arrived; please choose pictures or a .zip.")
    zips = [upload for upload in uploads if _is_zip(upload)]
    if not zips:
        return prepare(_files(uploads), wanted, own_dir)
    if len(uploads) > 1:
        raise DataError("One .zip at a time, please, or pictures without any.")
    with _spooling():
        waiting = zips[0].file.fileno()  # a small one goes to disk only now
    return prepare_zip(_safe_name(zips[0].filename or ""), wanted, own_dir, opened=waiting)


def _is_zip(upload: UploadFile) -> bool:
    return (upload.filename or "").lower().endswith(".zip")


def _files(uploads: list[UploadFile]) -> Iterator[tuple[str, BinaryIO]]:
    for upload in uploads:
        yield upload.filename or "picture", upload.file


def _safe_name(name: str) -> Path:
    """The zip's own name, from which the data set gets its title, without anything that means something to a disk."""
    kept = " ".join(re.sub(r"[^\w .()-]+", " ", Path(name).stem[:60]).split()).strip(". ")
    return Path(f"{kept or 'Own pictures'}.zip")
