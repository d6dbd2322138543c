"""The visitors of `bench crowd`: strangers, each with own tokens, who do by chance what people do on the page.

What each asks, and how often, is what the page's scripts ask; only Gradio's own requests after its first page are not
made.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from gan.bench.crowd_page import Answer, Page, Tally

KINDS = ("queuer", "dragger", "player", "reloader", "watcher")
ACTS: dict[str, dict[str, int]] = {  # how likely a visitor of a kind does what next
    "queuer": {"start": 6, "follow": 8, "steer": 8, "delete": 2, "wall": 1, "reload": 1, "leave": 2, "trespass": 1},
    "dragger": {"drag": 10, "start": 1, "follow": 1, "steer": 1, "wall": 1, "leave": 1, "trespass": 1},
    "player": {"play": 10, "wall": 2, "follow": 1, "leave": 1, "trespass": 1},
    "reloader": {"reload": 10, "start": 1, "follow": 3, "leave": 2, "trespass": 1},
    "watcher": {"wall": 8, "follow": 4, "leave": 2, "trespass": 1},
}
RECIPES = ("quick", "quick-conditional", "quick-colour", "mlp", "dense", "conv-small")
SHIPPED = ("mnist-conditional", "mnist", "monsters")
MOST_OWN = 3  # runs of one visitor: who begins a fourth deletes the oldest
OWNER_SECONDS, WATCHER_SECONDS = 0.333, 1.0  # static/run/follower.js
RUNS_SECONDS, WALL_SECONDS, WAITING_SECONDS = 5.0, 3.0, 4.0  # train.js, wall.js, waiting.js
FRAME_SECONDS = 1 / 30  # between two places of a slider that somebody drags
LONG_AWAY = 130.0  # seconds, after which a run that nobody watches gives way (gan/runs/turns.py)
STEPS = 10**6  # of a run of the crowd; each has another number, which tells in every answer whose run that is
_STATIC = re.compile(r"gradio_api/gan/static/[\w./-]+")
_ASSETS = re.compile(r'(?:src|href)="\./(assets/[\w./-]+)"')


class Known(NamedTuple):
    """What must be true of a run in every answer about it."""

    recipe: str
    total_steps: int
    owner: int


@dataclass
class Crowd:
    """What all visitors share. It ends at `end`, by time.monotonic()."""

    port: int
    end: float
    runs: dict[str, Known] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=lambda: {kind: Tally() for kind in KINDS})
    trespasses: int = 0  # tries to steer another's run
    checked: int = 0  # answers about a run that were compared with what is known of it
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.end


class Visitor:
    """One stranger of a kind. What is wrong with an answer is an error in the tally of this kind."""

    def __init__(self, crowd: Crowd, kind: str, number: int, seed: int) -> None:
        self.crowd, self.kind, self.number = crowd, kind, number
        self.random = random.Random(f"{seed}-{number}")
        self.tally = crowd.tallies[kind]
        self.page = Page(crowd.port, self.tally)
        self._slot = self._name()

    async def stay(self, arrive: float) -> None:
        """From `arrive` seconds on until the end; then its runs are stopped."""
        await self._rest(self.random.uniform(0, arrive))
        acts = ACTS[self.kind]
        await self._try(self._reload)
        while not self.crowd.over:
            (name,) = self.random.choices(list(acts), list(acts.values()))
            await self._try(getattr(self, f"_{name}"))
            await self._rest(self.random.uniform(0.1, 1.0))
        for run_id in list(self.page.tokens):
            await self._try(partial(self._command, run_id, command="stop"))
        self.page.close()

    async def _try(self, act: Callable[[], Awaitable[object]]) -> None:
        try:
            await act()
        except (OSError, EOFError, ValueError, KeyError, TypeError, asyncio.TimeoutError) as e:
            self._wrong(f"{getattr(act, '__name__', 'stop')}: {type(e).__name__}: {e}")
            self.page.close()

    def _wrong(self, what: str) -> None:
        self.tally.errors.append(what)

    async def _rest(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, min(seconds, self.crowd.end - time.monotonic())))

    def _name(self) -> str:
        return f"{self.random.getrandbits(40):x}"

    # Runs of one's own --------------------------------------------------------------------------------------------

    async def _start(self) -> None:
        """Press Train, or go on from a run as a fork; who finds no room waits as the page does."""
        if len(self.page.tokens) >= MOST_OWN:
            await self._delete()
        recipe, steps = self.random.choice(RECIPES), STEPS + next(self.crowd.numbers)
        source, path = next(iter(self.page.tokens), ""), "runs"
        order: dict[str, Any] = {"recipe": recipe, "dataset": "", "start": "", "shown": self.random.random() < 0.7}
        if source and self.random.random() < 0.25:
            recipe, order, path = self.crowd.runs[source].recipe, {"step": None}, f"runs/{source}/fork"
        answer = await self.page.ask("POST", path, order | {"changes": {"total_steps": steps}})
        if answer.ok:
            said = answer.json()
            self.page.tokens[said["id"]] = said["token"]
            self.crowd.runs[said["id"]] = Known(recipe, steps, self.number)
            await self._watch(said["id"], self.random.uniform(3, 10))
        elif answer.status == 409:
            await self._until(self.random.uniform(4, 12), WAITING_SECONDS, lambda: self.page.get("busy"))

    async def _command(self, run_id: str, **asked: object) -> Answer:
        return await self._own("POST", f"runs/{run_id}/command", asked)

    async def _own(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """Something of a run of one's own, which is there and may be steered."""
        answer = await self.page.ask(method, path, body)
        if answer.status in (403, 404):
            self._wrong(f"{method} {path}: {answer.status} for who holds its token")
        return answer

    async def _steer(self) -> None:
        if not self.page.tokens:
            return
        run_id, chance = self.random.choice(list(self.page.tokens)), self.random
        commands: list[dict[str, Any]] = [
            {"command": "pause"},
            {"command": "resume"},
            {"command": "step", "players": chance.choice(("both", "d", "g"))},
            {"command": "lr", "d_lr": chance.choice((1e-4, 2e-4)), "g_lr": chance.choice((1e-4, 2e-4))},
            {"command": "measure_share", "measure_share": chance.choice((0.0, 0.1))},
            {"command": "rewind", "step": chance.choice((None, 16))},
            {"command": "stop"},
        ]
        changes = ({"title": f"run {self._name()}"}, {"kept": True}, {"kept": False}, {"shown": True}, {"shown": False})
        if chance.random() < 0.7:
            await self._command(run_id, **chance.choice(commands))
        else:
            await self._own("PATCH", f"runs/{run_id}", chance.choice(changes))
        await self._watch(run_id, chance.uniform(1, 4))

    async def _delete(self) -> None:
        """The oldest: stopped, no longer kept, and then gone for everybody."""
        run_id = next(iter(self.page.tokens), None)
        if run_id is None:
            return
        path = f"runs/{run_id}"
        await self._command(run_id, command="stop")
        for _ in range(40):
            if (await self._own("GET", path)).json()["status"] not in ("running", "paused"):
                break
            await asyncio.sleep(0.25)
        await self._own("PATCH", path, {"kept": False})
        if (await self._own("DELETE", path)).ok:
            del self.page.tokens[run_id]
            if (await self.page.get(path)).status != 404:
                self._wrong(f"{path} answers after it was deleted")

    async def _trespass(self) -> None:
        """Another's run is not steered with one's own tokens."""
        others = [run_id for run_id, known in self.crowd.runs.items() if known.owner != self.number]
        if not others:
            return
        path = f"runs/{self.random.choice(others)}"
        method, where, body = self.random.choice(
            [
                ("POST", f"{path}/command", {"command": "stop"}),
                ("PATCH", path, {"title": "not mine"}),
                ("DELETE", path, None),
                ("POST", f"{path}/token", None),
            ]
        )
        answer = await self.page.ask(method, where, body)
        self.crowd.trespasses += 1
        if answer.status not in (403, 404):
            self._wrong(f"cross-talk: {method} {where} of another's run answered {answer.status}")

    # Looking ------------------------------------------------------------------------------------------------------

    async def _until(self, seconds: float, every: float, ask: Callable[[], Awaitable[object]]) -> None:
        """Ask again and again; where an answer is refused, the page asks no more."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.crowd.over:
            started = time.monotonic()
            met = await ask()
            if isinstance(met, Answer) and not met.ok:
                return
            await self._rest(every - (time.monotonic() - started))

    async def _follow(self) -> None:
        """A run of one's own, or one on the wall."""
        run_id = await self._some_run()
        if run_id:
            await self._watch(run_id, self.random.uniform(3, 12))

    async def _some_run(self) -> str | None:
        own = list(self.page.tokens)
        if own and self.random.random() < 0.6:
            return own[-1]
        return self.random.choice(await self._tiles() or own or [None])

    async def _watch(self, run_id: str, seconds: float) -> None:
        """As a page that shows a run: what is new of it, and what goes with its first picture."""
        cursor, listed, pictured = "", 0.0, False

        async def look() -> Answer:
            nonlocal cursor, listed, pictured
            answer = await self.page.get(f"runs/{run_id}/follow?since={cursor}")
            if answer.status == 200:
                said = answer.json()
                cursor = self._compared(run_id, said)
                if said.get("snapshot") and not pictured:
                    pictured = True
                    await self.page.get(f"runs/{run_id}/real.png")
                    await self.page.get(f"runs/{run_id}/diagnosis")
            if time.monotonic() - listed > RUNS_SECONDS:
                await self._list()
                listed = time.monotonic()
            return answer

        own = run_id in self.page.tokens
        await self._until(seconds, OWNER_SECONDS if own else WATCHER_SECONDS, look)

    def _compared(self, run_id: str, said: dict[str, Any]) -> str:
        """Whether an answer is about the run that was asked for; returns what to ask with next."""
        known, run, snapshot = self.crowd.runs.get(run_id), said.get("run"), said.get("snapshot")
        if run and run["id"] != run_id:
            self._wrong(f"cross-talk: {run['id']} where {run_id} was asked for")
        if known:
            self.crowd.checked += 1
            told = [
                (run or snapshot or {}).get("total_steps", known.total_steps),
                (run or {}).get("recipe", known.recipe),
            ]
            if snapshot:
                told.append(snapshot["total_steps"])
            if not {*told} <= {known.total_steps, known.recipe}:
                self._wrong(f"cross-talk: {told} of {run_id}, which is {known}")
        return str(said["cursor"])

    async def _list(self) -> None:
        """My runs are mine."""
        listed = {run["id"] for run in (await self.page.get("runs")).json()["runs"]}
        if listed != set(self.page.tokens):
            self._wrong(f"cross-talk: runs {listed} are listed for who has {set(self.page.tokens)}")

    async def _tiles(self) -> list[str]:
        """The runs on the wall, whose pictures are asked for as they come."""
        answer = await self.page.ask("GET", "wall")
        if answer.status == 304:
            return []
        live = answer.json()["live"]
        for tile in live:
            if tile["picture"] is not None:
                await self.page.get(f"runs/{tile['id']}/tile?v={tile['picture']}", keep=True)
        return [tile["id"] for tile in live]

    async def _wall(self) -> None:
        await self.page.get("wall/recorded", keep=True)
        await self._until(self.random.uniform(3, 12), WALL_SECONDS, self._tiles)

    async def _reload(self) -> None:
        """All that a page asks when it is opened; what a browser has cached is asked for with its tag."""
        self.page.close()
        self._slot = self._name()
        text = (await self.page.get("/")).body.decode()
        for path in _ASSETS.findall(text):
            await self.page.get(f"/{path}", keep=True)
        for path in dict.fromkeys(_STATIC.findall(text)):
            await self.page.get(f"/{path}")
        boot = (await self.page.get("boot?lang=en")).json()
        if boot["owner"]:
            self._wrong("cross-talk: a stranger is taken for the owner of the program")
        await self._list()
        await self.page.get("weights")
        if run_id := next(reversed(self.page.tokens), None):
            await self._watch(run_id, 1.0)

    async def _leave(self) -> None:
        """The page is closed for a while; sometimes so long that others' runs come first."""
        self.page.close()
        await self._rest(LONG_AWAY if self.random.random() < 0.1 else self.random.uniform(3, 30))
        await self._reload()

    # Playing ------------------------------------------------------------------------------------------------------

    async def _drag(self) -> None:
        """Sliders of shipped weights or of a run: drawn in the page, which asks for the weights, or by the server."""
        run_id = await self._some_run() if self.random.random() < 0.5 else None
        weights = f"run-{run_id}" if run_id else self.random.choice(SHIPPED)
        seconds, seed, begun = self.random.uniform(2, 6), self.random.randrange(10**6), time.monotonic()
        if not (await self.page.get(f"weights/{weights}")).ok:
            return

        async def here() -> Answer:
            if run_id:
                await self.page.ask("POST", f"runs/{run_id}/watch", {})
            return await self.page.get(f"weights/{weights}/page")

        async def there() -> Answer:
            at = 3 * math.sin(2 * (time.monotonic() - begun))
            answer = await self.page.get(f"pixels?w={weights}&seed={seed}&d=0:{at:.2f}&slot={self._slot}-main")
            if answer.ok and len(answer.body) != math.prod(map(int, answer.headers["x-shape"].split(","))):
                self._wrong(f"pixels of {weights}: {len(answer.body)} bytes are no {answer.headers['x-shape']}")
            return answer

        in_page = self.random.random() < 0.5
        await self._until(seconds, 1.0 if in_page else FRAME_SECONDS, here if in_page else there)

    async def _play(self) -> None:
        """A round of the game, with pictures of frames; who plays is quick."""
        run_id = await self._some_run()
        if run_id is None:
            return
        answer = await self.page.get(f"runs/{run_id}/follow?since=")
        if answer.status != 200:
            return
        said = answer.json()
        self._compared(run_id, said)
        steps = (said.get("records") or {}).get("frames", {}).get("step", [])
        chosen = sorted(self.random.sample(steps, min(10, len(steps))))
        await self.page.get(f"runs/{run_id}/real.png")
        for step in chosen:
            await self.page.get(f"runs/{run_id}/frames/{step}", keep=True)
            await self._rest(self.random.uniform(0.1, 0.6))
        if not chosen:
            return
        answers = [{"step": step, "right": self.random.random() < 0.7} for step in chosen]
        told = await self.page.ask("POST", f"runs/{run_id}/game", {"answers": answers})
        if told.ok and told.json()["rounds"] < 1:
            self._wrong(f"a round of the game with {run_id} was not counted")
        await self.page.get(f"runs/{run_id}/game")


async def visit(crowd: Crowd, visitors: int, seed: int) -> None:
    """So many visitors, of all kinds in turn, until the end. They come within the first tenth of the time."""
    arrive = (crowd.end - time.monotonic()) / 10
    everybody = [Visitor(crowd, KINDS[number % len(KINDS)], number, seed) for number in range(visitors)]
    await asyncio.gather(*(visitor.stay(arrive) for visitor in everybody))
