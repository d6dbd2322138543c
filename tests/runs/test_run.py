"""Runs: the loop, its commands, and everything that may go wrong around it."""

from __future__ import annotations

import errno
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable

import pytest
import torch

from gan.core.images import split_grid
from gan.monitor.records import due
from gan.runs import loop as loop_module
from gan.runs.admission import Admission
from gan.runs.commands import Command
from gan.runs.errors import NoRoom, RunsError
from gan.runs.eviction import Limits
from gan.runs.history import FRAME_GROWTH, ROW_GROWTH
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.training import device
from gan.training.checkpoint import flatten, load_checkpoint, read_header
from gan.training.device import best_device
from gan.training.trainer import Trainer
from tests.conftest import PATIENCE, make_pictures, until

pytestmark = pytest.mark.slow

SMALL = {"batch": 8, "total_steps": 60, "seed": 4}


@pytest.fixture
def runs(tmp_path, monkeypatch, random_pictures):
    monkeypatch.setattr(loop_module, "load", lambda *a, **k: random_pictures)
    registry = Runs(tmp_path / "runs", limit=2)
    registry.threads = (1,)  # what is compared below is exact only for the same number of threads
    yield registry
    registry.close()


def finished_state(run: Run) -> dict[str, torch.Tensor]:
    trainer = Trainer(run.config, make_pictures(), best_device())
    load_checkpoint(run.checkpoint_path, trainer)
    return flatten(trainer.state_dict())


def straight_state(config, steps: int) -> dict[str, torch.Tensor]:
    trainer = Trainer(config, make_pictures(), best_device())
    for _ in range(steps):
        trainer.step()
    return flatten(trainer.state_dict())


def assert_same(a, b) -> None:
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


def test_a_run_on_a_few_pictures_shows_and_counts_only_those(runs, random_pictures):
    run, _ = runs.create("dense", changes=SMALL | {"data_limit": 5})
    runs.start(run)
    run.join(PATIENCE)
    assert run.status == "finished" and run.meta.dataset_count == 5
    assert run.latest.numbers["epoch"] == 60 * 8 / 5 and len(run.latest.numbers["verdict_real"]) == 5
    shown = split_grid((run.folder / "real.png").read_bytes(), count=5, columns=8, size=28, channels=1)
    assert {p.tobytes() for p in shown} == {p.numpy().tobytes() for p in random_pictures.images[:5]}


def test_a_run_trains_to_its_end_and_leaves_its_history(runs):
    run, _ = runs.create("dense", changes=SMALL)
    runs.start(run)
    run.join(PATIENCE)
    assert run.status == "finished" and run.latest.step == 60
    again = Run(run.folder)
    assert again.status == "finished"
    assert [f["step"] for f in again.history.frames][:3] == [0, 1, 2]
    assert again.history.rows[-1].step == 60
    assert (run.folder / "real.png").exists()
    assert again.latest.frame == run.history.frame_path(again.history.frames[-1]["step"]).read_bytes()


def off_the_grid(least: int) -> int:
    """The first step from `least` on at which neither a row nor a frame falls due."""
    return next(s for s in range(least, 10**6) if not due(s, ROW_GROWTH) and not due(s, FRAME_GROWTH))


def shows_its_end(run: Run) -> None:
    """The folder says what memory said: picture, numbers and state are of one step."""
    step, again = run.checkpoint_step(), Run(run.folder)
    assert again.latest.step == run.latest.step == step
    assert again.history.rows[-1][:2] == (step, step * run.config.batch)
    assert again.history.frames[-1]["step"] == step
    assert again.latest.frame == run.latest.frame == run.history.frame_path(step).read_bytes()
    for name in ("images", "epoch", "total_steps", "verdict_fake"):
        assert again.latest.numbers[name] == run.latest.numbers[name], name
    assert again.latest.mark.counts == run.latest.mark.counts


def test_the_last_step_is_written_down_whenever_a_run_ends(runs):
    run, _ = runs.create("dense", changes=SMALL | {"total_steps": off_the_grid(230)})
    runs.start(run)
    run.join(PATIENCE)
    assert run.status == "finished" and run.checkpoint_step() == run.config.total_steps
    shows_its_end(run)


@pytest.mark.parametrize("how", ["stop", "shutdown"])
def test_so_it_is_when_a_run_is_ended(runs, how):
    run, _ = runs.create("dense", changes=SMALL | {"total_steps": 10**6})
    runs.start(run)
    until(lambda: run.latest is not None and run.trainer.steps_done > 230)
    run.send(Command("pause"))
    until(lambda: run.status == "paused" and run.checkpoint_step() == run.trainer.steps_done)
    for _ in range(off_the_grid(run.trainer.steps_done + 1) - run.trainer.steps_done):
        run.send(Command("step"))
    run.send(Command(how))
    run.join(PATIENCE)
    shows_its_end(run)


def test_going_on_after_an_end_keeps_its_record_and_is_exact(runs):
    """Records lie where they fall due, and at the two ends; the state is that of a run that never ended."""
    first = off_the_grid(230)
    last = off_the_grid(first + 20)
    run, _ = runs.create("dense", changes=SMALL | {"total_steps": first})
    runs.start(run)
    run.join(PATIENCE)
    runs.command(run, Command("resume", total_steps=last))
    run.join(PATIENCE)
    assert run.status == "finished"
    shows_its_end(run)
    frames = [s for s in range(last) if due(s, FRAME_GROWTH)]
    rows = [s for s in range(1, last) if due(s, ROW_GROWTH) or due(s, FRAME_GROWTH)]
    assert [f["step"] for f in run.history.frames] == sorted([*frames, first, last])
    assert [r.step for r in run.history.rows] == sorted([*rows, first, last])
    assert_same(finished_state(run), straight_state(run.config, last))


def test_a_killed_run_shows_the_numbers_of_its_picture(runs):
    run, _ = runs.create("dense", changes=SMALL | {"total_steps": off_the_grid(230)})
    runs.start(run)
    run.join(PATIENCE)
    frames = run.folder / "frames.jsonl"
    frames.write_text("".join(frames.read_text().splitlines(keepends=True)[:-1]))  # as it was before the end
    again = Run(run.folder)
    assert again.latest.step == again.history.frames[-1]["step"] < run.config.total_steps
    assert again.latest.numbers["images"] == 8 * again.latest.step


def test_a_finished_run_can_train_longer_and_that_is_the_same_run(runs):
    run, _ = runs.create("dense", changes=SMALL | {"total_steps": 10})
    runs.start(run)
    run.join(PATIENCE)
    assert run.status == "finished"
    runs.command(run, Command("resume", total_steps=25))
    run.join(PATIENCE)
    assert run.status == "finished" and run.latest.step == 25
    assert_same(finished_state(run), straight_state(run.config, 25))


@pytest.mark.parametrize("late", ["stop", "pause"])
def test_what_is_asked_of_a_run_that_has_ended_does_not_end_it_when_it_goes_on(runs, late):
    run, _ = runs.create("dense", changes=SMALL | {"total_steps": 10})
    runs.start(run)
    run.join(PATIENCE)
    runs.command(run, Command(late))  # from a second page that has not heard of the end
    runs.command(run, Command("resume", total_steps=25))
    run.join(PATIENCE)
    assert run.status == "finished" and run.latest.step == 25


@pytest.mark.parametrize(("kinds", "last"), [(["resume"], 25), (["step"], 11), (["resume", "stop"], 10)])
def test_what_is_asked_while_the_last_state_is_saved_is_done(runs, monkeypatch, kinds, last):
    """The page says "finished" before the last save is through, and a button pressed then is no less pressed."""
    run, _ = runs.create("dense", changes=SMALL | {"total_steps": 10})
    save, asked = loop_module.save_checkpoint, []

    def slow_save(*args):
        save(*args)
        if run.status == "finished" and not asked:
            asked.extend(kinds)
            run.send(Command("stop"))  # which it has done already
            for kind in kinds:
                run.send(Command(kind, total_steps=25 if kind == "resume" else None))

    monkeypatch.setattr(loop_module, "save_checkpoint", slow_save)
    runs.start(run)
    until(lambda: not run.alive)
    assert asked and run.checkpoint_step() == last and run.status == ("stopped" if "stop" in kinds else "finished")
    assert_same(finished_state(run), straight_state(run.config, last))


def test_viewers_and_the_background_thread_change_nothing(runs):
    """The same weights as a plain loop over Trainer.step, while eight viewers poll, render and ask for weights."""
    run, _ = runs.create("quick", changes=SMALL | {"total_steps": 25})
    done = threading.Event()

    def viewer():
        while not done.is_set():
            run.watch(weights=True)
            run.weights()
            if run.latest is not None:
                assert run.latest.sheet.any()
            done.wait(0.02)

    viewers = [threading.Thread(target=viewer) for _ in range(8)]
    for v in viewers:
        v.start()
    runs.start(run)
    run.join(PATIENCE)
    done.set()
    for v in viewers:
        v.join()
    assert run.status == "finished"
    assert_same(finished_state(run), straight_state(run.config, 25))


def test_pause_step_resume_are_exact_and_recorded(runs):
    run, _ = runs.create("dense", changes=SMALL | {"total_steps": 10**6})
    runs.start(run)
    until(lambda: run.latest is not None and run.trainer.steps_done > 5)
    run.send(Command("pause"))
    until(lambda: run.status == "paused" and run.checkpoint_step() == run.trainer.steps_done)
    at, shown = run.trainer.steps_done, run.latest.version
    run.send(Command("lr", d_lr=run.trainer.lr["d"]))  # the loop goes round once more, and shows what there is
    until(lambda: run.latest.version > shown and run.status == "paused")
    assert run.trainer.steps_done == at
    for players in ("d", "g", "both"):
        run.send(Command("step", players))
    until(lambda: run.trainer.steps_done == at + 3)
    run.send(Command("stop"))
    run.join(PATIENCE)
    assert run.status == "stopped"
    trainer = Trainer(run.config, make_pictures(), best_device())
    for _ in range(at):
        trainer.step()
    for players in ("d", "g", "both"):
        trainer.step(players)
    assert_same(finished_state(run), flatten(trainer.state_dict()))
    assert [e["kind"] for e in run.history.events] == ["resume", "pause", "step", "step", "step"] or [
        e["kind"] for e in run.history.events
    ] == ["pause", "step", "step", "step"]


def test_a_changed_learning_rate_counts_from_that_step_and_is_marked(runs):
    run, _ = runs.create("dense", changes=SMALL | {"total_steps": 10**6})
    runs.start(run)
    until(lambda: run.latest is not None and run.trainer.steps_done > 3)
    run.send(Command("pause"))
    until(lambda: run.status == "paused")
    run.send(Command("lr", d_lr=5e-4))
    until(lambda: run.trainer.lr["d"] == 5e-4)
    at = run.trainer.steps_done
    run.send(Command("step"))
    until(lambda: run.trainer.steps_done == at + 1)
    run.send(Command("stop"))
    run.join(PATIENCE)
    trainer = Trainer(run.config, make_pictures(), best_device())
    for _ in range(at):
        trainer.step()
    trainer.lr["d"] = 5e-4
    trainer.step()
    assert_same(finished_state(run), flatten(trainer.state_dict()))
    marks = [(e["step"], e["text"]) for e in run.history.events if e["kind"] == "lr"]
    assert marks == [(at, "D's learning rate 0.001 → 0.0005")]


def test_nan_stops_with_a_sentence_keeps_the_good_state_and_offers_it(runs):
    run, token = runs.create("dense", changes=SMALL | {"total_steps": 10**6})
    runs.start(run)
    until(lambda: run.latest is not None and run.trainer.steps_done > 5)
    run.send(Command("pause"))
    until(lambda: run.status == "paused" and run.checkpoint_step() == run.trainer.steps_done)
    good = run.checkpoint_step()
    with torch.no_grad():
        run.trainer.g_params[0][0, 0] = float("nan")
    run.send(Command("resume"))
    run.join(PATIENCE)
    assert run.status == "failed"
    assert "NaN or infinite" in run.message and f"step {good:,}" in run.message
    assert run.latest.numbers["status"] == "failed"
    assert read_header(run.checkpoint_path)["steps_done"] == good
    run.send(Command("rewind"))
    until(lambda: run.history.events and run.history.events[-1]["kind"] == "rewind" and run.latest.step == good)
    assert all(p.isfinite().all() for p in run.trainer.g_params)
    assert runs.may_control(run, [token])


def test_nobody_is_shown_a_verdict_that_is_no_number(runs):
    """The losses of a step are those before it, so they may still be finite where D no longer is."""
    run, _ = runs.create("dense", changes=SMALL)
    run.status = "running"

    def poison(run: Run) -> None:
        if run.trainer.steps_done == 7:
            with torch.no_grad():
                run.trainer.d_params[0].fill_(float("inf"))
            run.training.publisher.publish(frame=True)

    run.train(poison)
    assert run.status == "failed" and "The discriminator's verdict became NaN or infinite at step 7" in run.message
    json.dumps([run.latest.numbers, run.history.frames], allow_nan=False)
    assert [f["step"] for f in run.history.frames].count(7) == 1  # the one before


def test_nan_injected_just_before_a_save_never_reaches_the_disk(runs, monkeypatch):
    monkeypatch.setattr(loop_module, "SAVE_EVERY_SECONDS", 0.0)  # a save after every step
    run, _ = runs.create("dense", changes=SMALL | {"total_steps": 10**6})
    original, poisoned = Trainer.step, []

    def step(self, *how, **more):
        stats = original(self, *how, **more)
        if self.steps_done == 7:
            with torch.no_grad():
                self.d_params[0][3, 3] = float("inf")
            poisoned.append(True)
        return stats

    monkeypatch.setattr(Trainer, "step", step)
    runs.start(run)
    run.join(PATIENCE)
    assert poisoned and run.status == "failed"
    assert read_header(run.checkpoint_path)["steps_done"] == 6
    assert all(t.isfinite().all() for t in finished_state(run).values() if t.is_floating_point())


def goes_on_after_a_full_disk(run: Run, make_room: Callable[[], object]) -> None:
    """It pauses and says why; with room again it ends as if nothing had been."""
    until(lambda: run.status == "paused" and "disk is full" in run.message)
    make_room()
    end = run.trainer.steps_done + 20
    run.send(Command("resume", total_steps=end))
    run.join(PATIENCE)
    assert run.status == "finished"
    assert_same(finished_state(run), straight_state(run.config, end))


def test_a_full_disk_pauses_and_says_so_and_nothing_is_lost(runs, monkeypatch):
    run, _ = runs.create("dense", changes=SMALL | {"total_steps": 10**6})
    real = loop_module.save_checkpoint
    full = threading.Event()

    def save(*args):
        if full.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        real(*args)

    monkeypatch.setattr(loop_module, "save_checkpoint", save)
    monkeypatch.setattr(loop_module, "SAVE_EVERY_SECONDS", 0.02)
    runs.start(run)
    until(lambda: run.latest is not None and run.trainer.steps_done > 5)
    full.set()
    goes_on_after_a_full_disk(run, full.clear)


@pytest.mark.thorough
def test_kill_9_in_mid_training_then_continue_exactly(tmp_path):
    """The command line in a process of its own, killed without warning; reopened, it ends bit for bit the same."""
    folder = tmp_path / "runs"
    command = [sys.executable, "-m", "gan", "train", "dense", "--runs", str(folder), "--batch", "8", "--seed", "4",
               "--total-steps", "100000000", "--threads", "1"]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        checkpoints = lambda: list(folder.glob("*/checkpoint.safetensors"))  # noqa: E731
        until(checkpoints)
        first = checkpoints()[0].stat().st_mtime
        until(lambda: checkpoints()[0].stat().st_mtime > first)
        assert process.poll() is None
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    (run,) = Runs(folder).owned([]) or [
        Run(next(p for p in folder.iterdir() if (p / "run.json").exists()), folder / "pictures")
    ]
    assert run.status == "interrupted" and "can continue" in run.message
    steps = run.checkpoint_step()
    run.config = run.config.changed(total_steps=steps + 5)
    run.threads, run.status = (1,), "running"
    run.train()
    assert run.status == "finished"
    from gan.data.catalog import load

    trainer, saved = (Trainer(run.config, load("mnist"), best_device()) for _ in range(2))
    for _ in range(steps + 5):
        trainer.step()
    load_checkpoint(run.checkpoint_path, saved)
    assert_same(flatten(trainer.state_dict()), flatten(saved.state_dict()))
    assert [r.step for r in run.history.rows] == sorted({r.step for r in run.history.rows})


def test_closing_the_program_saves_and_the_run_is_listed_as_interrupted(runs):
    run, token = runs.create("dense", changes=SMALL | {"total_steps": 10**6})
    runs.start(run)
    trainer = until(lambda: run.latest is not None and run.trainer.steps_done > 5 and run.trainer)
    runs.close()
    assert run.checkpoint_step() == trainer.steps_done
    (again,) = Runs(runs.folder).owned([token])
    assert again.id == run.id and again.status == "interrupted"


def test_what_has_ended_leaves_no_networks_in_memory(runs):
    """A server lists many runs that nobody trains any more."""
    run, _ = runs.create("dense", changes=SMALL | {"total_steps": 10**6})
    runs.start(run)
    trainer = until(lambda: run.latest is not None and run.trainer.steps_done > 5 and weakref.ref(run.trainer))
    run.send(Command("stop"))
    run.join(PATIENCE)
    until(lambda: gc.collect() >= 0 and trainer() is None)
    run.send(Command("resume", total_steps=run.checkpoint_step() + 3))
    until(lambda: run.status == "finished")


def test_only_the_owner_controls_and_ids_cannot_be_guessed(runs):
    a, token_a = runs.create("dense", changes=SMALL)
    b, token_b = runs.create("dense", changes=SMALL)
    assert runs.may_control(a, [token_a]) and not runs.may_control(a, [token_b, "", a.id])
    assert runs.may_control(a, [runs.master]) and not runs.may_control(a, [])
    assert [r.id for r in runs.owned([token_b])] == [b.id]
    assert len(a.id) == 12 and len(token_a) >= 32
    assert token_a not in (a.folder / "run.json").read_text()
    for bad in ("", "..", "../x", "a" * 12):
        with pytest.raises(RunsError):
            runs.get(bad)


def test_one_training_too_many_is_refused_in_words(runs):
    started = [runs.create("dense", changes=SMALL | {"total_steps": 10**6})[0] for _ in range(3)]
    for run in started[:2]:
        runs.start(run)
    until(lambda: all(r.latest for r in started[:2]))
    with pytest.raises(NoRoom, match="2 trainings are running here"):
        runs.start(started[2])
    started[0].send(Command("stop"))
    started[0].join(PATIENCE)
    runs.start(started[2])
    until(lambda: started[2].latest is not None)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunsError, match="--runs"):
        Runs(tmp_path / "file" / "runs")


def test_a_damaged_run_is_left_out_and_the_others_are_listed(runs):
    good, token = runs.create("dense", changes=SMALL)
    bad, _ = runs.create("dense", changes=SMALL)
    (bad.folder / "run.json").write_text("{")
    assert [r.id for r in Runs(runs.folder).owned([token])] == [good.id]


def test_the_oldest_idle_runs_make_room(tmp_path, monkeypatch, random_pictures):
    monkeypatch.setattr(loop_module, "load", lambda *a, **k: random_pictures)
    registry = Runs(tmp_path, limits=Limits(runs=3))
    made = [registry.create("dense", changes=SMALL)[0] for _ in range(5)]
    assert all(r.folder.exists() for r in made)  # making one deletes nothing
    registry.evict_oldest()
    assert [r.folder.exists() for r in made] == [False, False, True, True, True]


def test_an_unwatched_run_makes_room_for_others(runs):
    runs.admission.limit = 1
    left, _ = runs.create("dense", changes=SMALL | {"total_steps": 10**6})
    wanted, _ = runs.create("dense", changes=SMALL)
    runs.start(left)
    with pytest.raises(RunsError, match="Somebody has been training"):
        runs.start(wanted)  # somebody has looked at the first one just now
    left._watched_at -= 1000
    runs.start(wanted)
    until(lambda: left.status == "paused")
    assert "nobody was watching" in left.message and left.history.events[-1]["kind"] == "pause"
    wanted.join(PATIENCE)
    assert wanted.status == "finished"


def test_a_run_that_is_looked_at_while_room_is_made_gives_way_still(runs):
    left, _ = runs.create("dense", changes=SMALL | {"total_steps": 10**6})
    runs.start(left)
    left._watched_at -= 1000

    def may_control(run, _) -> bool:
        run.watch()  # somebody opens its page at this moment
        return False

    Admission(1, 1, {left.id: left}, may_control).admit()
    until(lambda: left.status == "paused" and "nobody was watching" in left.message)


def test_an_unwatched_run_keeps_its_place_before_its_own_owner(runs):
    runs.admission.limit = 1
    left, token = runs.create("dense", changes=SMALL | {"total_steps": 10**6})
    runs.start(left)
    left._watched_at -= 1000
    for tokens in ([token], [runs.master]):
        with pytest.raises(RunsError, match="pause or stop it first"):
            runs.admission.admit(tokens)
    assert left.status == "running"


def test_changes_of_the_number_of_threads_are_written_down(runs, monkeypatch):
    """Told that two threads take half the time, the run takes two, and says since when."""
    runs.threads = (1, 2)
    monkeypatch.setattr(loop_module, "best_device", lambda: torch.device("cpu"))
    took = loop_module.ThreadChooser.took
    monkeypatch.setattr(loop_module.ThreadChooser, "took", lambda self, _: took(self, 1.0 / self.threads))
    run, _ = runs.create("dense", changes=SMALL | {"total_steps": 30})
    runs.start(run)
    run.join(PATIENCE)
    assert run.history.threads[0] == (0, 1) and run.history.threads[-1][1] == 2
    assert Run(run.folder).history.threads == run.history.threads


def test_a_run_that_goes_on_elsewhere_says_so(runs, monkeypatch):
    run, _ = runs.create("quick", changes=SMALL | {"width": 8, "total_steps": 3})
    for units, total in ((True, 3), (True, 5), (False, 7)):
        monkeypatch.setattr(device, "has_amx", lambda units=units: units)
        monkeypatch.setattr(loop_module, "best_device", lambda: torch.device("cpu"))
        run.config, run.status = run.config.changed(total_steps=total), "running"
        run.train()
        assert run.status == "finished", run.message
    marks = [(e["step"], e["text"]) for e in Run(run.folder).history.events if e["kind"] == "machine"]
    assert marks == [(5, "Another machine: processor, bfloat16 → processor, float32")]
