"""What people are told: messages by key, from a catalogue for each language, with the values that they speak of.

`gan/words/LANGUAGE/AREA.json` has the entries of an area, so that "data.no_folder" is the entry "no_folder" of
data.json. An entry is a text with places in braces, "{count:integer} pictures", or such texts by plural category
(CLDR): {"one": ..., "other": ...}, of which the value `count` chooses. `FORMATS` are all formats that a place may have.

`say` makes a Message: a str in English that also keeps its key and its values. It is whatever a str is, in logs, files
and on the command line, and travels in JSON as text, key and values (`with_messages`), so that a page can say the same
in another language.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, TypeAlias, TypeVar

from gan.core.paths import WORDS

ENGLISH = "en"
_PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
# What may be read from a stranger's file.
_KEY, _NAME = re.compile(r"[a-z_]{1,20}(\.[\w:+-]{1,40}){1,3}", re.ASCII), re.compile(r"[a-z_]{1,30}")
_MOST_VALUES, _LONGEST, _DEEPEST = 50, 300, 8  # values of a message or items of a list, letters of one, levels

Entry = str | dict[str, str]  # a text, or texts by plural category
Value: TypeAlias = "str | int | float | list[Value]"  # a str may be a Message
T = TypeVar("T")
log = logging.getLogger(__name__)
strict = False  # whether a missing entry or value is an error, as in tests, and not a key that people see


class Message(str):
    """A text in English that keeps where it comes from: the key of its entry, and the values in it."""

    key: str
    values: Mapping[str, Value]

    def __new__(cls, text: str, key: str = "", values: Mapping[str, Value] | None = None) -> Message:
        made = super().__new__(cls, text)
        made.key, made.values = key, values or {}
        return made

    def __deepcopy__(self, memo: object) -> Message:
        return self

    def to_json(self) -> dict[str, object]:
        """{"key": ..., "values": {...}}; a message among the values is such an object too."""
        return {"key": self.key, "values": {name: _in_json(value) for name, value in self.values.items()}}


def _in_json(value: Value) -> object:
    if isinstance(value, Message):
        return value.to_json()
    if isinstance(value, list):
        return [_in_json(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def say(key: str, /, **values: object) -> Message:
    """The message of this key. values: str, int, float, messages, or lists of those; of others, their str.

    Only those of which the entry speaks are kept: a visitor must not read between the lines what a text leaves out.
    """
    known = {name: _plain(value) for name, value in values.items() if name in _places(key)}
    return Message(_text(key, known), key, known)


def label(key: str, otherwise: str) -> str:
    """The message of this key, without values; `otherwise` where there is no such entry."""
    return say(key) if _entry(key) is not None else otherwise


def labelled(area: str, table: Mapping[str, T], *fields: str) -> dict[str, T]:
    """A table of dataclasses with the texts of an area: "quick.title" becomes the title of the entry "quick".

    What has no text there keeps its own; a title is then the name, so that nothing is without one.
    """

    def texts(name: str, entry: Any) -> dict[str, str]:
        own = {field: getattr(entry, field) or (name if field == "title" else "") for field in fields}
        return {field: label(f"{area}.{name}.{field}", text) for field, text in own.items()}

    return {name: replace(entry, **texts(name, entry)) if entry else entry for name, entry in table.items()}  # type: ignore[type-var]


def recognised(key: str, text: str) -> str:
    """A text that a file brings, as the message of this key where it is that in English; else as it is."""
    found = label(key, text)
    return found if found == text else text


def joined(parts: Iterable[str]) -> str:
    """Sentences in a row; a message that keeps them where there are several."""
    said = [part for part in parts if part]
    return say("core.row", parts=said) if len(said) > 1 else "" if not said else said[0]


def _plain(value: object) -> Value:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float) else str(value)


# Catalogues -------------------------------------------------------------------------------------------------------


@cache
def catalogue(language: str, area: str) -> dict[str, Entry]:
    """The entries of an area by their keys in it; none where there is no such area."""
    path = WORDS / language / f"{area}.json"
    return json.loads(path.read_bytes()) if path.is_file() else {}


def areas(language: str) -> list[str]:
    """Of which there are entries."""
    return sorted(path.stem for path in (WORDS / language).glob("*.json"))


def _entry(key: str) -> Entry | None:
    area, _, name = key.partition(".")
    return catalogue(ENGLISH, area).get(name)


@cache
def _places(key: str) -> frozenset[str]:
    """The names of the values of which an entry speaks."""
    entry = _entry(key) or ""
    texts, chooses = ([entry], []) if isinstance(entry, str) else (entry.values(), ["count"])
    return frozenset(chooses + [place[1] for text in texts for place in _PLACE.finditer(text)])


def _text(key: str, values: Mapping[str, Value]) -> str:
    try:
        entry = _entry(key)
        if entry is None:
            raise KeyError(key)
        text = entry if isinstance(entry, str) else entry["one" if values["count"] == 1 else "other"]
        return _PLACE.sub(lambda place: _filled(values[place[1]], place[2]), text)
    except (KeyError, TypeError, ValueError) as problem:
        if strict:
            raise AssertionError(f"the message {key} cannot be said: {problem!r}") from problem
        log.error("the message %s cannot be said: %r", key, problem)
        return key


def _filled(value: Value, form: str | None) -> str:
    if form is None:
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return FORMATS[form](value)


# Formats ----------------------------------------------------------------------------------------------------------


def _integer(number: Any) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:,.0f}"


def _fixed(digits: int, scale: int = 1, unit: str = "") -> Callable[[Any], str]:
    """So many digits after the point, with a real minus and no minus before zero."""

    def filled(number: Any) -> str:
        text = f"{abs(scale * number):,.{digits}f}"
        return ("−" if number < 0 and text.strip("0.,") else "") + text + unit

    return filled


def _list(last: str) -> Callable[[Sequence[str]], str]:
    return lambda items: f" {last} ".join(filter(None, (", ".join(items[:-1]), "".join(items[-1:]))))


FORMATS: dict[str, Callable[[Any], str]] = {
    "integer": _integer,  # 12,345
    "fixed1": _fixed(1),
    "fixed2": _fixed(2),
    "fixed4": _fixed(4),
    "significant3": lambda number: f"{number:.3g}",
    "number": lambda number: f"{number:g}",  # six digits at most, as somebody would type it
    "percent": _fixed(0, scale=100, unit="\u00a0%"),  # of a share of 1
    "and": _list("and"),
    "or": _list("or"),
    "row": " ".join,  # sentences
}


# JSON -------------------------------------------------------------------------------------------------------------


def with_messages(content: Any) -> Any:
    """JSON in which every object says where its texts come from, besides their English.

    {"error": "There is no folder x."} gets {"messages": {"error": {"key": "data.no_folder", "values": {"path": "x"}}}};
    of a list of texts that is a list, with null for what is no message.
    """
    if isinstance(content, dict):
        found = {name: said for name, value in content.items() if (said := _said(value)) is not None}
        return {name: with_messages(value) for name, value in content.items()} | ({"messages": found} if found else {})
    if isinstance(content, list | tuple) and not _are_numbers(content):
        return [with_messages(item) for item in content]
    return content


def _are_numbers(items: Any) -> bool:
    """Whether a list begins with a number, or with a list of them: rows and pictures are not gone through."""
    while isinstance(items, list | tuple) and items:
        items = items[0]
    return isinstance(items, int | float)


def _said(value: object) -> object:
    if isinstance(value, Message):
        return value.to_json()
    if isinstance(value, list | tuple) and any(isinstance(item, Message) for item in value):
        return [item.to_json() if isinstance(item, Message) else None for item in value]
    return None


def text_of(content: Mapping[str, Any], name: str, most: int = _LONGEST) -> str:
    """A text in JSON that `with_messages` may have made and a stranger may have changed: a Message where it can be one.

    most: letters of it. Raises KeyError where there is none of this name.
    """
    return read_message(str(content[name])[:most], _member(content.get("messages"), name))


def texts_of(content: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The same for a list of texts. Raises KeyError, or TypeError where it is no list."""
    found = _member(content.get("messages"), name)
    texts = [str(text) for text in content[name]]
    said = found if isinstance(found, list) and len(found) == len(texts) else [None] * len(texts)
    return tuple(read_message(text, source) for text, source in zip(texts, said, strict=True))


def _member(content: object, name: str) -> object:
    return content.get(name) if isinstance(content, dict) else None


def read_message(text: str, source: object, depth: int = 0) -> str:
    """A text with the key and values that `to_json` gave; without them where they are no such."""
    try:
        return Message(text, *_read(source, depth))
    except (ValueError, TypeError):
        return text


def _read(source: object, depth: int) -> tuple[str, dict[str, Value]]:
    """Raises ValueError."""
    if not isinstance(source, dict) or depth >= _DEEPEST:
        raise ValueError("no message")
    key, values = source.get("key"), source.get("values")
    if not isinstance(key, str) or not _KEY.fullmatch(key) or not isinstance(values, dict):
        raise ValueError("no message")
    if len(values) > _MOST_VALUES or not all(_NAME.fullmatch(name) for name in values):
        raise ValueError("no values")
    return key, {name: _read_value(value, depth + 1) for name, value in values.items()}


def _read_value(value: object, depth: int) -> Value:
    if isinstance(value, dict):
        key, values = _read(value, depth)
        return Message("", key, values)
    if isinstance(value, list) and len(value) <= _MOST_VALUES and depth < _DEEPEST:
        return [_read_value(item, depth + 1) for item in value]
    if isinstance(value, str) and len(value) <= _LONGEST and value.isprintable():
        return value
    if isinstance(value, int | float) and abs(value) < 2**53:  # false for NaN
        return value
    raise ValueError("no value")
