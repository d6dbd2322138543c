"""GAN Forge: start the page. `python app.py --help` lists the flags; on Hugging Face Spaces it needs none."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from gan.console import print_anywhere

HERE = Path(__file__).resolve().parent


def parse(arguments: list[str] | None) -> argparse.Namespace:
    on_space = bool(os.environ.get("SPACE_ID"))
    parser = argparse.ArgumentParser(description="Watch a GAN learn in your browser.")
    parser.add_argument("--host", default="0.0.0.0" if on_space else "127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=7860, help="port to listen on")
    parser.add_argument("--runs", type=Path, default=HERE / "runs", help="folder where runs are kept")
    parser.add_argument("--max-runs", type=int, default=1, help="how many runs may train at the same time")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    print_anywhere()
    options = parse(arguments)
    # These defaults are read when gradio is imported or a page is built.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    from gan.web.serve import StartError, serve

    try:
        serve(options.host, options.port, options.runs, options.max_runs)
    except StartError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
