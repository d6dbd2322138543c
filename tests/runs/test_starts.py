"""Runs that begin with other weights than noise."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from gan.core.config import ConfigError
from gan.core.messages import say
from gan.data.catalog import load
from gan.recipes.catalog import RECIPES, make_config, usual
from gan.runs.archive import pack
from gan.runs.errors import NotFound, RunsError
from gan.runs.files import START
from gan.runs.fork import plan_fork
from gan.runs.meta import SHOWN_RUN
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.runs.starts import SHIPPED, Start, link, settings, shipped, start_of
from gan.training.checkpoint import (
    CheckpointError,
    begin_with,
    discriminator_state,
    flatten,
    networks_of,
    save_checkpoint,
    shown_generator_state,
)
from gan.training.trainer import Trainer
from gan.web.descriptions import description_of
from tests.conftest import PATIENCE, until
from tests.runs import test_run
from tests.runs.test_run import assert_same, finished_state

pytestmark = pytest.mark.slow

runs = test_run.runs  # the fixture
TINY = {"width": 4, "z_dim": 12, "clusters": 3, "batch": 8, "total_steps": 20, "precision": "float32"}


def finished(runs: Runs, run: Run) -> Run:
    runs.start(run)
    run.join(PATIENCE)
    assert run.status == "finished", run.message
    return run


@pytest.fixture
def source(runs: Runs) -> Run:
    return finished(runs, runs.create("quick", changes=TINY, shown=True)[0])


def first_state(run: Run) -> dict[str, torch.Tensor]:
    """All tensors of a run's state at step 0."""
    return load_file(run.states.path(0))


def test_forks_and_zips_say_what_a_run_began_with(runs, source, tmp_path):
    """The diagnosis reads it: such a run is called healthy later."""
    run, _ = runs.create("quick", "fashion-mnist", {"total_steps": 5}, start=source.id)
    finished(runs, run)
    fork, _ = runs.fork(plan_fork(run, {"total_steps": 6}, 5))
    pack(run.folder, tmp_path / "run.zip")
    back, *_ = runs.bring_back(tmp_path / "run.zip")
    assert [one.history.events[0]["kind"] for one in (run, fork, back)] == ["start"] * 3


def test_a_run_begins_with_the_average_of_another_and_its_discriminator(runs, source):
    run, _ = runs.create("quick", "fashion-mnist", {"total_steps": 5}, start=source.id)
    assert run.meta.start == SHOWN_RUN and "Fashion-MNIST, from Quick on MNIST" in run.meta.title
    assert {name: getattr(run.config, name) for name in ("width", "z_dim", "clusters")} == {
        name: TINY[name] for name in ("width", "z_dim", "clusters")
    }
    assert (run.folder / START).exists()
    finished(runs, run)
    assert run.history.events[0]["text"] == "Begins with the weights of Quick on MNIST (step 20) instead of noise"
    assert not (run.folder / START).exists()  # it has a state of its own
    state, before = first_state(run), load_file(source.checkpoint_path)
    for name, tensor in before.items():
        part, _, rest = name.partition(".")
        if part in ("ema", "D") and rest != "odds":
            assert torch.equal(state[name], tensor)
            assert part == "D" or torch.equal(state[f"G.{rest}"], tensor)
    fresh = Trainer(run.config, test_run.loop_module.load(run.config.dataset))
    assert torch.equal(state["G.odds"], fresh.G.odds)  # how often its own groups are drawn
    assert not any(name.startswith("opt") for name in state)


def test_it_learns_exactly_as_the_same_weights_in_another_trainer(runs, source):
    run, _ = runs.create("quick", "fashion-mnist", {"total_steps": 12}, start=source.id)
    finished(runs, run)
    trainer = Trainer(run.config, test_run.loop_module.load(run.config.dataset))
    begin_with(source.checkpoint_path, trainer)
    for _ in range(12):
        trainer.step()
    assert_same(finished_state(run), flatten(trainer.state_dict()))


def test_distances_are_held_against_noise(runs, source):
    """The first signals are those of a run of the same settings that begins with noise."""
    run = finished(runs, runs.create("quick", "fashion-mnist", {"total_steps": 5}, start=source.id)[0])
    noise = finished(runs, runs.create("quick", "fashion-mnist", TINY | {"total_steps": 5})[0])
    assert run.history.signals[0] == noise.history.signals[0]
    assert [signal["step"] for signal in run.history.signals] == [signal["step"] for signal in noise.history.signals]


def test_a_fork_of_the_beginning_begins_as_it_did_and_with_other_networks_says_that_it_cannot(runs, source):
    run = finished(runs, runs.create("quick", "fashion-mnist", {"total_steps": 5}, start=source.id)[0])
    alike = finished(runs, runs.fork(plan_fork(run, {"g_lr": 0.001}, 0))[0])
    assert alike.meta.start == SHOWN_RUN
    assert_same(first_state(alike), first_state(run))
    other = finished(runs, runs.fork(plan_fork(run, {"width": 8}, 0))[0])
    assert other.meta.start == "" and "It begins with noise" in other.history.events[0]["text"]


def test_what_does_not_fit_is_refused_in_words(runs, source, tmp_path):
    before = len(runs.owned([runs.master]))
    with pytest.raises(ConfigError, match=r"draw 28 × 28, grey, and these pictures are 32 × 32, colour \(size\)"):
        runs.create("quick-colour", start=source.id)
    with pytest.raises(ConfigError, match=r"fit other networks \(width\)"):
        runs.create("quick", changes={"width": 8}, start=source.id)
    with pytest.raises(ConfigError, match=r"fit other networks \(classes\)|fit other networks \(clusters, classes\)"):
        runs.create("quick-conditional", start=source.id)
    with pytest.raises(NotFound):
        runs.create("quick", start="nobody")
    waiting, _ = runs.create("quick", changes=TINY)
    with pytest.raises(CheckpointError, match="has no weights to begin with"):
        runs.create("quick", start=waiting.id)
    assert len(runs.owned([runs.master])) == before + 1
    assert not [path for path in runs.folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("spoil", ["nan", "shape", "missing", "garbage"])
def test_a_spoiled_file_ends_the_run_in_words_and_changes_no_trainer(runs, source, tmp_path, spoil):
    tensors, path = load_file(source.checkpoint_path), tmp_path / "start.safetensors"
    name = next(name for name in tensors if name.startswith("D.") and tensors[name].ndim > 1)
    if spoil == "nan":
        tensors[name].view(-1)[3] = float("nan")
    elif spoil == "shape":
        tensors[name] = tensors[name][:1].contiguous()
    elif spoil == "missing":
        del tensors[name]
    if spoil == "garbage":
        path.write_bytes(b"x" * 100)
    else:
        save_file(tensors, path)
    trainer = Trainer(source.config, test_run.loop_module.load("mnist"))
    before = {key: tensor.clone() for key, tensor in trainer.G.state_dict().items()}
    with pytest.raises(CheckpointError):
        begin_with(path, trainer)
    assert all(torch.equal(before[key], tensor) for key, tensor in trainer.G.state_dict().items())
    run, _ = runs.create("quick", "fashion-mnist", start=source.id)
    (run.folder / START).unlink()  # a second name of the source's
    (run.folder / START).write_bytes(path.read_bytes())
    runs.start(run)
    until(lambda: run.status == "failed")
    assert "start.safetensors" in run.message


def test_what_comes_from_a_run_that_is_not_shown_tells_nothing_of_it_and_is_not_shown(runs):
    private = finished(runs, runs.create("quick", changes=TINY)[0])
    private.describe(title="My cat")
    run = finished(runs, runs.create("quick", "fashion-mnist", {"total_steps": 5}, shown=True, start=private.id)[0])
    told = json.dumps([description_of(run), run.history.events, (run.folder / "run.json").read_text()])
    assert private.id not in told and "My cat" not in told and "from another run" in run.meta.title
    fork = runs.fork(plan_fork(run, {}, 0), [runs.master])[0]
    for each in (run, fork):
        assert not each.shown
        with pytest.raises(RunsError, match="is not shown either"):
            runs.show(each, True)


def test_a_source_that_is_deleted_meanwhile_is_said(runs, source, tmp_path):
    start = start_of(source.id, runs.get)
    runs.delete(source)
    with pytest.raises(CheckpointError, match="is gone meanwhile"):
        link(start, tmp_path / "it")


def test_the_networks_alone_are_a_start_in_half_the_bytes(source, tmp_path):
    path = tmp_path / "it.safetensors"
    path.write_bytes(networks_of(source.checkpoint_path))
    assert path.stat().st_size < source.checkpoint_path.stat().st_size / 4
    trainer = Trainer(source.config, test_run.loop_module.load("mnist"))
    begin_with(path, trainer)
    for found, wanted in (
        (trainer.ema.state_dict(), shown_generator_state(source.checkpoint_path)),
        (trainer.D.state_dict(), discriminator_state(source.checkpoint_path)),
    ):
        for name, tensor in wanted.items():
            assert torch.allclose(found[name].float(), tensor.float(), rtol=1e-3, atol=1e-4)


def test_what_it_began_with_comes_back_in_its_zip(runs, source):
    run = finished(runs, runs.create("quick", "fashion-mnist", {"total_steps": 5}, start=source.id)[0])
    out = io.BytesIO()
    pack(run.folder, out)
    back, _, _ = runs.bring_back(io.BytesIO(out.getvalue()))
    assert back.meta.start == SHOWN_RUN


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.safetensors")))
def test_what_ships_fits_its_recipe_and_every_world(name):
    start = start_of(name, lambda run: pytest.fail(run))
    assert start.kind == name and start.title == say(f"weights.{name}.title")
    for dataset in (name, "sprouts", "clay", "moods"):
        start.check(settings(start, "quick-monsters", dataset, None, {}))
    trainer = Trainer(settings(start, "quick-monsters", "moods", None, {"data_limit": 60}), load("moods"))
    begin_with(start.path, trainer)
    trainer.step()


@pytest.mark.parametrize("recipe", ["quick-colour", "quick"])
def test_the_discriminator_learns_at_the_rate_and_with_the_batches_of_its_width(source, recipe):
    """The recipe's own is wide and learns slowly, those of the weights are not: they get the rate of narrow ones."""
    narrow = start_of(source.id, lambda run: source)
    config = settings(narrow, recipe, "mnist", None, {})
    assert (config.d_width, config.d_lr) == (0, 0.004)
    assert settings(narrow, recipe, "mnist", None, {"d_lr": 0.001}).d_lr == 0.001
    assert config.batch == 64
    wide = replace(narrow, config=narrow.config.changed(width=6, d_width=6))
    assert settings(wide, recipe, "mnist", None, {}).batch == 64
    assert settings(wide, recipe, "mnist", None, {"batch": 16}).batch == 16
    assert settings(wide, recipe, "mnist", None, {}).d_lr == 0.002


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_usual_settings_of_another_width_have_its_rate(recipe):
    own = RECIPES[recipe].config
    assert usual(own) == own
    rate = own.d_lr * 2 if own.d_width else own.d_lr / 2
    other = own.changed(d_width=0 if own.d_width else own.width)
    assert (usual(other).d_lr, usual(other.changed(d_lr=rate)).d_lr) == (own.d_lr, rate)
    assert usual(other.changed(d_lr=rate / own.d_lr * rate)).d_lr == rate  # the nearer one
    assert usual(own.changed(d_width=own.width // 2, d_lr=rate)).d_lr == (rate if own.d_width else own.d_lr)


def test_starts_ship_and_are_small():
    assert set(shipped()) == {"monsters", "faces"}
    assert sum(path.stat().st_size for path in Path(SHIPPED).iterdir()) < 8_000_000


# ---- networks that were told attributes ----

TOLD = make_config("quick-monsters", width=4, batch=8)


def told_start(tmp_path: Path) -> Start:
    """Such networks in a checkpoint."""
    trainer, path = Trainer(TOLD, load("monsters")), tmp_path / "told.safetensors"
    trainer.step()
    save_checkpoint(path, trainer, {})
    return Start("run", "Told", path, TOLD, 1)


def test_told_networks_go_on_told_where_attributes_are_the_same_and_in_groups_elsewhere(tmp_path):
    start = told_start(tmp_path)
    same = settings(start, "quick-monsters", None, None, {})
    assert (same.attributes, same.clusters, same.z_dim, same.batch) == (TOLD.attributes, 0, TOLD.z_dim, 64)
    for recipe, dataset, changes in (
        ("quick-monsters", "sprouts", {}),
        ("quick-colour", "monsters", {}),
        ("quick-monsters", "monsters", {"clusters": 100}),
    ):
        config = settings(start, recipe, dataset, None, changes)
        start.check(config)
        assert (config.attributes, config.clusters, config.z_dim) == ("", 100, 164)
        assert (config.width, config.d_width, config.d_lr) == (4, TOLD.d_width, TOLD.d_lr)
    few = settings(start, "quick-colour", "clay", None, {"clusters": 7})
    assert (few.clusters, few.z_dim) == (7, 71)
    nothing = settings(start, "quick-monsters", "clay", None, {"clusters": 0})
    assert (same.classifier_weight, few.classifier_weight, nothing.classifier_weight) == (0.5, 0.0, 0.0)
    with pytest.raises(ConfigError, match=r"fit other networks \(.*attributes"):
        start.check(nothing)


def test_told_networks_begin_a_run_in_groups_as_varied_as_they_were(tmp_path):
    start = told_start(tmp_path)
    trainer = Trainer(settings(start, "quick-colour", "clay", None, {"batch": 8, "data_limit": 600}), load("clay"))
    own = trainer.G.odds.clone()
    begin_with(start.path, trainer)
    assert torch.equal(trainer.G.odds, own)  # how often its own groups are drawn
    weight = trainer.G.layers[0].weight
    assert not weight[:, :100].any() and len(weight[:, 164:].T.unique(dim=0)) > 50
    trainer.step()


@pytest.mark.parametrize("spoil", ["D.embed", "ema.odds"])
def test_told_networks_that_are_not_whole_are_refused_in_words(tmp_path, spoil):
    start = told_start(tmp_path)
    with safe_open(start.path, "pt") as f:
        words = f.metadata()
    tensors = load_file(start.path)
    if spoil == "D.embed":
        del tensors[spoil]
    else:
        tensors[spoil] = tensors[spoil][:5].clone()
    save_file(tensors, start.path, words)
    trainer = Trainer(settings(start, "quick-colour", "clay", None, {"batch": 8, "data_limit": 600}), load("clay"))
    with pytest.raises(CheckpointError):
        begin_with(start.path, trainer)
