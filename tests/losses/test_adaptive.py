"""Augmentation that follows D: how its probability moves, and what the trainer makes of it."""

from __future__ import annotations

import pytest
import torch

from gan.core.config import ConfigError
from gan.losses import adaptive
from gan.losses.adaptive import AVERAGED, IMAGES, AdaptiveProbability
from gan.losses.objectives import OBJECTIVES
from gan.recipes.catalog import RECIPES
from gan.training.checkpoint import load_checkpoint, rewrite_checkpoint, save_checkpoint
from gan.training.checks import check_config
from gan.training.trainer import Trainer
from tests.conftest import make_pictures
from tests.training.test_trainer import assert_same, state_of

FOLLOWING = {"augment": 1.0, "augment_target": 0.6}


def following(target: float = 0.6) -> AdaptiveProbability:
    return AdaptiveProbability(target, 0.0, torch.device("cpu"))


def trainer(recipe: str = "quick", **changes) -> Trainer:
    config = RECIPES[recipe].config.changed(batch=8, width=8, clusters=0, **FOLLOWING | changes)
    return Trainer(config, make_pictures())


# The rule --------------------------------------------------------------------------------------------------------


def test_the_sign_is_the_share_found_real_minus_the_share_that_is_not():
    assert following().sign_of(torch.tensor([3.0, 0.1, 2.0, -1.0])).item() == pytest.approx(0.5)
    half = AdaptiveProbability(0.6, 0.5, torch.device("cpu"))  # least squares: real is 1, generated is 0
    assert half.sign_of(torch.tensor([0.9, 0.4])).item() == 0


def test_the_mean_sign_forgets_as_it_says():
    """r moves towards each batch by its share of the pictures averaged over."""
    p = following()
    for _ in range(5):
        p.follow(torch.tensor(1.0), 64)
    assert p.r.item() == pytest.approx(1 - (1 - 64 / AVERAGED) ** 5)
    p.follow(torch.tensor(-0.25), 10 * AVERAGED)  # never further than to the batch itself
    assert p.r.item() == -0.25


def test_the_probability_goes_from_0_to_1_in_as_many_pictures_as_it_says_and_back():
    p = following()
    for _ in range(IMAGES // 500):
        p.follow(torch.tensor(1.0), 500)
    assert p.p.item() == pytest.approx(1, abs=1e-4)
    p.follow(torch.tensor(1.0), IMAGES)
    assert p.p.item() == 1  # never above
    for _ in range(IMAGES // 1000):
        p.follow(torch.tensor(0.5), 500)
    assert p.p.item() == pytest.approx(0.5, abs=0.02)
    p.follow(torch.tensor(-1.0), 3 * IMAGES)
    assert p.p.item() == 0


def test_on_the_target_it_rests():
    p = following(0.5)
    p.r.fill_(0.5)
    p.follow(torch.tensor(0.5), 64)
    assert p.p.item() == 0


# In training -----------------------------------------------------------------------------------------------------


@pytest.fixture
def fast(monkeypatch):
    """The probability is felt within the few steps of a test."""
    monkeypatch.setattr(adaptive, "IMAGES", 80)


@pytest.mark.slow
@pytest.mark.parametrize("order", ["alternate", "simultaneous", "split"])
def test_stopping_and_going_on_changes_nothing(order, fast, tmp_path):
    changes = {"update_order": order, "penalty": "none"}
    straight, first, second = (trainer(**changes) for _ in range(3))
    straight.adaptive.r.fill_(1.0), first.adaptive.r.fill_(1.0)
    for _ in range(6):
        straight.step()
    for _ in range(3):
        first.step()
    assert 0 < first.adaptive.p < 1
    save_checkpoint(tmp_path / "c.safetensors", first)
    load_checkpoint(tmp_path / "c.safetensors", second)
    for _ in range(3):
        second.step()
    assert_same(state_of(straight), state_of(second))


@pytest.mark.slow
def test_it_grows_where_d_knows_its_few_pictures_and_stays_away_where_it_does_not(fast):
    sure, unsure = trainer(data_limit=8, d_lr=2e-3, g_lr=1e-8, penalty="none"), trainer(d_lr=1e-8, penalty="none")
    for _ in range(60):
        sure.step(), unsure.step()
    assert sure.adaptive.r > 0.6 and sure.adaptive.p > 0.5
    assert unsure.adaptive.r < 0.6 and unsure.adaptive.p == 0


@pytest.mark.slow
def test_a_target_that_is_never_reached_is_no_augmentation():
    """With the probability at 0, D sees what it sees without; only other numbers are drawn."""
    t, seen = trainer(augment_target=1.0), []
    t.D.features.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    t._discriminate(make_pictures().images[:8].float() / 127.5 - 1, None, t.rng)
    torch.testing.assert_close(seen[0], make_pictures().images[:8].float() / 127.5 - 1)


@pytest.mark.slow
def test_a_fork_may_begin_to_follow_and_may_stop(tmp_path):
    path, plain, t = tmp_path / "c.safetensors", trainer(augment_target=0.0), trainer()
    plain.step()
    save_checkpoint(path, plain)
    path.write_bytes(rewrite_checkpoint(path, t.config, {}))
    load_checkpoint(path, t)
    assert t.adaptive.p == 0 == t.adaptive.r
    t.adaptive.p.fill_(0.25)
    save_checkpoint(path, t)
    other = trainer(augment_target=0.3)
    path.write_bytes(rewrite_checkpoint(path, other.config, {}))
    load_checkpoint(path, other)
    assert other.adaptive.p == 0.25  # another target, and the same probability to begin with
    path.write_bytes(rewrite_checkpoint(path, plain.config, {}))
    load_checkpoint(path, plain)
    assert_same({k: v for k, v in state_of(t).items() if not k.startswith("augment.")}, state_of(plain))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_whose_sign_says_nothing_is_refused_in_words(name):
    config = RECIPES["quick"].config.changed(objective=name, penalty="none", **FOLLOWING)
    if name in ("wasserstein", "relativistic"):
        with pytest.raises(ConfigError, match="augment_target"):
            check_config(config)
    else:
        check_config(config)
