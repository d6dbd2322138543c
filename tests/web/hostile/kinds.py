"""All kinds, by name, in the order of SECURITY.md."""

from __future__ import annotations

from tests.web.hostile.addresses import ADDRESSES
from tests.web.hostile.asking import Kinds
from tests.web.hostile.bodies import BODIES
from tests.web.hostile.files import FILES
from tests.web.hostile.headers import HEADERS
from tests.web.hostile.replays import REPLAYS
from tests.web.hostile.tokens import TOKENS

KINDS: Kinds = TOKENS | ADDRESSES | HEADERS | BODIES | FILES | REPLAYS


def table() -> list[str]:
    """The lines of SECURITY.md's table."""
    rows = (f"| {name} | {kind.sent} | {kind.answer} |" for name, kind in KINDS.items())
    return ["| kind | what is sent | answer |", "|---|---|---|", *rows]
