"""What the query of a drawing request says besides the picture itself, which gan.latent.query reads."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gan.core.messages import say
from gan.latent.query import BadQuery, label_of

Query = Mapping[str, str]
SCALES = (1, 16)  # how many times a picture in a file is enlarged


def weights_of(query: Query) -> str:
    """w=NAME: which weights are to draw. Raises BadQuery."""
    if not query.get("w"):
        raise BadQuery(say("web.which_weights"))
    return query["w"][:100]


def class_of(query: Query) -> int | None:
    """The class c=... of a picture."""
    return label_of(query.get("c", ""))


def slot_of(query: Query) -> str | None:
    """slot=...: a page's name for requests of which only the newest counts. Raises BadQuery."""
    slot = query.get("slot", "")
    if slot and not re.fullmatch(r"[A-Za-z0-9-]{1,40}", slot):
        raise BadQuery(say("web.wrong_slot"))
    return slot or None
