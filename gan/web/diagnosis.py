"""The diagnosis of a run: a line in the Train tab that opens to a card, and the route that both read (diagnosis.js)."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from gan.diagnosis import Verdict, diagnose
from gan.diagnosis.report import answer, past_of
from gan.run import Run
from gan.runs import Runs
from gan.web.errors import FRESH, sentence
from gan.web.routes import BASE

KEPT = 200  # answers that are remembered

# One line of a fixed height, so that nothing moves when a verdict changes; what it opens to is asked for by a person.
FRAGMENT = """
<details class="gf-diagnosis" data-gf="diagnosis" data-severity="early">
  <summary><span class="gf-diagnosis-mark" aria-hidden="true"></span>
    <span class="gf-diagnosis-line" role="status"><b data-gf="diagnosis-title">{diagnosis_early}</b>
      <span class="gf-hint" data-gf="diagnosis-seen">{diagnosis_early_hint}</span></span>
    <span class="gf-diagnosis-more" data-gf="diagnosis-more"></span></summary>
  <div class="gf-diagnosis-body" data-gf="diagnosis-body"></div>
</details>"""

Version = tuple[int, ...]


class _Diagnoses:
    """The verdicts on each run at each step, found once for all its viewers and each version of its history."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: OrderedDict[tuple[str, int | None], tuple[Version, list[Verdict]]] = OrderedDict()

    def of(self, run: Run, step: int | None) -> list[Verdict]:
        """step: as it looked then; None: now."""
        past = past_of(run, step)
        version, key = (run.history.generation, *map(len, past)), (run.id, step)
        with self._guard:
            known = self._kept.get(key)
            if known is None or known[0] != version:
                known = version, diagnose(run.config, *past)
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
