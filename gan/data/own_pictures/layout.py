"""Splits and classes, as folders tell; nothing is decided without a word. `tables` says more where there are tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from gan.core.messages import Message, say

MOST_CLASSES = 100
MOST_NAME = 40  # letters of a class
PARTS = ("train", "test")
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing", "val", "valid", "validation", "dev", "eval"), "test"),
}
# What a folder may be called that only holds what its own folder is about.
_NEUTRAL = {"set", "data", "dataset", "split", "images", "image", "imgs", "img", "pictures", "photos"}

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


def words_of(folder: str) -> list[str]:
    """ "TrainingSet" and "training_set2017" are "training" and "set"."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", folder)
    return [word for word in re.split(r"[\W\d_]+", apart.casefold()) if word]


def split_of(folder: str, common: Iterable[str] = ()) -> str | None:
    """Which split a folder's name stands for: "Training_set" is "train", "images" none.

    common: words that the names of all folders beside it have.
    """
    words = [word for word in words_of(folder) if word not in common]
    found = {SPLITS[word] for word in words if word in SPLITS}
    return found.pop() if len(found) == 1 and all(w in SPLITS or w in _NEUTRAL for w in words) else None


def splits_of(folders: Iterable[str]) -> dict[str, str | None]:
    """The same for folders beside each other: "seg_train" and "seg_test" are told by what differs."""
    folders = list(folders)
    common = set.intersection(*(set(words_of(folder)) for folder in folders)) - set(SPLITS) if folders else set()
    return {folder: split_of(folder, common) for folder in folders}


# ---- folders ----


def by_folders(names: Sequence[str]) -> Layout:
    """names: the pictures' paths, "/" or "\\" between folders."""
    folders = [folders_of(name) for name in names]
    depth, beside = _descend(folders)
    stray = beside + [i for i, folder in enumerate(folders) if len(folder) == depth]
    inside = sorted(set(range(len(folders))) - set(stray))
    kinds = {folders[i][depth] for i in inside}
    if len(kinds) < 2 or len(stray) > len(inside):
        notes: list[str] = [say("data.folders_no_classes")] if len(kinds) > 1 else []
        return Layout([Place("train", None) for _ in folders], notes)
    splits = splits_of(kinds)
    layout = Layout([None] * len(folders))
    if all(splits.values()) or {*PARTS} <= {*splits.values()}:
        _split_first(layout, folders, inside, depth, splits)
    else:
        _classes_first(layout, folders, inside, depth)
    _leave_out(layout, stray, say("data.beside_folders"))
    return layout


def _descend(folders: list[Folders]) -> tuple[int, list[int]]:
    """(how many levels of folders hold nearly everything in one, the pictures beside those)."""
    depth, rest = 0, list(range(len(folders)))
    beside: list[int] = []
    while True:
        here = [i for i in rest if len(folders[i]) == depth]
        rest = [i for i in rest if len(folders[i]) > depth]
        if len({folders[i][depth] for i in rest}) != 1 or len(beside) + len(here) >= len(rest):
            return depth, beside
        depth, beside = depth + 1, beside + here


def _split_first(
    layout: Layout, folders: list[Folders], inside: list[int], depth: int, splits: dict[str, str | None]
) -> None:
    """train/cat, train/dog, test/cat …; or the same without classes."""
    split = {i: splits[folders[i][depth]] for i in inside}
    _leave_out(layout, [i for i in inside if split[i] is None], say("data.in_no_part"))
    if "train" not in split.values():  # nothing is left to train on when all is held back
        split = dict.fromkeys(inside, "train")
    below: dict[str, dict[int, str]] = {part: {} for part in PARTS}  # the folder of a class that each picture is in
    for folder in sorted({folders[i][depth] for i in inside if split[i]}):
        rows = [i for i in inside if folders[i][depth] == folder]
        below[split[rows[0]] or "train"] |= _folders_below(folders, rows, depth)
    train, test = ({name.casefold(): name for name in below[part].values()} for part in PARTS)
    if train and test and not train.keys() & test.keys():
        found = listed([quoted(kind) for kind in sorted({folders[i][depth] for i in inside}, key=natural)])
        layout.notes.append(say("data.taken_as_classes", names=found))
        _classes_first(layout, folders, inside, depth)
        return
    for i in [i for i in inside if split[i]]:
        kind = below[split[i] or "train"].get(i)
        if len(train) < 2:
            layout.places[i] = Place(split[i] or "train", None)
        elif kind is not None:
            same = kind in below["train"].values()
            layout.places[i] = Place(split[i] or "train", kind if same else train.get(kind.casefold(), kind))
    _leave_out(layout, [i for i in inside if split[i] and layout.places[i] is None], say("data.in_no_class"))


def _folders_below(folders: list[Folders], rows: list[int], depth: int) -> dict[int, str]:
    """The folder in a part of a split that each of its pictures is in: below "images", or "train" once more."""
    part, at = folders[rows[0]][depth], depth + 1
    while True:
        names = {folders[i][at] for i in rows if len(folders[i]) > at}
        only = next(iter(names)) if len(names) == 1 else ""
        if not only or not (only.casefold() == part.casefold() or set(words_of(only)) <= _NEUTRAL):
            return {i: folders[i][at] for i in rows if len(folders[i]) > at}
        at += 1


def _classes_first(layout: Layout, folders: list[Folders], inside: list[int], depth: int) -> None:
    """cat, dog …; or cat/train, cat/test, dog/train …, where few pictures are in no part."""
    parts = [split_of(below[0]) if (below := folders[i][depth + 1 : depth + 2]) else None for i in inside]
    is_split = {*PARTS} <= {*parts} and 2 * parts.count(None) < len(parts)
    for i, part in zip(inside, parts, strict=True):
        layout.places[i] = Place(part if is_split and part else "train", folders[i][depth])


def _leave_out(layout: Layout, rows: Sequence[int], where: str) -> None:
    for i in rows:
        layout.places[i] = None
    if rows:
        layout.left.append((where, rows))


def without_classes(count: int) -> Layout:
    """All pictures in one heap, where classes would leave too few."""
    return Layout([Place("train", None)] * count, [say("data.no_classes_too_few")])


# ---- what the pictures that could be read make of it ----


def classes_of(places: Sequence[Place]) -> tuple[tuple[str, ...], list[str]]:
    """The class names in natural order, () where there are none, and what is to be said about them."""
    kinds = classes_in_order(p.kind for p in places if p.split == "train" and p.kind is not None)
    if len(kinds) > MOST_CLASSES:
        return (), [say("data.too_many_classes", number=len(kinds), most=MOST_CLASSES)]
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
    found = [listed([quoted(kind) for kind in group]) for group in groups.values() if len(group) > 1]
    return [say("data.alike_classes", names=names) for names in found[:3]]


def quoted(words: str) -> Message:
    return say("data.quoted", words=words)


def listed(words: Sequence[str], most: int = 3) -> Message:
    """One, two and three; or the first three and how many more."""
    more = [say("data.more", more=len(words) - most)] if len(words) > most else []
    return say("data.list", items=[*words[:most], *more])
