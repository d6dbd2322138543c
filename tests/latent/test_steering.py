"""Directions fitted to one picture: shears by closed form, the descent on a quadratic, then digits."""

import pytest
import torch
from torch import nn

from gan.core.images import to_uint8
from gan.core.noise import latent_of
from gan.core.paths import WEIGHTS
from gan.latent import directions, steering
from gan.latent.steering import descend, sheared, steer
from gan.metrics.stroke_attributes import ink_of, slant
from gan.models import weights_file
from tests.metrics.test_stroke_attributes import bar


def drawn(degrees: float) -> torch.Tensor:
    """A bar as a generator draws it, [1, 1, 32, 32] in [-1, 1]."""
    return 2 * bar(3, degrees, height=18)[:, None] - 1


@pytest.mark.parametrize(("before", "more"), [(0.0, 15.0), (-20.0, 12.0), (25.0, -40.0), (10.0, 0.0)])
def test_a_sheared_bar_leans_by_so_much_more_and_its_rows_keep_their_ink(before, more):
    found = sheared(drawn(before), more)
    ink, was = ((picture[:, 0] + 1) / 2 for picture in (found, drawn(before)))
    assert slant(ink).item() == pytest.approx(before + more, abs=0.7)
    assert torch.allclose(ink.sum(2), was.sum(2), atol=0.15)
    assert found.min() >= -1 and found.max() <= 1


def test_the_slope_of_slant_is_that_of_finite_differences():
    ink = bar(3, 12, height=18).double().requires_grad_(True)
    (slope,) = torch.autograd.grad(slant(ink).sum(), ink)
    toward = torch.randn(ink.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    step = 1e-6 * toward
    difference = (slant(ink.detach() + step) - slant(ink.detach() - step)) / 2e-6
    assert difference.item() == pytest.approx((slope * toward).sum().item(), rel=1e-5)


def test_descent_finds_the_lowest_point_of_a_quadratic_and_never_climbs():
    rng = torch.Generator().manual_seed(0)
    half = torch.randn(6, 6, generator=rng)
    bend, low = half @ half.T + torch.eye(6), torch.randn(6, generator=rng)
    seen = []

    def look(x: torch.Tensor) -> tuple[float, torch.Tensor]:
        away = x - low
        seen.append(float(away @ bend @ away) / 2)
        return seen[-1], bend @ away

    assert torch.allclose(descend(look, torch.zeros(6), 30), low, atol=1e-3)
    reached = [look(descend(look, torch.zeros(6), rounds))[0] for rounds in range(12)]
    assert reached == sorted(reached, reverse=True)
    assert torch.equal(descend(look, low, 5), low)


@pytest.fixture(scope="module", params=["mnist", "mnist-conditional"])
def network(request):
    return weights_file.build(weights_file.load(WEIGHTS / f"{request.param}.safetensors"))


@pytest.mark.slow
def test_a_digit_leans_evenly_and_as_far_as_promised(network):
    seen = directions.look(network, "mnist", n=200)
    for seed in range(4):
        z = latent_of(seed, network.z_dim)
        told = network.condition(z, torch.tensor([4]) if network.classes else None)
        found = steer(network, z, told, seen.measured)
        assert set(found) == {"slant"}
        with torch.inference_mode():
            pictures = [to_uint8(network(z + amount * found["slant"], told)) for amount in range(-3, 4)]
        leans = slant(ink_of(torch.cat(pictures)))
        assert (leans.diff() > 1).all() and leans[-1] - leans[0] == pytest.approx(6 * steering.PACE, abs=4)
        assert torch.equal(found["slant"], steer(network, z, told, seen.measured)["slant"])


def test_what_is_not_there_is_not_fitted_and_an_empty_picture_keeps_the_common_direction():
    class Paper(nn.Module):
        def forward(self, z, told=None):
            return -1 + 0 * z.sum() + torch.zeros(len(z), 1, 28, 28)

    z, common = torch.zeros(1, 5), torch.eye(5)[0]
    assert steer(Paper(), z, None, {"thickness": common}) == {}
    assert torch.equal(steer(Paper(), z, None, {"slant": common})["slant"], common)
