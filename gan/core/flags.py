"""What is typed on a command line: limits of numbers, files that can be written, and mistakes as one sentence."""

from __future__ import annotations

import argparse
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from gan.core.errors import UserError
from gan.core.seeds import MAX_SEED

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # the type has no public name

_NUMBER = re.compile(r"-(\d|\.\d|inf|nan)", re.IGNORECASE)
_ID = re.compile(r"-\w[\w-]{10}", re.ASCII)  # a run of before ids began with a letter or digit; no option has its form


class UsageError(UserError):
    """Something typed wrongly; the message is one sentence."""


class Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse prints how everything is used and ends the program."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._negative_number_matcher = _NUMBER  # so that "--g-lr -1e-3" is a number out of range, and no option

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message.removeprefix('argument ')} (`{self.prog} --help` says more)")


def words_of(argv: list[str]) -> list[str]:
    """What was typed, with an old run's id that begins with "-" written as a path, which nobody takes for an option."""
    return [f"./{word}" if _ID.fullmatch(word) and not _NUMBER.match(word) else word for word in argv]


def whole(low: int, high: int) -> Callable[[str], int]:
    """An argparse type: whole numbers from low to high."""

    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise argparse.ArgumentTypeError(f"a whole number from {low} to {high} is needed, not {text[:40]!r}")
        return value

    return number


def decimal(low: float, high: float) -> Callable[[str], float]:
    """An argparse type: numbers from low to high."""

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:  # true for NaN too
            raise argparse.ArgumentTypeError(f"a number from {low:g} to {high:g} is needed, not {text[:40]!r}")
        return value

    return number


seed = whole(0, MAX_SEED)


def file_to_write(ending: str) -> Callable[[str], Path]:
    """An argparse type: a file with this ending in a folder that is there; found out before any work is done."""

    def file(text: str) -> Path:
        path = Path(text)
        if path.suffix.lower() != ending:
            raise argparse.ArgumentTypeError(f"a file that ends in {ending} is needed, not {text!r}")
        if path.is_dir():
            raise argparse.ArgumentTypeError(f"{text} is a folder, not a file")
        if not path.parent.is_dir():
            raise argparse.ArgumentTypeError(f"there is no folder {path.parent} to write it in")
        if not os.access(path.parent, os.W_OK):
            raise argparse.ArgumentTypeError(f"the folder {path.parent} cannot be written")
        return path

    return file


def empty_folder(text: str) -> Path:
    """An argparse type: a folder to fill, which is not there yet or is empty, so that nothing is overwritten."""
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a file, not a folder")
    if path.is_dir() and any(path.iterdir()):
        raise argparse.ArgumentTypeError(f"the folder {text} is not empty; give a new one, so that nothing is replaced")
    return path
