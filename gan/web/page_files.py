"""The scripts and style sheets of the page: which files there are, and which of them come first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join, normpath

from gan.core.paths import STATIC

_IMPORT = re.compile(r'^(?:import|\}).* from "(\.[^"]+)";', re.MULTILINE)


def served() -> dict[str, Path]:
    """Everything that the page may ask for, by its name below `static/`; tests of scripts lie beside them."""
    files = (path for path in STATIC.rglob("*") if path.suffix in (".js", ".css"))
    return {path.relative_to(STATIC).as_posix(): path for path in files if not path.name.endswith(".test.js")}


def with_imports(*scripts: str) -> list[str]:
    """Names of scripts and of all that they import, so that a browser can ask for all of them at once."""
    found: dict[str, None] = {}
    waiting = list(scripts)
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting.extend(imports_of(name))
    return list(found)


def imports_of(name: str) -> Iterator[str]:
    """Names of the scripts that a script imports."""
    for path in _IMPORT.findall((STATIC / name).read_text(encoding="utf-8")):
        yield normpath(join(dirname(name), path))
