"""Where the files lie that come with the program."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "weights"  # trained networks
ASSETS = ROOT / "gan" / "data" / "assets"  # pictures to train on
STATIC = ROOT / "gan" / "web" / "static"  # scripts and style sheets of the page
