"""Pictures in memory and on disk: a split, the prepared file that holds a data set, what goes wrong with either."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gan.core.errors import UserError
from gan.core.files import brief, replacing
from gan.core.messages import say

THREADS = os.cpu_count() or 2  # that decode pictures
UNTITLED = say("data.untitled")  # how a set is called whose files are nobody else's business, or had no common name

Progress = Callable[[str], None]


class DataError(UserError):
    """Its message is one clear sentence for the person in front of the screen."""


@dataclass(frozen=True)
class Pictures:
    """One split of a data set, whole."""

    name: str
    images: Tensor  # uint8 [N, C, H, W]
    labels: Tensor  # int64 [N], all zero when there are no classes
    class_names: tuple[str, ...]  # () when unlabelled
    attributes: Tensor | None = None  # uint8 [N, A], labels of all attributes of its source, where it has some

    def first(self, most: int) -> Pictures:
        """At most this many of them."""
        attributes = None if self.attributes is None else self.attributes[:most]
        return replace(self, images=self.images[:most], labels=self.labels[:most], attributes=attributes)


def spread_rows(total: int, most: int) -> Tensor:
    """At most `most` row numbers, evenly spread over all, so that pictures sorted by class are all met."""
    count = min(total, most)
    return torch.arange(count) * total // count


# ---- prepared pictures on disk: one safetensors file a data set, with "labels" and "images", words in its header, and
# "test_labels" and "test_images" where some are held back ----


class Split(NamedTuple):
    """One split that is to be written."""

    shape: tuple[int, ...]  # of its images, [N, C, H, W]
    labels: np.ndarray  # int64 [N]
    images: Callable[[], Iterable[bytes]]  # gives their bytes, uint8, in pieces of any length, as often as it is asked


_PREFIXES = ("", "test_")  # of the names of tensors, by split


def write_pictures(path: Path, splits: Sequence[Split], words: dict[str, str]) -> None:
    """Write a data set atomically: its pictures to train on and, where there are two splits, those to test with.

    Written by hand because the safetensors library wants all pixels in memory at once. Raises OSError.
    """
    labels = [split.labels.astype("<i8").tobytes() for split in splits]
    entries, end = {}, 0
    parts = [("labels", "I64", lambda split: [len(split.labels)], 8), ("images", "U8", lambda split: [*split.shape], 1)]
    for kind, dtype, shape_of, width in parts:
        for prefix, split in zip(_PREFIXES, splits, strict=False):
            start, shape = end, shape_of(split)
            end = start + width * int(np.prod(shape, dtype=np.int64))
            entries[prefix + kind] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
    head = json.dumps({"__metadata__": words, **entries}).encode()
    head += b" " * (-len(head) % 8)  # the format wants its tensors aligned
    with replacing(path) as file:
        file.write(len(head).to_bytes(8, "little") + head + b"".join(labels))
        for split in splits:
            for piece in split.images():
                file.write(piece)


def content_digest(splits: Sequence[Split], classes: Sequence[str]) -> str:
    """SHA-256 of everything that is learned from, as hex digits. Without its classes it is another set."""
    channels, size = splits[0].shape[1:3]
    digest = hashlib.sha256(json.dumps([size, channels, list(classes)]).encode())
    for number, split in enumerate(splits):
        digest.update(b"test" if number else b"")
        digest.update(split.labels.astype("<i8").tobytes())
        for piece in split.images():
            digest.update(piece)
    return digest.hexdigest()


def name_of(digest: str) -> str:
    """How the set with this `content_digest` is called."""
    return f"own-{digest[:12]}"


def stored_digest(path: Path) -> str:
    """`content_digest` of what a prepared file holds. Raises DataError."""
    return content_digest([split_of(part) for part in read_splits(path, path.stem)], read_header(path).classes)


def content_name(path: Path) -> str:
    """The name that a prepared file of own pictures must have, from what it holds. Raises DataError."""
    return name_of(stored_digest(path))


def split_of(part: Pictures, rows: np.ndarray | None = None, labels: np.ndarray | None = None) -> Split:
    """A split to be written from one in memory, or from some of its rows with other labels; never copied whole."""
    rows = np.arange(len(part.images)) if rows is None else rows
    labels = part.labels.numpy()[rows] if labels is None else labels

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(rows), _AT_ONCE):
            yield part.images.numpy()[rows[start : start + _AT_ONCE]].tobytes()

    return Split((len(rows), *part.images.shape[1:]), labels, pieces)


_AT_ONCE = 1000  # pictures copied in one piece


class Header(NamedTuple):
    """What a prepared file says of itself."""

    title: str
    shape: tuple[int, ...]  # of the images to train on, [N, C, H, W]
    classes: tuple[str, ...]
    test: int  # pictures held back
    words: dict[str, str]  # all that its writer said


@contextmanager
def _prepared(path: Path) -> Iterator[tuple[safe_open, Header]]:
    """An open prepared file whose header holds what `write_pictures` writes; DataError when it does not."""
    if not path.is_file():
        raise DataError(say("data.pictures_gone", name=path.stem))
    try:
        with safe_open(path, framework="pt") as file:
            yield file, _header(file)
    except DataError:
        raise
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise DataError(say("data.file_damaged", name=path.name, error=brief(error))) from error


def _header(file: safe_open) -> Header:
    shapes = [_shape(file, prefix) for prefix in _PREFIXES if f"{prefix}images" in file.keys()]  # noqa: SIM118
    if not shapes or any(shape[1:] != shapes[0][1:] for shape in shapes):
        raise ValueError("unexpected contents")
    words = file.metadata() or {}
    classes = tuple(str(word) for word in json.loads(words["classes"]))
    test = shapes[1][0] if len(shapes) > 1 else 0
    return Header(words.get("title", UNTITLED), shapes[0], classes, test, words)


def _shape(file: safe_open, prefix: str) -> tuple[int, ...]:
    images, labels = file.get_slice(f"{prefix}images"), file.get_slice(f"{prefix}labels")
    count, channels, height, width = images.get_shape()
    fits = (images.get_dtype(), labels.get_dtype()) == ("U8", "I64") and labels.get_shape() == [count]
    if not (fits and count and channels in (1, 3) and height == width):
        raise ValueError("unexpected contents")
    return count, channels, height, width


def read_pictures(path: Path, name: str, split: str = "train") -> Pictures:
    """Map a split of what `write_pictures` wrote; those to train on where none are held back. Raises DataError.

    The library maps the images privately: pages come from the file when they are touched and go when memory is short,
    and writing to the tensor would not reach the file. It compares the length of the file with the header first, and
    here files are only ever replaced whole, so that no page can be missing later.
    """
    with _prepared(path) as (file, header):
        prefix = "test_" if split == "test" and header.test else ""
        images, labels = file.get_tensor(f"{prefix}images"), file.get_tensor(f"{prefix}labels")
        if labels.min() < 0 or labels.max() >= max(1, len(header.classes)):
            raise ValueError(f"a label outside 0..{max(1, len(header.classes)) - 1}")
        return Pictures(name, images, labels, header.classes)


def read_splits(path: Path, name: str) -> list[Pictures]:
    """Those to train on and, where some are held back, those to test with. Raises DataError as `read_pictures`."""
    splits = ("train", "test") if read_header(path).test else ("train",)
    return [read_pictures(path, name, split) for split in splits]


def read_header(path: Path) -> Header:
    """What a prepared file says of itself, without its pictures. Raises DataError as `read_pictures`."""
    with _prepared(path) as (_, header):
        return header


def counts_of(labels: np.ndarray, classes: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """(class, how many have its label), in the order of the labels; () without classes."""
    return tuple(zip(classes, np.bincount(labels, minlength=len(classes)).tolist(), strict=False))
