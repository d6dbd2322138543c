"""Changes to a prepared data set that need no picture read again: its classes, and a look at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan.core.messages import say
from gan.data.own_pictures.layout import MOST_NAME, alike, classes_in_order, printable
from gan.data.own_pictures.look import pixel_notes
from gan.data.own_pictures.preparation import LEAST, Prepared, write_set
from gan.data.own_pictures.summary import Summary
from gan.data.pictures import (
    DataError,
    Pictures,
    Split,
    counts_of,
    read_header,
    read_pictures,
    read_splits,
    split_of,
    spread_rows,
)

SHOWN = 16  # pictures of a preview


def edit_classes(
    name: str, own_dir: Path, changes: Mapping[str, str], known: Summary | None = None, public: bool = False
) -> Prepared:
    """A new data set with other classes: old name -> new name; "" leaves a class out, equal names make one class.

    Where a single class is left the pictures have none. known: what was said of the set, instead of what its file says;
    public: see `write_set`. Raises DataError, also when fewer than 16 would be left.
    """
    path = Path(own_dir) / f"{name}.safetensors"
    header = read_header(path)
    _check(header.classes, changes)
    new = [_new_name(kind, changes) for kind in header.classes]
    kept = classes_in_order(kind for kind in new if kind)
    classes = kept if len(kept) > 1 else ()
    parts = read_splits(path, name)
    rows = [_rows_of(part, new) for part in parts]
    if len(rows[0]) < LEAST:
        raise DataError(say("data.too_few_left", count=len(rows[0]), least=LEAST))
    labels = [_labels(part, kept_rows, new, classes) for part, kept_rows in zip(parts, rows, strict=True)]
    splits = [split_of(*three) for three in zip(parts, rows, labels, strict=True) if len(three[1])]
    made = _summary(known or summary_of(path), parts, splits, classes)
    return write_set(splits, classes, made, Path(own_dir), public)


def summary_of(path: Path) -> Summary:
    """What a prepared file says of its set; where it says nothing, as those of older versions, what it holds, counted.

    Raises DataError.
    """
    header = read_header(path)
    if said := Summary.of(header):
        return said
    labels = read_pictures(path, path.stem).labels.numpy()
    return Summary(header.title, header.shape[0], header.test, counts_of(labels, header.classes))


def _check(classes: tuple[str, ...], changes: Mapping[str, str]) -> None:
    if not classes:
        raise DataError(say("data.no_classes"))
    if unknown := sorted(set(changes) - set(classes)):
        raise DataError(say("data.no_class", name=printable(unknown[0]), classes=classes))


def _new_name(kind: str, changes: Mapping[str, str]) -> str:
    return printable(changes[kind], MOST_NAME) if kind in changes else kind


def _rows_of(part: Pictures, new: list[str]) -> np.ndarray:
    stays = np.array([bool(kind) for kind in new])
    return np.flatnonzero(stays[part.labels.numpy()])


def _labels(part: Pictures, rows: np.ndarray, new: list[str], classes: tuple[str, ...]) -> np.ndarray:
    index = {kind: i for i, kind in enumerate(classes)}
    of = np.array([index.get(kind, 0) for kind in new], np.int64)
    return of[part.labels.numpy()[rows]]


def _summary(before: Summary, parts: list[Pictures], splits: list[Split], classes: tuple[str, ...]) -> Summary:
    """What is said of names and of pixels is said of those that are left; all else stays true."""
    stale = {*alike(tuple(kind for kind, _ in before.classes)), *pixel_notes(split_of(parts[0]))}
    lost = sum(len(part.images) for part in parts) - sum(len(split.labels) for split in splits)
    left_out = [say("data.classes_left_out", count=lost)]
    notes = [note for note in before.notes if note not in stale] + alike(classes)
    return replace(
        before,
        count=len(splits[0].labels),
        test=sum(len(split.labels) for split in splits[1:]),
        classes=counts_of(splits[0].labels, classes),
        skipped=before.skipped + lost,
        notes=(*notes, *(left_out if lost else []), *pixel_notes(splits[0])),
    )


def preview(name: str, own_dir: Path) -> Tensor:
    """16 pictures, or all of fewer, spread over the classes, as the networks see them: uint8 [N, C, S, S]."""
    part = read_pictures(Path(own_dir) / f"{name}.safetensors", name)
    by_class = torch.argsort(part.labels, stable=True)
    return part.images[by_class[spread_rows(len(by_class), SHOWN)]]
