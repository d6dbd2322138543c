"""The game of people against the discriminator, which tells pictures apart or judges what they draw."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gan.core.messages import say, with_messages
from gan.inspection.page_discriminator import page_discriminator, shipped
from gan.losses.objectives import OBJECTIVES
from gan.runs.errors import NotFound
from gan.runs.run import Run
from gan.web.access import Access
from gan.web.game import MOST_RUNS, Game, Scores, scores_of_d
from gan.web.routes.answers import Table, answer_json, json_of, json_unless_known, page_file, tokens_of
from gan.web.wall import title_of


class GameRoutes:
    """Whoever may see a run may play with its pictures."""

    def __init__(self, access: Access) -> None:
        self.runs, self.access, self.game = access.runs, access, Game()
        self._known: OrderedDict[str, tuple[int, Mapping[int, float]]] = OrderedDict()  # run -> frames, D's scores

    def table(self) -> Table:
        return {
            "GET game": self.most_played,
            "GET runs/{run_id}/game": self.scores,
            "POST runs/{run_id}/game": self.count,
            "DELETE game": self.forget,
            "GET discriminators/{name}": self.discriminator,
        }

    async def scores(self, request: Request) -> Response:
        return answer_json(self._scores(self._run(request)))

    async def most_played(self, request: Request) -> Response:
        """The scores of the most played run that everybody may see; run: None where there is none."""
        run = next(filter(None, map(self._listed, self.game.played())), None)
        if run is None:
            return answer_json({"run": None})
        told = with_messages({"run": run.id, "title": title_of(run), **self._scores(run)})
        return json_unless_known(request, json.dumps(told).encode())  # a page with the wall asks every few seconds

    def _listed(self, run_id: str) -> Run | None:
        with suppress(NotFound):  # deleted since
            run = self.runs.get(run_id)
            return run if run.recorded or (run.shown and run.listed) else None
        return None

    async def count(self, request: Request) -> Response:
        """answers: of one round, see Game.count."""
        run = self._run(request)
        self.game.count(run.id, (await json_of(request)).get("answers"))
        return answer_json(self._scores(run), 201)

    def _scores(self, run: Run) -> Scores:
        return self.game.scores(run.id, self._of_d(run))

    def _of_d(self, run: Run) -> Mapping[int, float]:
        """Counted once for all who ask, until there are more frames."""
        frames = run.history.frames
        known = self._known.pop(run.id, None)
        if known is None or known[0] != len(frames):
            known = len(frames), scores_of_d(frames, OBJECTIVES[run.config.objective].is_probability)
        self._known[run.id] = known
        while len(self._known) > MOST_RUNS:
            self._known.popitem(last=False)
        return known[1]

    async def forget(self, request: Request) -> Response:
        self.access.check_owner(tokens_of(request))
        self.game.forget()
        return answer_json({"ok": True})

    async def discriminator(self, request: Request) -> Response:
        """One that ships, or of a run as it was saved last."""
        path = self._discriminator(request.path_params["name"])
        return page_file(request, await run_in_threadpool(page_discriminator, path))

    def _discriminator(self, name: str) -> Path:
        found = shipped(name)
        if found is None:
            found = self.runs.get(name).checkpoint_path
            if not found.exists():
                raise NotFound(say("game.no_state"))
        return found

    def _run(self, request: Request) -> Run:
        return self.runs.get(request.path_params["run_id"])
