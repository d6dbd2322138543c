"""The page's scripts as node sees them. The tests of what they compute lie beside them, *.test.js."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from gan.core.noise import SHEETS
from gan.core.paths import STATIC
from gan.core.seeds import MAX_SEED, Stream
from gan.latent import query
from gan.latent.spec import RING
from gan.models.layers import CODE_SHARPNESS
from gan.serving import browser_export, provenance
from gan.serving.generator import STRIP
from gan.web.page_files import imports_of, served
from gan.web.routes import paths
from tests.conftest import PATIENCE, not_here

# Which folders of gan/web/static a folder may import from. No tab imports from another.
ROOMS = {
    "core": "",
    "charts": "core",
    "engine": "core",
    "run": "core charts",
    "weights": "core engine",
    "train": "core charts run",
    "compare": "core charts run",
    "wall": "core run",
    "lesson": "core charts run",
    "game": "core engine run",
    "latent": "core engine weights",
    "interpolation": "core engine weights",
    "how": "core run",
    "page.js": "core",
}
# What gan/web/static/engine/constants.js says: all of it, and nothing else.
CONSTANTS = {
    "MAX_SEED": MAX_SEED,
    "STREAMS": {"latent": Stream.LATENT, "neighbour": Stream.NEIGHBOUR},
    "SHEETS": {name: sheet._asdict() for name, sheet in SHEETS.items()},
    "RING": RING,
    **{name: getattr(query, name) for name in ("MAX_RINGS", "MAX_STEPS", "MAX_VALUE", "MAX_PUSHES", "MAX_KEY")},
    **{name: getattr(query, name) for name in ("SPEC_KEYS", "PICTURE_KEYS")},
    "LETTERS": paths.LETTERS,
    "MAX_LEG": paths.FRAMES[1],
    "MAX_PATH": paths.MAX_PICTURES,
    "MAX_SUMS": paths.MAX_SUMS,
    "CODE_SHARPNESS": CODE_SHARPNESS,
    "STRIP": list(STRIP),
    "PAGE_FORMAT": browser_export.FORMAT_VERSION,
    "PROVENANCE": {
        "program": provenance.PROGRAM,
        "key": provenance.KEY,
        "version": provenance.FORMAT_VERSION,
        "scale": provenance.SCALE,
    },
}
MOST_LINES = {"class": 250, "module": 400}
_CLASS = re.compile(r"^(?:export )?class (\w+).*?^\}", re.MULTILINE | re.DOTALL)
SCRIPTS = sorted(name for name in served() if name.endswith(".js"))
_IMPORT_ALL = """
for (const name of NAMES) await import(`./${name}`).catch((error) => console.error(name, error));
"""


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        not_here("No node was found, in which the page's scripts could run (Debian: apt-get install nodejs).")
    return found


def test_importing_a_script_does_nothing(node: str):
    """There is no document here: what reaches for one on import fails. And nothing is left that keeps node running."""
    command = [node, "--input-type=module", "-e", f"const NAMES = {json.dumps(SCRIPTS)};{_IMPORT_ALL}"]
    done = subprocess.run(command, cwd=STATIC, capture_output=True, encoding="utf-8", timeout=PATIENCE)
    assert done.returncode == 0 and not done.stderr, done.stderr


@pytest.mark.slow
def test_the_tests_of_the_scripts_pass(node: str):
    tests = sorted(str(path) for path in STATIC.rglob("*.test.js"))
    done = subprocess.run([node, "--test", *tests], capture_output=True, encoding="utf-8", timeout=PATIENCE)
    assert tests and done.returncode == 0, done.stdout + done.stderr


def test_no_script_imports_in_a_circle():
    imports = {name: set(imports_of(name)) for name in SCRIPTS}
    while leaves := {name for name, needed in imports.items() if not needed}:
        imports = {name: needed - leaves for name, needed in imports.items() if name not in leaves}
    assert not imports


def test_one_script_knows_gradio():
    """Its elements, its tabs, its parameters of the address; the path below which it lets our routes be is ours."""
    knows = re.compile(
        r"gradio(?!_shell\.js\b|_api/gan/)|svelte|tab-id|tabId|role=.tab\b|startsWith\(.__", re.IGNORECASE
    )
    found = {name for name in SCRIPTS if knows.search((STATIC / name).read_text(encoding="utf-8"))}
    assert found == {"core/gradio_shell.js"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_imports_only_from_the_rooms_that_its_own_may_know(name: str):
    room = name.partition("/")[0]
    known = {room, *ROOMS[room].split()}
    assert {other.partition("/")[0] for other in imports_of(name)} <= known


def test_numbers_that_python_has_too_are_the_same(node: str):
    """Links, files and pictures depend on them, and the engine draws without asking the server."""
    read = 'import("./engine/constants.js").then((all) => console.log(JSON.stringify(all)))'
    done = subprocess.run([node, "-e", read], cwd=STATIC, capture_output=True, encoding="utf-8", timeout=PATIENCE)
    assert json.loads(done.stdout or "{}") == json.loads(json.dumps(CONSTANTS)), done.stderr


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_class_and_no_module_is_long(name: str):
    code = (STATIC / name).read_text(encoding="utf-8")
    long = {found[1] for found in _CLASS.finditer(code) if found[0].count("\n") >= MOST_LINES["class"]}
    assert not long and code.count("\n") <= MOST_LINES["module"]
