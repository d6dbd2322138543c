"""The style sheets: what they name is on the page, and sizes and colours come from tokens.css."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from gan.core.paths import ROOT, STATIC
from gan.web import page

WEB = ROOT / "gan" / "web"
MEDIA = {f"width {bound}px" for bound in ("<= 860", "> 860", "< 1360", ">= 1360", ">= 1800")} | {
    "prefers-reduced-motion: reduce"
}
CLASS = re.compile(r"\.(gf(?:-[\w-]+)?)")
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(|\b(?:white|red|gr[ae]y|orange)\b")


class Declaration(NamedTuple):
    """What a sheet says: inside which rules, from the outside in, which property is what."""

    rules: tuple[str, ...]
    name: str
    value: str


def read(css: str) -> Iterator[Declaration]:
    """The declarations of a sheet with nested rules. Raises ValueError where braces do not fit."""
    rules: list[str] = []
    for text, end in re.findall(r"([^{};]*)([{};]|$)", re.sub(r"/\*.*?\*/", " ", css, flags=re.DOTALL)):
        words = " ".join(text.split())
        if end == "{":
            rules.append(words)
        elif words:
            name, colon, value = words.partition(":")
            if end != ";" or not colon or not rules:
                raise ValueError(f"not a declaration: {words}")
            yield Declaration(tuple(rules), name.strip(), value.strip())
        if end == "}":
            if not rules:
                raise ValueError("a brace too many")
            rules.pop()
    if rules:
        raise ValueError(f"not closed: {rules}")


SHEETS = {path.name: list(read(path.read_text("utf-8"))) for path in sorted((STATIC / "css").glob("*.css"))}
SAID = [(sheet, *said) for sheet, all_said in SHEETS.items() for said in all_said]
RULES = {rule for said in SAID for rule in said[1]}
STYLED = {name for rule in RULES for name in CLASS.findall(rule)}
PYTHON = "".join(path.read_text("utf-8") for path in sorted(WEB.rglob("*.py")))
SCRIPTS = "".join(path.read_text("utf-8") for path in sorted(STATIC.rglob("*.js")))
TOKENS = {said.name for said in SHEETS["tokens.css"] if said.name.startswith("--")}


def test_the_reader_reads():
    css = ".a { b: c; /* } */ &:hover { d: e; @media (width < 3px) { f: g(h) } } } @keyframes x { 50% { i: j; } }"
    with pytest.raises(ValueError, match="f: g"):
        list(read(css))
    assert list(read(css.replace("g(h)", "g(h);"))) == [
        ((".a",), "b", "c"),
        ((".a", "&:hover"), "d", "e"),
        ((".a", "&:hover", "@media (width < 3px)"), "f", "g(h)"),
        (("@keyframes x", "50%"), "i", "j"),
    ]
    for broken in (".a { b: c;", ".a { b: c; } }", "b: c;", ".a { b }"):
        with pytest.raises(ValueError, match=r"not|brace"):
            list(read(broken))


def test_every_rule_lies_below_the_container_once():
    """So that it is stronger than Gradio's reset."""
    outer = {said[1][0] for said in SAID}
    assert outer == {".gradio-container", ".dark .gradio-container, .gradio-container.dark", "@keyframes gf-pulse"}


def test_every_class_of_a_sheet_is_on_the_page():
    named = set(re.findall(r"\bgf(?:-[\w-]+)?", PYTHON + SCRIPTS))
    begun = tuple(re.findall(r"\b(gf-[\w-]+-)\{", PYTHON))  # gf-d-{kind}
    assert {name for name in STYLED - named if not name.startswith(begun)} == set()


def test_every_class_of_the_page_is_in_a_sheet():
    """Or a browser test looks for it."""
    lists = re.findall(r'\bclass="([^"]*)"', PYTHON) + re.findall(r'\bclass: [`"]([^`"$]*)', SCRIPTS)
    lists += re.findall(r'classList\.\w+\("([^"]+)"', SCRIPTS)
    used = {name for names in lists for name in names.split() if "{" not in name}
    tests = "".join(path.read_text("utf-8") for path in (ROOT / "tests" / "e2e").glob("*.py"))
    assert len(used) > 150
    assert {name for name in used - STYLED if f".{name}" not in tests} == set()


def test_sizes_of_text_corners_and_layers_are_tokens():
    kinds = {"font-size": "font", "font": "font", "border-radius": "radius", "z-index": "layer"}
    for sheet, rules, name, value in SAID:
        if name in kinds and value != "inherit":
            left = re.sub(rf"var\(--gf-{kinds[name]}-[\w-]+\)|var\(--font\)", "", value)
            left = re.sub(r"/ (?:20px|1\.5)|\b600\b", "", left) if name == "font" else left
            assert not re.search(r"[1-9]", left), f"{sheet}: {rules[-1]} {name}: {value}"


def test_colours_are_tokens():
    outside = [said for said in SAID if said[0] != "tokens.css"]
    assert [said for said in outside if COLOUR.search(said[3])] == []


def test_three_widths_decide():
    media = {rule.removeprefix("@media (").removesuffix(")") for rule in RULES if rule.startswith("@media")}
    assert media == MEDIA
    assert set(re.findall(r'"\([a-z-]*width[^"]*"', SCRIPTS)) == {'"(width <= 860px)"'}


def test_every_token_is_used_and_every_name_is_known():
    used = {name for said in SAID for name in re.findall(r"var\((--gf-[\w-]+)", said[3])}
    named = set(re.findall(r"--gf-[\w-]+", PYTHON + SCRIPTS))
    begun = tuple(re.findall(r"`(--gf-[\w-]+-)\$\{", SCRIPTS))  # --gf-run-${number}
    assert {name for name in TOKENS - used - named if not name.startswith(begun)} == set()
    assert used - named - {said[2] for said in SAID} == set()


def test_the_tokens_are_few():
    counts = {kind: sum(name.startswith(f"--gf-{kind}-") for name in TOKENS) for kind in ("font", "radius")}
    far = sum(name.startswith("--gf-font-far-") for name in TOKENS)  # of the projector view
    assert (counts, far) == ({"font": 5 + far, "radius": 4}, 3)


def test_tokens_come_first():
    linked = re.findall(r'rel="stylesheet" href="gradio_api/gan/static/css/([^"]+)"', page.head("en"))
    assert linked[:3] == ["tokens.css", "base.css", "components.css"]
