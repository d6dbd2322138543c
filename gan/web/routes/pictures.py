"""Routes that draw: weights, pixels, latents. Every request says all it wants; nothing is remembered."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TypeVar

import numpy as np
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from torch import Tensor

from gan.latent.directions import Direction, from_text, to_text
from gan.latent.query import MAX_RINGS, BadQuery, in_base64, integer, label_of, number, spec_of
from gan.latent.spec import RING, packed, unpacked
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.serving.generator import Pixels, RenderError, StudiedGenerator
from gan.serving.renderer import MAX_UPLOAD_BYTES, Learned, Renderer, Source
from gan.serving.requests import Near
from gan.serving.worker import Check
from gan.web.routes.answers import FRESH, sentence
from gan.web.text import EN

PREFIX = "/gradio_api/gan/"
MAX_NEAR, MAX_MARKS = 32, 200
MAX_DIRECTIONS_FILE = 1 << 20
SCALES = (1, 16)
T = TypeVar("T")


def add_picture_routes(app: FastAPI, renderer: Renderer, runs: Runs | None) -> None:
    """Add the routes to a running app. `runs` lists the runs a visitor owns and names a run (runs.registry)."""
    view = _View(renderer, runs)
    reads = {
        "weights": view.shipped,
        "weights/{name}": view.about,
        "weights/{name}/page": view.page,
        "latent": view.latent,
        "weights/{name}/directions": view.directions,
        "steered": view.steered,
        "study": view.study,
        "teach": view.teach,
        "directions.json": view.directions_file,
    }
    for path, endpoint in reads.items():
        app.add_route(PREFIX + path, sentence(endpoint), ["GET"])
    app.add_route(PREFIX + "weights", sentence(view.open_file), ["POST"])
    app.add_route(PREFIX + "weights/{name}/directions", sentence(view.open_directions), ["POST"])


class _View:
    """The endpoints. All of them wait for the renderer's thread or for a worker thread, never on the event loop."""

    def __init__(self, renderer: Renderer, runs: Runs | None) -> None:
        self.renderer, self.runs = renderer, runs

    async def shipped(self, request: Request) -> Response:
        tokens = [token.strip() for token in request.headers.get("x-owner", "").split(",") if token.strip()]
        listed = await run_in_threadpool(self.renderer.shipped)
        shipped = [{"id": name, "title": w.title or name, "group": "shipped"} for name, w in listed.items()]
        mine = await run_in_threadpool(self._my_runs, tokens)
        return JSONResponse({"weights": mine + shipped}, headers=FRESH)

    def _my_runs(self, tokens: list[str]) -> list[dict[str, object]]:
        """The visitor's runs, newest first, the learning ones before the others."""
        owned = [] if self.runs is None else self.runs.owned(tokens)
        runs = [(run, latest) for run in owned if (latest := run.latest) is not None]
        entries = [
            {"id": f"run-{run.id}", "title": run.meta.title, "group": _group(run), "step": latest.step}
            for run, latest in runs
        ] + [
            {"id": f"run-{run.id}@best", "title": _best_title(run), "group": "run", "step": run.best_step}
            for run, _ in runs
            if run.best_step is not None
        ]
        return sorted(entries, key=lambda entry: entry["group"] != "live")

    async def about(self, request: Request) -> Response:
        name = request.path_params["name"]
        about = {"id": name} | await wait(self.renderer.ask(name, lambda generator, _: generator.about()))
        if self.runs is not None and name.startswith("run-"):
            run, best = self.runs.whose_weights(name[4:])
            live = {"title": run.meta.title, "live": _group(run) == "live"}
            about |= {"title": _best_title(run), "live": False} if best else live
        return JSONResponse({"live": False} | about, headers=FRESH)

    async def page(self, request: Request) -> Response:
        """Kept by browsers and asked for again at every use: who has the same content gets only a word."""
        file = await wait(self.renderer.ask(request.path_params["name"], lambda generator, _: generator.page))
        etag = f'"{file.digest}"'
        headers = {"Cache-Control": "private, no-cache", "ETag": etag}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(file.data, media_type="application/octet-stream", headers=headers)

    async def latent(self, request: Request) -> Response:
        query = request.query_params
        name, spec, slot = weights_of(query), spec_of(query), slot_of(query)
        numbers = await wait(self.renderer.ask(name, lambda generator, _: generator.latent(spec), slot))
        return JSONResponse({"z": [round(number, 4) for number in numbers]}, headers=FRESH)

    async def open_file(self, request: Request) -> Response:
        data = await body_of(request, MAX_UPLOAD_BYTES, "This file is too large; weights")
        name = await run_in_threadpool(self.renderer.open_file, data)
        return JSONResponse({"id": name}, 201)

    # Directions ---------------------------------------------------------------------------------------------------

    async def directions(self, request: Request) -> Response:
        """What a study of the weights found; the vectors come back in the requests that use them."""
        name, slot = request.path_params["name"], slot_of(request.query_params)
        job = self.renderer.ask_study(name, lambda study, check: (study.stamp, study.directions(check)), slot)
        stamp, found = await wait(job)
        return JSONResponse({"stamp": stamp, "directions": list(map(_written, found))}, headers=FRESH)

    async def steered(self, request: Request) -> Response:
        """The directions that are fitted to the picture of this address, whatever else pushes it."""
        query = request.query_params
        spec, label = spec_of(query), class_of(query)
        found = await self._ask_study(query, lambda study, check: study.steered(spec, label, check))
        return JSONResponse({"directions": list(map(_written, found))}, headers=FRESH)

    async def study(self, request: Request) -> Response:
        """rows=0,10,20: pictures of the study, to be marked."""
        query = request.query_params
        rows = _rows(query, "rows")
        return raw(await self._ask_study(query, lambda study, _: study.pictures(rows)))

    async def teach(self, request: Request) -> Response:
        """more=3,7&less=5: the direction from pictures marked "less" to those marked "more"."""
        query = request.query_params
        more, less = _rows(query, "more"), _rows(query, "less")
        found = await self._ask_study(query, lambda study, _: study.teach(more, less))
        return JSONResponse({"vector": in_base64(packed(found))}, headers=FRESH)

    def _ask_study(self, query: Mapping[str, str], call: Callable[[StudiedGenerator, Check], T]) -> asyncio.Future[T]:
        """Something of the study of the weights w=..., the one with stamp=... as long as it is remembered."""
        return wait(self.renderer.ask_study(weights_of(query), call, slot_of(query), query.get("stamp", "")))

    async def directions_file(self, request: Request) -> Response:
        """The directions of this address as a file."""
        query = request.query_params
        kept = [Direction(p.key, "own", unpacked(p.vector), p.may_change_cluster) for p in spec_of(query).directions]
        text = to_text(kept, weights_of(query), query.get("stamp", "")[:80])
        return file(text.encode(), "application/json", "gan-forge-directions.json")

    async def open_directions(self, request: Request) -> Response:
        """The directions in a file, checked against these weights."""
        data = await body_of(request, MAX_DIRECTIONS_FILE, "This file is too large; directions")
        job = self.renderer.ask(request.path_params["name"], lambda generator, _: generator.config.z_dim)
        found = from_text(data.decode("utf-8", "replace"), await wait(job))
        return JSONResponse({"directions": list(map(_written, found))}, headers=FRESH)


def _written(direction: Direction) -> dict[str, object]:
    vector = in_base64(packed(direction.vector))
    return {"key": direction.key, "kind": direction.kind, "vector": vector, "regroups": direction.may_change_cluster}


async def body_of(request: Request, most: int, what: str) -> bytes:
    """The body of a request, refused as soon as it is larger than `most` bytes."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > most:
            raise BadQuery(f"{what} may have at most {most >> 20} MB.")
    return bytes(data)


def run_source(runs: Runs) -> Source:
    """Where a Renderer finds the weights of runs: the newest of those that are followed, else the last saved state.

    Asking for a picture changes nothing: a page that follows a run says so (POST runs/ID/watch).
    """

    def source(run_id: str) -> Learned:
        run, best = runs.whose_weights(run_id)
        if best:
            if (step := run.best_step) is None:
                raise KeyError(run_id)
            return f"best-{step}", step, run.config, run.meta.class_names, run.best_weights
        latest = run.latest
        if run.alive and latest is not None and latest.weights is not None:
            return str(latest.step), latest.step, run.config, run.meta.class_names, latest.weights
        try:
            changed = run.checkpoint_path.stat().st_mtime_ns
        except OSError:
            raise KeyError(run_id) from None
        step = run.checkpoint_step() if run.alive else latest.step if latest else 0
        return f"{changed:x}", step or 0, run.config, run.meta.class_names, lambda: _stored(run)

    return source


def _stored(run: Run) -> dict[str, Tensor]:
    found = run.weights()
    if found is None:
        raise RenderError("The last state of this run cannot be read.")
    return found[1]


def _best_title(run: Run) -> str:
    return EN["latent"]["best_of"].format(title=run.meta.title)


def _group(run: Run) -> str:
    return "live" if run.alive else "run"


# Answers ---------------------------------------------------------------------------------------------------------


def wait(future: Future[T]) -> asyncio.Future[T]:
    return asyncio.wrap_future(future)


def raw(drawn: Pixels) -> Response:
    shape = ",".join(map(str, drawn.images.shape))
    headers = FRESH | {"X-Shape": shape, "X-Stamp": drawn.stamp, "X-Step": str(drawn.step)}
    data = np.ascontiguousarray(drawn.images).tobytes()
    return Response(data, media_type="application/octet-stream", headers=headers)


def file(data: bytes, kind: str, name: str) -> Response:
    headers = FRESH | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=kind, headers=headers)


# Questions -------------------------------------------------------------------------------------------------------


def weights_of(query: Mapping[str, str]) -> str:
    if not query.get("w"):
        raise BadQuery("Please say which weights are to draw (w=...).")
    return query["w"][:100]


def class_of(query: Mapping[str, str]) -> int | None:
    """The class c=... of a picture."""
    return label_of(query.get("c", ""))


def slot_of(query: Mapping[str, str]) -> str | None:
    """A page's name for requests of which only the newest counts."""
    slot = query.get("slot", "")
    if slot and not re.fullmatch(r"[A-Za-z0-9-]{1,40}", slot):
        raise BadQuery("A slot is up to 40 letters and digits.")
    return slot or None


def along_of(query: Mapping[str, str]) -> list[str]:
    """along=KEY,KEY: some directions of the address."""
    return query.get("along", "").split(",")


def _rows(query: Mapping[str, str], name: str) -> list[int]:
    parts = query.get(name, "").split(",") if query.get(name) else []
    if len(parts) > MAX_MARKS or not all(re.fullmatch(r"\d{1,5}", part) for part in parts):
        raise BadQuery(f"{name} must be at most {MAX_MARKS} whole numbers with commas between.")
    return list(map(int, parts))


def near_of(query: Mapping[str, str]) -> Near:
    """near=16 neighbours, the ring=0th circle of them, at a distance of spread=0.5."""
    count = integer(query, "near", 0, MAX_NEAR, default=0)
    ring = integer(query, "ring", 0, MAX_RINGS - 1, default=0)
    return Near(count, ring * RING, number(query.get("spread", "0.5"), "spread", 0, 1))
