"""The first answer: what the page is made of."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from gan.core.config import KNOBS, Knob, choice_title
from gan.core.messages import say, with_messages
from gan.core.paths import ASSETS
from gan.core.version import VERSION
from gan.data.catalog import DATA, Source
from gan.data.worlds import shares
from gan.losses.objectives import OBJECTIVES, Objective
from gan.losses.penalties import PENALTIES, Penalty
from gan.losses.transforms import CONSTRAINTS, TRANSFORMS, Constraint, Transform
from gan.models import MODELS
from gan.recipes.catalog import ALL_RECIPES, GROUPS
from gan.runs.starts import shipped
from gan.serving.renderer import MAX_UPLOAD_BYTES
from gan.web.access import Access
from gan.web.addresses import is_loopback
from gan.web.languages import LANGUAGES, language_of
from gan.web.lesson import MOST_OF_NAME
from gan.web.mathml import mathml
from gan.web.routes.answers import FRESH, Table, tokens_of
from gan.web.routes.find import MAX_PICTURE_BYTES
from gan.web.routes.uploads import accepted
from gan.web.text import words_in


class StartRoutes:
    """addresses: where others in the network find the page, the likeliest first; none where only this machine can."""

    def __init__(self, access: Access, addresses: tuple[str, ...] = ()) -> None:
        self.access, self.addresses = access, addresses
        self._tables = cache(lambda language: json.dumps(with_messages(_tables(language)))[:-1])

    def table(self) -> Table:
        return {"GET boot": self.boot}

    async def boot(self, request: Request) -> Response:
        """lang=CODE: what the page is made of, in its language.

        Where a request comes from proves nothing: tokens are never given, only known.
        """
        runs, tokens = self.access.runs, tokens_of(request)
        owner = runs.is_owner(tokens)
        tail = {
            "owner": owner,
            "lesson": self.access.lesson.on,
            "may_train": owner or not self.access.only_here,  # but for a lesson, which says that itself
            "recorded": runs.recordings.of_recipes,
            "addresses": self.addresses if owner or is_loopback(request.url.hostname or "") else (),
        }
        return Response(
            f"{self._tables(language_of(request.scope))}, {json.dumps(tail)[1:]}",
            media_type="application/json",
            headers=FRESH,
        )


_CHOICES: dict[str, Iterable[str]] = {"dataset": DATA, "model": MODELS}  # of settings that no form changes
_NO_PENALTY = {
    "name": "none",
    "title": say("penalties.none.title"),
    "about": say("train.no_penalty"),
    "source": "",
    "formulas": [],
}


_TOLD_OF_SETS = ("title", "about", "licence", "size", "channels", "class_names", "downloads")


def _tables(language: str) -> dict[str, object]:
    """What the form is made of; "words": all that a page in this language says."""
    return {
        "version": VERSION,
        "language": language,
        "languages": LANGUAGES,
        "words": words_in(language),
        "recipes": [
            {
                "name": n,
                **{k: getattr(r, k) for k in ("title", "group", "about", "look_for", "cure")},
                "config": r.config.to_dict(),
                "groups": GROUPS if r.config.attributes else None,
            }
            for n, r in ALL_RECIPES.items()
        ],
        "datasets": [
            {
                "name": n,
                **{k: getattr(s, k) for k in _TOLD_OF_SETS},
                "attributes": _attributes(n, s),
                "told": bool(s.attributes),
            }
            for n, s in DATA.items()
        ],
        "knobs": [_field(knob) for knob in KNOBS.values()],
        "tables": {
            "objective": [_explained(n, o, D=o.d_formula, G=o.g_formula) for n, o in OBJECTIVES.items()],
            "penalty": [_explained(n, p, P=p.formula) if p else _NO_PENALTY for n, p in PENALTIES.items()],
        },
        "limits": {
            "weights_mb": MAX_UPLOAD_BYTES >> 20,
            "picture_mb": MAX_PICTURE_BYTES >> 20,
            "name_letters": MOST_OF_NAME,
        },
        "pictures": accepted(),
        "starts": [
            {"name": name, "title": start.title, "size": start.config.size, "channels": start.config.channels}
            for name, start in shipped().items()
        ],
        "notes": {n: _explained(n, e, **{"": e.formula}) for n, e in (TRANSFORMS | CONSTRAINTS).items()},
    }


def _attributes(name: str, source: Source) -> list[dict[str, object]]:
    """What a network here can tell of its pictures besides their class, and how often each value is in them."""
    if not (source.metric_epochs and source.attributes):
        return []
    known = zip(source.attributes.values(), shares(ASSETS, name), strict=True)
    return [{"title": a.title, "values": a.values, "shares": found} for a, found in known]


def _field(knob: Knob) -> dict[str, object]:
    """A setting, as a form shows it."""
    names = knob.choices or tuple(_CHOICES.get(knob.name, ()))
    choices = [{"name": name, "title": choice_title(knob.name, name)} for name in names]
    return dataclasses.asdict(knob) | {"kind": knob.kind.__name__, "in_forks": knob.in_forks, "choices": choices}


def _explained(name: str, entry: Objective | Penalty | Transform | Constraint, **formulas: str) -> dict[str, object]:
    """What the page says about an entry of a table; formulas are (whose, MathML)."""
    words = {"title": entry.title, "about": entry.about, "source": entry.source}
    return {"name": name} | words | {"formulas": [(whose, mathml(tex)) for whose, tex in formulas.items()]}
