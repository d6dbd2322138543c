"""python -m gan bench: speed as ratios against a named alternative in the same run, in alternating pairs.

Absolute times of a shared machine lie; each figure here is the median of pairs measured one right after the other. One
file for each kind of measurement: `add_arguments(parser)` and `measure(args)`, which returns lines of the last table.
"""

from __future__ import annotations

import argparse
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gan.bench import (
    against,
    articles,
    busy,
    crowd,
    directions,
    evidence,
    few,
    find,
    first_minute,
    folders,
    gpu,
    measures,
    quality,
    scaling,
    search,
    slider,
    soak,
    startup,
    step,
    throughput,
    turns,
    viewers,
)
from gan.bench.common import App, Figure, find_chromium, free_port, load_of_the_machine, process, table
from gan.bench.slider import SLIDER
from gan.core.flags import decimal, whole

__all__ = ["BENCHES", "SLIDER", "App", "add_parsers", "find_chromium", "free_port", "process"]

_MODULES = {
    "against": against,
    "articles": articles,
    "step": step,
    "throughput": throughput,
    "busy": busy,
    "turns": turns,
    "viewers": viewers,
    "crowd": crowd,
    "soak": soak,
    "startup": startup,
    "slider": slider,
    "first-minute": first_minute,
    "measures": measures,
    "quality": quality,
    "search": search,
    "folders": folders,
    "scaling": scaling,
    "gpu": gpu,
    "directions": directions,
    "few": few,
    "find": find,
    "evidence": evidence,
}
BENCHES: dict[str, Callable[[argparse.Namespace], list[Figure]]] = {n: m.measure for n, m in _MODULES.items()}


def add_parsers(parser: argparse.ArgumentParser) -> None:
    """A sub-command for each measurement, with the options of its own file, and `all`."""
    names = parser.add_subparsers(required=True, metavar="NAME")
    for name, module in _MODULES.items():
        p = names.add_parser(name, help=_about(name), description=module.__doc__)
        module.add_arguments(p)
        p.set_defaults(run=_run_one, what=name)
    p = names.add_parser("all", help="every one of them, each with its own defaults")
    p.add_argument("--pairs", type=whole(1, 1000), help="for all that measure pairs")
    p.add_argument("--seconds", type=decimal(0.001, 86_400), help="for all that measure for a number of seconds")
    p.set_defaults(run=_run_all)


def _about(name: str) -> str:
    """The first line that the file of a measurement says of it."""
    return (_MODULES[name].__doc__ or "").partition("\n")[0]


@contextmanager
def _ends_as_by_ctrl_c() -> Iterator[None]:
    """Who ends the measurement ends the programs that it has started."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run_one(args: argparse.Namespace) -> int:
    with _ends_as_by_ctrl_c():
        print(table([*BENCHES[args.what](args), load_of_the_machine()]))
    return 0


def _run_all(args: argparse.Namespace) -> int:
    """One after the other; what cannot be measured here is a line that says why."""
    figures = []
    with _ends_as_by_ctrl_c():
        for name, bench in BENCHES.items():
            print(f"{name}: {_about(name)}", flush=True)
            try:
                figures += bench(_defaults(name, args))
            except (OSError, ValueError) as e:  # also every sentence of ours
                figures.append(Figure(name, f"not measured: {e}"))
    print(f"\n{table([*figures, load_of_the_machine()])}")
    return 0


def _defaults(name: str, args: argparse.Namespace) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    _MODULES[name].add_arguments(parser)
    found = parser.parse_args([])
    for option in ("pairs", "seconds"):
        if getattr(args, option) is not None and hasattr(found, option):
            setattr(found, option, getattr(args, option))
    return found
