"""The corpus that nobody chose, and the oracle that names its states without the diagnosis."""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import pytest
import torch
from PIL import Image

from gan.bench import corpus, corpus_runs, corpus_sheet, evidence, oracle, yardstick
from gan.bench.common import BenchError
from gan.bench.corpus import (
    DRAWN_AGAIN_FROM,
    DRAWN_RECIPES,
    HALVES,
    KINDS,
    KNOBS,
    MILD,
    MILD_FROM,
    MILD_RECIPE,
    NEAR,
    OWN,
    RARE,
    RARE_FROM,
    SCARCE_FROM,
    WILD,
    Drawn,
    draw,
    rare_of,
)  # fmt: skip
from gan.bench.corpus_sheet import Tile
from gan.bench.corpus_states import KeptRun, State, kept_run, moments, path_of, state_moments
from gan.bench.oracle import Facts, measured, words
from gan.core.paths import ROOT
from gan.data.catalog import load
from gan.monitor.records import COLUMNS
from gan.recipes.failures import GALLERY, PREFIX
from gan.training.checks import check_config

pytestmark = pytest.mark.slow

NUMBERS = 120


@lru_cache(maxsize=1)
def many() -> list[Drawn]:
    return [draw(number) for number in range(NUMBERS)]


# The draw -----------------------------------------------------------------------------------------------------------


def test_a_number_stands_for_the_same_run_in_every_process():
    code = "from gan.bench.corpus import draw; print([draw(n) for n in (0, 17, 10**6)])"
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert elsewhere.stdout.strip() == str([draw(n) for n in (0, 17, 10**6)])


def test_numbers_stand_for_the_runs_that_were_judged():
    """Whatever recipes and data sets came later: what is published speaks of these runs."""
    drawn = [draw(number).config for number in (*range(40), 260, 301)]
    facts = [(c.recipe, c.dataset, c.size, c.batch, c.width, c.d_lr, c.g_lr, c.total_steps, c.seed) for c in drawn]
    assert hashlib.sha256(str(facts).encode()).hexdigest().startswith("ea185d93cd19ec96")


def test_halves_wild_ones_and_few_pictures_have_their_shares_in_any_twelve_numbers():
    again = [
        [draw(number) for number in range(first, first + 12)] for first in (DRAWN_AGAIN_FROM, DRAWN_AGAIN_FROM + 77)
    ]
    for drawn in (*again, *(many()[start : start + 12] for start in range(NUMBERS - 12))):
        assert sum(d.half == HALVES[1] for d in drawn) == 6
        assert sum(d.few for d in drawn) == 4
        assert [sum(d.wild for d in drawn if d.half == half) for half in HALVES] == [3, 3]


def test_runs_that_begin_with_failing_presets_come_after_the_others_in_equal_shares():
    drawn = [draw(number) for number in range(RARE_FROM, RARE_FROM + 4 * len(RARE))]
    for half in HALVES:
        begun = [rare_of(d.number) for d in drawn if d.half == half]
        assert sorted(begun) == sorted(2 * list(RARE))
    for d in drawn:
        assert not d.wild and d.config.recipe == PREFIX + rare_of(d.number)
        few = d.config.data_limit or (d.own.count if d.own else 0)
        assert d.few == (rare_of(d.number) == RARE[0]) and (not d.few or 12 <= few <= 60)
    assert not any(rare_of(number) for number in range(RARE_FROM))


def test_later_runs_begin_anywhere_between_failing_presets_and_their_cures():
    drawn = [draw(number) for number in range(MILD_FROM, MILD_FROM + 4 * 3 * len(MILD))]
    for half in HALVES:
        mine = [d for d in drawn if d.half == half]
        assert sorted(rare_of(d.number) for d in mine) == sorted(6 * list(MILD))
        assert 3 * sum(d.few for d in mine) == len(mine)
    for d in drawn:
        preset = rare_of(d.number)
        assert d.longer and not d.wild and d.config.recipe == (PREFIX + preset if preset else MILD_RECIPE)
        cure = GALLERY[preset].cure if preset else {}
        for name in ("d_lr", "g_lr") if preset else ():
            ends = (getattr(corpus.recipe_of(PREFIX + preset), name), cure[name])
            assert 0.99 * min(ends) <= getattr(d.config, name) <= 1.01 * max(ends)


def test_the_last_runs_learn_by_heart_or_have_wild_rates():
    drawn = [draw(number) for number in range(SCARCE_FROM, SCARCE_FROM + 24)]
    for half in HALVES:
        mine = [d for d in drawn if d.half == half]
        assert [sum(bool(rare_of(d.number)) for d in mine), sum(d.wild for d in mine)] == [6, 6]
    for d in drawn:
        assert d.wild != (rare_of(d.number) == RARE[0] and d.few and d.longer)
        assert d.wild or d.config.recipe == PREFIX + RARE[0]


def test_what_is_refused_is_never_drawn_and_runs_are_short():
    for drawn in many():
        if drawn.number % 5 == 0:  # building the networks takes long
            check_config(drawn.config)
        assert drawn.config.precision == "float32"
        assert corpus.STEPS[0] <= drawn.config.total_steps <= corpus.STEPS[1]
        most = (corpus.LONGER if drawn.few else corpus.SECONDS)[1]
        fewest = drawn.config.total_steps == corpus.STEPS[0]
        assert fewest or corpus.seconds_a_step(drawn.config) * drawn.config.total_steps <= most


def test_few_or_own_pictures_are_a_third_and_others_are_whole():
    for drawn in many():
        own_few, limited = bool(drawn.own and drawn.own.count), bool(drawn.config.data_limit)
        assert (own_few or limited) == drawn.few and not (own_few and limited)
        assert (drawn.config.dataset == OWN) == (drawn.own is not None)


def test_rates_are_near_the_recipes_or_wild():
    wild = [rate for d in many() if d.wild for rate in (d.config.d_lr, d.config.g_lr)]
    assert all(WILD[0] <= rate <= WILD[1] for rate in wild)
    assert min(wild) < 1e-5 and max(wild) > 0.1 and 0.4 < sum(rate < 1e-3 for rate in wild) / len(wild) < 0.6
    for drawn in many():
        base = corpus.recipe_of(drawn.config.recipe)
        for name in () if drawn.wild else ("d_lr", "g_lr"):
            assert 1 / NEAR * 0.99 <= getattr(drawn.config, name) / getattr(base, name) <= NEAR * 1.01


def test_the_draw_covers_recipes_pictures_and_knobs():
    drawn = many()
    usable = {name for name in DRAWN_RECIPES if not name.endswith("small-as-printed")}
    assert {d.config.recipe for d in drawn} == usable
    assert {d.config.channels for d in drawn} == {1, 3}
    assert {d.own.kind for d in drawn if d.own} == set(KINDS)
    assert {d.config.dataset for d in drawn} == {"mnist", "fashion-mnist", OWN}
    for knob in KNOBS:
        assert any(knob in d.words.split("changed: ")[1].split(", ") for d in drawn), knob
    for name in ("objective", "penalty", "d_steps", "batch", "beta1", "beta2", "width", "output", "update_order"):
        assert len({getattr(d.config, name) for d in drawn}) > 1, name


@pytest.mark.parametrize("kind", KINDS)
def test_own_pictures_are_made_alike_and_a_fifth_is_held_back(kind, tmp_path):
    own = corpus.OwnSet(kind, 100, 3)
    name = own.prepare(tmp_path)
    train, test = (load(name, split, tmp_path) for split in ("train", "test"))
    assert (len(train.images), len(test.images)) == (80, 20)
    assert train.images.shape[1:] == (KINDS[kind].channels, KINDS[kind].size, KINDS[kind].size)
    assert train.class_names == KINDS[kind].classes
    assert own.prepare(tmp_path / "again") == name
    assert replace(own, seed=4).prepare(tmp_path) != name


# What is kept -------------------------------------------------------------------------------------------------------


@pytest.fixture
def tiny(monkeypatch) -> int:
    """Number 9 in twelve steps: an mlp's cost, own pictures or few."""
    drawn = draw(9)
    short = replace(drawn, config=drawn.config.changed(total_steps=12, batch=16))
    monkeypatch.setattr(corpus_runs, "draw", lambda number: short)
    return 9


def test_moments_and_states_of_a_run():
    assert moments(60) == [10, 20, 30, 40, 50, 60] and state_moments(60) == [20, 40, 60]


def test_a_killed_run_starts_again_and_gives_the_same_states_bit_for_bit(tiny, tmp_path, monkeypatch):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    corpus_runs.train_and_keep(tiny, whole)

    class Killed(BaseException):
        pass

    def dies(keeper, trainer, last=False):
        if trainer.steps_done >= 5:
            raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(corpus_runs.Keeper, "look", dies)
        corpus_runs.train_and_keep(tiny, killed)
    assert kept_run(killed, tiny) is None
    corpus_runs.train_and_keep(tiny, killed)
    assert path_of(whole, tiny).read_bytes() == path_of(killed, tiny).read_bytes()


def test_what_is_finished_is_skipped_and_what_is_damaged_or_changed_is_made_again(tiny, tmp_path, monkeypatch):
    corpus_runs.train_and_keep(tiny, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(corpus_runs, "trained", lambda *a: pytest.fail("it was trained again"))
        assert corpus_runs.train_and_keep(tiny, tmp_path) == f"{tiny}: kept"
    before = path_of(tmp_path, tiny).read_bytes()
    path_of(tmp_path, tiny).write_bytes(before[: len(before) // 2])
    assert kept_run(tmp_path, tiny) is None
    corpus_runs.train_and_keep(tiny, tmp_path)
    assert path_of(tmp_path, tiny).read_bytes() == before
    changed = replace(corpus_runs.draw(tiny), config=corpus_runs.draw(tiny).config.changed(seed=1))
    monkeypatch.setattr(corpus_runs, "draw", lambda number: changed)
    corpus_runs.train_and_keep(tiny, tmp_path)
    assert path_of(tmp_path, tiny).read_bytes() != before


def test_a_kept_state_draws_its_pictures_again_and_is_measured(tiny, tmp_path):
    corpus_runs.train_and_keep(tiny, tmp_path)
    run = kept_run(tmp_path, tiny)
    judge = oracle.Judge(run, tmp_path)
    states = list(run.states())
    assert [state.step for state in states] == [4, 8, 12]
    for state in states:
        state.restore(judge.trainer)
        assert torch.equal(oracle.pictures_of(judge.trainer), state.pictures(state.step))
    early, _, last = found = [facts for _, facts in measured(run, tmp_path)]
    assert len(early.distance) == 3 and len(last.distance) == 7 and last.distance[0] == 1
    assert all(1 <= len(words(facts)) <= oracle.MOST for facts in found)
    assert corpus_runs.judged(tiny, tmp_path)[0].facts == early
    assert corpus_runs.judged(tiny, tmp_path)[0].facts == early  # from its file


# The yardstick ------------------------------------------------------------------------------------------------------


@pytest.fixture
def soon(monkeypatch):
    """Classifiers that have learned from few pictures."""
    monkeypatch.setattr(yardstick, "EXAMPLES", 640)
    monkeypatch.setattr(yardstick, "LOOKED_AT", 1100)


def test_a_classifier_is_the_same_one_everywhere_and_is_kept(soon, tmp_path, monkeypatch):
    files = [tmp_path / place / "tinted-digits-1.safetensors" for place in "ab"]
    found = [yardstick.classifier("tinted digits", file.parent) for file in files]
    assert files[0].read_bytes() == files[1].read_bytes()
    monkeypatch.setattr(yardstick, "_train", lambda *a: pytest.fail("it was trained again"))
    assert yardstick.classifier("tinted digits", tmp_path / "a")[1] == found[0][1]
    assert found[0][0].look(torch.zeros(2, 3, 32, 32, dtype=torch.uint8))[0].shape == (2, yardstick.FEATURES)


@pytest.mark.parametrize("kind", yardstick.LEARNED)
def test_a_classifier_learns_finer_classes_from_pictures_that_do_not_judge_it(kind):
    learn, judge = yardstick.examples(kind)
    assert len(judge.images) == pytest.approx(len(learn.images) / 4, rel=0.01)
    assert set(torch.cat([learn.labels, judge.labels]).tolist()) == set(range(yardstick.LEARNED[kind].classes))
    assert not {x.numpy().tobytes() for x in judge.images[:50]} & {x.numpy().tobytes() for x in learn.images}


@pytest.mark.parametrize("own", [corpus.OwnSet("one digit", 50, 3), corpus.OwnSet("unequal digits", 0, 3)])
def test_a_run_is_held_against_pictures_that_it_never_saw(own, tmp_path):
    trained_on = {x.numpy().tobytes() for x in load(own.prepare(tmp_path), "train", tmp_path).images}
    yard = yardstick.yardstick_of("own", own, tmp_path)
    assert not trained_on & {x.numpy().tobytes() for x in yard.unseen.images}
    others = yard.seen(own.population().images[-500:])[0]
    assert 0.8 < yard.far(others) / yard.reference.real["real_fid"] < 3  # half as many: a little farther
    assert yard.far(yard.seen(torch.zeros(500, 1, 28, 28, dtype=torch.uint8))[0]) > 20 * yard.far(others)
    assert 0.5 < yard.coverage(others) <= 1.1


def test_black_on_white_is_looked_at_as_white_on_black(tmp_path):
    images = load("mnist", "test").images[:40]
    plain, inverted = (yardstick.network_of(kind, tmp_path)[0] for kind in ("digits", "black on white"))
    assert torch.equal(plain.look(images)[1], inverted.look(255 - images)[1])


def test_all_of_a_few_pictures_again_are_no_twins_and_half_of_them_are():
    rng = torch.Generator().manual_seed(0)
    real = torch.randn(80, 49, generator=rng)
    drawn, few = (real[torch.randint(0, most, (2000,), generator=rng)] for most in (80, 4))
    usual = oracle._to_most_similar(real, 20)
    assert oracle._to_most_similar(drawn, 20) / usual > 0.7
    assert oracle._to_most_similar(few, 20) / usual < oracle.REPEATED


def test_how_often_d_lost_of_late():
    rows = [[0.0] * len(COLUMNS) for _ in range(90)]
    for step, row in enumerate(rows, 1):
        row[0], row[COLUMNS.index("d_real")] = step, 0.5
        row[COLUMNS.index("d_fake")] = 0.9 if step % 3 == 0 or step < 60 else 0.1
    run = KeptRun(Path("none"), {"rows": rows})
    assert oracle.beaten(State(run, 90)) == pytest.approx(1 / 3)
    assert oracle.beaten(State(run, 30)) == 1


# The mapping --------------------------------------------------------------------------------------------------------

HEALTHY = Facts(
    finite=True, loss_growth=1.0, weights_growth=2.0, vary=0.95, twins=0.9, vary_features=0.9, twins_features=0.9,
    modes=10, real_modes=10, coverage=0.5, distance=(1.0, 0.2, 0.1, 0.05), times_real=20.0, correlation=1.0,
    darkest=0.0, real_darkest=0.0, saturated=0.0, flat=0.0, near=1.1, copied=0.0, told=0.9, gradient=1.0,
    agreement=0.5, moved=1.2, change=0.4, turned=0.0, beaten=0.0, swings=0,
)  # fmt: skip
FAR = {"distance": (1.0, 0.6, 0.5, 0.6), "times_real": 200.0}

CASES: list[tuple[tuple[str, ...], dict]] = [
    (("healthy",), {}),
    (("healthy",), {"distance": (1.0, 0.004, 0.003, 0.004), "times_real": 0.9}),  # as near as real ones: no progress
    (("blown up",), {"finite": False, "vary": None, "gradient": None}),
    (("blown up", "one colour only"), {"loss_growth": 1e6, "flat": 1.0} | FAR),
    (("one colour only",), {"flat": 1.0, "vary": 0.0} | FAR),
    (("blown up",), {"loss_growth": 1e6} | FAR),
    (("blown up",), {"loss_growth": 1e6}),  # whatever the pictures are
    (("blown up", "cannot paint black"), {"loss_growth": 1e6, "darkest": 128.0} | FAR),
    (("one colour only",), {"flat": 1.0, "vary": 0.0, "told": 1.0} | FAR),
    (("cannot paint black",), {"darkest": 127.0}),
    (("healthy",), {"darkest": 100.0}),  # not yet black, but no floor either
    (("collapsed",), {"darkest": 200.0, "vary": 0.1} | FAR),  # bright altogether
    (("cannot paint black", "D too strong"), {"darkest": 127.0, "told": 1.0} | FAR),
    (("memorising",), {"near": 0.2, "copied": 0.9}),
    (("noise",), {"moved": 0.05, "distance": (1.0, 1.0, 1.0, 1.0), "told": 0.5}),
    (("noise", "D too strong"), {"correlation": 0.1, "told": 1.0, "distance": (1.0, 0.95, 0.93, 0.93)}),
    (("collapsed",), {"vary": 0.1} | FAR),
    (("collapsed", "G too strong"), {"vary": 0.1, "told": 0.5, "beaten": 0.5} | FAR),
    (("collapsed",), {"vary": 0.1, "distance": (1.0, 0.9, 0.9, 0.9)}),  # a single picture is no noise
    (("noise", "collapsed"), {"vary": 0.2, "correlation": 0.0, "told": 1.0} | FAR),  # always the same speckles
    (("noise",), {"vary": 0.2, "correlation": 0.0, "moved": 0.3} | FAR),
    (("raw but improving",), {"correlation": 0.3, "distance": (1.0, 0.7, 0.5, 0.4)}),  # shapes with speckles
    (("collapsed",), {"vary_features": 0.2, "distance": (1.0, 0.28, 0.28, 0.28)}),
    (("raw but improving",), {"vary_features": 0.2, "modes": None, "distance": (1.0, 0.8, 0.5, 0.28)}),
    (("noise",), {"vary": 0.03, "darkest": 115.0, "moved": 0.01} | FAR),  # it has not tried to paint black yet
    (("partly collapsed",), {"modes": 3}),
    (("plateau",), {"modes": 3} | FAR),  # of pictures that are far the metric network cannot tell classes
    (("raw but improving",), {"modes": None, "distance": (1.0, 0.3, 0.2, 0.12)}),  # it sees colours sooner than shapes
    (("healthy",), {"modes": None, "distance": (1.0, 0.2, 0.1, 0.04)}),
    (("raw but improving",), {"vary_features": 0.4, "distance": (1.0, 0.6, 0.4, 0.28)}),  # blurs are all alike
    (("healthy",), {"distance": (1.0, 0.05, 0.05, 0.05)}),  # rests near real ones
    (("plateau",), {"distance": (1.0, 0.2, 0.2, 0.2)}),
    (("partly collapsed",), {"twins": 0.2}),
    (("D too strong",), {"told": 1.0} | FAR),
    (("D too strong",), {"told": 1.0, "gradient": 0.001} | FAR),
    (("healthy",), {"told": 1.0, "gradient": 0.001}),  # nothing is wrong with the pictures, and they come nearer
    (("raw but improving",), {"told": 0.1, "beaten": 1.0, "distance": (1.0, 0.6, 0.5, 0.4)}),
    (
        ("partly collapsed", "G too strong"),
        {"told": 0.1, "beaten": 1.0, "twins": 0.2, "distance": (1.0, 0.6, 0.5, 0.4)},
    ),
    (("G too strong",), {"told": 0.52, "beaten": 0.5} | FAR),
    (("plateau",), {"told": 0.52} | FAR),  # D lost at this moment alone
    (("going in circles",), {"swings": 9, "change": 0.6} | FAR),
    (("going in circles",), {"change": 1.1, "told": 1.0, "distance": (1.0, 0.6, 0.5, 0.5, 0.5), "times_real": 200.0}),
    (("collapsed", "going in circles"), {"vary": 0.1, "swings": 9, "change": 0.6} | FAR),
    (("noise",), {"change": 1.1, "distance": (1.0, 0.6, 1.0), "times_real": 200.0}),  # at first all pictures change
    (("getting worse",), {"distance": (1.0, 0.1, 0.15, 0.28), "times_real": 50.0}),
    (("getting worse", "D too strong"), {"told": 1.0, "distance": (1.0, 0.1, 0.3, 0.4), "times_real": 50.0}),
    (("memorising",), {"near": 0.2, "copied": 0.9, "twins": 0.3}),  # few pictures, because it was given few
    (("plateau",), FAR),
    (("raw but improving",), {"distance": (1.0, 0.7, 0.5, 0.4)}),
    (("cannot be told",), {"distance": (1.0, 0.7)}),
]


@pytest.mark.parametrize(("expected", "changes"), CASES, ids=lambda x: ", ".join(x) if isinstance(x, tuple) else "")
def test_what_is_measured_decides_the_words(expected, changes):
    assert words(replace(HEALTHY, **changes)) == expected


def test_every_word_is_said_of_something_and_no_other():
    assert {word for expected, _ in CASES for word in expected} == set(oracle.WORDS)
    assert len(set(oracle.WORDS)) == len(oracle.WORDS) == 15


def test_facts_survive_their_file():
    odd = replace(HEALTHY, finite=False, weights_growth=float("inf"), vary=None)
    assert Facts.from_json(odd.to_json()) == odd


def test_the_written_mapping_names_every_word():
    text = (ROOT / "docs" / "oracle.md").read_text(encoding="utf-8")
    assert [word for word in oracle.WORDS if f"| {word} |" not in text] == []


def test_the_tables_count_states_by_half(capsys):
    sick = replace(HEALTHY, **{"told": 1.0, "correlation": 0.1} | FAR)
    found = [corpus_runs.Judged(n, 10, facts) for n, facts in ((0, HEALTHY), (1, HEALTHY), (2, sick))]
    table = corpus_runs.distribution(found)
    assert "| healthy | 1 | 1 |" in table and "| noise | 1 | 0 |" in table and "| D too strong | 1 | 0 |" in table
    assert [f.value for f in corpus_runs.figures(found)] == ["3 of 3 runs", "1.33", "0.0%"]


def test_the_corpus_is_a_part_of_the_evidence(monkeypatch, tmp_path):
    parser = argparse.ArgumentParser()
    evidence.add_arguments(parser)
    monkeypatch.setattr(corpus_runs, "measure", lambda args: [args.runs, args.states])
    given = ["--part", "corpus", "--runs", "3", "--states", str(tmp_path)]
    assert evidence.measure(parser.parse_args(given)) == [3, tmp_path]


# The sheet ----------------------------------------------------------------------------------------------------------


def states(count: int) -> list[corpus_runs.Judged]:
    """Of each run one healthy state, and now and then another."""
    rare = {7: {"flat": 1.0, "vary": 0.0} | FAR, 11: {"near": 0.2, "copied": 0.9}}
    kinds = (replace(HEALTHY, **next((v for k, v in rare.items() if n % k == 0), {})) for n in range(count))
    return [corpus_runs.Judged(n, 10, facts) for n, facts in enumerate(kinds)]


def test_the_sheet_has_as_many_of_each_word_as_there_are_and_only_development_runs():
    found = states(400)
    chosen = corpus_sheet.chosen_of(found, 60)
    said = [words(s.facts)[0] for s in chosen]
    assert len(chosen) == len({s.number for s in chosen}) == 60 and all(s.number % 2 == 0 for s in chosen)
    assert {word: said.count(word) for word in set(said)} == {"one colour only": 22, "memorising": 16, "healthy": 22}
    assert chosen == corpus_sheet.chosen_of(found[::-1], 60)
    few = [s for s in found if s.number < 50]
    assert len(corpus_sheet.chosen_of(few, 60)) == 25


def test_the_order_on_the_sheet_tells_nothing_of_the_words():
    """Whatever the words are, the same states stand in the same order."""
    others = [replace(s, facts=replace(HEALTHY, flat=float(s.number % 3 == 0))) for s in states(100)]
    first, second = (corpus_sheet.chosen_of(found) for found in (states(100), others))
    assert [s.number for s in first] == [s.number for s in second] != sorted(s.number for s in first)


def test_the_eye_has_a_file_and_both_words_a_table(tmp_path):
    path = tmp_path / "eye.csv"
    named = [corpus_sheet.Named(4, 10, "healthy"), corpus_sheet.Named(8, 20, "collapsed; noise")]
    corpus_sheet.write_eye(path, [*named, corpus_sheet.Named(2, 5, "")])
    assert path.read_text().splitlines()[:2] == ["sheet,tile,run,step,eye", "1,1,4,10,healthy"]
    named = corpus_sheet.read_eye(path)
    lines = corpus_sheet.table(named, [HEALTHY] * 3)
    assert lines[2:] == [
        "| 1 | 4 | 10 | healthy | healthy |",
        "| 2 | 8 | 20 | healthy | collapsed, noise |",
        "| 3 | 2 | 5 | healthy |  |",
    ]
    assert corpus_sheet.agreement(named[:2], [HEALTHY] * 2).value == "1 of 2"
    path.write_text("sheet,tile,run,step,eye\n1,1,4,10,lovely\n")
    with pytest.raises(BenchError, match="says lovely, which is none"):
        corpus_sheet.read_eye(path)


def test_nothing_of_the_oracle_is_said_before_all_are_named(monkeypatch, tmp_path, capsys):
    eye, picture = tmp_path / "eye.csv", tmp_path / "sheet.webp"
    monkeypatch.setattr(corpus_sheet, "EYE", eye)
    monkeypatch.setattr(corpus_sheet, "PICTURE", picture)
    monkeypatch.setattr(corpus_sheet, "judged", lambda number, folder: [corpus_runs.Judged(number, 10, HEALTHY)])
    monkeypatch.setattr(corpus_sheet, "shown", lambda *_: Tile([torch.zeros(1, 1, 28, 28, dtype=torch.uint8)] * 4, 9))
    monkeypatch.setattr(corpus_sheet, "_measured", lambda named, folder, jobs: [HEALTHY] * len(named))
    parser = argparse.ArgumentParser()
    evidence.add_arguments(parser)
    args = parser.parse_args(["--part", "sheet", "--runs", "4", "--states", str(tmp_path)])
    assert [f.bar for f in evidence.measure(args)] == ["2 to be named in eye.csv"]
    assert "healthy" not in capsys.readouterr().out + eye.read_text() and picture.exists()
    eye.write_text(eye.read_text().replace(",10,", ",10,healthy"))
    assert [f.value for f in evidence.measure(args)] == ["2 of 2"]
    assert "| healthy | healthy |" in capsys.readouterr().out
    again = parser.parse_args(["--part", "sheet", "--runs", "8", "--states", str(tmp_path), "--new-sheet"])
    assert [f.bar for f in evidence.measure(again)] == ["2 to be named in eye.csv"]  # what no sheet has had
    both = [(one.sheet, one.number) for one in corpus_sheet.read_eye(eye)]
    assert sorted(both) == [(1, 0), (1, 2), (2, 4), (2, 6)]
    with pytest.raises(BenchError, match=r"Not all states of the last sheet are named in eye\.csv"):
        evidence.measure(again)
    eye.write_text(eye.read_text().replace(",10,\n", ",10,healthy\n"))
    with pytest.raises(BenchError, match="no measured states that no sheet has had"):
        evidence.measure(again)


def test_no_state_is_on_a_sheet_twice():
    both = replace(HEALTHY, vary=0.1, distance=(1.0, 0.9, 0.9, 0.9), moved=1.0, correlation=0.0)
    assert words(both) == ("noise", "collapsed")
    chosen = corpus_sheet.chosen_of([corpus_runs.Judged(number, 10, both) for number in (2, 4, 6)])
    assert sorted(s.number for s in chosen) == [2, 4, 6]


def test_the_sheet_is_drawn_from_kept_states(tiny, tmp_path):
    corpus_runs.train_and_keep(tiny, tmp_path)
    early, *_, last = kept_run(tmp_path, tiny).states()
    tiles = [corpus_sheet.shown(corpus_sheet.Named(tiny, s.step, ""), tmp_path) for s in (early, last)]
    at = torch.arange(24)[::6] * 1000 // 24
    assert torch.equal(tiles[1].parts[0][::6], last.pictures(last.step)[at])
    for column, step in enumerate(last.steps[:-1], 1):
        assert torch.equal(tiles[1].parts[2][column::6], last.pictures(step)[at])
    assert torch.equal(tiles[0].parts[2][0::6], tiles[1].parts[2][0::6])  # the start
    assert [bool((part == corpus_sheet.PAPER).all()) for part in tiles[0].parts[2][:6]] == [False] * 2 + [True] * 4
    train = load(kept_run(tmp_path, tiny).config.dataset, "train", tmp_path / "pictures").images
    assert torch.equal(corpus_sheet.most_similar(train[3:5], train), train[3:5])
    picture = Image.open(BytesIO(corpus_sheet.sheet(tiles)))
    assert picture.format == "WEBP" and picture.width == corpus_sheet.TILES_WIDE * (15 * 33 + 48)
    with pytest.raises(BenchError, match="Run 1234 of the corpus is not in"):
        corpus_sheet.shown(corpus_sheet.Named(1234, 1, ""), tmp_path)


# The judge is not the judged ----------------------------------------------------------------------------------------


def _imports(module: str, seen: set[str]) -> set[str]:
    """Every module of ours that is imported by this one, however far away, also inside functions."""
    if module in seen or not module.startswith("gan"):
        return seen
    try:
        path = Path(importlib.import_module(module).__file__)
    except ImportError:  # a name inside a module
        return seen
    seen.add(module)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                _imports(name, seen)
    return seen


@pytest.mark.parametrize("module", ["oracle", "corpus", "corpus_states", "yardstick"])
def test_the_oracle_never_reads_the_diagnosis(module):
    found = _imports(f"gan.bench.{module}", set())
    assert "gan.training.checks" in found and not found & {"gan.monitor.diagnosis", "gan.web", "gan.bench.evidence"}
