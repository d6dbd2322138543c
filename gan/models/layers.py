"""Layers that several families share, and the two base classes every family fills in.

Shapes are checked by construction: each layer list is walked once with its sizes, so a network that does not make the
data set's picture size is refused in words before anything is allocated.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, one_hot, pad


class Dropout(nn.Module):
    """Dropout that draws from the step's generator, never from the global state (exact resume depends on it)."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor, rng: torch.Generator | None) -> Tensor:
        if not self.training:
            return x
        if rng is None:  # a caller that does not care about exactness, e.g. a shape test
            return dropout(x, self.p)
        keep = torch.empty_like(x).bernoulli_(1 - self.p, generator=rng)
        return x * keep / (1 - self.p)


class Stack(nn.Sequential):
    """nn.Sequential that hands `rng` to the layers that draw from it."""

    def forward(self, x: Tensor, rng: torch.Generator | None = None) -> Tensor:
        for layer in self:
            x = layer(x, rng) if isinstance(layer, Dropout) else layer(x)
        return x


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's `same` padding (before, after) for one axis; the odd pixel goes after."""
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's `same` padding, asymmetric where the remainder is odd."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int = 1, bias: bool = True) -> None:
        super().__init__(c_in, c_out, kernel, stride, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        k, s = self.kernel_size[0], self.stride[0]
        top, bottom = same_padding(x.shape[2], k, s)
        left, right = same_padding(x.shape[3], k, s)
        if top == bottom == left == right:  # symmetric: the convolution can pad by itself, without a copy
            return nn.functional.conv2d(x, self.weight, self.bias, s, top)
        return super().forward(pad(x, (left, right, top, bottom)))


class SameConvTranspose(nn.ConvTranspose2d):
    """Transposed convolution as Keras computes it: the gradient of `SameConv`, output = input × stride."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int = 1, bias: bool = True) -> None:
        before, _ = same_padding(stride * 4, kernel, stride)  # the same for every multiple of the stride
        super().__init__(c_in, c_out, kernel, stride, padding=before, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        height, width = (side * self.stride[0] for side in x.shape[2:])
        return super().forward(x)[:, :, :height, :width]  # an odd remainder leaves one row and column too many


def batch_norm(channels: int, keras_momentum: float) -> nn.BatchNorm2d:
    """Keras's BatchNormalization(momentum, epsilon=1e-3): its momentum m is torch's 1 − m."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=1 - keras_momentum)


class Generator(nn.Module):
    """z [N, z_dim] (and c) -> x [N, C, H, W], meant for [−1, 1].

    A conditional generator appends the class to the latent: c is int64 [N], or float [N, classes] for a mixture.
    """

    def __init__(self, z_dim: int, classes: int, layers: Stack) -> None:
        super().__init__()
        self.z_dim, self.classes, self.layers = z_dim, classes, layers

    def forward(self, z: Tensor, c: Tensor | None = None, rng: torch.Generator | None = None) -> Tensor:
        if self.classes:
            z = torch.cat([z, as_mixture(c, self.classes).to(z.dtype)], 1)  # [N, z_dim + classes]
        return self.layers(z, rng)


class Discriminator(nn.Module):
    """x [N, C, H, W] (and c) -> logits [N].

    Conditional: the projection discriminator, logit = head(f) + ⟨embed(c), f⟩ (Miyato & Koyama 2018, equation 4).
    """

    def __init__(self, classes: int, features: Stack, n_features: int) -> None:
        super().__init__()
        self.classes, self.features = classes, features
        self.head = nn.Linear(n_features, 1)
        self.embed = nn.Embedding(classes, n_features) if classes else None
        # With batch statistics, real and fake pictures may not share a batch.
        self.has_batch_stats = any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in features.modules())

    def forward(self, x: Tensor, c: Tensor | None = None, rng: torch.Generator | None = None) -> Tensor:
        f = self.features(x, rng)  # [N, n_features]
        logits = self.head(f).squeeze(1)  # [N]
        if self.embed is not None:
            logits = logits + (as_mixture(c, self.classes).to(f.dtype) @ self.embed.weight * f).sum(1)
        return logits


def as_mixture(c: Tensor | None, classes: int) -> Tensor:
    """Labels [N] -> one-hot [N, classes]; a mixture passes through."""
    if c is None:
        raise ValueError(f"this network is conditional: it needs a class (0 to {classes - 1}) for every picture")
    return c if c.is_floating_point() else one_hot(c, classes)
