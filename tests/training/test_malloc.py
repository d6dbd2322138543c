"""Freed memory stays while something trains, and is given back after a run."""

from __future__ import annotations

import platform
import subprocess
import sys
import time

import pytest

from gan.core.paths import ROOT
from gan.training import malloc
from tests.conftest import until

# Pieces as layers of small networks are, of which every hundredth is kept: the heap cannot shrink from its end.
PROGRAM = """
import os, torch
from gan.training.malloc import give_back_freed_memory, keep_freed_memory
def held(): return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
keep_freed_memory()
before = held()
pieces = [torch.ones(25_000) for _ in range(4000)]
full = held()
pieces = pieces[::100]
freed = held()
print(full - before, freed - before, give_back_freed_memory(), held() - before, give_back_freed_memory())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator than glibc's")
def test_what_is_free_between_what_is_held_is_given_back_and_not_at_once_again():
    told = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    full, freed, gave, after, again = told.split()
    assert int(full) > 380e6 and int(freed) > 0.9 * int(full)  # kept, for the next step
    assert gave == "True" and int(after) < 0.1 * int(full)
    assert again == "False"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator than glibc's")
def test_what_is_asked_for_too_soon_is_done_later(monkeypatch):
    monkeypatch.setattr(malloc, "BETWEEN_SECONDS", 0.2)
    monkeypatch.setattr(malloc, "_given_back", first := time.monotonic())
    assert malloc.give_back_freed_memory() is False
    until(lambda: malloc._given_back > first)


def test_elsewhere_nothing_happens(monkeypatch):
    monkeypatch.setattr(malloc.sys, "platform", "win32")
    assert malloc.give_back_freed_memory() is False
