"""Groups found without labels, and latents that vote for them."""

from __future__ import annotations

import pytest
import torch

from gan.data.clusters import find_clusters
from gan.models import build_generator
from gan.recipes.catalog import RECIPES
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
