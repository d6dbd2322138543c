"""What is new of a run since somebody asked last, as bytes that are made once for all who know the same.

An answer is a line of JSON (FollowAnswer). Behind it stand the newest pictures where they are new: the difference of
each pixel from what was shown before, in the order of the shades before, so that those lie together which change alike.
Packed by gzip that is about half as much as a PNG. Pictures that frames do not keep exactly stand there as WebP.
"""

from __future__ import annotations

import json
import math
import re
import threading
import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import blake2s
from typing import Any, NamedTuple, TypedDict

import numpy as np

from gan.core.messages import with_messages
from gan.runs.history import Mark
from gan.runs.run import Run
from gan.runs.snapshot import Numbers, Snapshot
from gan.web.descriptions import Description, Messages, description_of

KEPT_RUNS = 32
KEPT_ANSWERS, KEPT_BYTES = 8, 1 << 20  # of each run's newest moment
KEPT_MOMENTS = 4  # of each run, whose pictures others may be told as differences from

_CURSOR = re.compile(r"([0-9]{1,15})\.([0-9a-f]{0,8})\.([0-9]{1,15})((?:\.[0-9]{1,15}){0,20})")

Cell = float | str | list[float] | dict[str, Any] | None
Columns = dict[str, list[Cell]]  # the values of a kind of record, one below the other, by their names


class Moment(Numbers, Messages):
    """A snapshot without its pictures."""

    version: int
    step: int


class _Sheet(TypedDict):
    width: int
    height: int
    channels: int
    difference: bool


class Picture(_Sheet, total=False):
    """What stands behind the line: uint8 [height, width, channels], or with `webp` such a file.

    difference: from what was shown, not from black.
    """

    webp: bool


class _Always(TypedDict):
    cursor: str
    again: bool


class FollowAnswer(_Always, total=False):
    """What is new: only what there is.

    cursor: to ask with next time. again: what was known of the records before is void. records: by kind.
    """

    run: Description
    snapshot: Moment
    picture: Picture
    records: dict[str, Columns]


class Cursor(NamedTuple):
    """How far somebody has followed a run. The page sends it back as it got it."""

    version: int = 0
    described: str = ""  # a digest of the description
    mark: Mark = Mark()

    def __str__(self) -> str:
        return ".".join(map(str, (self.version, self.described, self.mark.generation, *self.mark.counts)))


def cursor_of(text: str) -> Cursor:
    """What is no cursor stands for the beginning."""
    found = _CURSOR.fullmatch(text)
    if found is None:
        return Cursor()
    counts = tuple(int(count) for count in found[4].split(".")[1:])
    return Cursor(int(found[1]), found[2], Mark(int(found[3]), counts))


class Answer:
    """The bytes for everybody who knows the same, plain and packed by gzip; none where nothing is new."""

    def __init__(self, body: bytes = b"") -> None:
        self.body, self.packed = body, _packed(body)


class Following:
    """The answers to all who follow runs."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._now: OrderedDict[str, _Now] = OrderedDict()

    def known(self, run: Run, since: Cursor) -> Answer | None:
        """The answer, where somebody has asked the same at this moment."""
        now = self._now.get(run.id)
        return now.answers.get(since) if now is not None and now.is_of(run) else None

    def answer(self, run: Run, since: Cursor) -> Answer:
        """The answer: a few milliseconds of work for the first who asks, more where he knows nothing yet."""
        return self._now_of(run).answer(since)

    def _now_of(self, run: Run) -> _Now:
        with self._guard:
            known = self._now.get(run.id)
            if known is None or not known.is_of(run):
                self._now[run.id] = known = _Now(run, known)
            self._now.move_to_end(run.id)
            while len(self._now) > KEPT_RUNS:
                self._now.popitem(last=False)
        return known


class _Now:
    """What is known of a run until it shows another moment, or is described in another way."""

    def __init__(self, run: Run, before: _Now | None) -> None:
        self.run, self.snapshot, self.words = run, run.latest, _words(run)
        if before is not None and before.run is not run:
            before = None
        self.sheets: dict[int, np.ndarray] = _sheets(before.sheets if before else {}, self.snapshot)
        if before is not None and before.words == self.words:
            described = before.description, before.digest
        else:
            described = _described(run)
        self.description: Description = described[0]
        self.digest: str = described[1]
        mark = self.snapshot.mark if self.snapshot else Mark()
        self.cursor = Cursor(self.snapshot.version if self.snapshot else 0, self.digest, mark)
        self.answers: OrderedDict[Cursor, Answer] = OrderedDict()
        # Who goes on never waits for the long answer to somebody who begins.
        self._begins, self._goes_on = threading.Lock(), threading.Lock()
        self._keeps = threading.Lock()  # both do

    def is_of(self, run: Run) -> bool:
        """Whether nothing has changed."""
        return self.run is run and self.snapshot is run.latest and self.words == _words(run)

    def answer(self, since: Cursor) -> Answer:
        goes_on = since.mark.generation == self.cursor.mark.generation
        with self._goes_on if goes_on else self._begins:
            known = self.answers.get(since)
            if known is None:
                known = self._made(since)
                self._keep(since, known)
        return known

    def _keep(self, since: Cursor, answer: Answer) -> None:
        with self._keeps:
            self.answers[since] = answer
            kept = list(self.answers.values())
            while len(kept) > 1 and (len(kept) > KEPT_ANSWERS or sum(len(answer.body) for answer in kept) > KEPT_BYTES):
                self.answers.popitem(last=False)
                kept.pop(0)

    def _made(self, since: Cursor) -> Answer:
        if since == self.cursor:
            return Answer()
        again = not _leads_to(since.mark, self.cursor.mark)
        version = 0 if again else since.version  # of a server that was started anew nothing is known
        start = Mark() if again else since.mark
        answer: FollowAnswer = {"cursor": str(self.cursor), "again": again}
        if since.described != self.digest:
            answer["run"] = with_messages(self.description)
        if self.snapshot is None:
            return self._introduced(since)
        records = self.run.history.between(start, self.snapshot.mark)
        if records is None:  # it goes back just now, and will show that in a moment
            return self._introduced(since)
        answer["records"] = {name: columns for name, found in records.items() if (columns := _columns(found))}
        if version != self.snapshot.version:
            answer["snapshot"] = with_messages(_moment(self.snapshot))
        if version >= self.snapshot.pictured:
            return Answer(_encoded(answer) + b"\n")
        answer["picture"], pixels = self._pictures(self.snapshot, self.sheets.get(version))
        return Answer(_encoded(answer) + b"\n" + pixels)

    def _introduced(self, since: Cursor) -> Answer:
        """What the run is, for who has not heard it; the rest follows."""
        if since.described == self.digest:
            return Answer()
        told: FollowAnswer = {"cursor": str(since._replace(described=self.digest)), "again": False}
        return Answer(_encoded(told | {"run": with_messages(self.description)}) + b"\n")

    @staticmethod
    def _pictures(snapshot: Snapshot, known: np.ndarray | None) -> tuple[Picture, bytes]:
        about = _picture(snapshot.sheet, snapshot.is_exact and known is not None)
        if snapshot.is_exact:
            return about, difference(known, snapshot.sheet)
        return about | {"webp": True}, snapshot.frame


def _described(run: Run) -> tuple[Description, str]:
    description = description_of(run)
    return description, blake2s(_encoded(description), digest_size=4).hexdigest()


def _sheets(known: dict[int, np.ndarray], snapshot: Snapshot | None) -> dict[int, np.ndarray]:
    """The pictures of the last moments, by their version."""
    newest = {snapshot.version: snapshot.sheet} if snapshot else {}
    return dict([*(known | newest).items()][-KEPT_MOMENTS:])


def _packed(body: bytes) -> bytes:
    """By gzip, in short blocks, because shades lie in order."""
    gzip = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS, 5, zlib.Z_FILTERED)
    return gzip.compress(body) + gzip.flush()


def difference(before: np.ndarray | None, after: np.ndarray) -> bytes:
    """What is to be added to each pixel (modulo 256) of one uint8 array to make the other; None: black.

    In the order of the shades before, those of the same shade as they lie.
    """
    changed = (after if before is None else after - before).ravel()
    return (changed if before is None else changed[np.argsort(before, axis=None, kind="stable")]).tobytes()


def _picture(sheet: np.ndarray, is_difference: bool) -> Picture:
    height, width, channels = sheet.shape
    return {"width": width, "height": height, "channels": channels, "difference": is_difference}


def _words(run: Run) -> tuple[object, ...]:
    """What the description is made anew for."""
    meta = run.meta
    return run.status, run.message, meta.title, meta.kept, meta.shown, meta.config, run.best_step


def _moment(snapshot: Snapshot) -> Moment:
    return {"version": snapshot.version, "step": snapshot.step, **snapshot.numbers}


def _leads_to(before: Mark, now: Mark) -> bool:
    """Whether what came after `before` is all that is missing."""
    same = before.generation == now.generation and len(before.counts) == len(now.counts)
    return same and all(a <= b for a, b in zip(before.counts, now.counts, strict=True))


def _columns(records: Sequence[Mapping[str, Any]]) -> Columns:
    """Every value of the records as a column, None where a record has none; a column of nothing else is left out."""
    names = dict.fromkeys(name for record in records for name, value in record.items() if value is not None)
    return {name: [record.get(name) for record in records] for name in names}


def _encoded(content: object) -> bytes:
    """As short JSON; numbers that a page cannot read are null."""
    try:
        return _dumps(content)
    except ValueError:
        return _dumps(_finite(content))


def _dumps(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
