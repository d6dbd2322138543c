"""A prepared file that comes from a stranger: written anew from what it holds, so that nothing it says is trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gan.own_pictures.decode import Form
from gan.own_pictures.layout import MOST_CLASSES, MOST_NAME, printable
from gan.own_pictures.preparation import LEAST, MOST, Prepared, write_set
from gan.own_pictures.summary import Summary
from gan.pictures import DataError, Header, Pictures, content_name, read_header, read_pictures, split_of

MOST_HEADER_BYTES = 1 << 20
MOST_NOTES, MOST_NOTE = 20, 500  # sentences, letters of one
_WRONG = "The pictures in this zip are damaged, or not those that its run learned from."


def take_in(path: Path, name: str, own_dir: Path) -> Prepared:
    """Install the prepared file at path, which must hold the data set of this name. Raises DataError or OSError."""
    try:
        header = _checked(path)
        if content_name(path) != name:
            raise DataError(_WRONG)
        parts = [read_pictures(path, name, split) for split in (("train", "test") if header.test else ("train",))]
    except (ValueError, RecursionError):  # a DataError is one, but tells the person to delete a file he does not see
        raise DataError(_WRONG) from None
    return write_set([split_of(part) for part in parts], header.classes, _summary(header, parts[0]), own_dir)


def _checked(path: Path) -> Header:
    """The header of a file that this program could have written. Raises DataError, ValueError or RecursionError."""
    with path.open("rb") as file:
        if int.from_bytes(file.read(8), "little") > MOST_HEADER_BYTES:
            raise DataError(_WRONG)
    header = read_header(path)
    count, channels, size, _ = header.shape
    Form(size, channels)
    classes = header.classes
    named = len(classes) in range(2, MOST_CLASSES + 1) and len(set(classes)) == len(classes)
    if not LEAST <= count <= MOST or header.test > MOST or (classes and not named):
        raise DataError(_WRONG)
    if any(printable(kind, MOST_NAME) != kind or not kind for kind in classes):
        raise DataError(_WRONG)
    return header


def _summary(header: Header, train: Pictures) -> Summary:
    """Counted anew; only a title, what was left out and sentences are taken over, as plain words."""
    said = Summary.of(header) or Summary(header.title, 0)
    counts = np.bincount(train.labels.numpy(), minlength=max(1, len(header.classes))).tolist()
    notes = [printable(note, MOST_NOTE) for note in said.notes[:MOST_NOTES]]
    return Summary(
        title=printable(header.title, 60) or "Own pictures",
        count=len(train.images),
        test=header.test,
        classes=tuple(zip(header.classes, counts, strict=False)),
        skipped=min(max(0, said.skipped), 10**9),
        notes=tuple(note for note in notes if note),
    )
