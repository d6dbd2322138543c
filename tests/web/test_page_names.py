"""Names that scripts and templates share: a missing text is shown as its key, a missing part is null."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gan.core.messages import ENGLISH
from gan.web import page
from gan.web.page import TABS
from gan.web.page_files import served, with_imports
from gan.web.text import EN, words_in

WORDS = words_in(ENGLISH)  # with those that have plural forms
SCRIPTS = sorted(path for name, path in served().items() if name.endswith(".js"))
SECTIONS = "|".join(EN)
TEXT = re.compile(rf'"({SECTIONS})\.(\w+)"')  # "train.pause"
TEXTS = re.compile(rf"`({SECTIONS})\.(\w*)\$\{{[^`]*?\}}(\w*)`")  # `train.status_${kind}`
PART = re.compile(r'\bpart\("([\w-]+)"\)')
BEGUN = re.compile(r"\bpart\(`([\w-]+)\$\{")  # part(`own-${name}`)
BUILT = re.compile(r"`([\w-]+-)\$\{")  # any other name that is put together: `bar-${kind}`
SELECTED = re.compile(r'\[data-gf="([\w-]+)"\]')
MADE = re.compile(r'\bgf: "([\w-]+)"')
LITERAL = re.compile(r'"([\w-]+)"')  # whatever finds a part by its name has the name in quotes
MARKED = re.compile(r'data-gf="([\w-]+)"')
PARTS = {name: set(MARKED.findall(tab.markup(EN))) for name, tab in TABS.items()}
HEADER = set(MARKED.findall(Path(page.__file__).read_text(encoding="utf-8")))  # of the page, over all tabs
LOADED = {name: with_imports("page.js", tab.script) for name, tab in TABS.items()}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_text_that_a_script_names_is_there(script):
    code = script.read_text(encoding="utf-8")
    missing = {f"{section}.{key}" for section, key in TEXT.findall(code) if key not in WORDS[section]}
    for section, begins, ends in TEXTS.findall(code):
        if not any(key.startswith(begins) and key.endswith(ends) for key in EN[section]):
            missing.add(f"{section}.{begins}...{ends}")
    assert missing == set()


@pytest.mark.parametrize("name", sorted(served()))
def test_every_part_that_a_script_names_is_in_a_tab_that_loads_it(name: str):
    """Or is made by the script itself."""
    tabs = [tab for tab in TABS if name in LOADED[tab]]
    there = HEADER.union(*(PARTS[tab] for tab in tabs or TABS))
    missing = {part for part in named_in(name) - made_in(name) if not any(fits(part, other) for other in there)}
    assert missing == set()


@pytest.mark.parametrize("tab", TABS)
def test_every_part_of_a_tab_is_used_by_its_scripts_or_style_sheets(tab: str):
    scripts = "".join(served()[name].read_text(encoding="utf-8") for name in LOADED[tab])
    sheets = "".join(path.read_text(encoding="utf-8") for name, path in served().items() if name.endswith(".css"))
    used = set(LITERAL.findall(scripts)) | set(SELECTED.findall(scripts + sheets))
    built = set(BUILT.findall(scripts))
    wanted = {re.sub(r"-\d$", "", part) for part in PARTS[tab]}  # scripts number what there are several of
    assert {part for part in wanted - used if not any(part.startswith(start) for start in built)} == set()


def named_in(name: str) -> set[str]:
    """The parts that a script asks for; "own-*" stands for all that begin so."""
    code = served()[name].read_text(encoding="utf-8")
    return {*PART.findall(code), *SELECTED.findall(code), *(f"{start}*" for start in BEGUN.findall(code))}


def made_in(name: str) -> set[str]:
    return set(MADE.findall(served()[name].read_text(encoding="utf-8")))


def fits(wanted: str, part: str) -> bool:
    return part.startswith(wanted[:-1]) if wanted.endswith("*") else part == wanted


def test_the_patterns_find_names():
    """An empty search would find nothing missing."""
    code = "".join(script.read_text(encoding="utf-8") for script in SCRIPTS)
    assert len(TEXT.findall(code)) > 200 and len(TEXTS.findall(code)) > 20 and len(PART.findall(code)) > 200
    assert BEGUN.findall(code) and SELECTED.findall(code) and MADE.findall(code)
    assert HEADER and all(len(parts) > 5 for parts in PARTS.values())
