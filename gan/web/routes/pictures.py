"""Routes that draw: weights, pixels, latents. Every request says all it wants; nothing is remembered."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gan.core.messages import recognised, say
from gan.latent.directions import Direction, from_text, to_text
from gan.latent.query import BadQuery, in_base64, spec_of
from gan.latent.spec import packed, unpacked
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.serving.generator import StudiedGenerator
from gan.serving.renderer import MAX_UPLOAD_BYTES, Renderer
from gan.serving.worker import Check
from gan.web.routes.answers import Table, answer_json, body_of, file, page_file, raw, tokens_of, wait
from gan.web.routes.queries import class_of, slot_of, weights_of

MAX_MARKS = 200
MAX_DIRECTIONS_FILE = 1 << 20
T = TypeVar("T")


class PictureRoutes:
    """All of them wait for the renderer's thread or for a worker thread, never on the event loop.

    runs: lists the runs a visitor owns and names a run; None: there are none.
    """

    def __init__(self, renderer: Renderer, runs: Runs | None) -> None:
        self.renderer, self.runs = renderer, runs

    def table(self) -> Table:
        return {
            "GET weights": self.shipped,
            "POST weights": self.open_file,
            "GET weights/{name}": self.about,
            "GET weights/{name}/page": self.page,
            "GET weights/{name}/directions": self.directions,
            "POST weights/{name}/directions": self.open_directions,
            "GET latent": self.latent,
            "GET steered": self.steered,
            "GET study": self.study,
            "GET teach": self.teach,
            "GET directions.json": self.directions_file,
        }

    async def shipped(self, request: Request) -> Response:
        listed = await run_in_threadpool(self.renderer.shipped)
        titles = {name: recognised(f"weights.{name}.title", w.title or name) for name, w in listed.items()}
        shipped = [{"id": name, "title": title, "group": "shipped"} for name, title in titles.items()]
        mine = await run_in_threadpool(self._my_runs, tokens_of(request))
        return answer_json({"weights": mine + shipped})

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
        about |= {field: recognised(f"weights.{name}.{field}", str(about[field])) for field in ("title", "about")}
        if self.runs is not None and name.startswith("run-"):
            run, best = self.runs.whose_weights(name[4:])
            live = {"title": run.meta.title, "live": _group(run) == "live"}
            about |= {"title": _best_title(run), "live": False} if best else live
        return answer_json({"live": False} | about)

    async def page(self, request: Request) -> Response:
        name = request.path_params["name"]
        return page_file(request, await wait(self.renderer.ask(name, lambda generator, _: generator.page)))

    async def latent(self, request: Request) -> Response:
        query = request.query_params
        name, spec, slot = weights_of(query), spec_of(query), slot_of(query)
        numbers = await wait(self.renderer.ask(name, lambda generator, _: generator.latent(spec), slot))
        return answer_json({"z": [round(number, 4) for number in numbers]})

    async def open_file(self, request: Request) -> Response:
        data = await body_of(request, MAX_UPLOAD_BYTES, say("web.weights_too_large", most=MAX_UPLOAD_BYTES >> 20))
        name = await run_in_threadpool(self.renderer.open_file, data)
        return answer_json({"id": name}, 201)

    # Directions ---------------------------------------------------------------------------------------------------

    async def directions(self, request: Request) -> Response:
        """What a study of the weights found; the vectors come back in the requests that use them."""
        name, slot = request.path_params["name"], slot_of(request.query_params)
        job = self.renderer.ask_study(name, lambda study, check: (study.stamp, study.directions(check)), slot)
        stamp, found = await wait(job)
        return answer_json({"stamp": stamp, "directions": list(map(_written, found))})

    async def steered(self, request: Request) -> Response:
        """The directions that are fitted to the picture of this address, whatever else pushes it."""
        query = request.query_params
        spec, label = spec_of(query), class_of(query)
        found = await self._ask_study(query, lambda study, check: study.steered(spec, label, check))
        return answer_json({"directions": list(map(_written, found))})

    async def study(self, request: Request) -> Response:
        """rows=0,10,20: pictures of the study, to be marked."""
        query = request.query_params
        rows = _rows(query, "rows")
        if not rows:
            raise BadQuery(say("web.which_rows"))
        return raw(await self._ask_study(query, lambda study, _: study.pictures(rows)))

    async def teach(self, request: Request) -> Response:
        """more=3,7&less=5: the direction from pictures marked "less" to those marked "more"."""
        query = request.query_params
        more, less = _rows(query, "more"), _rows(query, "less")
        found = await self._ask_study(query, lambda study, _: study.teach(more, less))
        return answer_json({"vector": in_base64(packed(found))})

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
        data = await body_of(
            request, MAX_DIRECTIONS_FILE, say("web.directions_too_large", most=MAX_DIRECTIONS_FILE >> 20)
        )
        job = self.renderer.ask(request.path_params["name"], lambda generator, _: generator.config.z_dim)
        found = from_text(data.decode("utf-8", "replace"), await wait(job))
        return answer_json({"directions": list(map(_written, found))})


def _written(direction: Direction) -> dict[str, object]:
    vector = in_base64(packed(direction.vector))
    return {"key": direction.key, "kind": direction.kind, "vector": vector, "regroups": direction.may_change_cluster}


def _best_title(run: Run) -> str:
    return say("latent.best_of", title=run.meta.title)


def _group(run: Run) -> str:
    return "live" if run.alive else "run"


def _rows(query: Mapping[str, str], name: str) -> list[int]:
    parts = query.get(name, "").split(",") if query.get(name) else []
    if len(parts) > MAX_MARKS or not all(re.fullmatch(r"\d{1,5}", part) for part in parts):
        raise BadQuery(say("web.wrong_marks", name=name, most=MAX_MARKS))
    return list(map(int, parts))
