"""Routes that hand a picture on: as a PNG that says how it was made, and as lines of Python that draw it again."""

from __future__ import annotations

from pathlib import PurePath

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gan.latent import query as queries
from gan.runs.registry import Runs
from gan.serving.generator import LoadedGenerator, Pixels
from gan.serving.provenance import SCALE, Provenance
from gan.serving.renderer import Renderer
from gan.serving.worker import Check
from gan.web.routes.answers import Table, answer_json, file, wait
from gan.web.routes.queries import SCALES, class_of, weights_of
from gan.web.routes.run_files import BEST_WEIGHTS, download_name
from gan.web.text import EN

MAX_FILE_NAME = 255  # characters: more no system allows


class ShareRoutes:
    """runs: names the runs whose weights draw; None: there are none."""

    def __init__(self, renderer: Renderer, runs: Runs | None) -> None:
        self.renderer, self.runs = renderer, runs

    def table(self) -> Table:
        return {"GET picture.png": self.picture, "GET origin": self.origin}

    async def picture(self, request: Request) -> Response:
        """The picture as a file, enlarged `scale` times."""
        scale = queries.integer(request.query_params, "scale", *SCALES, default=SCALE)
        drawn, origin = await self._drawn(request)
        data = await run_in_threadpool(origin.png, drawn.images[0], scale)
        return file(data, "image/png", _file_name(request))

    async def origin(self, request: Request) -> Response:
        """What the weights w=... are now (digest), and the lines of Python that draw the query.

        It draws the picture, so an answer means that the query is right for these weights.
        """
        _, origin = await self._drawn(request)
        weights, about = self._weights_file(origin.weights, request.query_params.get("file", ""))
        python = origin.python(weights, about, _file_name(request))
        return answer_json({"digest": origin.digest, "python": python})

    async def _drawn(self, request: Request) -> tuple[Pixels, Provenance]:
        query = request.query_params
        name, spec, label = weights_of(query), queries.spec_of(query), class_of(query)

        def draw(generator: LoadedGenerator, _: Check) -> tuple[Pixels, str]:
            return generator.pixels(spec, label), generator.digest

        drawn, digest = await wait(self.renderer.ask(name, draw))
        return drawn, Provenance(name, digest, queries.written(query))

    def _weights_file(self, name: str, opened: str) -> tuple[str, str]:
        """What Python calls these weights, and where they are to be had. opened: the name of the file on the page."""
        words = EN["share"]
        if name.startswith("run-") and self.runs is not None:
            run, best = self.runs.whose_weights(name[4:])
            return download_name(run, BEST_WEIGHTS if best else "weights.safetensors"), words["python_run"]
        if name.startswith("file-"):
            return PurePath(opened[:MAX_FILE_NAME]).name or "weights.safetensors", words["python_file"]
        return name, words["python_shipped"]


def _file_name(request: Request) -> str:
    return f"gan-forge-{queries.seed_of(request.query_params)}.png"
