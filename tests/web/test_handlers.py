"""Handlers called alone, without a server: each reads a request, and returns an answer or raises a sentence."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from gan.core.errors import Forbidden, UserError
from gan.runs.errors import NotFound
from gan.runs.registry import Runs
from gan.web.access import Access
from gan.web.routes import find, run_files
from gan.web.routes.answers import MAX_JSON_BYTES, BadRequest, Handler, body_of, json_of, sentence, tokens_of
from gan.web.routes.kept_uploads import KeptUploads
from gan.web.routes.run_control import RunControl
from gan.web.routes.run_files import RunFiles
from gan.web.routes.runs import RunRoutes
from gan.web.routes.static import StaticRoutes
from tests.conftest import PATIENCE, completed


def request_of(body: bytes = b"", tokens: str = "", query: dict[str, str] | None = None, **path: str) -> Request:
    """What a handler is given. path: the words in its address."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"x-owner", tokens.encode())]
    words = urlencode(query or {}).encode()
    return Request(
        {"type": "http", "path": "/", "headers": headers, "query_string": words, "path_params": path}, receive
    )


def called(handler: Handler, **asked: Any) -> Response:
    return completed(handler(request_of(**asked)))  # type: ignore[arg-type]


def told(answer: Response) -> Any:
    return json.loads(bytes(answer.body))


@pytest.fixture
def access(tmp_path: Path) -> Access:
    return Access(Runs(tmp_path / "runs"))


def test_runs_are_listed_for_who_owns_them(access: Access) -> None:
    run, token = access.runs.create("dense", "mnist")
    routes = RunRoutes(access)
    assert told(called(routes.mine))["runs"] == []
    (listed,) = told(called(routes.mine, tokens=f"wrong, {token}"))["runs"]
    assert (listed["id"], listed["step"]) == (run.id, 0)
    assert told(called(routes.info, run_id=run.id))["id"] == run.id


def test_watching_is_an_act_of_its_own(access: Access) -> None:
    run, _ = access.runs.create("dense", "mnist")
    routes, before = RunRoutes(access), run.unwatched_seconds()
    assert called(routes.info, run_id=run.id).status_code == 200
    assert run.unwatched_seconds() >= before
    assert called(routes.follow, run_id=run.id).status_code == 200 and run.unwatched_seconds() < before


@pytest.mark.parametrize("name", ["info", "follow", "watch", "real"])
def test_a_run_that_is_not_there_is_404(access: Access, name: str) -> None:
    with pytest.raises(NotFound) as missing:
        called(getattr(RunRoutes(access), name), run_id="AAAAAAAAAAAA")
    assert missing.value.status == 404 and missing.value.details == {"gone": True}


def test_only_who_has_a_token_steers(access: Access) -> None:
    run, token = access.runs.create("dense", "mnist")
    control, body = RunControl(access), json.dumps({"title": "Mine"}).encode()
    with pytest.raises(Forbidden):
        called(control.change, run_id=run.id, body=body, tokens="wrong")
    assert told(called(control.change, run_id=run.id, body=body, tokens=token))["title"] == "Mine"


def test_a_file_that_a_browser_has_is_not_sent_again() -> None:
    routes = StaticRoutes()
    first = called(routes.file, name="page.js")
    request = request_of(name="page.js")
    request.scope["headers"].append((b"if-none-match", first.headers["etag"].encode()))
    again = completed(routes.file(request))  # type: ignore[arg-type]
    assert (first.status_code, again.status_code, again.body) == (200, 304, b"")


# One at a time ---------------------------------------------------------------------------------------------------


def most_at_once(ask: Callable[[], Coroutine[Any, Any, Any]], meeting: threading.Barrier) -> int:
    """How many of four calls meet at a barrier for two, in threads of their own."""

    async def story() -> list[Any]:
        return await asyncio.gather(*(ask() for _ in range(4)), return_exceptions=True)

    completed(story())
    return 1 if meeting.broken else 2


@pytest.mark.parametrize(("what", "most"), [("timelapse.gif", 1), ("history.csv", 2)])
def test_films_are_made_one_at_a_time(access: Access, monkeypatch: pytest.MonkeyPatch, what: str, most: int) -> None:
    run, _ = access.runs.create("dense", "mnist")
    meeting = threading.Barrier(2, timeout=0.1 if most == 1 else PATIENCE)
    monkeypatch.setitem(run_files._DOWNLOADS, what, ("text/plain", lambda run: b"%d" % meeting.wait()))
    routes = RunFiles(access, KeptUploads())
    assert most_at_once(lambda: routes.download(request_of(run_id=run.id, what=what)), meeting) == most  # type: ignore[arg-type]


def test_pictures_to_search_for_are_read_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = threading.Barrier(2, timeout=0.1)
    monkeypatch.setattr(find, "_prepared", lambda *_: meeting.wait())
    nothing: Any = None
    routes = find.FindRoutes(nothing)
    assert most_at_once(lambda: routes._target(request_of(b"x", query={"kind": "picture"}), nothing), meeting) == 1


# Reading ---------------------------------------------------------------------------------------------------------


def test_tokens_are_words_between_commas_and_not_too_many() -> None:
    assert tokens_of(request_of(tokens=" a, b,,c ")) == ["a", "b", "c"]
    assert len(tokens_of(request_of(tokens="x," * 600))) == 500


def test_a_body_is_read_up_to_its_limit() -> None:
    assert completed(body_of(request_of(b"x" * 10), 10, "")) == b"x" * 10
    with pytest.raises(BadRequest, match="Less, please"):
        completed(body_of(request_of(b"x" * 11), 10, "Less, please."))


NO_OBJECTS = [b"", b"{", b"[]", b"null", b"1e999", b"\xff", b"[" * 50_000, b" " * MAX_JSON_BYTES + b"{}"]


@pytest.mark.parametrize("body", NO_OBJECTS, ids=range(len(NO_OBJECTS)))
def test_only_an_object_is_read(body: bytes) -> None:
    with pytest.raises(BadRequest):
        completed(json_of(request_of(body)))


# What goes wrong -------------------------------------------------------------------------------------------------


class _Full(UserError):
    status = 507
    details = MappingProxyType({"more": 1})


@pytest.mark.parametrize(
    ("problem", "status", "words"),
    [
        (_Full("There is no room."), 507, "There is no room."),
        (Forbidden("Not you."), 403, "Not you."),
        (KeyError("/home/ann/secret"), 500, "The server could not do this; its log says why."),
        (ValueError("no sentence"), 500, "The server could not do this; its log says why."),
        (OSError(28, "full", "/home/ann/secret"), 507, "The server could not read or write a file (full)."),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_one_sentence_and_its_status(problem, status, words, caplog) -> None:
    async def handler(request: Request) -> Response:
        raise problem

    answer = called(sentence(handler, "GET x"))
    said = {name: value for name, value in told(answer).items() if name != "messages"}
    assert answer.status_code == status and said == {"error": words} | dict(getattr(problem, "details", {}))
    assert ("GET x" in caplog.text) is not isinstance(problem, UserError)  # ours need no log
