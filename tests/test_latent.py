"""Latents: seeds, paths, neighbours and principal directions do what geometry says."""

import math

import pytest
import torch
from torch.nn.functional import one_hot

from gan import latent
from gan.latent import Place
from gan.models import MODELS, build_generator
from gan.recipes import RECIPES, make_config


def vectors(z_dim=64):
    return latent.latent_of(1, z_dim), latent.latent_of(2, z_dim)


def generator(recipe="quick", **changes):
    cfg = make_config(recipe, "mnist", **{"z_dim": 64, "clusters": 0} | changes)
    return build_generator(cfg, torch.Generator().manual_seed(0)).eval()


# ---- seeds ----


def test_a_seed_is_a_fixed_latent_and_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert torch.equal(latent.latent_of(3, 64), latent.latent_of(3, 64))
    assert not torch.equal(latent.latent_of(3, 64), latent.latent_of(4, 64))
    assert torch.equal(before, torch.get_rng_state())


def test_latents_of_neighbouring_seeds_are_standard_normal_and_uncorrelated():
    z = torch.cat([latent.latent_of(seed, 64) for seed in range(2000)])
    assert abs(z.mean()) < 0.01 and abs(z.std() - 1) < 0.01
    correlation = (z[:-1] * z[1:]).mean()  # standard error 1 / sqrt(128,000) = 0.003
    assert abs(correlation) < 0.015


# ---- paths ----


@pytest.mark.parametrize("between", [latent.lerp, latent.slerp])
def test_paths_hit_their_ends_exactly(between):
    a, b = vectors()
    assert torch.equal(between(a, b, 0.0), a)
    assert torch.equal(between(a, b, 1.0), b)


def test_slerp_keeps_the_length_of_equally_long_vectors_and_lerp_does_not():
    a, b = vectors()
    b = b * (a.norm() / b.norm())
    t = torch.linspace(0, 1, 11, dtype=torch.float64)[:, None]
    assert torch.allclose(latent.slerp(a, b, t).norm(dim=1), a.norm().expand(11), rtol=1e-6)
    assert latent.lerp(a, b, 0.5).norm() < 0.9 * a.norm()


def test_slerp_turns_at_constant_speed():
    a, b = vectors()
    a, b = a / a.norm(), b / b.norm()
    points = latent.slerp(a, b, torch.linspace(0, 1, 9, dtype=torch.float64)[:, None])
    angles = torch.arccos((points[:-1] * points[1:]).sum(1).clamp(-1, 1))
    assert torch.allclose(angles, angles.mean().expand(8), atol=1e-3)


def test_slerp_of_orthogonal_vectors_is_half_way_their_sum_over_root_two():
    a, b = torch.tensor([[1.0, 0, 0]]), torch.tensor([[0, 1.0, 0]])
    assert torch.allclose(latent.slerp(a, b, 0.5), (a + b) / math.sqrt(2))


def test_slerp_of_parallel_vectors_is_the_straight_line():
    a = latent.latent_of(1, 64)
    assert torch.equal(latent.slerp(a, a, 0.3), a)
    assert torch.allclose(latent.slerp(a, 2 * a, 0.5), 1.5 * a)


def test_slerp_of_opposite_vectors_goes_round_and_not_through_zero():
    a = latent.latent_of(1, 64)
    t = torch.linspace(0, 1, 7, dtype=torch.float64)[:, None]
    points = latent.slerp(a, -a, t)
    assert torch.equal(points[:1], a) and torch.equal(points[-1:], -a)
    assert torch.allclose(points.norm(dim=1), a.norm().expand(7), rtol=1e-6)
    assert abs((points[3] * a[0]).sum()) < 1e-3  # half way is perpendicular


def test_slerp_from_zero_is_finite():
    a, zero = latent.latent_of(1, 8), torch.zeros(1, 8)
    assert torch.allclose(latent.slerp(zero, a, 0.5), a / 2)


def test_the_path_blends_the_classes():
    a, b = vectors()
    two, five = one_hot(torch.tensor([2, 5]), 10).float().split(1)
    z, c = latent.path(a, b, two, five, "slerp", 5)
    assert z.shape == (5, 64) and c.shape == (5, 10)
    assert torch.equal(z[:1], a) and torch.equal(z[-1:], b)
    assert torch.allclose(c.sum(1), torch.ones(5))
    assert c[0].argmax() == 2 and c[0].max() == 1 and c[-1].argmax() == 5 and c[2, 2] == c[2, 5] == 0.5
    assert torch.equal(latent.path(a, b, two, two, "lerp", 5)[1][:, 2], torch.ones(5))
    assert latent.path(a, b, None, None, "lerp", 5)[1] is None


# ---- neighbours ----


def test_neighbours_stay_standard_normal_however_far_the_walk_goes():
    walk = Place(7, tuple((k % 16, 0.6) for k in range(40)))
    z = torch.cat([latent.base_of(Place(seed, walk.steps), 256) for seed in range(50)])
    assert abs(z.std() - 1) < 0.02


def test_neighbours_lie_on_a_circle_and_opposite_ones_are_opposite():
    z, spread = latent.latent_of(0, 64), 0.4
    near = latent.neighbours(z, 16, spread, seed=9)
    away = near - math.sqrt(1 - spread**2) * z
    assert torch.allclose(away[:8], -away[8:], atol=1e-6)
    steps = (away - away.roll(1, 0)).norm(dim=1)
    assert steps.max() < away.norm(dim=1).min()  # the next one round is nearer than the middle is
    assert torch.linalg.matrix_rank(away, tol=1e-3) == 2
    assert torch.equal(latent.neighbour(z, 3, 0.0, 9), z)


def test_clicking_a_neighbour_leads_exactly_there():
    directions = latent.principal_directions(generator())[0]
    here = Place(3, ((5, 0.5), (20, 0.3)), {0: 1.5}, {12: 0.25})
    ring = latent.pushed(
        latent.voting(latent.bases_around(here, 16, 0.4, 64, first=16), here, directions), here, directions
    )
    there = Place(3, (*here.steps, (16 + 7, 0.4)), here.moves, here.sets)
    assert torch.equal(ring[8:9], latent.latent_at(there, 64, directions))


def test_edit_pushes_directions_then_sets_numbers_and_keeps_the_original():
    z, directions = torch.zeros(2, 4), torch.eye(4)[:2]
    edited = latent.edit(z, directions, {1: 2.0}, {0: -1.0, 1: 0.5})
    assert edited.tolist() == [[-1.0, 0.5, 0, 0]] * 2
    assert not z.any()


# ---- principal directions ----


@pytest.mark.parametrize("recipe", ["quick", "quick-conditional", "mlp", "dense", "dcgan-transposed"])
def test_principal_directions_agree_with_svd(recipe):
    network = generator(recipe)
    weight = next(m for m in network.modules() if isinstance(m, torch.nn.Linear)).weight[:, : network.z_dim].double()
    _, values, rows = torch.linalg.svd(weight, full_matrices=False)
    directions, shares = latent.principal_directions(network, 8)
    assert torch.allclose(shares.double(), (values**2 / (values**2).sum())[:8], atol=1e-6)
    assert torch.allclose((directions.double() * rows[:8]).sum(1).abs(), torch.ones(8).double(), atol=1e-4)
    assert torch.allclose(directions @ directions.T, torch.eye(8), atol=1e-5)
    assert all(row[row.abs().argmax()] > 0 for row in directions)


def test_no_direction_moves_the_first_layer_more_than_the_first():
    network = generator("quick-conditional")
    first = next(m for m in network.modules() if isinstance(m, torch.nn.Linear))
    moved = lambda d: (first.weight[:, : network.z_dim] @ d).norm()  # noqa: E731
    directions, shares = latent.principal_directions(network)
    random = torch.randn(500, network.z_dim, generator=torch.Generator().manual_seed(0))
    random /= random.norm(dim=1, keepdim=True)
    assert all(moved(d) <= moved(directions[0]) * (1 + 1e-6) for d in random)
    assert list(shares) == sorted(shares, reverse=True)


def test_small_latents_have_few_directions():
    directions, shares = latent.principal_directions(generator(z_dim=3), 8)
    assert directions.shape == (3, 3) and shares.sum() == pytest.approx(1)


def test_weights_that_are_not_finite_have_no_directions():
    network = generator()
    with torch.no_grad():
        next(network.parameters()).view(-1)[0] = float("nan")
    assert latent.principal_directions(network)[0].shape == (0, 64)


def test_every_network_has_directions():
    models = {recipe.config.model: name for name, recipe in RECIPES.items() if not name.endswith("as-printed")}
    for model in set(models) & set(MODELS):
        assert len(latent.principal_directions(generator(models[model]))[0]) == 8
