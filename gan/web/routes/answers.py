"""What goes wrong in a route, as an answer: a status and one sentence. Every route is held against this one list."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import ParamSpec

from fastapi import HTTPException
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect, Request

from gan.core.config import ConfigError
from gan.core.images import PictureError
from gan.data.catalog import DataError
from gan.latent.directions import DirectionError
from gan.latent.inversion import InversionError
from gan.latent.query import BadQuery
from gan.models.weights_file import WeightsError
from gan.runs.archive import ArchiveError
from gan.runs.registry import InUse, NoRoom, NotFound, RunsError
from gan.serving.browser_export import PageWeightsError
from gan.serving.renderer import Busy, RenderError, Superseded, UnknownWeights
from gan.training.checkpoint import CheckpointError
from gan.web.middleware import TooLarge


class DiskFull(OSError):
    """The folder where files wait until they have arrived is full."""

    def __init__(self, folder: str) -> None:
        super().__init__(
            f"The server has no room for what is sent: {folder} is full. Its owner may name another "
            "folder in TMPDIR, or make room."
        )


FRESH = {"Cache-Control": "no-store"}
# Which errors hold a sentence for the person, and with which status; the first that fits counts.
STATUS: dict[type[Exception], int] = {
    PermissionError: 403,
    DiskFull: 507,
    NotFound: 404,
    UnknownWeights: 404,
    NoRoom: 409,
    InUse: 409,
    Superseded: 409,
    Busy: 503,
} | dict.fromkeys(
    (
        ArchiveError, BadQuery, CheckpointError, ConfigError, DataError, DirectionError, InversionError,
        PageWeightsError, PictureError, RenderError, RunsError, WeightsError,
    ),
    400,
)  # fmt: skip

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


def error(status: int, words: str, details: dict[str, object] | None = None) -> JSONResponse:
    """An answer that says what is wrong; `details` are for the page."""
    return JSONResponse({"error": words} | (details or {}), status, headers=FRESH)


def refusal(problem: Exception, what: str) -> JSONResponse:
    """The answer to what went wrong in `what`."""
    status = _status(problem) or (507 if isinstance(problem, OSError) else 500)
    return error(status, sentence_of(problem, what), getattr(problem, "details", None))


def sentence_of(problem: BaseException, what: str) -> str:
    """What the person is told; what nobody expected goes into the log."""
    if _status(problem):
        return str(problem)
    if isinstance(problem, OSError):
        log.warning("%s: %s", what, problem)
        return f"The server could not read or write a file ({problem.strerror or 'disk error'})."
    log.error("%s failed", what, exc_info=problem)
    return "The server could not do this; its log says why."


def _status(problem: BaseException) -> int | None:
    """None where the message is not meant for the person, as that of the system's own PermissionError."""
    if isinstance(problem, OSError) and problem.errno is not None:
        return None
    return next((status for kind, status in STATUS.items() if isinstance(problem, kind)), None)
