"""Settings: what is written is read again, every limit is where it is said to be, and a refusal is one sentence."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan.core.config import KNOBS, SIZES, Config, ConfigError, Knob, check_value, is_readable_size, parse_value
from gan.recipes.catalog import RECIPES

NO_NUMBERS = [math.nan, math.inf, -math.inf, 10**400, -(10**5000), True, None, "5", [5], {}, [0] * 500]
NUMBERS = [k for k in KNOBS.values() if k.low is not None]


def values_of(k: Knob) -> st.SearchStrategy[Any]:
    """Whatever a knob may be set to."""
    if k.choices:
        return st.sampled_from(k.choices)
    if k.kind is bool:
        return st.booleans()
    if k.name == "size":
        return st.integers(8, 64) | st.sampled_from(SIZES)
    if k.name == "attributes":
        return st.lists(st.integers(2, 16), max_size=16).map(lambda counts: ",".join(map(str, counts)))
    if k.kind is int:
        return st.integers(k.low, k.high)
    return st.floats(k.low, k.high) if k.kind is float else st.text(max_size=199)


CONFIGS = st.fixed_dictionaries({}, optional={name: values_of(k) for name, k in KNOBS.items()}).map(
    lambda values: Config(**values)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def refused(error: ConfigError) -> str:
    words = str(error)
    assert words.endswith(".") and words.isprintable() and len(words) < 400
    return words


@pytest.mark.slow
@given(CONFIGS)
def test_settings_come_back_from_a_file(config: Config) -> None:
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert hash(config) == hash(config.changed())


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_come_back_from_what_a_form_shows_of_them(name: str) -> None:
    config = RECIPES[name].config
    assert Config(**{knob: parse_value(knob, str(value)) for knob, value in config.to_dict().items()}) == config


@given(st.data())
def test_what_a_person_types_is_the_value(data: st.DataObject) -> None:
    k = data.draw(st.sampled_from(list(KNOBS.values())))
    value = data.draw(values_of(k))
    parsed = parse_value(k.name, str(value))
    assert parsed == value and type(parsed) is k.kind
    assert parse_value(k.name, value) == value


@pytest.mark.parametrize("k", NUMBERS, ids=lambda k: k.name)
def test_limits_are_taken_and_nothing_beyond_them(k: Knob) -> None:
    for limit, step in ((k.low, -1), (k.high, 1)):
        typed = parse_value(k.name, f"{limit:.17g}")
        assert getattr(Config().changed(**{k.name: typed}), k.name) == limit
        beyond = limit + step if k.kind is int else math.nextafter(limit, step * math.inf)
        with pytest.raises(ConfigError) as error:
            Config().changed(**{k.name: beyond})
        words = refused(error.value)
        assert k.label in words and f"({k.name})" in words and all(limit in words for limit in k.limits)


@pytest.mark.parametrize("k", NUMBERS, ids=lambda k: k.name)
@pytest.mark.parametrize("value", NO_NUMBERS, ids=[str(i) for i in range(len(NO_NUMBERS))])
def test_nothing_but_a_finite_number_is_a_number(k: Knob, value: Any) -> None:
    with pytest.raises(ConfigError) as error:
        Config().changed(**{k.name: value})
    refused(error.value)


@pytest.mark.parametrize("text", ["", " ", "1.5", "1e", "nan", "inf", "one", "1,000", "0x10", None, [], "9" * 500])
def test_what_is_no_whole_number_is_refused(text: Any) -> None:
    with pytest.raises(ConfigError) as error:
        parse_value("batch", text)
    assert "(batch)" in refused(error.value)


@pytest.mark.parametrize(("text", "value"), [("8", 8), (" 8 ", 8), ("8.0", 8), ("1e3", 1000), (8, 8), (8.0, 8)])
def test_a_whole_number_may_be_written_in_several_ways(text: Any, value: int) -> None:
    assert parse_value("batch", text) == value


@given(st.dictionaries(st.text(max_size=9) | st.sampled_from(list(KNOBS)), JSON, max_size=4) | JSON)
def test_a_foreign_file_is_settings_or_one_sentence(values: Any) -> None:
    try:
        config = Config.from_dict(values)
    except ConfigError as error:
        refused(error)
        return
    for k in KNOBS.values():
        check_value(k, getattr(config, k.name))
    assert all(config.to_dict()[name] == value for name, value in values.items())


def halved(size: int) -> int:
    while size % 2 == 0 and size > 7:
        size //= 2
    return size


@given(st.integers(-10, 1000))
def test_sizes_are_four_to_seven_doubled(size: int) -> None:
    assert (size in SIZES) == (8 <= size <= 256 and 4 <= halved(size) <= 7)


@given(st.integers(-10, 1000))
def test_a_size_is_one_of_them_or_as_old_files_have_it(size: int) -> None:
    if size in SIZES or 8 <= size <= 64:
        assert is_readable_size(size) and Config(size=size).size == size
        return
    with pytest.raises(ConfigError) as error:
        Config(size=size)
    assert str(size) in refused(error.value)


@given(st.text(max_size=300).filter(lambda name: name not in KNOBS))
def test_a_setting_that_does_not_exist_is_named(name: str) -> None:
    for ask in (lambda: Config().changed(**{name: 1}), lambda: parse_value(name, "1")):
        with pytest.raises(ConfigError, match="There is no setting named") as error:
            ask()
        refused(error.value)


@pytest.mark.parametrize("k", [k for k in KNOBS.values() if k.choices], ids=lambda k: k.name)
def test_only_what_can_be_chosen_is_taken(k: Knob) -> None:
    with pytest.raises(ConfigError) as error:
        Config().changed(**{k.name: "x" * 199})
    assert all(choice in refused(error.value) for choice in k.choices)
