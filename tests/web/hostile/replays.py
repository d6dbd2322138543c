"""The same again, and many at once."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.web.hostile.asking import VARIATIONS, Ask, Kinds, Target, ask, ask_json, kind, word

START = {"recipe": "dense", "dataset": "mnist"}


def replayed(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        body = {"command": ("pause", "step", "rewind", "lr", "stop")[i % 5], "d_lr": 0.1}
        yield ask_json("POST", f"runs/{target.mine}/command", body, X_Owner=target.my_token)


def resumed(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        body = {"command": "resume", "total_steps": 10**6 + i}
        yield ask_json("POST", f"runs/{target.mine}/command", body, X_Owner=target.my_token)


def started(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        yield ask_json("POST", "runs", START | {"changes": {"seed": i}}, X_Owner=word(rng, 32))


def forked(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        yield ask_json("POST", f"runs/{target.run}/fork", {"step": rng.randrange(3) if i % 2 else None})


def deleted(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        run, token = target.spare[i % len(target.spare)]
        yield ask("DELETE", f"runs/{run}", X_Owner=token)


def counted(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        odd = ([], [[1, 2, 3]] * 9000, "x", {"a": 1}, [{"step": -1, "right": 10**30}])[i % 5]
        yield ask_json("POST", f"runs/{target.run}/game", {"answers": odd})


REPLAYS: Kinds = {
    "replayed commands": kind(
        "pause, one step, learning rates, stop, to a run that has ended",
        "200: once or often is the same",
        replayed,
        together=True,
    ),
    "resumed at once": kind("25 times go on, where another run has the only place", "409", resumed, together=True),
    "started at once": kind("25 runs, where there is no place", "409", started, together=True),
    "forked at once": kind("25 forks of a run that trains, where there is no place", "409", forked, together=True),
    "deleted at once": kind("25 deletions of 5 runs", "200 or 404: each goes once", deleted, together=True),
    "game answers without end": kind("nonsense and 9,000 answers of a game", "400", counted),
}
