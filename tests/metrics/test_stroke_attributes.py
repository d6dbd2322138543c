"""Attributes measured on drawn bars are those they were drawn with."""

import math

import pytest
import torch

from gan.data import catalog
from gan.metrics import stroke_attributes
from gan.metrics.stroke_attributes import distances, ink_of, measure, thickness


def bar(width: float, degrees: float = 0.0, height: float = 30.0, size: int = 32) -> torch.Tensor:
    """Ink [1, S, S] of a bar `width` pixels across, sheared to the right by so many degrees; edges are soft."""
    fine = 16
    at = (torch.arange(size * fine) + 0.5) / fine - size / 2
    y, x = torch.meshgrid(at, at, indexing="ij")
    inside = ((x + y * math.tan(math.radians(degrees))).abs() <= width / 2) & (y.abs() <= height / 2)
    return torch.nn.functional.avg_pool2d(inside.float()[None, None], fine)[0]


@pytest.mark.parametrize("width", [2.0, 3.0, 4.5, 6.0])
def test_thickness_is_the_width_of_a_bar(width):
    long = bar(width, height=40)  # leaves the picture at both ends
    assert thickness(long).item() == pytest.approx(width, abs=0.15)
    assert thickness(long.mT).item() == pytest.approx(width, abs=0.15)


def test_thickness_is_across_the_stroke_and_not_across_the_page():
    assert thickness(bar(4, 45, height=40)).item() == pytest.approx(4 * math.cos(math.radians(45)), abs=0.25)


@pytest.mark.parametrize("degrees", [-30.0, -10.0, 0.0, 20.0, 35.0])
def test_slant_is_the_angle_of_a_sheared_bar(degrees):
    assert stroke_attributes.slant(bar(3, degrees, height=18)).item() == pytest.approx(degrees, abs=0.5)


def test_width_and_height_are_those_of_a_rectangle_however_it_leans():
    for degrees in (0.0, 20.0):
        found = measure(bar(7, degrees, height=16))
        assert found["width"].item() == pytest.approx(7, abs=0.2)
        assert found["height"].item() == pytest.approx(16, abs=0.2)
        assert found["ink"].item() == pytest.approx(7 * 16, rel=0.01)


def test_distances_are_the_euclidean_ones():
    mask = torch.rand(3, 18, 23, generator=torch.Generator().manual_seed(0)) > 0.2
    mask[2, 4:16, 3:20] = True
    for one, found in zip(mask, distances(mask), strict=True):
        paper = torch.nonzero(~one).double()
        nearest = torch.cdist(torch.nonzero(one).double(), paper).amin(1)
        assert torch.allclose(found[one].double(), nearest, atol=1e-4) and not found[~one].any()


def test_a_picture_does_not_depend_on_its_batch_and_an_empty_one_measures_nothing():
    ink = ink_of(catalog.load("mnist", "test").images[:12])
    together = measure(ink)
    for i in range(12):
        for name, value in measure(ink[i : i + 1]).items():
            assert value.item() == pytest.approx(together[name][i].item(), abs=1e-4)
    assert all(value.item() == 0 for value in measure(torch.zeros(1, 28, 28)).values())
