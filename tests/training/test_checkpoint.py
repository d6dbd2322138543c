"""Checkpoints: all of a state or nothing of it, and never one that belongs to something else."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from safetensors.torch import save_file as save_tensors

from gan.core.config import KNOBS, Config
from gan.core.seeds import FORMATS
from gan.training.checkpoint import (
    CheckpointError,
    NotFinite,
    discriminator_state,
    flatten,
    load_checkpoint,
    read_header,
    refuse_other_config,
    rewrite_checkpoint,
    save_checkpoint,
    shown_generator_state,
)
from gan.training.trainer import Trainer
from tests import samples
from tests.core.test_config import values_of
from tests.training.test_trainer import assert_same, small, state_of

pytestmark = pytest.mark.slow


@pytest.fixture
def saved(random_pictures, tmp_path):
    trainer = Trainer(small("quick"), random_pictures)
    trainer.step()
    save_checkpoint(tmp_path / "c.safetensors", trainer, {"seconds": 3.5})
    return trainer, tmp_path / "c.safetensors"


def test_a_state_that_is_not_finite_never_reaches_the_disk(saved):
    trainer, path = saved
    before = path.read_bytes()
    with torch.no_grad():
        trainer.g_params[3].view(-1)[7] = float("nan")
    with pytest.raises(NotFinite, match="not"):
        save_checkpoint(path, trainer)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_another_config_is_refused_naming_what_differs(saved, random_pictures):
    other = Trainer(small("quick", g_lr=0.5, seed=9), random_pictures)
    with pytest.raises(CheckpointError, match=r"g_lr .*0\.5.*seed"):
        load_checkpoint(saved[1], other)
    load_checkpoint(saved[1], Trainer(small("quick", total_steps=77), random_pictures))  # longer is the same run


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "flipped header"])
def test_a_damaged_checkpoint_is_refused_and_changes_nothing(saved, damage, random_pictures):
    path, data = saved[1], saved[1].read_bytes()
    bad = {
        "cut": data[: len(data) // 2],
        "garbage": b"\xff" * 5000,
        "empty": b"",
        "flipped header": b"\0" * 8 + data[8:],
    }
    path.write_bytes(bad[damage])
    trainer = Trainer(small("quick"), random_pictures)
    before = state_of(trainer)
    with pytest.raises(CheckpointError, match=r"damaged"):
        load_checkpoint(path, trainer)
    assert_same(before, state_of(trainer))


def test_foreign_tensors_are_refused_by_name_before_they_are_read(saved, random_pictures):
    trainer, path = saved
    header = {
        "gan-forge": json.dumps(
            {"format": 2, "config": trainer.config.to_dict(), "steps_done": 1, "lr": trainer.lr, "extra": {}}
        )
    }
    tensors = load_file(path)
    key = next(k for k in tensors if k.startswith("G.") and tensors[k].dim() == 2)
    for change in ({key: torch.zeros(3, 3)}, {"G.extra": torch.zeros(1)}, {key: None}):
        changed = {k: v for k, v in (tensors | change).items() if v is not None}
        save_tensors(changed, path, header)
        with pytest.raises(CheckpointError, match="other networks"):
            load_checkpoint(path, Trainer(small("quick"), random_pictures))
    tensors[key][0, 0] = float("inf")
    save_tensors(tensors, path, header)
    with pytest.raises(CheckpointError, match="not finite"):
        load_checkpoint(path, Trainer(small("quick"), random_pictures))


def test_header_tells_what_the_run_added(saved):
    header = read_header(saved[1])
    assert header["steps_done"] == 1 and header["extra"] == {"seconds": 3.5}


# One network of it -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("averaged", [0, 10])
def test_people_see_the_averaged_generator_where_there_is_one(tmp_path: Path, averaged: int) -> None:
    trainer = samples.make_trainer(ema_halflife_images=averaged)
    save_checkpoint(path := tmp_path / "c.safetensors", trainer)
    whole = trainer.state_dict()
    assert_same(shown_generator_state(path), whole["ema" if averaged else "G"])
    assert_same(discriminator_state(path), whole["D"])


# Under other settings ------------------------------------------------------------------------------------------------


def rewritten(path: Path, config: Config, **lr: float) -> Path:
    """A new file beside the old one."""
    other = path.with_name("other.safetensors")
    other.write_bytes(rewrite_checkpoint(path, config, lr))
    return other


@pytest.mark.parametrize("batch", [2, 3, 4, 5, 7, 64])
def test_pictures_seen_stay_as_many_to_a_batch(tmp_path: Path, batch: int) -> None:
    """And everything else stays as it was, but the learning rate that was asked for."""
    trainer = samples.make_trainer()
    for _ in range(4):
        trainer.step()
    save_checkpoint(path := tmp_path / "c.safetensors", trainer, {"seconds": 3.5})
    config = trainer.config.changed(batch=batch)
    before, after = read_header(path), read_header(other := rewritten(path, config, d=0.125))
    seen = before["batches_done"] * trainer.config.batch
    assert seen <= after["batches_done"] * batch < seen + batch
    assert after["config"] == config and after["lr"] == before["lr"] | {"d": 0.125}
    assert (after["steps_done"], after["extra"]) == (5, {"seconds": 3.5})
    assert_same(load_file(other), load_file(path))
    again = samples.make_trainer(batch=batch)
    load_checkpoint(other, again)
    again.step()
    assert again.steps_done == 6


def test_an_average_begins_as_the_generator_and_can_be_left_out(tmp_path: Path) -> None:
    trainer = samples.make_trainer()
    save_checkpoint(path := tmp_path / "c.safetensors", trainer)
    more = rewritten(path, trainer.config.changed(ema_halflife_images=100))
    tensors = load_file(more)
    network = {name[2:]: t for name, t in tensors.items() if name.startswith("G.")}
    assert_same({name[4:]: t for name, t in tensors.items() if name.startswith("ema.")}, network)
    load_checkpoint(more, samples.make_trainer(ema_halflife_images=100))
    assert_same(load_file(rewritten(more, trainer.config)), flatten(trainer.state_dict()))


@given(st.data())
def test_every_setting_but_two_makes_it_another_run(data: st.DataObject) -> None:
    """How long it trains, and what the settings are called, changes no step."""
    k = data.draw(st.sampled_from([k for k in KNOBS.values() if k.kind is not str]))
    value = data.draw(values_of(k).filter(lambda value: value != getattr(Config(), k.name)))
    if k.name == "total_steps":
        refuse_other_config(Config(), Config(total_steps=value, recipe="x"))
        return
    with pytest.raises(CheckpointError, match=f"other settings: {k.name} ") as error:
        refuse_other_config(Config(), Config(**{k.name: value}))
    assert repr(value) in str(error.value) and repr(getattr(Config(), k.name)) in str(error.value)


# The header ----------------------------------------------------------------------------------------------------------


def with_header(folder: Path, **changes: Any) -> Path:
    """A checkpoint whose header says other things; None: says nothing of it."""
    data = samples.state()
    length = struct.unpack("<Q", data[:8])[0]
    file = json.loads(data[8 : 8 + length])
    ours = json.loads(file["__metadata__"]["gan-forge"]) | changes
    file["__metadata__"]["gan-forge"] = json.dumps({k: v for k, v in ours.items() if v is not None})
    text = json.dumps(file).encode()
    (path := folder / "c.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    return path


def test_files_of_a_single_process_may_say_nothing_of_batches(tmp_path: Path) -> None:
    header = read_header(with_header(tmp_path, batches_done=None, steps_done=17))
    assert header["batches_done"] == header["steps_done"] == 17


@pytest.mark.parametrize(
    "changes",
    [
        {"steps_done": -1},
        {"steps_done": math.inf},
        {"steps_done": 2**53},
        {"batches_done": -1},
        {"lr": {"d": math.nan, "g": 0.1}},
        {"lr": {"d": 0.1, "g": math.inf}},
        {"lr": {"d": 0.1}},
        {"extra": 5},
        {"config": None},
        {"config": {"z_dim": -1}},
        {"config": [[[[[]]]]]},
    ],
)
def test_numbers_that_no_run_has_counted_to_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="damaged or not one of ours"):
        read_header(with_header(tmp_path, **changes))


def test_another_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="has format 3; this version reads formats 1 and 2"):
        read_header(with_header(tmp_path, format=3))


def test_a_checkpoint_says_its_format_and_stays_with_trainers_of_it(tmp_path: Path, random_pictures) -> None:
    trainers = {format: Trainer(small("quick"), random_pictures, format=format) for format in FORMATS}
    for format, trainer in trainers.items():
        trainer.step()
        save_checkpoint(tmp_path / f"{format}.safetensors", trainer)
        assert read_header(tmp_path / f"{format}.safetensors")["format"] == format
        again = Trainer(trainer.config, random_pictures, format=format)
        load_checkpoint(tmp_path / f"{format}.safetensors", again)
        trainer.step(), again.step()
        assert_same(state_of(trainer), state_of(again))
    with pytest.raises(CheckpointError, match="has format 1, but its run has format 2"):
        load_checkpoint(tmp_path / "1.safetensors", trainers[2])


@pytest.mark.parametrize("read", [read_header, shown_generator_state, discriminator_state])
def test_a_file_that_is_gone_is_said_without_its_folder(tmp_path, read):
    with pytest.raises(CheckpointError, match="cannot be read") as caught:
        read(tmp_path / "gone.safetensors")
    assert str(tmp_path) not in str(caught.value)
