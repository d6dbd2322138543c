"""What a process holds (Linux): memory, threads, descriptors, children; and what lies in its folder of runs."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from gan.runs.files import BEST, CHECKPOINT, REAL_PNG, RUN_JSON, START
from gan.runs.history import RECORDS

T = TypeVar("T")
# What may lie in the folder of a run: docs/formats.md has the table.
_OF_A_RUN = {RUN_JSON, CHECKPOINT, START, BEST, REAL_PNG, *(record.file for record in RECORDS.values())}
_NUMBERED = re.compile(r"frames/\d{8}\.(png|webp)|states/(\d{9}|before)\.safetensors")


class Held(NamedTuple):
    """threads and children are counts; descriptors by what they are open on; strays: files that no run explains."""

    threads: int
    descriptors: Counter[str]
    children: int
    strays: list[str]


def held_by(pid: int, folder: Path, runs: Collection[str]) -> Held:
    """runs: the ids of the runs that are kept, which explain what a run's folder has, and nothing half written."""
    tasks = list(Path(f"/proc/{pid}/task").iterdir())
    children = sum(len((task / "children").read_text(encoding="ascii").split()) for task in tasks if task.exists())
    return Held(len(tasks), _descriptors(pid), children, _strays(folder, runs))


def resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def thread_count(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def descriptor_count(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def _descriptors(pid: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found[re.sub(r":\[\d+\]", "", os.readlink(entry))] += 1
        except FileNotFoundError:  # closed meanwhile
            continue
    return found


def _strays(folder: Path, runs: Collection[str]) -> list[str]:
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return sorted(path for path in files if not _explained(path, runs))


def _explained(path: str, runs: Collection[str]) -> bool:
    run, _, name = path.partition("/")
    return run in runs and (name in _OF_A_RUN or bool(_NUMBERED.fullmatch(name)))


@contextmanager
def sampled(sample: Callable[[], T], every: float) -> Iterator[list[T]]:
    """What `sample` gives, every so many seconds from now on while the block lasts, in a thread.

    Raises at the end of the block what it raised, which ends it.
    """
    found: list[T] = []
    ended = threading.Event()
    problems: list[Exception] = []

    def go() -> None:
        due = time.monotonic()
        try:
            while True:
                found.append(sample())
                due += every
                if ended.wait(max(0.0, due - time.monotonic())):
                    return
        except Exception as e:
            problems.append(e)

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()
    if problems:
        raise problems[0]
