"""What is said of a run's memory before it begins is what it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from gan.recipes.catalog import make_config
from gan.training.footprint import memory_of, state_bytes, step_bytes
from gan.training.trainer import Trainer

RECIPES = ("quick", "dense", "mlp", "sngan", "wgan-gp", "r3gan", "conv-small", "dcgan-upsample", "dcgan-transposed")


def tensors_of(state: Any) -> Iterator[Tensor]:
    if isinstance(state, Tensor):
        yield state
    elif isinstance(state, dict):
        for part in state.values():
            yield from tensors_of(part)


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_a_run_keeps_is_counted_to_a_hundredth(recipe: str, random_pictures: Any) -> None:
    trainer = Trainer(make_config(recipe, batch=8, clusters=0), random_pictures)
    trainer.step()
    kept = sum(t.numel() * t.element_size() for t in tensors_of(trainer.state_dict()))
    assert state_bytes(trainer.config) == pytest.approx(kept, rel=0.01)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_step_saves_about_what_is_said(recipe: str, random_pictures: Any) -> None:
    """What autograd saves for the backward pass, each storage once; the networks' own are there anyway."""
    trainer = Trainer(make_config(recipe, batch=64, clusters=0), random_pictures)
    own = {p.untyped_storage().data_ptr() for net in (trainer.G, trainer.D) for p in net.parameters()}
    seen: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        trainer.step()
    said = step_bytes(trainer.config)
    assert sum(seen.values()) <= said <= 12 * sum(seen.values())


def test_runs_that_share_the_machine_step_one_after_the_other() -> None:
    small, large = make_config("quick"), make_config("quick", batch=512)
    both = state_bytes(small) + state_bytes(large)
    assert memory_of([small, large], 1) == both + step_bytes(large)
    assert memory_of([small, large], 2) == both + step_bytes(large) + step_bytes(small)
    assert memory_of([], 1) == 0
    assert step_bytes(large) > 7 * step_bytes(small)


def test_spectral_normalisation_has_no_activations_of_its_own() -> None:
    plain, normalised = (make_config("mlp", spectral_norm=on) for on in (False, True))
    assert step_bytes(normalised) == step_bytes(plain) and state_bytes(normalised) > state_bytes(plain)
