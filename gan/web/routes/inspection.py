"""Routes of the card "What is it made of": training pictures, the discriminator, layers and early states of a picture.

Each takes the query of `pixels`. What takes seconds the first time answers 202 and {"words": ...} until it is ready;
what these weights cannot have answers {"why": one sentence}.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import torch
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response
from torch import Tensor

from gan.data.catalog import DATA
from gan.inspection.networks import shown_maps
from gan.inspection.service import NO_PICTURES, WAYS, MadeOf, NotHad, NotYet, Subject
from gan.latent.query import BadQuery, in_base64, integer, spec_of
from gan.web.routes import pictures as shared
from gan.web.routes.answers import FRESH, Handler, sentence

MAX_ROW = 10**7


def add_made_of_routes(app: FastAPI, made_of: MadeOf) -> None:
    """Add the routes to a running app."""
    view = _View(made_of)
    for name in ("nearest", "verdict", "snapshots", "layers"):
        app.add_route(f"{shared.PREFIX}made-of/{name}", sentence(_had(getattr(view, name))), ["GET"])


def _had(endpoint: Callable[[Mapping[str, str]], Awaitable[dict[str, object]]]) -> Handler:
    """Say in words what is not ready yet, or not to be had at all."""

    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await endpoint(request.query_params), headers=FRESH)
        except NotYet as words:
            return JSONResponse({"words": str(words)}, 202, headers=FRESH)
        except NotHad as why:
            return JSONResponse({"why": str(why)}, headers=FRESH)

    return answer


class _View:
    def __init__(self, made_of: MadeOf) -> None:
        self.made_of = made_of

    def _subject(self, query: Mapping[str, str]) -> asyncio.Future[Subject]:
        name, spec, label = shared.weights_of(query), spec_of(query), shared.class_of(query)
        return shared.wait(self.made_of.subject(name, spec, label, shared.slot_of(query)))

    async def nearest(self, query: Mapping[str, str]) -> dict[str, object]:
        """way=pixels or features: this picture, the training pictures nearest to it, and whether it is new."""
        way = query.get("way", WAYS[0])
        if way not in WAYS:
            raise BadQuery(f"way must be {' or '.join(WAYS)}.")
        subject = await self._subject(query)
        _check_may_show(subject)
        near, images = await shared.wait(self.made_of.nearest(subject, way, shared.slot_of(query)))
        unit = 255 * subject.image.numel() ** 0.5 if way == "pixels" else 1.0  # root mean square, as a share of white
        return _pictures(torch.cat([subject.image[None], images])) | {
            "ways": self.made_of.ways(subject),
            "rows": near.rows,
            "distances": [round(distance / unit, 4) for distance in near.distances],
            "unseen": None if near.unseen is None else round(near.unseen / unit, 4),
            "score": round(near.score / (unit if near.unseen is None else 1), 4),
            "limit": round(near.limit / (unit if near.unseen is None else 1), 4),
            "copied": near.copied,
            **{name: getattr(near, name) for name in ("lower", "trained", "held", "judged")},
        }

    async def verdict(self, query: Mapping[str, str]) -> dict[str, object]:
        """D's verdict on the picture, or on training picture number row=..., with a map of what it depends on."""
        row = integer(query, "row", 0, MAX_ROW, default=0) if query.get("row") else None
        subject = await self._subject(query)
        if row is not None:
            _check_may_show(subject)
        found = await shared.wait(self.made_of.verdict(subject, row, shared.slot_of(query)))
        return _pictures(found.image[None]) | {
            "heat": in_base64(found.heat.numpy().tobytes()),
            "logit": round(found.logit, 4),
            "probability": None if found.probability is None else round(found.probability, 6),
            "steepest": round(found.steepest, 4),
            "step": found.step,
        }

    async def snapshots(self, query: Mapping[str, str]) -> dict[str, object]:
        """The same latent drawn by each state that its run keeps."""
        subject = await self._subject(query)
        steps, images = await shared.wait(self.made_of.snapshots(subject, shared.slot_of(query)))
        return _pictures(images) | {"steps": steps}

    async def layers(self, query: Mapping[str, str]) -> dict[str, object]:
        """All layers of the generator, and what number layer=0, 1, ... makes of this picture."""
        name, spec, label = shared.weights_of(query), spec_of(query), shared.class_of(query)
        made = await shared.wait(self.made_of.layers(name, spec, label, shared.slot_of(query)))
        chosen = integer(query, "layer", 0, len(made) - 1, default=0)
        images, low, high = shown_maps(made[chosen][1])
        layers = [{"kind": layer.kind, "channels": layer.channels, "side": layer.side} for layer, _ in made]
        return _pictures(images) | {"layers": layers, "layer": chosen, "low": round(low, 4), "high": round(high, 4)}


def _check_may_show(subject: Subject) -> None:
    """Somebody's own pictures are shown through his run alone: whoever has its id may watch it. Raises NotHad.

    A weights file only claims to be made from a data set.
    """
    if subject.config.dataset not in DATA and not subject.name.startswith("run-"):
        raise NotHad(NO_PICTURES)


def _pictures(images: Tensor) -> dict[str, object]:
    """uint8 [N, C, S, S]"""
    return {"shape": list(images.shape), "images": in_base64(images.contiguous().numpy().tobytes())}
