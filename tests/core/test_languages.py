"""Every language says what English says: the same keys with the same places, in its own words."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from gan.core.config import KNOBS
from gan.core.messages import ENGLISH, Entry
from gan.core.paths import WORDS

Area = dict[str, Entry]

PLURALS = {"de": {"one", "other"}, "es": {"one", "many", "other"}}  # CLDR categories of whole numbers
CHOSEN = {knob.name for knob in KNOBS.values() if knob.scope != "fitted"}  # settings that a form has a field for
QUOTES = {"de": "„“", "es": "«»"}
GROUPED = {"en": ",", "de": ".", "es": "."}  # what stands between the thousands of a number
LISTS = ("and", "or")  # formats of a place that a language may choose
# What is called the same everywhere, and words that a language shares with English.
NAMES = {
    "GAN Forge", "GAN Forge {version}", "Keras", "TensorFlow", "PyTorch", "CSV", "PNG", "GIF", "FID", "MNIST",
    "Fashion-MNIST", "Emoji", "KMNIST", "CIFAR-10", "LSGAN", "WGAN", "WGAN-GP", "SNGAN", "R3GAN", "CGAN", "MLP",
    "CC BY-SA 3.0 (LeCun, Cortes, Burges)", "MIT (Zalando SE)", "Thanh-Tung et al. 2019 (0-GP)",
    "CC BY-SA 4.0 (ROIS-DS Center for Open Data in the Humanities)", "{minutes} min", "{hours} h {minutes} min",
    "Minimax", "Wasserstein", "Adam β₁", "Adam β₂", "Adam ε", "tanh", "relu",
    "CC0 1.0 (DiceBear, Critters)", "CC0 1.0 (DiceBear, Sprouts)", "CC0 1.0 (DiceBear, Clay)",
    "CC0 1.0 (DiceBear, Moods)",
}  # fmt: skip
SHARED = {
    "de": {"Interpolation", "Generator", "Download", "Live", "Name", "Seed", "Variation {k}", "Dense", "Hinge",
           "Pullover", "orange", "pink", "magenta"},
    "es": {"no", "{times} × real", "Ctrl", "magenta", "32 bits (float32)", "16 bits (bfloat16)"},
}  # fmt: skip


def read(path: Path) -> Area:
    """An area's entries. Raises ValueError where a key stands twice."""

    def once(pairs: list[tuple[str, Entry]]) -> Area:
        if len(dict(pairs)) != len(pairs):
            raise ValueError(f"{path} has a key twice")
        return dict(pairs)

    return json.loads(path.read_text("utf-8"), object_pairs_hook=once)


@cache
def areas(language: str) -> dict[str, Area]:
    return {path.stem: read(path) for path in sorted((WORDS / language).glob("*.json"))}


OTHERS = sorted(folder.name for folder in WORDS.iterdir() if folder.is_dir() and folder.name != ENGLISH)
SAID = areas(ENGLISH)
each_area = pytest.mark.parametrize(("language", "area"), [(language, area) for language in OTHERS for area in SAID])


def entries(language: str, area: str) -> list[tuple[str, Entry, Entry]]:
    """(key, in English, in the language) of all that both have."""
    theirs = areas(language)[area]
    return [(key, ours, theirs[key]) for key, ours in SAID[area].items() if key in theirs]


def texts(entry: Entry) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry.values())


def places(text: str) -> set[tuple[str, str]]:
    """(name, format) of what a text is filled with; the word of a list is the language's own affair."""
    found = re.findall(r"\{(\w+)(?::(\w+))?\}", text)
    return {(name, "list" if form in LISTS else form) for name, form in found}


@each_area
def test_keys(language: str, area: str) -> None:
    assert set(areas(language)[area]) == set(SAID[area])


@pytest.mark.parametrize("language", OTHERS)
def test_areas(language: str) -> None:
    assert set(areas(language)) == set(SAID)


@each_area
def test_places(language: str, area: str) -> None:
    """All of them where a text stands alone or for many; for one, "a picture" may do without the number."""
    for key, ours, theirs in entries(language, area):
        wanted = set().union(*map(places, texts(ours)))
        for text in texts(theirs):
            assert places(text) <= wanted, key
        assert places(texts(theirs)[-1]) == wanted, key
        assert all(text.count("{") == text.count("}") == len(re.findall(r"\{\w", text)) for text in texts(theirs)), key


@each_area
def test_plurals(language: str, area: str) -> None:
    for key, ours, theirs in entries(language, area):
        if isinstance(theirs, dict):
            assert {"one", "other"} <= set(theirs) <= PLURALS[language] and list(theirs)[-1] == "other", key
            assert isinstance(ours, dict) or "{count" in ours, f"{key} has no count that could choose"


@each_area
def test_settings_in_brackets(language: str, area: str) -> None:
    """The page points at the field of the first one."""

    def named(text: str) -> list[str]:
        return [name for name in re.findall(r"\((\w+)\)", text) if name in CHOSEN]

    for key, ours, theirs in entries(language, area):
        assert all(named(text) == named(texts(ours)[-1]) for text in texts(theirs)), key


def spaces_around(text: str) -> tuple[bool, bool]:
    return text[:1].isspace(), text[-1:].isspace()


@each_area
def test_spaces(language: str, area: str) -> None:
    for key, ours, theirs in entries(language, area):
        ends = spaces_around(texts(ours)[-1])
        for text in texts(theirs):
            assert text and spaces_around(text) == ends, key
            assert not re.search(r"\s\s|[\n\t]|\s[.,;)”»](?!\w)", text), key


@each_area
def test_typography(language: str, area: str) -> None:
    """The language's quotation marks, in pairs, and no line that begins with "%" or "…"."""
    begin, end = QUOTES[language]
    for key, _, theirs in entries(language, area):
        for text in texts(theirs):
            assert not set(text) & set('"„“”«»') - {begin, end} and text.count(begin) == text.count(end), key
            assert not re.search(" [%…]", text), key


@pytest.mark.parametrize("language", GROUPED)
def test_large_numbers_are_written_as_the_page_writes_others(language: str) -> None:
    """As Intl does: Spanish groups from five digits on."""
    number = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:[.,\s]\d{3})+(?!\d)|(?<![\d.,])\d{5,}")
    for area in areas(language).values():
        for text in (text for entry in area.values() for text in texts(entry)):
            for found in number.findall(text):
                digits = re.sub(r"\D", "", found)
                assert found == f"{int(digits):,}".replace(",", GROUPED[language]), text
                assert language != "es" or len(digits) > 4, text


@each_area
def test_nothing_is_left_in_english(language: str, area: str) -> None:
    known = NAMES | SHARED[language]
    left = [
        f"{key}: {text}"
        for key, ours, theirs in entries(language, area)
        for text in texts(theirs)
        if text in texts(ours) and text not in known and re.search(r"[^\W\d_]{2}", re.sub(r"\{[^}]*\}", "", text))
    ]
    assert left == []
