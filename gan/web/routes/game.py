"""The game of people against the discriminator."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gan.web.access import Access
from gan.web.game import Game
from gan.web.routes.answers import Table, answer_json, json_of, tokens_of


class GameRoutes:
    """Whoever may see a run may play with its pictures."""

    def __init__(self, access: Access) -> None:
        self.runs, self.access, self.game = access.runs, access, Game()

    def table(self) -> Table:
        return {
            "GET runs/{run_id}/game": self.scores,
            "POST runs/{run_id}/game": self.count,
            "DELETE game": self.forget,
        }

    async def scores(self, request: Request) -> Response:
        return answer_json(self.game.scores(self._run_id(request)))

    async def count(self, request: Request) -> Response:
        """answers: of one round, see Game.count."""
        run_id = self._run_id(request)
        self.game.count(run_id, (await json_of(request)).get("answers"))
        return answer_json(self.game.scores(run_id), 201)

    async def forget(self, request: Request) -> Response:
        self.access.check_owner(tokens_of(request))
        self.game.forget()
        return answer_json({"ok": True})

    def _run_id(self, request: Request) -> str:
        return self.runs.get(request.path_params["run_id"]).id
