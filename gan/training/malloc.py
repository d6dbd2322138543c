"""Freed memory stays with the program, because asking for it again costs more than it is worth."""

from __future__ import annotations

import ctypes
import sys
import threading
import time

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # glibc's malloc.h
_ONE_GIGABYTE = 1 << 30
BETWEEN_SECONDS = 30.0  # what is given back is asked for again by whoever trains: not too often

_given_back = -BETWEEN_SECONDS  # when, on the monotonic clock
_later: threading.Timer | None = None
_guard = threading.Lock()


def keep_freed_memory() -> None:
    """Let glibc's allocator reuse what a step has freed instead of giving it back. Elsewhere this does nothing.

    By default, layers of some megabytes come fresh from the system in every step: 75,000 page faults a step of
    `dcgan-transposed`, a tenth of its time. Threads share one arena, because each other one would give back still.
    To be called before threads start.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _ONE_GIGABYTE)
        mallopt(_TRIM_THRESHOLD, _ONE_GIGABYTE)
        mallopt(_ARENA_MAX, 1)


def give_back_freed_memory() -> bool:
    """Hand what is free to the system, after a run: between what others hold lies what only large runs would fill.

    Soon after the last time it is done later. Does nothing without glibc; says whether it was done at once.
    """
    global _given_back, _later
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is None:
        return False
    with _guard:
        wait = _given_back + BETWEEN_SECONDS - time.monotonic()
        if wait > 0:
            if _later is None or not _later.is_alive():
                _later = threading.Timer(wait, give_back_freed_memory)
                _later.daemon = True
                _later.start()
            return False
        _given_back = time.monotonic()
    trim(0)
    return True
