"""What routes answer has one description: the TypedDicts in Python, from which the page's types are made.

After a change: python -m tests.web.test_shapes
"""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from gan.core.paths import STATIC
from gan.web.following import FollowAnswer

FILE = STATIC / "run" / "follow.d.ts"
_PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null", Any: "unknown"}


def declared(shape: Any) -> str:
    """The file that declares a TypedDict, and all that it is made of, to the page's scripts."""
    found: dict[str, str] = {}
    _declare(shape, found)
    head = "// What the server answers. Made from the TypedDicts in Python by: python -m tests.web.test_shapes\n"
    return head + "\n" + "\n".join(found[name] for name in sorted(found))


def _declare(shape: Any, found: dict[str, str]) -> str:
    if shape.__name__ not in found:
        found[shape.__name__] = ""
        marks = {name: "" if name in shape.__required_keys__ else "?" for name in shape.__annotations__}
        lines = [f"  {name}{marks[name]}: {_type(hint, found)};\n" for name, hint in get_type_hints(shape).items()]
        found[shape.__name__] = f"export interface {shape.__name__} {{\n{''.join(lines)}}}\n"
    return shape.__name__


def _type(hint: Any, found: dict[str, str]) -> str:
    if hint in _PLAIN:
        return _PLAIN[hint]
    if is_typeddict(hint):
        return _declare(hint, found)
    parts = [_type(part, found) for part in get_args(hint)]
    kind = get_origin(hint)
    if kind in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(parts))
    if kind is list:
        return f"({parts[0]})[]" if " " in parts[0] else f"{parts[0]}[]"
    if kind is dict:
        return f"Record<string, {parts[1]}>"
    raise TypeError(f"no word of TypeScript is known for {hint}")


def has_shape(value: Any, hint: Any) -> bool:
    """Whether a value, read from JSON, is what a hint promises."""
    if hint is Any:
        return True
    if is_typeddict(hint):
        hints = get_type_hints(hint)
        known = isinstance(value, dict) and hint.__required_keys__ <= set(value) <= set(hints)
        return known and all(has_shape(value[name], hints[name]) for name in value)
    kind, parts = get_origin(hint), get_args(hint)
    if kind in (Union, types.UnionType):
        return any(has_shape(value, part) for part in parts)
    if kind is list:
        return isinstance(value, list) and all(has_shape(part, parts[0]) for part in value)
    if kind is dict:
        return isinstance(value, dict) and all(has_shape(part, parts[1]) for part in value.values())
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is hint


def test_the_page_declares_what_the_server_answers():
    assert Path(FILE).read_text(encoding="utf-8") == declared(FollowAnswer), "python -m tests.web.test_shapes"


if __name__ == "__main__":
    FILE.write_text(declared(FollowAnswer), encoding="utf-8")
