"""How a person starts the page: `python app.py`, or `gan-forge page` where it is installed."""

from __future__ import annotations

import os
from collections.abc import Sequence

from gan.core.console import print_anywhere, print_problem
from gan.web.settings import read_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C; returns the exit code. What prevents it is one sentence on stderr, and code 1."""
    print_anywhere()
    # This default is read when gradio is imported.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    try:
        settings = read_settings(arguments)
        from gan.web.server import serve

        serve(settings)
    except Exception as problem:
        if not print_problem(problem):
            raise
        return 1
    return 0
