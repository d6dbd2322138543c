"""Languages that the page speaks, and in which one somebody meets it."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.types import Scope

from gan.core.messages import ENGLISH
from gan.web.pseudo import PSEUDO

LANGUAGES = {"en": "English", "de": "Deutsch", "es": "Español"}  # by their folder in gan/words, each in its own words
_KNOWN = {*LANGUAGES, PSEUDO}


def language_of(scope: Scope) -> str:
    """The language of an address, ?lang=de, else the first that the browser prefers; English where there is none."""
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[-1]
    accepted = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
    return next((code for code in (_code(asked), *_preferred(accepted)) if code in _KNOWN), ENGLISH)


def _preferred(accepted: str) -> list[str]:
    """Codes of languages, the most wanted first. accepted: "de-AT,de;q=0.9,en;q=0.5" (RFC 9110, 12.5.4)."""
    parts = [part.partition(";q=") for part in accepted.replace(" ", "")[:1000].split(",")]
    wanted = [(_weight(weight), _code(name)) for name, _, weight in parts]
    return [code for weight, code in sorted(wanted, key=lambda pair: -pair[0]) if weight > 0]


def _code(name: str) -> str:
    """The language of a tag, without its country: "de" of "de-AT"."""
    return name.partition("-")[0].lower()


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
