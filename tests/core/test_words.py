"""Everything that people are told stands in a catalogue, and every message has an entry that takes its values."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from gan.core import messages
from gan.core.config import KNOBS
from gan.core.messages import ENGLISH, FORMATS, Message, joined, label, read_message, recognised, say, text_of, texts_of
from gan.core.messages import with_messages as encoded
from gan.core.paths import PACKAGE, WORDS
from gan.data.catalog import DATA
from gan.losses.objectives import OBJECTIVES
from gan.losses.penalties import PENALTIES
from gan.losses.transforms import CONSTRAINTS, TRANSFORMS
from gan.monitor.diagnosis.kinds import KINDS
from gan.recipes.catalog import RECIPES
from gan.recipes.failures import GALLERY
from gan.web.text import SECTIONS

AREAS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((WORDS / ENGLISH).glob("*.json"))}
ENTRIES = {f"{area}.{name}": entry for area, entries in AREAS.items() for name, entry in entries.items()}
# Tables whose entries find their words by their own names.
TABLES = {
    "datasets": DATA, "objectives": OBJECTIVES, "penalties": PENALTIES, "transforms": TRANSFORMS,
    "constraints": CONSTRAINTS, "recipes": RECIPES, "failures": GALLERY, "verdicts": KINDS, "knobs": KNOBS,
}  # fmt: skip
_PLACE = re.compile(r"\{([^{}]*)\}")
SOURCES = [path for path in sorted(PACKAGE.rglob("*.py")) if "bench" not in path.parts and path.name != "pack.py"]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def texts(entry: object) -> list[str]:
    return list(entry.values()) if isinstance(entry, dict) else [str(entry)]


def places(entry: object) -> set[str]:
    """The names of an entry's values."""
    found = {place.partition(":")[0] for text in texts(entry) for place in _PLACE.findall(text)}
    return found | ({"count"} if isinstance(entry, dict) else set())


def calls() -> Iterator[tuple[str, str, set[str] | None]]:
    """Every message of the program: (where, pattern of its keys, names of its values or None for others)."""
    for path in SOURCES:
        for node in ast.walk(tree_of(path)):
            named = (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("say", "label", "recognised")
            )
            if not named or not node.args or path.name == "messages.py":
                continue
            if (pattern := key_pattern(node.args[0])) is not None:
                given = [keyword.arg for keyword in node.keywords]
                yield f"{path.name}:{node.lineno}", pattern, None if None in given else set(map(str, given))


def key_pattern(node: ast.expr) -> str | None:
    """A regular expression for the keys that an argument may be; None where it is no key."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(node.value) if re.fullmatch(r"\w+\.[\w.:+-]+", node.value) else None
    if isinstance(node, ast.JoinedStr):
        parts = [re.escape(p.value) if isinstance(p, ast.Constant) else r"[\w:+-]+" for p in node.values]
        return "".join(map(str, parts))
    return None


CALLS = list(calls())


def test_every_entry_is_well_formed():
    for key, entry in ENTRIES.items():
        assert messages._KEY.fullmatch(key) and (isinstance(entry, str) or set(entry) == {"one", "other"}), key
        for text in texts(entry):
            assert text and (text.strip() == text or key.partition(".")[0] in PAGE), key
            for place in _PLACE.findall(text):
                name, _, form = place.partition(":")
                assert messages._NAME.fullmatch(name) and (form in FORMATS or ":" not in place), key
            assert "{" not in _PLACE.sub("", text) and "}" not in _PLACE.sub("", text), key


def test_every_message_has_an_entry_that_takes_its_values():
    for where, pattern, given in CALLS:
        found = [key for key in ENTRIES if re.fullmatch(pattern, key)]
        assert found, f"{where}: {pattern}"
        for key in found:
            if given is not None:
                assert places(ENTRIES[key]) <= given, f"{where}: {key}"
        if len(found) == 1 and given is not None:
            assert places(ENTRIES[found[0]]) == given, where


def test_every_entry_is_used():
    patterns = [re.compile(pattern) for _, pattern, _ in CALLS]
    for key in ENTRIES:
        area, _, name = key.partition(".")
        by_name = area in TABLES and name.rpartition(".")[0] in TABLES[area]
        assert by_name or area in PAGE or key == "core.row" or any(p.fullmatch(key) for p in patterns), key


PAGE = set(SECTIONS)  # what its scripts and templates say themselves, see tests/web/test_page_names.py


@pytest.mark.parametrize("area", TABLES)
def test_what_can_be_chosen_has_a_title_in_the_catalogue(area):
    for name, entry in TABLES[area].items():
        field = "label" if area == "knobs" else "title"
        assert entry is None or f"{area}.{name}.{field}" in ENTRIES


@pytest.mark.parametrize("knob", [k for k in KNOBS.values() if k.choices], ids=lambda knob: knob.name)
def test_every_choice_of_a_setting_has_words(knob):
    assert [choice for choice in knob.choices if f"knobs.{knob.name}.{choice}" not in ENTRIES] == []


def test_a_text_of_a_file_is_known_again_where_it_is_the_same():
    known = recognised("datasets.fashion-mnist.class_8", "Bag")
    assert isinstance(known, Message) and known.key == "datasets.fashion-mnist.class_8"
    for text in (recognised("datasets.fashion-mnist.class_8", "My bag"), recognised("datasets.own-1.class_0", "Bag")):
        assert type(text) is str


def test_a_name_without_an_entry_is_its_own_title():
    assert label("recipes.no such.title", "no such") == "no such"


# What stands in the code itself ------------------------------------------------------------------------------------

# English only: what is typed and printed on a command line, and what only the log or a developer reads.
COMMAND_LINE = ("cli", "flags.py", "console.py", "settings.py", "server.py", "addresses.py", "follower.py",
                "evaluate.py", "diagnosis_report.py")  # fmt: skip
NONE = {  # that read like a sentence and are none
    "img-src 'self' data: blob:", "media-src 'self' data: blob:", "font-src 'self' data:",  # of a header
    "a job that tells its progress",  # of the log
    "Inception-v3 of torch-fidelity (weights of 2015-12-05), pictures resized to 299×299",  # of a file of measures
}  # fmt: skip
_SENTENCE = re.compile(r"[A-Za-z’']{2,},? [A-Za-z’']{2,}.*[.…:]$|[A-Za-z’']{2,},? ([A-Za-z’'(]+,? ){2,}")


def english(path: Path) -> list[str]:
    """Constants and f-strings of a file that read like a sentence; not docstrings, logs and what a developer reads."""
    tree = tree_of(path)
    left_out: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            left_out.add(id(body[0].value))
        if isinstance(node, ast.Call) and _is_for_developers(node):
            left_out |= {id(inner) for inner in ast.walk(node)}
        if isinstance(node, ast.JoinedStr):
            left_out |= {id(inner) for value in node.values for inner in ast.walk(value)}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr)]
    return [text for node in found if id(node) not in left_out and _SENTENCE.search(text := written(node))]


def written(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "xx" for part in node.values)


def _is_for_developers(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    errors = ("ValueError", "TypeError", "KeyError", "AssertionError", "RuntimeError", "FormulaError")
    return name.startswith("log.") or name in errors


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_sentence_stands_outside_the_catalogue(path):
    if not set(COMMAND_LINE) & {*path.parts}:
        assert [text for text in english(path) if not text.lstrip().startswith("<") and text not in NONE] == []


def test_a_sentence_is_noticed(tmp_path):
    path = tmp_path / "code.py"
    path.write_text('"""No word of this."""\nraise DataError(f"There is no folder {path}.")\n', encoding="utf-8")
    assert english(path) == ["There is no folder xx."]


# Messages --------------------------------------------------------------------------------------------------------


def test_a_message_is_a_text_that_keeps_its_key_and_values():
    said = say("data.too_few", count=1_234, least=16)
    assert said == "1,234 pictures can be used, but at least 16 are needed." and isinstance(said, str)
    assert (said.key, said.values) == ("data.too_few", {"count": 1_234, "least": 16})
    assert say("data.too_few", count=1, least=16) == "1 picture can be used, but at least 16 are needed."
    for other in (pickle.loads(pickle.dumps(said)), copy.copy(said), copy.deepcopy(said)):
        assert other == said and other.key == said.key and other.values == said.values


def test_a_message_keeps_no_value_that_its_text_leaves_out():
    said = say("data.too_few", count=2, least=16, folder="/home/somebody")
    assert said.values == {"count": 2, "least": 16} and "somebody" not in json.dumps(said.to_json())
    assert say("data.no_classes", count=2).values == {}  # there is nothing that it could choose


def test_a_message_keeps_those_in_it():
    row = joined([say("data.summary", pictures=say("data.pictures", count=2)), "", "Of somebody else."])
    assert row == "2 pictures. Of somebody else."
    assert row.to_json() == {
        "key": "core.row",
        "values": {
            "parts": [
                {"key": "data.summary", "values": {"pictures": {"key": "data.pictures", "values": {"count": 2}}}},
                "Of somebody else.",
            ]
        },
    }
    assert read_message(str(row), json.loads(json.dumps(row.to_json()))).to_json() == row.to_json()
    assert joined(["one", ""]) == "one" and joined([]) == ""


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("integer", 12345, "12,345"), ("integer", 12345.6, "12,346"), ("fixed1", 0.25, "0.2"), ("fixed2", 2, "2.00"),
        ("fixed4", 1.5, "1.5000"), ("significant3", 0.012345, "0.0123"), ("number", 0.001, "0.001"),
        ("percent", 0.125, "12\u00a0%"), ("percent", -0.5, "−50\u00a0%"), ("fixed1", -1234.5, "−1,234.5"),
        ("fixed2", -0.001, "0.00"),
        ("and", ["a"], "a"), ("and", ["a", "b", "c"], "a, b and c"),
        ("or", ["a", "b"], "a or b"), ("row", ["a.", "b."], "a. b."), ("and", [], ""),
    ],
)  # fmt: skip
def test_formats(form, value, text):
    assert FORMATS[form](value) == text


def test_json_says_where_texts_come_from():
    content = {"error": say("data.no_classes"), "notes": [say("data.all_flat"), "b"], "more": [{"a": "b"}], "n": [1, 2]}
    said = encoded(content)
    assert said["messages"] == {
        "error": {"key": "data.no_classes", "values": {}},
        "notes": [{"key": "data.all_flat", "values": {}}, None],
    }
    assert {name: said[name] for name in content} == content and encoded(said) == said
    again = json.loads(json.dumps(said))
    assert text_of(again, "error").key == "data.no_classes" and texts_of(again, "notes")[0].key == "data.all_flat"
    assert type(texts_of(again, "notes")[1]) is str


def test_numbers_that_json_cannot_hold_are_texts():
    assert json.dumps(say("diagnosis.near", times=float("nan")).to_json(), allow_nan=False)


DEEP: dict[str, object] = {"key": "a.b", "values": {}}
for _ in range(9):
    DEEP = {"key": "a.b", "values": {"x": DEEP}}


@pytest.mark.parametrize(
    "source",
    [
        None, 3, [], {}, {"key": "a.b"}, {"key": 3, "values": {}}, {"key": "../x", "values": {}},
        {"key": "a." + "b" * 100, "values": {}}, {"key": "a.b", "values": []}, {"key": "a.b", "values": {"X": 1}},
        {"key": "a.b", "values": {"x": "y" * 1000}}, {"key": "a.b", "values": {"x": "\u202e"}},
        {"key": "a.b", "values": {"x": float("nan")}}, {"key": "a.b", "values": {"x": None}},
        {"key": "a.b", "values": {"x": [1] * 100}},
        {"key": "a.b", "values": {letter * i: 1 for letter in "abc" for i in range(1, 30)}},
        DEEP,
    ],
)  # fmt: skip
def test_what_a_stranger_says_of_a_text_is_checked(source):
    assert type(read_message("text", source)) is str


def test_a_text_that_is_no_message_stays_one():
    assert type(text_of({"text": "old", "messages": 3}, "text")) is str
    with pytest.raises(KeyError):
        text_of({}, "text")


def test_a_missing_entry_is_shown_by_its_key_and_never_ends_the_program(monkeypatch, caplog):
    for key, values in (("data.no_such_entry", {}), ("data.too_few", {}), ("nowhere.at_all", {"a": 1})):
        with pytest.raises(AssertionError):
            say(key, **values)
    monkeypatch.setattr(messages, "strict", False)
    assert say("data.no_such_entry") == "data.no_such_entry" and say("data.too_few", least=1) == "data.too_few"
    assert isinstance(say("data.too_few"), Message) and "data.no_such_entry" in caplog.text
