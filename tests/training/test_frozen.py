"""Frozen layers of D stay bit for bit, all others learn, and a run with them goes on exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gan.core.config import Config
from gan.recipes.catalog import make_config
from gan.training.checkpoint import flatten, load_checkpoint, save_checkpoint
from gan.training.trainer import Trainer
from tests.training.test_trainer import assert_same

pytestmark = pytest.mark.slow


def config(frozen: int) -> Config:
    return make_config("quick").changed(clusters=0, width=8, z_dim=8, batch=4, precision="float32", freeze_d=frozen)


@pytest.mark.parametrize("frozen", [0, 1, 2, 16])
def test_the_first_layers_stay_and_the_others_learn(random_pictures, frozen):
    trainer = Trainer(config(frozen), random_pictures)
    before = {name: tensor.clone() for name, tensor in trainer.D.state_dict().items()}
    for _ in range(3):
        trainer.step()
    stayed = {name for name, tensor in trainer.D.state_dict().items() if torch.equal(tensor, before[name])}
    convolutions = sorted({name.rsplit(".", 1)[0] for name in before if name.startswith("features.")})
    assert {name.rsplit(".", 1)[0] for name in stayed} == set(convolutions[:frozen])
    assert len(trainer.d_params) == len(before) - len(stayed)


def test_with_no_frozen_layer_nothing_is_another(random_pictures):
    plain, same = Trainer(config(0), random_pictures), Trainer(config(0), random_pictures)
    for trainer in (plain, same):
        trainer.step()
    assert_same(flatten(plain.state_dict()), flatten(same.state_dict()))
    assert len(plain.d_params) == len(list(plain.D.parameters()))


def test_it_goes_on_exactly(random_pictures, tmp_path: Path):
    whole, first = (Trainer(config(2), random_pictures) for _ in range(2))
    for _ in range(4):
        whole.step()
    for _ in range(2):
        first.step()
    save_checkpoint(tmp_path / "c.safetensors", first)
    again = Trainer(config(2), random_pictures)
    load_checkpoint(tmp_path / "c.safetensors", again)
    for _ in range(2):
        again.step()
    assert_same(flatten(again.state_dict()), flatten(whole.state_dict()))
