"""Whatever a console or a redirected file speaks, what is printed arrives and can be read."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout, suppress

import pytest

import app
from gan.cli.main import main
from gan.core.console import print_anywhere
from gan.core.paths import ROOT

ENCODINGS = ["ascii", "cp437", "cp850", "cp1252", "cp932", "utf-8"]
COMMANDS = ["train", "sample", "evaluate", "export", "metric-network", "bench"]


def printed(encoding: str, action: Callable[[], object]) -> str:
    """What arrives when something prints on a stream that refuses every letter it does not know."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict", write_through=True)
    with redirect_stdout(out), suppress(SystemExit):
        action()
    return out.buffer.getvalue().decode(encoding)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=" ".join)
def test_every_help_can_be_printed(encoding, command):
    shown, whole = (printed(e, lambda: main([*command, "--help"])) for e in (encoding, "utf-8"))
    assert shown.startswith("usage: ") and shown.count("?") == whole.count("?")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_page_s_help_can_be_printed(encoding):
    assert "--port" in printed(encoding, lambda: app.main(["--help"]))


LETTERS = "Adam β₁ · 28×28 → −1 … “né” 20° 漢 \udcff"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", 'Adam beta1 - 28x28 -> -1 ... "ne" 20 degrees ? ?'),
        ("cp437", 'Adam beta1 · 28x28 -> -1 ... "né" 20° ? ?'),
        ("cp1252", "Adam beta1 · 28×28 -> -1 … “né” 20° ? ?"),
        ("utf-8", "Adam β₁ · 28×28 → −1 … “né” 20° 漢 ?"),
    ],
)
def test_only_letters_that_are_missing_become_likenesses(encoding, shown):
    def speak() -> None:
        print_anywhere()
        print(LETTERS, end="")

    assert printed(encoding, speak) == shown


def test_a_stream_that_cannot_be_told_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", None)
    print_anywhere()


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "cp437"])
def test_a_training_shows_its_bar_on_any_terminal(tmp_path, encoding):
    """A process of its own whose errors and bar go to a terminal, and whose output is redirected."""
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))  # rows and columns; new ones have none
    command = [sys.executable, "-m", "gan", "train", "dense", "--steps", "25", "--batch", "4", "--runs", tmp_path / "ü"]
    environment = os.environ | {"PYTHONIOENCODING": f"{encoding}:strict", "PYTHONUTF8": "0", "LC_ALL": "C"}
    with (tmp_path / "out").open("wb") as out:
        child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=theirs)
        os.close(theirs)
        shown = b"".join(_pieces(ours))
        assert child.wait() == 0, shown
    assert b"25/25" in shown and b"Traceback" not in shown
    assert "finished at step 25" in (tmp_path / "out").read_bytes().decode(encoding)


def _pieces(terminal: int):
    """What arrives until the other side is closed."""
    with suppress(OSError):
        while piece := os.read(terminal, 4096):
            yield piece
    os.close(terminal)
