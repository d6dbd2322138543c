"""What arrives slowly, or never: bodies and connections are bounded in number and in time.

An address tells nothing of who asks. Here it only keeps one place from taking all the room.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gan.core.messages import say
from gan.web.middleware import ON_DISK, answer_json

log = logging.getLogger(__name__)
MOST_ARRIVING = 300  # bodies on their way; each may take two of the 1,024 files that a process usually may open
MOST_OF_ONE = 240  # of one address: a school of 200 stands behind one
MOST_HELD = 256 << 20  # bytes of all bodies that are in memory until they are answered; weights have 32 MB at most
SMALL = 1 << 20  # a body up to that is always taken
RETRY_SECONDS = 5
SILENT_SECONDS = 30.0  # without a byte of a body
SLOWEST = 1000  # bytes a second, from the first SILENT_SECONDS on: the slowest line of a telephone is faster
# A body that nobody wants to know is read on so far: a connection that ends before would take the answer along.
LINGER_SECONDS, LINGER_BYTES = 1.0, 1 << 20
AT_HAND_SECONDS = 0.05  # what has come by then keeps its connection
HEAD_SECONDS = 15.0  # until a connection has asked something, or asks again
MOST_SILENT = 500  # connections that have asked nothing yet; of more the oldest ends
LOOK_SECONDS = 1.0  # between two looks at the connections
UNREAD_SECONDS = 60.0  # in which a connection takes nothing of an answer
MOST_ANSWERED_OF_ONE = 600  # of one address
MOST_ANSWERED = 700  # requests at once: each has a connection, of the 1,024 files that a process usually may open


class BusyLimit:
    """Plain ASGI: so many requests are answered at once; who reads slowly, or not at all, takes one of the places."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._of: Counter[str] = Counter()  # by address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visitor = _address_of(scope)
        if scope["type"] == "http" and (self._of.total() >= MOST_ANSWERED or self._of[visitor] >= MOST_ANSWERED_OF_ONE):
            await _refuse_busy(send)
            return
        self._of[visitor] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            _one_less(self._of, visitor)


class ArrivingBodies:
    """Plain ASGI: counts the bodies that are on their way, and ends those that do not come."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._of: Counter[str] = Counter()
        self._room = _Room()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self.app(scope, receive, send)
            return
        visitor = _address_of(scope)
        if self._of.total() >= MOST_ARRIVING or self._of[visitor] >= MOST_OF_ONE:
            await _refuse_busy(send)
            return
        self._of[visitor] += 1
        room = None if scope["path"].endswith(ON_DISK) else self._room
        body = _Body(receive, send, room, lambda: self._left(visitor))
        try:
            await self.app(scope, body.receive, body.send)
        except ClientDisconnect:
            if body.refusal is None:
                raise
        finally:
            body.end()
            body.give_back()
        if body.refusal and not body.started:
            await body.refusal(send)

    def _left(self, visitor: str) -> None:
        _one_less(self._of, visitor)


def _address_of(scope: Scope) -> str:
    return (scope.get("client") or ("",))[0]


def _one_less(counts: Counter[str], visitor: str) -> None:
    counts[visitor] -= 1
    if not counts[visitor]:
        del counts[visitor]


def _has_body(scope: Scope) -> bool:
    said = dict(scope["headers"])
    return b"transfer-encoding" in said or said.get(b"content-length", b"0") != b"0"


async def _refuse_busy(send: Send) -> None:
    wait = (b"retry-after", str(RETRY_SECONDS).encode())
    await answer_json(send, 503, say("web.too_many_arriving", seconds=RETRY_SECONDS), wait)


async def _refuse_slow(send: Send) -> None:
    await answer_json(send, 408, say("web.too_slow"))


class _Room:
    """Bytes of all bodies that are held in memory."""

    held = 0


class _Body:
    """The body of one request, and the answer to it.

    room: where it is counted, if it is held in memory. ended: called once, when nothing more comes.
    """

    def __init__(self, receive: Receive, send: Send, room: _Room | None, ended: Callable[[], None]) -> None:
        self._receive, self._send, self._room, self._ended = receive, send, room, ended
        self._over = self._complete = False
        self._waited, self._read, self._held = 0.0, 0, 0
        self.refusal: Callable[[Send], Awaitable[None]] | None = None
        self.started = False

    def end(self) -> None:
        if not self._over:
            self._over = True
            self._ended()

    def give_back(self) -> None:
        """The request is over: whoever held the body has let it go."""
        if self._room:
            self._room.held -= self._held
        self._held = 0

    async def receive(self) -> Message:
        if self.refusal:
            return {"type": "http.disconnect"}
        if self._complete:
            return await self._receive()
        # Only waiting counts: while what came is written to a disk, nobody is slow.
        left = min(SILENT_SECONDS, SILENT_SECONDS + self._read / SLOWEST - self._waited)
        try:
            message = await self._next(left)
        except asyncio.TimeoutError:
            return self._refuse(_refuse_slow)
        return message if self._fits(message) else self._refuse(_refuse_busy)

    async def _next(self, most_seconds: float) -> Message:
        begun = time.monotonic()
        message = await asyncio.wait_for(self._receive(), max(0.0, most_seconds))
        self._waited += time.monotonic() - begun
        self._read += len(message.get("body", b""))
        if not message.get("more_body"):
            self._complete = True
            self.end()
        return message

    def _fits(self, message: Message) -> bool:
        """Whether there is room in memory for one more piece."""
        if self._room is None:
            return True
        size = len(message.get("body", b""))
        self._held += size
        self._room.held += size
        return self._read <= SMALL or self._room.held <= MOST_HELD

    def _refuse(self, refusal: Callable[[Send], Awaitable[None]]) -> Message:
        """What the handler hears is that the visitor has left; `refusal` answers when it has ended."""
        self.refusal = refusal
        self.end()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.refusal and not self.started:
            return
        if message["type"] == "http.response.start":
            self.started = True
            await self._read_on(AT_HAND_SECONDS)
            if not self._complete:
                kept = [header for header in message.get("headers", []) if header[0].lower() != b"connection"]
                message = {**message, "headers": [*kept, (b"connection", b"close")]}
        elif not self._complete and not message.get("more_body"):
            await self._send({**message, "more_body": True})
            await self._read_on(LINGER_SECONDS)
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _read_on(self, seconds: float) -> None:
        """Throw away what arrives, so long and so much at most."""
        end, most = time.monotonic() + seconds, self._read + LINGER_BYTES
        with contextlib.suppress(asyncio.TimeoutError):
            while not self._complete and not self.refusal and self._read < most:
                await self._next(end - time.monotonic())


# Connections -----------------------------------------------------------------------------------------------------


class IdleConnections:
    """Ends connections that ask nothing, or take nothing of their answer.

    server: a uvicorn.Server; neither kind of its connections does so itself.
    """

    def __init__(self, server: Any) -> None:
        self.server = server
        self._since: dict[Any, tuple[Any, float]] = {}  # a connection -> its last question, and since when it is silent
        self._unread: dict[Any, tuple[int, float]] = {}  # likewise -> bytes that wait for it, and since when as many

    async def watch(self) -> None:
        while not self.server.should_exit:
            try:
                self.look(time.monotonic())
                self.look_at_unread(time.monotonic())
            except Exception:  # what has another kind of connection must not end the watch over all
                log.exception("connections could not be looked at")
            await asyncio.sleep(LOOK_SECONDS)

    def look(self, now: float) -> None:
        silent = [c for c in self.server.server_state.connections if _asks_nothing(c)]
        before, self._since = self._since, {}
        for connection in silent:
            last, since = before.get(connection, (None, now))
            self._since[connection] = (connection.cycle, since if last is connection.cycle else now)
        never = sorted((c for c in silent if c.cycle is None), key=lambda c: self._since[c][1])
        surplus = never[: max(0, len(never) - MOST_SILENT)]
        for connection in {*surplus, *(c for c in silent if now - self._since[c][1] > HEAD_SECONDS)}:
            connection.transport.close()

    def look_at_unread(self, now: float) -> None:
        before, self._unread = self._unread, {}
        for connection in list(self.server.server_state.connections):
            transport: Any = getattr(connection, "transport", None)
            if transport is None or not (waiting := transport.get_write_buffer_size()):
                continue
            known, since = before.get(connection, (0, now))
            self._unread[connection] = (waiting, since if known == waiting else now)
            if now - self._unread[connection][1] > UNREAD_SECONDS:
                transport.abort()  # closing it would wait until all is read


def _asks_nothing(connection: Any) -> bool:
    if not (hasattr(connection, "cycle") and hasattr(connection, "transport")):  # another kind
        return False
    return connection.cycle is None or connection.cycle.response_complete


def watch_connections(server: Any) -> None:
    """From now on, as long as a uvicorn.Server that has started runs, in its own loop."""
    asyncio.run_coroutine_threadsafe(IdleConnections(server).watch(), server.servers[0].get_loop())
