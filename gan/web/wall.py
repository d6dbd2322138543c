"""The wall: the runs that their owners show, and the recorded ones, as tiles that are made once for all who look."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

from gan.core.errors import Missing
from gan.core.images import frame_bytes, is_exact
from gan.core.messages import say, with_messages
from gan.data.catalog import DATA
from gan.recipes.catalog import ALL_RECIPES
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.runs.snapshot import Snapshot
from gan.runs.turn_taking import is_waiting
from gan.web.descriptions import Messages
from gan.web.diagnoses import Diagnoses

MOST = 60  # live tiles
AGE = 1.0  # seconds that the tiles are good for
VERDICT_AGE = 3.0
SMALL, LARGE = 4, 3  # pictures across a tile: of small ones more
KEPT = 2 * MOST  # pictures of tiles, 5 to 30 kB each


class Tile(Messages):
    """A run on the wall. Its picture is `runs/ID/tile`, new with each `picture`; no title that a person wrote."""

    id: str
    title: str
    status: str  # "waiting" of one whose turn it is not
    step: int
    total_steps: int
    picture: int | None  # None: there is none yet
    kind: str  # of the first verdict; "" while it is too early
    severity: str
    verdict: str
    hidden: bool  # by the owner of the program, who alone sees it then


class Wall:
    """Tiles of the runs of one folder."""

    def __init__(self, runs: Runs, diagnoses: Diagnoses, now: Callable[[], float] = time.monotonic) -> None:
        self.runs, self._diagnoses, self._now = runs, diagnoses, now
        self._guard, self._reads = threading.Lock(), threading.Lock()  # _reads: of the recordings
        self._made_at = -AGE
        self._live: list[Tile] = []
        self._recorded: list[Tile] | None = None
        self._told: dict[bool, bytes] = {}  # of these tiles
        self._pictures: dict[str, tuple[int, bytes]] = {}  # by run; the newest last

    def live(self, hidden: bool = False) -> list[Tile]:
        """Of the runs that are shown, the newest first. Who looks sees them live, so they make pictures.

        hidden: with those that the owner of the program does not let others see.
        """
        with self._guard:
            if self._now() - self._made_at >= AGE:
                self._live = [self._tile(run) for run in self._chosen()]
                self._made_at = self._now()
                self._told.clear()
            return [tile for tile in self._live if hidden or not tile["hidden"]]

    def told(self, hidden: bool = False) -> bytes:
        """The live tiles as JSON {live}, written once for all who look."""
        live = self.live(hidden)
        with self._guard:
            if hidden not in self._told:
                self._told[hidden] = json.dumps(with_messages({"live": live})).encode()
            return self._told[hidden]

    def recorded(self) -> list[Tile]:
        """Of the recorded runs, in the order of the recipes. They stay as they are.

        The first who asks waits half a second, in which all are read and judged; nobody who asks for live ones does.
        """
        with self._reads:
            if self._recorded is None:
                known = self.runs.recordings.of_recipes
                self._recorded = [self._tile(self.runs.get(known[name])) for name in ALL_RECIPES if name in known]
            return self._recorded

    def picture(self, run: Run) -> bytes:
        """The first of its newest pictures in one file, PNG or WebP. Raises Missing where there is none yet."""
        if (shown := run.latest) is None:
            raise Missing(say("web.no_picture"))
        with self._guard:
            known = self._pictures.pop(run.id, None)
            if known is None or known[0] != shown.pictured:
                known = shown.pictured, _picture(shown)
            self._pictures[run.id] = known
            while len(self._pictures) > KEPT:
                self._pictures.pop(next(iter(self._pictures)))
        return known[1]

    def _chosen(self) -> list[Run]:
        """Those that are under way come first where there are too many; they lie by age, so that no tile jumps."""
        shown = [run for run in self.runs.all() if run.shown and (run.latest is not None or run.alive)]
        first = sorted(shown, key=lambda run: (run.status not in ("running", "paused"), -run.meta.created))[:MOST]
        for run in first:
            run.glance()
        return sorted(first, key=lambda run: -run.meta.created)

    def _tile(self, run: Run) -> Tile:
        latest, first = run.latest, next(iter(self._diagnoses.of(run, age=VERDICT_AGE)), None)
        return {
            "id": run.id,
            "title": title_of(run),
            "status": "recording" if run.recorded else "waiting" if is_waiting(run) else run.status,
            "step": latest.step if latest else 0,
            "total_steps": run.config.total_steps,
            "picture": latest.pictured if latest else None,
            "kind": first.kind if first else "",
            "severity": first.severity if first else "early",
            "verdict": first.title if first else "",
            "hidden": not run.listed,
        }


def title_of(run: Run) -> str:
    """Of the recipe and the data set, as we call them: a run from a file may have any words there."""
    recipe, dataset = ALL_RECIPES.get(run.config.recipe), DATA.get(run.config.dataset)
    return say(
        "runs.title",
        recipe=recipe.title if recipe else say("web.another_recipe"),
        dataset=dataset.title if dataset else say("web.own_pictures"),
    )


def _picture(shown: Snapshot) -> bytes:
    across = SMALL if is_exact(shown.tiles.shape[2]) else LARGE
    return frame_bytes(shown.tiles[: across * across], across)
