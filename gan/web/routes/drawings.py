"""Routes that answer with pictures. To add one: a method of LoadedGenerator, and a line in DRAWINGS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response

from gan.latent.query import spec_of
from gan.serving.generator import LoadedGenerator, Pixels
from gan.serving.renderer import Renderer
from gan.serving.worker import Job
from gan.web.routes import pictures as shared
from gan.web.routes.answers import sentence
from gan.web.routes.paths import path_of, sums_of

Query = Mapping[str, str]


@dataclass(frozen=True)
class Drawing:
    """What a route draws.

    Args:
        method: of LoadedGenerator; it is given what `readers` find in the query, then a check.
        readers: one for each argument, in turn. They raise BadQuery.
        single: whether these arguments ask for one picture, which is drawn before longer jobs.
    """

    method: Callable[..., Pixels]
    readers: Sequence[Callable[[Query], Any]]
    single: Callable[..., bool] = lambda *arguments: False

    def ask(self, renderer: Renderer, query: Query) -> Job[Pixels]:
        """Have it drawn as the query says. Raises BadQuery or Busy at once."""
        name, slot = shared.weights_of(query), shared.slot_of(query)
        arguments = [read(query) for read in self.readers]

        def draw(generator: LoadedGenerator, check: Callable[[], None]) -> Pixels:
            return self.method(generator, *arguments, check)

        return renderer.ask(name, draw, slot, self.single(*arguments))


DRAWINGS = {
    "pixels": Drawing(
        LoadedGenerator.pixels, (spec_of, shared.class_of, shared.near_of), lambda spec, label, near: not near.count
    ),
    "strips": Drawing(LoadedGenerator.strips, (spec_of, shared.class_of, shared.along_of)),
    "path": Drawing(LoadedGenerator.path, (path_of,)),
    "sums": Drawing(LoadedGenerator.sums, (sums_of,), lambda sums: sums.single),
}


@dataclass(frozen=True)
class DrawingRoute:
    """A drawing on request."""

    drawing: Drawing
    renderer: Renderer

    async def draw(self, request: Request) -> Response:
        return shared.raw(await shared.wait(self.drawing.ask(self.renderer, request.query_params)))


def add_drawing_routes(app: FastAPI, renderer: Renderer) -> None:
    """Add the routes to a running app."""
    for path, drawing in DRAWINGS.items():
        app.add_route(shared.PREFIX + path, sentence(DrawingRoute(drawing, renderer).draw), ["GET"])
