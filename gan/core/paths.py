"""Where the files lie that come with the program, in a checkout and installed."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parent  # of a checkout
INSTALLED = (PACKAGE / "weights").is_dir()  # a wheel has them inside the package (pyproject.toml)
WEIGHTS = (PACKAGE if INSTALLED else ROOT) / "weights"  # trained networks
ASSETS = PACKAGE / "data" / "assets"  # pictures to train on
STATIC = PACKAGE / "web" / "static"  # scripts and style sheets of the page
WORDS = PACKAGE / "words"  # everything that people are told, by language
