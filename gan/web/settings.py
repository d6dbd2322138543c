"""How the program is started: flags, the variables of the environment that are their defaults, and what they may be."""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gan.core.errors import UserError
from gan.core.paths import INSTALLED, ROOT

MOST_RUNS = 64  # at the same time: more than any machine trains well
MOST_WAITING = 200  # for their turn; our own networks take 20 to 30 MB each
SHORTEST_PASSWORD = 8  # characters
_FRAME = re.compile(r"https?://(\*\.)?[A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5})?|https?://\[[0-9A-Fa-f:]+\](:\d{1,5})?")
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")


class StartError(UserError):
    """Why the program cannot start; the message is one sentence for the person at the keyboard."""


@dataclass(frozen=True)
class Settings:
    """What `python app.py` was asked for."""

    host: str  # an address or name to listen on, without brackets
    port: int
    runs: Path
    max_runs: int  # how many runs may train at the same time
    max_waiting: int = 0  # how many more may wait for their turn to
    root_path: str = ""  # the path below which a proxy shows the page, when it passes the path on
    frame_from: tuple[str, ...] = ()  # other sites that may show the page in a frame
    trusted_proxies: tuple[str, ...] = ()  # addresses whose word on who asks is believed
    public: bool = False  # strangers come: one visitor may have so many runs, see gan.runs.eviction
    teach: bool = False  # a lesson: see gan.web.lesson
    forgets: bool = False  # the folder of runs goes when the program ends
    only_here: bool = False  # only the owner's link starts trainings
    browser: bool = False  # open the page
    password: str = ""
    on_space: bool = False  # a Hugging Face Space
    space_host: str = ""  # the name of its direct address


def read_settings(arguments: Sequence[str] | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Flags, else the environment. Raises SystemExit as argparse does, or StartError."""
    space = bool(environment.get("SPACE_ID"))
    options = _parser(environment).parse_args(arguments)
    forgets = options.teach and not options.runs and not environment.get("GAN_FORGE_RUNS")
    runs = _lesson_folder() if forgets else options.runs or default_runs(environment, on_space=space)
    return Settings(
        host=(options.host or _host(environment, everybody=space or options.teach or options.public)).strip("[]"),
        port=_port(options.port),
        runs=runs.expanduser(),
        max_runs=_count(options.max_runs),
        max_waiting=_waiting(options.max_waiting),
        root_path=_root_path(options.root_path),
        frame_from=tuple(map(_origin, options.frame_from)),
        trusted_proxies=_proxies(options.trusted_proxy, environment),
        public=options.public or space,
        teach=options.teach,
        forgets=forgets,
        only_here=options.only_here,
        browser=not options.no_browser and not space and not options.public and _is_desktop(environment),
        password=_password(environment),
        on_space=space,
        space_host=environment.get("SPACE_HOST", "") if space else "",
    )


def default_runs(environment: Mapping[str, str], on_space: bool, beside: Path | None = None) -> Path:
    """Where runs are kept: as GAN_FORGE_RUNS says, a Space's storage, beside the program, or the person's data.

    beside: another folder than the checkout, or than the one that an installed program was started in.
    """
    beside = beside or (Path.cwd() if INSTALLED else ROOT)
    if environment.get("GAN_FORGE_RUNS"):
        return Path(environment["GAN_FORGE_RUNS"])
    if on_space and _writable(Path("/data")):
        return Path("/data/runs")
    folder = beside / "runs"
    return folder if _writable(folder if folder.is_dir() else beside) else _data_folder(environment) / "runs"


def _host(environment: Mapping[str, str], everybody: bool) -> str:
    return environment.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if everybody else "127.0.0.1")


def _lesson_folder() -> Path:
    """A new name in the system's folder for what does not last."""
    return Path(tempfile.gettempdir()) / f"gan-forge-lesson-{secrets.token_hex(6)}"


def _data_folder(environment: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "gan-forge"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "gan-forge"
    return Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "gan-forge"


def _writable(folder: Path) -> bool:
    """Tried, because permissions alone do not know of read-only disks."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    port = environment.get("GRADIO_SERVER_PORT") or "7860"
    root_path = environment.get("GRADIO_ROOT_PATH") or ""
    parser = argparse.ArgumentParser(
        description="Watch a GAN learn in your browser.",
        epilog="GAN_FORGE_PASSWORD: a password that everybody must give before they see anything.",
    )
    add = parser.add_argument
    add("--host", help="address to listen on; 0.0.0.0 or :: let others in (GRADIO_SERVER_NAME)")
    add("--port", default=port, help="port to listen on, 1 to 65535 (GRADIO_SERVER_PORT)")
    add(
        "--runs",
        type=Path,
        help="folder where runs are kept (GAN_FORGE_RUNS; default: runs beside the program, of an installed one here)",
    )
    add("--max-runs", default="1", help=f"how many runs may train at the same time, 1 to {MOST_RUNS}")
    words = f"how many more may wait for their turn, 0 to {MOST_WAITING}; each stays in memory (default: %(default)s)"
    add("--max-waiting", default="30", help=words)
    words = "path below which a proxy shows the page, such as /gan, if it passes the path on (GRADIO_ROOT_PATH)"
    add("--root-path", default=root_path, metavar="/PATH", help=words)
    words = "another site that may show the page in a frame; may be given several times"
    add("--frame-from", action="append", default=[], metavar="SCHEME://HOST[:PORT]", help=words)
    words = "a proxy whose X-Forwarded-For is believed; may be given several times (FORWARDED_ALLOW_IPS)"
    add("--trusted-proxy", action="append", default=[], metavar="ADDRESS", help=words)
    words = "strangers come (always on a Space): others are let in, and one visitor has a few runs only"
    add("--public", action="store_true", help=words)
    words = "a lesson: others are let in, who has the printed link teaches, and without --runs all is forgotten"
    add("--teach", action="store_true", help=words)
    add("--only-here", action="store_true", help="only who has the owner's link, printed at the start, may train")
    add("--no-browser", action="store_true", help="do not open a browser")
    return parser


def _port(text: str) -> int:
    return _whole(text, "The port", 1, 65535)


def _count(text: str) -> int:
    return _whole(text, "The number of runs that train at the same time", 1, MOST_RUNS)


def _waiting(text: str) -> int:
    return _whole(text, "The number of runs that wait for their turn", 0, MOST_WAITING)


def _whole(text: str, what: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[+-]?\d{1,12}", text) or not low <= int(text) <= high:
        raise StartError(f"{what} must be a whole number, {low} to {high}, not {text[:40]!r}.")
    return int(text)


def _root_path(text: str) -> str:
    """A path; of a whole address, as Gradio allows it in GRADIO_ROOT_PATH, the path."""
    path = re.sub(r"https?://[^/]+", "", text).rstrip("/")
    if not _PATH.fullmatch(path):
        raise StartError(f"A path looks like /gan, not {text[:40]!r}.")
    return path


def _origin(text: str) -> str:
    origin = text.rstrip("/")
    port = re.search(r":(\d+)$", origin)
    if not _FRAME.fullmatch(origin) or (port and not 1 <= int(port[1]) <= 65535):
        raise StartError(f"A site looks like https://school.example or http://host:8080, not {text[:60]!r}.")
    return origin


def _proxies(given: Sequence[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Addresses or networks; without a flag, those of the environment."""
    named = environment.get("FORWARDED_ALLOW_IPS", "")
    if named.strip() == "*" and not given:
        print("FORWARDED_ALLOW_IPS=* is not taken: anybody could claim any address. Name the proxy.", file=sys.stderr)
        return ()
    found = given or [text for text in named.split(",") if text.strip()]
    for text in found:
        try:
            ipaddress.ip_network(text.strip())
        except ValueError:
            raise StartError(
                "A proxy (--trusted-proxy, FORWARDED_ALLOW_IPS) is given by its address or network, such as "
                f"127.0.0.1 or 10.0.0.0/8, not {text[:60]!r}."
            ) from None
    return tuple(text.strip() for text in found)


def _password(environment: Mapping[str, str]) -> str:
    password = environment.get("GAN_FORGE_PASSWORD")
    if password is not None and len(password) < SHORTEST_PASSWORD:
        raise StartError(
            f"The password in GAN_FORGE_PASSWORD has {len(password)} characters; it needs at least "
            f"{SHORTEST_PASSWORD}. Unset the variable to do without."
        )
    return password or ""


def _is_desktop(environment: Mapping[str, str]) -> bool:
    """Whether somebody sits in front of this machine: only then a browser is opened."""
    remote = ("SSH_CONNECTION", "SSH_TTY", "CI", "PYTEST_CURRENT_TEST", "COLAB_RELEASE_TAG", "KUBERNETES_SERVICE_HOST")
    if any(environment.get(name) for name in remote) or not sys.stdout.isatty():
        return False
    return sys.platform in ("win32", "darwin") or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
