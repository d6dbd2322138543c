"""The plainest correct PyTorch loop for a recipe: what our own step is measured against.

The same networks from the same tables, the same Adam, the same arithmetic; the pictures lie in memory as floats.
Nothing else: no exactness, no statistics, no files. Whatever our step costs beyond this is the price of those.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from gan.core.config import Config, ConfigError
from gan.models import as_mixture, build_discriminator, build_generator
from gan.models.layers import Generator, told_codes
from gan.training.device import resolved_precision

_NOT_WRITTEN = ("augment", "instance_noise", "label_smoothing", "weight_clip", "gradient_clip", "data_limit")


class Bare:
    """Two networks, two optimisers, the pictures, and `step`.

    Args:
        config: what the tables hold for a recipe; binary cross-entropy, with R1 or without a penalty.
        images: real pictures in [−1, 1], float32 [N, C, H, W].
        labels: int64 [N] for a recipe that is told the class or the group, float32 [N, values] for attributes.

    Raises:
        ConfigError: the config asks for something that no recipe does, and that is not written here.
    """

    def __init__(self, config: Config, images: Tensor, labels: Tensor | None = None) -> None:
        self.config, self.images = config, images
        self.labels = labels if config.classes or config.codes else None
        plain = config.objective == "non-saturating" and config.penalty in ("none", "r1") and config.d_steps == 1
        plain = plain and not any(getattr(config, name) for name in _NOT_WRITTEN)
        plain = plain and (config.update_order == "alternate" or not config.classifier_weight)
        if not plain or config.update_order not in _UPDATES:
            raise ConfigError("The bare loop knows only what the recipes use; this is not one of them.")
        rng = torch.Generator().manual_seed(config.seed)
        self.G, self.D = build_generator(config, rng), build_discriminator(config, rng)
        self.g_params: list[Tensor] = list(self.G.parameters())
        self.d_params: list[Tensor] = list(self.D.parameters())
        self.opt_g, self.opt_d = _adam(config, self.g_params, config.g_lr), _adam(config, self.d_params, config.d_lr)
        self.ema = copy.deepcopy(self.G).requires_grad_(False) if config.ema_halflife_images else None
        self.precision = resolved_precision(config, torch.device("cpu"))
        self.steps_done = 0

    def step(self) -> None:
        cfg = self.config
        rows = torch.randint(len(self.images), (cfg.batch,))
        c = None if self.labels is None else self.labels[rows]
        self.learn(self.images[rows], c, torch.randn(cfg.batch, cfg.z_dim), torch.randn(cfg.batch, cfg.z_dim))

    def learn(self, x: Tensor, c: Tensor | None, z_d: Tensor, z_g: Tensor) -> None:
        """One step on these pictures and this noise, D's and G's; so that a test can compare it with the Trainer."""
        cfg = self.config
        if cfg.lr_decay_images:
            factor = 1 / (1 + self.steps_done * cfg.batch / cfg.lr_decay_images)
            self.opt_d.param_groups[0]["lr"] = cfg.d_lr * factor
            self.opt_g.param_groups[0]["lr"] = cfg.g_lr * factor
        _UPDATES[cfg.update_order](self, x, c, z_d, z_g)
        self.steps_done += 1
        if self.ema is not None:
            self._average(self.ema)

    def _alternate(self, x: Tensor, c: Tensor | None, z_d: Tensor, z_g: Tensor) -> None:
        cfg = self.config
        with torch.no_grad():
            fake = self._draw(z_d, self._condition(z_d, c))
        penalised = self._penalised
        with self._autocast(not penalised):
            real_logits, fake_logits, features = self._discriminate_pair(
                x.requires_grad_(penalised), fake, c, self._condition(z_d, c)
            )
        loss = (softplus(-real_logits) + softplus(fake_logits)).mean() + self._misread(features, c)
        if penalised:  # Mescheder et al. 2018, equation 9
            (slope,) = torch.autograd.grad(real_logits.sum(), x, create_graph=True)
            loss = loss + cfg.penalty_weight * cfg.penalty_every * (0.5 * slope.flatten(1).square().sum(1)).mean()
        _optimise(loss, self.d_params, self.opt_d)
        self._teach_generator(c, z_g)

    def _split(self, x: Tensor, c: Tensor | None, z_d: Tensor, z_g: Tensor) -> None:
        c_fake = self._condition(z_d, c)
        with torch.no_grad():
            fake = self._draw(z_d, c_fake)
        with self._autocast():
            real_logits = self.D(x, c).float()
        _optimise(softplus(-real_logits).mean(), self.d_params, self.opt_d)
        with self._autocast():
            fake_logits = self.D(fake, c_fake).float()
        _optimise(softplus(fake_logits).mean(), self.d_params, self.opt_d)
        self._teach_generator(c, z_g)

    def _simultaneous(self, x: Tensor, c: Tensor | None, z_d: Tensor, z_g: Tensor) -> None:
        c_fake = self._condition(z_d, c)
        fake = self._draw(z_d, c_fake)
        with self._autocast():
            real_logits, fake_logits = self.D(x, c).float(), self.D(fake, c_fake).float()
        d_loss = (softplus(-real_logits) + softplus(fake_logits)).mean()
        g_loss = softplus(-fake_logits).mean()
        self.opt_d.zero_grad()
        self.opt_g.zero_grad()
        d_loss.backward(inputs=self.d_params, retain_graph=True)
        g_loss.backward(inputs=self.g_params)
        self.opt_d.step()
        self.opt_g.step()

    def _teach_generator(self, c: Tensor | None, z: Tensor) -> None:
        c = self._condition(z, c)
        x = self._draw(z, c)
        with self._autocast(not self._penalised):
            features = self.D.features(x)
            logits = self.D.logits(features, c).float()
        _optimise(softplus(-logits).mean() + self._misread(features, c), self.g_params, self.opt_g)

    def _misread(self, features: Tensor, c: Tensor | None) -> Tensor | float:
        """What the auxiliary classifier costs (Odena et al. 2017, equation 3)."""
        if self.D.classifier is None:
            return 0.0
        codes = list(told_codes(self.config))
        told, shown = as_mixture(c, sum(codes)).split(codes, 1), self.D.classifier(features.float()).split(codes, 1)
        costs = [cross_entropy(shown[i], told[i], reduction="none") for i in range(len(codes))]
        return self.config.classifier_weight * torch.stack(costs).mean(0).mean()

    @property
    def _penalised(self) -> bool:
        return self.config.penalty == "r1" and self.steps_done % self.config.penalty_every == 0

    def _draw(self, z: Tensor, c: Tensor | None) -> Tensor:
        with self._autocast():
            return self.G(z, c).float()

    def _autocast(self, wanted: bool = True) -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=wanted and self.precision == "bfloat16")

    def _condition(self, z: Tensor, c: Tensor | None) -> Tensor | None:
        return self.G.condition(z, c if self.config.classes else None)

    def _discriminate_pair(
        self, x: Tensor, fake: Tensor, c: Tensor | None, c_fake: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The logits of real and of fake pictures, and the features of real ones."""
        if self.D.has_batch_stats:
            features = self.D.features(x)
            return self.D.logits(features, c).float(), self.D(fake, c_fake).float(), features
        condition = None if c is None else torch.cat([as_mixture(t, self.D.classes) for t in (c, c_fake)])
        features = self.D.features(torch.cat([x, fake]))
        both = self.D.logits(features, condition).float()  # [2N]
        return both[: len(x)], both[len(x) :], features[: len(x)]

    @torch.no_grad()
    def _average(self, ema: Generator) -> None:
        cfg = self.config
        halflife = min(cfg.ema_halflife_images, 0.1 * cfg.batch * self.steps_done)
        torch._foreach_lerp_(list(ema.parameters()), self.g_params, 1 - 0.5 ** (cfg.batch / halflife))
        for mean, now in zip(ema.buffers(), self.G.buffers(), strict=True):
            mean.copy_(now)


_UPDATES = {"alternate": Bare._alternate, "split": Bare._split, "simultaneous": Bare._simultaneous}


def _optimise(loss: Tensor, params: list[Tensor], opt: torch.optim.Optimizer) -> None:
    opt.zero_grad()
    loss.backward(inputs=params)  # of these alone: the other network's gradients would be thrown away
    opt.step()


def _adam(config: Config, params: list[Tensor], lr: float) -> torch.optim.Adam:
    return torch.optim.Adam(params, lr=lr, betas=(config.beta1, config.beta2), eps=config.adam_eps, fused=True)
