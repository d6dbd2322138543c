"""A run's history on disk: rows of numbers, events, and frames of the same latents.

Everything is kept in memory too, so that readers never wait for the disk. Text files are appended at a known offset: a
write that fails half way (a full disk) is cut off again and repeated by the next `flush`, and a line that a killed
process left unfinished is ignored when reading.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from gan.core.files import write_atomically
from gan.monitor.records import COLUMNS, OLDER_SIGNALS, SIGNALS, Event, Frame, Measure, Row, Signal

Record = TypeVar("Record")

_MOST_STEPS = 2**53  # that a page can count
ROW_GROWTH, FRAME_GROWTH = 1.005, 1.03  # next record at ≥ step × growth: about 2,000 rows, 350 frames in 100,000 steps


class Lines(Generic[Record]):
    """A text file of one record a line, appended safely. `encode` and `decode` turn a record into a line and back."""

    def __init__(self, path: Path, head: str, encode: Callable[[Record], str], decode: Callable[[str], Record]) -> None:
        self.path, self.head, self.encode = path, head, encode
        self.records: list[Record] = []
        self._pending: list[Record] = []
        self._read(decode)

    def add(self, record: Record) -> None:
        self.records.append(record)
        self._pending.append(record)

    def flush(self) -> None:
        """Write what is pending. Raises OSError; the pending records then stay pending."""
        if not self._pending:
            return
        if self._older:
            self._rewrite()
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

    def keep(self, wanted: Callable[[Record], bool]) -> None:
        """Forget the records that are not wanted, on disk too."""
        kept = [r for r in self.records if wanted(r)]
        if len(kept) == len(self.records):
            return
        self.records = kept
        self._rewrite()

    def _rewrite(self) -> None:
        """Raises OSError; the file is then what it was."""
        data = (self.head + "".join(self.encode(r) + "\n" for r in self.records)).encode()
        write_atomically(self.path, data)
        self._size, self._pending, self._older = len(data), [], False

    def _read(self, decode: Callable[[str], Record]) -> None:
        self._size, self._older = 0, False  # older: the head says fewer columns, so the file is to be written anew
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
    return cast(Row, (_step(step), int(images), seconds, *others))


def _decode_signal(line: str) -> Signal:
    """What an older file has no cell for is None."""
    names = OLDER_SIGNALS if line.count(",") == len(OLDER_SIGNALS) - 1 else SIGNALS
    numbers: Signal = dict.fromkeys(SIGNALS) | dict(zip(names, _decode_cells(line, names), strict=True))
    return numbers | {"step": _step(numbers["step"])}


def _decode_event(line: str) -> Event:
    e = json.loads(line)
    return {"step": _step(e["step"]), "kind": str(e["kind"])[:20], "text": str(e["text"])[:300]}


def _decode_frame(line: str) -> Frame:
    e = json.loads(line)
    return {"step": _step(e["step"]), "fake": [_finite(v) for v in e["fake"]], "real": [_finite(v) for v in e["real"]]}


def _decode_measure(line: str) -> Measure:
    e = json.loads(line)
    return {
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


def _finite(number: str | float) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("not finite")
    return value


def _decode_threads(line: str) -> tuple[int, int]:
    step, count = line.split(",")
    return _step(step), int(count)


def _json_line(record: Event | Frame | Measure) -> str:
    return json.dumps(record, separators=(",", ":"))


class History:
    """`rows` (COLUMNS; None: that player did not learn), `events` and `frames` of the run in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows = Lines(folder / "rows.csv", ",".join(COLUMNS) + "\n", _encode_row, _decode_row)
        self._events = Lines(folder / "events.jsonl", "", _json_line, _decode_event)
        self._threads = Lines(folder / "threads.csv", "step,threads\n", lambda r: f"{r[0]},{r[1]}", _decode_threads)
        head = ",".join(SIGNALS) + "\n"
        self._signals = Lines(folder / "signals.csv", head, lambda s: _encode_row(s.values()), _decode_signal)
        self._frames = Lines(folder / "frames.jsonl", "", _json_line, _decode_frame)
        self._measures = Lines(folder / "measures.jsonl", "", _json_line, _decode_measure)
        self._pictures: list[tuple[int, bytes]] = []
        self.generation = 0  # grows when records were taken back, so that readers start again

    @property
    def rows(self) -> list[Row]:
        return self._rows.records

    @property
    def events(self) -> list[Event]:
        return self._events.records

    @property
    def frames(self) -> list[Frame]:
        return self._frames.records

    @property
    def measures(self) -> list[Measure]:
        return self._measures.records

    @property
    def threads(self) -> list[tuple[int, int]]:
        """(step, count): from this step on, training took so many processor threads."""
        return self._threads.records

    @property
    def signals(self) -> list[Signal]:
        return self._signals.records

    def frame_path(self, step: int) -> Path:
        return self.folder / "frames" / f"{step:08d}.png"

    def add_row(self, row: Row) -> None:
        """Numbers are rounded to six digits here, so that memory and disk agree."""
        self._rows.add(cast(Row, tuple(map(_short, row))))

    def add_event(self, step: int, kind: str, text: str) -> None:
        self._events.add({"step": step, "kind": kind, "text": text})

    def add_threads(self, step: int, count: int) -> None:
        self._threads.add((step, count))

    def add_signal(self, record: Signal) -> None:
        """One number, or None, for each name of SIGNALS; rounded to six digits."""
        self._signals.add({name: _short(record[name]) for name in SIGNALS})

    def add_measure(self, measure: Measure) -> None:
        self._measures.add(measure)

    def add_frame(self, step: int, png: bytes, fake: list[float], real: list[float]) -> None:
        self._pictures.append((step, png))
        self._frames.add({"step": step, "fake": fake, "real": real})

    def flush(self) -> None:
        """Bring everything to disk. Raises OSError; what was not written stays pending for the next call."""
        while self._pictures:
            step, png = self._pictures[0]
            path = self.frame_path(step)
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, png)
            self._pictures.pop(0)
        for lines in (self._frames, self._rows, self._events, self._threads, self._signals, self._measures):
            lines.flush()

    def forget_after(self, step: int) -> None:
        """Take back what lies after a step, because training continues from there."""
        late = [f["step"] for f in self.frames if f["step"] > step]
        for lines in (self._frames, self._events, self._signals, self._measures):
            lines.keep(lambda e: e["step"] <= step)
        for table in (self._rows, self._threads):
            table.keep(lambda r: r[0] <= step)
        self._pictures = [(s, png) for s, png in self._pictures if s <= step]
        for s in late:
            self.frame_path(s).unlink(missing_ok=True)
        self.generation += 1
