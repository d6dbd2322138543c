"""Routes that tell of runs: what the page polls, pictures and numbers. Who has a run's unguessable id may read it."""

from __future__ import annotations

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gan.core.errors import Missing
from gan.core.messages import say
from gan.runs.files import REAL_PNG
from gan.runs.run import Run
from gan.web.access import Access
from gan.web.descriptions import description_of, summary_of
from gan.web.following import Answer, Following, cursor_of
from gan.web.routes.answers import FRESH, IMMUTABLE, Table, answer_json, tokens_of


class RunRoutes:
    """Reading, and saying that one watches."""

    def __init__(self, access: Access) -> None:
        self.runs, self.access, self.following = access.runs, access, Following()

    def table(self) -> Table:
        return {
            "GET runs": self.mine,
            "GET runs/{run_id}": self.info,
            "GET runs/{run_id}/follow": self.follow,
            "POST runs/{run_id}/watch": self.watch,
            "GET runs/{run_id}/frames/{step}": self.frame,
            "GET runs/{run_id}/real.png": self.real,
        }

    async def mine(self, request: Request) -> Response:
        """The visitor's runs. going: of these, which are deleted next to make room; gone: those that were."""
        tokens = tokens_of(request)
        own, soon = self.runs.owned(tokens), self.runs.next_to_go()
        going = [run.id for run in own if run.id in soon]
        gone = [{"id": run_id, "title": title} for run_id, title in self.runs.given_up(tokens)]
        return answer_json({"runs": [summary_of(run) for run in own], "going": going, "gone": gone})

    async def info(self, request: Request) -> Response:
        """What `follow` says of it when its status changes, as it is now, and what belongs to who asks."""
        run = self._run(request)
        described = await run_in_threadpool(description_of, run)
        bytes_of_mine = self.access.pictures_bytes(run, tokens_of(request))
        return answer_json({**described, "events": run.history.events, "pictures_bytes": bytes_of_mine})

    async def follow(self, request: Request) -> Response:
        """since=CURSOR: what is new since the answer that had it; 204 where nothing is. Who asks watches the run."""
        run = self._run(request)
        run.watch()
        since = cursor_of(request.query_params.get("since", ""))
        answer = self.following.known(run, since)
        if answer is None and since.mark.generation == run.history.generation:
            answer = self.following.answer(run, since)  # it is short
        if answer is None:
            answer = await run_in_threadpool(self.following.answer, run, since)
        return _news(request, run, answer)

    async def watch(self, request: Request) -> Response:
        """A page follows what this run learns: its newest weights are at hand for the next few seconds."""
        self._run(request).watch(weights=True)
        return answer_json({"ok": True})

    async def frame(self, request: Request) -> Response:
        step, history = request.path_params["step"].removesuffix(".png"), self._run(request).history  # so in 0.1
        if not (step.isascii() and step.isdigit() and len(step) <= 12):
            raise Missing(say("web.no_picture"))
        return await _picture(history.frame_path(int(step)), IMMUTABLE)

    async def real(self, request: Request) -> Response:
        return await _picture(self._run(request).folder / REAL_PNG, {"Cache-Control": "max-age=3600"})

    def _run(self, request: Request) -> Run:
        return self.runs.get(request.path_params["run_id"])


def _news(request: Request, run: Run, answer: Answer) -> Response:
    if not answer.body:
        # Getting ready (reading data) has no picture yet, but something to say.
        return Response(status_code=204, headers=FRESH | {"X-Status": run.status})
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(answer.body, media_type="application/octet-stream", headers=FRESH)
    packed = FRESH | {"Content-Encoding": "gzip"}
    return Response(answer.packed, media_type="application/octet-stream", headers=packed)


async def _picture(path: Path, headers: dict[str, str]) -> Response:
    """Read whole before anything is sent, because a run may be deleted meanwhile."""
    try:
        data, kind = await run_in_threadpool(path.read_bytes), path.suffix.removeprefix(".")
        return Response(data, media_type=f"image/{kind}", headers=headers)
    except FileNotFoundError:
        raise Missing(say("web.no_picture")) from None
