"""MODELS: name -> a pair of networks. To add one, write its two functions in a family's file and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from gan.core.config import Config, ConfigError
from gan.core.messages import say
from gan.models import dcgan, mlp, skip
from gan.models.init import Network, materialize
from gan.models.layers import Discriminator, Generator, as_mixture

__all__ = ["MODELS", "as_mixture", "build_discriminator", "build_generator", "check_networks", "meta_discriminator"]


@dataclass(frozen=True)
class Model:
    """Two builders, and how their first weights are drawn: as the article's framework does, or each its own way."""

    generator: Callable[[Config, nn.Module], Generator]
    discriminator: Callable[[Config], Discriminator]
    init: str
    discriminator_init: str = ""  # the same where nothing is said


MODELS: dict[str, Model] = {
    "dense": Model(mlp.dense_generator, mlp.dense_discriminator, "keras"),
    "mlp": Model(mlp.mlp_generator, mlp.mlp_discriminator, "pytorch"),
    "dcgan-upsample": Model(dcgan.upsample_generator, dcgan.upsample_discriminator, "keras"),
    "dcgan-transposed": Model(dcgan.transposed_generator, dcgan.transposed_discriminator, "keras"),
    "conv-small": Model(dcgan.small_generator, dcgan.small_discriminator, "keras"),
    "conv-small-as-printed": Model(dcgan.small_generator_as_printed, dcgan.small_discriminator, "keras"),
    "quick": Model(dcgan.quick_generator, dcgan.quick_discriminator, "pytorch", "he"),
    "skip": Model(skip.skip_generator, skip.skip_discriminator, "pytorch", "he"),
}

_LAST = {"tanh": nn.Tanh, "relu": nn.ReLU}


MAX_NUMBERS = 40_000_000  # weights of one network; a stranger's settings must not take the machine's memory


def meta_generator(cfg: Config) -> Generator:
    """The generator's structure without memory (shapes only). Raises ConfigError when it cannot make such pictures."""
    _check_attributes(cfg)
    with torch.device("meta"):
        return _checked(_model(cfg).generator(cfg, _LAST[cfg.output]()))


def _check_attributes(cfg: Config) -> None:
    if cfg.attributes and (cfg.clusters or cfg.classes):
        raise ConfigError(say("models.attributes_alone"))
    if cfg.attributes and sum(cfg.codes) >= cfg.z_dim:
        raise ConfigError(say("models.attributes_need_latent", values=sum(cfg.codes), z_dim=cfg.z_dim))


def meta_discriminator(cfg: Config) -> Discriminator:
    """The discriminator's structure; spectral normalisation (Miyato et al. 2018) wraps every weight when asked for."""
    with torch.device("meta"):
        network = _checked(_model(cfg).discriminator(cfg))
        if cfg.spectral_norm:
            for m in network.modules():
                if isinstance(m, nn.Linear | nn.Conv2d):
                    spectral_norm(m)
    return network


def check_networks(cfg: Config) -> None:
    """Raise ConfigError when the two networks cannot be built; allocates nothing."""
    meta_generator(cfg)
    meta_discriminator(cfg)


def build_generator(cfg: Config, rng: torch.Generator, device: torch.device | str = "cpu") -> Generator:
    """The config's generator with first weights drawn from `rng`, a CPU generator."""
    return materialize(meta_generator(cfg), _model(cfg).init, rng, torch.device(device))


def build_discriminator(cfg: Config, rng: torch.Generator, device: torch.device | str = "cpu") -> Discriminator:
    """The config's discriminator with first weights drawn from `rng`, a CPU generator."""
    model = _model(cfg)
    return materialize(meta_discriminator(cfg), model.discriminator_init or model.init, rng, torch.device(device))


def _checked(network: Network) -> Network:
    numbers = sum(p.numel() for p in network.parameters())
    if numbers > MAX_NUMBERS:
        raise ConfigError(say("models.too_large", millions=numbers / 1e6, most=MAX_NUMBERS / 1e6))
    return network


def _model(cfg: Config) -> Model:
    if cfg.model not in MODELS:
        raise ConfigError(say("models.unknown", model=repr(cfg.model), known=list(MODELS)))
    return MODELS[cfg.model]
