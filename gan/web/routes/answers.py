"""What goes wrong in a route, as an answer: a status and one sentence (see gan.core.errors)."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import ParamSpec

from fastapi import HTTPException
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from gan.core.errors import UserError, as_user_error
from gan.serving.worker import Job
from gan.web.middleware import TooLarge

FRESH = {"Cache-Control": "no-store"}
log = logging.getLogger(__name__)
Endpoint = Callable[[Request], Awaitable[Response]]
P = ParamSpec("P")


def sentence(endpoint: Callable[P, Awaitable[Response]]) -> Callable[P, Awaitable[Response]]:
    """Turn what goes wrong into one sentence for the person; never a traceback."""

    @functools.wraps(endpoint)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            return await endpoint(*args, **kwargs)
        except (HTTPException, ClientDisconnect, TooLarge):  # the first is an answer, the others are the guard's
            raise
        except Exception as problem:
            return refusal(problem, endpoint.__name__)

    return guarded


Line = Mapping[str, object]
Tell = Callable[[Line], None]  # called in the thread of a job, with the next line of its answer


def stream(start: Callable[[Tell], Job], *first: Line) -> Response:
    """An answer of lines of JSON: those that come `first`, then what a job tells, and at last its {"problem"}, if any.

    `start` begins the job and returns it; what it raises is raised here. A visitor who leaves ends the job.
    """
    return _JobLines(start, first)


class _JobLines(StreamingResponse):
    def __init__(self, start: Callable[[Tell], Job], first: tuple[Line, ...]) -> None:
        self._told: asyncio.Queue[Line | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def tell(line: Line | None) -> None:
            loop.call_soon_threadsafe(self._told.put_nowait, line)

        self._job = start(tell)
        self._job.add_done_callback(lambda _: tell(None))
        super().__init__(self._lines(first), media_type="application/x-ndjson")

    async def _lines(self, first: tuple[Line, ...]) -> AsyncIterator[str]:
        for line in first:
            yield json.dumps(line) + "\n"
        while (told := await self._told.get()) is not None:
            yield json.dumps(told) + "\n"
        problem = self._job.exception()
        if problem is not None:
            yield json.dumps({"problem": str(told_of(problem, "a job that tells its progress"))}) + "\n"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._job.cancel()


def error(status: int, words: str, details: Mapping[str, object] | None = None) -> JSONResponse:
    """An answer that says what is wrong; `details` are for the page."""
    return JSONResponse({"error": words, **(details or {})}, status, headers=FRESH)


def refusal(problem: Exception, what: str) -> JSONResponse:
    """The answer to what went wrong in `what`."""
    told = told_of(problem, what)
    return error(told.status, str(told), told.details)


class _OurFault(UserError):
    status = 500


def told_of(problem: BaseException, what: str) -> UserError:
    """What the person is told of a failure; what nobody expected, and what a disk refused, goes into the log."""
    told = as_user_error(problem, paths=False)
    if told is None:
        log.error("%s failed", what, exc_info=problem)
        return _OurFault("The server could not do this; its log says why.")
    if told is not problem:
        log.warning("%s: %s", what, problem)
    return told
