"""Layers that several families share, and the two base classes every family fills in.

Shapes are checked by construction: each layer list is walked once with its sizes, so a network that does not make the
data set's picture size is refused in words before anything is allocated.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, one_hot, pad

from gan.core.config import NEVER, Config
from gan.models.winograd import corner, same_conv5


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
        return x * _survivors(x, self.p, rng)


def _survivors(x: Tensor, p: float, rng: torch.Generator) -> Tensor:
    """Zeros for a share p (in steps of 1/65,536) of x's numbers, and for the others what keeps their mean.

    Each number takes 16 random bits, drawn in fours, because a processor draws one after the other on a single core.
    """
    bits = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device).random_(-(2**63), None, generator=rng)
    lost = round(p * 2**16)
    kept = (bits.view(torch.int16)[: x.numel()] >= lost - 2**15).to(x.dtype).mul_(2**16 / (2**16 - lost))
    return kept.as_strided(x.shape, torch.empty_like(x).stride())


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

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override] # nobody asks for an output size
        y = super().forward(x)
        rest = y.shape[2] - x.shape[2] * self.stride[0]
        return corner(y, rest) if rest else y  # an odd remainder leaves one row and column too many


FEW = 16


class SameConvTranspose5(SameConvTranspose):
    """The same for 5×5 and stride 1, a convolution with the mirrored kernel: with a fifth of the multiplications.

    Not for a few pictures, where the way to the kernel's 64 matrices is longer than what they save; not in bfloat16,
    because the way back adds and subtracts numbers far larger than the result; and not on a GPU, which multiplies
    faster than it moves the matrices.
    """

    def __init__(self, c_in: int, c_out: int, bias: bool = False) -> None:
        super().__init__(c_in, c_out, 5, 1, bias)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override] # as above
        if len(x) < FEW or x.is_cuda or torch.is_autocast_enabled(x.device.type):
            return super().forward(x)
        y = same_conv5(x, self.weight.flip(2, 3).transpose(0, 1))
        return y if self.bias is None else y + self.bias.view(1, -1, 1, 1)


class UpsampleConv(nn.Conv2d):
    """Doubling by repetition, then a `same` convolution of 3×3: what Keras's UpSampling2D and Conv2D compute.

    Each repeated pixel is multiplied several times with the same number; adding the kernel's weights first makes it one
    transposed convolution of 4×4 and stride 2, with 4/9 of the multiplications.
    """

    def __init__(self, c_in: int, c_out: int, bias: bool = True) -> None:
        super().__init__(c_in, c_out, 3, padding=1, bias=bias)

    def doubling_kernel(self) -> Tensor:
        """[C_in, C_out, 4, 4]: the transposed convolution's, of stride 2 and padding 1."""
        w = pad(self.weight.flip(2, 3).transpose(0, 1), (1, 1, 1, 1))  # [C_in, C_out, 5, 5]
        return w[..., 1:, 1:] + w[..., 1:, :-1] + w[..., :-1, 1:] + w[..., :-1, :-1]

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv_transpose2d(x, self.doubling_kernel(), self.bias, stride=2, padding=1)


def batch_norm(channels: int, keras_momentum: float) -> nn.BatchNorm2d:
    """Keras's BatchNormalization(momentum, epsilon=1e-3): its momentum m is torch's 1 − m."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=1 - keras_momentum)


class Grid(nn.Module):
    """[N, side · side · channels] -> [N, channels, side, side] in channels-last order, without a copy."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.channels, self.side = channels, side

    def forward(self, x: Tensor) -> Tensor:
        return x.view(-1, self.side, self.side, self.channels).permute(0, 3, 1, 2)  # [N, C, S, S]


class FlatGrid(nn.Module):
    """[N, C, S, S] -> [N, S · S · C], the inverse of Grid: Keras's order, and no copy of a channels-last tensor."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


CODE_SHARPNESS = 100.0  # a group that leads by 0.03 has 95 % of the vote; at 30, with 100 groups, pictures blur


class Generator(nn.Module):
    """z [N, z_dim] (and c) -> x [N, C, H, W], meant for [−1, 1].

    A conditional generator appends the class to the latent: c is int64 [N], or float [N, classes] for a mixture.
    One with codes (see Config.codes) needs no c: the first `votes` numbers of the latent vote for a value of each, for
    a group (gan/data/clusters.py) or for attributes. It does not see the numbers that voted for attributes, so that
    nothing but the attributes follows from them.
    """

    odds: Tensor  # [votes], where there are any

    def __init__(self, cfg: Config, layers: Stack) -> None:
        super().__init__()
        self.z_dim, self.classes, self.codes, self.layers = cfg.z_dim, cfg.classes, cfg.codes, layers
        self.votes, self.unseen = sum(cfg.codes), unseen_numbers(cfg)
        if self.votes:
            self.register_buffer("odds", torch.zeros(self.votes))

    def condition(self, z: Tensor, c: Tensor | None = None) -> Tensor | None:
        """What the picture of a latent is to be: c where classes are known, else the mixture of values z votes for."""
        return self.vote(z) if self.votes and c is None else c

    def vote(self, z: Tensor) -> Tensor:
        """z [N, z_dim] -> for each code a mixture of its values, [N, votes]; nearly always one value alone."""
        codes = (CODE_SHARPNESS * (z[:, : self.votes] + self.odds)).split(self.codes, 1)
        return torch.cat([code.softmax(1) for code in codes], 1)

    def likeliest(self, shares: Tensor) -> Tensor:
        """The value of each code with the highest of shares [N, votes] that a latent may choose, bool [N, votes]."""
        return chosen(shares.masked_fill(self.odds <= NEVER / 2, -torch.inf), self.codes)

    def inputs(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """What the first layer sees, [N, input_size]: the latent and what it is told."""
        if not (self.classes or self.votes):
            return z
        condition = self.condition(z, c)
        return torch.cat([z[:, self.unseen :], as_mixture(condition, self.classes or self.votes).to(z.dtype)], 1)

    def forward(self, z: Tensor, c: Tensor | None = None, rng: torch.Generator | None = None) -> Tensor:
        return self.layers(self.inputs(z, c), rng)


def chosen(scores: Tensor, codes: Sequence[int]) -> Tensor:
    """The value of each code with the highest score, bool [N, votes], by the scores of all [N, votes]."""
    return torch.cat([one_hot(code.argmax(1), code.shape[1]) for code in scores.split(list(codes), 1)], 1).bool()


def input_size(cfg: Config) -> int:
    """How many numbers a generator's first layer sees: the latent and what it is told."""
    return cfg.z_dim - unseen_numbers(cfg) + told_numbers(cfg)


def told_codes(cfg: Config) -> tuple[int, ...]:
    """How many values each thing has that says what a picture is to be: classes, or the codes that a latent chooses."""
    return (cfg.classes,) if cfg.classes else cfg.codes


def told_numbers(cfg: Config) -> int:
    """How many numbers say what a picture is to be: one for each class, or for each value of each code."""
    return sum(told_codes(cfg))


def unseen_numbers(cfg: Config) -> int:
    """How many numbers of a latent only vote."""
    return sum(cfg.codes) if cfg.attributes else 0


def told_share(cfg: Config) -> float:
    """What a discriminator multiplies what it is told with: one over the length of that many one-hots side by side."""
    return max(1, len(cfg.codes)) ** -0.5


class Discriminator(nn.Module):
    """x [N, C, H, W] (and c) -> logits [N].

    Conditional: the projection discriminator, logit = head(f) + ⟨embed(c), f⟩ (Miyato & Koyama 2018, equation 4).
    With several codes c is divided by its length, as if it were one: Adam moves each of n embeddings as far as it
    would move one alone, and D would learn n times as fast as G can follow.

    With an auxiliary classifier (`classifier`, Odena et al. 2017) it also says what a picture shows, of each value of
    each code: see gan.losses.classification.
    """

    def __init__(self, cfg: Config, features: Stack, n_features: int) -> None:
        super().__init__()
        self.classes, self.features = told_numbers(cfg), features
        self.head = nn.Linear(n_features, 1)
        self.told_share = told_share(cfg)
        self.embed = nn.Parameter(torch.empty(self.classes, n_features)) if self.classes else None
        self.classifier = nn.Linear(n_features, self.classes) if cfg.classifier_weight and self.classes else None
        # With batch statistics, real and fake pictures may not share a batch.
        self.has_batch_stats = any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in features.modules())

    def forward(self, x: Tensor, c: Tensor | None = None, rng: torch.Generator | None = None) -> Tensor:
        return self.logits(self.features(x, rng), c)

    def logits(self, f: Tensor, c: Tensor | None) -> Tensor:
        """The logits [N] of pictures with the features f [N, n_features]."""
        logits = self.head(f).squeeze(1)  # [N]
        if self.embed is not None:
            told = as_mixture(c, self.classes).to(f.dtype)
            logits = logits + (told * self.told_share @ self.embed * f).sum(1)
        return logits


def as_mixture(c: Tensor | None, classes: int) -> Tensor:
    """Labels int64 [N] -> one-hot float32 [N, classes]; a mixture passes through."""
    if c is None:
        raise ValueError(f"this network is conditional: it needs a class (0 to {classes - 1}) for every picture")
    return c if c.is_floating_point() else one_hot(c, classes).float()
