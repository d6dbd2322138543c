"""One step, exactly: who learns, from what, and that stopping and going on changes nothing."""

from __future__ import annotations

import copy

import pytest
import torch

from gan.core.config import UPDATE_ORDERS, ConfigError
from gan.core.seeds import Seeds, Stream
from gan.models import winograd
from gan.models.layers import Dropout
from gan.recipes.catalog import RECIPES
from gan.training.checkpoint import (
    flatten,
    load_checkpoint,
    save_checkpoint,
)
from gan.training.trainer import Trainer
from tests.conftest import make_pictures, of_random_pictures

pytestmark = pytest.mark.slow

TRAINABLE = [name for name in RECIPES if name != "conv-small-as-printed"]


def small(recipe: str, **changes):
    """A recipe with a batch small enough for a test."""
    return of_random_pictures(RECIPES[recipe].config).changed(batch=8, **changes)


def state_of(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: t.clone() for name, t in flatten(trainer.state_dict()).items()}


def assert_same(a: dict, b: dict) -> None:
    assert a.keys() == b.keys()
    for name in a:
        assert torch.equal(a[name], b[name]), name


@pytest.mark.parametrize("recipe", TRAINABLE)
def test_save_load_continue_is_bit_for_bit_not_stopping(recipe, random_pictures, tmp_path):
    straight, first = Trainer(small(recipe), random_pictures), Trainer(small(recipe), random_pictures)
    for _ in range(4):
        straight.step()
    for _ in range(2):
        first.step()
    save_checkpoint(tmp_path / "c.safetensors", first)
    second = Trainer(small(recipe), random_pictures)
    load_checkpoint(tmp_path / "c.safetensors", second)
    for _ in range(2):
        second.step()
    assert_same(state_of(straight), state_of(second))


@pytest.mark.parametrize("recipe", TRAINABLE)
def test_looking_never_changes_training(recipe, random_pictures):
    alone, watched = Trainer(small(recipe), random_pictures), Trainer(small(recipe), random_pictures)
    z, c = watched.preview_latents(10)
    for _ in range(3):
        alone.step()
        watched.step()
        torch.randn(5)  # somebody else draws from the global generator
        watched.verdict(watched.sample(z, c), c)
    assert_same(state_of(alone), state_of(watched))


@pytest.mark.parametrize("order", UPDATE_ORDERS)
def test_each_player_learns_alone_or_both_do(order, random_pictures):
    for players, moved in (("d", {"D"}), ("g", {"G"}), ("both", {"D", "G"})):
        trainer = Trainer(small("conv-small", update_order=order), random_pictures)
        before = {n: copy.deepcopy(getattr(trainer, n)) for n in ("D", "G")}
        trainer.step(players)
        for name, old in before.items():
            same = all(
                torch.equal(p, q) for p, q in zip(old.parameters(), getattr(trainer, name).parameters(), strict=True)
            )
            assert same == (name not in moved), (order, players, name)


@pytest.mark.parametrize("recipe", [name for name in RECIPES if name != "conv-small-as-printed"])
def test_pictures_may_be_drawn_before_the_first_step(recipe):
    """As a run does: what is made once and kept must serve for training although drawing has asked for it first."""
    winograd._matrices.cache_clear()
    config = of_random_pictures(RECIPES[recipe].config).changed(batch=16)
    trainer = Trainer(config, make_pictures(64, config.size, config.channels))
    z, c = trainer.preview_latents(16)
    trainer.verdict(trainer.sample(z, c), c)
    assert all(value.isfinite() for value in trainer.step().values())


def test_simultaneous_gives_both_players_the_gradients_of_the_same_moment(random_pictures):
    """G's gradient must come from the discriminator before its step; alternating uses the one after."""
    trainer = Trainer(small("mlp", update_order="simultaneous"), random_pictures)
    twin = Trainer(small("mlp", update_order="simultaneous"), random_pictures)
    trainer.step("both")
    twin.step("g")
    for p, q in zip(trainer.g_params, twin.g_params, strict=True):
        assert torch.equal(p, q)
    alternating, g_only = (Trainer(small("mlp"), random_pictures) for _ in range(2))
    alternating.step("both")
    g_only.step("g")
    assert any(not torch.equal(p, q) for p, q in zip(alternating.g_params, g_only.g_params, strict=True))


@pytest.mark.parametrize("objective", ["non-saturating", "hinge", "relativistic"])
@pytest.mark.parametrize("recipe", ["dcgan-transposed", "conv-small", "mlp"])
def test_simultaneous_gradients_are_those_of_article_002_in_64_bits(recipe, objective, random_pictures):
    """Its program written plainly: one pass of G, two of D, two tapes; the same noise and the same lost numbers."""
    trainer = Trainer(small(recipe, update_order="simultaneous", objective=objective), random_pictures)
    G, D = (copy.deepcopy(network).double().train() for network in (trainer.G, trainer.D))
    found = {}
    trainer._apply = lambda grads, opt: found.update({"g" if opt is trainer.opt_g else "d": grads})
    trainer.step()

    rng = torch.Generator().manual_seed(Seeds(0).of(Stream.STEP, 0, 0))
    x, _ = trainer.data.batch(0, 8, rng)
    fakes = G(torch.randn(8, 100, generator=rng).double(), None, rng)
    real, fake = D(x.double(), None, rng), D(fakes, None, rng)
    d_loss, g_loss = trainer.objective.d_loss(real, fake).mean(), trainer.objective.g_loss(fake, real).mean()
    expected = {
        "d": torch.autograd.grad(d_loss, list(D.parameters()), retain_graph=True),
        "g": torch.autograd.grad(g_loss, list(G.parameters())),
    }
    for player, grads in expected.items():
        whole = torch.cat([g.flatten() for g in grads]).norm()
        for ours, theirs in zip(found[player], grads, strict=True):
            assert (ours - theirs).norm() < 2e-5 * whole, player


def test_dropout_differs_between_steps_and_is_repeated_with_the_step(random_pictures):
    def lost(steps_done: int) -> torch.Tensor:
        trainer, seen = Trainer(small("dcgan-transposed"), random_pictures), []
        layer = next(m for m in trainer.D.features if isinstance(m, Dropout))
        layer.register_forward_hook(lambda _, given, made: seen.append(made == 0))
        trainer.steps_done = steps_done
        trainer.step()
        return torch.cat(seen)

    assert torch.equal(lost(3), lost(3))
    assert not torch.equal(lost(3), lost(4))
    real, fake = lost(3).chunk(2)
    assert not torch.equal(real, fake)


def test_split_takes_two_steps_of_the_optimiser_first_on_real(random_pictures):
    trainer = Trainer(small("conv-small"), random_pictures)
    trainer.step()
    assert trainer.opt_d.state_dict()["state"][0]["step"] == 2
    assert trainer.opt_g.state_dict()["state"][0]["step"] == 1


def test_split_agrees_with_two_plain_adam_steps(random_pictures):
    trainer, plain = (Trainer(small("conv-small"), random_pictures) for _ in range(2))
    trainer.step("d")
    rng = torch.Generator().manual_seed(0)
    rng.manual_seed(plain.seeds.of(Stream.STEP, 0, 0))
    x, _ = plain.data.batch(0, 8, rng)
    z = torch.randn(8, 100, generator=rng)
    with torch.no_grad():
        fake = plain.G.train()(z)
    adam = torch.optim.Adam(plain.D.parameters(), 1e-3, eps=1e-7)
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    for pictures, target in ((x, 1.0), (fake, 0.0)):
        adam.zero_grad()
        bce(plain.D(pictures), torch.full((8,), target)).backward()
        adam.step()
    for p, q in zip(trainer.d_params, plain.d_params, strict=True):
        torch.testing.assert_close(p, q)


def test_mlp_agrees_with_the_articles_loop_written_plainly(random_pictures):
    """D on real and fake in one step, then G through the updated D on fresh noise: BCELoss, Adam 2e-4."""
    # A large epsilon, because Adam blows rounding differences of the tiniest gradients up to whole steps.
    trainer, plain = (Trainer(small("mlp", adam_eps=1e-2), random_pictures) for _ in range(2))
    opt_d, opt_g = (torch.optim.Adam(n.parameters(), lr=2e-4, eps=1e-2) for n in (plain.D, plain.G))
    bce, rng = torch.nn.BCELoss(), torch.Generator()
    for step in range(3):
        trainer.step()
        rng.manual_seed(Seeds(0).of(Stream.STEP, 0, step))
        x, _ = plain.data.batch(step, 8, rng)
        fake = plain.G.train()(torch.randn(8, 100, generator=rng)).detach()
        opt_d.zero_grad()
        (bce(plain.D(x).sigmoid(), torch.ones(8)) + bce(plain.D(fake).sigmoid(), torch.zeros(8))).backward()
        opt_d.step()
        opt_g.zero_grad()
        bce(plain.D(plain.G(torch.randn(8, 100, generator=rng))).sigmoid(), torch.ones(8)).backward()
        opt_g.step()
    for p, q in zip(trainer.g_params + trainer.d_params, [*plain.G.parameters(), *plain.D.parameters()], strict=True):
        torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-6)


def test_several_d_steps_see_several_batches(random_pictures):
    trainer = Trainer(small("mlp", d_steps=3), random_pictures)
    seen = []
    trainer.data.batch = lambda i, n, rng, inner=trainer.data.batch: seen.append(i) or inner(i, n, rng)
    trainer.step()
    trainer.step()
    assert seen == [0, 1, 2, 3, 4, 5]
    assert trainer.opt_d.state_dict()["state"][0]["step"] == 6


def test_wasserstein_with_gradient_penalty_moves_the_slope_towards_one(random_pictures):
    changes = {"objective": "wasserstein", "penalty": "gradient-penalty", "penalty_weight": 100.0, "d_lr": 1e-2}
    trainer = Trainer(small("mlp", **changes), random_pictures)

    def slope() -> float:
        x = (random_pictures.images[:64].float() / 127.5 - 1).requires_grad_()
        return float(torch.autograd.grad(trainer.D(x).sum(), x)[0].flatten(1).norm(dim=1).mean())

    before = slope()
    for _ in range(60):
        trainer.step("d")
    assert before < 0.5 < slope() < 1.6


def test_conditional_generator_is_told_the_class(random_pictures):
    trainer = Trainer(small("quick-conditional"), random_pictures)
    z = torch.randn(1, trainer.config.z_dim).expand(10, -1)
    x = trainer.sample(z, torch.arange(10))
    assert (x[0] - x[1]).abs().max() > 1e-4
    with pytest.raises(ValueError, match="needs a class"):
        trainer.G(z)


def test_averaged_generator_follows_the_definition(random_pictures):
    trainer = Trainer(small("quick", ema_halflife_images=1000), random_pictures)
    mean = [p.detach().clone() for p in trainer.ema.parameters()]
    for k in range(3):
        trainer.step()
        decay = 0.5 ** (8 / min(1000, 0.1 * 8 * (k + 1)))
        mean = [decay * m + (1 - decay) * p.detach() for m, p in zip(mean, trainer.g_params, strict=True)]
    for m, p in zip(mean, trainer.ema.parameters(), strict=True):
        torch.testing.assert_close(m, p)
    for a, b in zip(trainer.ema.buffers(), trainer.G.buffers(), strict=True):
        assert torch.equal(a, b)


def test_learning_rates_halve_with_the_images(random_pictures):
    trainer = Trainer(small("mlp", lr_decay_images=80), random_pictures)
    for _ in range(11):
        trainer.step()
    assert trainer.opt_g.lr == trainer.rates["g"] == pytest.approx(2e-4 / 2)


def test_data_of_another_shape_or_other_classes_is_refused():
    with pytest.raises(ConfigError, match="32 × 32"):
        Trainer(RECIPES["quick"].config, make_pictures(size=32))
    with pytest.raises(ConfigError, match="7 classes"):
        Trainer(RECIPES["quick-conditional"].config, make_pictures(classes=7))
    with pytest.raises(ConfigError, match="Split"):
        Trainer(RECIPES["conv-small"].config.changed(penalty="r1"), make_pictures())
