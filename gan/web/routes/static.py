"""The route of the page's scripts and style sheets: one table of names, so that no other file can be asked for."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response

from gan.web.page_files import served
from gan.web.routes.answers import error
from gan.web.routes.runs import BASE


def add_static_route(app: FastAPI) -> None:
    files = served()

    @app.get(f"{BASE}/static/{{name:path}}")
    def static_file(name: str, request: Request) -> Response:
        path = files.get(name)
        if path is None or not path.is_file():
            return error(404, "There is no such file.")
        etag = f'"{path.stat().st_mtime_ns:x}"'
        headers = {"Cache-Control": "no-cache", "ETag": etag}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return FileResponse(path, headers=headers)
