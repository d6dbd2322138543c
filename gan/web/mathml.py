"""Formulas as browsers draw them: a little TeX -> MathML, which Chromium, Firefox and Safari render without a library.

Known: letters, numbers, operators, ^ and _, {groups}, \\frac, \\hat and the commands in the tables below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

_LETTERS = {"sigma": "σ", "epsilon": "ε", "lambda": "λ", "mu": "μ", "Sigma": "Σ"}
_FUNCTIONS = ("log", "min", "max", "exp", "tr")  # upright, and a little apart from what follows
_OPERATORS = {
    "nabla": "∇", "leftarrow": "←", "cdot": "·", "sim": "∼", "sum": "∑", "quad": "\N{EM SPACE}",
    "leq": "≤", "geq": "≥", "-": "−",
}  # fmt: skip
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\S")
# Not stretchy and without the wide gaps of a fence: ‖ opens and closes alike.
_BAR = '<mo stretchy="false" lspace="0" rspace="0">‖</mo>'


class FormulaError(ValueError):
    """The formula uses something that is not known here; the programmer sees it when the program starts."""


def mathml(tex: str) -> str:
    """A formula as a <math> element; every character of it is escaped."""
    tokens = iter(_TOKEN.findall(tex))
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{_row(tokens, tex)}</math>'


def _row(tokens: Iterator[str], tex: str, end: str = "") -> str:
    """Everything up to `end`, or up to the last token."""
    parts: list[str] = []
    for token in tokens:
        if token == end:
            break
        if token in "^_":
            if not parts:
                raise FormulaError(f"{tex!r}: nothing stands before {token!r}.")
            tag = "msup" if token == "^" else "msub"
            parts.append(f"<{tag}>{parts.pop()}{_one(tokens, tex)}</{tag}>")
        else:
            parts.append(_symbol(token, tokens, tex))
    else:
        if end:
            raise FormulaError(f"{tex!r}: a group is not closed.")
    return f"<mrow>{''.join(parts)}</mrow>"


def _one(tokens: Iterator[str], tex: str) -> str:
    """The next symbol or group."""
    token = next(tokens, None)
    if token is None:
        raise FormulaError(f"{tex!r} ends too early.")
    return _symbol(token, tokens, tex)


def _symbol(token: str, tokens: Iterator[str], tex: str) -> str:
    if token == "{":
        return _row(tokens, tex, "}")
    if token == r"\frac":
        return f"<mfrac>{_one(tokens, tex)}{_one(tokens, tex)}</mfrac>"
    if token == r"\hat":
        return f'<mover accent="true">{_one(tokens, tex)}<mo>^</mo></mover>'
    if token == r"\|":
        return _BAR
    if token.startswith("\\"):
        return _command(token[1:], tex)
    if token[0].isdigit():
        return f"<mn>{token}</mn>"
    if token.isalpha():
        return f"<mi>{escape(token)}</mi>"
    return f'<mo stretchy="false">{escape(_OPERATORS.get(token, token))}</mo>'


def _command(name: str, tex: str) -> str:
    if name in _LETTERS:
        return f"<mi>{_LETTERS[name]}</mi>"
    if name in _FUNCTIONS:
        return f'<mi>{name}</mi><mspace width="0.16em"/>'
    if name in _OPERATORS:
        return f"<mo>{_OPERATORS[name]}</mo>"
    raise FormulaError(f"{tex!r}: \\{name} is not known.")
