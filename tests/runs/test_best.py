"""The state with the best FID: which one it is, and that it lasts, is drawn with, and is gone on from."""

from __future__ import annotations

import errno
import io
import threading
import zipfile

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.cli import main as cli
from gan.metrics.classifier import WEIGHTS
from gan.models.weights_file import from_bytes
from gan.runs import measuring
from gan.runs.commands import Command
from gan.runs.run import Run
from gan.serving.renderer import Renderer
from gan.training.checkpoint import CheckpointError, flatten, load_checkpoint, read_header, shown_generator_state
from gan.training.device import best_device
from gan.training.trainer import Trainer
from gan.web.access import Access
from gan.web.routes.answers import BASE, routes_of
from gan.web.routes.drawings import DrawingRoutes
from gan.web.routes.pictures import PictureRoutes
from gan.web.routes.register import run_tables
from tests.conftest import make_pictures
from tests.runs import test_run
from tests.runs.test_fork import forked
from tests.runs.test_run import SMALL, assert_same, finished_state, straight_state, until

pytestmark = pytest.mark.slow

runs = test_run.runs  # the fixture
MEASURED = SMALL | {"total_steps": 10**6, "batch": 16}


def measured(registry, count: int = 3) -> Run:
    """A run that has been measured some times, and was stopped."""
    run, _ = registry.create("dense", changes=MEASURED)
    run.meta.measure_share = 0.5
    registry.start(run)
    until(lambda: len(run.history.measures) > count)  # the first is of what it began with
    run.send(Command("stop"))
    run.join(60)
    assert run.status == "stopped", run.message
    return run


def best_of(run: Run) -> int:
    return min((m for m in run.history.measures if m["step"]), key=lambda m: m["fid"])["step"]


def state_in(path, config):
    trainer = Trainer(config, make_pictures(), best_device())
    load_checkpoint(path, trainer)
    return flatten(trainer.state_dict())


def test_it_is_the_state_that_was_measured_bit_for_bit_and_training_does_not_know(runs):
    run = measured(runs)
    assert run.best_step == best_of(run) < run.checkpoint_step()
    assert_same(state_in(run.best_path, run.config), straight_state(run.config, run.best_step))
    assert_same(finished_state(run), straight_state(run.config, run.checkpoint_step()))
    again = Run(run.folder)
    assert again.best_step == run.best_step == again.latest.numbers["best_step"]


def test_it_outlives_everything_but_going_back_before_it(runs):
    run = measured(runs)
    best = run.best_step
    run.states.forget()
    assert run.state_until(best) == run.best_path
    runs.command(run, Command("rewind", at=best))
    until(lambda: run.latest.numbers["status"] == "paused" and run.latest.step == best)
    assert run.best_step == best and run.best_path.exists()
    runs.command(run, Command("step"))
    until(lambda: run.trainer.steps_done == best + 1)
    run.send(Command("stop"))
    run.join(60)
    assert_same(finished_state(run), straight_state(run.config, best + 1))


def test_going_back_before_it_forgets_it(runs):
    run = measured(runs)
    runs.command(run, Command("rewind", at=0))
    until(lambda: run.latest.numbers["status"] == "paused" and run.latest.step == 0)
    assert run.best_step is None and not run.best_path.exists()
    assert [m["step"] for m in run.history.measures] == [0]  # what it began with is what it was
    with pytest.raises(CheckpointError, match="no state with the best FID"):
        run.best_weights()


def test_a_fork_begins_there_and_a_later_one_takes_it_along(runs):
    run = measured(runs)
    there, _ = forked(runs, run.id, {}, run.best_step)
    assert there.checkpoint_step() == there.best_step == run.best_step
    assert_same(finished_state(there), straight_state(run.config, run.best_step))
    later, _ = forked(runs, run.id, {"g_lr": 1e-4})
    assert later.best_step == run.best_step
    assert_same(state_in(later.best_path, later.config), straight_state(run.config, run.best_step))
    before, _ = forked(runs, run.id, {}, 0)
    assert before.best_step is None


def test_a_full_disk_pauses_and_it_is_written_later(runs, monkeypatch):
    full, real = threading.Event(), measuring.save_state

    def save(*args):
        if full.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        real(*args)

    monkeypatch.setattr(measuring, "save_state", save)
    full.set()
    run, _ = runs.create("dense", changes=MEASURED)
    run.meta.measure_share = 0.5
    runs.start(run)
    until(lambda: run.status == "paused" and "disk is full" in run.message)
    best = best_of(run)
    assert run.best_step is None
    full.clear()
    run.send(Command("stop"))
    run.join(60)
    assert run.best_step == best
    assert_same(state_in(run.best_path, run.config), straight_state(run.config, best))


def test_a_file_that_belongs_to_no_measure_is_not_called_the_best(runs):
    run = measured(runs, 1)
    (run.folder / "measures.jsonl").unlink()
    assert Run(run.folder).best_step is None


@pytest.fixture
def client(runs):
    renderer = Renderer(WEIGHTS, runs.newest_weights)
    tables = *run_tables(Access(runs)), PictureRoutes(renderer, runs).table(), DrawingRoutes(renderer).table()
    yield TestClient(Starlette(routes=routes_of(*tables)))
    renderer.close()


def test_it_is_drawn_with_downloaded_and_comes_back_in_the_zip(runs, client):
    run = measured(runs)
    owner = {"X-Owner": runs.master}
    listed = {w["id"]: w for w in client.get(f"{BASE}/weights", headers=owner).json()["weights"]}
    name = f"run-{run.id}@best"
    assert listed[name]["step"] == run.best_step and listed[name]["title"] == "Dense on MNIST, best FID"
    about = client.get(f"{BASE}/weights/{name}").json()
    assert (about["step"], about["live"]) == (run.best_step, False)
    drawn = client.get(f"{BASE}/pixels?w={name}&seed=3")
    newest = client.get(f"{BASE}/pixels?w=run-{run.id}&seed=3")
    assert drawn.headers["x-step"] == str(run.best_step) and drawn.content != newest.content
    file = from_bytes(client.get(f"{BASE}/runs/{run.id}/download/weights-best.safetensors").content)
    assert file.step == run.best_step
    assert_same(file.state, shown_generator_state(run.best_path))

    data = client.get(f"{BASE}/runs/{run.id}/download/run.zip").content
    again = runs.get(client.post(f"{BASE}/runs/import", content=data).json()["id"])
    assert again.best_step == run.best_step
    same = client.get(f"{BASE}/pixels?w=run-{again.id}@best&seed=3")
    assert np.array_equal(np.frombuffer(same.content, np.uint8), np.frombuffer(drawn.content, np.uint8))
    assert client.get(f"{BASE}/weights/run-{run.id}@worst").status_code == 404


def test_another_runs_best_state_is_refused(runs, client):
    run = measured(runs, 1)
    data = client.get(f"{BASE}/runs/{run.id}/download/run.zip").content
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            foreign = content.replace(b'\\"seed\\": 4', b'\\"seed\\": 5')
            new.writestr(entry.filename, foreign if entry.filename == "best.safetensors" else content)
    answer = client.post(f"{BASE}/runs/import", content=out.getvalue())
    assert answer.status_code == 400 and "best state in this zip belongs to another run" in answer.json()["error"]


def test_runs_without_one_say_so(runs, client):
    run, _ = runs.create("dense", changes=SMALL)
    assert client.get(f"{BASE}/runs/{run.id}").json()["best_step"] is None
    refused = client.get(f"{BASE}/runs/{run.id}/download/weights-best.safetensors")
    assert refused.status_code == 400 and "no state with the best FID" in refused.json()["error"]
    assert client.get(f"{BASE}/weights/run-{run.id}@best").status_code == 404


def test_on_the_command_line(runs, capsys, tmp_path):
    run = measured(runs)
    out = tmp_path / "best.safetensors"
    assert cli.main(["export", str(run.folder), str(out), "--best"]) == 0
    assert from_bytes(out.read_bytes()).step == run.best_step
    more = ["--total-steps", str(run.best_step + 2), "--threads", "1"]
    assert cli.main(["train", "--fork", str(run.folder), "--at", "best", *more]) == 0
    (fork,) = [p for p in runs.folder.iterdir() if (p / "samples.png").exists()]
    assert read_header(fork / "checkpoint.safetensors")["steps_done"] == run.best_step + 2
    never, _ = runs.create("dense", changes=SMALL)
    assert cli.main(["train", "--fork", str(never.folder), "--at", "best"]) == 1
    assert "no state with the best FID" in capsys.readouterr().err
