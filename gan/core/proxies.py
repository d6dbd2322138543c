"""Proxies that the environment names: not for what this program asks of itself, but for every download."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

_NAMES = ("http_proxy", "https_proxy", "all_proxy")


@contextmanager
def no_proxies() -> Iterator[None]:
    """Inside, this process knows of no proxy.

    Gradio asks its own server whether it is there, and would ask the proxy; with a SOCKS proxy its library for HTTP
    cannot even be imported without another package.
    """
    taken = {name: os.environ.pop(name) for name in list(os.environ) if name.lower() in _NAMES}
    try:
        yield
    finally:
        os.environ.update(taken)


def use_proxies() -> None:
    """Let `urllib`, with which all downloads are made, take the proxies of the environment, ALL_PROXY and SOCKS too.

    Of its own it knows HTTP_PROXY and HTTPS_PROXY only. Raises ValueError for an address that cannot be read.
    """
    found = urllib.request.getproxies()
    proxies = {scheme: proxy for scheme in ("http", "https") if (proxy := found.get(scheme) or found.get("all"))}
    socks = [proxy for proxy in proxies.values() if proxy.lower().startswith("socks")]
    handler = _socks(socks[-1]) if socks else urllib.request.ProxyHandler(proxies)
    urllib.request.install_opener(urllib.request.build_opener(handler))


def _socks(address: str) -> urllib.request.BaseHandler:
    import socks  # PySocks, which is what the field's other libraries take for this too
    from sockshandler import SocksiPyHandler

    parts = urlsplit(address)
    version = socks.SOCKS4 if parts.scheme.lower().startswith("socks4") else socks.SOCKS5
    name, password = (unquote(text) if text else None for text in (parts.username, parts.password))
    # The proxy looks names up, because this machine may not be able to.
    return SocksiPyHandler(version, parts.hostname, parts.port or 1080, True, name, password)
