"""The diagnosis of a run, for whoever may see it."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import blake2s

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gan.monitor.diagnosis import Verdict, diagnose
from gan.runs.diagnosis_report import answer, past_of
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.web.routes.answers import Table, count_of, unless_known

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


class DiagnosisRoutes:
    """What is happening to a run, in words."""

    def __init__(self, runs: Runs) -> None:
        self.runs, self._diagnoses = runs, _Diagnoses()

    def table(self) -> Table:
        return {"GET runs/{run_id}/diagnosis": self.diagnosis}

    async def diagnosis(self, request: Request) -> Response:
        """step=N: as it looked at that step; without, as it looks now."""
        run, step = self.runs.get(request.path_params["run_id"]), count_of(request, "step", -1)
        verdicts = await run_in_threadpool(self._diagnoses.of, run, None if step < 0 else step)
        return _json_unless_known(request, answer(run, verdicts))


def _json_unless_known(request: Request, said: Mapping[str, object]) -> Response:
    """A page asks often, and hears the same most of the time."""
    body = json.dumps(said).encode()
    digest = blake2s(body, digest_size=8).hexdigest()

    def whole(headers: dict[str, str]) -> Response:
        return Response(body, media_type="application/json", headers=headers)

    return unless_known(request, digest, "private, no-cache", whole)
