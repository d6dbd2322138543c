"""The strings of the page, by section and key: those of the catalogue that are plain texts.

`build(text)` of each tab gets the whole table of a language; the page gets it through the route `boot` and reads it
with `t("train.pause")`. A name in braces is filled in by the page: t("train.step_of", {total: 3}).
"""

from __future__ import annotations

from functools import cache

from gan.core.messages import ENGLISH, Entry, areas, catalogue
from gan.web.pseudo import PSEUDO, pseudo_catalogue

Text = dict[str, dict[str, str]]  # one language

SECTIONS = (
    "common", "train", "waiting", "curves", "compare", "diagnosis", "measures", "how", "latent", "share", "made_of",
    "shortcuts", "interpolation", "wall", "lesson", "game",
)  # fmt: skip


@cache
def text_in(language: str) -> Text:
    return {name: {k: v for k, v in _said(language, name).items() if isinstance(v, str)} for name in SECTIONS}


def words_in(language: str) -> dict[str, dict[str, Entry]]:
    """All that the page says by itself; in another language also what the server says, which comes in English."""
    return {name: _said(language, name) for name in (SECTIONS if language == ENGLISH else areas(ENGLISH))}


def _said(language: str, area: str) -> dict[str, Entry]:
    return pseudo_catalogue(area) if language == PSEUDO else catalogue(language, area)


EN = text_in(ENGLISH)
