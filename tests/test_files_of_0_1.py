"""Files of version 0.1 open, draw and continue as they did there (tests/files_of_0_1/README.md).

What is exact: which pictures, latents and noise every step takes is whole numbers, so it is the same everywhere. The
last bits of sums depend on the processor and on the libraries: where `probe`, a step's arithmetic in bare torch, gives
the bits it gave there, losses and weights must be those of version 0.1 bit for bit; elsewhere they may differ as much
as 20 steps make of last bits. Pictures may differ by one of 255 steps.
"""

from __future__ import annotations

import json
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from gan.core.images import split_grid, to_uint8
from gan.data.catalog import load
from gan.draw import draw
from gan.latent.directions import from_text
from gan.models import weights_file
from gan.runs.commands import Command
from gan.runs.fork import plan_fork
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.training.checkpoint import flatten, load_checkpoint, read_header
from gan.training.device import best_device
from gan.training.trainer import Trainer
from tests.conftest import PATIENCE, until

pytestmark = pytest.mark.slow

FILES = Path(__file__).parent / "files_of_0_1"
MADE = json.loads((FILES / "made.json").read_text())
DRAWN = np.load(FILES / "drawn.npz")
LIKE = 2e-2  # how far 20 steps carry last bits, of losses near 1 and weights below 1


def same_machine() -> bool:
    """Whether a step's arithmetic has here the very bits that it had where the files were made."""
    return best_device().type == "cpu" and runpy.run_path(str(FILES / "probe.py"))["probe"]() == MADE["probe"]


def assert_like(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    exact = same_machine()
    for name, tensor in theirs.items():
        if exact:
            assert torch.equal(ours[name], tensor), name
        else:
            torch.testing.assert_close(ours[name], tensor, rtol=LIKE, atol=LIKE, msg=name)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    registry = Runs(tmp_path / "runs")
    registry.threads = (1,)
    yield registry
    registry.close()


def brought_back(runs: Runs, name: str) -> Run:
    """The run of a zip; the pictures of both are in the first."""
    claim = ""
    for zipped in ("run", name) if name != "run" else (name,):
        with open(FILES / f"{zipped}.zip", "rb") as file:
            run, _, claim = runs.bring_back(file, [claim])
    return run


def states(run: Run) -> dict[str, Path]:
    """The states that made.json continues from."""
    return {"run": run.checkpoint_path, "fork": run.checkpoint_path, "state": FILES / "state.safetensors"}


@pytest.mark.parametrize("number,name", enumerate(("run", "state", "fork")))
def test_every_state_continues_with_the_losses_and_weights_it_had(runs: Runs, number: int, name: str) -> None:
    expected = MADE["goes_on"][number]
    run = brought_back(runs, "fork" if name == "fork" else "run")
    trainer = Trainer(run.config, load(run.config.dataset, "train", runs.own_dir), format=1)
    load_checkpoint(states(run)[name], trainer)
    assert trainer.steps_done == expected["from"] and expected["after"] == f"{name}-after.safetensors"
    losses = [{key: float(value) for key, value in trainer.step().items()} for _ in expected["losses"]]
    if same_machine():
        assert losses == expected["losses"]
    for ours, theirs in zip(losses, expected["losses"], strict=True):
        assert ours == pytest.approx(theirs, rel=LIKE, abs=LIKE)
    assert_like(flatten(trainer.state_dict()), load_file(FILES / expected["after"]))


def test_a_run_from_its_zip_shows_what_it_showed_and_trains_on_exactly(runs: Runs) -> None:
    run = brought_back(runs, "run")
    assert (run.status, run.checkpoint_step(), run.latest and run.latest.step) == ("finished", 26, 26)
    assert [event["kind"] for event in run.history.events] == ["lr", "pause", "step", "resume"]
    assert [frame["step"] for frame in run.history.frames] == list(range(27))
    assert run.meta.class_names == ["lying", "standing"] and run.meta.computes == "processor, float32"
    runs.command(run, Command("resume", total_steps=46))
    run.join(PATIENCE)
    assert run.status == "finished", run.message
    assert_like(load_file(run.checkpoint_path), load_file(FILES / "run-after.safetensors"))


def test_a_fork_made_today_of_a_run_of_0_1_is_the_fork_that_0_1_made(runs: Runs) -> None:
    source, theirs = brought_back(runs, "run"), brought_back(runs, "fork")
    source.states.folder.mkdir(exist_ok=True)
    shutil.copyfile(FILES / "state.safetensors", source.states.path(16))
    ours, _ = runs.fork(plan_fork(source, {"g_lr": 0.002, "total_steps": 22}, 16))
    runs.start(ours)
    ours.join(PATIENCE)
    assert ours.status == "finished", ours.message
    assert ours.config == theirs.config
    assert_like(load_file(ours.checkpoint_path), load_file(theirs.checkpoint_path))
    assert [e["text"] for e in ours.history.events] == [e["text"] for e in theirs.history.events]


def test_the_real_pictures_beside_a_run_are_those_it_began_with(runs: Runs) -> None:
    run = brought_back(runs, "run")
    before = (run.folder / "real.png").read_bytes()
    (run.folder / "real.png").unlink()
    runs.command(run, Command("resume", total_steps=27))
    run.join(PATIENCE)
    assert (run.folder / "real.png").read_bytes() == before


def test_weights_a_picture_and_directions_are_read_as_they_were() -> None:
    picture = draw(FILES / "weights.safetensors", MADE["picture"])
    assert np.abs(picture.pixels.astype(int) - DRAWN["picture"]).max() <= 1
    words = json.loads(Image.open(FILES / "picture.png").text["gan-forge"])
    assert words["digest"] == picture.origin.digest and words["query"] == picture.origin.query == MADE["picture"]
    np.testing.assert_array_equal(
        split_grid((FILES / "picture.png").read_bytes(), 1, 1, 64, 1)[0, :, ::4, ::4], DRAWN["picture"]
    )
    found = from_text((FILES / "directions.json").read_text(), 12)
    assert found[-1].key == "taught" and found[-1].may_change_cluster


def test_the_weights_file_has_the_generator_of_the_run(runs: Runs) -> None:
    run = brought_back(runs, "run")
    loaded = weights_file.load(FILES / "weights.safetensors")
    shown = run.weights()
    assert shown is not None
    networks = [weights_file.build(loaded), weights_file.build(shown)]
    z = torch.randn(4, 12, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        one, other = (to_uint8(network(z, network.condition(z, None))) for network in networks)
    assert torch.equal(one, other)


def test_runs_of_0_1_their_states_and_their_forks_stay_of_format_1_and_new_ones_are_of_2(runs: Runs) -> None:
    run = brought_back(runs, "run")
    runs.command(run, Command("resume", total_steps=27))
    run.join(PATIENCE)
    forks = [runs.fork(plan_fork(run, {"g_lr": 0.002}, step))[0] for step in (None, 0)]  # also from scratch
    for fork in forks:
        runs.start(fork)
        until(lambda fork=fork: fork.checkpoint_step())
        runs.command(fork, Command("stop"))
        fork.join(PATIENCE)
    new, _ = runs.adopt(run.config)
    runs.start(new)
    new.join(PATIENCE)
    for one, format in ((run, 1), *((fork, 1) for fork in forks), (new, 2)):
        assert json.loads((one.folder / "run.json").read_text())["format"] == format
        assert read_header(one.checkpoint_path)["format"] == format, one.message


def test_the_shown_real_pictures_are_no_epochs_first_ones_in_a_new_run(runs: Runs) -> None:
    """In format 1 epoch 11 began with them."""
    run = brought_back(runs, "run")
    pictures = load(run.config.dataset, "train", runs.own_dir)
    for format, are in ((1, True), (2, False)):
        new, _ = runs.adopt(run.config.changed(total_steps=1), format=format)
        runs.start(new)
        new.join(PATIENCE)
        real = split_grid((new.folder / "real.png").read_bytes(), 16, 8, 16, 1)
        trainer = Trainer(run.config, pictures, format=format)
        first = trainer.data.batch(11, len(trainer.data), torch.Generator())[0][:16]
        assert (to_uint8(first).numpy() == real).all() == are
