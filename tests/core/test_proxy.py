"""The proxy of the tests does what it says: else tests behind it would prove nothing."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.proxy import proxied


class _Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = json.dumps({"path": self.path, "headers": dict(self.headers), "length": len(body)}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def echo() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def ask(url: str, length: int = 3) -> dict:
    with urllib.request.urlopen(urllib.request.Request(url, b"x" * length), timeout=20) as answer:
        return json.loads(answer.read())


def test_a_plain_proxy_says_the_servers_own_address(echo: int) -> None:
    with proxied(echo, prefix="/gan/") as proxy:
        said = ask(proxy.url("a?b=c"))
    assert said["path"] == "/a?b=c" and said["length"] == 3
    assert said["headers"]["Host"] == f"127.0.0.1:{echo}"
    assert not [name for name in said["headers"] if name.startswith("X-Forwarded")]


def test_a_careful_proxy_says_where_the_request_came_from(echo: int) -> None:
    with proxied(echo, headers=True) as proxy:
        said = ask(proxy.url("a"))["headers"]
        assert said["Host"] == said["X-Forwarded-Host"] == f"127.0.0.1:{proxy.port}"
    assert said["X-Forwarded-For"] == "127.0.0.1" and said["X-Forwarded-Proto"] == "https"


def test_limits_and_foreign_paths_are_pages_of_html(echo: int) -> None:
    with proxied(echo, prefix="/gan/", limit=1000) as proxy:
        assert ask(proxy.url("a"), 1000)["length"] == 1000
        for url, status in ((proxy.url("a"), 413), (f"http://127.0.0.1:{proxy.port}/gan", 404)):
            with pytest.raises(urllib.error.HTTPError) as refused:
                ask(url, 5_000_000 if status == 413 else 3)
            assert refused.value.code == status and b"<h1>" in refused.value.read()


def test_a_line_that_hangs_and_breaks(echo: int) -> None:
    with proxied(echo) as proxy:
        proxy.hold()
        outcome: list[object] = []

        def send() -> None:
            try:
                outcome.append(ask(proxy.url("a"), 1 << 20)["length"])
            except OSError as error:
                outcome.append(error)

        sender = threading.Thread(target=send)
        sender.start()
        while not proxy.sending:
            sender.join(0.01)
        assert not outcome
        proxy.cut()
        sender.join(20)
        assert isinstance(outcome[0], OSError)
        proxy.go_on()
        assert ask(proxy.url("a"), 1 << 20)["length"] == 1 << 20
