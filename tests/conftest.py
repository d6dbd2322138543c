"""Shared by all tests: small data sets, and one thread, so that the suite is exact and does not fight itself."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest
import torch
import uvicorn

from gan.core import messages
from gan.core.config import Config
from gan.data.catalog import Pictures
from gan.metrics import evaluate

PATIENCE = 90.0  # seconds until something counts as not happening: machines that are tested on are busy
# The same examples each time, and none fails because others keep the machine busy.
_SLOW = (hypothesis.HealthCheck.too_slow,)
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=_SLOW)
hypothesis.settings.load_profile("steady")
messages.strict = True
E2E = Path(__file__).parent / "e2e"


def judge_only(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`evaluate` judges so many pictures; nothing that it keeps for another number is used, nor kept from here."""
    monkeypatch.setattr(evaluate, "JUDGED", count)
    monkeypatch.setattr(evaluate, "_reference", lru_cache(evaluate._reference.__wrapped__))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in tests/e2e drives a browser, and says so; what a plain run leaves out is slow too."""
    for item in items:
        if E2E in item.path.parents:
            item.add_marker("e2e")
        if item.get_closest_marker("thorough"):
            item.add_marker("slow")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if "not " in config.option.markexpr:
        terminalreporter.write_line("The thorough tests were left out; python -m pytest -m thorough runs them.")


def not_here(reason: str) -> NoReturn:
    """On a workplace tests that miss a program are left out and say why; where all must be tested that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait for something to become true, and return it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


def completed(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns, run to its end on a loop of its own: a browser's may be running in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


@contextmanager
def listening(app: Any) -> Iterator[uvicorn.Server]:
    """An application behind a real port of this machine, see `port_of`."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    yield server
    server.should_exit = True
    thread.join(20)


def port_of(server: uvicorn.Server) -> int:
    return server.servers[0].sockets[0].getsockname()[1]


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def make_pictures(n: int = 256, size: int = 28, channels: int = 1, classes: int = 10) -> Pictures:
    """Random pictures: enough for everything that does not ask what was learned."""
    rng = torch.Generator().manual_seed(5)
    images = torch.randint(0, 256, (n, channels, size, size), generator=rng, dtype=torch.uint8)
    labels = torch.randint(0, max(classes, 1), (n,), generator=rng)
    attributes = torch.randint(0, 2, (n, 3), generator=rng, dtype=torch.uint8)
    return Pictures("random", images, labels, tuple(str(i) for i in range(classes)), attributes)


def of_random_pictures(config: Config) -> Config:
    """The same settings, for networks that are told the attributes of `make_pictures` where they are told some."""
    return config.changed(attributes="2,2,2") if config.attributes else config


@pytest.fixture(scope="session")
def random_pictures() -> Pictures:
    return make_pictures()
