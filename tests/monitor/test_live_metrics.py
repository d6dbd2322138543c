"""Measuring while training: what is measured, what it costs, and that training never knows."""

from __future__ import annotations

import json
from functools import partial

import pytest
import torch

from gan.core.config import ConfigError
from gan.data import catalog
from gan.metrics import classifier, evaluate
from gan.metrics.classifier import MetricError
from gan.monitor import live_metrics
from gan.monitor.live_metrics import Measurer
from gan.recipes.catalog import RECIPES, make_config
from gan.runs import loop as loop_module
from gan.runs.archive import pack, unpack
from gan.runs.commands import Command
from gan.runs.history import History
from gan.runs.meta import checked_measure_share
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.training.trainer import Trainer
from tests.conftest import PATIENCE, until
from tests.runs.test_run import SMALL, assert_same, finished_state, straight_state

pytestmark = pytest.mark.slow

MOMENT = {"step": 1, "images": 8, "seconds": 0.5}


@pytest.fixture
def runs(tmp_path, monkeypatch, random_pictures):
    """Runs that measure little at a time, by a clock that stands still: a chunk after every step."""
    monkeypatch.setattr(loop_module, "load", lambda *a, **k: random_pictures)
    monkeypatch.setattr(live_metrics, "FIRST_DEBT", 0.0)
    monkeypatch.setattr(live_metrics, "Measurer", partial(Measurer, clock=lambda: 0.0))
    monkeypatch.setattr(live_metrics, "SAMPLES", 60)
    monkeypatch.setattr(live_metrics, "CHUNK", 20)
    registry = Runs(tmp_path / "runs", limit=2)
    registry.threads = (1,)
    yield registry
    registry.close()


def finished(runs: Runs, share: float, recipe: str = "dense", **changes) -> Run:
    run, _ = runs.create(recipe, changes.pop("dataset", None), SMALL | changes)
    run.meta.measure_share = share
    runs.start(run)
    run.join(PATIENCE)
    assert run.status == "finished", run.message
    return run


# Training ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", ["dense", "quick", "quick-conditional"])  # batch norm without and with averages
def test_training_is_bit_for_bit_the_same_with_measures_and_without(runs, recipe):
    before = torch.get_rng_state()
    run = finished(runs, 0.5, recipe, total_steps=30)
    assert run.history.measures
    assert_same(finished_state(run), straight_state(run.config, 30))
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_share_the_metric_network_is_neither_loaded_nor_called(runs, monkeypatch):
    called = []

    def forbidden(*args):
        called.append(args)
        raise MetricError("it was called")

    monkeypatch.setattr(classifier, "load", forbidden)
    monkeypatch.setattr(classifier.MetricNetwork, "look", forbidden)
    monkeypatch.setattr(live_metrics, "reference_of", forbidden)
    run = finished(runs, 0)
    assert not called and not run.history.measures and not run.measure_problem
    run = finished(runs, 0.1)  # with a share the same stubs are met, the run says so and goes on
    assert called and run.measure_problem == "it was called"


def test_a_data_set_without_a_network_is_not_measured(runs):
    run = finished(runs, 0.5, dataset="kmnist")
    assert not run.history.measures and not run.measure_problem


# What is measured -----------------------------------------------------------------------------------------------


def test_a_measure_is_that_of_the_step_it_names_and_agrees_with_evaluate(runs):
    """Replay the run to that step and measure its pictures all at once."""
    run = finished(runs, 0.5, "quick-conditional", total_steps=30)
    found = run.history.measures[-1]
    trainer = Trainer(run.config, loop_module.load(), loop_module.best_device())
    for _ in range(found["step"]):
        trainer.step()
    z, labels = evaluate.latents(60, run.config.z_dim, 10)
    pictures = live_metrics.to_uint8(trainer.sample(z, labels)).cpu()
    features, logits = evaluate.extract(classifier.load("mnist"), pictures)
    reference = live_metrics.reference_of("mnist")
    distance = live_metrics.frechet_distance(live_metrics.feature_stats(features), reference.stats)
    assert found["fid"] == pytest.approx(distance, rel=1e-4)
    met = live_metrics.within_reach(features, reference.near.features, reference.near.wide)
    assert found["coverage"] == pytest.approx(met.double().mean().item(), abs=1e-3)
    assert found["histogram"] == logits.argmax(1).bincount(minlength=10).tolist()
    assert found["images"] == 8 * found["step"]
    assert "attributes" not in found  # of digits only the class is known


def test_the_first_measure_is_of_what_a_run_begins_with(runs, monkeypatch):
    """It must earn its time first; until then its weights are kept."""
    monkeypatch.setattr(live_metrics, "FIRST_DEBT", 1.0)
    config = make_config("dense", **SMALL)
    trainer, measurer, found = Trainer(config, loop_module.load()), Measurer(config, clock=lambda: 0.0), None
    z, _ = evaluate.latents(60, config.z_dim, 0)
    features, _ = evaluate.extract(classifier.load("mnist"), live_metrics.to_uint8(trainer.sample(z)))
    reference = live_metrics.reference_of("mnist")
    distance = live_metrics.frechet_distance(live_metrics.feature_stats(features), reference.stats)
    measurer.begin(trainer, 0.1, MOMENT | {"step": 0})
    for _ in range(100):
        trainer.step()
        if found := measurer.turn(trainer, 0.1, 1.0, MOMENT):
            break
    assert found and found["step"] == 0 and trainer.steps_done > 10  # ten seconds for a second's work
    assert found["fid"] == pytest.approx(distance, rel=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_run_measures_what_it_begins_with_and_none_that_goes_on(runs, share):
    run = finished(runs, share, total_steps=12)
    assert [m["step"] for m in run.history.measures[:1]] == [0] * (share > 0)
    before = len(run.history.measures)
    run.meta.measure_share = 0.5
    runs.command(run, Command("resume", total_steps=40))
    run.join(PATIENCE)
    assert min(m["step"] for m in run.history.measures[before:]) > 12


def test_a_run_that_goes_back_to_its_beginning_measures_it(runs):
    run = finished(runs, 0.0, total_steps=12)
    runs.command(run, Command("rewind", at=0))
    until(lambda: run.latest.numbers["status"] == "paused" and run.latest.step == 0)
    run.send(Command("measure_share", measure_share=0.5))
    runs.command(run, Command("resume"))
    run.join(PATIENCE)
    assert run.history.measures[0]["step"] > 0  # it was off at that moment
    runs.command(run, Command("rewind", at=0))
    until(lambda: run.latest.numbers["status"] == "paused" and run.latest.step == 0)
    runs.command(run, Command("resume"))
    run.join(PATIENCE)
    assert run.history.measures[0]["step"] == 0


def test_attributes_are_counted_and_read_back(tmp_path):
    """Of monsters that have learned nothing: the same pictures, drawn and told all at once, have the same counts."""
    config = make_config("quick-monsters", width=4, clusters=0, z_dim=8, batch=4)
    trainer = Trainer(config, catalog.load("monsters").first(40))
    measurer = Measurer(config, clock=lambda: 0.0)
    found = None
    trainer.step()
    while not found:
        found = measurer.turn(trainer, 0.5, 10.0, MOMENT)
    z, _ = evaluate.latents(live_metrics.SAMPLES, config.z_dim, 0)
    network = classifier.load("monsters")
    features, _ = evaluate.extract(network, live_metrics.to_uint8(trainer.sample(z)).cpu())
    values = catalog.DATA["monsters"].attribute_values
    told = zip(network.attributes(features), values, strict=True)
    assert found["attributes"] == [n for labels, k in told for n in labels.bincount(minlength=k).tolist()]
    history = History(tmp_path)
    history.add("measures", found)
    history.flush()
    assert History(tmp_path).measures == [found]


def test_what_is_shipped_of_the_real_pictures_is_what_the_network_sees():
    tensors, real = live_metrics.make_reference("mnist")
    shipped = live_metrics.reference_of("mnist")
    assert live_metrics.reference_of("fashion-mnist").real["real_coverage"] > 0.8
    assert torch.allclose(tensors["mean"].double(), shipped.stats[0], atol=1e-3)
    assert torch.allclose(tensors["cov"].double(), shipped.stats[1], atol=1e-2)
    assert torch.allclose(tensors["near"].double(), shipped.near.features, atol=2e-2)
    assert real == pytest.approx(shipped.real, rel=1e-2)


def test_real_pictures_score_as_the_real_column_says(monkeypatch):
    """A generator that draws training pictures: about the real FID and coverage, every class."""
    train, turn = catalog.load("mnist").images, iter(range(0, 10**6, live_metrics.CHUNK))

    def draw(*_):
        start = next(turn)
        return train[start : start + live_metrics.CHUNK]

    monkeypatch.setattr(live_metrics, "_draw", draw)
    found = measured(monkeypatch)
    assert found["fid"] == pytest.approx(found["real_fid"], abs=3)
    assert found["coverage"] == pytest.approx(found["real_coverage"], abs=0.04)
    assert found["modes"] == 10 and sum(found["histogram"]) == 1000


def measured(monkeypatch, share: float = 0.5):
    """The first measure of a Trainer that takes no steps."""
    monkeypatch.setattr(live_metrics, "FIRST_DEBT", 0.0)
    trainer = Trainer(RECIPES["dense"].config.changed(batch=8), catalog.load("mnist"))
    trainer.steps_done = 1
    measurer = Measurer(trainer.config, clock=lambda: 0.0)
    found = [measurer.turn(trainer, share, 10.0, MOMENT) for _ in range(live_metrics.SAMPLES // live_metrics.CHUNK + 2)]
    assert not any(found[:-1])
    return found[-1]


def test_pictures_that_are_not_finite_give_no_measure_and_no_failure(runs, monkeypatch):
    monkeypatch.setattr(live_metrics, "_draw", lambda *_: None)
    assert measured(monkeypatch) is None
    assert not finished(runs, 0.5).history.measures


@pytest.mark.parametrize("content", [b"", b"\xff" * 500, None])
def test_a_damaged_file_is_a_sentence_and_the_run_goes_on(runs, tmp_path, monkeypatch, content):
    monkeypatch.setattr(live_metrics, "path_of", lambda dataset: tmp_path / "metric-mnist-live.safetensors")
    if content is not None:
        (tmp_path / "metric-mnist-live.safetensors").write_bytes(content)
    live_metrics.reference_of.cache_clear()
    run = finished(runs, 0.5)
    assert "python -m gan metric-network mnist --live-only" in run.measure_problem
    assert run.latest.numbers["measure_problem"] == run.measure_problem


# What it costs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_measuring_keeps_to_its_share_of_the_time(share, monkeypatch):
    """By a clock of its own: steps of 0.1 s, chunks of 0.25 s, now and then a step of 10 s."""
    clock = [0.0]
    measurer = Measurer(RECIPES["dense"].config, clock=lambda: clock[0])
    spent, now = [0.0], [0.0]

    def chunks():
        while True:
            clock[0] += 0.25
            spent[0] += 0.25
            yield None

    monkeypatch.setattr(measurer, "_measure", lambda *_: chunks())
    trainer = type("Trainer", (), {"steps_done": 1})
    for step in range(4000):
        passed = 10.0 if step % 500 == 499 else 0.1
        before = spent[0]
        measurer.turn(trainer, share, passed, MOMENT)
        now[0] += passed + spent[0] - before
        assert spent[0] <= share * now[0] + 0.25  # at every moment, to one chunk
        assert spent[0] - before in (0, 0.25)  # never two chunks between two steps
    assert spent[0] > 0.6 * share * now[0]


def test_measures_thin_out_but_never_stop():
    measurer = Measurer(RECIPES["dense"].config, clock=lambda: 0.0)
    measurer._measure = lambda trainer, moment: finish(measurer)
    trainer, found = type("Trainer", (), {"steps_done": 0}), []

    def finish(measurer):
        measurer._work = None
        yield {"step": trainer.steps_done}

    for trainer.steps_done in range(100_001):
        if measure := measurer.turn(trainer, 0.5, 10.0, MOMENT):
            found.append(measure["step"])
    assert found[:4] == [1, 2, 3, 4] and 200 < len(found) < 400 and found[-1] > 97_000


# The share, steered ----------------------------------------------------------------------------------------------


def test_share_can_be_changed_while_it_runs_and_is_remembered(runs):
    run, _ = runs.create("dense", changes=SMALL | {"total_steps": 10**6})
    assert run.meta.measure_share == 0.1
    run.send(Command("measure_share", measure_share=0.0))
    runs.start(run)
    until(lambda: run.latest is not None and run.trainer.steps_done > 20 and run.meta.measure_share == 0)
    assert run.history.measures == []
    run.send(Command("measure_share", measure_share=0.5))
    until(lambda: len(run.history.measures) > 2)
    until(lambda: run.latest.numbers["measure_share"] == 0.5)
    run.send(Command("stop"))
    run.join(PATIENCE)
    again = Run(run.folder)
    assert again.meta.measure_share == 0.5
    assert again.history.measures == run.history.measures
    assert again.latest.mark.counts == run.history.mark().counts


@pytest.mark.parametrize("value", [-0.1, 0.6, "much", None, float("nan")])
def test_a_wrong_share_is_a_sentence(value):
    with pytest.raises(ConfigError, match=r"\(measure_share\) must be between 0 and 0.5"):
        checked_measure_share(value)


# On disk ---------------------------------------------------------------------------------------------------------


def measure(step: int) -> dict:
    real = {"real_fid": 1.0, "real_coverage": 0.9, "real_confidence": 0.99}
    return {"step": step, "images": 8 * step, "seconds": 0.5 * step, "fid": 3.5, "coverage": 0.25, "confidence": 0.5,
            "modes": 2, "histogram": [4, 6]} | real  # fmt: skip


def test_going_back_takes_measures_back_too(tmp_path):
    history = History(tmp_path)
    for step in range(1, 6):
        history.add("measures", measure(step))
    history.flush()
    history.forget_after(3)
    for seen in (history, History(tmp_path)):
        assert seen.measures == [measure(step) for step in (1, 2, 3)]


@pytest.mark.parametrize("change", [{"fid": float("nan")}, {"step": "x"}, {"histogram": 3}, {"coverage": None}])
def test_foreign_measures_are_not_believed(tmp_path, change):
    lines = [json.dumps(m) + "\n" for m in (measure(1), measure(2) | change, measure(3))]
    (tmp_path / "measures.jsonl").write_text("".join(lines))
    assert History(tmp_path).measures == [measure(1)]


def test_measures_travel_in_the_zip_of_a_run(runs, tmp_path):
    run = finished(runs, 0.5, total_steps=12)
    pack(run.folder, tmp_path / "run.zip")
    unpack(tmp_path / "run.zip", tmp_path / "again")
    assert History(tmp_path / "again").measures == run.history.measures != []


def test_a_run_that_goes_on_goes_on_measuring(runs):
    run = finished(runs, 0.5, total_steps=12)
    before = list(run.history.measures)
    runs.command(run, Command("resume", total_steps=40))
    run.join(PATIENCE)
    steps = [m["step"] for m in run.history.measures]
    assert run.history.measures[: len(before)] == before and len(steps) > len(before) and steps == sorted(set(steps))
