"""bfloat16 where networks multiply, float32 everywhere else."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gan.core.config import ConfigError
from gan.models.layers import FEW, SameConvTranspose5
from gan.recipes.catalog import RECIPES
from gan.training import device
from gan.training.checkpoint import flatten, load_checkpoint, save_checkpoint
from gan.training.device import resolved_precision
from gan.training.trainer import Trainer

pytestmark = pytest.mark.slow


def trainer_of(recipe: str, pictures, precision: str = "bfloat16", **changes) -> Trainer:
    return Trainer(RECIPES[recipe].config.changed(precision=precision, **{"batch": 4} | changes), pictures)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("recipe", ["quick", "dense", "conv-small"])
def test_twenty_steps_stay_finite_and_continue_exactly(recipe, precision, random_pictures, tmp_path):
    straight, second = (trainer_of(recipe, random_pictures, precision, width=8) for _ in range(2))
    for step in range(20):
        assert all(value.isfinite() for value in straight.step().values())
        if step == 16:
            save_checkpoint(tmp_path / "c.safetensors", straight)
    load_checkpoint(tmp_path / "c.safetensors", second)
    for _ in range(3):
        second.step()
    found, expected = flatten(second.state_dict()), flatten(straight.state_dict())
    assert found.keys() == expected.keys()
    for name, t in expected.items():
        assert torch.equal(t, found[name]), name
        assert t.dtype in (torch.float32, torch.int64), name


def test_gradients_are_those_of_float32_as_far_as_eight_bits_go(random_pictures):
    norms = [trainer_of("dense", random_pictures, p, batch=64).step(grad_norms=True) for p in ("float32", "bfloat16")]
    for name in ("d_loss", "g_loss", "d_grad", "g_grad"):
        exact, rough = (float(n[name]) for n in norms)
        assert rough == pytest.approx(exact, rel=0.02), name
        assert rough != exact, name


def test_a_step_with_a_penalty_judges_in_float32(random_pictures):
    trainer = trainer_of("quick", random_pictures, penalty_every=2)
    x, c = trainer._batch(0)
    exact = trainer.D(x, c, trainer.rng)
    assert torch.equal(trainer._discriminate(x, c, trainer.rng), exact)
    trainer.step()
    exact, rough = trainer.D(x, c, trainer.rng), trainer._discriminate(x, c, trainer.rng)
    assert rough.dtype == torch.float32
    assert not torch.equal(rough, exact)
    torch.testing.assert_close(rough, exact, rtol=0.05, atol=0.05)


def test_what_people_see_is_computed_in_float32(random_pictures):
    rough, exact = (trainer_of("quick", random_pictures, p, width=8) for p in ("bfloat16", "float32"))
    z, c = exact.preview_latents(4)
    x = exact.sample(z, c)
    assert torch.equal(rough.sample(z, c), x)
    assert torch.equal(rough.verdict(x, c), exact.verdict(x, c))


def test_the_convolution_with_fewer_multiplications_is_left_out():
    """Its intermediate numbers are too large for eight bits."""
    layer = SameConvTranspose5(8, 4)
    nn.init.normal_(layer.weight, std=0.1)
    x = torch.randn(FEW, 8, 7, 7)
    exact = nn.functional.conv_transpose2d(x.double(), layer.weight.double(), padding=2)
    with torch.autocast("cpu", torch.bfloat16):
        rough = layer(x)
    assert (rough - exact).square().mean().sqrt() < 0.01 * exact.square().mean().sqrt()


def test_a_gpu_without_bfloat16_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    config = RECIPES["quick"].config.changed(precision="bfloat16")
    with pytest.raises(ConfigError, match=r"bfloat16 \(precision\)"):
        resolved_precision(config, torch.device("cuda"))
    assert resolved_precision(config, torch.device("cpu")) == "bfloat16"
    assert resolved_precision(config.changed(precision="float32"), torch.device("cuda")) == "float32"


@pytest.mark.parametrize("units", [True, False])
def test_auto_takes_fewer_bits_only_where_a_processor_has_units_for_them(units, monkeypatch, random_pictures):
    monkeypatch.setattr(device, "has_amx", lambda: units)
    assert Trainer(RECIPES["quick"].config, random_pictures).precision == ("bfloat16" if units else "float32")
    assert Trainer(RECIPES["mlp"].config, random_pictures).precision == "float32"
    assert resolved_precision(RECIPES["quick"].config, torch.device("cuda")) == "float32"
