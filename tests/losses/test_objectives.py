"""Objectives and penalties against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from gan.core.config import Config
from gan.losses.objectives import OBJECTIVES
from gan.losses.penalties import PENALTIES, DiscriminatorStep

REAL, FAKE = torch.tensor([0.7, -1.2, 3.0]), torch.tensor([-0.4, 2.0, -5.0])
SIGMOID = torch.sigmoid

CLOSED_FORMS = {  # of real and fake logits: D's loss, G's loss
    "non-saturating": (lambda r, f: -SIGMOID(r).log() - (1 - SIGMOID(f)).log(), lambda r, f: -SIGMOID(f).log()),
    "minimax": (lambda r, f: -SIGMOID(r).log() - (1 - SIGMOID(f)).log(), lambda r, f: (1 - SIGMOID(f)).log()),
    "least-squares": (lambda r, f: ((r - 1) ** 2 + f**2) / 2, lambda r, f: (f - 1) ** 2 / 2),
    "hinge": (lambda r, f: (1 - r).clamp(min=0) + (1 + f).clamp(min=0), lambda r, f: -f),
    "wasserstein": (lambda r, f: f - r, lambda r, f: -f),
    "relativistic": (lambda r, f: (1 + (f - r).exp()).log(), lambda r, f: (1 + (r - f).exp()).log()),
}


def test_every_objective_has_its_closed_form():
    assert set(CLOSED_FORMS) == set(OBJECTIVES)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_losses_are_their_closed_forms_unreduced(name):
    d, g = CLOSED_FORMS[name]
    torch.testing.assert_close(OBJECTIVES[name].d_loss(REAL, FAKE), d(REAL, FAKE))
    torch.testing.assert_close(OBJECTIVES[name].g_loss(FAKE, REAL), g(REAL, FAKE))


@pytest.mark.parametrize("name", [n for n, o in OBJECTIVES.items() if not o.compares])
def test_parts_add_up_and_g_asks_for_no_real_logits(name):
    objective = OBJECTIVES[name]
    d_real, d_fake = objective.parts
    torch.testing.assert_close(objective.d_loss(REAL, FAKE), d_real(REAL) + d_fake(FAKE))
    assert torch.equal(objective.g_loss(FAKE, None), objective.g_loss(FAKE, REAL))


def test_relativistic_losses_by_hand_and_blind_to_a_shift_of_all_scores():
    """softplus(1) and softplus(-1); adding a constant to D changes nothing, so its score alone is no probability."""
    objective, real, fake = OBJECTIVES["relativistic"], torch.tensor([2.0]), torch.tensor([3.0])
    assert objective.d_loss(real, fake).item() == pytest.approx(1.3132617)
    assert objective.g_loss(fake, real).item() == pytest.approx(0.3132617)
    torch.testing.assert_close(objective.d_loss(REAL + 7, FAKE + 7), objective.d_loss(REAL, FAKE))
    assert objective.compares and not objective.is_probability


@pytest.mark.parametrize("name", [n for n, o in OBJECTIVES.items() if o.is_probability])
def test_label_smoothing_is_cross_entropy_with_a_softer_target_for_real_pictures(name):
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    smoothed = OBJECTIVES[name].smoothed(0.1)
    expected = bce(REAL, torch.full((3,), 0.9), reduction="none") + bce(FAKE, torch.zeros(3), reduction="none")
    torch.testing.assert_close(smoothed.d_loss(REAL, FAKE), expected)
    torch.testing.assert_close(smoothed.parts[0](REAL) + smoothed.parts[1](FAKE), expected)
    torch.testing.assert_close(smoothed.g_loss(FAKE, None), OBJECTIVES[name].g_loss(FAKE, None))
    belief = torch.tensor([0.8, 0.9, 0.99]).logit().requires_grad_()
    (slope,) = torch.autograd.grad(smoothed.parts[0](belief).sum(), belief)
    assert slope.tolist() == pytest.approx([-0.1, 0, 0.09], abs=1e-6)  # surer than 0.9 costs
    assert OBJECTIVES[name].smoothed(0.0) is OBJECTIVES[name]


@pytest.mark.parametrize("name", ["non-saturating", "minimax"])
def test_bce_agrees_with_pytorchs_and_stays_finite_at_extreme_logits(name):
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    expected = bce(REAL, torch.ones(3), reduction="none") + bce(FAKE, torch.zeros(3), reduction="none")
    torch.testing.assert_close(OBJECTIVES[name].d_loss(REAL, FAKE), expected)
    huge = torch.tensor([1e4, -1e4])
    assert OBJECTIVES[name].d_loss(-huge, huge).isfinite().all()


def test_minimax_and_non_saturating_pull_the_same_way_but_minimax_vanishes():
    logit = torch.tensor(-12.0, requires_grad=True)  # D is sure that it is fake
    slopes = {
        n: torch.autograd.grad(OBJECTIVES[n].g_loss(logit, None), logit)[0] for n in ("minimax", "non-saturating")
    }
    assert slopes["minimax"] < 0 and slopes["non-saturating"] < 0
    assert abs(slopes["minimax"]) < 1e-4 and abs(slopes["non-saturating"]) > 0.99


class Linear(torch.nn.Module):
    """A discriminator whose slope is known: logit = a · x."""

    def __init__(self, a: torch.Tensor) -> None:
        super().__init__()
        self.a = torch.nn.Parameter(a)

    def forward(self, x, c=None, rng=None):
        return x.flatten(1) @ self.a


class Quadratic(Linear):
    """logit = ½ Σ a x², whose slope a x is another at every picture."""

    def forward(self, x, c=None, rng=None):
        return 0.5 * x.flatten(1).square() @ self.a


def round_of(D, n: int = 4) -> DiscriminatorStep:
    x = torch.randn(n, 1, 2, 2).requires_grad_()
    fake = torch.randn(n, 1, 2, 2).requires_grad_()
    return DiscriminatorStep(None, D, None, x, None, fake, D(x), D(fake), torch.Generator().manual_seed(0))


# What each penalty is where D's slope is everywhere 5.
OF_SLOPE_FIVE = {"gradient-penalty": 16.0, "zero-centred": 25.0, "r1": 12.5, "r2": 12.5, "r1+r2": 25.0}


@pytest.mark.parametrize("name", [n for n, p in PENALTIES.items() if p])
def test_penalties_of_a_linear_discriminator(name):
    D = Linear(torch.tensor([3.0, 0.0, 4.0, 0.0]))
    torch.testing.assert_close(PENALTIES[name].cost(round_of(D)), torch.full((4,), OF_SLOPE_FIVE[name]))


@pytest.mark.parametrize("name", [n for n, p in PENALTIES.items() if p])
def test_penalties_look_at_their_own_pictures(name):
    """A quadratic D has the slope a x, so each penalty tells where it looked."""
    a = torch.tensor([1.0, -2.0, 0.5, 3.0])
    r = round_of(Quadratic(a))
    t = torch.rand(4, 1, generator=torch.Generator().manual_seed(0))
    x, fake = r.x.detach().flatten(1), r.fake.detach().flatten(1)
    at_real, at_fake, between = ((a * p).norm(dim=1) for p in (x, fake, t * x + (1 - t) * fake))
    expected = {
        "gradient-penalty": (between - 1) ** 2,
        "zero-centred": between**2,
        "r1": at_real**2 / 2,
        "r2": at_fake**2 / 2,
        "r1+r2": (at_real**2 + at_fake**2) / 2,
    }
    torch.testing.assert_close(PENALTIES[name].cost(r), expected[name])


@pytest.mark.parametrize("name", [n for n, p in PENALTIES.items() if p])
def test_penalties_can_be_minimised_also_at_slope_zero(name):
    D = Linear(torch.zeros(4))
    (grad,) = torch.autograd.grad(PENALTIES[name].cost(round_of(D)).mean(), D.a)
    assert grad.isfinite().all()
    D = Linear(torch.tensor([3.0, 0.0, 4.0, 0.0]))
    (grad,) = torch.autograd.grad(PENALTIES[name].cost(round_of(D)).mean(), D.a)
    assert math.isclose(
        torch.cosine_similarity(grad, D.a.detach(), 0), 1, rel_tol=1e-4
    )  # points straight at smaller slopes


def test_every_knob_of_the_tables_is_a_name_a_config_takes():
    for objective in OBJECTIVES:
        for penalty in PENALTIES:
            assert Config(objective=objective, penalty=penalty).objective == objective
