"""Routes of the card "What is it made of": training pictures, the discriminator, layers and early states of a picture.

Each takes the query of `pixels`. What takes seconds the first time answers 202 and {"words": ...} until it is ready;
what these weights cannot have answers {"why": one sentence}.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable

import torch
from starlette.requests import Request
from starlette.responses import Response
from torch import Tensor

from gan.core.messages import say
from gan.inspection.networks import shown_maps
from gan.inspection.service import WAYS, Inspector, NotAvailable, Preparing, Subject
from gan.latent.query import BadQuery, in_base64, integer, spec_of
from gan.web.access import Access
from gan.web.routes.answers import Table, answer_json, wait
from gan.web.routes.queries import Query, class_of, slot_of, weights_of

MAX_ROW = 10**7


Method = Callable[["InspectionRoutes", Request], Awaitable[dict[str, object]]]


def _in_words(method: Method) -> Callable[[InspectionRoutes, Request], Awaitable[Response]]:
    """Say in words what is not ready yet, or not to be had at all."""

    @functools.wraps(method)
    async def answer(self: InspectionRoutes, request: Request) -> Response:
        try:
            return answer_json(await method(self, request))
        except Preparing as words:
            return answer_json({"words": words.args[0]}, 202)
        except NotAvailable as why:
            return answer_json({"why": why.args[0]})

    return answer


class InspectionRoutes:
    """access: decides whose own pictures may be looked at."""

    def __init__(self, inspector: Inspector, access: Access) -> None:
        self.inspector, self.access = inspector, access

    def table(self) -> Table:
        return {
            "GET made-of/nearest": self.nearest,
            "GET made-of/verdict": self.verdict,
            "GET made-of/snapshots": self.snapshots,
            "GET made-of/layers": self.layers,
        }

    def _subject(self, query: Query) -> asyncio.Future[Subject]:
        name, spec, label = weights_of(query), spec_of(query), class_of(query)
        own_dir = self.access.pictures_behind(name)
        return wait(self.inspector.subject(name, spec, label, own_dir, slot_of(query)))

    @_in_words
    async def nearest(self, request: Request) -> dict[str, object]:
        """way=pixels or features: this picture, the training pictures nearest to it, and whether it is new."""
        query = request.query_params
        way = query.get("way", WAYS[0])
        if way not in WAYS:
            raise BadQuery(say("web.wrong_way", ways=WAYS))
        subject = await self._subject(query)
        near, images = await wait(self.inspector.nearest(subject, way, slot_of(query)))
        unit = 255 * subject.image.numel() ** 0.5 if way == "pixels" else 1.0  # root mean square, as a share of white
        return _pictures(torch.cat([subject.image[None], images])) | {
            "ways": self.inspector.ways(subject),
            "rows": near.rows,
            "distances": [round(distance / unit, 4) for distance in near.distances],
            "unseen": None if near.unseen is None else round(near.unseen / unit, 4),
            "score": round(near.score / (unit if near.unseen is None else 1), 4),
            "limit": round(near.limit / (unit if near.unseen is None else 1), 4),
            "copied": near.copied,
            **{name: getattr(near, name) for name in ("lower", "trained", "held", "judged")},
        }

    @_in_words
    async def verdict(self, request: Request) -> dict[str, object]:
        """D's verdict on the picture, or on training picture number row=..., with a map of what it depends on."""
        query = request.query_params
        row = integer(query, "row", 0, MAX_ROW, default=0) if query.get("row") else None
        subject = await self._subject(query)
        found = await wait(self.inspector.verdict(subject, row, slot_of(query)))
        return _pictures(found.image[None]) | {
            "heat": in_base64(found.heat.numpy().tobytes()),
            "logit": round(found.logit, 4),
            "probability": None if found.probability is None else round(found.probability, 6),
            "steepest": round(found.steepest, 4),
            "step": found.step,
        }

    @_in_words
    async def snapshots(self, request: Request) -> dict[str, object]:
        """The same latent drawn by each state that its run keeps."""
        query = request.query_params
        subject = await self._subject(query)
        steps, images = await wait(self.inspector.snapshots(subject, slot_of(query)))
        return _pictures(images) | {"steps": steps}

    @_in_words
    async def layers(self, request: Request) -> dict[str, object]:
        """All layers of the generator, and what number layer=0, 1, ... makes of this picture."""
        query = request.query_params
        name, spec, label = weights_of(query), spec_of(query), class_of(query)
        made = await wait(self.inspector.layers(name, spec, label, slot_of(query)))
        chosen = integer(query, "layer", 0, len(made) - 1, default=0)
        images, low, high = shown_maps(made[chosen][1])
        layers = [{"kind": layer.kind, "channels": layer.channels, "side": layer.side} for layer, _ in made]
        return _pictures(images) | {"layers": layers, "layer": chosen, "low": round(low, 4), "high": round(high, 4)}


def _pictures(images: Tensor) -> dict[str, object]:
    """uint8 [N, C, S, S]"""
    return {"shape": list(images.shape), "images": in_base64(images.contiguous().numpy().tobytes())}
