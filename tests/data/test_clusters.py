"""Groups found without labels, and latents that vote for them."""

from __future__ import annotations

import pytest
import torch

from gan.data import catalog
from gan.data.catalog import DATA
from gan.data.clusters import code_logit_bias, find_clusters, told_attributes
from gan.data.worlds import WORLDS
from gan.models import build_generator
from gan.recipes.catalog import RECIPES, make_config
from gan.training.trainer import Trainer
from tests.conftest import make_pictures


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def blocks(n: int = 400) -> tuple[torch.Tensor, torch.Tensor]:
    """Four kinds of pictures [n, 1, 28, 28], each bright in a quarter of its own, with noise; the fourth is rare."""
    kinds = torch.arange(n) % 10
    kinds = torch.where(kinds == 0, 3, kinds % 3)
    images = torch.randint(0, 60, (n, 1, 28, 28), generator=rng(), dtype=torch.uint8)
    for i, kind in enumerate(kinds.tolist()):
        row, column = divmod(kind, 2)
        images[i, :, 14 * row : 14 * row + 14, 14 * column : 14 * column + 14] += 180
    return images, kinds


def test_groups_are_the_kinds_that_are_there():
    images, kinds = blocks()
    labels, shares = find_clusters(images, 4, rng())
    found = {(int(a), int(b)) for a, b in zip(kinds, labels, strict=True)}
    assert len(found) == 4  # one group for each kind and one kind for each group
    assert sorted(shares.tolist()) == [0.1, 0.3, 0.3, 0.3]


@pytest.mark.slow
def test_groups_do_not_depend_on_the_number_of_threads():
    images = make_pictures(3000).images
    one = find_clusters(images, 20, rng())[0]
    torch.set_num_threads(2)
    assert torch.equal(one, find_clusters(images, 20, rng())[0])


def test_few_pictures_have_few_groups():
    labels, shares = find_clusters(make_pictures(120).images, 50, rng())
    assert set(labels.tolist()) <= {0, 1} and len(shares) == 50 and shares.sum() == 1


def test_votes_fall_as_often_as_the_groups_are_large():
    shares = torch.tensor([0.4, 0.05, 0.25, 0.3, 0.0], dtype=torch.float64)
    odds = code_logit_bias(shares, rng())
    z = torch.randn(200_000, 5, generator=torch.Generator().manual_seed(9))
    found = torch.bincount((z + odds).argmax(1), minlength=5) / len(z)
    assert (found - shares).abs().max() < 0.01 and found[4] == 0


def test_the_generator_draws_the_group_its_latent_votes_for():
    cfg = RECIPES["quick"].config.changed(clusters=8)
    G = build_generator(cfg, rng()).eval()
    G.odds.copy_(torch.linspace(-1, 1, 8))
    z = torch.randn(64, cfg.z_dim, generator=rng())
    votes = G.vote(z)
    torch.testing.assert_close(votes.sum(1), torch.ones(64))
    assert torch.equal(votes.argmax(1), (z[:, :8] + G.odds).argmax(1))
    assert (votes.amax(1) > 0.95).float().mean() > 0.7  # nearly always one group alone
    assert torch.equal(G(z), G(z, votes))


def test_real_and_generated_pictures_are_judged_within_their_groups(random_pictures):
    trainer = Trainer(RECIPES["quick"].config.changed(batch=8, clusters=5), random_pictures)
    _, c = trainer._batch(0)
    fakes = trainer._generate(8, c)
    assert c.dtype == torch.int64 and int(c.max()) < 5
    torch.testing.assert_close(fakes.c, trainer.G.vote(fakes.z))
    shares = torch.bincount(trainer.data.labels, minlength=5) / len(random_pictures.images)
    z = torch.randn(20_000, trainer.config.z_dim, generator=rng())
    found = torch.bincount(trainer.G.vote(z).argmax(1), minlength=5) / len(z)
    assert (found - shares).abs().max() < 0.02


# ---- attributes that are told ----


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
    codes = [len(attribute.values) for attribute in DATA[name].attributes.values()]
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
