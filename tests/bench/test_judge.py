"""Judging the diagnosis: which verdict is right, what an interval is, which run failed and what cures it."""

from __future__ import annotations

import argparse
import random
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from gan.bench import cures, evidence, judge, oracle
from gan.bench.corpus import HALVES, draw
from gan.bench.corpus_states import KeptRun, State, pictures_of
from gan.bench.cures import CURED, Tried
from gan.bench.judge import FAILED, SAME, Case, confusion, figures, interval, misses
from gan.bench.yardstick import yardstick_of
from gan.core.config import Config
from gan.data.catalog import load
from gan.monitor.diagnosis import KINDS
from gan.monitor.diagnosis.kinds import ALARMS, TOO_EARLY
from gan.monitor.diagnosis.remedies import OFF, back_to_recipe, remedy, thing_of
from gan.monitor.live_metrics import Measurer
from gan.monitor.records import OLDER_NAMES, OLDER_SIGNALS
from gan.training.checks import check_config
from gan.training.trainer import Trainer

pytestmark = pytest.mark.slow


def case(words: tuple[str, ...], *kinds: str, number: int = 0, distance=(1.0, 0.1)) -> Case:
    return Case(number, 100, words, distance, kinds)


def shown(judged: list[Case]) -> dict[str, tuple[str, str]]:
    return {figure.what: (figure.value, figure.bar) for figure in figures(judged)}


def test_every_word_has_verdicts_that_say_the_same_and_every_verdict_a_word():
    assert set(SAME) == set(oracle.WORDS)
    assert {kind for kinds in SAME.values() for kind in kinds} == set(KINDS)
    for word, kinds in SAME.items():  # whatever fails is a warning, whatever does not is none
        assert all((KINDS[kind].severity in ALARMS) == (word in FAILED) for kind in kinds)


def test_the_first_verdict_must_be_one_of_the_oracles_words():
    noise = (oracle.NO_LEARNING, oracle.D_STRONG)
    assert case(noise, "not-learning").named and case(noise, "discriminator-too-strong").named
    second = case(noise, "mode-collapse", "not-learning")
    assert second.mentioned and not second.named
    assert not case(noise).named and not case(noise).mentioned
    assert case((oracle.PARTLY,), "mode-collapse").named  # fully or partly: to the eye one thing
    assert case(noise).first == TOO_EARLY


def test_what_may_not_be_called_healthy():
    well = (oracle.HEALTHY,)
    assert not case(well, "healthy", distance=(1.0, 0.2)).too_healthy
    assert case(well, "healthy", distance=(1.0, 0.6)).too_healthy  # far
    assert case(well, "healthy", distance=(1.0, 0.1, 0.21)).too_healthy  # twice its best
    assert not case(well, "learning", distance=(1.0, 0.6)).too_healthy


def test_bars_are_shares_of_states():
    judged = [case((oracle.NO_LEARNING,), "not-learning", number=n) for n in range(9)]
    judged += [case((oracle.NO_LEARNING,), "healthy", number=9), case((oracle.IMPROVING,), "mode-collapse", number=10)]
    found = shown(judged)
    assert found["failed states called healthy"][0].startswith("1 of 10 (10.0%")
    assert found["failed states called healthy"][1].endswith("missed")
    assert found["failed states whose first verdict is right"][0].startswith("9 of 10 (90.0%")
    assert found["failed states whose first verdict is right"][1].endswith("met")
    assert found["healthy or improving states with an alarm"][0].startswith("1 of 1 ")
    assert [c.number for c in misses(judged)] == [9, 10]
    table = "\n".join(confusion(judged))
    assert "| noise | 10 | 9 |" in table and "| raw but improving | 1 | 0 |" in table


def test_an_interval_resamples_runs_and_not_states():
    """Three states of a run that always agree are one observation: the interval is as wide as that of one."""
    rng = random.Random(1)
    true = {n: rng.random() < 0.7 for n in range(40)}
    hit = lambda c: true[c.number]  # noqa: E731
    once = [case((oracle.HEALTHY,), number=n) for n in true]
    assert interval(once, hit) == interval(once * 3, hit)
    low, high = interval(once, hit)
    share = sum(true.values()) / 40
    assert low < share < high and 2 * (high - low) < 1
    width = 2 * 1.96 * (share * (1 - share) / 40) ** 0.5  # the normal approximation
    assert high - low == pytest.approx(width, rel=0.25)
    assert interval(once, lambda c: True) == (1.0, 1.0) and interval([], hit) == (0.0, 1.0)


@pytest.mark.parametrize("names", OLDER_SIGNALS, ids=len)
def test_runs_that_an_earlier_version_kept_are_judged(names):
    older = {new: old for old, new in OLDER_NAMES.items()}
    record = {older.get(name, name): 0.5 for name in names}
    words = {"config": draw(0).config.to_dict(), "rows": [], "events": [], "signals": [record | {"step": 40}]}
    state = State(KeptRun(Path(), words), 40)
    assert [signal["d_auroc"] for signal in state.signals] == [0.5]
    assert judge.said(state) == ("memorisation",)


def test_moments_of_the_corpus_have_the_fid_that_live_measures_find():
    drawn = draw(next(n for n in range(100) if draw(n).config.model == "dense" and not draw(n).own))
    trainer = Trainer(drawn.config, load(drawn.config.dataset))
    measurer, live = Measurer(drawn.config, clock=lambda: 0.0), None
    measurer.begin(trainer, 0.5, {"step": 0, "images": 0, "seconds": 0.0})
    for _ in range(60):
        live = live or measurer.turn(trainer, 0.5, 10.0, {"step": 1, "images": 1, "seconds": 0.0})
    assert live
    yard = yardstick_of(drawn.config.dataset, None, Path())
    far = yard.far(yard.seen(pictures_of(trainer))[0])
    assert far == pytest.approx(live["fid"], abs=1e-3)
    times = far / yard.reference.real["real_fid"]
    facts = SimpleNamespace(times_real=times / 4, distance=(1.0, 0.5, 0.25))
    found = judge.measures_of(facts, [10, 20])
    assert [m["step"] for m in found] == [0, 10, 20]
    assert [m["fid"] / m["real_fid"] for m in found] == pytest.approx([times, times / 2, times / 4])


@pytest.mark.parametrize("half", HALVES)
def test_only_one_half_is_looked_at(half):
    parser = argparse.ArgumentParser()
    evidence.add_arguments(parser)
    numbers = judge.numbers_of(parser.parse_args(["--half", half, "--runs", "30"]))
    assert {draw(number).half for number in numbers} == {half} and len(numbers) == 15


def test_a_cure_is_a_run_that_is_healthy_or_improving():
    failed = case((oracle.COLLAPSED,), "mode-collapse")
    tried = [Tried(replace(failed, number=n), n < 2, (word,), (oracle.HEALTHY,)) for n, word in enumerate(oracle.WORDS)]
    tried.append(Tried(replace(failed, number=99), False, (oracle.NO_LEARNING,), (oracle.PLATEAU,)))
    assert sum(one.cured(cures.REMEDY) for one in tried) == len(CURED)
    found = {figure.what: figure for figure in cures.figures(tried)}
    assert found["failed runs cured"].value.startswith(f"2 of {len(tried)} ")
    assert found["failed runs cured by the plain remedy"].value == f"{len(tried) - 1} of {len(tried)}"
    assert found["failed runs cured by the plain remedy"].bar.endswith("missed")
    assert f"| mode-collapse | {len(tried)} | 2 | {len(tried) - 1} |" in cures.table(tried)


def test_what_was_tried_is_not_trained_again(tmp_path, monkeypatch):
    cache, trained = tmp_path / "cures.jsonl", []
    failed = replace(case((oracle.COLLAPSED,), "mode-collapse"), number=1)
    made = {
        1: {
            "number": 1,
            "case": asdict(failed),
            "suggested": {},
            "remedy": (oracle.HEALTHY,),
            "plain": (oracle.NO_LEARNING,),
        },
        3: {"number": 3},  # has not failed
    }

    def tried(work, numbers, jobs):
        trained.extend(numbers)
        return [made[number] for number in numbers]

    monkeypatch.setattr(cures, "side_by_side", tried)
    parser = argparse.ArgumentParser()
    evidence.add_arguments(parser)
    args = parser.parse_args(["--half", "judged", "--runs", "4", "--cache", str(cache)])
    first = cures.measure(args)
    assert sorted(trained) == [1, 3] and first[0].value.startswith("1 of 1 ")
    assert [str(figure) for figure in cures.measure(args)] == [str(figure) for figure in first]
    assert sorted(trained) == [1, 3]


def test_the_plain_remedy_is_the_recipe_and_ours_is_a_part_of_what_is_off():
    for number in range(12):  # one of each share of the draw
        config = draw(number).config
        plain = back_to_recipe(config)
        fixed: Config = config.changed(**plain)
        check_config(fixed)
        assert all(getattr(fixed, name) == value for name, value in plain.items()) and set(plain) <= set(OFF)
        for kind in ("not-learning", "mode-collapse"):
            check_config(config.changed(**remedy(config, kind)))
            assert len({thing_of(name) for name in remedy(config, kind)}) <= 2
