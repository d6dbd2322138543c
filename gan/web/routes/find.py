"""Routes that find a picture: what to look for, and the best so far, line by line, while it is looked for."""

from __future__ import annotations

import numpy as np
import torch
from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from torch import Tensor

from gan.core.config import Config
from gan.core.messages import say
from gan.data import catalog
from gan.data.own_pictures import read_one
from gan.latent.inversion import Found, centred, ink_on_dark
from gan.latent.query import BadQuery, in_base64, integer
from gan.metrics.stroke_attributes import measurable
from gan.serving.generator import LoadedGenerator, Pixels
from gan.serving.renderer import Renderer
from gan.serving.worker import Job
from gan.web.routes.answers import Table, Tell, body_of, raw, stream, wait
from gan.web.routes.queries import slot_of, weights_of

MAX_PICTURE_BYTES = 16 << 20
_TOO_LARGE = say("web.picture_too_large", most=MAX_PICTURE_BYTES >> 20)
FINE = 5  # a picture of something drawn is first read so many times as large, then its ink is centred
SHOWN = 10  # test pictures to click on


class FindRoutes:
    """Searching, and what to search for."""

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer
        self._reading = CapacityLimiter(1)  # pictures, of which a large one takes some 400 MB for a moment

    def table(self) -> Table:
        return {"POST find": self.find, "GET find/tests": self.tests}

    async def tests(self, request: Request) -> Response:
        """Some test pictures of the data set that the weights w=... learned from; none where they are not shipped."""
        generator = await self._generator(weights_of(request.query_params))
        images = await run_in_threadpool(_tests, generator.config)
        return raw(Pixels(images.numpy(), generator.stamp, generator.weights.step))

    async def find(self, request: Request) -> Response:
        """Look for the picture in the body (kind=drawn or picture), or for test picture i (kind=test).

        Answers with lines of JSON: first the target as it is looked for, then the best so far. A page has one search;
        a newer one of the same slot ends it, and so does leaving.
        """
        query = request.query_params
        name, slot = weights_of(query), slot_of(query)
        if slot is None:
            raise BadQuery(say("web.search_needs_slot"))
        target = await self._target(request, (await self._generator(name)).config)

        def search(tell: Tell) -> Job[None]:
            return self.renderer.ask_study(
                name, lambda study, check: study.search(target, lambda found: tell(_report(found)), check), slot
            )

        return stream(search, {"target": in_base64(target.numpy().tobytes()), "shape": list(target.shape)})

    async def _generator(self, name: str) -> LoadedGenerator:
        return await wait(self.renderer.ask(name, lambda generator, _: generator, urgent=True))

    async def _target(self, request: Request, config: Config) -> Tensor:
        query = request.query_params
        kind = query.get("kind", "")
        if kind == "test":
            images = await run_in_threadpool(_tests, config)
            if not len(images):
                raise BadQuery(say("web.no_test_pictures"))
            return images[integer(query, "i", 0, len(images) - 1, default=0)]
        if kind not in ("drawn", "picture"):
            raise BadQuery(say("web.wrong_kind_of_search"))
        body = await body_of(request, MAX_PICTURE_BYTES, _TOO_LARGE)
        return await to_thread.run_sync(_prepared, body, kind, config, limiter=self._reading)


def _prepared(body: bytes, kind: str, config: Config) -> Tensor:
    """A stranger's picture as the weights' own pictures are, uint8 [C, S, S]."""
    if config.channels > 1 or "slant" not in measurable(config.dataset):
        return torch.from_numpy(read_one(body, config.size, config.channels))
    drawing = torch.from_numpy(read_one(body, FINE * config.size, 1))[0]
    return centred(drawing if kind == "drawn" else ink_on_dark(drawing), config.size)


def _tests(config: Config) -> Tensor:
    """One picture of each class from the test split, at most SHOWN, uint8 [N, C, S, S]."""
    name, shape = config.dataset, (config.channels, config.size, config.size)
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
