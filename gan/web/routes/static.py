"""The route of the page's scripts and style sheets: one table of names, so that no other file can be asked for."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from gan.core.errors import Missing
from gan.core.messages import say
from gan.web.page_files import served
from gan.web.routes.answers import Table, unless_known


class StaticRoutes:
    """Files that browsers keep, and ask for again at every use."""

    def __init__(self) -> None:
        self._files = served()

    def table(self) -> Table:
        return {"GET static/{name:path}": self.file}

    async def file(self, request: Request) -> Response:
        path = self._files.get(request.path_params["name"])
        if path is None or not path.is_file():
            raise Missing(say("web.no_file"))
        changed = (await run_in_threadpool(path.stat)).st_mtime_ns
        return unless_known(request, f"{changed:x}", "no-cache", lambda headers: FileResponse(path, headers=headers))
