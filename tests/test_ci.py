"""What .ci/suite.py forgives: a browser test that passes the second time, by name, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gan.core.paths import ROOT

pytestmark = pytest.mark.thorough


# A test that notes each of its runs in a file, and passes from the given one on.
COUNTING = """
from pathlib import Path
import pytest
{mark}
def test_{name}():
    tries = Path(__file__).with_suffix(".tries")
    tries.write_text(tries.read_text() + "x" if tries.exists() else "x")
    assert len(tries.read_text()) >= {passes_at}
"""


def project(folder: Path, **tests: tuple[str, int]) -> Path:
    """A project with our settings and some tests: name = (folder, the run in which it passes)."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    for name, (place, passes_at) in ({"sound": ("tests", 1), "lengthy": ("tests/thorough", 1)} | tests).items():
        mark = "@pytest.mark.thorough" if place == "tests/thorough" else ""
        file = folder / place / f"test_{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(COUNTING.format(name=name, mark=mark, passes_at=passes_at))
    return folder


def suite(folder: Path) -> tuple[int, str]:
    """Exit code of the whole, and what it printed."""
    done = subprocess.run(
        [sys.executable, ".ci/suite.py"], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    return done.returncode, done.stdout


def tries(folder: Path, file: str) -> int:
    return len((folder / file).with_suffix(".tries").read_text())


def test_every_test_runs_once_also_the_thorough_ones(tmp_path):
    code, said = suite(project(tmp_path))
    assert code == 0, said
    assert tries(tmp_path, "tests/test_sound.py") == tries(tmp_path, "tests/thorough/test_lengthy.py") == 1
    assert "tests.thorough.test_lengthy::test_lengthy" in said.partition("the 25 slowest")[2]
    assert "SECOND TIME" not in said and "FAILED" not in said


def test_a_browser_test_that_passes_the_second_time_is_listed(tmp_path):
    code, said = suite(project(tmp_path, early=("tests/e2e", 2)))
    assert code == 0, said
    assert tries(tmp_path, "tests/e2e/test_early.py") == 2 and tries(tmp_path, "tests/test_sound.py") == 1
    assert said.splitlines()[-1] == "tests/e2e/test_early.py::test_early"
    assert "PASSED THE SECOND TIME" in said.splitlines()[-2]


@pytest.mark.parametrize(("place", "runs"), [("tests", 1), ("tests/thorough", 1), ("tests/e2e", 2)])
def test_what_stays_broken_fails_the_whole(tmp_path, place, runs):
    """Also beside a browser test that passes the second time."""
    code, said = suite(project(tmp_path, early=("tests/e2e", 2), broken=(place, 3)))
    assert code == 1
    assert tries(tmp_path, f"{place}/test_broken.py") == runs
    assert f"{place}/test_broken.py::test_broken" in said.rpartition("== FAILED ==")[2]


def test_a_file_that_cannot_be_read_fails_the_whole(tmp_path):
    (project(tmp_path) / "tests/test_typo.py").write_text("def test_(:")
    code, said = suite(tmp_path)
    assert code == 1 and "tests/test_typo.py" in said


def test_a_plain_run_leaves_thorough_tests_out(tmp_path):
    shutil.copy(ROOT / "tests/conftest.py", project(tmp_path) / "tests")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pytest"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "tests/thorough/test_lengthy.tries").exists()
    assert "python -m pytest -m thorough" in done.stdout
