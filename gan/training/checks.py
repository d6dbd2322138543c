"""Settings that do not go together, and data that the networks were not made for: refused in words."""

from __future__ import annotations

from collections.abc import Callable

from gan.core.config import Config, ConfigError
from gan.data.catalog import Pictures
from gan.losses.objectives import OBJECTIVES
from gan.losses.penalties import PENALTIES
from gan.models import check_networks, meta_discriminator


def check_config(config: Config) -> None:
    """Refuse, in words and before any data is read, what the range of a single setting cannot tell."""
    for table, name in ((OBJECTIVES, "objective"), (PENALTIES, "penalty")):
        if getattr(config, name) not in table:
            raise ConfigError(f"There is no {name} named {getattr(config, name)!r}; known: {', '.join(table)}.")
    for wrong, words in _REFUSED:
        if wrong(config):
            raise ConfigError(words.format_map(config.to_dict() | {"probabilities": _probabilities()}))
    check_networks(config)
    if config.penalty != "none" and meta_discriminator(config).has_batch_stats:
        raise ConfigError(
            f"A penalty (penalty) asks how steep D is at one picture, but the networks {config.model!r} normalise over "
            "the batch in D, so that every verdict depends on all pictures: choose other networks, or no penalty."
        )


def _probabilities() -> str:
    """The objectives with which D gives a probability."""
    return " or ".join(name for name, objective in OBJECTIVES.items() if objective.is_probability)


# What does not go together, and why; the setting in brackets is the one that the page points at.
_REFUSED: tuple[tuple[Callable[[Config], bool], str], ...] = (
    (
        lambda c: c.label_smoothing > 0 and not OBJECTIVES[c.objective].is_probability,
        "Label smoothing (label_smoothing) softens a probability, but with the objective '{objective}' D gives a score "
        "without a scale: set it to 0, or choose the objective {probabilities}.",
    ),
    (
        lambda c: c.update_order == "split" and OBJECTIVES[c.objective].compares,
        "The objective '{objective}' compares real with generated pictures in one step, but the update order 'split' "
        "(update_order) parts them: choose another order.",
    ),
    (
        lambda c: c.update_order == "split" and c.penalty != "none",
        "A penalty needs real and generated pictures in one step, but the update order 'split' (update_order) parts "
        "them: choose another order, or no penalty.",
    ),
    (
        lambda c: c.update_order == "simultaneous" and c.d_steps > 1,
        "With the update order 'simultaneous' both networks learn from one pass, so D cannot take {d_steps} steps "
        "(d_steps) for one of G: set it to 1, or choose another order.",
    ),
    (
        lambda c: c.penalty != "none" and c.penalty_weight == 0,
        "The penalty '{penalty}' with the weight 0 (penalty_weight) would cost time and do nothing: give it a weight, "
        "or choose no penalty.",
    ),
    (
        lambda c: c.weight_clip > 0 and c.spectral_norm,
        "Weight clipping (weight_clip) has no hold under spectral normalisation, which divides every layer by its own "
        "size: choose one of the two.",
    ),
    (
        lambda c: c.instance_noise_images > 0 and c.instance_noise == 0,
        "There is no instance noise that could end after {instance_noise_images} images (instance_noise_images): "
        "set it to 0, or choose a noise.",
    ),
    (
        lambda c: c.clusters > 0 and c.classes > 0,
        "Groups (clusters) are for pictures without classes: these settings ask for both.",
    ),
    (
        lambda c: c.clusters > c.z_dim,
        "Each group (clusters) has a number of the latent of its own: {clusters} groups need a latent size (z_dim) of "
        "at least {clusters}, not {z_dim}.",
    ),
)


def check_data(config: Config, pictures: Pictures) -> None:
    """Refuse a data set that the networks were not made for."""
    _, channels, size, _ = pictures.images.shape
    if (channels, size) != (config.channels, config.size):
        raise ConfigError(
            f"The data set has pictures of {size}×{size} with {channels} colour channel(s), "
            f"but the settings say {config.size}×{config.size} with {config.channels}."
        )
    if config.classes and config.classes != len(pictures.class_names):
        raise ConfigError(
            f"The data set {pictures.name} has {len(pictures.class_names)} classes, the settings say {config.classes}."
        )
    if config.data_limit > len(pictures.images):
        raise ConfigError(
            f"The data set {pictures.name} has {len(pictures.images):,} pictures, so training cannot use only the "
            f"first {config.data_limit:,} (data_limit); 0 means all."
        )
