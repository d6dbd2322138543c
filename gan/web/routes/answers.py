"""Everything by which a handler answers: what it reads of a request, what it sends back, and what goes wrong.

A handler is `async (Request) -> Response`. Each file of routes has classes with a `table`: "METHOD path" → handler.
"""

from __future__ import annotations

import asyncio
import functools
import io
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Future
from hashlib import blake2s
from typing import Any, TypeVar

import numpy as np
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from gan.core.errors import UserError, as_user_error
from gan.core.messages import say, with_messages
from gan.serving.browser_export import PageFile
from gan.serving.generator import Pixels
from gan.serving.worker import Job
from gan.web.middleware import OURS, TooLarge

BASE = OURS.removesuffix("/")
FRESH = {"Cache-Control": "no-store"}
IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
MAX_JSON_BYTES = 100_000
MOST_TOKENS = 500  # of one request

log = logging.getLogger(__name__)
Handler = Callable[[Request], Awaitable[Response]]
Table = Mapping[str, Handler]
T = TypeVar("T")


def routes_of(*tables: Table) -> list[BaseRoute]:
    """The routes of some tables; what goes wrong in a handler is one sentence for the person."""
    return [*(_route(line, handler) for table in tables for line, handler in table.items()), _NOTHING]


def _route(line: str, handler: Handler) -> Route:
    method, path = line.split(" ")
    return Route(OURS + path, sentence(handler, line), methods=[method])


class _Nothing:
    """Whatever is asked by a name, or in a way, that stands in no table."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await answer_json({"error": say("web.no_address")}, 404)(scope, receive, send)


_NOTHING = Route(OURS + "{path:path}", _Nothing())  # an application, so it is asked with every method

# What a request says ---------------------------------------------------------------------------------------------


class BadRequest(UserError):
    """The body of a request cannot be read."""


def tokens_of(request: Request) -> list[str]:
    """The tokens that a page sends along: of its runs, of its pictures, of the owner."""
    words = (word.strip() for word in request.headers.get("x-owner", "").split(","))
    return [word for word in words if word][:MOST_TOKENS]


async def body_of(request: Request, most: int, too_large: str) -> bytes:
    """The body, refused with the sentence `too_large` as soon as it is larger than `most` bytes. Raises BadRequest."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most:
        raise BadRequest(too_large)
    data = io.BytesIO()  # which hands its bytes over without a copy
    async for piece in request.stream():
        if data.tell() + len(piece) > most:
            raise BadRequest(too_large)
        data.write(piece)
    return data.getvalue()


async def json_of(request: Request) -> dict[str, Any]:
    """The JSON object in a body. Raises BadRequest."""
    unreadable = say("web.unreadable_request")
    data = await body_of(request, MAX_JSON_BYTES, unreadable)
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise BadRequest(unreadable)
    return body


def count_of(request: Request, name: str, otherwise: int) -> int:
    """A whole number of the query, 0 or more; `otherwise` where it is none: what only saves traffic need not fail."""
    text = request.query_params.get(name, "")
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else otherwise


# What is sent back -----------------------------------------------------------------------------------------------


def answer_json(content: Mapping[str, object], status: int = 200) -> JSONResponse:
    """JSON that is true now, so no browser keeps it; it says where its texts come from, see `with_messages`."""
    return JSONResponse(with_messages(content), status, headers=FRESH)


def wait(future: Future[T]) -> asyncio.Future[T]:
    """What a worker's thread makes, awaited on the event loop."""
    return asyncio.wrap_future(future)


def raw(drawn: Pixels) -> Response:
    """Pictures as bytes; what they are is in the headers."""
    shape = ",".join(map(str, drawn.images.shape))
    headers = FRESH | {"X-Shape": shape, "X-Stamp": drawn.stamp, "X-Step": str(drawn.step)}
    data = np.ascontiguousarray(drawn.images).tobytes()
    return Response(data, media_type="application/octet-stream", headers=headers)


def file(data: bytes, kind: str, name: str) -> Response:
    """A file of this media type, to be saved under this name."""
    return Response(data, media_type=kind, headers=attachment(name))


def attachment(name: str) -> dict[str, str]:
    """The headers of a file that a browser saves under this name."""
    return FRESH | {"Content-Disposition": f'attachment; filename="{name}"'}


def unless_known(request: Request, digest: str, cache: str, answer: Callable[[dict[str, str]], Response]) -> Response:
    """A browser keeps this, and asks each time: who has the content of this digest gets only a word.

    cache: of the Cache-Control header. answer: makes the whole answer, with these headers.
    """
    etag = f'"{digest}"'
    headers = {"Cache-Control": cache, "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return answer(headers)


def page_file(request: Request, made: PageFile) -> Response:
    """Kept by browsers and asked for again at every use: who has the same content gets only a word."""
    kind = "application/octet-stream"
    return unless_known(
        request, made.digest, "private, no-cache", lambda headers: Response(made.data, 200, headers, kind)
    )


def json_unless_known(request: Request, body: bytes) -> Response:
    """JSON that a page asks for often, and that is the same most of the time."""

    def whole(headers: dict[str, str]) -> Response:
        return Response(body, media_type="application/json", headers=headers)

    return unless_known(request, blake2s(body, digest_size=8).hexdigest(), "private, no-cache", whole)


Line = Mapping[str, object]
Tell = Callable[[Line], None]  # called in the thread of a job, with the next line of its answer


def stream(start: Callable[[Tell], Job], *first: Line) -> Response:
    """An answer of lines of JSON: those that come `first`, then what a job tells, and at last its {"problem"}, if any.

    `start` begins the job and returns it; what it raises is raised here. A visitor who leaves ends the job.
    """
    return _JobLines(start, first)


class _JobLines(StreamingResponse):
    def __init__(self, start: Callable[[Tell], Job], first: tuple[Line, ...]) -> None:
        self._queue: asyncio.Queue[Line | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def tell(line: Line | None) -> None:
            loop.call_soon_threadsafe(self._queue.put_nowait, line)

        self._job = start(tell)
        self._job.add_done_callback(lambda _: tell(None))
        super().__init__(self._lines(first), media_type="application/x-ndjson")

    async def _lines(self, first: tuple[Line, ...]) -> AsyncIterator[str]:
        for known in first:
            yield _line(known)
        while (line := await self._queue.get()) is not None:
            yield _line(line)
        problem = self._job.exception()
        if problem is not None:
            yield _line({"problem": logged_error(problem, "a job that tells its progress").message})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._job.cancel()


def _line(content: Line) -> str:
    return json.dumps(with_messages(content)) + "\n"


# What goes wrong -------------------------------------------------------------------------------------------------


class _OurFault(UserError):
    status = 500


def sentence(handler: Handler, what: str) -> Handler:
    """Turn what goes wrong into one sentence for the person, never a traceback; `what` is the log's name for it."""

    @functools.wraps(handler)
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except (ClientDisconnect, TooLarge):  # nobody is there to read it; the guard of all bodies answers
            raise
        except Exception as problem:
            error = logged_error(problem, what)
            return answer_json({"error": error.message, **error.details}, error.status)

    return guarded


def logged_error(problem: BaseException, what: str) -> UserError:
    """What the person is told of a failure; what nobody expected, and what a disk refused, goes into the log."""
    error = as_user_error(problem, paths=False)
    if error is None:
        log.error("%s failed", what, exc_info=problem)
        return _OurFault(say("web.our_fault"))
    if error is not problem:
        log.warning("%s: %s", what, problem)
    return error
