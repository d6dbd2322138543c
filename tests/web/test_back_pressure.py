"""Bodies and connections that do not come: what is said, and that they are let go."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gan.web import back_pressure
from gan.web.back_pressure import HEAD_SECONDS, UNREAD_SECONDS, ArrivingBodies, BusyLimit, IdleConnections
from tests.conftest import completed, listening, port_of, until
from tests.web.hostile.asking import Answer, Ask, answered, read_answer, request


async def read(asked: Request) -> Response:
    return JSONResponse({"bytes": len(await asked.body())})


async def refuse(asked: Request) -> Response:
    return JSONResponse({"error": "No."}, 403)


ROUTES = [Route("/read", read, methods=["POST"]), Route("/gradio_api/gan/pictures", read, methods=["POST"]),
          Route("/refuse", refuse, methods=["POST"])]  # fmt: skip
APP = Starlette(routes=ROUTES, middleware=[Middleware(BusyLimit), Middleware(ArrivingBodies)])


@pytest.fixture
def port() -> Iterator[int]:
    with listening(APP) as server:
        yield port_of(server)


def begun(length: int, path: str = "/read") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()


def error_of(answer: Answer) -> str:
    return str(json.loads(answer.body)["error"])


def test_a_body_that_is_silent_is_answered(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(back_pressure, "SILENT_SECONDS", 0.05)
    answer = answered(port, Ask([begun(10), b"half"]))
    assert answer.status == 408 and "Nothing more" in error_of(answer) and answer.headers["connection"] == "close"


def bytewise(count: int, arrive: float = 0.01) -> Any:
    """What a server receives of a body of so many bytes, each after a pause."""
    sent = iter(range(count))

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(arrive)
        return {"type": "http.request", "body": b"x", "more_body": next(sent) < count - 1}

    return receive


def asked(receive: Any, path: str = "/read") -> tuple[int, Any]:
    """The status and the content of an answer, without a server."""
    told: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": [(b"transfer-encoding", b"chunked")], "client": ("a", 1)}  # fmt: skip
    completed(APP(scope, receive, send))  # type: ignore[arg-type]
    return told[0]["status"], json.loads(b"".join(message.get("body", b"") for message in told))


def test_a_body_that_brings_a_byte_now_and_then_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(back_pressure, "SILENT_SECONDS", 0.2)
    assert asked(bytewise(1000))[0] == 408
    monkeypatch.setattr(back_pressure, "SILENT_SECONDS", 30.0)
    assert asked(bytewise(5)) == (200, {"bytes": 5})


def test_who_is_one_too_many_is_told_when_to_come_again(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(back_pressure, "MOST_OF_ONE", 2)
    waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
    for line in waiting:
        line.sendall(begun(10))
    one = Ask([request("POST", "/read", b"x")])
    refused = until(lambda: answer if (answer := answered(port, one)).status == 503 else None)
    assert "5 seconds" in error_of(refused) and refused.headers["retry-after"] == "5"
    for line in waiting:
        line.close()
    until(lambda: answered(port, one).status == 200)


def test_what_is_held_in_memory_is_bounded_for_all_together(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(back_pressure, "MOST_HELD", 300_000)
    monkeypatch.setattr(back_pressure, "SMALL", 10_000)
    large, small = request("POST", "/read", b"x" * 400_000), request("POST", "/read", b"x" * 9000)
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(begun(290_000) + b"x" * 280_000)
        until(lambda: answered(port, Ask([request("POST", "/read", b"x" * 30_000)])).status == 503)
        assert answered(port, Ask([small])).status == 200
        assert answered(port, Ask([large.replace(b"/read", b"/gradio_api/gan/pictures")])).status == 200  # on the disk
        line.sendall(b"x" * 10_000)
        assert json.loads(read_answer(line).body) == {"bytes": 290_000}
    assert answered(port, Ask([request("POST", "/read", b"x" * 200_000)])).status == 200


def test_a_refused_body_is_read_on_so_that_the_answer_arrives(port: int) -> None:
    answer = answered(port, Ask([begun(900_000, "/refuse"), b"x" * 900_000]))
    assert answer.status == 403 and error_of(answer) == "No."
    endless = answered(port, Ask([begun(10**9, "/refuse"), b"x" * 100]))
    assert endless.status == 403 and endless.headers["connection"] == "close"


# Connections -----------------------------------------------------------------------------------------------------


class Connection:
    """As much of one of uvicorn's as is looked at. cycle: its last question."""

    def __init__(self, cycle: Any = None) -> None:
        self.cycle, self.ended, self.waiting = cycle, False, 0
        self.transport = SimpleNamespace(close=self.end, abort=self.end, get_write_buffer_size=lambda: self.waiting)

    def end(self) -> None:
        self.ended = True


def looking(*connections: Connection) -> IdleConnections:
    return IdleConnections(SimpleNamespace(server_state=SimpleNamespace(connections=set(connections))))


def test_a_connection_that_asks_nothing_ends() -> None:
    never, asks = Connection(), Connection(SimpleNamespace(response_complete=False))
    again = Connection(SimpleNamespace(response_complete=True))
    looked = looking(never, asks, again)
    looked.look(0.0)
    again.cycle = SimpleNamespace(response_complete=True)  # it has asked since
    looked.look(HEAD_SECONDS)
    assert not never.ended
    looked.look(HEAD_SECONDS + 1)
    assert never.ended and not asks.ended and not again.ended
    looked.look(2 * HEAD_SECONDS + 1)
    assert again.ended and not asks.ended


def test_of_too_many_that_have_asked_nothing_the_oldest_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(back_pressure, "MOST_SILENT", 2)
    old, new = Connection(), [Connection(), Connection()]
    looked = looking(old)
    looked.look(0.0)
    looked.server.server_state.connections |= set(new)
    looked.look(1.0)
    assert old.ended and not any(connection.ended for connection in new)


def test_a_connection_that_takes_nothing_of_its_answer_ends() -> None:
    stuck, slow, done = (Connection(SimpleNamespace(response_complete=False)) for _ in range(3))
    looked = looking(stuck, slow, done)
    for second in range(0, int(UNREAD_SECONDS) + 2, 2):
        stuck.waiting, slow.waiting, done.waiting = 70_000, 70_000 - second, 0
        looked.look_at_unread(float(second))
        assert not stuck.ended or second > UNREAD_SECONDS
    looked.look_at_unread(UNREAD_SECONDS + 3)
    assert stuck.ended and not slow.ended and not done.ended


def test_who_does_not_read_takes_a_place_and_others_are_told_when_to_come_again(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(back_pressure, "MOST_ANSWERED", 2)
    one = Ask([request("POST", "/read", b"x")])
    waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
    for line in waiting:
        line.sendall(begun(10))
    until(lambda: answered(port, one).status == 503)
    refused = answered(port, one)
    assert refused.headers["retry-after"] == "5" and error_of(refused).endswith(".")
    for line in waiting:
        line.close()
    until(lambda: answered(port, one).status == 200)
