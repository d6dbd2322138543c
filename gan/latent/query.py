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
from gan.core.noise import SHEETS
from gan.core.seeds import MAX_SEED
from gan.latent.spec import RING, LatentSpec, Push, unpacked

MAX_RINGS, MAX_STEPS, MAX_SETS, MAX_DIRECTIONS = 64, 64, 1024, 8
MAX_VALUE = 10.0
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
        raise BadQuery(f"A picture has no {(strange or text)[:20]!r}; it has {', '.join(PICTURE_KEYS)}.")
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
        raise BadQuery(f"The seed must be a whole number from 0 to {MAX_SEED}, not {text[:20]!r}.")
    return int(text)


def label_of(text: str) -> int | None:
    """A class; None where none is asked for."""
    if text and not re.fullmatch(r"\d{1,4}", text):
        raise BadQuery(f"The class must be a whole number below 10,000, not {text[:20]!r}.")
    return int(text) if text else None


# Parts -----------------------------------------------------------------------------------------------------------


def _start(text: str) -> tuple[bytes, tuple[str, int] | None]:
    """A vector, or a picture of a sheet."""
    name, colon, row = text.partition(":")
    if not colon:
        return (vector(text, "from") if text else b""), None
    if name not in SHEETS or not re.fullmatch(r"\d{1,4}", row) or int(row) >= SHEETS[name].latents:
        known = " or ".join(f"{name}:0 to {name}:{sheet.latents - 1}" for name, sheet in SHEETS.items())
        raise BadQuery(f"from must be a vector, or {known}, not {text[:20]!r}.")
    return b"", (name, int(row))


def _pushes(text: str) -> tuple[Push, ...]:
    parts = text.split(",") if text else []
    if len(parts) > MAX_PUSHES:
        raise BadQuery(f"u may hold at most {MAX_PUSHES} directions, not {len(parts)}.")
    pushes = tuple(map(_push, parts))
    if len({push.key for push in pushes}) < len(pushes):
        raise BadQuery("u may hold every direction only once.")
    return pushes


def _push(text: str) -> Push:
    key, amount, packed, flag = [*text.split(":"), ""][:4] if text.count(":") in (2, 3) else ("", "", "", "")
    if not 0 < len(key) <= MAX_KEY or not key.isprintable() or key.isdecimal() or flag not in ("", "g"):
        raise BadQuery(f"u must look like NAME:AMOUNT:VECTOR, not {text[:30]!r}.")
    return Push(key, number(amount, "u", -MAX_VALUE, MAX_VALUE), vector(packed, "u"), flag == "g")


def vector(text: str, name: str) -> bytes:
    """Float16 numbers in base64 with - and _ and without =; refused when one is not finite or absurdly large."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or len(data) % 2 or len(data) > MAX_VECTOR:
        raise BadQuery(f"The vector in {name} cannot be read.")
    if not bool((unpacked(data).abs() <= MAX_VALUE).all()):
        raise BadQuery(f"The vector in {name} holds numbers beyond {MAX_VALUE:g}.")
    return data


def in_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _locked(text: str, pushes: tuple[Push, ...]) -> frozenset[str]:
    keys = frozenset(text.split(",")) if text else frozenset()
    numbers = {str(k) for k in range(MAX_DIRECTIONS)}
    if not keys <= numbers | {push.key for push in pushes}:
        raise BadQuery("lock must name directions that this address holds.")
    return keys


def _mix(text: str) -> tuple[int, float] | None:
    if not text:
        return None
    label, colon, share = text.partition(":")
    other = label_of(label) if colon else None
    if other is None:
        raise BadQuery(f"mix must look like CLASS:SHARE, not {text[:20]!r}.")
    return other, number(share, "mix", 0, 1)


def _pairs(text: str, name: str, keys: int, most: int, low: float, high: float) -> list[tuple[int, float]]:
    """Numbered values, 0:1.5,3:-2."""
    parts = text.split(",") if text else []
    if len(parts) > most:
        raise BadQuery(f"{name} may hold at most {most} values, not {len(parts)}.")
    found = []
    for part in parts:
        key, colon, value = part.partition(":")
        if not colon or not re.fullmatch(r"\d{1,4}", key) or int(key) >= keys:
            raise BadQuery(f"{name} must look like 0:1.5,3:-2 with numbers below {keys}, not {part[:20]!r}.")
        found.append((int(key), number(value, name, low, high)))
    return found


# Numbers ---------------------------------------------------------------------------------------------------------


def integer(query: Mapping[str, str], name: str, low: int, high: int, default: int) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"\d{1,9}", text) or not low <= int(text) <= high:
        raise BadQuery(f"{name} must be a whole number from {low} to {high}, not {text[:20]!r}.")
    return int(text)


def number(text: str, name: str, low: float, high: float) -> float:
    """A finite number; beyond its limits it is set to the limit."""
    try:
        value = float(text[:30])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadQuery(f"{name} must be a number, not {text[:20]!r}.")
    return min(max(value, low), high)
