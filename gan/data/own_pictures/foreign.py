"""A prepared file that comes from a stranger: written anew from what it holds, so that nothing it says is trusted."""

from __future__ import annotations

from pathlib import Path

from gan.core.config import is_readable_size
from gan.core.messages import Message, say
from gan.data.own_pictures.layout import MOST_CLASSES, MOST_NAME, printable
from gan.data.own_pictures.preparation import LEAST, MOST, Prepared, write_set
from gan.data.own_pictures.summary import Summary
from gan.data.pictures import (
    UNTITLED,
    DataError,
    Header,
    Pictures,
    content_name,
    counts_of,
    read_header,
    read_splits,
    split_of,
)

MOST_HEADER_BYTES = 1 << 20
MOST_NOTES, MOST_NOTE = 20, 500  # sentences, letters of one


def take_in(path: Path, name: str, own_dir: Path, title: str = "") -> Prepared:
    """Install the prepared file at path, which must hold the data set of this name. Raises DataError or OSError.

    What it says of somebody's files stays out of the set's own file: that is for all who have the same pictures. title:
    how its owner calls it, "": as the file does.
    """
    try:
        header = _checked(path)
        if content_name(path) != name:
            raise _wrong()
        parts = read_splits(path, name)
    except (ValueError, OverflowError, RecursionError):  # a DataError is one, but names a file that nobody here sees
        raise _wrong() from None
    splits = [split_of(part) for part in parts]
    return write_set(splits, header.classes, _summary(header, parts[0], title), own_dir, public=True)


def _wrong() -> DataError:
    return DataError(say("data.wrong_pictures"))


def _checked(path: Path) -> Header:
    """The header of a file that this program could have written. Raises DataError, ValueError or RecursionError."""
    with path.open("rb") as file:
        if int.from_bytes(file.read(8), "little") > MOST_HEADER_BYTES:
            raise _wrong()
    header = read_header(path)
    count, channels, size, _ = header.shape
    if channels not in (1, 3) or not is_readable_size(size):
        raise _wrong()
    classes = header.classes
    named = len(classes) in range(2, MOST_CLASSES + 1) and len(set(classes)) == len(classes)
    if not LEAST <= count <= MOST or header.test > MOST or (classes and not named):
        raise _wrong()
    if any(printable(kind, MOST_NAME) != kind or not kind for kind in classes):
        raise _wrong()
    return header


def _summary(header: Header, train: Pictures, title: str) -> Summary:
    """Counted anew; only a title, what was left out and sentences are taken over, as words that can be shown."""
    said = Summary.of(header) or Summary(header.title, 0)
    notes = [_plain(note) for note in said.notes[:MOST_NOTES]]
    return Summary(
        title=printable(title or header.title, 60) or UNTITLED,
        count=len(train.images),
        test=header.test,
        classes=counts_of(train.labels.numpy(), header.classes),
        skipped=min(max(0, said.skipped), 10**9),
        notes=tuple(note for note in notes if note),
    )


def _plain(note: str) -> str:
    text = printable(note, MOST_NOTE)
    return Message(text, note.key, note.values) if isinstance(note, Message) else text
