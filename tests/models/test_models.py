"""Networks: shapes, and agreement with the definitions of the frameworks the articles were written for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from gan.core.config import ConfigError
from gan.models import MODELS, build_discriminator, build_generator, check_networks
from gan.models.layers import (
    FEW,
    Dropout,
    SameConv,
    SameConvTranspose,
    SameConvTranspose5,
    UpsampleConv,
    batch_norm,
    same_padding,
)
from gan.recipes.catalog import RECIPES

TRAINABLE = [m for m in MODELS if m != "conv-small-as-printed"]


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.slow
@pytest.mark.parametrize(("classes", "clusters"), [(0, 0), (10, 0), (0, 20)])
@pytest.mark.parametrize(("size", "channels"), [(28, 1), (28, 3), (32, 1), (32, 3)])
@pytest.mark.parametrize("model", TRAINABLE)
def test_every_model_makes_and_judges_every_shape(model, size, channels, classes, clusters):
    kinds = {"classes": classes, "clusters": clusters}
    cfg = RECIPES["quick"].config.changed(model=model, size=size, channels=channels, **kinds)
    G, D = build_generator(cfg, rng()), build_discriminator(cfg, rng())
    z = torch.randn(3, cfg.z_dim)
    c = G.condition(z, torch.arange(3) if classes else None)
    assert c is None or torch.is_floating_point(c) == (clusters > 0)
    x = G(z, c, rng())
    assert x.shape == (3, channels, size, size)
    assert x.abs().max() <= 1
    assert D(x, c, rng()).shape == (3,)


@pytest.mark.parametrize("model", [m for m in TRAINABLE if m not in ("quick", "skip")])
def test_number_of_weights_is_that_of_the_article(model):
    """Counted by hand from the printed layer lists (biases and batch-norm scales included)."""
    cfg = next(r.config for r in RECIPES.values() if r.config.model == model)
    counted = {
        "dense": (100 * 128 + 128 + 2 * 128 + 128 * 784 + 784, 784 * 128 + 128 + 128 + 1),
        "mlp": (
            100 * 128 + 128 + 128 * 256 + 256 + 512 + 256 * 512 + 512 + 1024 + 512 * 784 + 784,
            784 * 512 + 512 + 512 * 256 + 256 + 256 + 1,
        ),
        "dcgan-upsample": (
            100 * 6272 + 6272 + 9 * 128 * 128 + 128 + 256 + 9 * 128 * 64 + 64 + 128 + 9 * 64 + 1,
            (9 * 32 + 32) + (9 * 32 * 64 + 64 + 128) + (9 * 64 * 128 + 128 + 256) + (9 * 128 * 256 + 256 + 512)
            + 256 * 16 + 1,
        ),
        "dcgan-transposed": (
            100 * 12544 + 2 * 12544 + 25 * 256 * 128 + 256 + 25 * 128 * 64 + 128 + 25 * 64,
            25 * 64 + 64 + 25 * 64 * 128 + 128 + 128 * 49 + 1,
        ),
        "conv-small": (100 * 392 + 392 + 16 * 8 * 64 + 64 + 16 * 64 + 1, 16 * 64 + 64 + 64 * 196 + 1),
    }[model]  # fmt: skip
    found = tuple(
        sum(p.numel() for p in n.parameters()) for n in (build_generator(cfg, rng()), build_discriminator(cfg, rng()))
    )
    assert found == counted


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "expected"),
    [
        (28, 3, 2, (0, 1)),
        (28, 5, 2, (1, 2)),
        (28, 4, 2, (1, 1)),
        (14, 3, 2, (0, 1)),
        (7, 3, 1, (1, 1)),
        (8, 3, 2, (0, 1)),
    ],
)
def test_same_padding_is_tensorflows(size, kernel, stride, expected):
    assert same_padding(size, kernel, stride) == expected


def same_conv_by_definition(x: np.ndarray, w: np.ndarray, stride: int) -> np.ndarray:
    """TensorFlow's definition, term by term: x [H, W], w [k, k]."""
    k, out = len(w), -(-len(x) // stride)
    before = max((out - 1) * stride + k - len(x), 0) // 2
    y = np.zeros((out, out))
    for i in range(out):
        for j in range(out):
            for a in range(k):
                for b in range(k):
                    r, c = i * stride + a - before, j * stride + b - before
                    if 0 <= r < len(x) and 0 <= c < len(x):
                        y[i, j] += x[r, c] * w[a, b]
    return y


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (4, 2), (5, 1), (5, 2)])
@pytest.mark.parametrize("size", [7, 8, 14])
def test_same_conv_agrees_with_the_definition(size, kernel, stride):
    layer = SameConv(1, 1, kernel, stride, bias=False)
    x = np.random.default_rng(0).normal(size=(size, size))
    expected = same_conv_by_definition(x, layer.weight.detach().numpy()[0, 0], stride)
    found = layer(torch.tensor(x[None, None], dtype=torch.float32))[0, 0].detach().numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_upsample_conv_is_doubling_then_a_convolution():
    layer = UpsampleConv(3, 5).double()
    x = torch.randn(2, 3, 7, 6, dtype=torch.double)
    doubled = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    expected = nn.functional.conv2d(doubled, layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize(("kernel", "stride"), [(5, 1), (5, 2), (4, 2), (3, 2)])
def test_same_conv_transpose_is_the_adjoint_of_same_conv(kernel, stride):
    """⟨conv(x), y⟩ = ⟨x, convT(y)⟩ with the same kernel: how Keras defines Conv2DTranspose."""
    up = SameConvTranspose(3, 2, kernel, stride, bias=False).double()
    down = SameConv(2, 3, kernel, stride, bias=False).double()
    down.weight = nn.Parameter(up.weight.detach())
    y = torch.randn(1, 3, 7, 7, dtype=torch.double)
    x = torch.randn(1, 2, 7 * stride, 7 * stride, dtype=torch.double)
    assert up(y).shape == x.shape
    torch.testing.assert_close((down(x) * y).sum(), (x * up(y)).sum())


@pytest.mark.parametrize("side", [4, 7, 8, 9])
def test_fewer_multiplications_give_the_same_convolution(side):
    fast, plain = SameConvTranspose5(3, 5).double(), SameConvTranspose(3, 5, 5, 1, bias=False).double()
    plain.weight = fast.weight
    x = torch.randn(FEW, 3, side, side, dtype=torch.double, requires_grad=True)
    torch.testing.assert_close(fast(x), plain(x))
    gradients = [torch.autograd.grad(layer(x).sin().sum(), (x, fast.weight)) for layer in (fast, plain)]
    torch.testing.assert_close(*gradients)


def test_fewer_multiplications_lose_little_in_single_precision():
    layer = SameConvTranspose5(256, 128)
    nn.init.normal_(layer.weight, std=0.02)
    x = torch.randn(FEW, 256, 7, 7)
    exact = nn.functional.conv_transpose2d(x.double(), layer.weight.double(), padding=2)
    assert (layer(x) - exact).square().mean().sqrt() < 1e-5 * exact.square().mean().sqrt()


def test_keras_batch_norm_momentum_and_epsilon():
    bn = batch_norm(4, 0.8)
    x = torch.randn(64, 4, 5, 5) * 3 + 2
    bn.train()(x)
    torch.testing.assert_close(bn.running_mean, 0.2 * x.mean((0, 2, 3)))
    assert bn.eps == 1e-3


def test_first_weights_follow_the_frameworks():
    keras = build_discriminator(RECIPES["dcgan-transposed"].config, rng())
    kernel = keras.features[0].weight
    limit = (6 / (25 * 1 + 25 * 64)) ** 0.5  # Glorot: fan_in and fan_out count the kernel's area
    assert 0.95 * limit < kernel.abs().max() <= limit
    assert keras.head.bias.abs().max() == 0
    pytorch = build_generator(RECIPES["mlp"].config, rng()).layers[0]
    assert 0.95 / 10 < pytorch.weight.abs().max() <= 1 / 10
    assert 0 < pytorch.bias.abs().max() <= 1 / 10


@pytest.mark.slow
def test_building_draws_nothing_from_the_global_generator():
    before = torch.get_rng_state()
    cfg = RECIPES["quick"].config.changed(spectral_norm=True)
    a, b = build_discriminator(cfg, rng(3)), build_discriminator(cfg, rng(3))
    assert torch.equal(torch.get_rng_state(), before)
    for (name, p), q in zip(a.state_dict().items(), b.state_dict().values(), strict=True):
        assert torch.equal(p, q), name


def test_spectral_norm_makes_every_layer_of_norm_one():
    cfg = RECIPES["quick"].config.changed(spectral_norm=True, clusters=0)
    D = build_discriminator(cfg, rng())
    D.train()
    for _ in range(30):
        D(torch.randn(4, 1, 28, 28), None, rng())
    layers = [m for m in D.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    assert len(layers) >= 3
    for m in layers:
        assert torch.linalg.matrix_norm(m.weight.detach().flatten(1), 2).item() == pytest.approx(1, abs=0.05)


def test_dropout_keeps_the_mean_and_draws_from_its_generator():
    layer, x = Dropout(0.25).train(), torch.ones(200, 200)
    a, b = layer(x, rng(1)), layer(x, rng(1))
    assert torch.equal(a, b)
    assert not torch.equal(a, layer(x, rng(2)))
    assert a.mean() == pytest.approx(1, abs=0.02)
    assert a.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert torch.equal(layer.eval()(x, None), x)


@pytest.mark.parametrize("p", [0.25, 0.3, 0.5])
@pytest.mark.parametrize("shape", [(64, 64, 14, 14), (5, 3, 7, 7), (1, 1)])
def test_dropout_loses_its_share_in_any_layout(p, shape):
    x = torch.ones(shape).requires_grad_()
    if x.dim() == 4:
        x = torch.ones(shape).to(memory_format=torch.channels_last).requires_grad_()
    y = Dropout(p).train()(x, rng(1))
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert y.stride() == x.stride() and torch.equal(slope, y)  # the way back loses the same numbers
    kept = y[y > 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - p)), rtol=2e-5, atol=0)
    lost = (y == 0).double()
    assert abs(lost.mean() - p) <= 4 * (p * (1 - p) / lost.numel()) ** 0.5 + (lost.numel() < 100)


def test_dropout_of_layers_neighbours_and_pictures_is_independent():
    source, layer, x = rng(1), Dropout(0.3).train(), torch.ones(400, 800)
    first, second = (layer(x, source) == 0 for _ in range(2))  # two layers of a step
    halves = [(first, second), (first[:200], first[200:]), *((first[:, k:], first[:, :-k]) for k in (1, 2, 3, 4))]
    for a, b in halves:
        assert abs(float((a & b).double().mean()) - 0.09) < 4 * (0.09 * 0.91 / a.numel()) ** 0.5 + 0.001


@pytest.mark.parametrize(
    "layer", [SameConvTranspose(8, 16, 5, 2), SameConvTranspose5(8, 16), SameConvTranspose(8, 4, 4, 2)]
)
def test_transposed_convolutions_leave_no_views_for_batch_norm(layer):
    """Batch norm of a view with gaps takes twenty times as long, forwards and backwards."""
    layer, x = layer.to(memory_format=torch.channels_last), torch.randn(FEW, 8, 7, 7)
    x = x.to(memory_format=torch.channels_last).requires_grad_()
    y = layer(x)
    assert y.is_contiguous(memory_format=torch.channels_last)
    (slope,) = torch.autograd.grad(y, x, torch.ones_like(y))
    assert slope.shape == x.shape


def test_program_as_printed_is_refused_naming_both_sizes():
    with pytest.raises(ConfigError, match=r"56×56.*28×28"):
        check_networks(RECIPES["conv-small-as-printed"].config)


def test_upsample_as_printed_cannot_paint_black():
    cfg = RECIPES["dcgan-upsample-as-printed"].config
    x = build_generator(cfg, rng())(torch.randn(8, 100), None, rng())
    assert x.min() >= 0  # black is -1: the darkest this program can paint is mid-grey


def test_networks_too_large_for_the_machine_are_refused_before_allocation():
    with pytest.raises(ConfigError, match="million"):
        check_networks(RECIPES["quick"].config.changed(width=512, z_dim=1024))
