"""The auxiliary classifier: closed forms, who learns from it, and what it does not go with."""

from __future__ import annotations

import math

import pytest
import torch

from gan.core.config import Config, ConfigError
from gan.losses.classification import classification_loss
from gan.models import as_mixture, build_discriminator
from gan.training.checks import check_config
from gan.training.trainer import Trainer
from tests.conftest import make_pictures, of_random_pictures

TOLD = of_random_pictures(Config(model="quick", width=8, batch=8, classifier_weight=1.0))
CODES = (2, 3)


def test_who_knows_nothing_pays_the_logarithm_of_how_many_values_there_are():
    told = torch.tensor([[1.0, 0, 0, 0, 1], [0.5, 0.5, 1, 0, 0]])
    loss = classification_loss(torch.zeros(2, 5), told, CODES)
    assert loss.tolist() == pytest.approx([(math.log(2) + math.log(3)) / 2] * 2)


def test_who_is_right_pays_nothing_and_who_is_wrong_the_distance():
    right, wrong = torch.tensor([[20.0, 0, 0, 0, 20]]), torch.tensor([[0.0, 20, 0, 0, 20]])
    told = torch.tensor([[1.0, 0, 0, 0, 1]])
    assert classification_loss(right, told, CODES).item() == pytest.approx(0, abs=1e-6)
    assert classification_loss(wrong, told, CODES).item() == pytest.approx(20 / 2, abs=1e-6)


def gradients(config: Config, order: str, players: str) -> list[torch.Tensor]:
    """What the optimisers are given in one step."""
    pictures = make_pictures(64, config.size, config.channels)
    trainer, found = Trainer(config.changed(update_order=order), pictures), []
    trainer._apply = lambda grads, opt: found.extend(grads)
    trainer.step(players)
    return found


@pytest.mark.parametrize("order", ["alternate", "alternate-same-noise", "simultaneous"])
@pytest.mark.parametrize(
    "told", [{"classes": 10}, {"clusters": 4}, {"attributes": "2,2,2"}], ids=["classes", "groups", "attributes"]
)
def test_both_players_learn_from_it_in_proportion_to_its_weight(order, told):
    config = TOLD.changed(**told)
    for players in ("d", "g"):
        small, twice, thrice = (
            torch.cat([g.flatten() for g in gradients(config.changed(classifier_weight=w), order, players)])
            for w in (1.0, 2.0, 3.0)
        )
        assert (twice - small).norm() > 1e-6
        torch.testing.assert_close(thrice - twice, twice - small, rtol=1e-3, atol=1e-5)


def test_it_learns_to_read_real_pictures():
    trainer = Trainer(TOLD.changed(classes=10, d_lr=2e-3, batch=32), make_pictures(64))
    x, c = trainer.data.batch(0, 64, trainer.rng)

    def wrong() -> float:
        with torch.no_grad():
            look = trainer._look(x, c, trainer.rng)
            shown = trainer.D.classifier(look.features)
        return classification_loss(shown, as_mixture(c, 10), (10,)).mean().item()

    before = wrong()
    for _ in range(40):
        trainer.step("d")
    assert wrong() < 0.3 * before


def test_without_a_weight_there_is_no_classifier_and_the_others_begin_as_ever():
    rngs = (torch.Generator().manual_seed(0) for _ in range(2))
    config = TOLD.changed(classes=10)
    with_it, without = (
        build_discriminator(config.changed(classifier_weight=w), rng).state_dict()
        for w, rng in zip((1.0, 0.0), rngs, strict=True)
    )
    assert set(with_it) - set(without) == {"classifier.weight", "classifier.bias"}
    assert all(torch.equal(value, with_it[name]) for name, value in without.items())


@pytest.mark.parametrize(
    ("changes", "setting"),
    [({}, "classifier_weight"), ({"classes": 10, "update_order": "split"}, "update_order")],
    ids=["nothing is told", "split"],
)
def test_what_it_does_not_go_with_is_refused_in_words(changes, setting):
    with pytest.raises(ConfigError, match="auxiliary classifier") as error:
        check_config(TOLD.changed(**changes))
    assert f"({setting})" in str(error.value)
