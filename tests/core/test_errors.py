"""What a person is told: every error of ours is one kind, and nothing else has words for a person but a disk's."""

from __future__ import annotations

import errno
import importlib
import inspect
import pkgutil

import pytest

import gan
from gan.core.console import print_problem
from gan.core.errors import UserError, as_user_error

# Caught where they arise, answers that are no errors, or a fault of ours.
INTERNAL = {"Diverged", "Unreadable", "TooLarge", "NotAvailable", "Preparing", "FormulaError"}


def errors_of_ours() -> set[type[Exception]]:
    modules = [m.name for m in pkgutil.walk_packages(gan.__path__, "gan.") if not m.name.startswith("gan.bench.")]
    found = {c for name in modules for _, c in inspect.getmembers(importlib.import_module(name), inspect.isclass)}
    return {c for c in found if issubclass(c, Exception) and c.__module__.startswith("gan.")}


def test_every_error_that_has_a_name_is_a_sentence_with_a_status():
    for kind in errors_of_ours():
        if kind.__name__ in INTERNAL:
            assert not issubclass(kind, UserError), kind
        else:
            assert issubclass(kind, UserError) and 400 <= kind.status < 600, kind


def test_a_disk_is_told_without_paths_to_a_visitor():
    full = OSError(errno.ENOSPC, "No space left on device", "/home/ann/runs/x")
    here, there = as_user_error(full, paths=True), as_user_error(full, paths=False)
    assert here and there and here.status == there.status == 507
    assert "/home/ann" in str(here) and "ann" not in str(there) and "No space left" in str(there)


@pytest.mark.parametrize("problem", [ValueError("x"), KeyError("x"), RuntimeError("x"), AssertionError()])
def test_what_nobody_expected_has_no_words(problem, capsys):
    assert as_user_error(problem, paths=True) is None and not print_problem(problem)
    assert capsys.readouterr().err == ""


def test_a_sentence_is_one_line_whatever_was_typed(capsys):
    assert print_problem(UserError("There is no run a\nb."), "gan: ")
    assert capsys.readouterr().err == "gan: There is no run a b.\n"
