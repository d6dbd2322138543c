"""GAN Forge: start the page. `python app.py --help` lists the flags; on Hugging Face Spaces it needs none."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from gan.cli.console import print_anywhere
from gan.web.settings import StartError, read_settings


def main(arguments: Sequence[str] | None = None) -> int:
    print_anywhere()
    # This default is read when gradio is imported.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    try:
        settings = read_settings(arguments)
        from gan.web.server import serve

        serve(settings)
    except StartError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
