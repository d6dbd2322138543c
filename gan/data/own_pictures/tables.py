"""Classes and splits from tables beside the pictures: StyleGAN's dataset.json, CSV and TSV with file and class."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from gan.core.messages import say
from gan.data.own_pictures.layout import (
    MOST_CLASSES,
    MOST_NAME,
    Layout,
    Place,
    by_folders,
    printable,
    split_of,
)

SIDECARS = (".csv", ".tsv", ".json")  # endings of names of what may be a table
MOST_TABLES = 8  # of those beside the pictures
MOST_TABLE_BYTES, MOST_ROWS, MOST_COLUMNS = 4 << 20, 100_000, 50
LOOKED_AT = 1_000  # rows that tell which column is which
MANY = 16  # pictures: so many are worth a table that calls its column a class
_MOST_PATH, _MOST_LEVELS = 1_000, 4  # letters and folders of a path by which a table may name a picture
_CLASSES = {
    "class", "class_name", "classname", "class_id", "classid", "label", "labels", "label_name", "category", "target",
    "species", "breed",
}  # fmt: skip
_SPLITS = {"split", "set", "subset", "usage", "partition", "data_set", "dataset"}
_NUMBERED_SPLITS = {"0": "train", "1": "test", "2": "test"}  # as CelebA counts them
_YES, _NO = {"1", "1.0", "true"}, {"0", "0.0", "false"}


def is_table(name: str) -> bool:
    """Whether a file may be a table, by its name."""
    path = PurePosixPath(name.replace("\\", "/").casefold())
    return path.suffix in (".csv", ".tsv") or path.name == "dataset.json"


def understood(names: Sequence[str], tables: Mapping[str, bytes] | None = None) -> Layout:
    """Places of the pictures with these paths. tables: contents of what `is_table` by their paths."""
    layout = by_folders(names)
    tables = tables or {}
    pictures = _Pictures(names)
    return _by_dataset_json(pictures, tables) or _by_csv(pictures, tables, layout) or layout


@dataclass
class _Said:
    """What one table, or several alike, say of pictures."""

    kinds: dict[int, str] = field(default_factory=dict)  # row of the picture -> its class
    splits: dict[int, str] = field(default_factory=dict)
    several: int = 0  # pictures that have more than one class
    column: str = ""  # as its head calls it
    paths: list[str] = field(default_factory=list)
    split_paths: list[str] = field(default_factory=list)

    def add(self, row: int, kind: str) -> None:
        if self.kinds.setdefault(row, kind) != kind:
            self.several += 1


class _Pictures:
    """Finds the picture that a table means: by its path, less of its folders, or without its ending."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        keys = [list(dict.fromkeys(_keys(name))) for name in names]
        common = Counter(key for several in keys for key in several)
        self._rows = {key: row for row, several in enumerate(keys) for key in several if common[key] == 1}

    def row(self, name: str) -> int | None:
        return next((self._rows[key] for key in _keys(name) if key in self._rows), None)

    def rows(self, cells: Iterable[str]) -> list[int | None]:
        return [self.row(cell) for cell in cells]


def _keys(name: str) -> list[str]:
    """The path, then ever less of its folders; each also without the ending."""
    path = name[-_MOST_PATH:].replace("\\", "/").strip().removeprefix("./").strip("/").casefold()
    parts = path.rsplit("/", _MOST_LEVELS)
    tails = ["/".join(parts[i:]) for i in range(len(parts))]
    return [key for tail in tails for key in (tail, tail.rpartition(".")[0] or tail)]


def _placed(pictures: _Pictures, said: _Said, splits: Sequence[str]) -> Layout:
    """A layout with the classes of a table; what it does not name is left out."""
    rows = range(len(pictures.names))
    layout = Layout([None] * len(rows), used=set(said.paths))
    for row in rows:
        if row in said.kinds:
            kind = printable(said.kinds[row], MOST_NAME) or "?"
            layout.places[row] = Place(said.splits.get(row, splits[row]), kind)
    file = printable(PurePosixPath(said.paths[0].replace("\\", "/")).name)
    if missing := [row for row in rows if row not in said.kinds]:
        layout.left.append((say("data.not_in_file", file=file), missing))
    if said.column:
        layout.notes.append(say("data.classes_of_column", column=printable(said.column, MOST_NAME), file=file))
    else:
        layout.notes.append(say("data.classes_of_file", file=file))
    if said.several:
        layout.notes.append(say("data.several_classes", times=said.several))
    return layout


# ---- dataset.json ----


def _by_dataset_json(pictures: _Pictures, tables: Mapping[str, bytes]) -> Layout | None:
    """StyleGAN's labels, whose folders are shards and no classes; None where there are none of this kind."""
    said, empty = _Said(), []
    for path, content in tables.items():
        folder, _, file = path.replace("\\", "/").rpartition("/")
        if file.casefold() != "dataset.json":
            continue
        labels = _labels(content)
        if labels == {}:
            empty.append(path)
        for name, kind in (labels or {}).items():
            if (row := pictures.row(f"{folder}/{name}")) is not None:
                said.add(row, str(kind))
        said.paths.append(path)
    count = len(pictures.names)
    if 2 * len(said.kinds) > count:
        return _placed(pictures, said, ["train"] * count)
    if not empty:
        return None
    return Layout([Place("train", None)] * count, [say("data.dataset_json_no_classes")], used=set(empty))


def _labels(content: bytes) -> dict[str, int | str] | None:
    """picture -> class; empty where the file says that there are none; None where it is another program's."""
    try:
        labels = json.loads(content)["labels"]
        pairs = [] if labels is None else list(labels.items() if isinstance(labels, dict) else labels)
        of = {str(name): kind for name, kind in pairs}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return {name: kind for name, kind in of.items() if isinstance(kind, int | str)}


# ---- CSV and TSV ----


@dataclass
class _Table:
    path: str
    head: list[str]  # "" where it has none
    body: list[list[str]]
    rows: list[int | None]  # the picture that each line of the body means

    def column(self, at: int) -> list[str]:
        return [line[at].strip() for line in self.body]


def _by_csv(pictures: _Pictures, tables: Mapping[str, bytes], layout: Layout) -> Layout | None:
    """None where no table names enough pictures and one class for each."""
    found = [table for path, content in tables.items() if (table := _table(path, content, pictures))]
    said = _Said()
    for table in sorted(found, key=lambda table: -len(set(table.rows) - {None})):
        _say(table, said)
    for table in found:
        _say_splits(table, said)
    has_classes = len({place.kind for place in layout.places if place}) > 1
    named = _plain(said.column) in _CLASSES
    splits = [place.split if place else "train" for place in layout.places]
    if len(set(said.kinds.values())) > 1 and (named or not has_classes) and _enough(said, layout, named):
        return _placed(pictures, said, splits)
    return _split_only(said, layout) if 2 * len(said.splits) > len(splits) else None


def _split_only(said: _Said, layout: Layout) -> Layout:
    """A table that says which pictures are held back, and no classes."""
    for row, split in said.splits.items():
        place = layout.places[row]
        layout.places[row] = Place(split, place.kind if place else None)
    layout.used |= set(said.split_paths)
    file = printable(PurePosixPath(said.split_paths[0].replace("\\", "/")).name)
    layout.notes.append(say("data.file_says_held_back", file=file))
    return layout


def _enough(said: _Said, layout: Layout, named: bool) -> bool:
    """Whether a table is about these pictures: it names most of those of some part, or many and calls them a class."""
    if named and len(said.kinds) >= MANY:
        return True
    of = Counter(place.split if place else "" for place in layout.places)
    hit = Counter(place.split if (place := layout.places[row]) else "" for row in said.kinds)
    return any(2 * hit[part] > of[part] for part in hit)


def _table(path: str, content: bytes, pictures: _Pictures) -> _Table | None:
    """A table with a column that names pictures."""
    lines = _lines(path, content)
    if lines is None:
        return None
    some = lines[:LOOKED_AT]
    hits = [_hits([line[c] for line in some], pictures) for c in range(len(lines[0]))]
    file = max(range(len(hits)), key=lambda c: hits[c])
    if not any(hits[file]):
        return None
    has_head = pictures.row(lines[0][file]) is None
    head = [cell.strip() for cell in lines[0]] if has_head else [""] * len(lines[0])
    body = lines[1:] if has_head else lines
    table = _Table(path, head, body, pictures.rows(line[file] for line in body))
    table.head[file] = "\0"  # no column of classes
    return table


def _hits(cells: list[str], pictures: _Pictures) -> tuple[int, int]:
    """How many different pictures a column names, with their endings and at all: a class "0" also names "0.png"."""
    ended = {row for cell in cells if "." in cell and (row := pictures.row(cell)) is not None}
    return len(ended), len({row for cell in cells if (row := pictures.row(cell)) is not None})


def _lines(path: str, content: bytes) -> list[list[str]] | None:
    if not path.casefold().endswith((".csv", ".tsv")):
        return None
    text = _text(content)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    try:
        lines = [line for line in itertools.islice(reader, MOST_ROWS) if line]
    except csv.Error:
        return None
    if not lines or not 2 <= len(lines[0]) <= MOST_COLUMNS:
        return None
    return [line for line in lines if len(line) == len(lines[0])]


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _plain(head: str) -> str:
    return re.sub(r"[\s-]+", "_", head.strip().casefold())


def _say(table: _Table, said: _Said) -> None:
    """Add the classes of a table, where it has some and other tables have none or the same column of them."""
    column, kinds = _classes(table)
    if not kinds or (said.paths and column != said.column):
        return
    said.column = column
    said.paths.append(table.path)
    for row, kind in zip(table.rows, kinds, strict=True):
        if row is not None and kind:
            said.add(row, kind)


def _classes(table: _Table) -> tuple[str, list[str]]:
    """(head of the column of classes, the class of each line); no lines where there is no such column, or several."""
    free = [c for c, head in enumerate(table.head) if head != "\0" and _plain(head) not in _SPLITS]
    named = [c for c in free if _plain(table.head[c]) in _CLASSES]
    if not named and (hot := _one_hot(table, free)):
        return "", hot
    few = [c for c in free if 2 <= len(set(table.column(c))) <= min(MOST_CLASSES, max(2, len(table.body) // 2))]
    chosen = named[:1] or (few if len(few) == 1 else [])
    return (table.head[chosen[0]], table.column(chosen[0])) if chosen else ("", [])


def _one_hot(table: _Table, free: list[int]) -> list[str]:
    """The class of each line, where every other column stands for a class and one of them is 1."""
    columns = [c for c in free if table.head[c] and {v.casefold() for v in table.column(c)} <= _YES | _NO]
    ones = [[c for c in columns if line[c].strip().casefold() in _YES] for line in table.body]
    if not 2 <= len(columns) == len(free) or any(len(one) != 1 for one in ones):
        return []
    return [table.head[one[0]] for one in ones]


def _say_splits(table: _Table, said: _Said) -> None:
    column = next((c for c, head in enumerate(table.head) if _plain(head) in _SPLITS), None)
    if column is None:
        return
    said.split_paths.append(table.path)
    values = table.column(column)
    numbered = set(values) <= set(_NUMBERED_SPLITS)
    for row, value in zip(table.rows, values, strict=True):
        split = _NUMBERED_SPLITS[value] if numbered else split_of(value)
        if row is not None and split:
            said.splits[row] = split
