"""Routes that tell of runs: what the page polls, pictures and numbers. Who has a run's unguessable id may read it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeGuard

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gan.core.errors import Missing
from gan.core.messages import recognised, say
from gan.data.catalog import titles
from gan.losses.objectives import OBJECTIVES
from gan.metrics.classifier import measured_sets
from gan.monitor.records import COLUMNS
from gan.runs.files import REAL_PNG
from gan.runs.history import RECORDS
from gan.runs.publishing import REAL_COUNT
from gan.runs.run import Run
from gan.runs.store import RECORDED
from gan.web.access import Access
from gan.web.routes.answers import FRESH, IMMUTABLE, Table, answer_json, count_of, tokens_of


class RunRoutes:
    """Reading, and saying that one watches."""

    def __init__(self, access: Access) -> None:
        self.runs, self.access = access.runs, access

    def table(self) -> Table:
        return {
            "GET runs": self.mine,
            "GET runs/{run_id}": self.info,
            "GET runs/{run_id}/live": self.live,
            "POST runs/{run_id}/watch": self.watch,
            "GET runs/{run_id}/rows": self.rows,
            "GET runs/{run_id}/frames": self.frames,
            "GET runs/{run_id}/frames/{step}.png": self.frame,
            "GET runs/{run_id}/real.png": self.real,
            "GET runs/{run_id}/events": self.events,
            "GET runs/{run_id}/measures": self.measures,
            "GET runs/{run_id}/columns/{what}": self.columns,
        }

    async def mine(self, request: Request) -> Response:
        return answer_json({"runs": [summary_of(run) for run in self.runs.owned(tokens_of(request))]})

    async def info(self, request: Request) -> Response:
        run = self._run(request)
        return answer_json(_info(run) | {"pictures_bytes": self.access.pictures_bytes(run, tokens_of(request))})

    async def live(self, request: Request) -> Response:
        """since=VERSION: the newest snapshot, or 204 where it is known. Who asks watches the run."""
        run = self._run(request)
        run.watch()
        snapshot = run.latest
        if snapshot is None or snapshot.version <= count_of(request, "since", -1):
            # Getting ready (reading data) has no picture yet, but something to say.
            return Response(status_code=204, headers=FRESH | {"X-Status": run.status})
        return Response(snapshot.payload, media_type="application/json", headers=FRESH)

    async def watch(self, request: Request) -> Response:
        """A page follows what this run learns: its newest weights are at hand for the next few seconds."""
        self._run(request).watch(weights=True)
        return answer_json({"ok": True})

    async def rows(self, request: Request) -> Response:
        return answer_json({"columns": COLUMNS, "rows": self._run(request).history.rows[_first(request) :]})

    async def frames(self, request: Request) -> Response:
        found = self._run(request).history.frames[_first(request) :]
        verdicts = {"verdict_fake": [f["fake"] for f in found], "verdict_real": [f["real"] for f in found]}
        return answer_json({"steps": [f["step"] for f in found], **verdicts})

    async def frame(self, request: Request) -> Response:
        step, history = request.path_params["step"], self._run(request).history
        if not (step.isascii() and step.isdigit() and len(step) <= 12):
            raise Missing(say("web.no_picture"))
        return await _png(history.frame_path(int(step)), IMMUTABLE)

    async def real(self, request: Request) -> Response:
        return await _png(self._run(request).folder / REAL_PNG, {"Cache-Control": "max-age=3600"})

    async def events(self, request: Request) -> Response:
        return answer_json({"events": self._run(request).history.events})

    async def measures(self, request: Request) -> Response:
        return answer_json({"measures": self._run(request).history.measures[_first(request) :]})

    async def columns(self, request: Request) -> Response:
        what = request.path_params["what"]
        if what not in RECORDS:
            raise Missing(say("web.no_record", name=repr(what[:40]), known=list(RECORDS)))
        records = self._run(request).history.fields(what, _first(request))
        return answer_json({"count": len(records), "columns": _columns(records)})

    def _run(self, request: Request) -> Run:
        return self.runs.get(request.path_params["run_id"])


def _first(request: Request) -> int:
    """from=N: what comes before is known to the page."""
    return count_of(request, "from", 0)


def _columns(records: Sequence[Mapping[str, object]]) -> dict[str, list[float | None]]:
    """Every number of the records as a column; None where a record has no finite one."""
    names = dict.fromkeys(name for record in records for name, value in record.items() if _is_number(value))
    return {name: [v if _is_number(v := record.get(name)) else None for record in records] for name in names}


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


async def _png(path: Path, headers: dict[str, str]) -> Response:
    """Read whole before anything is sent, because a run may be deleted meanwhile."""
    try:
        return Response(await run_in_threadpool(path.read_bytes), media_type="image/png", headers=headers)
    except FileNotFoundError:
        raise Missing(say("web.no_picture")) from None


def summary_of(run: Run) -> dict[str, object]:
    """What lists of runs say of one."""
    step = run.latest.step if run.latest else 0
    return {
        "id": run.id,
        "title": run.meta.title,
        "recipe": run.config.recipe,
        "dataset": run.config.dataset,
        "status": run.status,
        "message": run.message,
        "step": step,
        "total_steps": run.config.total_steps,
        "created": run.meta.created,
        "kept": run.meta.kept,
        "shown": run.shown,
    }


def _info(run: Run) -> dict[str, object]:
    return summary_of(run) | {
        "config": run.config.to_dict(),
        "class_names": [
            recognised(f"datasets.{run.config.dataset}.class_{i}", name) for i, name in enumerate(run.meta.class_names)
        ],
        "dataset_title": run.meta.dataset_title or run.config.dataset,
        "tiles": run.meta.tiles,
        "shown_seed": run.meta.frame_seed,
        "real_count": min(REAL_COUNT, run.config.data_limit or REAL_COUNT),
        "real_labels": run.meta.real_labels,
        "verdict_is_probability": OBJECTIVES[run.config.objective].is_probability,
        "conditional": run.config.classes > 0,
        "measurable": run.config.dataset in measured_sets(),
        "measured_sets": titles(measured_sets()),
        "checkpoint_step": run.checkpoint_step(),
        "needs": run.needs,
        "best_step": run.best_step,
        "states": run.states.steps(),
        "recorded": run.id == RECORDED,
        "events": run.history.events,
    }
