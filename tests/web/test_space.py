"""Publishing as a Hugging Face Space: what README's command uploads, and what the Space's card says."""

from __future__ import annotations

import re
import shlex
import subprocess
import unicodedata

import pytest
import yaml
from huggingface_hub.utils import DEFAULT_IGNORE_PATTERNS, filter_repo_objects
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from gan.core.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}  # that the Hub knows
JUNK = [
    ".git/config", ".git/objects/ab/cdef", ".venv/bin/python", ".venv/lib/python3.11/site-packages/torch/lib/a.so",
    "venv/Lib/site-packages/torch/lib/torch.dll", "runs/AbCdEfGhIjKl/checkpoint.safetensors",
    "runs/AbCdEfGhIjKl/run.json", "runs/pictures/own-0123456789ab.safetensors", "__pycache__/app.cpython-311.pyc",
    "gan/__pycache__/run.cpython-311.pyc", ".pytest_cache/v/cache/lastfailed", ".ruff_cache/0.9/x", ".env",
    ".DS_Store", "gan/.DS_Store", "docs/.DS_Store", ".idea/workspace.xml", ".vscode/settings.json", "my-run.zip",
    "tests/__pycache__/x.pyc", "tests/e2e/test_train.py", ".cache/huggingface/upload/x", ".ci/run",
]  # fmt: skip


def uploads(paths: list[str]) -> set[str]:
    """Which of these files README's command sends, by the Hub client's own rules."""
    (line,) = (line for line in README.splitlines() if "hf upload" in line and line.startswith("    "))
    words = shlex.split(line)
    assert words[:7] == [".venv/bin/hf", "upload", "USER/SPACE", ".", ".", "--repo-type", "space"]
    assert words[7::2] == ["--exclude"] * (len(words[7:]) // 2) and len(words) % 2
    return set(filter_repo_objects(paths, ignore_patterns=[*DEFAULT_IGNORE_PATTERNS, *words[8::2]]))


def tracked() -> list[str]:
    found = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8")
    if found.returncode or not found.stdout:
        pytest.skip("this is no git checkout, so nothing tells its files from others")
    return found.stdout.rstrip("\0").split("\0")


def test_everything_that_the_program_needs_is_uploaded():
    sent, files = uploads(tracked()), tracked()
    needed = {f for f in files if f.startswith(("gan/", "weights/", "docs/"))}
    needed |= {"app.py", "requirements.txt", "README.md", "LICENSE", "pyproject.toml"}
    assert needed <= sent
    assert {f for f in files if f not in sent} == {f for f in files if f.startswith(("tests/", "."))}
    for target in re.findall(r"\]\(((?!http|#)[^)#]+)", README):
        assert target in sent, target


def test_what_lies_about_stays_at_home():
    assert uploads(JUNK) == set()


def test_nothing_is_uploaded_that_the_hub_would_refuse():
    """10 MB is the limit of a file without large file storage, which the upload chooses by itself; a Space has 1 GB."""
    sizes = [(ROOT / f).stat().st_size for f in uploads(tracked())]
    assert max(sizes) < 10e6 and sum(sizes) < 200e6


def card() -> dict[str, object]:
    return yaml.safe_load(README.split("---\n")[1])


def test_the_card_is_one_that_the_hub_takes():
    said = card()
    assert said["sdk"] == "gradio" and (ROOT / str(said["app_file"])).is_file()
    assert {said["colorFrom"], said["colorTo"]} <= COLOURS
    assert len(str(said["short_description"])) <= 60 and isinstance(said["pinned"], bool)
    assert len(str(said["emoji"])) == 1 and unicodedata.category(str(said["emoji"])) == "So"
    assert said["license"] == "mit" and "MIT License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_card_s_versions_are_those_of_the_program():
    said = card()
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = {r.name: r.specifier for r in map(Requirement, filter(None, lines))}
    assert wanted["gradio"].contains(str(said["sdk_version"]))
    (python,) = re.findall(r'^requires-python = "([^"]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert isinstance(said["python_version"], str)  # 3.10 without quotes would be 3.1
    assert SpecifierSet(python).contains(said["python_version"])
