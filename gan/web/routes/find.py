"""Routes that find a picture: what to look for, and the best so far, line by line, while it is looked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from concurrent.futures import Future
from typing import Any

import numpy as np
import torch
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from torch import Tensor

from gan.data import catalog
from gan.data.own_pictures import read_one
from gan.latent.directions import STROKES
from gan.latent.inversion import Found, centred, ink_on_dark
from gan.latent.query import BadQuery, in_base64, integer
from gan.serving.renderer import Busy, Pixels, Renderer
from gan.web.routes import pictures as shared
from gan.web.routes.answers import sentence, told_of

MAX_PICTURE_BYTES = 16 << 20
FINE = 5  # a picture of something drawn is first read so many times as large, then its ink is centred
SHOWN = 10  # test pictures to click on


def add_find_routes(app: FastAPI, renderer: Renderer) -> None:
    """Add the routes to a running app."""
    finder = _Finder(renderer)
    app.add_route(shared.PREFIX + "find", sentence(finder.find), ["POST"])
    app.add_route(shared.PREFIX + "find/tests", sentence(finder.tests), ["GET"])


class _Finder:
    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer
        self._newest: dict[str, object] = {}  # page -> its newest search; older ones give up

    async def tests(self, request: Request) -> Response:
        """Some test pictures of the data set that the weights w=... learned from; none where they are not shipped."""
        about = await shared.wait(self.renderer.about(shared.weights_of(request.query_params)))
        images = await run_in_threadpool(_tests, about)
        return shared.raw(Pixels(images.numpy(), about["stamp"], about["step"]))

    async def find(self, request: Request) -> Response:
        """Look for the picture in the body (kind=drawn or picture), or for test picture i (kind=test).

        Answers with lines of JSON: first the target as it is looked for, then the best so far. A page has one search;
        a newer one of the same lane ends it, and so does leaving.
        """
        query = request.query_params
        name, lane = shared.weights_of(query), shared.lane_of(query)
        if lane is None:
            raise BadQuery("A search needs the name of its page (lane=...).")
        about = await shared.wait(self.renderer.about(name))
        target = await self._target(request, about)
        me = self._newest[lane] = object()
        reports: asyncio.Queue[Found | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def say(found: Found | None) -> None:
            loop.call_soon_threadsafe(reports.put_nowait, found)

        def report(found: Found) -> bool:  # called in the renderer's thread
            say(found)
            return self._newest.get(lane) is me

        try:
            future = self.renderer.search(name, target, report, f"{lane}-find")
        except Busy:
            del self._newest[lane]
            raise
        future.add_done_callback(lambda _: say(None))
        return StreamingResponse(self._lines(target, reports, future, lane, me), media_type="application/x-ndjson")

    async def _lines(
        self, target: Tensor, reports: asyncio.Queue, future: Future, lane: str, me: object
    ) -> AsyncIterator[str]:
        try:
            yield _line({"target": in_base64(target.numpy().tobytes()), "shape": list(target.shape)})
            while (found := await reports.get()) is not None:
                yield _line(_report(found))
            problem = future.exception()
            if problem is not None:
                yield _line({"problem": str(told_of(problem, "find"))})
        finally:
            if self._newest.get(lane) is me:
                del self._newest[lane]  # whoever still looks for it gives up

    async def _target(self, request: Request, about: dict[str, Any]) -> Tensor:
        query = request.query_params
        kind = query.get("kind", "")
        if kind == "test":
            images = await run_in_threadpool(_tests, about)
            if not len(images):
                raise BadQuery("The data set of these weights has no test pictures here.")
            return images[integer(query, "i", 0, len(images) - 1, default=0)]
        if kind not in ("drawn", "picture"):
            raise BadQuery("kind must be drawn, picture or test.")
        body = await shared.body_of(request, MAX_PICTURE_BYTES, "This picture is too large; pictures")
        return await run_in_threadpool(_prepared, body, kind, about)


def _prepared(body: bytes, kind: str, about: dict[str, Any]) -> Tensor:
    """A stranger's picture as the weights' own pictures are, uint8 [C, S, S]."""
    size, channels = about["size"], about["channels"]
    if channels > 1 or about["dataset"] not in STROKES:
        return torch.from_numpy(read_one(body, size, channels))
    drawing = torch.from_numpy(read_one(body, FINE * size, 1))[0]
    return centred(drawing if kind == "drawn" else ink_on_dark(drawing), size)


def _tests(about: dict[str, Any]) -> Tensor:
    """One picture of each class from the test split, at most SHOWN, uint8 [N, C, S, S]."""
    name, shape = about["dataset"], (about["channels"], about["size"], about["size"])
    if name not in catalog.DATA or catalog.DATA[name].downloads:
        return torch.empty(0, *shape, dtype=torch.uint8)
    pictures = catalog.load(name, "test")
    _, first = np.unique(pictures.labels.numpy(), return_index=True)
    images = pictures.images[torch.from_numpy(first)[:SHOWN]]
    return images if images.shape[1:] == shape else torch.empty(0, *shape, dtype=torch.uint8)


def _report(found: Found) -> dict[str, object]:
    return {
        "share": round(found.share, 3),
        "latent": in_base64(found.latent),
        "label": found.label,
        "looks": found.looks,
        "image": in_base64(found.image.numpy().tobytes()),
        "error": round(found.error, 4),
        "far": found.far,
    }


def _line(values: dict[str, object]) -> str:
    return json.dumps(values) + "\n"
