"""What a discriminator looked at, and what each layer makes: closed forms, and agreement with an independent way."""

import pytest
import torch
from torch import nn

from gan.inspection.networks import MOST_MAPS, feature_maps, heat_map, shown_maps
from gan.models import MODELS, build_discriminator, build_generator
from gan.recipes.catalog import RECIPES, make_config

RNG = torch.Generator().manual_seed(2)
X = torch.rand(1, 3, 6, 6, generator=RNG) * 2 - 1


class Linear(nn.Module):
    """logit = ⟨w, x⟩ + b: its gradient is w, whatever the picture."""

    def __init__(self):
        super().__init__()
        self.w = torch.randn(3, 6, 6, generator=RNG)

    def forward(self, x, c=None):
        return (x * self.w).sum((1, 2, 3)) + 0.5


class Square(nn.Module):
    """logit = ½ |x|²: its gradient is the picture itself."""

    def forward(self, x, c=None):
        return 0.5 * x.square().sum((1, 2, 3))


def test_a_linear_discriminator_looks_everywhere_alike():
    d = Linear()
    for x in (X, -X, torch.zeros_like(X)):
        logit, heat = heat_map(d, x, None)
        assert logit == pytest.approx(((x[0] * d.w).sum() + 0.5).item(), abs=1e-4)
        torch.testing.assert_close(heat, d.w.abs().sum(0))


def test_noise_is_averaged_away():
    """Far from 0 the mean of |x + noise| is |x|; the map is the same each time."""
    x = 3 * X.sign()
    heat = heat_map(Square(), x, None)[1]
    torch.testing.assert_close(heat, x[0].abs().sum(0), atol=0.4, rtol=0)
    assert torch.equal(heat, heat_map(Square(), x, None)[1])


def test_a_discriminator_is_asked_in_its_own_class_and_stays_as_it_was():
    config = make_config("quick-conditional", "mnist", width=8)
    d = build_discriminator(config, torch.Generator().manual_seed(0)).eval().requires_grad_(False)
    nn.init.normal_(d.embed, generator=torch.Generator().manual_seed(1))
    before = {name: t.clone() for name, t in d.state_dict().items()}
    x = torch.rand(1, 1, 28, 28, generator=RNG)
    with torch.inference_mode():  # as the renderer hands it over
        x = x + 0
    three, mixed = heat_map(d, x, torch.tensor([3])), heat_map(d, x, torch.eye(10)[3:4])
    assert three[0] == pytest.approx(mixed[0], abs=1e-5) and not torch.equal(
        three[1], heat_map(d, x, torch.tensor([4]))[1]
    )
    torch.testing.assert_close(three[1], mixed[1])
    assert all(torch.equal(t, before[name]) for name, t in d.state_dict().items())


@pytest.mark.parametrize("recipe", ["quick", "quick-conditional", "dense", "mlp", "dcgan-upsample", "conv-small"])
def test_feature_maps_are_what_the_layers_make_one_after_the_other(recipe):
    config = make_config(recipe, "mnist")
    g = build_generator(config, torch.Generator().manual_seed(0)).eval()
    z = torch.randn(1, config.z_dim, generator=RNG)
    told = g.condition(z, torch.tensor([3]) if config.classes else None)
    found = feature_maps(g, z, told)
    made, x = (
        [],
        torch.cat(
            [
                z,
                *(
                    []
                    if told is None
                    else [nn.functional.one_hot(told, 10).float() if told.dtype == torch.int64 else told]
                ),
            ],
            1,
        ),
    )
    with torch.inference_mode():
        for layer in g.layers:
            x = layer(x)
            made.append(x)
        picture = g(z, told)
    weighted = sum(isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d) for m in g.layers)
    assert len(found) == weighted
    for layer, maps in found:
        assert maps.shape == (layer.channels, layer.side, layer.side)
        assert any(torch.equal(maps.flatten(), x[0].flatten()) for x in made)
    assert torch.equal(found[-1][1], picture[0])
    assert not any(m._forward_hooks for m in g.layers)


def test_every_generator_has_layers_in_words():
    assert {RECIPES[name].config.model for name in RECIPES} <= set(MODELS)
    kinds = [layer.kind for layer, _ in _layers("dcgan-upsample")]
    assert kinds == ["dense", "doubling", "doubling", "convolution"]
    assert [(layer.channels, layer.side) for layer, _ in _layers("quick")] == [(64, 7), (32, 14), (1, 28)]


def _layers(recipe):
    config = make_config(recipe, "mnist")
    g = build_generator(config, torch.Generator().manual_seed(0)).eval()
    z = torch.zeros(1, config.z_dim)
    return feature_maps(g, z, g.condition(z))


def test_maps_are_grey_from_the_lowest_number_to_the_one_that_one_in_a_hundred_exceeds():
    maps = torch.linspace(-2, 6, 100 * 9)[torch.randperm(900, generator=RNG)].reshape(100, 3, 3)
    grey, low, high = shown_maps(maps)
    assert grey.shape == (MOST_MAPS, 1, 3, 3) and low == maps[:MOST_MAPS].min()
    assert (maps[:MOST_MAPS] > high).sum() == MOST_MAPS * 9 // 100
    numbers = grey[:, 0].double() / 255 * (high - low) + low
    torch.testing.assert_close(numbers, maps[:MOST_MAPS].clamp(max=high).double(), atol=0.02, rtol=0)
    assert shown_maps(torch.full((2, 3, 3), 4.0))[0].unique().tolist() == [0]
    wild = shown_maps(torch.tensor([[[torch.inf, torch.nan], [-torch.inf, 1]]]))
    assert wild[0].dtype == torch.uint8 and all(abs(edge) < 4e38 for edge in wild[1:])


def test_numbers_without_a_place_become_a_square():
    grey, low, high = shown_maps(torch.arange(10.0)[:, None, None])
    assert grey.shape == (1, 1, 4, 4) and (low, high) == (0, 9)
    assert grey.flatten()[:10].tolist() == [round(i / 9 * 255) for i in range(10)] and not grey.flatten()[10:].any()
