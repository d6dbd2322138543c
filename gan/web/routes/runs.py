"""Our own routes below /gradio_api/gan: what the page polls, and what its owner may ask of a run.

Every failure is JSON {"error": "one sentence"}. Reading needs the run's unguessable id, controlling its owner's token.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import logging
import math
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypeGuard

import numpy as np
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response, StreamingResponse
from torch import Tensor

from gan.core.config import KNOBS, Changes, parse_value
from gan.core.errors import Forbidden
from gan.core.images import gif_bytes, mp4_bytes
from gan.core.version import VERSION
from gan.data.catalog import DATA, DataError
from gan.losses.objectives import OBJECTIVES, Objective
from gan.losses.penalties import PENALTIES, Penalty
from gan.losses.transforms import CONSTRAINTS, TRANSFORMS, Constraint, Transform
from gan.metrics.classifier import EPOCHS
from gan.models.weights_file import Weights, to_bytes
from gan.monitor.records import COLUMNS
from gan.recipes.catalog import ALL_RECIPES
from gan.runs.archive import pack
from gan.runs.commands import COMMAND_KINDS, PLAYERS, Command
from gan.runs.errors import RunsError
from gan.runs.fork import plan_fork
from gan.runs.history import RECORDS
from gan.runs.meta import checked_measure_share
from gan.runs.publishing import REAL_COUNT
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.runs.store import RECORDED
from gan.web.addresses import is_loopback
from gan.web.mathml import mathml
from gan.web.routes.answers import FRESH, error, sentence
from gan.web.routes.kept_uploads import KeptUploads
from gan.web.routes.uploads import accepted, received, with_room
from gan.web.text import EN

BASE = "/gradio_api/gan"
BEST_WEIGHTS = "weights-best.safetensors"
RUN_ZIP = "run.zip"
MAX_JSON_BYTES = 100_000
MAX_RUN_ZIP_BYTES = 500 << 20
TIMELAPSE_FRAMES, TIMELAPSE_FPS, TIMELAPSE_SCALE = 200, 20, 2
IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}

log = logging.getLogger(__name__)
_export_guard = threading.Semaphore(1)  # films are made one at a time; training needs the other core


@dataclasses.dataclass(frozen=True)
class Visit:
    """What a page is told of this server.

    only_here: nobody but the owner may start a training. addresses: where others in the network find the page, the
    likeliest first; none when only this machine reaches it.
    """

    only_here: bool = False
    addresses: tuple[str, ...] = ()


def add_routes(app: FastAPI, runs: Runs, visit: Visit | None = None, kept: KeptUploads | None = None) -> None:
    """Add every route about runs. kept: files that make room on the disk for what is sent."""
    visit, kept = visit or Visit(), kept or KeptUploads()
    _add_start(app, runs, visit)
    _add_reading(app, runs)
    _add_columns(app, runs)
    _add_measures(app, runs)
    _add_control(app, runs, visit, kept)
    _add_order(app, runs, visit)
    _add_files(app, runs, kept)


def tokens_of(request: Request) -> list[str]:
    return [t for t in request.headers.get("x-owner", "").split(",") if t][:500]


# The first answer ------------------------------------------------------------------------------------------------


def _add_start(app: FastAPI, runs: Runs, visit: Visit) -> None:
    static = json.dumps(_tables())[:-1]

    @app.get(f"{BASE}/boot")
    def boot(request: Request) -> Response:
        """What the page is made of. Where a request comes from proves nothing: tokens are never given, only known."""
        owner = runs.is_owner(tokens_of(request))
        tail = {
            "owner": owner,
            "may_train": owner or not visit.only_here,
            "recorded": RECORDED if runs.recorded else None,
            "addresses": visit.addresses if owner or is_loopback(request.url.hostname or "") else (),
        }
        return Response(f"{static}, {json.dumps(tail)[1:]}", media_type="application/json", headers=FRESH)


_NO_PENALTY = {"name": "none", "title": "None", "about": EN["train"]["no_penalty"], "source": "", "formulas": []}


def _tables() -> dict[str, object]:
    """What the form is made of."""
    return {
        "version": VERSION,
        "text": EN,
        "recipes": [
            {
                "name": n,
                **{k: getattr(r, k) for k in ("title", "group", "about", "look_for", "cure")},
                "config": r.config.to_dict(),
            }
            for n, r in ALL_RECIPES.items()
        ],
        "datasets": [
            {
                "name": n,
                **{k: getattr(s, k) for k in ("title", "about", "size", "channels", "class_names", "downloads")},
            }
            for n, s in DATA.items()
        ],
        "knobs": [dataclasses.asdict(k) | {"kind": k.kind.__name__, "in_forks": k.in_forks} for k in KNOBS.values()],
        "tables": {
            "objective": [_explained(n, o, D=o.d_formula, G=o.g_formula) for n, o in OBJECTIVES.items()],
            "penalty": [_explained(n, p, P=p.formula) if p else _NO_PENALTY for n, p in PENALTIES.items()],
        },
        "pictures": accepted(),
        "notes": {n: _explained(n, e, **{"": e.formula}) for n, e in (TRANSFORMS | CONSTRAINTS).items()},
    }


def _explained(name: str, entry: Objective | Penalty | Transform | Constraint, **formulas: str) -> dict[str, object]:
    """What the page says about an entry of a table; formulas are (whose, MathML)."""
    words = {"title": entry.title, "about": entry.about, "source": entry.source}
    return {"name": name} | words | {"formulas": [(whose, mathml(tex)) for whose, tex in formulas.items()]}


# Reading ---------------------------------------------------------------------------------------------------------


def _add_reading(app: FastAPI, runs: Runs) -> None:
    @app.get(f"{BASE}/runs")
    @sentence
    async def mine(request: Request) -> Response:
        return JSONResponse({"runs": [_summary(r) for r in runs.owned(tokens_of(request))]}, headers=FRESH)

    @app.get(f"{BASE}/runs/{{run_id}}")
    @sentence
    async def info(run_id: str, request: Request) -> Response:
        run = runs.get(run_id)
        about = {"pictures_bytes": _pictures_bytes(runs, run, tokens_of(request))}
        return JSONResponse(_info(run) | about, headers=FRESH)

    @app.get(f"{BASE}/runs/{{run_id}}/live")
    @sentence
    async def live(run_id: str, since: str = "") -> Response:
        run = runs.get(run_id)
        run.watch()
        snapshot = run.latest
        if snapshot is None or snapshot.version <= _number(since, -1):
            # Getting ready (reading data) has no picture yet, but something to say.
            return Response(status_code=204, headers=FRESH | {"X-Status": run.status})
        return Response(snapshot.payload, media_type="application/json", headers=FRESH)

    @app.get(f"{BASE}/runs/{{run_id}}/rows")
    @sentence
    async def rows(run_id: str, request: Request) -> Response:
        start = _start(request)
        return JSONResponse({"columns": COLUMNS, "rows": runs.get(run_id).history.rows[start:]}, headers=FRESH)

    @app.get(f"{BASE}/runs/{{run_id}}/frames")
    @sentence
    async def frames(run_id: str, request: Request) -> Response:
        found = runs.get(run_id).history.frames[_start(request) :]
        verdicts = {"verdict_fake": [f["fake"] for f in found], "verdict_real": [f["real"] for f in found]}
        return JSONResponse({"steps": [f["step"] for f in found], **verdicts}, headers=FRESH)

    @app.get(f"{BASE}/runs/{{run_id}}/events")
    @sentence
    async def events(run_id: str) -> Response:
        return JSONResponse({"events": runs.get(run_id).history.events}, headers=FRESH)

    @app.get(f"{BASE}/runs/{{run_id}}/frames/{{step}}.png")
    @sentence
    async def frame(run_id: str, step: int) -> Response:
        return await _png(runs.get(run_id).history.frame_path(step), IMMUTABLE)

    @app.get(f"{BASE}/runs/{{run_id}}/real.png")
    @sentence
    async def real(run_id: str) -> Response:
        return await _png(runs.get(run_id).folder / "real.png", {"Cache-Control": "max-age=3600"})


def _add_measures(app: FastAPI, runs: Runs) -> None:
    @app.post(f"{BASE}/runs/{{run_id}}/watch")
    @sentence
    async def watch(run_id: str) -> Response:
        """A page follows what this run learns: its newest weights are at hand for the next few seconds."""
        runs.get(run_id).watch(weights=True)
        return JSONResponse({"ok": True}, headers=FRESH)

    @app.get(f"{BASE}/runs/{{run_id}}/measures")
    @sentence
    async def measures(run_id: str, request: Request) -> Response:
        return JSONResponse({"measures": runs.get(run_id).history.measures[_start(request) :]}, headers=FRESH)


def _add_columns(app: FastAPI, runs: Runs) -> None:
    @app.get(f"{BASE}/runs/{{run_id}}/columns/{{what}}")
    @sentence
    async def columns(run_id: str, what: str, request: Request) -> Response:
        if what not in RECORDS:
            return error(404, f"There is no record {what[:40]!r}; known: {', '.join(RECORDS)}.")
        records = runs.get(run_id).history.fields(what, _start(request))
        return JSONResponse({"count": len(records), "columns": _columns(records)}, headers=FRESH)


def _columns(records: Sequence[Mapping[str, object]]) -> dict[str, list[float | None]]:
    """Every number of the records as a column; None where a record has no finite one."""
    names = dict.fromkeys(name for record in records for name, value in record.items() if _is_number(value))
    return {name: [v if _is_number(v := record.get(name)) else None for record in records] for name in names}


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _start(request: Request) -> int:
    return _number(request.query_params.get("from", ""), 0)


def _number(text: str, otherwise: int) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else otherwise


async def _png(path: Path, headers: dict[str, str]) -> Response:
    """Read whole before anything is sent, because a run may be deleted meanwhile."""
    try:
        return Response(await run_in_threadpool(path.read_bytes), media_type="image/png", headers=headers)
    except FileNotFoundError:
        return error(404, "There is no such picture.")


def _summary(run: Run) -> dict[str, object]:
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
    return _summary(run) | {
        "config": run.config.to_dict(),
        "class_names": run.meta.class_names,
        "dataset_title": run.meta.dataset_title or run.config.dataset,
        "tiles": run.meta.tiles,
        "shown_seed": run.meta.frame_seed,
        "real_count": min(REAL_COUNT, run.config.data_limit or REAL_COUNT),
        "real_labels": run.meta.real_labels,
        "verdict_is_probability": OBJECTIVES[run.config.objective].is_probability,
        "conditional": run.config.classes > 0,
        "measurable": run.config.dataset in EPOCHS,
        "checkpoint_step": run.checkpoint_step(),
        "needs": run.needs,
        "best_step": run.best_step,
        "states": run.states.steps(),
        "recorded": run.id == RECORDED,
        "events": run.history.events,
    }


# Control ---------------------------------------------------------------------------------------------------------


def _add_control(app: FastAPI, runs: Runs, visit: Visit, kept: KeptUploads) -> None:
    @app.post(f"{BASE}/runs")
    @sentence
    async def create(request: Request) -> Response:
        refuse_strangers(runs, visit, request)
        body = await json_of(request)
        recipe, dataset = str(body.get("recipe")), body.get("dataset")
        shown = body.get("shown", True) is True  # own pictures never are, see Runs.create
        tokens = tokens_of(request)
        make = functools.partial(runs.create, recipe, str(dataset) if dataset else None, _changes(body), shown, tokens)
        return await run_in_threadpool(_start_new, runs, make, tokens)

    @app.get(f"{BASE}/busy")
    @sentence
    async def busy(request: Request) -> Response:
        """Whether something more can train; where not, the refusal that Train would get."""
        refusal = await run_in_threadpool(runs.admission.no_room, tokens_of(request))
        why = {"error": str(refusal), **refusal.details} if refusal else {}
        return JSONResponse({"free": refusal is None} | why, headers=FRESH)

    @app.post(f"{BASE}/runs/{{run_id}}/command")
    @sentence
    async def command(run_id: str, request: Request) -> Response:
        run, asked = _owned(runs, run_id, request), _command(await json_of(request))
        if asked.kind in ("resume", "step"):
            refuse_strangers(runs, visit, request)
        await run_in_threadpool(runs.command, run, asked, tokens_of(request))
        return JSONResponse({"ok": True})

    @app.post(f"{BASE}/runs/import")
    @sentence
    async def bring_back(request: Request) -> Response:
        refuse_strangers(runs, visit, request)
        async with received(request, MAX_RUN_ZIP_BYTES, kept.drop_oldest) as file:
            run, token, claim = await run_in_threadpool(runs.bring_back, file)
            await run_in_threadpool(runs.evict_oldest, run)
        return JSONResponse({"id": run.id, "token": token, "pictures_token": claim}, 201)


def _add_order(app: FastAPI, runs: Runs, visit: Visit) -> None:
    """Forks, titles, what is kept and what is deleted."""

    @app.post(f"{BASE}/runs/{{run_id}}/fork")
    @sentence
    async def fork(run_id: str, request: Request) -> Response:
        """Whoever may see a run may go on from it: the fork is theirs. Their own run pauses when both have no room."""
        refuse_strangers(runs, visit, request)
        body = await json_of(request)
        source, changes, step = runs.get(run_id), _changes(body), _step(body)
        plan = await run_in_threadpool(plan_fork, source, changes, step)  # refused before anything is paused for it
        tokens = tokens_of(request)
        if runs.may_control(source, tokens):
            await run_in_threadpool(runs.admission.make_room_for_fork, source, tokens)
        make = functools.partial(runs.fork, plan, tokens)
        return await run_in_threadpool(_start_new, runs, make, tokens)

    @app.patch(f"{BASE}/runs/{{run_id}}")
    @sentence
    async def change(run_id: str, request: Request) -> Response:
        run = _owned(runs, run_id, request)
        body = await json_of(request)
        if "title" in body:
            await run_in_threadpool(runs.rename, run, str(body["title"]))
        if "kept" in body:
            await run_in_threadpool(runs.mark, run, body["kept"] is True)
        if "shown" in body:
            await run_in_threadpool(runs.show, run, body["shown"] is True)
        return JSONResponse(_summary(run))

    @app.post(f"{BASE}/runs/{{run_id}}/token")
    @sentence
    async def token(run_id: str, request: Request) -> Response:
        """One more token for a run, which its owner may give to another device."""
        run = _owned(runs, run_id, request)
        return JSONResponse({"token": await run_in_threadpool(runs.new_token, run)}, 201, headers=FRESH)

    @app.delete(f"{BASE}/runs/{{run_id}}")
    @sentence
    async def delete(run_id: str, request: Request) -> Response:
        await run_in_threadpool(runs.delete, _owned(runs, run_id, request))
        return JSONResponse({"ok": True})


def _owned(runs: Runs, run_id: str, request: Request) -> Run:
    run = runs.get(run_id)
    if not runs.may_control(run, tokens_of(request)):
        raise Forbidden("Only the page that started this run can steer it.")
    return run


def refuse_strangers(runs: Runs, visit: Visit, request: Request) -> None:
    if visit.only_here and not runs.is_owner(tokens_of(request)):
        raise Forbidden(EN["train"]["only_here"])


def _start_new(runs: Runs, make: Callable[[], tuple[Run, str]], tokens: list[str]) -> Response:
    """Make a run and let it train; nothing is made, and nobody's run paused, when there is no room or it cannot be."""
    if refusal := runs.admission.no_room(tokens):
        raise refusal
    run, token = make()
    runs.start(run, tokens)
    runs.evict_oldest(spare=run)
    return JSONResponse({"id": run.id, "token": token}, 201)


def _changes(body: dict[str, Any]) -> Changes:
    changes = body.get("changes") or {}
    if not isinstance(changes, dict):
        raise RunsError("The settings must be a table of names and values.")
    return {str(name): parse_value(str(name), value) for name, value in changes.items()}


def _step(body: dict[str, Any]) -> int | None:
    """Which step to go back to, or to fork from; None: the newest state."""
    step = body.get("step")
    if step is not None and (isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < 10**12):
        raise RunsError("The step must be a whole number, 0 or more.")
    return step


def _command(body: dict[str, Any]) -> Command:
    kind, players = body.get("command"), body.get("players") or "both"
    if kind not in COMMAND_KINDS:
        raise RunsError(f"There is no command {str(kind)[:40]!r}; known: {', '.join(COMMAND_KINDS)}.")
    if players not in PLAYERS:
        raise RunsError(f"There are no players {str(players)[:40]!r}; known: {', '.join(PLAYERS)}.")
    names = [n for n in ("d_lr", "g_lr", "total_steps") if body.get(n) not in (None, "")]
    given: dict[str, Any] = {n: parse_value(n, body[n]) for n in names}
    if kind == "measure_share":
        given["measure_share"] = checked_measure_share(body.get("measure_share"))
    return Command(kind, players, at=_step(body), **given)


async def json_of(request: Request) -> dict[str, Any]:
    data = await request.body()
    try:
        body = json.loads(data) if len(data) <= MAX_JSON_BYTES else None
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise RunsError("The request could not be read.")
    return body


# Downloads -------------------------------------------------------------------------------------------------------


def _add_files(app: FastAPI, runs: Runs, kept: KeptUploads) -> None:
    @app.get(f"{BASE}/runs/{{run_id}}/download/{{what}}")
    @sentence
    async def download(run_id: str, what: str, request: Request, pictures: str = "") -> Response:
        run = runs.get(run_id)
        if what == RUN_ZIP:
            own = _own_pictures(runs, run, tokens_of(request)) if pictures == "1" else None
            file = await run_in_threadpool(with_room, functools.partial(_run_zip, run, own), kept.drop_oldest)
            headers = _file_headers(run, what) | {"Content-Length": str(file.tell())}
            return StreamingResponse(_pieces(file), media_type="application/zip", headers=headers)
        if what not in _DOWNLOADS:
            return error(404, f"There is no download {what[:40]!r}; known: {', '.join([*_DOWNLOADS, RUN_ZIP])}.")
        media_type, make = _DOWNLOADS[what]
        data = await run_in_threadpool(make, run)
        return Response(data, media_type=media_type, headers=_file_headers(run, what))


def _pictures_bytes(runs: Runs, run: Run, tokens: list[str]) -> int:
    """How large the own pictures are that who has these tokens may take along with the run; 0: none."""
    may = runs.may_control(run, tokens) and runs.may_manage(run.config.dataset, tokens)
    return runs.prepared.bytes_of(run.config.dataset) if may else 0


def _own_pictures(runs: Runs, run: Run, tokens: list[str]) -> Path:
    """The prepared pictures of a run, for who may take them along. Raises Forbidden or DataError."""
    path = runs.prepared.path(run.config.dataset)
    if path is None:
        raise DataError("The pictures that this run learned from are not here, or come with the program.")
    if not _pictures_bytes(runs, run, tokens):
        raise Forbidden("Only who started this run and prepared its pictures can take them along.")
    return path


def _run_zip(run: Run, pictures: Path | None) -> IO[bytes]:
    """The whole run, in a file without a name that has been written to its end."""
    with contextlib.ExitStack() as on_failure:
        file = on_failure.enter_context(tempfile.TemporaryFile())
        pack(run.folder, file, pictures)
        file.flush()
        on_failure.pop_all()
    return file


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(1 << 20):
            yield piece


def _file_headers(run: Run, what: str) -> dict[str, str]:
    return FRESH | {"Content-Disposition": f'attachment; filename="{download_name(run, what)}"'}


def download_name(run: Run, what: str) -> str:
    """What a file of a run is called on the visitor's disk."""
    recipe = re.sub(r"[^A-Za-z0-9.-]+", "-", run.config.recipe)[:60]  # a run that was brought back may say anything
    return f"gan-forge-{recipe}-{run.id[:6]}-{what}"


def _weights_file(run: Run) -> bytes:
    found = run.weights()
    if found is None:
        raise RunsError("This run has no weights yet.")
    return _as_file(run, int(found[0]), found[1])


def _best_file(run: Run) -> bytes:
    step = run.best_step or 0
    return _as_file(run, step, run.best_weights())


def _as_file(run: Run, step: int, state: dict[str, Tensor]) -> bytes:
    names = tuple(run.meta.class_names) if run.config.classes else ()
    return to_bytes(Weights(run.config, run.meta.title, names, step, state))


def _history_file(run: Run) -> bytes:
    path = run.folder / "rows.csv"
    return path.read_bytes() if path.exists() else (",".join(COLUMNS) + "\n").encode()


def _timelapse(run: Run, encode: Callable[..., bytes]) -> bytes:
    frames = run.history.frames
    if len(frames) < 2:
        raise RunsError("There are not enough frames for a timelapse yet.")
    chosen = [frames[round(i)] for i in np.linspace(0, len(frames) - 1, min(len(frames), TIMELAPSE_FRAMES))]
    with _export_guard:
        sheets = [_sheet(run.history.frame_path(f["step"])) for f in chosen]
        sheets += sheets[-1:] * TIMELAPSE_FPS  # the result stays for a second before the loop starts again
        return encode(sheets, TIMELAPSE_FPS, TIMELAPSE_SCALE)


def _sheet(path: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(path, formats=["PNG"]) as picture:
        sheet = np.asarray(picture)
    return sheet[:, :, None] if sheet.ndim == 2 else sheet  # [H, W, C]


_DOWNLOADS: dict[str, tuple[str, Callable[[Run], bytes]]] = {
    "weights.safetensors": ("application/octet-stream", _weights_file),
    BEST_WEIGHTS: ("application/octet-stream", _best_file),
    "history.csv": ("text/csv", _history_file),
    "timelapse.gif": ("image/gif", lambda run: _timelapse(run, gif_bytes)),
    "timelapse.mp4": ("video/mp4", lambda run: _timelapse(run, mp4_bytes)),
}
