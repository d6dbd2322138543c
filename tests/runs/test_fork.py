"""Kept states, forks, and the order people keep in their runs."""

from __future__ import annotations

import errno

import pytest
import torch

from gan.core.config import KNOBS, ConfigError
from gan.runs import history as history_module
from gan.runs import kept_checkpoints as states_module
from gan.runs import loop as loop_module
from gan.runs.commands import Command
from gan.runs.errors import RunsError
from gan.runs.eviction import Limits
from gan.runs.fork import plan_fork
from gan.runs.kept_checkpoints import KeptCheckpoints, least_missed, state_due
from gan.runs.run import Run
from gan.training.checkpoint import CheckpointError, flatten, load_checkpoint, read_header
from gan.training.device import best_device
from gan.training.trainer import Trainer
from tests.conftest import PATIENCE, make_pictures, until
from tests.runs import test_run
from tests.runs.test_run import SMALL, assert_same, finished_state, straight_state

pytestmark = pytest.mark.slow

runs = test_run.runs  # the fixture
ENDLESS = SMALL | {"total_steps": 10**6}


def trained(registry, recipe="dense", **changes) -> Run:
    run, _ = registry.create(recipe, changes=SMALL | {"total_steps": 40} | changes)
    registry.start(run)
    run.join(PATIENCE)
    assert run.status == "finished", run.message
    return run


def forked(registry, run_id, changes, step=None) -> tuple[Run, str]:
    return registry.fork(plan_fork(registry.get(run_id), changes, step))


def finish(registry, run: Run) -> Run:
    registry.start(run)
    run.join(PATIENCE)
    assert run.status == "finished", run.message
    return run


# Kept states -----------------------------------------------------------------------------------------------------


def test_about_a_dozen_states_are_due_in_a_run():
    assert [s for s in range(200) if state_due(s)] == [0, 16, 32, 64, 128]
    assert sum(map(state_due, range(20_001))) == 12


def test_every_kept_state_is_what_training_so_far_gives(runs):
    run = trained(runs)
    assert run.states.steps() == [0, 16, 32]
    for step in run.states.steps():
        trainer = Trainer(run.config, make_pictures(), best_device())
        assert load_checkpoint(run.states.path(step), trainer)["seconds"] <= run.seconds
        assert_same(flatten(trainer.state_dict()), straight_state(run.config, step))


def test_states_that_do_not_fit_are_dropped_evenly(tmp_path, monkeypatch):
    states = KeptCheckpoints(tmp_path)
    states.folder.mkdir()
    for step in (0, 16, 32, 64, 128, 256, 512):
        states.path(step).write_bytes(b"x" * 100)
    monkeypatch.setattr(states_module, "MOST_BYTES", 450)
    states.thin_out()
    assert len(states.steps()) == 4 and {0, 512} <= set(states.steps())
    ratios = [(b + 1) / (a + 1) for a, b in zip(states.steps(), states.steps()[1:], strict=False)]
    assert max(ratios) < 40  # one of everything would be 513
    monkeypatch.setattr(states_module, "MOST_BYTES", 50)
    states.thin_out()
    assert states.steps() == []  # a state that is larger than all may be is not kept


def test_the_newest_state_is_the_last_to_go():
    steps = [0, 16, 32, 64, 128]
    while len(steps) > 1:
        steps.remove(least_missed(steps))
        assert steps[-1] == 128


def test_a_state_that_is_not_finite_is_never_kept(runs, monkeypatch):
    original = Trainer.step

    def step(self, *args):
        stats = original(self, *args)
        if self.steps_done == 16:
            with torch.no_grad():
                self.g_params[0].view(-1)[0] = float("nan")
        return stats

    monkeypatch.setattr(Trainer, "step", step)
    run, _ = runs.create("dense", changes=ENDLESS)
    runs.start(run)
    run.join(PATIENCE)
    assert run.status == "failed" and run.states.steps() == [0]


@pytest.mark.parametrize("full", ["everything", "links"])
def test_a_full_disk_pauses_when_a_state_cannot_be_kept(runs, monkeypatch, full):
    save, keep = loop_module.save_checkpoint, KeptCheckpoints.keep

    def no_room(step):
        if step == 16:
            raise OSError(errno.ENOSPC, "No space left on device")

    if full == "everything":
        monkeypatch.setattr(loop_module, "save_checkpoint", lambda *a: (no_room(a[1].steps_done), save(*a)))
    else:
        monkeypatch.setattr(KeptCheckpoints, "keep", lambda self, path, step: (no_room(step), keep(self, path, step)))
    run, _ = runs.create("dense", changes=SMALL)
    runs.start(run)
    until(lambda: run.status == "paused" and "disk is full" in run.message)
    monkeypatch.setattr(loop_module, "save_checkpoint", save)
    monkeypatch.setattr(KeptCheckpoints, "keep", keep)
    finish(runs, run)
    assert_same(finished_state(run), straight_state(run.config, 60))
    assert run.states.steps() == [0, 32]


def test_a_disk_without_second_names_gets_a_copy(tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("gan.core.files.os.link", no_links)
    (tmp_path / "checkpoint").write_bytes(b"state")
    states = KeptCheckpoints(tmp_path)
    states.keep(tmp_path / "checkpoint", 16)
    assert states.path(16).read_bytes() == b"state"


def test_going_back_to_a_step_is_exact_and_forgets_what_came_later(runs):
    run = trained(runs)
    runs.command(run, Command("rewind", at=20))
    until(lambda: run.status == "paused" and run.checkpoint_step() == 16)
    assert run.states.steps() == [0, 16] and run.history.rows[-1].step == 16
    assert run.history.events[-1]["text"] == "Back to step 16"
    finish(runs, run)
    assert_same(finished_state(run), straight_state(run.config, 40))
    run.states.path(0).unlink()
    with pytest.raises(CheckpointError, match="the first one kept is that of step 16"):
        runs.command(run, Command("rewind", at=3))
    assert run.status == "finished"


def test_going_back_on_a_full_disk_pauses_and_goes_on_exactly(runs, monkeypatch):
    run = trained(runs)

    def no_room(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as m:
        m.setattr(history_module, "write_atomically", no_room)
        runs.command(run, Command("rewind", at=20))
        until(lambda: run.history.events and run.history.events[-1]["kind"] == "rewind" and run.latest.step == 16)
        until(lambda: run.latest.numbers["message"])
        assert run.alive and run.status == "paused" and "disk is full" in run.message
        assert run.history.rows[-1].step == 16
    finish(runs, run)
    assert_same(finished_state(run), straight_state(run.config, 40))
    again = Run(run.folder)
    assert again.history.rows == run.history.rows and again.history.events == run.history.events
    steps = [r.step for r in again.history.rows]
    assert steps == sorted(set(steps)) and steps[-1] == 40


# Forks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", ["dense", "quick"])
def test_a_fork_without_changes_continues_bit_for_bit(runs, recipe):
    source = trained(runs, recipe, **({"clusters": 4, "z_dim": 8, "width": 8} if recipe == "quick" else {}))
    fork, token = forked(runs, source.id, {}, step=20)
    assert fork.status == "stopped" and fork.checkpoint_step() == 16 and runs.may_control(fork, [token])
    assert fork.id != source.id and fork.config == source.config
    early = [r for r in source.history.rows if r.step <= 16]
    assert fork.history.rows == early
    for frame in fork.history.frames:
        same = [run.history.frame_path(frame["step"]).read_bytes() for run in (source, fork)]
        assert same[0] == same[1]
    assert fork.history.events[-1] == {
        "step": 16, "kind": "fork", "text": f"Forked from {source.meta.title} at step 16",
        "messages": {"text": {"key": "events.forked", "values": {"title": source.meta.title.to_json(), "step": 16}}},
    }  # fmt: skip
    finish(runs, fork)
    assert_same(finished_state(fork), finished_state(source))
    assert [r[3:] for r in fork.history.rows] == [r[3:] for r in source.history.rows]
    assert [f["fake"] for f in fork.history.frames] == [f["fake"] for f in source.history.frames]


def test_a_fork_with_changes_learns_by_them_from_the_first_step_on(runs):
    source = trained(runs)
    fork, _ = forked(runs, source.id, {"g_lr": 5e-4, "objective": "hinge", "batch": 4}, step=16)
    finish(runs, fork)
    trainer = Trainer(source.config, make_pictures(), best_device())
    for _ in range(16):
        trainer.step()
    changed = Trainer(fork.config, make_pictures(), best_device())
    changed.load_state_dict(trainer.state_dict() | {"batches_done": 32, "lr": {"d": source.config.d_lr, "g": 5e-4}})
    for _ in range(24):
        changed.step()
    assert_same(finished_state(fork), flatten(changed.state_dict()))
    images = [row.images for row in fork.history.rows]
    assert images == sorted(images) and images[-1] == 16 * 8 + 24 * 4
    assert "G's learning rate 0.001 → 0.0005" in fork.history.events[-1]["text"]
    assert fork.meta.title == "Dense on MNIST · G's learning rate 0.0005, objective Hinge, batch size 4"


def test_learning_rates_that_were_changed_by_hand_are_taken_along(runs):
    source, _ = runs.create("dense", changes=ENDLESS)
    source.send(Command("lr", d_lr=3e-4))
    runs.start(source)
    until(lambda: source.latest is not None and source.latest.step > 3)
    runs.command(source, Command("stop"))
    source.join(PATIENCE)
    same, _ = forked(runs, source.id, {})
    other, _ = forked(runs, source.id, {"d_lr": source.config.d_lr})
    assert read_header(same.checkpoint_path)["lr"] == {"d": 3e-4, "g": 1e-3}
    assert read_header(other.checkpoint_path)["lr"] == {"d": 1e-3, "g": 1e-3}


def test_an_averaged_generator_begins_as_the_generator_or_is_left_out(runs):
    source = trained(runs)
    averaged, _ = forked(runs, source.id, {"ema_halflife_images": 1000}, step=16)
    trainer = Trainer(averaged.config, make_pictures(), best_device())
    load_checkpoint(averaged.checkpoint_path, trainer)
    assert_same(dict(trainer.ema.state_dict()), dict(trainer.G.state_dict()))
    finish(runs, averaged)
    plain, _ = forked(runs, averaged.id, {"ema_halflife_images": 0})
    finish(runs, plain)


def test_with_another_seed_the_frames_show_the_same_noise(runs, monkeypatch):
    shown, make = {}, loop_module.Publisher

    def kept(run, trainer):
        shown[run.id] = make(run, trainer)
        return shown[run.id]

    monkeypatch.setattr(loop_module, "Publisher", kept)
    source = trained(runs)
    fork, _ = forked(runs, source.id, {"seed": 9}, step=16)
    finish(runs, fork)
    first, second = shown[source.id], shown[fork.id]
    assert torch.equal(second.z, first.z) and torch.equal(second.real, first.real)
    again, _ = forked(runs, fork.id, {"seed": 10})
    finish(runs, again)
    assert torch.equal(shown[again.id].z, first.z)


def test_a_fork_of_a_finished_run_has_as_many_steps_again(runs):
    fork, _ = forked(runs, trained(runs).id, {"d_lr": 1e-4})
    assert fork.config.total_steps == 80


@pytest.mark.parametrize("name", [name for name, knob in KNOBS.items() if not knob.in_forks])
def test_what_no_fork_may_change_is_refused_even_from_scratch(runs, name):
    source, other = trained(runs), {"model": "mlp", "recipe": "quick", "dataset": "emoji"}
    with pytest.raises(ConfigError, match=rf"A fork keeps its .* \({name}\)"):
        forked(runs, source.id, {name: other.get(name, KNOBS[name].high)}, 0)


def test_what_decides_the_clusters_changes_only_from_scratch(runs):
    deciding = {"seed": 9, "clusters": 5, "data_limit": 40}
    assert set(deciding) == {name for name, knob in KNOBS.items() if knob.scope == "clusters"}
    source = trained(runs, "quick", clusters=4, z_dim=8, width=8)
    for name, value in deciding.items():
        with pytest.raises(ConfigError, match=rf"\({name}\) decides which groups"):
            plan_fork(source, {name: value}, 16)
        if name == "seed":
            assert plan_fork(source, {name: value}, 0).config.seed == value
    assert plan_fork(trained(runs), {"seed": 9}, 16).config.seed == 9  # where there are none


REFUSED = (
    ({"z_dim": 50}, 16, r"other networks \(z_dim\)"),
    ({"spectral_norm": True}, 16, r"other networks \(spectral_norm\)"),
    ({"dataset": "fashion-mnist"}, 16, "keeps its data set"),
    ({"classes": 10}, 0, "keeps its classes"),
    ({"wings": 2}, 16, "no setting named 'wings'"),
    ({"objective": "magic"}, 16, "no objective named 'magic'"),
    ({"g_lr": 0.0}, 16, "must be between"),
    ({"total_steps": 16}, 16, "begins at step 16, so its last step"),
)


def test_what_cannot_be_forked_is_refused_in_words_and_leaves_nothing(runs):
    source = trained(runs)
    before = sorted(p.name for p in runs.folder.iterdir())
    for changes, step, words in REFUSED:
        with pytest.raises(ConfigError, match=words):
            forked(runs, source.id, changes, step)
    assert sorted(p.name for p in runs.folder.iterdir()) == before


def test_groups_belong_to_their_seed(runs):
    source = trained(runs, "quick", clusters=4, z_dim=8, width=8, total_steps=16)
    for changes in ({"seed": 5}, {"data_limit": 200}, {"clusters": 2}):
        with pytest.raises(ConfigError, match="decides which groups or attributes of pictures"):
            forked(runs, source.id, changes, 16)
    fork, _ = forked(runs, source.id, {"seed": 5, "width": 16}, 0)
    assert not fork.checkpoint_path.exists() and fork.history.rows == []
    finish(runs, fork)
    assert_same(finished_state(fork), straight_state(fork.config, 16))


def test_a_run_without_a_state_can_only_be_forked_from_scratch(runs):
    source, _ = runs.create("dense", changes=SMALL)
    with pytest.raises(CheckpointError, match="no saved state"):
        forked(runs, source.id, {})
    with pytest.raises(RunsError, match="no run with this address"):
        forked(runs, "x" * 12, {})
    forked(runs, source.id, {}, 0)


# Keeping order ---------------------------------------------------------------------------------------------------


def test_titles_are_one_short_line(runs):
    run, _ = runs.create("dense", changes=SMALL)
    runs.rename(run, "  My <b>first</b>\t GAN ")
    assert Run(run.folder).meta.title == "My <b>first</b> GAN"
    for bad in ("", "   ", "x" * 81, "zero\0byte", "\u202etxet"):
        with pytest.raises(RunsError, match="1 to 80 characters"):
            runs.rename(run, bad)
    assert run.meta.title == "My <b>first</b> GAN"


def test_a_title_survives_the_training_that_goes_on(runs):
    run, _ = runs.create("dense", changes=ENDLESS)
    runs.start(run)
    until(lambda: run.latest is not None)
    runs.rename(run, "While it trains")
    runs.command(run, Command("stop"))
    run.join(PATIENCE)
    again = Run(run.folder)
    assert (again.meta.title, again.status) == ("While it trains", "stopped")


def test_a_kept_run_comes_first_is_not_deleted_and_does_not_make_room(runs):
    runs.limits = Limits(runs=3)
    made = [runs.create("dense", changes=SMALL)[0] for _ in range(3)]
    runs.mark(made[0], True)
    assert [r.id for r in runs.owned([runs.master])] == [made[0].id, made[2].id, made[1].id]
    with pytest.raises(RunsError, match="kept"):
        runs.delete(made[0])
    runs.evict_oldest(runs.create("dense", changes=SMALL)[0])
    assert [r.folder.exists() for r in made] == [True, False, True]
    runs.mark(made[0], False)
    runs.delete(made[0])
    assert not made[0].folder.exists()


def test_a_run_that_trains_is_not_deleted_and_a_paused_one_is(runs):
    run, _ = runs.create("dense", changes=ENDLESS)
    runs.start(run)
    until(lambda: run.latest is not None)
    with pytest.raises(RunsError, match="is training; stop it"):
        runs.delete(run)
    runs.command(run, Command("pause"))
    until(lambda: run.status == "paused")
    runs.delete(run)
    assert not run.alive and not run.folder.exists()
    with pytest.raises(RunsError, match="no run"):
        runs.get(run.id)


def test_nothing_outside_the_folder_for_runs_is_ever_deleted(runs, tmp_path):
    precious = tmp_path / "AbCdEfGhIjKl"
    precious.mkdir()
    run, _ = runs.create("dense", changes=SMALL)
    inside = run.folder
    for elsewhere in (precious, inside / ".." / ".." / precious.name, inside / "frames", runs.own_dir):
        run.folder = elsewhere
        with pytest.raises(RunsError, match="cannot be deleted"):
            runs.delete(run)
    link = runs.folder / "LinkLinkLink"
    link.symlink_to(precious)
    run.folder = link
    with pytest.raises(RunsError, match="cannot be deleted"):
        runs.delete(run)
    assert precious.exists() and inside.exists() and runs.own_dir.exists()


def test_old_runs_keep_only_their_last_state(runs):
    runs.limits = Limits(runs=20)
    old = trained(runs, total_steps=16)
    made = [runs.create("dense", changes=SMALL)[0] for _ in range(2)]
    runs.evict_oldest()
    assert old.states.steps() == [] and old.checkpoint_step() == 16
    assert all(r.folder.exists() for r in (old, *made))


# What a fork shares ----------------------------------------------------------------------------------------------


def files_of(folder) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in (folder / "frames").iterdir()}


def test_pictures_of_a_fork_are_second_names_for_those_of_its_source(runs):
    source = trained(runs)
    fork, _ = forked(runs, source.id, {}, 16)
    shared = files_of(fork.folder)
    assert shared and shared.items() <= files_of(source.folder).items()
    before = {name: (fork.folder / "frames" / name).read_bytes() for name in shared}
    runs.command(source, Command("rewind", at=0))
    until(lambda: source.latest.step == 0 and source.status == "paused")
    runs.delete(source)
    assert {name: (fork.folder / "frames" / name).read_bytes() for name in shared} == before
    assert Run(fork.folder).history.frames == fork.history.frames


def test_where_a_disk_has_no_second_names_they_are_copies(runs, monkeypatch):
    source = trained(runs)

    def refused(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("gan.core.files.os.link", refused)
    fork, _ = forked(runs, source.id, {}, 16)
    for name, number in files_of(fork.folder).items():
        same = [folder / "frames" / name for folder in (source.folder, fork.folder)]
        assert same[0].read_bytes() == same[1].read_bytes() and same[0].stat().st_ino != number
    assert_same(finished_state(finish(runs, fork)), straight_state(source.config, 40))


def test_a_fork_reads_no_history_again(runs, monkeypatch):
    source = trained(runs)
    read = []
    monkeypatch.setattr(history_module.Lines, "_read", lambda self, decode: read.append(self.path.exists()))
    fork, _ = forked(runs, source.id, {}, 16)
    assert read and not any(read)
    monkeypatch.undo()
    assert all(Run(fork.folder).history.all(name) == fork.history.all(name) for name in history_module.RECORDS)


def test_a_state_that_is_gone_when_the_fork_is_made_is_one_sentence(runs):
    source = trained(runs)
    plan, before = plan_fork(source, {}, 16), sorted(path.name for path in runs.folder.iterdir())
    source.states.forget()
    with pytest.raises(CheckpointError, match="begin from is gone"):
        runs.fork(plan)
    assert sorted(path.name for path in runs.folder.iterdir()) == before


def test_a_plan_holds_although_its_source_trains_on(runs):
    """The newest state is another one then: the fork begins there, and has steps left."""
    source = trained(runs)
    plan = plan_fork(source, {})
    runs.command(source, Command("resume", total_steps=90))
    source.join(PATIENCE)
    fork, _ = runs.fork(plan)
    assert fork.checkpoint_step() == 90 and fork.config.total_steps > 90
    assert fork.history.events[-1]["step"] == 90 and fork.history.rows == source.history.rows


def test_a_fork_of_a_step_never_begins_later(runs):
    """The state that was planned, the newest one, has been replaced by a later one: an earlier one is taken."""
    source = trained(runs)
    plan = plan_fork(source, {}, 45)
    assert plan.step == 40
    runs.command(source, Command("resume", total_steps=90))
    source.join(PATIENCE)
    fork, _ = runs.fork(plan)
    assert fork.checkpoint_step() == 32 and fork.history.rows[-1].step <= 32


def test_a_fork_of_a_told_run_has_groups_only_from_scratch(runs):
    told = SMALL | {"attributes": "2,2,2", "clusters": 0, "z_dim": 12, "total_steps": 4}
    source = finish(runs, runs.create("quick-monsters", "mnist", told)[0])
    for changes in ({"clusters": 5}, {"data_limit": 200}):
        with pytest.raises(ConfigError, match="which groups or attributes"):
            plan_fork(source, changes)
    assert plan_fork(source, {"data_limit": 200}, 0).config.attributes == source.config.attributes
    grouped = plan_fork(source, {"clusters": 5}, 0).config
    assert (grouped.attributes, grouped.clusters, grouped.classifier_weight) == ("", 5, 0.0)
    assert plan_fork(source, {"clusters": 5, "classifier_weight": 2.0}, 0).config.classifier_weight == 2.0


def test_a_classifier_comes_and_goes_only_from_scratch(runs):
    changes = SMALL | {"total_steps": 4}
    without, with_it = (
        finish(runs, runs.create("quick-conditional", "mnist", changes | {"classifier_weight": weight})[0])
        for weight in (0.0, 1.0)
    )
    for source, weight in ((without, 1.0), (with_it, 0.0)):
        with pytest.raises(ConfigError, match="other networks"):
            plan_fork(source, {"classifier_weight": weight})
        assert plan_fork(source, {"classifier_weight": weight}, 0).state is None
    assert plan_fork(with_it, {"classifier_weight": 0.5}).state is not None
