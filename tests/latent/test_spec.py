"""Latents: seeds, paths, neighbours and principal directions do what geometry says."""

import math

import pytest
import torch

from gan.core.noise import latent_of
from gan.latent import spec as specs
from gan.latent.spec import LatentSpec
from gan.models import MODELS, build_generator
from gan.recipes.catalog import RECIPES, make_config


def vectors(z_dim=64):
    return latent_of(1, z_dim), latent_of(2, z_dim)


def generator(recipe="quick", **changes):
    cfg = make_config(recipe, "mnist", **{"z_dim": 64, "clusters": 0} | changes)
    return build_generator(cfg, torch.Generator().manual_seed(0)).eval()


# ---- seeds ----


def test_a_seed_is_a_fixed_latent_and_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert torch.equal(latent_of(3, 64), latent_of(3, 64))
    assert not torch.equal(latent_of(3, 64), latent_of(4, 64))
    assert torch.equal(before, torch.get_rng_state())


def test_latents_of_neighbouring_seeds_are_standard_normal_and_uncorrelated():
    z = torch.cat([latent_of(seed, 64) for seed in range(2000)])
    assert abs(z.mean()) < 0.01 and abs(z.std() - 1) < 0.01
    correlation = (z[:-1] * z[1:]).mean()  # standard error 1 / sqrt(128,000) = 0.003
    assert abs(correlation) < 0.015


# ---- neighbours ----


def test_neighbours_stay_standard_normal_however_far_the_walk_goes():
    walk = LatentSpec(7, tuple((k % 16, 0.6) for k in range(40)))
    z = torch.cat([specs.base_of(LatentSpec(seed, walk.walk), 256) for seed in range(50)])
    assert abs(z.std() - 1) < 0.02


def test_neighbours_lie_on_a_circle_and_opposite_ones_are_opposite():
    z, spread = latent_of(0, 64), 0.4
    near = specs.neighbours(z, 16, spread, seed=9)
    away = near - math.sqrt(1 - spread**2) * z
    assert torch.allclose(away[:8], -away[8:], atol=1e-6)
    steps = (away - away.roll(1, 0)).norm(dim=1)
    assert steps.max() < away.norm(dim=1).min()  # the next one round is nearer than the middle is
    assert torch.linalg.matrix_rank(away, tol=1e-3) == 2
    assert torch.equal(specs.neighbour(z, 3, 0.0, 9), z)


def test_clicking_a_neighbour_leads_exactly_there():
    directions = specs.principal_directions(generator())[0]
    here = LatentSpec(3, ((5, 0.5), (20, 0.3)), {0: 1.5}, {12: 0.25})
    ring = specs.final_latents(
        specs.cluster_latents(specs.bases_around(here, 16, 0.4, 64, first=16), here, directions), here, directions
    )
    there = LatentSpec(3, (*here.walk, (16 + 7, 0.4)), here.principal, here.fixed)
    assert torch.equal(ring[8:9], specs.latent_at(there, 64, directions))


def test_edit_pushes_directions_then_sets_numbers_and_keeps_the_original():
    z, directions = torch.zeros(2, 4), torch.eye(4)[:2]
    edited = specs.edit(z, directions, {1: 2.0}, {0: -1.0, 1: 0.5})
    assert edited.tolist() == [[-1.0, 0.5, 0, 0]] * 2
    assert not z.any()


# ---- principal directions ----


@pytest.mark.parametrize("recipe", ["quick", "quick-conditional", "mlp", "dense", "dcgan-transposed"])
def test_principal_directions_agree_with_svd(recipe):
    network = generator(recipe)
    weight = next(m for m in network.modules() if isinstance(m, torch.nn.Linear)).weight[:, : network.z_dim].double()
    _, values, rows = torch.linalg.svd(weight, full_matrices=False)
    directions, shares = specs.principal_directions(network, 8)
    assert torch.allclose(shares.double(), (values**2 / (values**2).sum())[:8], atol=1e-6)
    assert torch.allclose((directions.double() * rows[:8]).sum(1).abs(), torch.ones(8).double(), atol=1e-4)
    assert torch.allclose(directions @ directions.T, torch.eye(8), atol=1e-5)
    assert all(row[row.abs().argmax()] > 0 for row in directions)


def test_no_direction_moves_the_first_layer_more_than_the_first():
    network = generator("quick-conditional")
    first = next(m for m in network.modules() if isinstance(m, torch.nn.Linear))
    moved = lambda d: (first.weight[:, : network.z_dim] @ d).norm()  # noqa: E731
    directions, shares = specs.principal_directions(network)
    random = torch.randn(500, network.z_dim, generator=torch.Generator().manual_seed(0))
    random /= random.norm(dim=1, keepdim=True)
    assert all(moved(d) <= moved(directions[0]) * (1 + 1e-6) for d in random)
    assert list(shares) == sorted(shares, reverse=True)


def test_small_latents_have_few_directions():
    directions, shares = specs.principal_directions(generator(z_dim=3), 8)
    assert directions.shape == (3, 3) and shares.sum() == pytest.approx(1)


def test_weights_that_are_not_finite_have_no_directions():
    network = generator()
    with torch.no_grad():
        next(network.parameters()).view(-1)[0] = float("nan")
    assert specs.principal_directions(network)[0].shape == (0, 64)


def test_every_network_has_directions():
    models = {recipe.config.model: name for name, recipe in RECIPES.items() if not name.endswith("as-printed")}
    for model in set(models) & set(MODELS):
        assert len(specs.principal_directions(generator(models[model]))[0]) == 8
