"""The language that nobody speaks: everything in it is marked and longer, and says nothing else than English does."""

from __future__ import annotations

import re

import pytest

from gan.core.messages import Entry, areas, catalogue
from gan.web.page import texts_in
from gan.web.pseudo import KEPT, MARK, PSEUDO, pseudo, pseudo_catalogue

PLACE = re.compile(r"\{[^}]*\}")


def texts(entry: Entry) -> dict[str, str]:
    return {"": entry} if isinstance(entry, str) else entry


def letters(text: str) -> int:
    return sum(map(str.isalpha, text))


@pytest.mark.parametrize("area", areas("en"))
def test_every_entry_is_longer_has_accents_and_keeps_places_and_plural_forms(area):
    made = pseudo_catalogue(area)
    assert list(made) == list(catalogue("en", area))
    for key, entry in catalogue("en", area).items():
        ours, theirs = texts(entry), texts(made[key])
        assert list(ours) == list(theirs), key
        for form, text in ours.items():
            other = theirs[form]
            assert PLACE.findall(other) == PLACE.findall(text) and other[0] == other[-1] == MARK, key
            own, longer = KEPT.sub("", text), KEPT.sub("", other)
            assert letters(longer) >= 1.4 * letters(own) and not re.search("[a-zA-Z]", longer), key


def test_a_setting_that_the_page_points_at_keeps_its_name():
    assert "(batch)" in pseudo("Too large (batch).") and "(tiny)" not in pseudo("Too large (tiny).")


def test_the_header_does_not_offer_it():
    header = next(text for text in texts_in(PSEUDO).values() if "<header" in text)
    assert re.findall('value="([^"]+)"', header) == ["en", "de", "es"]
