"""Objectives and penalties against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from gan.config import Config
from gan.objectives import OBJECTIVES
from gan.penalties import PENALTIES, Round

REAL, FAKE = torch.tensor([0.7, -1.2, 3.0]), torch.tensor([-0.4, 2.0, -5.0])
SIGMOID = torch.sigmoid

CLOSED_FORMS = {
    "non-saturating": (lambda r, f: -SIGMOID(r).log() - (1 - SIGMOID(f)).log(), lambda f: -SIGMOID(f).log()),
    "minimax": (lambda r, f: -SIGMOID(r).log() - (1 - SIGMOID(f)).log(), lambda f: (1 - SIGMOID(f)).log()),
    "least-squares": (lambda r, f: ((r - 1) ** 2 + f**2) / 2, lambda f: (f - 1) ** 2 / 2),
    "hinge": (lambda r, f: (1 - r).clamp(min=0) + (1 + f).clamp(min=0), lambda f: -f),
    "wasserstein": (lambda r, f: f - r, lambda f: -f),
}


def test_every_objective_has_its_closed_form():
    assert set(CLOSED_FORMS) == set(OBJECTIVES)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_losses_are_their_closed_forms_unreduced(name):
    d, g = CLOSED_FORMS[name]
    torch.testing.assert_close(OBJECTIVES[name].d_loss(REAL, FAKE), d(REAL, FAKE))
    torch.testing.assert_close(OBJECTIVES[name].g_loss(FAKE, REAL), g(FAKE))


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


def round_of(D, n: int = 4) -> Round:
    x = torch.randn(n, 1, 2, 2).requires_grad_()
    fake = torch.randn(n, 1, 2, 2)
    return Round(None, D, None, x, None, fake, D(x), D(fake), torch.Generator().manual_seed(0))


def test_penalties_of_a_linear_discriminator():
    D = Linear(torch.tensor([3.0, 0.0, 4.0, 0.0]))  # slope 5 everywhere
    torch.testing.assert_close(PENALTIES["gradient-penalty"](round_of(D)), torch.full((4,), 16.0))
    torch.testing.assert_close(PENALTIES["r1"](round_of(D)), torch.full((4,), 12.5))


@pytest.mark.parametrize("name", [n for n, p in PENALTIES.items() if p])
def test_penalties_can_be_minimised_also_at_slope_zero(name):
    D = Linear(torch.zeros(4))
    (grad,) = torch.autograd.grad(PENALTIES[name](round_of(D)).mean(), D.a)
    assert grad.isfinite().all()
    D = Linear(torch.tensor([3.0, 0.0, 4.0, 0.0]))
    (grad,) = torch.autograd.grad(PENALTIES[name](round_of(D)).mean(), D.a)
    assert math.isclose(grad @ D.a / grad.norm() / D.a.norm(), 1, rel_tol=1e-4)  # points straight at smaller slopes


def test_every_knob_of_the_tables_is_a_name_a_config_takes():
    for objective in OBJECTIVES:
        for penalty in PENALTIES:
            assert Config(objective=objective, penalty=penalty).objective == objective
