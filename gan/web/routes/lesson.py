"""A lesson: what all pages hear of it, what its teacher decides, and what students raise. And addresses as QR codes."""

from __future__ import annotations

import io
import json
import re
from functools import lru_cache

import segno
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gan.core.messages import say
from gan.runs.commands import Command
from gan.runs.errors import NotFound
from gan.web.access import Access
from gan.web.lesson import LessonError
from gan.web.routes.answers import Table, answer_json, json_of, json_unless_known, tokens_of

_ADDRESS = re.compile(r"https?://[\x21\x22\x24-\x7e]{1,300}")  # without a #, behind which tokens stand


class LessonRoutes:
    """Only the owner of the program teaches."""

    def __init__(self, access: Access) -> None:
        self.runs, self.access, self.lesson = access.runs, access, access.lesson

    def table(self) -> Table:
        return {
            "GET lesson": self.told,
            "PATCH lesson": self.change,
            "POST lesson/pause": self.pause,
            "POST lesson/raised": self.raise_picture,
            "DELETE lesson/raised": self.put_away,
            "DELETE lesson/raised/{raised_id}": self.put_away,
            "DELETE lesson/raised/{raised_id}/name": self.hide_name,
            "GET qr.svg": self.qr,
        }

    async def told(self, request: Request) -> Response:
        if run_id := self.lesson.told()["screen"]["run"]:
            try:
                self.runs.get(run_id)
            except NotFound:  # it was deleted: nobody is sent there
                self.lesson.change({"screen": {}})
        told = self.lesson.told(self.runs.is_owner(tokens_of(request)))
        return json_unless_known(request, json.dumps(told).encode())

    async def change(self, request: Request) -> Response:
        """Raises NotFound for a run that is not there."""
        self.access.check_owner(tokens_of(request))
        wanted = await json_of(request)
        screen = wanted.get("screen")
        if isinstance(screen, dict) and isinstance(screen.get("run"), str):
            self.runs.get(screen["run"])
        self.lesson.change(wanted)
        return await self.told(request)

    async def pause(self, request: Request) -> Response:
        """Everything that learns but what the class sees and what its teacher started: everybody looks up."""
        self.access.check_owner(tokens_of(request))
        await run_in_threadpool(self._pause_all)
        return await self.told(request)

    def _pause_all(self) -> None:
        spared = {self.lesson.told()["screen"]["run"], *self.lesson.of_teacher}
        for run in self.runs.all():
            if run.alive and run.status == "running" and run.id not in spared:
                run.send(Command("pause"))

    async def raise_picture(self, request: Request) -> Response:
        body = await json_of(request)
        self.lesson.raise_picture(body.get("by"), body.get("picture"), body.get("name", ""))
        return answer_json({"ok": True}, 201)

    async def put_away(self, request: Request) -> Response:
        self.access.check_owner(tokens_of(request))
        self.lesson.put_away(request.path_params.get("raised_id", ""))
        return await self.told(request)

    async def hide_name(self, request: Request) -> Response:
        self.access.check_owner(tokens_of(request))
        self.lesson.hide_name(request.path_params["raised_id"])
        return await self.told(request)

    async def qr(self, request: Request) -> Response:
        """The QR code of an address, drawn here: no other server hears of it."""
        address = request.query_params.get("of", "")
        if not _ADDRESS.fullmatch(address):
            raise LessonError(say("lesson.wrong_address"))
        data = await run_in_threadpool(_code, address)
        return Response(data, media_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"})


@lru_cache(16)
def _code(address: str) -> bytes:
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", border=2, scale=8, light="#fff")
    return drawn.getvalue()
