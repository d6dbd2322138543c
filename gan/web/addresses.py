"""Under which addresses the page can be opened: for the person at this machine, and for others in its network."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from contextlib import suppress

from gan.web.settings import Settings, StartError

ALL = ("0.0.0.0", "::")  # every network of this machine
# Nothing is sent there (UDP, and addresses reserved for documents): the system only chooses the way it would take.
_FAR = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can reach a server that listens there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def local_address(settings: Settings) -> str:
    """The page, for a browser on this machine. Ends with a slash."""
    if settings.space_host:
        return f"https://{settings.space_host}/"
    host = "localhost" if settings.host in (*ALL, "127.0.0.1", "::1") else bracketed(settings.host)
    return f"http://{host}:{settings.port}/"


def owner_link(settings: Settings, token: str) -> str:
    """Opens everything. The token stands in the fragment, which browsers send to nobody."""
    return f"{local_address(settings)}#owner={token}"


def open_addresses(settings: Settings) -> list[str]:
    """Where others in the network find the page, the likeliest first; none when only this machine can."""
    if settings.on_space or is_loopback(settings.host):
        return []
    hosts = _own_addresses(settings.host) if settings.host in ALL else [settings.host]
    return [f"http://{bracketed(host)}:{settings.port}/" for host in hosts]


def _own_addresses(host: str) -> list[str]:
    family = socket.AF_INET6 if host == "::" else socket.AF_INET
    found = []
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((_FAR[family], 9))
        found.append(probe.getsockname()[0])
    with suppress(OSError):
        found += [str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, family)]
    return [
        a
        for a in dict.fromkeys(found)
        if not is_loopback(a) and not ipaddress.ip_address(a.split("%")[0]).is_link_local
    ]


def check_address(host: str, port: int) -> None:
    """Raises StartError in one sentence when nothing can listen there."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (socket.gaierror, UnicodeError):
        raise StartError(
            f"There is no host named {host!r}; --host takes an address of this machine, 0.0.0.0 or ::."
        ) from None
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as problem:
        raise StartError(_why(problem, host, port)) from None


def _why(problem: OSError, host: str, port: int) -> str:
    if problem.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return f"This machine has no address {host}; --host takes one of its own, 0.0.0.0 or ::."
    if problem.errno == errno.EACCES:
        return f"The system does not let this program use port {port}; choose one from 1024 on with --port."
    return (
        f"Port {port} of {host} cannot be used ({problem.strerror or os.strerror(problem.errno or 0)}). "
        f"Perhaps GAN Forge already runs there; else choose another with --port {port % 65535 + 1}."
    )
