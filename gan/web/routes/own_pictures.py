"""Routes of a visitor's own pictures: sent, prepared, prepared anew in another form, looked at, deleted.

Whoever prepared a set gets a token that claims it, see runs.prepared_sets; what is asked of it afterwards needs one.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gan.core.images import grid, png_bytes
from gan.core.messages import say
from gan.data.catalog import DataError, describe
from gan.data.own_pictures import (
    FITS,
    USUAL_SIZES,
    Form,
    Prepared,
    Summary,
    edit_classes,
    prepare,
    prepare_zip,
    preview,
)
from gan.data.pictures import UNTITLED, Progress
from gan.runs.registry import Runs
from gan.training.malloc import give_back_freed_memory
from gan.web.access import Access
from gan.web.routes.answers import FRESH, Table, answer_json, json_of, tokens_of
from gan.web.routes.kept_uploads import KeptUploads
from gan.web.routes.uploads import CHANNELS, OFFERED_SIZES, PREVIEW_COLUMNS, Upload, receive_files

POLL_SECONDS = 0.25  # between two looks whether the visitor is still there
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_WAITING = say("web.others_first")

_T = TypeVar("_T")


class Preparations:
    """One preparing at a time, as each may take all cores and much memory; and what is said of those under way."""

    def __init__(self) -> None:
        self._turn = CapacityLimiter(1)
        self._said: dict[str, str] = {}

    def said(self, key: str) -> str:
        """What was said last; "" where nothing is under way, which is no error: a page asks until it has its answer."""
        return self._said.get(key, "")

    @contextmanager
    def followed(self, key: str) -> Iterator[None]:
        """While the block lasts, `said` knows the key that a page chose; "" is none. Raises DataError."""
        if key and not _KEY.fullmatch(key):
            raise DataError(say("web.wrong_key"))
        self._said[key] = ""
        try:
            yield
        finally:
            self._said.pop(key, None)

    async def run(self, request: Request, key: str, job: Callable[[Progress], _T]) -> _T:
        """A job in a thread of its own. Raises ClientDisconnect, soon after the visitor has left."""
        gone, begun = threading.Event(), threading.Event()

        def progress(words: str) -> None:
            if gone.is_set():
                raise ClientDisconnect
            if key in self._said:
                self._said[key] = words

        def work() -> _T:
            begun.set()
            progress("")
            return job(progress)

        if self._turn.borrowed_tokens:
            progress(_WAITING)
        task = asyncio.create_task(to_thread.run_sync(work, limiter=self._turn))
        try:
            while not (await asyncio.wait({task}, timeout=POLL_SECONDS))[0]:
                if await request.is_disconnected():
                    gone.set()
                    if not begun.is_set():  # what has begun ends by itself: its turn is over only then
                        task.cancel()
            if task.cancelled():
                raise ClientDisconnect
            return task.result()
        finally:
            gone.set()


# From files to a set ---------------------------------------------------------------------------------------------


class SendingRoutes:
    """kept: where the files that were sent stay for a while."""

    def __init__(self, access: Access, kept: KeptUploads) -> None:
        self.runs, self.access, self.kept, self.preparing = access.runs, access, kept, Preparations()

    def table(self) -> Table:
        return {
            "POST pictures": self.prepare,
            "GET pictures/progress/{key}": self.progress,
            "POST pictures/again": self.again,
        }

    async def prepare(self, request: Request) -> Response:
        """The files in a form, prepared as size, channels and fit say."""
        tokens, asked = tokens_of(request), request.query_params
        self.access.check_training(tokens)
        form, key = _form(asked), asked.get("progress", "")
        self.runs.prepared.check_room()
        with self.preparing.followed(key):
            upload = await receive_files(request, self.kept.drop_oldest)
            try:
                answer = await self.preparing.run(request, key, _job(upload, form, self.runs, tokens))
            except BaseException:
                upload.drop()
                raise
        self.kept.drop(asked.get("replaces", ""))
        return answer_json(answer | {"upload": self.kept.keep(upload)}, 201)

    async def progress(self, request: Request) -> Response:
        return answer_json({"said": self.preparing.said(request.path_params["key"])})

    async def again(self, request: Request) -> Response:
        """The files of an earlier request, prepared in another form."""
        tokens = tokens_of(request)
        self.access.check_training(tokens)
        body = await json_of(request)
        form, key, name = _form(body), str(body.get("progress", "")), str(body.get("upload"))
        self.runs.prepared.check_room()
        with self.preparing.followed(key):
            job = _job(self.kept.get(name), form, self.runs, tokens)
            answer = await self.preparing.run(request, key, job)
        return answer_json(answer | {"upload": name}, 201)


def _form(asked: Mapping[str, object]) -> Form:
    channels = int(_choice(asked, "channels", CHANNELS, Form.channels))
    size = int(_choice(asked, "size", OFFERED_SIZES, USUAL_SIZES[channels]))
    return Form(size, channels, _choice(asked, "fit", FITS, Form.fit))


def _choice(asked: Mapping[str, object], name: str, allowed: tuple[int | str, ...], otherwise: int | str) -> str:
    text, words = str(asked.get(name, otherwise)), [str(value) for value in allowed]
    if text not in words:
        raise DataError(say("web.wrong_form", name=name, choices=words, text=repr(text[:20])))
    return text


def _job(upload: Upload, form: Form, runs: Runs, tokens: list[str]) -> Callable[[Progress], dict[str, object]]:
    """What prepares an upload and claims the set, in a thread."""

    def job(progress: Progress) -> dict[str, object]:
        try:
            with upload.held():
                return _claimed(runs, lambda: _made(upload, form, runs.own_dir, progress), tokens) | {"fit": form.fit}
        finally:
            give_back_freed_memory()  # of large pictures

    return job


def _made(upload: Upload, form: Form, own_dir: Path, progress: Progress) -> Prepared:
    others = _others(upload)
    if upload.zip_name is None:
        return prepare(upload, form, own_dir, progress, others=others, title=_title(upload), public=True)
    path, waiting = _safe_name(upload.zip_name), upload.file.fileno()
    return prepare_zip(path, form, own_dir, progress, waiting, others=others, public=True)


def _others(upload: Upload) -> list[str]:
    """The names of files that the page did not send, as they are no pictures."""
    try:
        names = json.loads(upload.fields.get("others", "[]"))
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError(say("web.names_unreadable"))
    return names


def _title(upload: Upload) -> str:
    """The folder that all files lie in, if there is one."""
    tops = {sent.name.partition("/")[0] if "/" in sent.name else "" for sent in upload.files}
    return tops.pop() if len(tops) == 1 else ""


def _safe_name(name: str) -> Path:
    """The zip's own name, from which the data set gets its title, without anything that means something to a disk."""
    kept = " ".join(re.sub(r"[^\w .()-]+", " ", Path(name).stem[:60]).split()).strip(". ")
    return Path(f"{kept or UNTITLED}.zip")


# Prepared sets ---------------------------------------------------------------------------------------------------


class PreparedRoutes:
    """What is asked of a set that is there, by who prepared it."""

    def __init__(self, access: Access, kept: KeptUploads) -> None:
        self.runs, self.access, self.kept = access.runs, access, kept

    def table(self) -> Table:
        return {
            "GET pictures/{name}": self.card,
            "GET pictures/{name}/preview": self.look,
            "POST pictures/{name}/classes": self.classes,
            "DELETE pictures/{name}": self.delete,
        }

    async def card(self, request: Request) -> Response:
        name, tokens = self._asked(request)
        return answer_json(await run_in_threadpool(_known_card, self.runs, name, tokens))

    async def look(self, request: Request) -> Response:
        """Some of the pictures, on one sheet."""
        name, _ = self._asked(request)
        sheet = await run_in_threadpool(_preview, self.runs, name)
        return Response(sheet, media_type="image/png", headers=FRESH)

    async def classes(self, request: Request) -> Response:
        """Classes under other names, put together or left out: a set of its own, claimed by who asks."""
        name, tokens = self._asked(request)
        changes = (await json_of(request)).get("classes")
        if not isinstance(changes, dict) or not all(isinstance(new, str) for new in changes.values()):
            raise DataError(say("web.wrong_classes"))
        self.runs.prepared.check_room()
        return answer_json(await run_in_threadpool(_edited, self.runs, name, changes, tokens), 201)

    async def delete(self, request: Request) -> Response:
        """upload=ID: the files that the set was made from, which are let go too."""
        name, tokens = self._asked(request)
        removed = await run_in_threadpool(self.runs.delete_pictures, name, tokens)
        self.kept.drop(request.query_params.get("upload", ""))
        return answer_json({"removed": removed})

    def _asked(self, request: Request) -> tuple[str, list[str]]:
        """The set's name, and the tokens that may ask for it."""
        name, tokens = request.path_params["name"], tokens_of(request)
        self.access.check_pictures(name, tokens)
        return name, tokens


def _edited(runs: Runs, name: str, changes: dict[str, str], tokens: list[str]) -> dict[str, object]:
    known = runs.prepared.summary(name, tokens, runs.is_owner(tokens))
    return _claimed(runs, lambda: edit_classes(name, runs.own_dir, changes, known, public=True), tokens)


def _claimed(runs: Runs, make: Callable[[], Prepared], tokens: list[str]) -> dict[str, object]:
    """The card of the set that is made, and a token that claims it.

    It tells of the files that were sent now: the same pictures may have been prepared before, out of other files.
    """
    made, token = runs.prepared.made(make, tokens)
    return _card(runs, made.name, made.summary) | {"token": token}


def _known_card(runs: Runs, name: str, tokens: list[str]) -> dict[str, object]:
    return _card(runs, name, runs.prepared.summary(name, tokens, runs.is_owner(tokens)))


def _card(runs: Runs, name: str, summary: Summary) -> dict[str, object]:
    """A set, and what is said of it."""
    source = describe(name, runs.own_dir)
    return {
        "dataset": name,
        "title": summary.title,
        "count": source.count,
        "test": summary.test,
        "skipped": summary.skipped,
        "message": summary.sentence,
        "classes": summary.classes,
        "size": source.size,
        "channels": source.channels,
    }


def _preview(runs: Runs, name: str) -> bytes:
    return png_bytes(grid(preview(name, runs.own_dir), PREVIEW_COLUMNS))
