"""What a link says of a picture: the text of a query, checked, as a spec and a class. Pure functions.

Whatever draws reads a query with these functions: the server's routes, and `gan.draw` for Python.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

from gan.core.errors import UserError
from gan.core.messages import say
from gan.core.noise import SHEETS
from gan.core.seeds import MAX_SEED
from gan.latent.spec import RING, LatentSpec, Push, unpacked

MAX_RINGS, MAX_STEPS, MAX_SETS, MAX_DIRECTIONS = 64, 64, 1024, 8
MAX_VALUE = 10.0
MAX_LABEL = 9999  # of four digits
MAX_PUSHES, MAX_KEY, MAX_VECTOR = 12, 60, 4096  # directions in one address, letters of a name, bytes of a vector

SPEC_KEYS = (
    "m",  # the walk, NEIGHBOUR:SPREAD,...
    "d",  # principal directions, NUMBER:AMOUNT,...
    "z",  # single latent numbers, NUMBER:VALUE,...
    "u",  # directions written out, NAME:AMOUNT:VECTOR or NAME:AMOUNT:VECTOR:g,...; g: the group may change
    "lock",  # NAME,...: no other direction may move along these
    "psi",  # truncation, 0 to 1
    "mix",  # CLASS:SHARE of a second class
    "from",  # instead of the seed's latent: one that was found (VECTOR), or one of a sheet (tile:NUMBER, study:NUMBER)
)
PICTURE_KEYS = ("seed", "c", *SPEC_KEYS)  # all that determines a picture, beside the weights


class BadQuery(UserError):
    """A part of the address cannot be used; the message is one sentence."""


# The whole -------------------------------------------------------------------------------------------------------


def read(text: str) -> dict[str, str]:
    """The query of a picture, "seed=5&c=4&psi=0.7", as its parts. Raises BadQuery for what no picture depends on."""
    parts = dict(parse_qsl(text.removeprefix("?"), keep_blank_values=True))
    strange = next((key for key in parts if key not in PICTURE_KEYS), None)
    if strange is not None or (text and not parts):
        raise BadQuery(say("latent.no_such_part", part=repr((strange or text)[:20]), keys=list(PICTURE_KEYS)))
    return parts


def written(query: Mapping[str, str]) -> str:
    """The inverse of `read`, of whatever the query says of a picture; as static/core/query.js writes it."""
    return "&".join(f"{key}={quote(query[key], safe='!*()~,:' + chr(39))}" for key in PICTURE_KEYS if query.get(key))


def spec_of(query: Mapping[str, str], prefix: str = "") -> LatentSpec:
    """The spec of a picture, from its seed and what SPEC_KEYS lists, each key with the prefix before it."""
    part = {key: query.get(prefix + key, "") for key in SPEC_KEYS}
    pushes = _pushes(part["u"])
    start, sheet = _start(part["from"])
    return LatentSpec(
        seed_of(query),
        tuple(_pairs(part["m"], "m", MAX_RINGS * RING, MAX_STEPS, 0, 1)),
        dict(_pairs(part["d"], "d", MAX_DIRECTIONS, MAX_DIRECTIONS, -MAX_VALUE, MAX_VALUE)),
        dict(_pairs(part["z"], "z", MAX_SETS, MAX_SETS, -MAX_VALUE, MAX_VALUE)),
        base=start,
        sheet=sheet,
        psi=number(part["psi"] or "1", "psi", 0, 1),
        directions=pushes,
        locked=_locked(part["lock"], pushes),
        mix=_mix(part["mix"]),
    )


def seed_of(query: Mapping[str, str]) -> int:
    text = query.get("seed", "0")
    if not re.fullmatch(r"\d{1,10}", text) or int(text) > MAX_SEED:
        raise BadQuery(say("latent.wrong_seed", most=MAX_SEED, text=repr(text[:20])))
    return int(text)


def label_of(text: str) -> int | None:
    """A class; None where none is asked for."""
    if text and not re.fullmatch(r"\d{1,4}", text):
        raise BadQuery(say("latent.wrong_class", most=MAX_LABEL, text=repr(text[:20])))
    return int(text) if text else None


# Parts -----------------------------------------------------------------------------------------------------------


def _start(text: str) -> tuple[bytes, tuple[str, int] | None]:
    """A vector, or a picture of a sheet."""
    name, colon, row = text.partition(":")
    if not colon:
        return (vector(text, "from") if text else b""), None
    if name not in SHEETS or not re.fullmatch(r"\d{1,4}", row) or int(row) >= SHEETS[name].latents:
        known = [say("latent.sheet_rows", name=name, last=sheet.latents - 1) for name, sheet in SHEETS.items()]
        raise BadQuery(say("latent.wrong_start", known=known, text=repr(text[:20])))
    return b"", (name, int(row))


def _pushes(text: str) -> tuple[Push, ...]:
    parts = text.split(",") if text else []
    if len(parts) > MAX_PUSHES:
        raise BadQuery(say("latent.too_many_directions", most=MAX_PUSHES, number=len(parts)))
    pushes = tuple(map(_push, parts))
    if len({push.key for push in pushes}) < len(pushes):
        raise BadQuery(say("latent.direction_twice"))
    return pushes


def _push(text: str) -> Push:
    key, amount, packed, flag = [*text.split(":"), ""][:4] if text.count(":") in (2, 3) else ("", "", "", "")
    if not 0 < len(key) <= MAX_KEY or not key.isprintable() or key.isdecimal() or flag not in ("", "g"):
        raise BadQuery(say("latent.wrong_push", text=repr(text[:30])))
    return Push(key, number(amount, "u", -MAX_VALUE, MAX_VALUE), vector(packed, "u"), flag == "g")


def vector(text: str, name: str) -> bytes:
    """Float16 numbers in base64 with - and _ and without =; refused when one is not finite or absurdly large."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or len(data) % 2 or len(data) > MAX_VECTOR:
        raise BadQuery(say("latent.vector_unreadable", name=name))
    if not bool((unpacked(data).abs() <= MAX_VALUE).all()):
        raise BadQuery(say("latent.vector_beyond", name=name, most=MAX_VALUE))
    return data


def in_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _locked(text: str, pushes: tuple[Push, ...]) -> frozenset[str]:
    keys = frozenset(text.split(",")) if text else frozenset()
    numbers = {str(k) for k in range(MAX_DIRECTIONS)}
    if not keys <= numbers | {push.key for push in pushes}:
        raise BadQuery(say("latent.wrong_lock"))
    return keys


def _mix(text: str) -> tuple[int, float] | None:
    if not text:
        return None
    label, colon, share = text.partition(":")
    other = label_of(label) if colon else None
    if other is None:
        raise BadQuery(say("latent.wrong_mix", text=repr(text[:20])))
    return other, number(share, "mix", 0, 1)


def _pairs(text: str, name: str, keys: int, most: int, low: float, high: float) -> list[tuple[int, float]]:
    """Numbered values, 0:1.5,3:-2."""
    parts = text.split(",") if text else []
    if len(parts) > most:
        raise BadQuery(say("latent.too_many_values", name=name, most=most, number=len(parts)))
    found = []
    for part in parts:
        key, colon, value = part.partition(":")
        if not colon or not re.fullmatch(r"\d{1,4}", key) or int(key) >= keys:
            raise BadQuery(say("latent.wrong_pair", name=name, keys=keys, text=repr(part[:20])))
        found.append((int(key), number(value, name, low, high)))
    return found


# Numbers ---------------------------------------------------------------------------------------------------------


def integer(query: Mapping[str, str], name: str, low: int, high: int, default: int) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"\d{1,9}", text) or not low <= int(text) <= high:
        raise BadQuery(say("latent.wrong_integer", name=name, low=low, high=high, text=repr(text[:20])))
    return int(text)


def number(text: str, name: str, low: float, high: float) -> float:
    """A finite number; beyond its limits it is set to the limit."""
    try:
        value = float(text[:30])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadQuery(say("latent.wrong_number", name=name, text=repr(text[:20])))
    return min(max(value, low), high)
