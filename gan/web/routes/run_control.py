"""Routes that steer runs: started, forked, commanded, renamed, kept, shown, deleted.

What exists is steered with a token of the run.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gan.core.config import Changes, parse_value
from gan.core.messages import say
from gan.runs.commands import COMMAND_KINDS, PLAYERS, Command
from gan.runs.errors import RunsError
from gan.runs.fork import plan_fork
from gan.runs.meta import checked_measure_share
from gan.runs.run import Run
from gan.web.access import Access
from gan.web.descriptions import summary_of
from gan.web.routes.answers import Table, answer_json, json_of, tokens_of


class RunControl:
    """Starting, steering and keeping order."""

    def __init__(self, access: Access) -> None:
        self.runs, self.access = access.runs, access

    def table(self) -> Table:
        return {
            "POST runs": self.create,
            "GET busy": self.busy,
            "POST runs/{run_id}/command": self.command,
            "POST runs/{run_id}/fork": self.fork,
            "PATCH runs/{run_id}": self.change,
            "POST runs/{run_id}/next": self.call_next,
            "POST runs/{run_id}/token": self.token,
            "DELETE runs/{run_id}": self.delete,
        }

    async def create(self, request: Request) -> Response:
        tokens = tokens_of(request)
        self.access.check_training(tokens)
        body = await json_of(request)
        recipe = str(body.get("recipe"))
        shown = body["shown"] is True if "shown" in body else None
        dataset, start = (str(body[name]) if body.get(name) else "" for name in ("dataset", "start"))
        make = functools.partial(self.runs.create, recipe, dataset or None, _changes(body), shown, tokens, start)
        return await self._start(make, tokens)

    async def busy(self, request: Request) -> Response:
        """Whether something more can train; where not, the refusal that Train would get."""
        refusal = await run_in_threadpool(self.runs.admission.no_room, tokens_of(request))
        why = {"error": str(refusal), **refusal.details} if refusal else {}
        return answer_json({"free": refusal is None} | why)

    async def command(self, request: Request) -> Response:
        run, asked, tokens = self._steered(request), _command(await json_of(request)), tokens_of(request)
        if asked.kind in ("resume", "step"):
            self.access.check_training(tokens)
        await run_in_threadpool(self.runs.command, run, asked, tokens)
        return answer_json({"ok": True})

    async def fork(self, request: Request) -> Response:
        """Whoever may see a run may go on from it: the fork is theirs. Their own run pauses where no turn is free."""
        tokens, run_id = tokens_of(request), request.path_params["run_id"]
        self.access.check_training(tokens)
        body = await json_of(request)
        source, changes, step = self.runs.get(run_id), _changes(body), _step(body)
        plan = await run_in_threadpool(plan_fork, source, changes, step)  # refused before anything is paused for it
        await run_in_threadpool(self.runs.memory.check, plan.config, tokens)
        if self.runs.may_control(source, tokens):
            await run_in_threadpool(self.runs.admission.make_room_for_fork, source, tokens)
            plan = await run_in_threadpool(plan_fork, source, changes, step)  # a run saves its state when it pauses
        return await self._start(functools.partial(self.runs.fork, plan, tokens), tokens)

    async def change(self, request: Request) -> Response:
        run, body = self._steered(request), await json_of(request)
        if "hidden" in body:
            self.access.check_owner(tokens_of(request))
        if "title" in body:
            await run_in_threadpool(self.runs.rename, run, str(body["title"]))
        if "kept" in body:
            await run_in_threadpool(self.runs.mark, run, body["kept"] is True, tokens_of(request))
        if "shown" in body:
            await run_in_threadpool(self.runs.show, run, body["shown"] is True, tokens_of(request))
        if "hidden" in body:
            await run_in_threadpool(run.describe, hidden=body["hidden"] is True)
        return answer_json(summary_of(run))

    async def token(self, request: Request) -> Response:
        """One more token for a run, which its owner may give to another device."""
        run = self._steered(request)
        return answer_json({"token": await run_in_threadpool(self.runs.new_token, run)}, 201)

    async def call_next(self, request: Request) -> Response:
        """The owner of the program, or the teacher, lets a run that waits have the next turn."""
        run = self.runs.get(request.path_params["run_id"])
        self.access.check_owner(tokens_of(request))
        if not self.runs.turns.call_next(run):
            raise RunsError(say("runs.waits_no_more"))
        return answer_json({"ok": True})

    async def delete(self, request: Request) -> Response:
        await run_in_threadpool(self.runs.delete, self._steered(request))
        return answer_json({"ok": True})

    def _steered(self, request: Request) -> Run:
        return self.access.steered(request.path_params["run_id"], tokens_of(request))

    async def _start(self, make: Callable[[], tuple[Run, str]], tokens: list[str]) -> Response:
        run, token = await run_in_threadpool(self._started, make, tokens)
        if self.runs.is_owner(tokens):
            self.access.lesson.started(run.id, run.listed)
        return answer_json({"id": run.id, "token": token}, 201)

    def _started(self, make: Callable[[], tuple[Run, str]], tokens: list[str]) -> tuple[Run, str]:
        """A new run that trains; nothing is made, and nobody's run paused, when there is no room or it cannot be."""
        if refusal := self.runs.admission.no_room(tokens):
            raise refusal
        run, token = make()
        try:
            self.runs.start(run, tokens)
        except Exception:  # another came first: nobody would get the token of what was made
            self.runs.delete(run)
            raise
        self.runs.evict_oldest(spare=run)
        return run, token


def _changes(body: dict[str, Any]) -> Changes:
    changes = body.get("changes") or {}
    if not isinstance(changes, dict):
        raise RunsError(say("web.wrong_settings"))
    return {str(name): parse_value(str(name), value) for name, value in changes.items()}


def _step(body: dict[str, Any]) -> int | None:
    """Which step to go back to, or to fork from; None: the newest state."""
    step = body.get("step")
    if step is not None and (isinstance(step, bool) or not isinstance(step, int) or not 0 <= step < 10**12):
        raise RunsError(say("web.wrong_step"))
    return step


def _command(body: dict[str, Any]) -> Command:
    kind, players = body.get("command"), body.get("players") or "both"
    if kind not in COMMAND_KINDS:
        raise RunsError(say("web.no_command", kind=repr(str(kind)[:40]), known=list(COMMAND_KINDS)))
    if players not in tuple(PLAYERS):
        raise RunsError(say("web.no_players", players=repr(str(players)[:40]), known=list(PLAYERS)))
    names = [n for n in ("d_lr", "g_lr", "total_steps") if body.get(n) not in (None, "")]
    given: dict[str, Any] = {n: parse_value(n, body[n]) for n in names}
    if kind == "measure_share":
        given["measure_share"] = checked_measure_share(body.get("measure_share"))
    return Command(kind, players, at=_step(body), **given)
