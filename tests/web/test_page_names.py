"""Names that scripts and templates share: a missing text is shown as its key, a missing part is null."""

from __future__ import annotations

import re

import pytest

from gan.core.paths import ROOT
from gan.web.page_files import served
from gan.web.text import EN

WEB = ROOT / "gan" / "web"
SCRIPTS = sorted(path for name, path in served().items() if name.endswith(".js"))
SECTIONS = "|".join(EN)
TEXT = re.compile(rf'"({SECTIONS})\.(\w+)"')  # "train.pause"
TEXTS = re.compile(rf"`({SECTIONS})\.(\w*)\$\{{[^`]*?\}}(\w*)`")  # `train.status_${kind}`
PART = re.compile(r'\bpart\("([\w-]+)"\)')
TEMPLATES = "".join(path.read_text(encoding="utf-8") for path in WEB.rglob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_text_that_a_script_names_is_there(script):
    code = script.read_text(encoding="utf-8")
    missing = {f"{section}.{key}" for section, key in TEXT.findall(code) if key not in EN[section]}
    for section, begins, ends in TEXTS.findall(code):
        if not any(key.startswith(begins) and key.endswith(ends) for key in EN[section]):
            missing.add(f"{section}.{begins}...{ends}")
    assert missing == set()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_part_that_a_script_names_is_in_a_template(script):
    """Or is made by the script itself."""
    code = script.read_text(encoding="utf-8")
    made = set(re.findall(r'\bgf: "([\w-]+)"', code))
    named = set(PART.findall(code)) - made
    assert {name for name in named if f'data-gf="{name}"' not in TEMPLATES} == set()


def test_the_patterns_find_names():
    """An empty search would find nothing missing."""
    code = "".join(script.read_text(encoding="utf-8") for script in SCRIPTS)
    assert len(TEXT.findall(code)) > 200 and len(TEXTS.findall(code)) > 20 and len(PART.findall(code)) > 200
