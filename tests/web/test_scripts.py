"""The page's scripts as node sees them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gan.core.paths import STATIC
from gan.web.page_files import imports_of, served
from tests.conftest import not_here

# Which folders of gan/web/static a folder may import from. No tab imports from another.
ROOMS = {
    "core": "",
    "charts": "core",
    "engine": "core",
    "run": "core charts",
    "weights": "core engine",
    "train": "core charts run",
    "compare": "core charts run",
    "latent": "core engine weights",
    "interpolation": "core engine weights",
    "how": "core run",
    "page.js": "core",
}
SCRIPTS = sorted(name for name in served() if name.endswith(".js"))
_IMPORT_ALL = """
import { pathToFileURL } from "node:url";
const failed = [];
for (const name of NAMES)
  await import(pathToFileURL(`${STATIC}/${name}`)).catch((error) => failed.push(`${name}: ${error.stack}`));
console.log(failed.join("\\n"));
process.exitCode = failed.length ? 1 : 0;
"""


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        not_here("No node was found, in which the page's scripts could run (Debian: apt-get install nodejs).")
    return found


def test_importing_a_script_does_nothing(node: str, tmp_path: Path):
    """There is no document here: what reaches for one on import fails. And nothing is left that keeps node running."""
    copy = shutil.copytree(STATIC, tmp_path / "static")
    (copy / "package.json").write_text('{"type": "module"}')
    code = f"const NAMES = {json.dumps(SCRIPTS)}; const STATIC = {json.dumps(str(copy))};{_IMPORT_ALL}"
    command = [node, "--input-type=module", "-e", code]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_script_imports_in_a_circle():
    imports = {name: set(imports_of(name)) for name in SCRIPTS}
    while leaves := {name for name, needed in imports.items() if not needed}:
        imports = {name: needed - leaves for name, needed in imports.items() if name not in leaves}
    assert not imports


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_imports_only_from_the_rooms_that_its_own_may_know(name: str):
    room = name.partition("/")[0]
    known = {room, *ROOMS[room].split()}
    assert {other.partition("/")[0] for other in imports_of(name)} <= known
