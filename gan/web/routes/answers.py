"""What goes wrong in a route, as an answer: a status and one sentence (see gan.core.errors)."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import ParamSpec

from fastapi import HTTPException
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect, Request

from gan.core.errors import UserError, as_user_error
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
