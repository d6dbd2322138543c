"""The evidence command: which runs it makes, what it keeps of them, and the tables it prints."""

from __future__ import annotations

import argparse

import pytest

from gan.bench import evidence
from gan.bench.quality import keep
from gan.recipes.catalog import RECIPES
from gan.recipes.failures import GALLERY
from gan.training.checks import check_config

pytestmark = pytest.mark.slow


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    evidence.add_arguments(parser)
    return parser.parse_args(words)


def test_the_runs_are_those_of_the_bars():
    seeds = arguments().seeds
    gallery, cures, healthy = (evidence.PARTS[part][0](seeds) for part in ("gallery", "cures", "healthy"))
    assert len(gallery) == len(cures) == 10 * len(GALLERY)
    assert len({name for name, *_ in evidence.HEALTHY}) >= 6 and len(evidence.HEALTHY) * evidence.HEALTHY_SEEDS == 60
    assert {task.name.split(",")[0] for task in healthy} == {r for r, *_ in evidence.HEALTHY if r in RECIPES}
    for task in (*gallery, *cures, *healthy):
        check_config(task.config)
        assert task.config.seed < 100  # those set the thresholds


def result(kind: str, **more) -> dict:
    alarms = [] if kind == "healthy" else [kind]
    return {"kinds": [kind], "alarms": alarms, "fid": 300.0, "modes": 3, "seconds": 9.0, "steps": 500} | more


def kept(cache, part: str, seeds: list[int], of) -> list[evidence.Task]:
    tasks = evidence.PARTS[part][0](seeds)
    for task in tasks:
        keep(cache, task.key(), [of(task)])
    return tasks


def test_what_was_kept_is_not_trained_again_and_makes_the_table(tmp_path, monkeypatch, capsys):
    cache = tmp_path / "evidence.jsonl"
    monkeypatch.setattr(evidence, "_run_one", lambda task: pytest.fail("it was trained again"))
    wrong = lambda task: "healthy" if (task.name, task.config.seed) == ("mode-collapse", 1) else task.expected  # noqa: E731
    kept(cache, "gallery", [0, 1], lambda task: result(wrong(task)))
    figures = evidence.measure(arguments("--part", "gallery", "--seeds", "0", "1", "--cache", str(cache)))
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if line.startswith("| mode-collapse |")).split(" | ")
    head = next(line for line in lines if line.startswith("| failure |")).split(" | ")
    assert row[2] == "1 of 2" and row[head.index("mode-collapse")] == "1" and row[head.index("healthy")] == "1"
    by_name = {figure.what: figure for figure in figures}
    assert by_name["mode-collapse is named"].bar.endswith("missed")
    assert by_name["oscillation is named"].value == "2 of 2" and by_name["oscillation is named"].bar.endswith("met")


def test_cures_and_false_alarms_are_counted(tmp_path):
    cache = tmp_path / "evidence.jsonl"
    kept(cache, "cures", [0], lambda task: result("healthy", fid=90.0))
    names = [
        figure.value for figure in evidence.measure(arguments("--part", "cures", "--seeds", "0", "--cache", str(cache)))
    ]
    assert names == ["1 of 1"] * len(GALLERY)
    tasks = kept(
        cache, "healthy", [0], lambda task: result("plateau" if task.name.startswith("mlp") else "healthy", alarms=[])
    )
    (figure,) = evidence.measure(arguments("--part", "healthy", "--seeds", "0", "--cache", str(cache)))
    assert figure.value == f"0 of {len(tasks)}" and figure.bar.endswith("met")


def test_cures_that_are_the_same_settings_are_one_run():
    keys = {evidence._name(task) for task in evidence.PARTS["cures"][0]([0])}
    assert 1 < len(keys) < len(GALLERY)


def test_one_run_is_trained_as_the_app_does_and_judged():
    """The one that ends soonest: it diverges, which is its purpose, and has nothing left to measure."""
    (task,) = [t for t in evidence.PARTS["gallery"][0]([100]) if t.name == "divergence"]
    _, found = evidence._run_one(task)
    assert found["kinds"][0] == "divergence" and found["fid"] is None and found["steps"] < task.config.total_steps
