"""Places as links hold them: whatever is written is read again, and nothing else is taken."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan.core.noise import SHEETS
from gan.core.seeds import MAX_SEED
from gan.latent import query as q
from gan.latent.query import BadQuery
from gan.latent.spec import RING, LatentSpec, Push
from gan.web.routes.paths import keyframes_of

VALUES = st.floats(-q.MAX_VALUE, q.MAX_VALUE)
SHARES = st.floats(0, 1)
VECTORS = st.lists(st.floats(-q.MAX_VALUE, q.MAX_VALUE, width=16), min_size=1, max_size=40).map(
    lambda numbers: np.array(numbers, "<f2").tobytes()
)
NAMES = st.text(min_size=1, max_size=q.MAX_KEY).filter(
    lambda name: name.isprintable() and not name.isdecimal() and not {":", ","} & set(name)
)


@st.composite
def places(draw: st.DrawFn) -> LatentSpec:
    """Anything that a link can say."""
    names = draw(st.lists(NAMES, max_size=4, unique=True))
    pushes = tuple(Push(name, draw(VALUES), draw(VECTORS), draw(st.booleans())) for name in names)
    lockable = [*map(str, range(q.MAX_DIRECTIONS)), *names]
    sheet = draw(st.none() | st.sampled_from(sorted(SHEETS)))
    return LatentSpec(
        draw(st.integers(0, MAX_SEED)),
        tuple(draw(st.lists(st.tuples(st.integers(0, q.MAX_RINGS * RING - 1), SHARES), max_size=5))),
        draw(st.dictionaries(st.integers(0, q.MAX_DIRECTIONS - 1), VALUES)),
        draw(st.dictionaries(st.integers(0, q.MAX_SETS - 1), VALUES, max_size=5)),
        base=draw(st.just(b"") | VECTORS) if sheet is None else b"",
        sheet=None if sheet is None else (sheet, draw(st.integers(0, SHEETS[sheet].latents - 1))),
        psi=draw(SHARES),
        directions=pushes,
        locked=frozenset(draw(st.lists(st.sampled_from(lockable)))),
        mix=draw(st.none() | st.tuples(st.integers(0, 9999), SHARES)),
    )


def parts_of(spec: LatentSpec) -> dict[str, str]:
    """A spec as the page writes it."""
    flags = {False: "", True: ":g"}
    pairs = {
        "m": spec.walk,
        "d": spec.principal.items(),
        "z": spec.fixed.items(),
        "mix": [spec.mix] if spec.mix else [],
    }
    start = in_full(spec.sheet) if spec.sheet else q.in_base64(spec.base)
    return {
        "seed": str(spec.seed),
        **{key: ",".join(f"{number}:{value!r}" for number, value in found) for key, found in pairs.items()},
        "u": ",".join(
            f"{p.key}:{p.amount!r}:{q.in_base64(p.vector)}{flags[p.may_change_cluster]}" for p in spec.directions
        ),
        "lock": ",".join(sorted(spec.locked)),
        "psi": repr(spec.psi),
        "from": start,
    }


def in_full(sheet: tuple[str, int]) -> str:
    return f"{sheet[0]}:{sheet[1]}"


# There and back ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@given(places())
def test_a_place_comes_back_from_its_link(spec: LatentSpec) -> None:
    text = q.written(parts_of(spec))
    assert q.spec_of(q.read(text)) == spec
    assert q.written(q.read(text)) == text  # one text for one spec
    assert re.fullmatch("[!-~]*", text) and "#" not in text  # an address holds it as it is


@pytest.mark.slow
@given(places(), st.sampled_from(["a_", "b_"]))
def test_two_places_share_an_address_by_prefixes(spec: LatentSpec, prefix: str) -> None:
    other = LatentSpec(spec.seed, psi=0.5)
    parts = {prefix + key: value for key, value in parts_of(spec).items()} | parts_of(other)
    assert q.spec_of(parts, prefix) == spec and q.spec_of(parts) == other


@given(st.binary(min_size=1, max_size=100))
def test_bytes_come_back_from_base64_or_are_no_vector(data: bytes) -> None:
    try:
        assert q.vector(q.in_base64(data), "u") == data
    except BadQuery:
        numbers = np.frombuffer(data[: len(data) // 2 * 2], "<f2").astype(float)
        assert len(data) % 2 or not (abs(numbers) <= q.MAX_VALUE).all()


# As the page -----------------------------------------------------------------------------------------------------

GOLDEN = json.loads(
    Path(__file__).with_name("golden_links.json").read_text(encoding="utf-8")
)  # the page reads them too


def golden_spec(found: dict[str, Any]) -> LatentSpec:
    """As the file lists it."""
    half = lambda numbers: np.array(numbers, "<f2").tobytes()  # noqa: E731
    return LatentSpec(
        found.get("seed", 0),
        tuple((number, spread) for number, spread in found.get("walk", [])),
        {int(k): value for k, value in found.get("principal", {}).items()},
        {int(k): value for k, value in found.get("fixed", {}).items()},
        base=half(found.get("base", [])),
        sheet=tuple(found["sheet"]) if "sheet" in found else None,
        psi=found.get("psi", 1),
        directions=tuple(Push(key, amount, half(v), group) for key, amount, v, group in found.get("pushes", [])),
        locked=frozenset(found.get("locked", [])),
        mix=tuple(found["mix"]) if "mix" in found else None,
    )


@pytest.mark.parametrize("golden", GOLDEN["links"], ids=lambda golden: golden["link"][:40])
def test_a_golden_link_says_what_the_page_reads(golden: dict[str, Any]) -> None:
    found = q.read(golden["link"])
    assert q.spec_of(found) == golden_spec(golden["spec"])
    assert q.label_of(found.get("c", "")) == golden["spec"].get("label")
    if "written" not in golden:
        assert q.written(found) == golden["link"]


@pytest.mark.parametrize("golden", GOLDEN["damaged"], ids=lambda golden: golden["link"][:40])
def test_a_damaged_link_is_refused_in_one_sentence(golden: dict[str, Any]) -> None:
    found = q.read(golden["link"])
    with pytest.raises(BadQuery, match=re.escape(golden["refused"])):
        q.label_of(found.get("c", ""))
        q.spec_of(found)


@pytest.mark.parametrize("golden", GOLDEN["paths"], ids=lambda golden: golden["link"][:40])
def test_a_golden_path_leads_through_the_same_pictures(golden: dict[str, Any]) -> None:
    wanted = [(q.spec_of(found), q.label_of(found.get("c", ""))) for found in map(q.read, golden["keyframes"])]
    found = keyframes_of(dict(parse_qsl(golden["link"])))
    assert [(keyframe.spec, keyframe.label) for keyframe in found] == wanted


# Nothing else --------------------------------------------------------------------------------------------------------

LOOSE = st.text("0123456789:,.-+eg_tilesudyknaf é\0", max_size=30) | st.text(max_size=20)


@given(st.dictionaries(st.sampled_from(q.PICTURE_KEYS), LOOSE))
def test_any_text_is_a_place_within_its_limits_or_one_sentence(parts: dict[str, str]) -> None:
    try:
        spec = q.spec_of(parts)
        q.label_of(parts.get("c", ""))
    except BadQuery as refused:
        assert str(refused).isprintable() and str(refused).endswith(".") and len(str(refused)) < 200
        return
    assert 0 <= spec.seed <= MAX_SEED and 0 <= spec.psi <= 1
    assert all(0 <= number < q.MAX_RINGS * RING and 0 <= spread <= 1 for number, spread in spec.walk)
    assert all(0 <= k < q.MAX_DIRECTIONS and abs(v) <= q.MAX_VALUE for k, v in spec.principal.items())
    assert all(0 <= k < q.MAX_SETS and abs(v) <= q.MAX_VALUE for k, v in spec.fixed.items())
    assert q.spec_of(q.read(q.written(parts_of(spec)))) == spec


@given(st.text(max_size=12).filter(lambda key: key not in q.PICTURE_KEYS))
def test_a_key_that_no_picture_depends_on_is_refused(key: str) -> None:
    with pytest.raises(BadQuery, match="A picture has no"):
        q.read(f"seed=5&{quote(key, errors='replace')}=1")


def many(count: int) -> str:
    return ",".join(f"{number}:1" for number in range(count))


def pushes(count: int) -> str:
    return ",".join(f"n{number}:1:AAA" for number in range(count))


@pytest.mark.parametrize(
    ("key", "most", "more"),
    [
        ("seed", str(MAX_SEED), str(MAX_SEED + 1)),
        ("m", many(q.MAX_STEPS), many(q.MAX_STEPS + 1)),
        ("m", f"{q.MAX_RINGS * RING - 1}:1", f"{q.MAX_RINGS * RING}:1"),
        ("d", many(q.MAX_DIRECTIONS), many(q.MAX_DIRECTIONS + 1)),
        ("z", many(q.MAX_SETS), many(q.MAX_SETS + 1)),
        ("u", pushes(q.MAX_PUSHES), pushes(q.MAX_PUSHES + 1)),
        ("u", f"{'n' * q.MAX_KEY}:1:AAA", f"{'n' * (q.MAX_KEY + 1)}:1:AAA"),
        ("from", q.in_base64(bytes(q.MAX_VECTOR)), q.in_base64(bytes(q.MAX_VECTOR + 2))),
        *(("from", f"{name}:{sheet.latents - 1}", f"{name}:{sheet.latents}") for name, sheet in SHEETS.items()),
        ("lock", "7", "8"),
        ("mix", "9999:1", "10000:1"),
    ],
)
def test_the_most_is_taken_and_one_more_is_not(key: str, most: str, more: str) -> None:
    q.spec_of({key: most})
    with pytest.raises(BadQuery, match=key if key != "mix" else "from 0 to 9999"):
        q.spec_of({key: more})


@given(st.floats(allow_nan=False, allow_infinity=False), SHARES, SHARES)
def test_numbers_beyond_their_limits_are_set_to_them(value: float, a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert q.number(repr(value), "psi", low, high) == min(max(value, low), high)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999", "", "1,5", "0x10", "one"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(BadQuery, match="psi must be a number"):
        q.number(text, "psi", 0, 1)


@given(st.integers(-5, 5), st.integers(-9, 9))
def test_whole_numbers_are_taken_within_their_range_alone(low: int, value: int) -> None:
    high = low + 3
    if low <= value <= high and value >= 0:
        assert q.integer({"n": str(value)}, "n", low, high, 0) == value
    else:
        with pytest.raises(BadQuery, match=f"n must be a whole number from {low} to {high}"):
            q.integer({"n": str(value)}, "n", low, high, 0)
    assert q.integer({}, "n", 0, 9, 4) == 4
