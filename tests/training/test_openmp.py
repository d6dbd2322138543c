"""Who does not learn keeps no threads ready."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from gan.training import openmp
from gan.training.openmp import end_team
from tests.conftest import until

TASKS = Path("/proc/self/task")
THREADS = 3


def in_a_thread(work: Callable[[], None]) -> None:
    """With an OpenMP team of its own, which ends with it."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as e:
            failed.append(e)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def product() -> torch.Tensor:
    x = torch.arange(1 << 20, dtype=torch.float32)
    return (x * 1.5 + x.sin()).clone()


@pytest.mark.skipif(not TASKS.exists() or openmp._library() is None, reason="torch brings no GNU OpenMP here")
def test_a_team_ends_and_a_new_one_computes_the_same():
    def work() -> None:
        torch.set_num_threads(THREADS)
        first = product()
        with_team = len(os.listdir(TASKS))
        end_team()
        until(lambda: len(os.listdir(TASKS)) <= with_team - (THREADS - 1))  # the system takes a moment
        end_team()  # there is none any more
        assert torch.equal(product(), first)

    in_a_thread(work)


def test_where_the_library_is_another_nothing_is_done(monkeypatch):
    monkeypatch.setattr(openmp, "_library", lambda: None)
    before = product()
    end_team()
    assert torch.equal(product(), before)
