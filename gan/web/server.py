"""Starting the server: what can go wrong is said in one sentence before anything heavy is loaded."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import shutil
import signal
import threading
import time
import webbrowser
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gan.core.paths import ROOT, WEIGHTS
from gan.core.proxies import no_proxies
from gan.training.malloc import keep_freed_memory
from gan.web.addresses import bracketed, check_address, is_loopback, local_address, open_addresses, owner_link
from gan.web.settings import Settings, StartError

if TYPE_CHECKING:  # heavy
    from gradio import Blocks
    from starlette.routing import BaseRoute

    from gan.runs.registry import Runs

PAGE_SECONDS = 1.5  # that a browser takes until somebody can press something: its questions come first
RECORDED = WEIGHTS / "recorded"

log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Show the page until the program is ended. Raises StartError."""
    check_address(settings.host, settings.port)
    keep_freed_memory()
    with _lesson_folder(settings):
        _serve(settings, open_runs(settings))


@contextlib.contextmanager
def _lesson_folder(settings: Settings) -> Iterator[None]:
    """Where a lesson is forgotten: a folder that is nobody else's business on this machine, and goes at its end."""
    if not settings.forgets:
        yield
        return
    try:
        settings.runs.mkdir(mode=0o700)
    except OSError as problem:
        raise StartError(f"There is no room for a lesson in {settings.runs.parent} ({problem.strerror}).") from None
    try:
        yield
    finally:
        shutil.rmtree(settings.runs, ignore_errors=True)


def _serve(settings: Settings, runs: Runs) -> None:
    page = start(settings, runs)
    if settings.public or not is_loopback(settings.host):
        runs.go_on()  # others wait for that
    print("\n".join(welcome(settings, runs.master)), flush=True)
    if settings.browser:
        webbrowser.open(owner_link(settings, runs.master))
    for name in ("SIGTERM", "SIGHUP"):  # ended, or its terminal was closed; Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as nohup says
            signal.signal(number, _interrupt)
    try:
        page.block_thread()
    finally:
        runs.close()


def welcome(settings: Settings, token: str) -> list[str]:
    """What is printed when the page can be opened."""
    if settings.teach:
        return _welcome_to_lesson(settings, token)
    lines = [f"GAN Forge is ready: {owner_link(settings, token)}"]
    lines.append("  This link opens everything, also what others started. Keep it to yourself.")
    for address in open_addresses(settings):
        lines.append(f"  For others in your network: {address}")
    if settings.runs != ROOT / "runs":
        lines.append(f"  Runs are kept in {settings.runs}")
    lines.append("  Ctrl-C ends it; training is saved.")
    return lines


def _welcome_to_lesson(settings: Settings, token: str) -> list[str]:
    import segno

    addresses = [local_address(settings)] if settings.on_space else open_addresses(settings)
    lines = [f"The lesson is ready. Teach with this link, and keep it to yourself: {owner_link(settings, token)}"]
    lines.append(f"  For the projector: {local_address(settings)}?view=projector")
    lines += [f"  For the class: {address}" for address in addresses]
    if addresses:
        drawn = io.StringIO()
        segno.make(addresses[0]).terminal(drawn, compact=True)
        lines += drawn.getvalue().splitlines()
    elif is_loopback(settings.host):
        lines.append(f"  For the class: {local_address(settings)} (only this machine; --host 0.0.0.0 lets others in)")
    else:
        lines.append(f"  For the class: http://, the address of this machine in your network, :{settings.port}/")
    kept = f"Runs are kept in {settings.runs}" if not settings.forgets else "What is trained is forgotten then"
    lines.append(f"  Ctrl-C ends it. {kept}.")
    return lines


def open_runs(settings: Settings) -> Runs:
    from gan.runs.eviction import OWN_MACHINE, PUBLIC
    from gan.runs.registry import Runs

    try:
        limits = PUBLIC if settings.public else OWN_MACHINE
        return Runs(settings.runs, RECORDED, settings.max_runs, limits, settings.max_waiting)
    except OSError as problem:
        raise StartError(f"The runs folder {settings.runs} cannot be used ({problem.strerror}); see --runs.") from None


def start(settings: Settings, runs: Runs) -> Blocks:
    """Launch the page with our routes; returns the gradio Blocks. Raises StartError."""
    try:
        with no_proxies(), _trusting(settings.trusted_proxies):
            from gan.web.page import build, guard, launch_options

            page = build()
            options = launch_options(page, settings)
            # Ours are there from the first request on: a page that outlived a restart would take a 404 for an answer.
            options["app_kwargs"]["routes"] = _routes(settings, runs)
            page.launch(server_name=bracketed(settings.host), server_port=settings.port, **options)
            guard(page)
    except Exception as problem:  # gradio and its libraries raise many kinds; the person reads one sentence
        log.debug("the launch failed", exc_info=True)
        reason = (str(problem).strip() or type(problem).__name__).splitlines()[0].rstrip(".")
        raise StartError(f"The server could not be started: {reason[:300]}.") from problem
    threading.Thread(target=_warm_up, daemon=True).start()
    return page


@contextlib.contextmanager
def _trusting(proxies: Sequence[str]) -> Iterator[None]:
    """Inside, a server that starts believes these addresses, and no other, who asks (uvicorn reads that there)."""
    before = os.environ.get("FORWARDED_ALLOW_IPS")
    os.environ["FORWARDED_ALLOW_IPS"] = ",".join(proxies)
    try:
        yield
    finally:
        if before is None:
            del os.environ["FORWARDED_ALLOW_IPS"]
        else:
            os.environ["FORWARDED_ALLOW_IPS"] = before


def _warm_up() -> None:
    """Read what is chosen first while the person reads the page: the first picture then comes at once.

    That is digits, which are read sooner than anything else, and what the first recipe learns from.
    """
    from gan.data.catalog import DataError, load
    from gan.recipes.catalog import RECIPES

    with contextlib.suppress(DataError):  # whoever chooses it is told
        load(RECIPES["quick"].config.dataset)
        time.sleep(PAGE_SECONDS)
        load(next(iter(RECIPES.values())).config.dataset)


def _routes(settings: Settings, runs: Runs) -> list[BaseRoute]:
    from gan.inspection.service import Inspector
    from gan.serving.renderer import Renderer
    from gan.web.access import Access
    from gan.web.lesson import Lesson
    from gan.web.routes.answers import routes_of
    from gan.web.routes.register import all_tables

    access, renderer = Access(runs, settings.only_here, Lesson(settings.teach)), Renderer(WEIGHTS, runs.newest_weights)
    return routes_of(*all_tables(access, renderer, Inspector(renderer, runs), tuple(open_addresses(settings))))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
