"""RECIPES: name -> the settings of a program, and what to look for while it learns. Variants are `changed` copies."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from gan.core.config import Changes, Config, ConfigError, Value
from gan.core.messages import labelled, say
from gan.data.catalog import DATA, Source, describe
from gan.recipes.failures import GALLERY, PREFIX


@dataclass(frozen=True)
class Recipe:
    """A program people can choose: its settings, one line about it, and what to watch."""

    group: str  # "start", "famous", "reference" or "gallery"
    config: Config
    title: str = ""  # this and what follows is in the catalogue, by its name
    about: str = ""
    look_for: str = ""
    cure: Changes = field(default_factory=dict)  # of one that fails on purpose: the settings to change
    cure_about: str = ""
    large: Changes = field(default_factory=dict)  # what is different for pictures of LARGE pixels a side and more


LARGE = 48  # pixels a side from which a grid of a quarter of them is too large to begin with

BATCH = 64
_QUICK = Config(
    recipe="quick", model="quick", width=32, z_dim=164, clusters=100, objective="non-saturating", batch=BATCH,
    d_lr=4e-3, g_lr=4e-3, lr_decay_images=30_000, beta1=0.0, beta2=0.99, penalty="r1", penalty_weight=0.3,
    penalty_every=4, ema_halflife_images=100_000, precision="auto", total_steps=20_000,
)  # fmt: skip
# For colour and for larger pictures: docs/training.md and weights/README.md say how these were found.
_SKIP: Changes = {"model": "skip", "width": 24}
WIDE_D_RATE = 0.5  # what a discriminator as wide as the generator learns with, of the usual rate
_COLOUR = _QUICK.changed(penalty_weight=2.0, d_width=_SKIP["width"], d_lr=WIDE_D_RATE * _QUICK.d_lr, batch=32, **_SKIP)
# What comes with these networks alone, as it is with others that are asked for: as quick has it.
_WITHOUT_SKIP: Changes = {name: getattr(_QUICK, name) for name in ("width", "d_width", "d_lr", "batch")}
STYLE = 64  # numbers of a latent besides those that vote for attributes
# Of a recipe that tells attributes, for pictures that have none.
GROUPS: Changes = {name: getattr(_QUICK, name) for name in ("attributes", "clusters", "z_dim", "classifier_weight")}


def _told(source: Source) -> Changes:
    """Settings with which both networks are told the attributes of a data set, instead of groups."""
    codes = source.attribute_values
    return {"clusters": 0, "attributes": ",".join(map(str, codes)), "z_dim": STYLE + sum(codes)}


# Famous ones on the networks of quick: without its groups, its penalty and its falling learning rates, which are not
# theirs, but all with its averaged generator, so that they can be compared. Papers' RMSProp is Adam without momentum.
_FAMOUS = _QUICK.changed(
    clusters=0, penalty="none", penalty_weight=10.0, penalty_every=1, lr_decay_images=0, precision="float32"
)

# Keras 2's defaults, for the four articles written for it.
_KERAS = Config(recipe="", model="", d_lr=1e-3, g_lr=1e-3, adam_eps=1e-7, total_steps=20_000)

_DENSE = _KERAS.changed(recipe="dense", model="dense")
_UPSAMPLE = _KERAS.changed(recipe="dcgan-upsample", model="dcgan-upsample")
_TRANSPOSED = _KERAS.changed(
    recipe="dcgan-transposed", model="dcgan-transposed", update_order="simultaneous", batch=256, d_lr=1e-4, g_lr=1e-4,
    total_steps=12_000,
)  # fmt: skip
_MLP = Config(recipe="mlp", model="mlp", d_lr=2e-4, g_lr=2e-4, total_steps=93_750)  # 100 epochs of 60,000 at 64
_CONV_SMALL = _KERAS.changed(
    recipe="conv-small", model="conv-small", update_order="split", sampling="replacement", total_steps=10_000
)

RECIPES: dict[str, Recipe] = {
    "quick-monsters": Recipe(
        "start",
        _COLOUR.changed(
            recipe="quick-monsters", dataset="monsters", classifier_weight=0.5, **_told(DATA["monsters"])
        ),
    ),
    "quick-faces": Recipe(
        "start",
        _COLOUR.changed(recipe="quick-faces", dataset="faces", classifier_weight=0.25, **_told(DATA["faces"])),
    ),
    "quick": Recipe(
        "start",
        _QUICK,
        large=_SKIP,
    ),
    "quick-conditional": Recipe(
        "start",
        _QUICK.changed(recipe="quick-conditional", classes=10, clusters=0, z_dim=64, batch=32),
        large=_SKIP,
    ),
    "quick-colour": Recipe(
        "start",
        _COLOUR.changed(recipe="quick-colour", dataset="emoji"),
    ),
    "lsgan": Recipe(
        "famous",
        _FAMOUS.changed(recipe="lsgan", objective="least-squares", d_lr=1e-3, g_lr=4e-3),
    ),
    "wgan": Recipe(
        "famous",
        _FAMOUS.changed(
            recipe="wgan", objective="wasserstein", weight_clip=0.01, d_steps=5, beta2=0.9, d_lr=5e-4, g_lr=2e-3
        ),
    ),
    "wgan-gp": Recipe(
        "famous",
        _FAMOUS.changed(
            recipe="wgan-gp", objective="wasserstein", penalty="gradient-penalty", d_steps=5, beta2=0.9,
            d_lr=2e-3, g_lr=4e-3,
        ),
    ),
    "sngan": Recipe(
        "famous",
        _FAMOUS.changed(
            recipe="sngan", objective="hinge", spectral_norm=True, beta2=0.9, d_lr=4e-3, g_lr=2e-3
        ),
    ),
    "r3gan": Recipe(
        "famous",
        _FAMOUS.changed(
            recipe="r3gan", objective="relativistic", penalty="r1+r2", penalty_weight=1.0, penalty_every=4,
            d_lr=4e-3, g_lr=4e-3,
        ),
    ),
    "cgan": Recipe(
        "famous",
        _FAMOUS.changed(recipe="cgan", classes=10, beta1=0.5, d_lr=5e-4, g_lr=2e-3),
    ),
    "dense": Recipe(
        "reference",
        _DENSE,
    ),
    "dcgan-upsample": Recipe(
        "reference",
        _UPSAMPLE,
    ),
    "dcgan-upsample-as-printed": Recipe(
        "reference",
        _UPSAMPLE.changed(recipe="dcgan-upsample-as-printed", output="relu"),
    ),
    "dcgan-transposed": Recipe(
        "reference",
        _TRANSPOSED,
    ),
    "mlp": Recipe(
        "reference",
        _MLP,
    ),
    "conv-small": Recipe(
        "reference",
        _CONV_SMALL,
    ),
    "conv-small-as-printed": Recipe(
        "reference",
        _CONV_SMALL.changed(recipe="conv-small-as-printed", model="conv-small-as-printed", output="relu"),
    ),
}  # fmt: skip
RECIPES = labelled("recipes", RECIPES, "title", "about", "look_for")

FAILURES: dict[str, Recipe] = {
    PREFIX + name: Recipe(
        "gallery",
        _QUICK.changed(recipe=PREFIX + name, precision="float32", **f.changes),
        f.title,
        f.about,
        f.look_for,
        f.cure,
        f.cure_about,
    )
    for name, f in GALLERY.items()
}
ALL_RECIPES = RECIPES | FAILURES  # what fails on purpose is no program to measure or compare with


def make_config(recipe: str, dataset: str | None = None, own_dir: Path | None = None, **changes: Value) -> Config:
    """The recipe's settings, fitted to a data set (size, colours, classes) and changed as asked.

    Large pictures take the recipe's other networks, unless networks are asked for; with those come the settings of
    quick. Where the recipe tells attributes, a data set without any has groups, and so has one for which groups are
    asked for (clusters; 0: neither).
    Raises ConfigError for an unknown recipe or setting, DataError for an unknown data set.
    """
    if recipe not in ALL_RECIPES:
        raise ConfigError(say("recipes.unknown", name=repr(recipe), known=list(ALL_RECIPES)))
    base, large = ALL_RECIPES[recipe].config, ALL_RECIPES[recipe].large
    dataset = dataset or base.dataset
    info = describe(dataset, own_dir)
    classes = len(info.class_names) if base.classes else 0
    if base.classes and not classes:
        raise ConfigError(say("recipes.no_classes", title=info.title, name=repr(recipe)))
    fitted = base.changed(dataset=dataset, size=info.size, channels=info.channels, classes=classes)
    other = large if info.size >= LARGE and "model" not in changes else {}
    if base.model == "skip" and changes.get("model", "skip") != "skip":
        other = _WITHOUT_SKIP
    if base.attributes:
        other = other | (_told(info) if info.attributes and "clusters" not in changes else GROUPS)
    return fitted.changed(**other | changes)


def usual(config: Config) -> Config | None:
    """The settings of the recipe that these began with, for pictures and networks like theirs; None: it is unknown."""
    recipe = ALL_RECIPES.get(config.recipe)
    if recipe is None:
        return None
    found = recipe.config
    if found.attributes:
        found = found.changed(**{"z_dim": config.z_dim} if config.attributes else GROUPS)
    # With a discriminator of another width, its own rate and the one that suits it are both usual.
    rate = min(found.d_lr, d_rate(found, config), key=lambda rate: abs(math.log(rate / config.d_lr)))
    return found.changed(**{"d_lr": rate} | recipe.cure)


def has_wide_d(config: Config) -> bool:
    """Whether the discriminator is as wide as the generator."""
    return config.d_width >= config.width


def d_rate(config: Config, other: Config) -> float:
    """The learning rate that suits the other's discriminator, where `config.d_lr` suits this one."""
    if has_wide_d(config) == has_wide_d(other):
        return config.d_lr
    return config.d_lr * WIDE_D_RATE if has_wide_d(other) else config.d_lr / WIDE_D_RATE
