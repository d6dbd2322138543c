"""Starting the server: what can go wrong is said in one sentence before anything heavy is loaded."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from pathlib import Path
from typing import Any

from gan.memory import keep_freed_memory

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "weights"
RECORDED = WEIGHTS / "recorded"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class StartError(RuntimeError):
    """Why the program cannot start; the message is one sentence for the person at the keyboard."""


def serve(host: str, port: int, folder: Path, most_runs: int) -> None:
    """Show the page until the program is ended. Raises StartError."""
    check_port(host, port)
    keep_freed_memory()
    runs = open_runs(folder, most_runs, public=not is_local(host))
    page = start(host, port, runs)
    shown = "localhost" if host in (*LOOPBACK, "0.0.0.0") else host
    print(f"GAN Forge is ready: http://{shown}:{port}   (Ctrl-C ends it; training is saved)", flush=True)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        page.block_thread()
    finally:
        runs.close()


def check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OverflowError:
            raise StartError(f"{port} is not a port: it must be between 0 and 65535.") from None
        except OSError as problem:
            raise StartError(
                f"Port {port} of {host} cannot be used ({problem.strerror}). "
                f"Perhaps GAN Forge already runs there; else choose another with --port {port + 1}."
            ) from None


def is_local(host: str) -> bool:
    """Whether only the person at this machine can reach the server."""
    return host in LOOPBACK and not os.environ.get("SPACE_ID")


def open_runs(folder: Path, most_runs: int, public: bool) -> Any:
    from gan.runs import Runs, RunsError

    try:
        return Runs(folder.expanduser(), recorded=RECORDED, limit=max(1, most_runs), public=public)
    except RunsError as problem:
        raise StartError(str(problem)) from None
    except OSError as problem:
        raise StartError(f"The runs folder {folder} cannot be used ({problem.strerror}); see --runs.") from None


def start(host: str, port: int, runs: Any) -> Any:
    """Launch the page with our routes; returns the gradio Blocks."""
    from gan.web.page import build, launch_options

    page, options = build(), launch_options()
    # Our routes are there from the first request on: a page that outlived a restart would take a 404 for an answer.
    options["app_kwargs"]["routes"] = _routes(runs, local=is_local(host))
    try:
        page.launch(server_name=host, server_port=port, **options)
    except OSError as problem:
        raise StartError(f"The server could not be started: {problem}.") from None
    threading.Thread(target=_warm_up, daemon=True).start()
    return page


def _warm_up() -> None:
    """Read the first data set while the person reads the page, so that the first picture comes at once after Train."""
    from gan.data import DataError, load

    with contextlib.suppress(DataError):  # whoever chooses it is told
        load("mnist")


def _routes(runs: Any, local: bool) -> list[Any]:
    from fastapi import FastAPI

    from gan.made_of import MadeOf
    from gan.render import Renderer
    from gan.web.diagnosis import add_diagnosis_route
    from gan.web.find_routes import add_find_routes
    from gan.web.made_of_routes import add_made_of_routes
    from gan.web.path_routes import add_path_routes
    from gan.web.picture_routes import add_picture_routes, run_source
    from gan.web.routes import add_routes
    from gan.web.share_routes import add_share_routes

    ours = FastAPI(openapi_url=None)
    add_routes(ours, runs, local=local)
    add_diagnosis_route(ours, runs)
    renderer = Renderer(WEIGHTS, run_source(runs))
    add_picture_routes(ours, renderer, runs)
    add_find_routes(ours, renderer)
    add_share_routes(ours, renderer, runs)
    add_made_of_routes(ours, MadeOf(renderer, runs))
    add_path_routes(ours, renderer)
    return ours.routes


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
