"""What networks are told, and latents that choose it as often as pictures have it."""

from __future__ import annotations

import pytest
import torch

from gan.data import catalog
from gan.data.catalog import DATA
from gan.data.codes import code_logit_bias, told_attributes
from gan.data.worlds import WORLDS
from gan.recipes.catalog import make_config
from gan.training.trainer import Trainer


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_votes_fall_as_often_as_the_groups_are_large():
    shares = torch.tensor([0.4, 0.05, 0.25, 0.3, 0.0], dtype=torch.float64)
    odds = code_logit_bias(shares, rng())
    z = torch.randn(200_000, 5, generator=torch.Generator().manual_seed(9))
    found = torch.bincount((z + odds).argmax(1), minlength=5) / len(z)
    assert (found - shares).abs().max() < 0.01 and found[4] == 0


def test_told_attributes_are_one_hots_side_by_side():
    labels = torch.tensor([[0, 2], [1, 0], [1, 1], [0, 0]], dtype=torch.uint8)
    told, shares = told_attributes(labels, (2, 3), rng())
    assert told.tolist() == [[1, 0, 0, 0, 1], [0, 1, 1, 0, 0], [0, 1, 0, 1, 0], [1, 0, 1, 0, 0]]
    assert [each.tolist() for each in shares] == [[0.5, 0.5], [0.5, 0.25, 0.25]]


def test_a_value_that_another_attribute_has_said_is_not_told():
    """The colour of a hat is "none" where there is no hat: of such pictures any is told, as often as of others."""
    hat = torch.arange(9000) % 3
    colour = torch.where(hat == 0, 0, 1 + (torch.arange(9000) // 3 % 4).clamp(max=2))  # the third is twice as frequent
    told, (_, shares) = told_attributes(torch.stack([hat, colour], 1).byte(), (3, 4), rng())
    assert torch.equal(told[:, :3].argmax(1), hat) and torch.equal(told[hat > 0, 3:].argmax(1), colour[hat > 0])
    assert torch.allclose(shares, torch.tensor([0, 0.25, 0.25, 0.5], dtype=torch.float64), atol=0.02)
    without = told[hat == 0, 3:].mean(0)
    assert torch.allclose(without, torch.tensor([0, 0.25, 0.25, 0.5]), atol=0.04)


@pytest.mark.parametrize("name", [name for name, world in WORLDS.items() if world.metric_epochs])
def test_what_latents_choose_of_shipped_drawings_is_what_drawings_show(name):
    """Attributes are told as if they were independent: no two of them say much about each other."""
    codes = DATA[name].attribute_values
    told, _ = told_attributes(catalog.load(name).attributes, codes, rng())
    parts = [part.double() for part in told.split(codes, 1)]
    for b in range(len(parts)):
        for a in range(b):
            both = parts[a].T @ parts[b] / len(told)
            alone = parts[a].mean(0)[:, None] * parts[b].mean(0)
            seen = both > 0
            bits = (both[seen] * (both[seen] / alone[seen]).log2()).sum()
            assert bits < 0.1, (a, b)


def test_a_trainer_tells_attributes_and_latents_choose_them_as_often():
    config = make_config("quick-monsters", width=4, batch=8, data_limit=400)
    trainer = Trainer(config, catalog.load(config.dataset))
    _, c = trainer.data.batch(0, 8, rng())
    assert c.shape == (8, sum(config.codes)) and (c.sum(1) == len(config.codes)).all()
    votes = trainer.G.vote(torch.randn(20_000, config.z_dim, generator=rng())).mean(0)
    assert torch.allclose(votes, trainer.data.labels.mean(0), atol=0.02)
    trainer.step()


def test_in_a_few_pictures_no_value_is_taken_for_another() -> None:
    """With few pictures two attributes agree by chance: what is told stays what the drawings show."""
    labels = catalog.load("monsters").attributes[:9]
    told, _ = told_attributes(labels, codes := DATA["monsters"].attribute_values, rng())
    assert torch.equal(torch.stack([part.argmax(1) for part in told.split(codes, 1)], 1), labels.long())
