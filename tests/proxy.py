"""A plain reverse proxy in a thread, as a beginner's nginx does it: prefix, limit of bodies, headers, and faults."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_PIECE = 1 << 16
_OF_THE_LEG = {"connection", "keep-alive", "transfer-encoding", "date", "server"}  # not handed on


class Proxy:
    """What tests turn and press; made by `proxied`.

    prefix: the path that is taken away ("/gan/"). limit: bytes of a body, 0: none; more is answered 413, in HTML.
    headers: say Host and X-Forwarded-* as a careful proxy does; else the server is told its own address as Host.
    host: the Host header to send instead.
    """

    def __init__(self, to: int, prefix: str, limit: int, headers: bool, host: str) -> None:
        self.to, self.prefix, self.limit, self.headers, self.host = to, prefix, limit, headers, host
        self.port = 0
        self._flowing = threading.Event()
        self._flowing.set()
        self.sending: set[socket.socket] = set()  # connections whose bodies are on their way

    def url(self, path: str = "", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{self.prefix}{path}"

    def hold(self) -> None:
        """From now on bodies stay where they are, as on a line that hangs."""
        self._flowing.clear()

    def go_on(self) -> None:
        self._flowing.set()

    def cut(self) -> None:
        """Break the connections whose bodies are on their way."""
        for connection in list(self.sending):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._flowing.set()


@contextmanager
def proxied(
    to: int, prefix: str = "/", limit: int = 0, headers: bool = False, host: str = "", address: str = "127.0.0.1"
) -> Iterator[Proxy]:
    """A proxy in front of the server on port `to`, listening on a port of `address` until the block ends."""
    proxy = Proxy(to, prefix, limit, headers, host)
    server = ThreadingHTTPServer((address, 0), type("Handler", (_Handler,), {"proxy": proxy}))
    server.daemon_threads = True
    proxy.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.go_on()
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if not self.path.startswith(self.proxy.prefix):
            self._page(404, "Not Found")
        elif self.proxy.limit and length > self.proxy.limit:
            self._page(413, "Request Entity Too Large")
        else:
            with suppress(OSError, http.client.HTTPException):  # one of the two has gone
                self._hand_on(length)
            self.close_connection = True

    do_GET = do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _any

    def _page(self, status: int, words: str) -> None:
        body = f"<html><h1>{status} {words}</h1><hr>nginx</html>".encode()
        self.close_connection = True  # the body that was refused is never read
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        with suppress(OSError):  # let the browser read the answer before the line is closed
            self.connection.settimeout(5)
            while self.connection.recv(_PIECE):
                pass

    def _hand_on(self, length: int) -> None:
        upstream = http.client.HTTPConnection("127.0.0.1", self.proxy.to, timeout=120)
        try:
            upstream.putrequest(self.command, "/" + self.path[len(self.proxy.prefix) :], True, True)
            for name, value in self._headers():
                upstream.putheader(name, value)
            upstream.endheaders()
            self._send_body(upstream, length)
            self._answer(upstream.getresponse())
        finally:
            upstream.close()

    def _headers(self) -> list[tuple[str, str]]:
        kept = [(n, v) for n, v in self.headers.items() if n.lower() not in _OF_THE_LEG | {"host"}]
        if not self.proxy.headers:
            return [("Host", self.proxy.host or f"127.0.0.1:{self.proxy.to}"), *kept]
        host = self.proxy.host or self.headers["Host"]
        said = {"Host": host, "X-Forwarded-Host": host, "X-Forwarded-Proto": "https"}
        return [*said.items(), ("X-Forwarded-For", self.client_address[0]), *kept]

    def _send_body(self, upstream: http.client.HTTPConnection, left: int) -> None:
        self.proxy.sending.add(self.connection)
        try:
            while left:
                self.proxy._flowing.wait()
                piece = self.rfile.read1(min(left, _PIECE))
                if not piece:
                    raise ConnectionAbortedError
                upstream.send(piece)
                left -= len(piece)
        finally:
            self.proxy.sending.discard(self.connection)

    def _answer(self, answer: http.client.HTTPResponse) -> None:
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_THE_LEG:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        while self.command != "HEAD" and (piece := answer.read1(_PIECE)):
            self.wfile.write(piece)
