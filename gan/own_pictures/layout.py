"""Splits and classes, as the names of the files and the tables beside them tell; nothing is decided without a word."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

MOST_CLASSES = 100
MOST_NAME = 40  # letters of a class
SIDECARS = (".json", ".csv", ".tsv")  # tables that may say which class a picture has
MOST_TABLE_BYTES, MOST_ROWS, MOST_COLUMNS = 16 << 20, 200_000, 50
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing", "val", "valid", "validation", "dev", "eval"), "test"),
}
_BESIDE_SPLIT = {"set", "data", "dataset", "split", "images", "image", "imgs", "img", "pictures", "photos"}
_CLASS_COLUMNS = (
    "class",
    "class_name",
    "classname",
    "label",
    "labels",
    "label_name",
    "category",
    "target",
    "species",
    "breed",
)
_SPLIT_COLUMNS = ("split", "set", "subset", "usage", "partition", "data_set", "dataset")

Folders = tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where one picture belongs."""

    split: str  # "train" or "test"
    kind: str | None  # its class; None where there are none


@dataclass
class Layout:
    """What was understood: a place for each picture, None where it is left out."""

    places: list[Place | None]
    notes: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)  # the tables that were followed
    left: list[tuple[str, Sequence[int]]] = field(default_factory=list)  # (where, which pictures) were left out

    @property
    def left_out(self) -> int:
        return sum(len(rows) for _, rows in self.left)


def natural(words: str) -> tuple[tuple[int, int, str], ...]:
    """A key to sort by, in which "class 2" comes before "class 10" and "Äpfel" before "Brot"."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", words) if not unicodedata.combining(c))
    pieces = re.split(r"(\d+)", plain.casefold())
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in pieces if p)


def printable(words: str, most: int = 80) -> str:
    """A stranger's file name, fit for a sentence: no control or direction characters, not endless."""
    kept = "".join(c for c in unicodedata.normalize("NFC", words) if c.isprintable()).strip()
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def folders_of(name: str) -> Folders:
    parts = PurePosixPath(name.replace("\\", "/")).parts[:-1]
    return tuple(printable(p, MOST_NAME) or "?" for p in parts if p not in ("/", ".", ".."))


def split_of(folder: str) -> str | None:
    """Which split a folder's name stands for: "Training_set" is "train", "images" none."""
    words = [w for w in re.split(r"[\W_]+", folder.casefold()) if w]
    found = {SPLITS[w] for w in words if w in SPLITS}
    return found.pop() if len(found) == 1 and all(w in SPLITS or w in _BESIDE_SPLIT for w in words) else None


def understood(names: Sequence[str], tables: Mapping[str, bytes] | None = None) -> Layout:
    """names: the pictures' paths, "/" or "\\" between folders. tables: contents of the sidecar files by their paths."""
    layout = _by_folders([folders_of(name) for name in names])
    tables = tables or {}
    return _by_dataset_json(names, tables, layout) or _by_csv(names, tables, layout) or layout


# ---- folders ----


def _by_folders(folders: list[Folders]) -> Layout:
    depth, beside = _descend(folders)
    stray = beside + [i for i, folder in enumerate(folders) if len(folder) == depth]
    inside = sorted(set(range(len(folders))) - set(stray))
    kinds = {folders[i][depth] for i in inside}
    if len(kinds) < 2 or len(stray) > len(inside):
        notes = ["The folders are no classes, as most pictures lie beside them."] if len(kinds) > 1 else []
        return Layout([Place("train", None) for _ in folders], notes)
    splits = {kind: split_of(kind) for kind in kinds}
    layout = Layout([None] * len(folders))
    if all(splits.values()):
        _split_first(layout, folders, inside, depth)
    else:
        _classes_first(layout, folders, inside, depth)
    _leave_out(layout, stray, "beside the folders")
    return layout


def _descend(folders: list[Folders]) -> tuple[int, list[int]]:
    """(how many levels of folders hold nearly everything in one, the pictures beside those)."""
    depth, beside, rest = 0, [], list(range(len(folders)))
    while True:
        here = [i for i in rest if len(folders[i]) == depth]
        rest = [i for i in rest if len(folders[i]) > depth]
        if len({folders[i][depth] for i in rest}) != 1 or len(beside) + len(here) >= len(rest):
            return depth, beside
        depth, beside = depth + 1, beside + here


def _split_first(layout: Layout, folders: list[Folders], inside: list[int], depth: int) -> None:
    """train/cat, train/dog, test/cat …; or the same without classes."""
    split = {i: split_of(folders[i][depth]) or "train" for i in inside}
    if "train" not in split.values():  # nothing is left to train on when all is held back
        split = dict.fromkeys(inside, "train")
    below = {
        part: {f for i in inside if split[i] == part for f in folders[i][depth + 1 : depth + 2]} for part in _PARTS
    }
    if below["train"] and below["test"] and not below["train"] & below["test"]:
        found = " and ".join(quoted(kind) for kind in sorted({folders[i][depth] for i in inside}, key=natural))
        layout.notes.append(f"{found} are taken as classes, as there are different folders in them.")
        _classes_first(layout, folders, inside, depth)
        return
    has_classes = len(below["train"]) > 1
    for i in inside:
        kind = folders[i][depth + 1 : depth + 2] if has_classes else (None,)
        layout.places[i] = Place(split[i], kind[0]) if kind else None
    _leave_out(layout, [i for i in inside if layout.places[i] is None], "in no class")


_PARTS = ("train", "test")


def _classes_first(layout: Layout, folders: list[Folders], inside: list[int], depth: int) -> None:
    """cat, dog …; or cat/train, cat/test, dog/train …"""
    below = [folders[i][depth + 1 : depth + 2] for i in inside]
    parts = [split_of(part[0]) if part else None for part in below]
    is_split = set(parts) == set(_PARTS)
    for i, part in zip(inside, parts, strict=True):
        layout.places[i] = Place(part if is_split and part else "train", folders[i][depth])


def _leave_out(layout: Layout, rows: Sequence[int], where: str) -> None:
    for i in rows:
        layout.places[i] = None
    if rows:
        layout.left.append((where, rows))


# ---- tables ----


def _by_dataset_json(names: Sequence[str], tables: Mapping[str, bytes], layout: Layout) -> Layout | None:
    """StyleGAN's dataset.json, whose folders are shards and no classes; None where there is none."""
    path = next((path for path in tables if PurePosixPath(path.replace("\\", "/")).name == "dataset.json"), None)
    if path is None:
        return None
    try:
        labels = json.loads(tables[path])["labels"]
    except (ValueError, KeyError, TypeError, RecursionError):  # of another program
        return None
    found = Layout([Place("train", None) for _ in names], used={path})
    of = _single_labels(labels)
    if of is None:
        found.notes.append("The labels in dataset.json are not one class for each picture, so that there are none.")
    if not of:
        return found
    _place_by(found, _looked_up(names, {name: (str(kind), None) for name, kind in of.items()}), path)
    return found


def _single_labels(labels: object) -> dict[str, int | str] | None:
    """picture -> class; None where labels are anything else."""
    try:
        pairs = labels.items() if isinstance(labels, dict) else labels or []
        of = {str(name): kind for name, kind in pairs}
    except (TypeError, ValueError):
        return None
    return of if all(isinstance(kind, int | str) for kind in of.values()) else None


def _by_csv(names: Sequence[str], tables: Mapping[str, bytes], layout: Layout) -> Layout | None:
    """Tables with a column of files and one of classes; None where none names more than half of the pictures."""
    kinds: dict[str, tuple[str, str | None]] = {}
    used, sure = set(), False
    for path, content in tables.items():
        table = _table(path, content, names)
        if table is not None:
            kinds |= table.kinds
            sure = sure or table.sure
            used.add(path)
    has_classes = len({p.kind for p in layout.places if p is not None}) > 1
    found = _looked_up(names, kinds)
    if 2 * sum(f is not None for f in found) <= len(names) or (has_classes and not sure):
        return None
    by_table = Layout([Place(place.split if place else "train", None) for place in layout.places], used=used)
    _place_by(by_table, found, min(used))
    return by_table


def _place_by(layout: Layout, found: list[tuple[str, str | None] | None], path: str) -> None:
    """Classes, and splits where they are said, from a table."""
    for i, entry in enumerate(found):
        place = layout.places[i]
        if entry is not None and place is not None:
            layout.places[i] = Place(entry[1] or place.split, printable(entry[0], MOST_NAME) or "?")
    missing = [i for i, entry in enumerate(found) if entry is None]
    _leave_out(layout, missing, f"not in {printable(PurePosixPath(path).name)}")


def _looked_up(
    names: Sequence[str], kinds: Mapping[str, tuple[str, str | None]]
) -> list[tuple[str, str | None] | None]:
    """What a table says of each picture, which it may name by path, by file or without its ending."""
    keys = [_keys(name) for name in names]
    common = Counter(key for several in keys for key in set(several))
    listed = Counter(key for name in kinds for key in set(_keys(name)))
    known = {key: said for name, said in kinds.items() for key in _keys(name) if listed[key] == 1}
    return [next((known[k] for k in several if k in known and common[k] == 1), None) for several in keys]


def _keys(name: str) -> list[str]:
    """The path, then ever less of its folders; each also without the ending."""
    path = name.replace("\\", "/").strip().removeprefix("./").strip("/").casefold()
    parts = path.split("/")
    tails = ["/".join(parts[i:]) for i in range(len(parts))][-4:]
    return [key for tail in tails for key in (tail, tail.rpartition(".")[0] or tail)]


@dataclass
class _Table:
    kinds: dict[str, tuple[str, str | None]]  # file -> (class, split or None)
    sure: bool  # its column of classes is called so


def _table(path: str, content: bytes, names: Sequence[str]) -> _Table | None:
    rows = _rows(path, content)
    if rows is None:
        return None
    keys = {key for name in names for key in _keys(name)}
    width = len(rows[0])
    hits = [sum(any(key in keys for key in _keys(row[c])) for row in rows) for c in range(width)]
    file = max(range(width), key=lambda c: hits[c])
    if 2 * hits[file] < len(rows) - 1 or not hits[file]:
        return None
    head = (
        [re.sub(r"[\s-]+", "_", cell.strip().casefold()) for cell in rows[0]]
        if not any(key in keys for key in _keys(rows[0][file]))
        else [""] * width
    )
    body = rows[1:] if any(head) else rows
    kind = _class_column(head, body, file)
    if kind is None:
        return None
    split = next((c for c in range(width) if head[c] in _SPLIT_COLUMNS), None)
    said = {row[file]: (row[kind].strip(), split_of(row[split]) if split is not None else None) for row in body}
    return _Table({file: said for file, said in said.items() if said[0]}, head[kind] in _CLASS_COLUMNS)


def _rows(path: str, content: bytes) -> list[list[str]] | None:
    if not path.casefold().endswith((".csv", ".tsv")):
        return None
    text = _text(content)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    except csv.Error:
        return None
    if not rows or not 2 <= len(rows[0]) <= MOST_COLUMNS:
        return None
    return [row for row in rows[:MOST_ROWS] if len(row) == len(rows[0])]


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _class_column(head: list[str], body: list[list[str]], file: int) -> int | None:
    others = [c for c in range(len(head)) if c != file and head[c] not in _SPLIT_COLUMNS]
    named = [c for c in others if head[c] in _CLASS_COLUMNS]
    few = [c for c in others if 2 <= len({row[c] for row in body}) <= min(MOST_CLASSES, max(2, len(body) // 2))]
    return next(iter(named or few), None)


# ---- what the pictures that could be read make of it ----


def classes_of(places: Sequence[Place]) -> tuple[tuple[str, ...], list[str]]:
    """The class names in natural order, () where there are none, and what is to be said about them."""
    kinds = classes_in_order(p.kind for p in places if p.split == "train" and p.kind is not None)
    if len(kinds) > MOST_CLASSES:
        return (), [
            f"{len(kinds):,} folders or labels are more than {MOST_CLASSES} classes, the most there may be, so that "
            "there are none."
        ]
    if len(kinds) < 2:
        return (), []
    return kinds, alike(kinds)


def beside_classes(names: Sequence[str], layout: Layout, folders: Iterable[str]) -> set[str]:
    """Which of the folders, that hold no picture, would be classes by where they are."""
    parents: set[Folders] = set()
    for name, place in zip(names, layout.places, strict=True):
        parts = folders_of(name)
        if place is not None and place.kind in parts:
            parents.add(parts[: parts.index(place.kind)])
    candidates = (folders_of(f"{folder}/x") for folder in folders)
    return {parts[-1] for parts in candidates if parts and parts[:-1] in parents}


def classes_in_order(kinds: Iterable[str]) -> tuple[str, ...]:
    """Each once, 2 before 10."""
    return tuple(sorted(set(kinds), key=lambda kind: (natural(kind), kind)))


def alike(kinds: tuple[str, ...]) -> list[str]:
    """What is said of classes whose names differ in capitals only: one to the person perhaps, two to the computer."""
    groups: dict[str, list[str]] = {}
    for kind in kinds:
        groups.setdefault(kind.casefold(), []).append(kind)
    pairs = [" and ".join(quoted(k) for k in group) for group in groups.values() if len(group) > 1]
    return [f"{pair} are two classes; give them one name if they are one." for pair in pairs[:3]]


def quoted(words: str) -> str:
    return f"“{words}”"
