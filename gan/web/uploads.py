"""A visitor's own pictures: received to temporary files, prepared once, named by their content."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from gan.data import DataError, load
from gan.pictures import prepare, prepare_zip

MAX_FILES = 5_000  # in one request; more come as a zip
MAX_KEPT_BYTES = 4 << 30  # of all prepared pictures together
SIZES, CHANNELS = (28, 32), (1, 3)


async def receive_pictures(request: Request, own_dir: Path) -> dict[str, Any]:
    """The multipart body of one request -> {dataset, count, skipped, message}. Raises DataError with a sentence."""
    size, channels = _choice(request, "size", SIZES), _choice(request, "channels", CHANNELS)
    kept = sum(p.stat().st_size for p in own_dir.glob("*") if p.is_file())
    if kept > MAX_KEPT_BYTES:
        raise DataError("This server has no more room for pictures; please ask its owner to delete old ones.")
    try:
        form = await request.form(max_files=MAX_FILES, max_fields=10)
    except HTTPException as e:
        if "files" in str(e.detail):
            raise DataError(f"More than {MAX_FILES:,} files at once; please put them into a .zip.") from None
        raise DataError("The files did not arrive completely; please try again.") from None
    try:
        said: list[str] = []
        name = await run_in_threadpool(_prepare, form, size, channels, own_dir, said.append)
        count = len((await run_in_threadpool(load, name, "train", own_dir)).images)
        return {"dataset": name, "count": count, "skipped": 0, "message": said[-1] if said else ""}
    finally:
        await form.close()


def _choice(request: Request, name: str, allowed: tuple[int, ...]) -> int:
    text = request.query_params.get(name, str(allowed[0]))
    if text not in map(str, allowed):
        raise DataError(
            f"The {name} of your pictures must be one of {', '.join(map(str, allowed))}, not {text[:20]!r}."
        )
    return int(text)


def _prepare(form: FormData, size: int, channels: int, own_dir: Path, say: Any) -> str:
    uploads = [v for _, v in form.multi_items() if isinstance(v, UploadFile)]
    if not uploads:
        raise DataError("No file arrived; please choose pictures or a .zip.")
    if len(uploads) == 1 and (uploads[0].filename or "").lower().endswith(".zip"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / _safe_name(uploads[0].filename)
            with path.open("wb") as f:
                _copy(uploads[0].file, f)
            return prepare_zip(path, size, channels, own_dir, say)
    return prepare(_files(uploads), size, channels, own_dir, say)


def _files(uploads: list[UploadFile]) -> Iterator[tuple[str, BinaryIO]]:
    for upload in uploads:
        yield upload.filename or "picture", upload.file


def _safe_name(name: str) -> str:
    """The zip's own name, from which the data set gets its title, without anything that means something to a disk."""
    kept = " ".join(re.sub(r"[^\w .()-]+", " ", Path(name).stem[:60]).split()).strip(". ")
    return f"{kept or 'Own pictures'}.zip"


def _copy(source: BinaryIO, target: Any) -> None:
    source.seek(0)
    while chunk := source.read(1 << 20):
        target.write(chunk)
