"""A browser's page as the server meets it: one kept connection, its tokens, what it has cached; and what it met."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from gan.bench.common import OURS

IDLE_SECONDS = 3.0  # uvicorn ends a connection that was idle for 5 s: a browser notices, and opens another
PATIENCE = 60.0  # seconds, after which an answer counts as none


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in small letters
    body: bytes

    @property
    def ok(self) -> bool:
        return self.status < 400

    def json(self) -> Any:
        """Of its first line: behind that of `follow` stand pictures. None where there is nothing."""
        return json.loads(self.body.partition(b"\n")[0]) if self.body else None

    def words(self) -> str:
        """The name in the catalogue of the sentence that refuses, else the sentence; empty where there is none."""
        try:
            said = json.loads(self.body)
            first = said.get("messages", {}).get("error", {})
            while "parts" in first.get("values", {}):  # several sentences in a row
                first = first["values"]["parts"][0]
            return str(first.get("key") or said["error"][:80])
        except (ValueError, LookupError, TypeError, AttributeError):
            return ""


@dataclass
class Tally:
    """What visitors of one kind met. Times in seconds from sending a request to having its whole body."""

    times: list[float] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        ordered = sorted(self.times) or [float("nan")]
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Page:
    """Asks as the page's scripts do. What is refused in words is counted; all else that is no success is an error."""

    def __init__(self, port: int, tally: Tally) -> None:
        self.port, self.tally = port, tally
        self.tokens: dict[str, str] = {}  # by run: static/core/tokens.js
        self._etags: dict[str, str] = {}
        self._kept: set[str] = set()  # what a browser does not ask for again
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._used_at = 0.0

    async def get(self, path: str, keep: bool = False) -> Answer:
        """keep: the answer is the same for ever, so that it is asked for once; 304 then."""
        if path in self._kept:
            return Answer(304, {}, b"")
        answer = await self.ask("GET", path)
        if keep and answer.ok:
            self._kept.add(path)
        return answer

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """path: of one of our routes, or one that begins with a slash. Raises OSError or EOFError without an answer."""
        path = path if path.startswith("/") else OURS + path
        data = b"" if body is None else json.dumps(body).encode()
        started = time.monotonic()
        answer = await asyncio.wait_for(self._exchange(self._head(method, path, data) + data), PATIENCE)
        self.tally.times.append(time.monotonic() - started)
        if "etag" in answer.headers:
            self._etags[path] = answer.headers["etag"]
        if not answer.ok:
            self._refused(f"{method} {path.partition('?')[0]}", answer)
        return answer

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None

    def _refused(self, what: str, answer: Answer) -> None:
        words = answer.words()
        if words and (answer.status < 500 or answer.status == 503):
            self.tally.refusals[f"{answer.status} {words}"] += 1
        else:
            self.tally.errors.append(f"{what}: status {answer.status} {words or repr(answer.body[:80])}")

    def _head(self, method: str, path: str, data: bytes) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Accept-Encoding: gzip"]
        if self.tokens:
            lines.append(f"X-Owner: {','.join(self.tokens.values())}")
        if method == "GET" and path in self._etags:
            lines.append(f"If-None-Match: {self._etags[path]}")
        if method != "GET":
            lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
        return "\r\n".join([*lines, "", ""]).encode()

    async def _exchange(self, request: bytes) -> Answer:
        if self._streams is None or time.monotonic() - self._used_at > IDLE_SECONDS:
            self.close()
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._streams
        try:
            writer.write(request)
            answer = await _answer(reader)
        except BaseException:
            self.close()
            raise
        self._used_at = time.monotonic()
        if answer.headers.get("connection") == "close":
            self.close()
        return answer


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split()[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    if headers.get("transfer-encoding") == "chunked":
        body = await _chunks(reader)
    else:
        body = b"" if status in (204, 304) else await reader.readexactly(int(headers.get("content-length", 0)))
    return Answer(status, headers, gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return body
