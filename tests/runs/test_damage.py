"""What a kill, a damaged file, a full disk and a clock that jumps cost: little, in words, and never the start."""

from __future__ import annotations

import errno
import itertools
import json
import os
import random
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from gan.bench.common import App, free_port, process
from gan.core.paths import ROOT
from gan.recipes.catalog import make_config
from gan.runs import kept_checkpoints
from gan.runs import loop as loop_module
from gan.runs.commands import Command
from gan.runs.files import CHECKPOINT
from gan.runs.kept_checkpoints import KeptCheckpoints, state_due, step_of
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.runs.turns import SLICE_SECONDS
from gan.training.checkpoint import is_torn, read_header, save_checkpoint
from gan.training.trainer import Trainer
from tests.conftest import PATIENCE, until
from tests.runs.test_run import SMALL, assert_same, finished_state, goes_on_after_a_full_disk, straight_state

MOST_LOST = 20.0  # seconds of training
ROUNDED = 0.05  # a page is told tenths
ENDLESS = SMALL | {"total_steps": 10**6}


@pytest.fixture
def open_runs(monkeypatch, random_pictures) -> Iterator[Callable[..., Runs]]:
    """Opens a folder, as the program does when it starts; who saves often here has always a checkpoint before."""
    monkeypatch.setattr(loop_module, "load", lambda *a, **k: random_pictures)
    monkeypatch.setattr(loop_module, "SAVE_EVERY_SECONDS", 0.02)
    opened = []

    def open_(folder: Path, **more: int) -> Runs:
        runs = Runs(folder, **more)
        runs.threads = (1,)
        opened.append(runs)
        return runs

    yield open_
    for runs in opened:
        runs.close()


def cut(path: Path, tenth: int) -> None:
    """Leave so many tenths of a file, as a disk does that lost what it had promised to keep."""
    os.truncate(path, path.stat().st_size * tenth // 10)


def trained(runs: Runs, more: Callable[[Run], bool]) -> Run:
    """A run that has a checkpoint before its newest, and of which `more` is true; it stands still."""
    run, _ = runs.create("dense", changes=ENDLESS)
    runs.start(run)
    until(lambda: run.states.before.exists() and more(run))
    runs.close()
    until(lambda: not run.alive)
    return run


@pytest.mark.slow
def test_a_checkpoint_cut_at_any_tenth_costs_the_steps_since_the_one_before(tmp_path, open_runs):
    run = trained(open_runs(tmp_path / "runs"), lambda run: run.trainer.steps_done > 40)
    newest, before = run.checkpoint_step(), step_of(run.states.before)
    assert 0 < before < newest
    wanted = straight_state(run.config, before + 3)
    for tenth in range(10):
        folder = tmp_path / f"cut-{tenth}"
        shutil.copytree(tmp_path / "runs", folder)
        cut(folder / run.id / CHECKPOINT, tenth)
        runs = open_runs(folder)
        again = runs.get(run.id)
        assert again.status == "interrupted" and again.checkpoint_step() == before, tenth
        assert again.message == f"The newest saved state was damaged. It goes on from an earlier one, of step {before}."
        assert again.weights() is not None
        runs.command(again, Command("resume", total_steps=before + 3))
        until(lambda run=again: run.status == "finished")
        again.join(PATIENCE)
        assert_same(finished_state(again), wanted)
        steps = [row.step for row in again.history.rows]
        assert steps == sorted(set(steps)) and [e["kind"] for e in again.history.events].count("damaged") == 1


@pytest.mark.slow
def test_a_damaged_state_that_was_also_kept_as_an_early_one_goes_with_it(tmp_path, open_runs, monkeypatch):
    """The checkpoint of a step whose state is kept is one file of two names."""
    runs = open_runs(tmp_path)
    run, _ = runs.create("dense", changes=SMALL | {"total_steps": 64})
    runs.start(run)
    run.join(PATIENCE)
    assert state_due(64) and run.checkpoint_step() == 64
    os.replace(run.states.path(64), run.checkpoint_path)  # as before the last save of the run
    os.link(run.checkpoint_path, run.states.path(64))
    before = step_of(run.states.before)
    cut(run.checkpoint_path, 5)
    again = Runs(tmp_path).get(run.id)
    assert again.status == "interrupted" and again.checkpoint_step() == before < 64
    again.states.before.unlink()
    cut(again.checkpoint_path, 5)
    again = Runs(tmp_path).get(run.id)
    assert again.checkpoint_step() == 32 and again.states.steps()[-1] == 32


@pytest.mark.slow
def test_the_only_state_damaged_is_said_and_harms_nobody(tmp_path, open_runs):
    runs = open_runs(tmp_path)
    run = trained(runs, lambda _: True)
    whole, _ = runs.create("dense", changes=SMALL)
    shutil.rmtree(run.folder / "states")
    cut(run.checkpoint_path, 3)
    again = open_runs(tmp_path)
    assert {run.id for run in again.all()} == {run.id, whole.id}
    broken = again.get(run.id)
    assert broken.status == "failed" and "only saved state of this run is damaged" in broken.message
    again.start(broken)
    until(lambda: broken.status == "failed" and not broken.alive)
    assert "damaged" in broken.message
    again.start(again.get(whole.id))
    until(lambda: again.get(whole.id).status == "finished")


def test_only_what_lacks_a_part_is_torn(tmp_path):
    """A file of another program, or one that cannot be read just now, is nothing that one may replace."""
    path = tmp_path / "x"
    assert not is_torn(path)
    path.write_bytes(save({"a": torch.zeros(100)}))
    assert not is_torn(path)
    for length in range(path.stat().st_size - 1, -1, -37):
        os.truncate(path, length)
        assert is_torn(path), length
    assert not is_torn(tmp_path)  # a folder: the system refuses


@pytest.mark.slow
def test_going_back_forgets_the_checkpoint_before(tmp_path, open_runs):
    """What was trained after the step that one went back to never comes again."""
    runs = open_runs(tmp_path)
    run, _ = runs.create("dense", changes=ENDLESS)
    runs.start(run)
    until(lambda: run.latest and run.trainer.steps_done > 80)
    run.send(Command("rewind", at=32))
    until(lambda: run.status == "paused" and run.latest.step <= 32)
    runs.close()
    assert run.checkpoint_step() == 32
    assert step_of(run.states.before) is None


@pytest.mark.slow
def test_a_disk_too_full_for_a_second_name_pauses_and_says_so(tmp_path, open_runs, monkeypatch):
    runs, full = open_runs(tmp_path), []
    real = kept_checkpoints.link_or_copy

    def link_or_copy(source: Path, target: Path) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(kept_checkpoints, "link_or_copy", link_or_copy)
    run, _ = runs.create("dense", changes=ENDLESS)
    runs.start(run)
    until(lambda: run.states.before.exists())
    full.append(True)
    goes_on_after_a_full_disk(run, full.clear)


def test_keeping_the_checkpoint_before_copies_nothing_and_only_looks_back(tmp_path, random_pictures):
    trainer = Trainer(make_config("dense", batch=4), random_pictures)
    newest, states = tmp_path / CHECKPOINT, KeptCheckpoints(tmp_path)
    states.keep_before(newest, 0)  # none is there yet
    for _ in range(3):
        trainer.step()
    save_checkpoint(newest, trainer)
    for step in (2, 3):
        states.keep_before(newest, step)
        assert not states.before.exists()
    states.keep_before(newest, 4)
    assert states.before.samefile(newest) and states.steps() == []


# The clock -------------------------------------------------------------------------------------------------------

# Who reads the time of day: when a run was made, how old its state is, which picture is newer (and never goes back),
# until when a password is remembered. Nothing of it decides when a run learns, or saves.
READS_TIME_OF_DAY = {"runs/registry.py", "runs/run.py", "runs/snapshot.py", "web/password.py", "bench/load_clients.py"}


def test_nothing_else_reads_the_time_of_day():
    found = {
        path.relative_to(ROOT / "gan").as_posix()
        for path in (ROOT / "gan").rglob("*.py")
        if re.search(r"\btime\.time(_ns)?\b|datetime\.now|\blocaltime|\bgmtime", path.read_text(encoding="utf-8"))
    }
    assert found == READS_TIME_OF_DAY


@pytest.mark.slow
def test_a_clock_that_jumps_by_days_changes_nothing_in_what_is_learned(tmp_path, open_runs, monkeypatch):
    days = itertools.cycle((0, 3, -40, 1))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 86_400 * next(days))
    runs = open_runs(tmp_path, waiting=2)
    two = [runs.create("dense", changes=SMALL | {"total_steps": 150, "seed": seed})[0] for seed in (4, 5)]
    seen: dict[str, list[int]] = {run.id: [] for run in two}
    for run in two:
        runs.start(run)

    def ended() -> bool:
        for run in two:
            run.watch()
            if run.latest and run.latest.version not in seen[run.id][-1:]:
                seen[run.id].append(run.latest.version)
        return all(run.status == "finished" for run in two)

    until(ended)
    for run in two:
        run.join(PATIENCE)
        assert seen[run.id] == sorted(seen[run.id]), "a page would take the older picture for the newer one"
        assert_same(finished_state(run), straight_state(run.config, 150))


@pytest.mark.slow
@pytest.mark.parametrize(("moved", "goes_on"), [(0, True), (86_400, True), (-86_400, False)])
def test_a_state_of_another_time_starts_the_program_all_the_same(tmp_path, open_runs, moved, goes_on):
    """The clock was set while the program was down. A state from long ago waits for its owner, as said in words."""
    run = trained(open_runs(tmp_path), lambda _: True)
    os.utime(run.checkpoint_path, (time.time() + moved,) * 2)
    again = open_runs(tmp_path)
    assert [r.id for r in again.go_on()] == [run.id] * goes_on
    if not goes_on:
        assert again.get(run.id).status == "interrupted" and "it can continue" in again.get(run.id).message


# The program itself, ended -----------------------------------------------------------------------------------------

MOMENTS = 3  # of each signal, drawn with a fixed seed
RUNS = 3  # that share the machine in turns


@contextmanager
def program(folder: Path) -> Iterator[tuple[App, int]]:
    port = free_port()
    with process(sys.executable, "app.py", "--port", str(port), "--runs", str(folder), "--no-browser") as p:
        found = App(port)
        found.ready(p)
        yield found, p.pid
        p.wait(PATIENCE)


def learned(app: App, ids: list[str]) -> dict[str, float]:
    """Seconds of training, as the pages that follow the runs are told."""
    told = {}
    for run_id in ids:
        snapshot = follow(app, run_id).get("snapshot")
        told[run_id] = float(snapshot["seconds"]) if snapshot else 0.0
    return told


def follow(app: App, run_id: str) -> dict:
    return json.loads(app.read(f"runs/{run_id}/follow").partition(b"\n")[0])


def saved(path: Path) -> float:
    return float(read_header(path)["extra"]["seconds"])


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_a_program_ended_at_any_moment_of_a_slice_loses_little_and_starts_again(tmp_path, number):
    """Several runs in turns; at every other start the newest checkpoint of one of them is damaged as well."""
    chance, ids = random.Random(int(number)), []
    for moment in range(MOMENTS):
        with program(tmp_path) as (app, pid):
            listed = {run["id"]: run for run in app.get("runs")["runs"]}
            assert set(listed) == set(ids)
            assert all(run["status"] == "interrupted" for run in listed.values())
            if moment % 2:
                assert "newest saved state was damaged" in listed[ids[0]]["message"]
            for run_id in ids:
                app.post(f"runs/{run_id}/command", {"command": "resume"})
            if not ids:
                ids = [app.train("quick", total_steps=10**6, batch=16, seed=seed) for seed in range(RUNS)]
            until(lambda app=app, ids=ids: all(follow(app, i).get("snapshot") for i in ids))
            begun, wait = sum(learned(app, ids).values()), chance.uniform(0, SLICE_SECONDS + 2)
            known = until(
                lambda app=app, ids=ids, begun=begun, wait=wait: (
                    KeptCheckpoints(tmp_path / ids[0]).before.exists()
                    and sum((now := learned(app, ids)).values()) - begun > wait
                    and now
                )
            )
            os.kill(pid, number)
        for run_id in ids:
            folder = tmp_path / run_id
            most = ROUNDED if number == signal.SIGTERM else MOST_LOST  # whoever is asked to end saves all
            assert known[run_id] - saved(folder / CHECKPOINT) <= most + 1e-9
        first = tmp_path / ids[0]
        if moment % 2 == 0:
            cut(first / CHECKPOINT, chance.randrange(10))
            before = KeptCheckpoints(first).before
            assert known[ids[0]] - saved(before) <= MOST_LOST
