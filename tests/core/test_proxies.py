"""Proxies of the environment: downloads go through them, the program's own start does not know of them."""

from __future__ import annotations

import socketserver
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gan.core.proxies import no_proxies, use_proxies

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
TARGET = "http://data.invalid/file"  # a name that only a proxy can answer for
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndata"


class _Http(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.server.asked.append(self.rfile.readline().split()[1].decode())
        while self.rfile.readline().strip():
            pass
        self.wfile.write(ANSWER)


class _Socks5(socketserver.StreamRequestHandler):
    """RFC 1928, without a password: the name is sent to the proxy, then what would go to the server."""

    def handle(self) -> None:
        _, methods = self.rfile.read(2)
        self.rfile.read(methods)
        self.wfile.write(b"\x05\x00")
        kind = self.rfile.read(4)[3]
        assert kind == 3  # a name, not a number: this machine has not looked it up
        name = self.rfile.read(self.rfile.read(1)[0]).decode()
        self.rfile.read(2)
        self.wfile.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        path = self.rfile.readline().split()[1].decode()
        while self.rfile.readline().strip():
            pass
        self.server.asked.append(f"http://{name}{path}")
        self.wfile.write(ANSWER)


@contextmanager
def proxy(handler: type) -> Iterator[tuple[int, list[str]]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], server.asked
        server.shutdown()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    yield
    urllib.request.install_opener(None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("handler", "variable", "scheme"),
    [(_Http, "HTTP_PROXY", "http"), (_Http, "ALL_PROXY", "http"), (_Socks5, "ALL_PROXY", "socks5"),
     (_Socks5, "all_proxy", "socks5h")],
)  # fmt: skip
def test_downloads_take_the_proxy_of_the_environment(monkeypatch, handler, variable, scheme):
    with proxy(handler) as (port, asked):
        monkeypatch.setenv(variable, f"{scheme}://127.0.0.1:{port}")
        use_proxies()
        with urllib.request.urlopen(TARGET, timeout=20) as answer:
            assert answer.read() == b"data"
        assert asked == [TARGET]


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "socks5://127.0.0.1:9"])
def test_a_proxy_that_is_not_there_is_no_network(monkeypatch, address):
    """The port of `discard`, where nothing listens: what _why_not in gan/data/catalog.py says in words."""
    monkeypatch.setenv("ALL_PROXY", address)
    use_proxies()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(TARGET, timeout=20)


def test_inside_no_proxy_is_known_and_afterwards_all_are_back(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://a")
    monkeypatch.setenv("all_proxy", "socks5://b")
    with pytest.raises(RuntimeError), no_proxies():
        assert urllib.request.getproxies() == {}
        raise RuntimeError
    assert urllib.request.getproxies() == {"http": "http://a", "all": "socks5://b"}
