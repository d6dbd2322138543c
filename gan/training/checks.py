"""Settings that do not go together, and data that the networks were not made for: refused in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from gan.core.config import Config, ConfigError, choice_title
from gan.core.messages import Message, say
from gan.data.catalog import Pictures
from gan.losses.objectives import OBJECTIVES
from gan.losses.penalties import PENALTIES
from gan.models import check_networks, meta_discriminator
from gan.models.layers import told_codes


def check_config(config: Config) -> None:
    """Refuse, in words and before any data is read, what the range of a single setting cannot tell."""
    for table, name in ((OBJECTIVES, "objective"), (PENALTIES, "penalty")):
        if getattr(config, name) not in table:
            raise ConfigError(say("checks.unknown", name=name, value=repr(getattr(config, name)), known=list(table)))
    for wrong, reason in _REFUSED:
        if wrong(config):
            raise ConfigError(say(f"checks.{reason}", **_said(config)))
    check_networks(config)
    if config.penalty != "none" and meta_discriminator(config).has_batch_stats:
        raise ConfigError(say("checks.penalty_over_batch", model=choice_title("model", config.model)))


def _said(config: Config) -> dict[str, object]:
    """What the entries of checks.json may speak of: settings, and the objectives with which D gives a probability."""
    numbers = ("d_steps", "instance_noise_images", "clusters", "z_dim")
    choices = ("objective", "penalty", "update_order")
    settings: dict[str, object] = {name: getattr(config, name) for name in numbers}
    titles = {name: choice_title(name, getattr(config, name)) for name in choices}
    probabilities = [choice_title("objective", name) for name, found in OBJECTIVES.items() if found.is_probability]
    bounded = [choice_title("objective", name) for name, found in OBJECTIVES.items() if found.boundary is not None]
    return settings | titles | {"probabilities": probabilities, "boundaries": bounded}


# What does not go together, and the entry of checks.json that says why: its setting in brackets is the one that the
# page points at.
_REFUSED: tuple[tuple[Callable[[Config], bool], str], ...] = (
    (
        lambda c: c.label_smoothing > 0 and not OBJECTIVES[c.objective].is_probability,
        "smoothing_needs_probability",
    ),
    (
        lambda c: c.update_order == "split" and OBJECTIVES[c.objective].compares,
        "split_parts_objective",
    ),
    (
        lambda c: c.update_order == "split" and c.penalty != "none",
        "split_parts_penalty",
    ),
    (
        lambda c: c.update_order == "split" and c.classifier_weight > 0,
        "split_parts_classifier",
    ),
    (
        lambda c: c.classifier_weight > 0 and not told_codes(c),
        "classifier_needs_told",
    ),
    (
        lambda c: c.update_order == "simultaneous" and c.d_steps > 1,
        "simultaneous_one_step",
    ),
    (
        lambda c: c.penalty != "none" and c.penalty_weight == 0,
        "penalty_without_weight",
    ),
    (
        lambda c: c.weight_clip > 0 and c.spectral_norm,
        "clip_under_norm",
    ),
    (
        lambda c: c.instance_noise_images > 0 and c.instance_noise == 0,
        "noise_without_end",
    ),
    (
        lambda c: c.augment_target > 0 and c.augment == 0,
        "target_without_augmentation",
    ),
    (
        lambda c: c.augment_target > 0 and OBJECTIVES[c.objective].boundary is None,
        "target_needs_boundary",
    ),
    (
        lambda c: c.clusters > 0 and c.classes > 0,
        "groups_with_classes",
    ),
    (
        lambda c: c.clusters > c.z_dim,
        "groups_need_latent",
    ),
)


def form_in_words(size: int, channels: int) -> Message:
    """What pictures of so many pixels and colour channels are: "28 × 28, grey"."""
    return say(f"checks.form_{'grey' if channels == 1 else 'colour'}", size=size)


def check_data(config: Config, pictures: Pictures) -> None:
    """Refuse a data set that the networks were not made for."""
    _, channels, size, _ = pictures.images.shape
    if (channels, size) != (config.channels, config.size):
        found, wanted = form_in_words(size, channels), form_in_words(config.size, config.channels)
        raise ConfigError(say("checks.wrong_form", found=found, wanted=wanted))
    if config.classes and config.classes != len(pictures.class_names):
        raise ConfigError(
            say("checks.wrong_classes", name=pictures.name, count=len(pictures.class_names), wanted=config.classes)
        )
    if config.attributes and not _are_labels(pictures.attributes, config.codes):
        raise ConfigError(say("checks.wrong_attributes", name=pictures.name))
    if config.data_limit > len(pictures.images):
        raise ConfigError(
            say("checks.too_few_pictures", name=pictures.name, count=len(pictures.images), limit=config.data_limit)
        )


def _are_labels(attributes: Tensor | None, codes: Sequence[int]) -> bool:
    """Whether these labels [N, A] are of attributes with so many values each."""
    if attributes is None or attributes.shape[1] != len(codes):
        return False
    return all(label < values for label, values in zip(attributes.amax(0).tolist(), codes, strict=True))
