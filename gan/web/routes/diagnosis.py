"""The diagnosis of a run, for whoever may see it."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from gan.monitor.diagnosis import Verdict, diagnose
from gan.runs.diagnosis_report import answer, past_of
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.web.routes.answers import FRESH, sentence
from gan.web.routes.runs import BASE

KEPT = 200  # answers that are remembered

Version = tuple[int, ...]


class _Diagnoses:
    """The verdicts on each run at each step, found once for all its viewers and each version of its history."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: OrderedDict[tuple[str, int | None], tuple[Version, list[Verdict]]] = OrderedDict()

    def of(self, run: Run, step: int | None) -> list[Verdict]:
        """step: as it looked then; None: now."""
        past = past_of(run, step)
        version, key = (run.history.generation, *(len(records) for records in past[1:])), (run.id, step)
        with self._guard:
            known = self._kept.get(key)
            if known is None or known[0] != version:
                known = version, diagnose(*past)
                self._kept[key] = known
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return known[1]


def add_diagnosis_route(app: FastAPI, runs: Runs) -> None:
    diagnoses = _Diagnoses()

    @app.get(f"{BASE}/runs/{{run_id}}/diagnosis")
    @sentence
    async def diagnosis(run_id: str, step: str = "") -> Response:
        """step=N: as it looked at that step; without, as it looks now."""
        run = runs.get(run_id)
        verdicts = await run_in_threadpool(diagnoses.of, run, int(step) if re.fullmatch(r"[0-9]{1,12}", step) else None)
        return JSONResponse(answer(run, verdicts), headers=FRESH)
