"""All tests: README's command, then the thorough ones, then browser tests that failed once more. Ends with the slowest.

    .venv/bin/python .ci/suite.py

A browser test that fails and then passes in a process of its own does not fail the whole; it is listed last of all, so
that its cause gets mended. Nothing else is repeated. Returns 0 when all passed in the end, else 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

BROWSER = "tests/e2e"
FAILED = Path(".pytest_cache/v/cache/lastfailed")  # pytest's own list, which --last-failed reads
TESTS_FAILED = 1  # pytest's exit code for that; larger ones mean that it could not do its work
SHOWN = 25


def run(title: str, report: Path, *options: str) -> int:
    """Run pytest; returns its exit code."""
    print(f"\n== {title} ==", flush=True)
    began = time.monotonic()
    code = subprocess.run([sys.executable, "-m", "pytest", f"--junitxml={report}", *options], check=False).returncode
    print(f"== {title}: {time.monotonic() - began:.0f} s, exit code {code} ==", flush=True)
    return code


def failed() -> set[str]:
    """The tests that failed when they last ran."""
    return set(json.loads(FAILED.read_text(encoding="utf-8"))) if FAILED.exists() else set()


def slowest(reports: list[Path]) -> list[str]:
    """A line for each of the slowest tests, what was made ready for them included."""
    cases = [case for report in reports for case in ElementTree.parse(report).iter("testcase")]
    cases.sort(key=lambda case: -float(case.get("time", 0)))
    return [f"{float(c.get('time', 0)):7.1f} s  {c.get('classname')}::{c.get('name')}" for c in cases[:SHOWN]]


def show(title: str, lines: list[str]) -> None:
    if lines:
        print(f"\n== {title} ==", *lines, sep="\n")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        reports = [Path(folder, f"{name}.xml") for name in ("readme", "thorough", "again")]
        codes = [
            run("README's tests", reports[0], "--cache-clear"),
            run("thorough tests", reports[1], "-m", "thorough"),
        ]
        first = failed()
        browser = {test for test in first if test.startswith(BROWSER)}
        if browser:
            run("failed browser tests once more", reports[2], "--last-failed", "-m", "", "-n", "0", BROWSER)
        show(f"the {SHOWN} slowest", slowest([report for report in reports if report.exists()]))
    show("FAILED", sorted(failed()))
    show("PASSED THE SECOND TIME: each has a cause to be mended", sorted(browser - failed()))
    unnamed = TESTS_FAILED in codes and not first  # something failed that is no test
    return int(max(codes) > TESTS_FAILED or unnamed or bool(failed()))


if __name__ == "__main__":
    sys.exit(main())
