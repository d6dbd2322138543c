"""Several processes: real ones, started by torchrun on this machine.

One job (`checked`) does everything that needs no command line; the small recipes take 200 steps there, the famous ones
(whose networks are those of quick) and the three big convolutional ones 10, because two cores are all a test may count
on.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan.cli.main import main
from gan.core.paths import ROOT
from gan.core.seeds import Seeds, Stream
from gan.data.catalog import Dataset, load
from gan.data.own_pictures import Form, prepare_folder
from gan.recipes.catalog import RECIPES
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.training import distributed
from gan.training.checkpoint import flatten, load_checkpoint, read_header
from gan.training.trainer import Trainer
from tests.conftest import make_pictures, until
from tests.training import torchrun_worker as worker

GIVE_UP_SECONDS = 240


def torchrun(*arguments: str, restarts: int = 0) -> subprocess.Popen:
    """Two processes of torchrun_worker.py, on processors also where there is a GPU, which two cannot share."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", f"--max-restarts={restarts}"]
    command = [sys.executable, *launcher, "-m", "tests.training.torchrun_worker", *map(str, arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def ended(process: subprocess.Popen, seconds: float = GIVE_UP_SECONDS) -> tuple[int, str]:
    """Its exit code, and what it said to people."""
    try:
        _, errors = process.communicate(timeout=seconds)
    finally:
        process.kill()
    return process.returncode, errors


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> tuple[Path, str]:
    """A folder for runs with a prepared data set of 48 small pictures, and the name of that data set."""
    folder = tmp_path_factory.mktemp("dist")
    (folder / "noise").mkdir()
    for i in range(48):
        noise = np.random.default_rng(i).integers(0, 256, (28, 28), dtype=np.uint8)
        Image.fromarray(noise).save(folder / "noise" / f"{i}.png")
    own_dir = folder / "runs" / "pictures"
    own_dir.mkdir(parents=True)
    return folder / "runs", prepare_folder(folder / "noise", Form(28, 1), own_dir).name


@pytest.fixture(scope="module")
def checked(shelf, tmp_path_factory) -> tuple[dict, Path]:
    runs, dataset = shelf
    out = tmp_path_factory.mktemp("checked")
    # Now and then torch's own threads abort a process that has done everything: it is then done once more.
    code, errors = ended(torchrun("check", out, runs / "pictures", dataset, restarts=1), 2 * GIVE_UP_SECONDS)
    assert code == 0, errors
    return json.loads((out / "report.json").read_text()), out


@pytest.mark.thorough
@pytest.mark.parametrize("name", [*worker.trainable(), *worker.VARIANTS])
def test_every_process_ends_with_the_same_state_bit_for_bit(checked, name):
    found = checked[0][name]
    assert found["init"] and found["state"] and found["losses"] and found["moved"]
    assert found["images"] == found["steps"] * worker.BATCH * 2


@pytest.mark.thorough
def test_leaving_out_an_exchange_would_be_noticed(checked):
    assert not checked[0]["no gradients exchanged"]["state"]
    statistics = checked[0]["no statistics exchanged"]
    assert not statistics["state"] and not statistics["losses"]


@pytest.mark.thorough
def test_words_carry_wishes_and_exact_learning_rates_and_rank_0_counts(checked):
    assert checked[0]["asked"] == "shutdown" and checked[0]["other beginnings"]


class Joint(worker.Recording):
    """A single process that learns from the pictures and the noise of two, put together."""

    def step(self, players="both"):
        seeds = [self.seeds.of(Stream.STEP, rank, self.steps_done) for rank in range(2)]
        self.rngs = [torch.Generator().manual_seed(seed) for seed in seeds]
        return super().step(players)

    def _batch(self, k):
        first = 2 * (self.steps_done * self.config.d_steps + k)
        parts = [self.data.batch(first + rank, self.config.batch, rng)[0] for rank, rng in enumerate(self.rngs)]
        return torch.cat(parts), None

    def _noise(self, n):
        return torch.cat([torch.randn(n // 2, self.config.z_dim, generator=rng) for rng in self.rngs])


@pytest.mark.thorough
@pytest.mark.parametrize("name", worker.JOINT)
def test_gradients_are_those_of_the_joint_batch(checked, name):
    single = Joint(worker.joint_config(name), make_pictures())
    for _ in range(worker.JOINT_STEPS):
        single.step()
    two = torch.load(checked[1] / f"{name}.pt")
    assert len(two["grads"]) == len(single.grads)
    for mine, theirs in zip(single.grads, two["grads"], strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-5)
    for mine, theirs in zip(single.g_params + single.d_params, two["params"], strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-5)
    assert max(g.abs().max() for g in single.grads) > 1e-2


# The data, read together -----------------------------------------------------------------------------------------


def test_two_processes_read_what_one_with_twice_the_batch_reads(random_pictures):
    data, rng = Dataset(random_pictures, Seeds(3)), torch.Generator()
    for step in range(40):  # over the border of an epoch
        parts = [data.batch(2 * step + rank, 4, rng)[0] for rank in range(2)]
        assert torch.equal(torch.cat(parts), data.batch(step, 8, rng)[0])


def test_the_stream_goes_on_when_the_number_of_processes_changes(monkeypatch, random_pictures):
    """Two processes, one, three: every batch is read by exactly one process, none is left out."""
    read, state = [], None
    for world, steps in ((2, 3), (1, 2), (3, 2)):
        monkeypatch.setattr(distributed, "world", lambda world=world: world)
        for rank in range(world):
            monkeypatch.setattr(distributed, "rank", lambda rank=rank: rank)
            trainer = Trainer(RECIPES["mlp"].config.changed(batch=4, d_steps=2), random_pictures)
            if state:
                trainer.load_state_dict(state)
            trainer.data.batch = lambda i, n, rng, inner=trainer.data.batch: read.append(i) or inner(i, n, rng)
            for _ in range(steps):
                trainer.step()
        state = trainer.state_dict()
    assert sorted(read) == list(range(2 * (2 * 3 + 1 * 2 + 3 * 2)))
    assert state["batches_done"] == 14 and state["steps_done"] == 7


# The command line ------------------------------------------------------------------------------------------------


def arguments(shelf: tuple[Path, str], *more) -> list[str]:
    runs, dataset = shelf
    settings = [text for name, value in worker.STRAIGHT.items() for text in (f"--{name}", value)]
    return ["quick", "--dataset", dataset, "--runs", runs, *settings, *more]


def new_run(runs: Path, before: set[Path]) -> Path:
    (folder,) = {path.parent for path in runs.glob("*/run.json")} - before
    return folder


def same_on_both_ranks_and_on_disk(out: Path, run: Run) -> bool:
    trainer = Trainer(run.config, load(run.config.dataset, "train", run.own_dir))
    load_checkpoint(run.checkpoint_path, trainer)
    said = {(out / f"rank-{rank}.txt").read_text() for rank in range(2)}
    return said == {worker.digest(trainer)}


@pytest.mark.thorough
def test_a_lost_process_ends_in_words_then_one_continues_then_two(shelf, tmp_path):
    """2 -> 1 -> 2: killed in the middle of a step, continued alone, continued by two and stopped by Ctrl-C."""
    runs, before = shelf[0], {path.parent for path in shelf[0].glob("*/run.json")}
    steps = ("--total-steps", 1_000_000)
    code, errors = ended(torchrun("train", tmp_path, worker.LOST_AT, *arguments(shelf, *steps)))
    folder = new_run(runs, before)
    assert code != 0
    assert "gan: The connection to another of the 2 processes broke. The state of step 7 is kept" in errors
    assert Run(folder).status == "interrupted"
    header = read_header(folder / "checkpoint.safetensors")
    assert (header["steps_done"], header["batches_done"]) == (7, 14)

    assert main(["train", "--resume", str(folder), "--total-steps", "10"]) == 0
    header = read_header(folder / "checkpoint.safetensors")
    assert (header["steps_done"], header["batches_done"]) == (10, 17)

    process = torchrun("train", tmp_path, -1, "--resume", folder, *steps)
    try:
        until(lambda: process.poll() is not None or Run(folder).history.rows[-1].step > 14, GIVE_UP_SECONDS)
    finally:
        process.send_signal(signal.SIGINT)
    _, errors = ended(process)
    run = Run(folder, runs / "pictures")
    assert run.status == "stopped", errors
    header = read_header(run.checkpoint_path)
    assert header["batches_done"] == 17 + 2 * (header["steps_done"] - 10)
    last = run.history.rows[-1]
    assert last.images == 4 * (17 + 2 * (last.step - 10))
    assert same_on_both_ranks_and_on_disk(tmp_path, run)


@pytest.mark.thorough
def test_torchrun_restarts_a_lost_process_and_the_same_run_goes_on_exactly(shelf, checked, tmp_path):
    """Killed in the middle of a step, started again, finished: bit for bit what two undisturbed processes make."""
    runs, before = shelf[0], {path.parent for path in shelf[0].glob("*/run.json")}
    steps = ("--total-steps", worker.STRAIGHT_STEPS)
    code, errors = ended(torchrun("train", tmp_path, worker.LOST_AT, *arguments(shelf, *steps), restarts=1))
    assert code == 0, errors
    run = Run(new_run(runs, before), runs / "pictures")
    assert run.status == "finished" and "The state of step 7 is kept" in errors
    trainer = Trainer(run.config, load(run.config.dataset, "train", run.own_dir))
    load_checkpoint(run.checkpoint_path, trainer)
    straight, mine = torch.load(checked[1] / "straight.pt"), flatten(trainer.state_dict())
    assert straight.keys() == mine.keys()
    assert all(torch.equal(straight[name], mine[name]) for name in mine)
    assert same_on_both_ranks_and_on_disk(tmp_path, run)


# In a single process ---------------------------------------------------------------------------------------------


def test_in_a_single_process_nothing_happens(monkeypatch):
    for name in ("WORLD_SIZE", "TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT"):
        monkeypatch.delenv(name, raising=False)
    distributed.join()
    grads, kept = [torch.ones(3)], torch.ones(3)
    assert distributed.average_grads(grads) is grads
    distributed.average([kept])
    distributed.broadcast([kept])
    assert kept.tolist() == [1, 1, 1] and (distributed.rank(), distributed.world()) == (0, 1)
    assert (
        distributed.broadcast_command("both", {"d": 1.0, "g": 1.0}) == ""
        and distributed.broadcast_command_with("load", object()) is None
    )
    with distributed.whole_step(None):
        pass
    assert distributed.job() == "" and not distributed.restarted()
    distributed.leave()


@pytest.mark.parametrize(
    ("status", "restarts", "found"),
    [("interrupted", 0, True), ("interrupted", 1, True), ("finished", 1, True), ("finished", 0, False)],
)
def test_a_job_finds_its_own_run_again(tmp_path, monkeypatch, status, restarts, found):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "job-1")
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", str(restarts))
    runs = Runs(tmp_path)
    run, _ = runs.create("dense", changes={"seed": 5})
    other, _ = runs.create("dense", changes={"seed": 6})
    run.status = other.status = status
    assert runs.of_job(run.config) is (run if found else None)
    assert runs.of_job(run.config.changed(seed=7)) is None
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "job-2")
    assert runs.of_job(run.config) is None
    monkeypatch.delenv("TORCHELASTIC_RUN_ID")
    assert runs.of_job(run.config) is None


def test_more_processes_than_gpus_are_refused_in_words(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(distributed.DistError, match="4 processes for 2 GPUs"):
        distributed.join()
