"""Changes to a prepared data set that need no picture read again: its classes, and a look at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan.own_pictures.layout import MOST_NAME, alike, classes_in_order, printable, quoted
from gan.own_pictures.preparation import LEAST, Prepared, write_set
from gan.own_pictures.summary import Summary, counted
from gan.pictures import DataError, Pictures, read_header, read_pictures, split_of

SHOWN = 16  # pictures of a preview


def edit_classes(name: str, own_dir: Path, changes: Mapping[str, str]) -> Prepared:
    """A new data set with other classes: old name -> new name; "" leaves a class out, equal names make one class.

    Where a single class is left the pictures have none. Raises DataError, also when fewer than 16 would be left.
    """
    path = Path(own_dir) / f"{name}.safetensors"
    header = read_header(path)
    _check(header.classes, changes)
    new = [_new_name(kind, changes) for kind in header.classes]
    kept = classes_in_order(kind for kind in new if kind)
    classes = kept if len(kept) > 1 else ()
    parts = [read_pictures(path, name, split) for split in (("train", "test") if header.test else ("train",))]
    rows = [_rows_of(part, new) for part in parts]
    if len(rows[0]) < LEAST:
        raise DataError(f"{counted(len(rows[0]), 'picture')} would be left, but at least {LEAST} are needed.")
    labels = [_labels(part, kept_rows, new, classes) for part, kept_rows in zip(parts, rows, strict=True)]
    splits = [split_of(*three) for three in zip(parts, rows, labels, strict=True) if len(three[1])]
    made = _summary(Summary.of(header) or Summary(header.title, header.shape[0]), parts[0], rows, labels[0], classes)
    return write_set(splits, classes, made, Path(own_dir))


def _check(classes: tuple[str, ...], changes: Mapping[str, str]) -> None:
    if not classes:
        raise DataError("These pictures have no classes.")
    if unknown := sorted(set(changes) - set(classes)):
        raise DataError(f"There is no class {quoted(printable(unknown[0]))}; there are {', '.join(classes)}.")


def _new_name(kind: str, changes: Mapping[str, str]) -> str:
    return printable(changes[kind], MOST_NAME) if kind in changes else kind


def _rows_of(part: Pictures, new: list[str]) -> np.ndarray:
    stays = np.array([bool(kind) for kind in new])
    return np.flatnonzero(stays[part.labels.numpy()])


def _labels(part: Pictures, rows: np.ndarray, new: list[str], classes: tuple[str, ...]) -> np.ndarray:
    index = {kind: i for i, kind in enumerate(classes)}
    of = np.array([index.get(kind, 0) for kind in new], np.int64)
    return of[part.labels.numpy()[rows]]


def _summary(
    before: Summary, train: Pictures, rows: list[np.ndarray], labels: np.ndarray, classes: tuple[str, ...]
) -> Summary:
    lost = len(train.images) - len(rows[0])
    of_names = alike(tuple(kind for kind, _ in before.classes))
    notes = [note for note in before.notes if note not in of_names] + alike(classes)
    notes += [f"{counted(lost, 'picture')} of classes you left out."] if lost else []
    counts = np.bincount(labels, minlength=max(1, len(classes)))
    return replace(
        before,
        count=len(rows[0]),
        test=len(rows[1]) if len(rows) > 1 else 0,
        classes=tuple(zip(classes, counts.tolist(), strict=False)),
        skipped=before.skipped + lost,
        notes=tuple(notes),
    )


def preview(name: str, own_dir: Path) -> Tensor:
    """16 pictures, or all of fewer, spread over the classes, as the networks see them: uint8 [N, C, S, S]."""
    part = read_pictures(Path(own_dir) / f"{name}.safetensors", name)
    by_class = torch.argsort(part.labels, stable=True)
    chosen = torch.linspace(0, len(by_class) - 1, min(SHOWN, len(by_class))).round().long()
    return part.images[by_class[chosen]]
