"""The threads that help to compute, where several runs compute in turns."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import torch

_SOFT = 1  # omp_pause_soft, OpenMP 5.0, section 3.2.43


def end_team() -> None:
    """End the threads that help the calling one to compute; its next step makes new ones.

    GNU's OpenMP keeps such a team for every thread that has computed. Once all teams together have more threads than
    there are cores, none of them waits awake for its next piece of work any more, and every step takes a third longer.
    Where torch does not bring this library, nothing is done.
    """
    library = _library()
    if library is not None:
        library.omp_pause_resource_all(_SOFT)


@cache
def _library() -> ctypes.CDLL | None:
    """The library that torch has loaded, which is the same one when it is asked for again."""
    path = Path(torch.__file__).parent / "lib" / "libgomp.so.1"
    try:
        library = ctypes.CDLL(str(path)) if path.exists() else None
    except OSError:
        return None
    return library if hasattr(library, "omp_pause_resource_all") else None
