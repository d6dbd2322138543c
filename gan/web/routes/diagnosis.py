"""The diagnosis of a run, for whoever may see it."""

from __future__ import annotations

import json

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gan.runs.diagnosis_report import answer
from gan.runs.registry import Runs
from gan.web.diagnoses import Diagnoses
from gan.web.routes.answers import Table, count_of, json_unless_known


class DiagnosisRoutes:
    """What is happening to a run, in words."""

    def __init__(self, runs: Runs, diagnoses: Diagnoses) -> None:
        self.runs, self._diagnoses = runs, diagnoses

    def table(self) -> Table:
        return {"GET runs/{run_id}/diagnosis": self.diagnosis}

    async def diagnosis(self, request: Request) -> Response:
        """step=N: as it looked at that step; without, as it looks now."""
        run, step = self.runs.get(request.path_params["run_id"]), count_of(request, "step", -1)
        verdicts = await run_in_threadpool(self._diagnoses.of, run, None if step < 0 else step)
        return json_unless_known(request, json.dumps(answer(run, verdicts)).encode())
