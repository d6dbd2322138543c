"""Routes that answer with pictures. To add one: a method of LoadedGenerator, and a line in DRAWINGS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gan.latent.query import MAX_RINGS, integer, number, spec_of
from gan.latent.spec import RING
from gan.serving.generator import LoadedGenerator, Pixels
from gan.serving.renderer import Renderer
from gan.serving.requests import Near
from gan.serving.worker import Job
from gan.web.routes.answers import Table, raw, wait
from gan.web.routes.paths import path_of, sums_of
from gan.web.routes.queries import Query, class_of, slot_of, weights_of

MAX_NEAR = 32  # neighbours at once


def along_of(query: Query) -> list[str]:
    """along=KEY,KEY: some directions of the address."""
    return query.get("along", "").split(",")


def near_of(query: Query) -> Near:
    """near=16 neighbours, the ring=0th circle of them, at a distance of spread=0.5."""
    count = integer(query, "near", 0, MAX_NEAR, default=0)
    ring = integer(query, "ring", 0, MAX_RINGS - 1, default=0)
    return Near(count, ring * RING, number(query.get("spread", "0.5"), "spread", 0, 1))


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
        name, slot = weights_of(query), slot_of(query)
        arguments = [read(query) for read in self.readers]

        def draw(generator: LoadedGenerator, check: Callable[[], None]) -> Pixels:
            return self.method(generator, *arguments, check)

        return renderer.ask(name, draw, slot, self.single(*arguments))


DRAWINGS = {
    "pixels": Drawing(LoadedGenerator.pixels, (spec_of, class_of, near_of), lambda spec, label, near: not near.count),
    "strips": Drawing(LoadedGenerator.strips, (spec_of, class_of, along_of)),
    "path": Drawing(LoadedGenerator.path, (path_of,)),
    "sums": Drawing(LoadedGenerator.sums, (sums_of,), lambda sums: sums.single),
}


class DrawingRoutes:
    """One route for each drawing."""

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer

    def table(self) -> Table:
        return {f"GET {path}": DrawingRoute(drawing, self.renderer).draw for path, drawing in DRAWINGS.items()}


@dataclass(frozen=True)
class DrawingRoute:
    """A drawing on request."""

    drawing: Drawing
    renderer: Renderer

    async def draw(self, request: Request) -> Response:
        return raw(await wait(self.drawing.ask(self.renderer, request.query_params)))
