"""The program can be installed: a wheel brings everything that it needs, and its facts stand in one place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import gan
from gan.core.paths import ROOT

pytestmark = pytest.mark.slow

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it there

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def lines_of(path: Path) -> set[str]:
    return {line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("-")}


def test_what_is_needed_is_the_same_wherever_it_stands():
    """requirements.txt is for a Space, which knows no extras; what its page offers is in there."""
    page = [*PROJECT["dependencies"], *EXTRAS["download"], *EXTRAS["film"]]
    assert lines_of(ROOT / "requirements.txt") == set(page)
    assert lines_of(ROOT / "tests" / "requirements.txt") == {*EXTRAS["inception"], *EXTRAS["dev"]}


def python(*arguments: str, cwd: Path, path: Path | None = None) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | (
        {"PYTHONPATH": str(path)} if path else {}
    )
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    python("-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT), cwd=folder)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder with the installed program and nothing else; what it needs is there already."""
    folder = tmp_path_factory.mktemp("installed")
    python("-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), str(wheel), cwd=folder)
    return folder


@pytest.mark.thorough
def test_a_wheel_draws_a_picture_elsewhere(installed, tmp_path):
    code = (
        "import gan, json; from gan.draw import draw; from gan.data.catalog import load\n"
        "draw('mnist-conditional', 'seed=5&c=4').save('four.png')\n"
        "print(json.dumps([gan.__file__, gan.__version__, len(load('mnist', 'test').images)]))"
    )
    file, version, pictures = json.loads(python("-c", code, cwd=tmp_path, path=installed))
    assert Path(file).is_relative_to(installed) and version == gan.__version__ and pictures == 10_000
    assert (tmp_path / "four.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.thorough
def test_its_command_is_there_and_keeps_runs_where_it_was_started(installed, tmp_path):
    (script,) = (installed / "bin").glob("gan-forge*") if os.name != "nt" else (installed / "Scripts").glob("*.exe")
    environment = os.environ | {"PYTHONPATH": str(installed)}
    done = subprocess.run([str(script), "--help"], cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0 and "page" in done.stdout and "train" in done.stdout
    code = "from gan.web.settings import default_runs; print(default_runs({}, on_space=False))"
    assert Path(python("-c", code, cwd=tmp_path, path=installed).strip()) == tmp_path / "runs"


@pytest.mark.thorough
def test_a_wheel_has_all_modules_scripts_pictures_and_weights(wheel):
    """What git ignores by mistake is missing there."""
    inside = set(zipfile.ZipFile(wheel).namelist())
    files = [path for folder in ("gan", "weights") for path in (ROOT / folder).rglob("*") if path.is_file()]
    wanted = {path.relative_to(ROOT) for path in files if not path.name.endswith((".pyc", ".test.js"))}
    assert {("" if path.parts[0] == "gan" else "gan/") + path.as_posix() for path in wanted} <= inside
    assert not any(name.startswith(("tests/", "docs/")) or name.endswith(".test.js") for name in inside)


@pytest.mark.thorough
def test_the_source_archive_has_what_a_checkout_has(tmp_path):
    python("-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path), cwd=ROOT)
    (file,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "app.py",
        "pyproject.toml",
        "requirements.txt",
        "tests/requirements.txt",
        "weights/README.md",
        "LICENSE",
    } <= inside
    assert f"gan_forge-{gan.__version__}.tar.gz" == file.name


def test_what_is_needed_are_ranges():
    for line in [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]:
        assert not any(one.operator == "==" for one in Requirement(line).specifier), line
