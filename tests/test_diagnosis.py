"""Each verdict on a history made by a formula; none on one too short; every remedy can be applied."""

from __future__ import annotations

import copy
import math

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from gan import run as run_module
from gan.config import Config
from gan.diagnosis import FIRST_STEP, KINDS, diagnose, swings
from gan.gallery import GALLERY, PREFIX
from gan.history import SIGNALS
from gan.recipes import ALL_RECIPES, FAILURES, RECIPES, make_config
from gan.runs import Runs
from gan.trainer import check_config
from gan.web.diagnosis import add_diagnosis_route
from gan.web.routes import BASE

QUICK = RECIPES["quick"].config
NAN = {"step": 900, "kind": "failed", "text": "The generator's loss became NaN or infinite at step 900"}


def rows(steps: int = 1000, gap=lambda step: 0.2) -> list[tuple]:
    """A row for every second step; D's verdicts lie `gap(step)` apart around a half."""
    return [(s, 64 * s, 1.0, 1.3, 0.7, 0.5 + gap(s) / 2, 0.5 - gap(s) / 2, 1e-3, 1e-3) for s in range(2, steps + 1, 2)]


def signals(steps: int = 1000, **formulas) -> list[dict]:
    """A healthy record every 20 steps, with some signals by formula: name=lambda step: value."""
    healthy = dict.fromkeys(SIGNALS, 1.0) | {"told_apart": 0.8, "real_q05": 0.2, "real_q95": 0.9, "lowest": -1.0}
    return [
        healthy | {"step": s} | {name: formula(s) for name, formula in formulas.items()}
        for s in range(20, steps + 1, 20)
    ]


def kinds(config: Config = QUICK, gap=lambda step: 0.2, events=(), measures=(), steps: int = 1000, **formulas):
    return [v.kind for v in diagnose(config, rows(steps, gap), signals(steps, **formulas), events, measures)]


def falling(fids: list[float]) -> list[dict]:
    return [{"step": 100 * (i + 1), "fid": fid} for i, fid in enumerate(fids)]


def wave(period: float, height: float):
    return lambda step: 0.2 + height * math.sin(2 * math.pi * step / period)


RELU = QUICK.changed(output="relu")
WGAN = QUICK.changed(objective="wasserstein")
CASES = {
    "healthy": {},
    "learning": {"told_apart": lambda step: 1.0, "near": lambda step: 3.0},
    "incomparable": {"near": lambda step: None, "diversity": lambda step: None},
    "divergence": {"events": [NAN]},
    "cannot-paint-black": {"config": RELU, "lowest": lambda step: 0.0, "told_apart": lambda step: 1.0},
    "memorisation": {"near": lambda step: max(0.3, 1.2 - step / 800), "diversity": lambda step: 0.7},
    "oscillation": {"gap": wave(150, 0.6), "diversity": lambda step: 0.4},
    "mode-collapse": {"diversity": lambda step: max(0.1, 1 - step / 500)},
    "discriminator-too-strong": {"told_apart": lambda step: 1.0, "g_grad": lambda step: 10 ** (-step / 100)},
    "generator-too-strong": {"told_apart": lambda step: 0.05},
}


@pytest.mark.parametrize("kind", CASES)
def test_each_kind_is_named_first_and_alone(kind):
    assert kinds(**CASES[kind]) == [kind]


def test_every_kind_has_a_case_and_words():
    assert set(CASES) | {"plateau"} == set(KINDS)
    assert {f.kind for f in GALLERY.values()} <= set(KINDS) - {"healthy", "plateau"}


@pytest.mark.parametrize("kind", CASES)
def test_too_short_a_history_has_no_verdict_except_the_end_itself(kind):
    short = kinds(**CASES[kind], steps=FIRST_STEP - 20)
    assert short == (["divergence"] if kind == "divergence" else [])
    assert diagnose(QUICK, [], []) == []


@pytest.mark.parametrize("kind", CASES)
def test_diagnosis_changes_nothing_and_repeats_itself(kind):
    case = {"config": QUICK, "gap": lambda step: 0.2, "events": []} | CASES[kind]
    config, gap, events = case.pop("config"), case.pop("gap"), case.pop("events")
    given = [rows(1000, gap), signals(1000, **case), events, falling([9.0] * 8)]
    before = copy.deepcopy(given)
    assert diagnose(config, *given) == diagnose(config, *given)
    assert given == before


def test_a_gradient_that_was_gone_before_the_first_look_is_found():
    assert kinds(told_apart=lambda step: 1.0, g_grad=lambda step: 1e-4) == ["discriminator-too-strong"]
    assert kinds(told_apart=lambda step: 1.0, g_grad=lambda step: 1e-2) == ["healthy"]  # small, but as it always was


def test_healthy_trainings_that_look_odd_are_left_in_peace():
    assert kinds(told_apart=lambda step: 1.0, g_grad=lambda step: 12.0) == ["healthy"]  # the MLP's D is always sure
    assert kinds(diversity=lambda step: min(1.0, step / 1000)) == ["healthy"]  # varied only slowly
    outliers = lambda step: 0.2 + 0.7 * (step % 200 == 0)  # noqa: E731
    assert kinds(gap=outliers, diversity=lambda step: 0.4) == ["healthy"]  # single batches that went wrong
    poor = {"diversity": lambda step: 0.4}
    assert kinds(gap=wave(150, 0.1), **poor) == ["healthy"]  # small waves
    assert kinds(gap=wave(5000, 0.6), **poor) == ["healthy"]  # less than one swing
    assert kinds(gap=wave(150, 0.6)) == ["healthy"]  # swings, but the pictures are as varied as real ones
    assert kinds(lowest=lambda step: 0.0) == ["healthy"]  # bright pictures of a generator that could paint black
    assert kinds(near=lambda step: 0.5, diversity=lambda step: 0.1) == ["mode-collapse"]  # one picture is no copying


def test_scores_swing_in_their_own_units():
    poor = {"diversity": lambda step: 0.4}
    spread = poor | {"real_q05": lambda step: -50.0, "real_q95": lambda step: 50.0}
    assert kinds(WGAN, gap=wave(150, 400), **poor) == ["oscillation"]
    assert kinds(WGAN, gap=wave(150, 400), **spread) == ["oscillation"]
    assert kinds(WGAN, gap=wave(150, 100), **spread) == ["healthy"]


def test_a_diversity_that_recovers_is_no_collapse():
    falls_and_rises = lambda step: 0.05 + max(0.0, (step - 900) / 1000)  # noqa: E731
    assert kinds(diversity=falls_and_rises) == ["healthy"]


@pytest.mark.parametrize("near", [None, 0.0])
def test_nothing_is_said_of_a_share_that_is_not_known(near):
    """Of a single training picture the first version wrote down a distance of 0 beside a diversity of nothing."""
    found = diagnose(QUICK, rows(), signals(near=lambda step: near, diversity=lambda step: None))
    assert [v.kind for v in found] == ["incomparable"]
    assert found[0].seen == "D tells real and generated pictures apart 80\xa0% of the time (50 % is chance)."
    measures = [{"step": s, "modes": m} for s, m in ((1, 9), (2, 10), (3, 4), (4, 3))]
    assert diagnose(QUICK, [], [], (), measures)[0].seen == "Of 10 classes that it drew before, 3 are left."


def test_modes_that_were_drawn_once_and_are_not_any_more():
    measures = [{"step": s, "modes": m} for s, m in ((100, 9), (200, 10), (300, 4), (400, 3))]
    (verdict,) = diagnose(QUICK, rows(), signals(), (), measures)
    assert verdict.kind == "mode-collapse" and "10 classes" in verdict.seen and "3 are left" in verdict.seen
    assert kinds(measures=measures[:3]) == ["healthy"]  # one low count is not enough


def test_plateau_names_the_best_step_and_is_no_alarm():
    fids = [50.0, 20.0, 12.0, 11.0, 11.5, 11.2, 11.6, 11.4, 11.3, 11.9]
    found = diagnose(QUICK, rows(), signals(), (), falling(fids))
    assert [v.kind for v in found] == ["plateau", "healthy"] and not any(v.alarm for v in found)
    assert "11.0 at step 400" in found[0].seen and found[0].fork_step == 400
    assert kinds(measures=falling(sorted(fids, reverse=True))) == ["healthy"]
    assert kinds(measures=falling(fids[:4])) == ["healthy"]  # too few to say


def test_the_fork_begins_before_it_went_wrong():
    (verdict,) = diagnose(QUICK, rows(), signals(diversity=lambda step: 0.1 if step > 400 else 0.9))
    assert verdict.fork_step == 400
    grows = lambda step: 1.0 if step <= 300 else 1e6  # noqa: E731
    (verdict,) = diagnose(QUICK, rows(), signals(d_grad=grows), [NAN])
    assert verdict.fork_step == 300


@pytest.mark.parametrize("recipe", [n for n in ALL_RECIPES if n != "conv-small-as-printed"])
@pytest.mark.parametrize("kind", CASES)
def test_every_remedy_can_be_applied_to_every_recipe(recipe, kind):
    case = {"config": None, "gap": None, "events": ()} | CASES[kind]
    config = ALL_RECIPES[recipe].config
    if kind == "cannot-paint-black":
        config = config.changed(output="relu")
    given = {k: v for k, v in case.items() if k not in ("config", "gap", "events")}
    found = diagnose(config, rows(gap=case["gap"] or (lambda step: 0.2)), signals(**given), case["events"])
    for verdict in found:
        check_config(config.changed(**verdict.remedy))
        assert all(getattr(config, name) != value for name, value in verdict.remedy.items())
        assert bool(verdict.remedy) == (verdict.severity != "fine") or verdict.kind == "memorisation"


@pytest.mark.parametrize("name", GALLERY)
def test_gallery_entries_and_their_cures_are_configs_that_can_be_trained(name):
    sick, cured = make_config(PREFIX + name), make_config(PREFIX + name, **GALLERY[name].cure)
    for config in (sick, cured):
        check_config(config)
    assert sick != cured and sick.total_steps <= 1000
    assert all(getattr(sick, k) != v for k, v in GALLERY[name].cure.items())
    assert sick.recipe == PREFIX + name and FAILURES[PREFIX + name].cure == GALLERY[name].cure


def test_swings_are_counted_between_extremes():
    assert swings([0, 1, 0, 1, 0], 0.9) == [0, 1, 2, 3]
    assert swings([0, 0.5, 0.2, 1, 0.7, 0.3, 0], 0.9) == [0, 3]
    assert swings([0, 0.1] * 50, 0.9) == [] and swings([], 0.9) == []
    assert len(swings([math.sin(i / 10) for i in range(630)], 1.5)) == 19  # of ten periods; the last is not over


# The route -------------------------------------------------------------------------------------------------------


@pytest.fixture
def registry(tmp_path, monkeypatch, random_pictures):
    monkeypatch.setattr(run_module, "load", lambda *a, **k: random_pictures)
    return Runs(tmp_path)


def asked(registry, run) -> dict:
    app = FastAPI()
    add_diagnosis_route(app, registry)
    return TestClient(app).get(f"{BASE}/runs/{run.id}/diagnosis").json()


def fill(run, **formulas) -> None:
    for row in rows():
        run.history.add_row(row)
    for record in signals(**formulas):
        run.history.add_signal(record)


def test_the_route_answers_with_verdicts_and_the_cure(registry):
    run, _ = registry.create(PREFIX + "mode-collapse")
    assert asked(registry, run)["verdicts"] == []
    fill(run, diversity=lambda step: 0.1)
    answer = asked(registry, run)
    (verdict,) = answer["verdicts"]
    assert verdict["kind"] == "mode-collapse" and verdict["try"] and verdict["why"]
    assert {"label": "Penalty", "from": "none", "to": "r1"} in answer["cure"]["changes"]
    cured, _ = registry.create(PREFIX + "mode-collapse", changes=answer["cure"]["remedy"])
    assert asked(registry, cured)["cure"] is None


def test_verdicts_are_found_once_for_each_version(registry, monkeypatch):
    from gan.web import diagnosis as web

    calls = []
    monkeypatch.setattr(web, "diagnose", lambda *given: calls.append(1) or diagnose(*given))
    app = FastAPI()
    add_diagnosis_route(app, registry)
    client = TestClient(app)
    run, _ = registry.create("quick")
    fill(run)
    for _ in range(3):
        assert client.get(f"{BASE}/runs/{run.id}/diagnosis").json()["verdicts"][0]["kind"] == "healthy"
    assert len(calls) == 1
    run.history.add_event(**NAN)
    assert client.get(f"{BASE}/runs/{run.id}/diagnosis").json()["verdicts"][0]["kind"] == "divergence"
    assert len(calls) == 2
