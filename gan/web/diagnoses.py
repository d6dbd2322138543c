"""The verdicts on runs, found once for all who ask."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from gan.monitor.diagnosis import Verdict, diagnose
from gan.runs.diagnosis_report import past_of
from gan.runs.run import Run

KEPT = 200  # answers that are remembered

_Version = tuple[int, ...]
_Known = tuple[_Version, float, list[Verdict]]  # when they were found, by time.monotonic()


class Diagnoses:
    """The verdicts on each run at each step, found once for all its viewers and each version of its history."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: OrderedDict[tuple[str, int | None], _Known] = OrderedDict()

    def of(self, run: Run, step: int | None = None, age: float = 0.0) -> list[Verdict]:
        """step: as it looked then; None: now. age: seconds; verdicts that are no older are good enough."""
        with self._guard:
            known = self._kept.get((run.id, step))
            if known is not None and time.monotonic() - known[1] < age:
                self._kept.move_to_end((run.id, step))
                return known[2]
        past = past_of(run, step)
        version, key = (run.history.generation, *(len(records) for records in past[1:])), (run.id, step)
        with self._guard:
            known = self._kept.get(key)
            verdicts = known[2] if known is not None and known[0] == version else diagnose(*past)
            known = self._kept[key] = version, time.monotonic(), verdicts
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return known[2]
