"""What is printed can be read wherever it goes: no letter that a console or a redirected file lacks ends the program.

Windows consoles and files speak cp437, cp1252 and others, a bare container ASCII. Letters that are missing there are
written as their likeness: "β₁" becomes "beta1", "28×28" becomes "28x28", "→" becomes "->".
"""

from __future__ import annotations

import codecs
import sys
import unicodedata

from gan.core.errors import as_user_error

ERRORS = "likeness"  # the name of our way with letters that an encoding lacks
_LIKE = {
    "α": "alpha", "β": "beta", "γ": "gamma", "ε": "epsilon", "λ": "lambda", "μ": "mu", "σ": "sigma", "Σ": "sum",
    "×": "x", "·": "-", "−": "-", "–": "-", "—": "-", "…": "...", "→": "->", "←": "<-", "≤": "<=", "≥": ">=",
    "≈": "about ", "°": " degrees", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\xa0": " ", "\u202f": " ",
}  # fmt: skip


def print_anywhere() -> None:
    """From here on standard output and error never refuse a letter. Called once, first, by whatever a person starts."""
    codecs.register_error(ERRORS, _likenesses)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a window without a console has none, a notebook one of its own
            stream.reconfigure(errors=ERRORS)


def print_problem(problem: Exception, who: str = "") -> bool:
    """Print what a person is told of a failure on standard error, in one line; False where nobody expected it."""
    error = as_user_error(problem, paths=True)
    if error is not None:
        print(who + " ".join(str(error).split()), file=sys.stderr)
    return error is not None


def _likenesses(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_likeness, error.object[error.start : error.end])), error.end


def _likeness(letter: str) -> str:
    """In ASCII, which every encoding has."""
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode("ascii")
    return _LIKE.get(letter) or plain or "?"
