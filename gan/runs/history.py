"""A run's history on disk: what it writes down, one table of records (RECORDS), and frames of the same latents.

Everything is kept in memory too, so that readers never wait for the disk. Text files are appended at a known offset: a
write that fails half way (a full disk) is cut off again and repeated by the next `flush`, and a line that a killed
process left unfinished is ignored when reading.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from gan.core.files import link_or_copy, write_atomically
from gan.core.images import is_webp
from gan.core.messages import text_of, with_messages
from gan.monitor.records import COLUMNS, OLDER_SIGNALS, SIGNALS, SKETCH, Event, Frame, Measure, Row, Signal, Threads

T = TypeVar("T")

_MOST_STEPS = 2**53  # that a page can count
FRAME_SUFFIXES = (".png", ".webp")
ROW_GROWTH, FRAME_GROWTH = 1.005, 1.03  # next record at ≥ step × growth: about 2,000 rows, 350 frames in 100,000 steps


class Lines(Generic[T]):
    """A text file of one record a line, appended safely. `encode` and `decode` turn a record into a line and back."""

    def __init__(self, path: Path, head: str, encode: Callable[[T], str], decode: Callable[[str], T]) -> None:
        self.path, self.head, self.encode = path, head, encode
        self.records: list[T] = []
        self._pending: list[T] = []
        self._size, self._older = 0, False  # older: the head says fewer columns, so the file is to be written anew
        self._replaced = False  # the file holds records that there are no more
        self._read(decode)

    def add(self, record: T) -> None:
        self.records.append(record)
        self._pending.append(record)

    def flush(self) -> None:
        """Write what is pending. Raises OSError; the pending records then stay pending."""
        if self._replaced or (self._pending and self._older):
            self._rewrite()
        if not self._pending:
            return
        text = "".join(self.encode(r) + "\n" for r in self._pending)
        if not self._size:
            text = self.head + text
        data = text.encode()
        try:
            with open(self.path, "r+b" if self.path.exists() else "wb") as f:
                f.seek(self._size)
                f.write(data)
                f.truncate()
        except OSError:
            self._cut()
            raise
        self._size += len(data)
        self._pending = []

    def keep(self, wanted: Callable[[T], bool]) -> None:
        """Forget the records that are not wanted; on disk with the next `flush`."""
        kept = [r for r in self.records if wanted(r)]
        if len(kept) < len(self.records):
            self.records, self._replaced = kept, True

    def _rewrite(self) -> None:
        """Raises OSError; the file is then what it was."""
        data = (self.head + "".join(self.encode(r) + "\n" for r in self.records)).encode()
        write_atomically(self.path, data)
        self._size, self._pending, self._older, self._replaced = len(data), [], False, False

    def _read(self, decode: Callable[[str], T]) -> None:
        if not self.path.exists():
            return
        data = self.path.read_bytes()
        for i, line in enumerate(data.splitlines(keepends=True)):
            text = line.decode(errors="replace")
            if not text.endswith("\n"):
                break
            if i == 0 and self.head:
                self._older = text != self.head
            else:
                try:
                    self.records.append(decode(text))
                except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                    break
            self._size += len(line)

    def _cut(self) -> None:
        try:
            with open(self.path, "r+b") as f:
                f.truncate(self._size)
        except OSError:
            pass  # the next flush seeks to the known offset and truncates behind what it writes


def _short(value: float | None) -> float | None:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _step(value: Any) -> int:
    """Raises ValueError, TypeError or OverflowError for what no run has counted to."""
    step = int(value)
    if not 0 <= step < _MOST_STEPS:
        raise ValueError("not a step")
    return step


def _encode_row(row: Iterable[float | None]) -> str:
    return ",".join("" if v is None else f"{v:.6g}" if isinstance(v, float) else str(v) for v in row)


def _encode_signal(signal: Signal) -> str:
    return _encode_row(signal.values())


def _decode_cells(line: str, columns: Sequence[str]) -> list[float | None]:
    cells = line.strip().split(",")
    if len(cells) != len(columns):
        raise ValueError("a row of another length")
    numbers = [float(c) if c else None for c in cells]
    if any(n is not None and not math.isfinite(n) for n in numbers):
        raise ValueError("not finite")
    return numbers


def _decode_row(line: str) -> Row:
    step, images, seconds, *others = _decode_cells(line, COLUMNS)
    if step is None or images is None or seconds is None:
        raise ValueError("a row without its step")
    return _rounded_row(Row(_step(step), int(images), seconds, *others))


def _decode_signal(line: str) -> Signal:
    """What an older file has no cell for is None."""
    names = next((names for names in OLDER_SIGNALS if line.count(",") == len(names) - 1), SIGNALS)
    numbers: Signal = dict.fromkeys(SIGNALS) | dict(zip(names, _decode_cells(line, names), strict=True))
    return _rounded_signal(numbers | {"step": _step(numbers["step"])})


def _decode_event(line: str) -> Event:
    e = json.loads(line)
    return with_messages({"step": _step(e["step"]), "kind": str(e["kind"])[:20], "text": text_of(e, "text")})


def _decode_frame(line: str) -> Frame:
    e = json.loads(line)
    return {"step": _step(e["step"]), "fake": [_finite(v) for v in e["fake"]], "real": [_finite(v) for v in e["real"]]}


def _decode_measure(line: str) -> Measure:
    e = json.loads(line)
    found: Measure = {
        "step": _step(e["step"]),
        "images": int(e["images"]),
        "seconds": _finite(e["seconds"]),
        "fid": _finite(e["fid"]),
        "real_fid": _finite(e["real_fid"]),
        "coverage": _finite(e["coverage"]),
        "real_coverage": _finite(e["real_coverage"]),
        "confidence": _finite(e["confidence"]),
        "real_confidence": _finite(e["real_confidence"]),
        "modes": int(e["modes"]),
        "histogram": [int(n) for n in e["histogram"]][:100],
    }
    return found | {"attributes": [int(n) for n in e["attributes"]][:200]} if "attributes" in e else found


def _finite(number: str | float) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value


def _decode_threads(line: str) -> Threads:
    step, count = line.split(",")
    return Threads(_step(step), int(count))


def _json_line(record: Mapping[str, object]) -> str:
    return json.dumps(record, separators=(",", ":"))


def _step_in(record: Mapping[str, Any]) -> int:
    return record["step"]


def _same(record: T) -> T:
    return record


@dataclass(frozen=True)
class Record(Generic[T]):
    """One kind of record that a run writes down: one line each in a file of the run's folder.

    encode, decode: to a line and back; decode raises ValueError, KeyError, TypeError, OverflowError or RecursionError
    for what is none. step: after which it was written down. fields: names and values that pages are told. rounded: as
    it is read back. head: the file's first line.
    """

    file: str
    encode: Callable[[T], str]
    decode: Callable[[str], T]
    step: Callable[[Any], int] = _step_in
    fields: Callable[[Any], Mapping[str, object]] = dict
    rounded: Callable[[T], T] = _same
    head: str = ""


def _head(names: Iterable[str]) -> str:
    return ",".join(names) + "\n"


def _row_step(row: Row | Threads) -> int:
    return row.step


def _rounded_row(row: Row) -> Row:
    return Row._make(map(_short, row))


def _rounded_signal(signal: Signal) -> Signal:
    """One number, or None, for each name of SIGNALS."""
    return {name: _short(signal[name]) for name in SIGNALS}


def _curves(signal: Signal) -> Signal:
    """What is a curve: the numbers of a sketch say nothing alone."""
    return {name: value for name, value in signal.items() if name not in SKETCH}


# All that a run writes down, and the only list of it: files, forks, zips, counts and routes are made from it.
RECORDS: dict[str, Record[Any]] = {
    "frames": Record("frames.jsonl", _json_line, _decode_frame),
    "rows": Record("rows.csv", _encode_row, _decode_row, _row_step, Row._asdict, _rounded_row, _head(COLUMNS)),
    "events": Record("events.jsonl", _json_line, _decode_event),
    "threads": Record(
        "threads.csv", _encode_row, _decode_threads, _row_step, Threads._asdict, head=_head(Threads._fields)
    ),
    "signals": Record(
        "signals.csv", _encode_signal, _decode_signal, fields=_curves, rounded=_rounded_signal, head=_head(SIGNALS)
    ),
    "measures": Record("measures.jsonl", _json_line, _decode_measure),
}


class Mark(NamedTuple):
    """How much a history had written down at a moment: so many records of each kind, in the order of RECORDS."""

    generation: int = 0
    counts: tuple[int, ...] = ()


class History:
    """What the run in `folder` has written down, by the names of RECORDS; six have a property, for their type."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kinds = dict(RECORDS)
        self._lines = {name: Lines(folder / k.file, k.head, k.encode, k.decode) for name, k in self._kinds.items()}
        self._pictures: list[tuple[int, bytes]] = []
        # Grows when records were taken back, and is another one in every process: readers then start again.
        self.generation = secrets.randbits(48)

    def all(self, name: str) -> list[Any]:
        """All records of a kind. Raises KeyError."""
        return self._lines[name].records

    def mark(self) -> Mark:
        """Where it has come to."""
        return Mark(self.generation, tuple(len(lines.records) for lines in self._lines.values()))

    def between(self, start: Mark, end: Mark) -> dict[str, list[Mapping[str, object]]] | None:
        """The records of each kind after `start` and until `end`, each as names and values.

        All until `end` where `start` is of another generation; None where what `end` marks was taken back meanwhile.
        """
        first = start.counts if start.generation == end.generation else (0,) * len(end.counts)
        found = {
            name: [kind.fields(record) for record in self.all(name)[since:until]]
            for (name, kind), since, until in zip(self._kinds.items(), first, end.counts, strict=True)
        }
        return found if self.generation == end.generation else None  # which changes before any record goes

    @property
    def rows(self) -> list[Row]:
        return self.all("rows")

    @property
    def events(self) -> list[Event]:
        return self.all("events")

    @property
    def frames(self) -> list[Frame]:
        return self.all("frames")

    @property
    def measures(self) -> list[Measure]:
        return self.all("measures")

    @property
    def threads(self) -> list[Threads]:
        return self.all("threads")

    @property
    def signals(self) -> list[Signal]:
        return self.all("signals")

    def frame_path(self, step: int) -> Path:
        """Where the picture of a frame lies."""
        paths = self._frame_paths(step)
        return next((path for path in paths if path.exists()), paths[0])

    def _frame_paths(self, step: int) -> list[Path]:
        return [self.folder / "frames" / f"{step:08d}{suffix}" for suffix in FRAME_SUFFIXES]

    def add(self, name: str, record: Any) -> None:
        """Write a record down; numbers are rounded here, so that memory and disk agree. Raises KeyError."""
        self._lines[name].add(self._kinds[name].rounded(record))

    def add_event(self, step: int, kind: str, text: str) -> None:
        self.add("events", with_messages({"step": step, "kind": kind, "text": text}))

    def add_frame(self, step: int, picture: bytes, fake: list[float], real: list[float]) -> None:
        """picture: a PNG or WebP file."""
        self._pictures.append((step, picture))
        self.add("frames", {"step": step, "fake": fake, "real": real})

    def flush(self) -> None:
        """Bring everything to disk. Raises OSError; what was not written stays pending for the next call."""
        while self._pictures:
            self._write_picture(*self._pictures[0])
            self._pictures.pop(0)
        for lines in self._lines.values():
            lines.flush()

    def _write_picture(self, step: int, picture: bytes) -> None:
        as_png, as_webp = self._frame_paths(step)
        path, other = (as_webp, as_png) if is_webp(picture) else (as_png, as_webp)
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, picture)
        other.unlink(missing_ok=True)  # of a step that was taken back

    def forget_after(self, step: int) -> None:
        """Take back what lies after a step, because training continues from there.

        Raises OSError: it is then taken back here, and in the files by the next `flush`.
        """
        self.generation += 1
        late = [f["step"] for f in self.frames if f["step"] > step]
        for name, lines in self._lines.items():
            lines.keep(partial(_is_until, self._kinds[name].step, step))
        self._pictures = [(s, picture) for s, picture in self._pictures if s <= step]
        self.flush()
        for s in late:
            self.frame_path(s).unlink(missing_ok=True)

    def copy_until(self, step: int, folder: Path) -> History:
        """The history until a step, written into a folder that has none. Raises OSError.

        A picture is a second name for its file where the disk has such names. A frame whose picture is not on the disk
        yet is left out.
        """
        copy = History(folder)
        (folder / "frames").mkdir(exist_ok=True)
        for name, lines in self._lines.items():
            kept = [r for r in list(lines.records) if self._kinds[name].step(r) <= step]
            if name == "frames":
                kept = [f for f in kept if self._picture_is_in(f["step"], copy)]
            for record in kept:
                copy._lines[name].add(record)
        copy.flush()
        return copy

    def _picture_is_in(self, step: int, copy: History) -> bool:
        try:
            path = self.frame_path(step)
            link_or_copy(path, copy.folder / "frames" / path.name)
        except FileNotFoundError:
            return False
        return True

    def move(self, folder: Path) -> None:
        """Say that the folder has another name now."""
        self.folder = folder
        for name, lines in self._lines.items():
            lines.path = folder / self._kinds[name].file


def _is_until(step_of: Callable[[Any], int], step: int, record: Any) -> bool:
    return step_of(record) <= step
