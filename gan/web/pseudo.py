"""A language that nobody speaks, made from English: what stands in no catalogue, or has too little room, is seen in it.

Every letter of its texts has an accent, two of five stand twice, and a text begins and ends with a right-to-left mark.
The header does not offer it; ?lang=qps opens it.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import count
from string import ascii_letters

from gan.core.config import KNOBS
from gan.core.messages import ENGLISH, Entry, catalogue

PSEUDO = "qps"  # one of the codes that ISO 639-2 leaves to everybody
MARK = "\u200f"
_SMALL, _LARGE = "áƀçđéƒĝĥíĵķļḿńóṕɋŕšţúṽŵẋýž", "ÁɃÇĐÉƑĜĤÍĴĶĻḾŃÓṔɊŔŠŢÚṼŴẊÝŽ"
_ACCENTS = str.maketrans(ascii_letters, _SMALL + _LARGE)
KEPT = re.compile(rf"(\{{[^}}]*\}}|\((?:{'|'.join(KNOBS)})\))")  # places, and settings that a sentence points at
_LETTER = re.compile(r"[^\W\d_]")


@cache
def pseudo_catalogue(area: str) -> dict[str, Entry]:
    """The entries of an area; plural forms are those of English."""
    return {key: _entry(entry) for key, entry in catalogue(ENGLISH, area).items()}


def _entry(entry: Entry) -> Entry:
    return pseudo(entry) if isinstance(entry, str) else {form: pseudo(text) for form, text in entry.items()}


def pseudo(text: str) -> str:
    """A text of a catalogue, with its places, in the language that nobody speaks."""
    parts = KEPT.split(text)
    parts[::2] = [_longer(own).translate(_ACCENTS) for own in parts[::2]]
    return f"{MARK}{''.join(parts)}{MARK}"


def _longer(text: str) -> str:
    """At least 40 % more letters."""
    letters = count()
    return _LETTER.sub(lambda letter: letter[0] * (2 if next(letters) % 5 in (0, 2) else 1), text)
