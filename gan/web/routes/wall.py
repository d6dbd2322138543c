"""The wall, for everybody."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gan.core.images import is_webp
from gan.web.access import Access
from gan.web.diagnoses import Diagnoses
from gan.web.routes.answers import IMMUTABLE, Table, answer_json, json_unless_known, tokens_of
from gan.web.wall import Wall


class WallRoutes:
    """Tiles of the runs that are shown, and of the recorded ones."""

    def __init__(self, access: Access, diagnoses: Diagnoses) -> None:
        self.runs, self._wall = access.runs, Wall(access.runs, diagnoses)

    def table(self) -> Table:
        return {"GET wall": self.wall, "GET wall/recorded": self.recorded, "GET runs/{run_id}/tile": self.tile}

    async def wall(self, request: Request) -> Response:
        owner = self.runs.is_owner(tokens_of(request))
        return json_unless_known(request, await run_in_threadpool(self._wall.told, owner))

    async def recorded(self, request: Request) -> Response:
        """Asked once by a page: these tiles never change."""
        return answer_json({"recorded": await run_in_threadpool(self._wall.recorded)})

    async def tile(self, request: Request) -> Response:
        """The picture of a tile. Each has an address of its own (v=`picture`), so that a browser keeps it."""
        data = await run_in_threadpool(self._wall.picture, self.runs.get(request.path_params["run_id"]))
        return Response(data, media_type="image/webp" if is_webp(data) else "image/png", headers=IMMUTABLE)
