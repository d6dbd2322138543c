"""What stands between pictures and D, and what bounds the networks: statistics, gradients and bounds."""

from __future__ import annotations

import copy
import re
from dataclasses import replace

import pytest
import torch

from gan.core.config import Config, ConfigError
from gan.losses.penalties import PENALTIES, DiscriminatorStep
from gan.losses.transforms import (
    CONSTRAINTS,
    TRANSFORMS,
    add_noise,
    augment,
    clip_gradients,
    clip_weights,
    cut_out,
    noise_strength,
    shift_colours,
    translate,
)
from gan.recipes.catalog import RECIPES
from gan.training.checks import check_config
from gan.training.trainer import Trainer
from tests.conftest import make_pictures


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(n: int = 64, channels: int = 3, size: int = 16) -> torch.Tensor:
    return torch.rand(n, channels, size, size, generator=rng(9)) * 2 - 1


def trainer(**changes) -> Trainer:
    config = RECIPES["quick"].config.changed(**{"batch": 8, "width": 8, "clusters": 0, **changes})
    return Trainer(config, make_pictures())


# Transforms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_transform_is_the_identity_at_strength_0(name, channels):
    x = pictures(channels=channels)
    torch.testing.assert_close(TRANSFORMS[name].apply(x, 0.0, rng()), x)
    assert not torch.equal(TRANSFORMS[name].apply(x, 1.0, rng()), x)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_gradients_go_through_every_transform_twice(name):
    """G learns through it, and penalties differentiate the slope once more."""
    x = pictures(8).requires_grad_()
    seen = TRANSFORMS[name].apply(x, 1.0, rng())
    (slope,) = torch.autograd.grad(seen.square().sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.square().sum(), x)
    assert slope.abs().sum() > 0 and curvature.abs().sum() > 0 and curvature.isfinite().all()


@pytest.mark.slow
def test_augmentation_agrees_with_numerical_gradients():
    x = pictures(2, size=8).double().requires_grad_()
    torch.autograd.gradcheck(lambda x: augment(x, 1.0, rng(3)).double(), x)


@pytest.mark.parametrize("channels", [1, 3])
def test_with_a_chance_each_operation_changes_so_many_pictures_and_leaves_the_others(channels):
    x = pictures(2000, channels)
    torch.testing.assert_close(augment(x, 1.0, rng(), torch.tensor(0.0)), x)
    operations = (translate, cut_out) if channels == 1 else (translate, cut_out, shift_colours)
    for operation in operations:
        always = _changed(x, operation(x, 1.0, rng()))
        assert _changed(x, operation(x, 1.0, rng(), torch.tensor(1.0))) == pytest.approx(always, abs=0.02)
        usual = 1 - 0.7**3 if operation is shift_colours else 0.3 * always  # three operations in one
        assert _changed(x, operation(x, 1.0, rng(), torch.tensor(0.3))) == pytest.approx(usual, abs=0.03)


def _changed(x: torch.Tensor, seen: torch.Tensor) -> float:
    return ((seen - x).abs().amax((1, 2, 3)) > 1e-5).float().mean().item()


def test_instance_noise_has_the_mean_and_the_deviation_it_says():
    noise = add_noise(torch.zeros(200, 1, 28, 28), 0.3, rng())
    assert noise.mean().abs() < 0.003 and noise.std().item() == pytest.approx(0.3, rel=0.01)
    assert abs(noise[0].flatten() @ noise[1].flatten()) / 784 < 0.02  # each picture has its own


def test_instance_noise_falls_in_a_straight_line_and_is_gone():
    cfg = Config(instance_noise=0.4, instance_noise_images=1000)
    assert [noise_strength(cfg, n) for n in (0, 250, 1000, 5000)] == [0.4, pytest.approx(0.3), 0, 0]
    assert noise_strength(Config(instance_noise=0.4), 10**9) == 0.4


def test_translation_moves_whole_pictures_by_at_most_an_eighth_and_evenly():
    x = torch.zeros(4000, 1, 16, 16)
    x[:, :, 8, 8] = 1.0
    seen = translate(x, 1.0, rng())
    at = seen.flatten(1).argmax(1)
    dy, dx = at // 16 - 8, at % 16 - 8
    assert torch.equal(seen.flatten(1).sum(1), torch.ones(4000))
    for moved in (dy, dx):
        shares = torch.bincount(moved + 2, minlength=5) / 4000
        assert len(shares) == 5 and (shares - 0.2).abs().max() < 0.03
    assert abs(torch.corrcoef(torch.stack([dy, dx]).float())[0, 1]) < 0.06


def test_a_piece_of_half_the_side_is_cut_out_or_less_at_the_edge():
    seen = cut_out(torch.ones(500, 2, 16, 16), 1.0, rng())
    gone = (seen == 0).sum((2, 3))  # [N, 2]
    assert torch.equal(gone[:, 0], gone[:, 1])
    assert gone.max() == 64 and gone.min() == 16 and ((seen == 0) | (seen == 1)).all()


def test_colours_keep_the_middle_of_what_they_spread():
    x = pictures(500)
    seen = shift_colours(x, 1.0, rng())
    brightness = (seen - x).mean((1, 2, 3))
    assert brightness.abs().max() <= 0.5 and brightness.std().item() == pytest.approx(0.289, rel=0.1)
    spread = (seen.std((1, 2, 3)) / x.std((1, 2, 3))).sort().values
    assert spread[0] < 0.6 and spread[-1] > 1.4


@pytest.mark.parametrize("batch_norm", [False, True])
def test_real_and_generated_pictures_are_seen_alike(batch_norm):
    """Both go through the same transform, in D's step and in G's, whether they share a pass or not."""
    t = trainer(model="dcgan-upsample" if batch_norm else "quick", augment=1.0, penalty="none")
    seen: list[int] = []
    t.transforms = [replace(t.transforms[0], apply=lambda x, strength, rng, chance: seen.append(len(x)) or x)]
    t.step()
    assert seen == ([8, 8, 8] if batch_norm else [16, 8])


def test_a_step_without_transforms_draws_nothing_for_them():
    plain, noisy = trainer(), trainer(instance_noise=0.1)
    assert plain.transforms == [] and [t.title for t in noisy.transforms] == ["Instance noise"]
    before = plain.d_params[0].clone()
    assert torch.equal(before, noisy.d_params[0])
    plain.step(), noisy.step()
    assert not torch.equal(plain.d_params[0], noisy.d_params[0])


def test_penalties_are_taken_with_respect_to_the_picture_before_its_transform():
    """With D(x) = Σ x, cutting out a piece makes the slope shorter there, exactly by the pixels cut."""
    seen_pixels = []

    def D(x, c, rng):
        seen = cut_out(x, 1.0, rng)
        seen_pixels.append((seen != 0).flatten(1).sum(1))
        return seen.flatten(1).sum(1)

    x = pictures(channels=1).requires_grad_()
    logits = D(x, None, rng())
    r = DiscriminatorStep(None, D, None, x, None, x, logits, logits, rng(1))
    torch.testing.assert_close(PENALTIES["r1"].cost(r), seen_pixels[0] / 2)
    torch.testing.assert_close(PENALTIES["zero-centred"].cost(r), seen_pixels[1].float())


# Constraints -----------------------------------------------------------------------------------------------------


def test_clipped_gradients_agree_with_pytorchs_and_keep_their_direction():
    grads = [torch.randn(5, 3, generator=rng()), torch.randn(7, generator=rng(1))]
    params = [torch.nn.Parameter(torch.zeros_like(g)) for g in grads]
    for p, g in zip(params, grads, strict=True):
        p.grad = g.clone()
    torch.nn.utils.clip_grad_norm_(params, 0.5)
    short = clip_gradients(grads, 0.5)
    for p, g in zip(params, short, strict=True):
        torch.testing.assert_close(p.grad, g, rtol=1e-4, atol=1e-6)
    a, b = (torch.cat([g.flatten() for g in gs]) for gs in (grads, short))
    assert b.norm().item() == pytest.approx(0.5) and torch.cosine_similarity(a, b, 0).item() == pytest.approx(1)
    assert all(torch.equal(g, h) for g, h in zip(grads, clip_gradients(grads, 1e6), strict=True))
    assert all(torch.equal(g, h) for g, h in zip(params, clip_gradients(params, 1.0), strict=True))  # zero stays zero
    assert clip_gradients([torch.tensor([float("nan"), 1.0])], 1.0)[0].isnan().all()  # divergence stays visible


def test_both_players_gradients_are_bounded():
    t, longest = trainer(gradient_clip=0.01), []
    for opt in (t.opt_d, t.opt_g):
        step = opt.step
        opt.step = lambda grads, step=step: (
            longest.append(torch.cat([g.flatten() for g in grads]).norm().item()) or step(grads)
        )
    t.step()
    assert longest == [pytest.approx(0.01), pytest.approx(0.01)]


@pytest.mark.parametrize("order", ["alternate", "simultaneous", "split"])
def test_weights_of_d_alone_lie_inside_the_bound_after_every_step(order):
    t = trainer(weight_clip=0.01, objective="wasserstein", penalty="none", update_order=order)
    free = copy.deepcopy(t.g_params)
    for _ in range(2):
        t.step()
        assert max(p.abs().max() for p in t.d_params) <= 0.01
    assert max(p.abs().max() for p in free) > 0.01 < max(p.abs().max() for p in t.g_params)


def test_clip_weights_changes_only_what_is_outside():
    w = torch.tensor([-3.0, -0.5, 0.2, 9.0])
    clip_weights([w], 0.5)
    assert w.tolist() == [-0.5, -0.5, pytest.approx(0.2), 0.5]


# A few pictures only ---------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "groups"), [(16, 1), (120, 2), (0, 5)])
def test_only_the_first_pictures_are_learned_and_groups_shrink_with_them(limit, groups):
    """At most one group for every 50 pictures; generated pictures vote for no group that is not there."""
    data = make_pictures()
    t = Trainer(RECIPES["quick"].config.changed(batch=8, width=8, clusters=100, data_limit=limit), data)
    assert torch.equal(t.data.pictures.images, data.images[: limit or None])
    assert len(t.data.labels) == len(t.data) and int(t.data.labels.max()) + 1 == groups
    _, c = t.preview_latents(64)
    assert set(c.argmax(1).tolist()) <= set(range(groups))
    for _ in range(3):
        t.step()
    x, _ = t._batch(0)
    allowed = {p.numpy().tobytes() for p in data.images[: limit or None]}
    assert all(p.numpy().tobytes() in allowed for p in ((x + 1) * 127.5).round().to(torch.uint8))


def test_more_pictures_than_there_are_is_refused():
    with pytest.raises(ConfigError, match=r"256 pictures.*first 1,000 \(data_limit\)"):
        Trainer(RECIPES["quick"].config.changed(data_limit=1000), make_pictures())


# What does not go together ---------------------------------------------------------------------------------------

WRONG = [
    ({"objective": "hinge", "label_smoothing": 0.1}, "label_smoothing"),
    ({"objective": "least-squares", "label_smoothing": 0.1}, "label_smoothing"),
    ({"objective": "wasserstein", "label_smoothing": 0.1}, "label_smoothing"),
    ({"objective": "relativistic", "label_smoothing": 0.1}, "label_smoothing"),
    ({"objective": "relativistic", "update_order": "split", "penalty": "none"}, "update_order"),
    ({"update_order": "split", "penalty": "r1"}, "update_order"),
    ({"update_order": "simultaneous", "d_steps": 2}, "d_steps"),
    ({"penalty": "r2", "penalty_weight": 0}, "penalty_weight"),
    ({"weight_clip": 0.01, "spectral_norm": True}, "weight_clip"),
    ({"instance_noise_images": 1000}, "instance_noise_images"),
    ({"augment_target": 0.6}, "augment_target"),
    ({"augment": 1.0, "augment_target": 0.6, "objective": "wasserstein"}, "augment_target"),
    ({"clusters": 5, "classes": 10}, "clusters"),
    ({"clusters": 200, "z_dim": 100}, "clusters"),
    ({"model": "dcgan-upsample", "penalty": "r1"}, "penalty"),
]


@pytest.mark.parametrize(("changes", "knob"), WRONG)
def test_what_does_not_go_together_is_refused_in_words_that_name_the_setting(changes, knob):
    config = RECIPES["quick"].config.changed(**{"clusters": 0, **changes})
    with pytest.raises(ConfigError, match=rf"\({knob}\)") as refused:
        check_config(config)
    words = str(refused.value)
    assert words.endswith(".") and "{" not in words
    assert re.search(r"\((\w+)\)", words).group(1) == knob, "the page marks the first setting in brackets"


def test_every_recipe_goes_together():
    for name, recipe in RECIPES.items():
        if not name.endswith("conv-small-as-printed"):
            check_config(recipe.config)


def test_every_bound_and_transform_belongs_to_a_knob():
    assert set(CONSTRAINTS) | set(TRANSFORMS) <= set(Config().to_dict())
