"""Formulas: well-formed, escaped, and what was written."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from gan.losses.objectives import OBJECTIVES
from gan.losses.penalties import PENALTIES
from gan.losses.transforms import CONSTRAINTS, TRANSFORMS
from gan.web.mathml import FormulaError, mathml

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
FORMULAS = [
    *(formula for o in OBJECTIVES.values() for formula in (o.d_formula, o.g_formula)),
    *(p.formula for p in PENALTIES.values() if p),
    *(entry.formula for entry in (TRANSFORMS | CONSTRAINTS).values()),
]


def read(tex: str) -> ElementTree.Element:
    return ElementTree.fromstring(mathml(tex))


@pytest.mark.parametrize("tex", FORMULAS)
def test_every_formula_is_well_formed_and_loses_no_letter(tex):
    tree = read(tex)
    assert tree.tag == NAMESPACE + "math"
    text = "".join(tree.itertext())
    assert text.count("D") == tex.count("D") and text.count("(") == tex.count("(") == text.count(")")
    assert not set("{}\\") & set(text)


def test_powers_fractions_and_accents_hold_what_belongs_to_them():
    power, fraction = read(r"x^2"), read(r"\frac{a b}{2}")
    assert [part.text for part in power.find(f".//{NAMESPACE}msup")] == ["x", "2"]
    above, below = fraction.find(f".//{NAMESPACE}mfrac")
    assert "".join(above.itertext()) == "ab" and below.find(f"{NAMESPACE}mn").text == "2"
    assert read(r"\hat{x}").find(f".//{NAMESPACE}mover/{NAMESPACE}mo").text == "^"
    assert "".join(read(r"\|\nabla D\| \leftarrow -\sigma_1").itertext()) == "‖∇D‖←−σ1"


def test_everything_is_escaped():
    assert "".join(read("a < b & c > \"d'").itertext()) == "a<b&c>\"d'"
    assert "<script" not in mathml("<script>")


@pytest.mark.parametrize("tex", [r"\unknown", "x^", "{x", "^2", r"\frac{1}"])
def test_what_is_not_known_is_refused(tex):
    with pytest.raises(FormulaError):
        mathml(tex)
