"""Tokens and ids: missing, wrong, ended, of others."""

from __future__ import annotations

import io
import itertools
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gan.core.tokens import hash_of
from gan.runs import archive
from tests import samples
from tests.web.hostile.asking import VARIATIONS, Ask, Kinds, Target, ask, ask_json, filled, kind, word
from tests.web.test_every_route import ANYBODY

BODY = {"command": "stop", "title": "Taken", "kept": False, "shown": False, "hidden": True, "train": False}


def steering(target: Target) -> list[str]:
    """All lines that need a token, for somebody's run and pictures."""
    lines = [line for line in target.lines if not line.startswith("GET") and line not in ANYBODY]
    gaps = {"run_id": target.run, "name": target.pictures, "raised_id": "1"}
    return [filled(line, **gaps) for line in lines]


def steer(target: Target, tokens: Iterator[str]) -> Iterator[Ask]:
    """Every steering line with each of these, as far as there are any."""
    lines = steering(target)
    for token, line in zip(tokens, itertools.cycle(lines), strict=False):
        method, path = line.split(" ")
        yield ask_json(method, path, BODY, X_Owner=token)


def no_token(target: Target, rng: random.Random) -> Iterator[Ask]:
    lines = steering(target)
    for line in lines * 3:
        yield ask_json(*line.split(" "), BODY)


def wrong_token(target: Target, rng: random.Random) -> Iterator[Ask]:
    yield from steer(target, (word(rng, rng.choice((1, 16, 32, 43, 200))) for _ in range(2 * VARIATIONS)))


def token_of_others(target: Target, rng: random.Random) -> Iterator[Ask]:
    yield from steer(target, itertools.repeat(target.my_token, VARIATIONS))


def nearly_token(target: Target, rng: random.Random) -> Iterator[Ask]:
    token = target.token
    near = [
        token[:-1],
        token[1:],
        token + "A",
        token.swapcase(),
        token[::-1],
        hash_of(token),
        "%".join(token),
        token * 2,
    ]
    yield from steer(target, itertools.islice(itertools.cycle(near), 4 * len(near)))


def ended_token(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        path = f"runs/{target.mine}"
        yield (
            ask_json("PATCH", path, {"title": f"Ended {i}"}, X_Owner=target.ended_token),
            ask("DELETE", path, X_Owner=target.ended_token),
            ask("POST", f"{path}/token", X_Owner=target.ended_token),
        )[i % 3]


def misplaced_token(target: Target, rng: random.Random) -> Iterator[Ask]:
    token, path = target.token, f"runs/{target.run}"
    for _ in range(5):
        yield ask_json("PATCH", f"{path}?X-Owner={token}&token={token}", BODY)
        yield ask_json("PATCH", path, BODY, Cookie=f"X-Owner={token}; owner={token}")
        yield ask_json("PATCH", path, BODY, Authorization=f"Bearer {token}")
        yield ask_json("PATCH", path, BODY | {"X-Owner": token, "token": token})
        yield ask_json("PATCH", path, BODY, X_Forwarded_Owner=token, Owner=token)


def many_tokens(target: Target, rng: random.Random) -> Iterator[Ask]:
    yield from steer(
        target, (",".join(word(rng, 40) for _ in range(rng.randrange(50, 900))) for _ in range(VARIATIONS))
    )


def teacher_only(target: Target, rng: random.Random) -> Iterator[Ask]:
    mine = f"runs/{target.mine}"
    for change in ({"train": False}, {"screen": {"run": target.run}}, {"hidden": ["how"]}, {"here": {}}, {}):
        yield ask_json("PATCH", "lesson", change, X_Owner=target.my_token)
        yield ask("POST", "lesson/pause", X_Owner=target.my_token)
        yield ask("DELETE", "lesson/raised", X_Owner=target.my_token)
        yield ask("DELETE", "game", X_Owner=target.my_token)
        yield ask_json("PATCH", mine, change | {"hidden": True}, X_Owner=target.my_token)


def unknown_run(target: Target, rng: random.Random) -> Iterator[Ask]:
    for line in (line for line in target.lines if "runs/{run_id}" in line):
        for run in (word(rng, 12), target.run[:-1] + "~", word(rng, 40)):
            method, path = line.split(" ")
            yield ask_json(method, filled(path, run_id=run, step="1", what="run.zip"), BODY, X_Owner=target.my_token)


def unknown_weights(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        name = ("run-" + word(rng, 12), word(rng, 8), f"file-{word(rng, 12)}", f"run-{target.mine}@x", "")[i % 5]
        yield ask("GET", (f"pixels?w={name}&seed=1", f"latent?w={name}", f"picture.png?w={name}&seed=1")[i % 3])


def unknown_pictures(target: Target, rng: random.Random) -> Iterator[Ask]:
    for _ in range(9):
        name = f"own-{rng.getrandbits(48):012x}"
        yield ask("GET", f"pictures/{name}", X_Owner=target.my_token)
        yield ask("DELETE", f"pictures/{name}", X_Owner=target.my_token)
        yield ask_json("POST", "pictures/again", {"upload": word(rng, 32), "size": 28, "channels": 1})


def pictures_of_others(target: Target, rng: random.Random) -> Iterator[Ask]:
    path = f"pictures/{target.pictures}"
    for _ in range(7):
        token = rng.choice((target.my_token, target.token, word(rng, 32), ""))
        yield ask("GET", path, X_Owner=token)
        yield ask("GET", f"{path}/preview", X_Owner=token)
        yield ask("DELETE", path, X_Owner=token)
        yield ask_json("POST", f"{path}/classes", {"classes": {"a": "b"}}, X_Owner=token)


def training_on_pictures_of_others(target: Target, rng: random.Random) -> Iterator[Ask]:
    """A run that claims to have learned from them comes back from its zip."""
    said = json.loads(samples.run_files()["run.json"])
    said["config"]["dataset"] = target.pictures
    with tempfile.TemporaryDirectory() as folder:
        path = samples.put_run(Path(folder), {"run.json": json.dumps(said).encode()})
        (path / "checkpoint.safetensors").unlink()
        out = io.BytesIO()
        archive.pack(path, out)
    for _ in range(VARIATIONS):
        yield ask("POST", "runs/import", out.getvalue(), X_Owner=rng.choice((target.my_token, word(rng, 32))))


TOKENS: Kinds = {
    "no token": kind("every steering request, without a token", "403", no_token),
    "wrong token": kind("the same with a token that was made up", "403", wrong_token),
    "token of another run": kind("the same with the token of a run of one's own", "403", token_of_others),
    "token with a change": kind("a real token cut, longer, doubled, backwards, or its hash", "403", nearly_token),
    "ended token": kind("the oldest of more than 16 tokens of a run", "403", ended_token),
    "token elsewhere": kind(
        "a real token in the query, in cookies, in the body, in other headers", "403", misplaced_token
    ),
    "many tokens": kind("up to 900 tokens in one request", "403", many_tokens),
    "what only the owner may": kind("a lesson changed, a run hidden, with the token of a run", "403", teacher_only),
    "unknown run": kind("an id that no run has, on every route of runs", "404", unknown_run),
    "unknown weights": kind("names that no weights have", "400 or 404", unknown_weights),
    "unknown pictures": kind("names and upload ids that nobody was told", "404", unknown_pictures),
    "pictures of others": kind(
        "a prepared set looked at, renamed, deleted, without its token", "403", pictures_of_others
    ),
    "training on pictures of others": kind(
        "the zip of a run on a set, without its token", "403", training_on_pictures_of_others
    ),
}
