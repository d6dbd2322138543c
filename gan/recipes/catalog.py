"""RECIPES: name -> the settings of a program, and what to look for while it learns. Variants are `changed` copies."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gan.core.config import Changes, Config, ConfigError, Value
from gan.data.catalog import describe
from gan.recipes.failures import GALLERY, PREFIX


@dataclass(frozen=True)
class Recipe:
    """A program people can choose: its settings, one line about it, and what to watch."""

    title: str
    group: str  # "start", "famous", "reference" or "gallery"
    about: str
    look_for: str
    config: Config
    cure: Changes = field(default_factory=dict)  # of one that fails on purpose: the settings to change
    cure_about: str = ""


_QUICK = Config(
    recipe="quick", model="quick", width=32, z_dim=164, clusters=100, objective="non-saturating", batch=64,
    d_lr=4e-3, g_lr=4e-3, lr_decay_images=30_000, beta1=0.0, beta2=0.99, penalty="r1", penalty_weight=0.3,
    penalty_every=4, ema_halflife_images=100_000, precision="auto", total_steps=20_000,
)  # fmt: skip
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
    "quick": Recipe(
        "Quick", "start",
        "Our small convolutional GAN, made for two processor cores. It sorts the pictures into groups by itself.",
        "Strokes within seconds, digits within half a minute; then they only get cleaner.",
        _QUICK,
    ),
    "quick-conditional": Recipe(
        "Quick, by class", "start",
        "The same, told which digit to draw.",
        "Each column becomes one digit; later you choose the digit with a button.",
        _QUICK.changed(recipe="quick-conditional", classes=10, clusters=0, z_dim=64, batch=32),
    ),
    "quick-colour": Recipe(
        "Quick, in colour", "start",
        "The same for colour pictures of 32×32: emoji here, or your own.",
        "Blots of colour first, then faces and flags. With so few pictures, D soon knows them by heart.",
        _QUICK.changed(recipe="quick-colour", dataset="emoji", penalty_weight=2.0),
    ),
    "lsgan": Recipe(
        "LSGAN", "famous",
        "Squared errors instead of cross-entropy (Mao et al. 2017).",
        "D's scores stay near 0 and 1. Digits come slowly, and nothing runs away.",
        _FAMOUS.changed(recipe="lsgan", objective="least-squares", d_lr=1e-3, g_lr=4e-3),
    ),
    "wgan": Recipe(
        "WGAN", "famous",
        "A critic with clipped weights that takes five steps for each of G (Arjovsky et al. 2017). The paper's RMSProp "
        "is Adam without momentum here.",
        "The critic's scores lie very close together: clipping leaves it little room, so G learns slowly.",
        _FAMOUS.changed(
            recipe="wgan", objective="wasserstein", weight_clip=0.01, d_steps=5, beta2=0.9, d_lr=5e-4, g_lr=2e-3
        ),
    ),
    "wgan-gp": Recipe(
        "WGAN-GP", "famous",
        "The same critic, held by the gradient penalty instead (Gulrajani et al. 2017): weight 10, five steps of D.",
        "Each step takes long. D's loss climbs towards 0 from below, and here it does tell about the pictures.",
        _FAMOUS.changed(
            recipe="wgan-gp", objective="wasserstein", penalty="gradient-penalty", d_steps=5, beta2=0.9,
            d_lr=2e-3, g_lr=4e-3,
        ),
    ),
    "sngan": Recipe(
        "SNGAN", "famous",
        "Hinge objective, and every layer of D spectrally normalised (Miyato et al. 2018).",
        "D's scores stay inside its margin of 1 without any penalty.",
        _FAMOUS.changed(
            recipe="sngan", objective="hinge", spectral_norm=True, beta2=0.9, d_lr=4e-3, g_lr=2e-3
        ),
    ),
    "r3gan": Recipe(
        "R3GAN", "famous",
        "Each generated picture is compared with a real one, and D is kept flat at both (Huang et al. 2024).",
        "The steadiest of these: no balance has to be found by hand.",
        _FAMOUS.changed(
            recipe="r3gan", objective="relativistic", penalty="r1+r2", penalty_weight=1.0, penalty_every=4,
            d_lr=4e-3, g_lr=4e-3,
        ),
    ),
    "cgan": Recipe(
        "CGAN", "famous",
        "Both networks are told the class (Mirza & Osindero 2014); D by a projection, as Miyato & Koyama 2018 do.",
        "Each column becomes one digit, although neither objective nor penalty is special.",
        _FAMOUS.changed(recipe="cgan", classes=10, beta1=0.5, d_lr=5e-4, g_lr=2e-3),
    ),
    "dense": Recipe(
        "Dense", "reference",
        "One hidden layer in each network (Keras). The article leaves the loop out: ours is batch 64, D then G.",
        "Speckled digits: without convolutions every pixel is learned on its own.",
        _DENSE,
    ),
    "dcgan-upsample": Recipe(
        "DCGAN, upsampling", "reference",
        "Upsampling and convolutions against a deep discriminator (Keras). Loss, loop and scaling are ours; the last "
        "activation is repaired to tanh.",
        "A strong discriminator with dropout: watch its verdict on fakes stay low while the digits still improve.",
        _UPSAMPLE,
    ),
    "dcgan-upsample-as-printed": Recipe(
        "DCGAN, upsampling, as printed", "reference",
        "The same with the relu the article prints at the generator's end.",
        "relu cannot go below 0, which is mid-grey: the background never becomes black, and D always knows.",
        _UPSAMPLE.changed(recipe="dcgan-upsample-as-printed", output="relu"),
    ),
    "dcgan-transposed": Recipe(
        "DCGAN, transposed", "reference",
        "Transposed convolutions of 5×5 (TensorFlow). Both networks learn from one forward pass, at the same time.",
        "Slow and steady: big networks, small learning rates. Checkerboards come and go.",
        _TRANSPOSED,
    ),
    "mlp": Recipe(
        "MLP", "reference",
        "Fully connected with batch normalisation (PyTorch), 100 epochs.",
        "The losses do not both fall: when one player gains, the other pays.",
        _MLP,
    ),
    "conv-small": Recipe(
        "Small convolutions", "reference",
        "A tiny network (Keras), repaired so that sizes meet and black can be painted. D takes two steps: real, fake.",
        "Blobs and strokes: this discriminator has a single convolution.",
        _CONV_SMALL,
    ),
    "conv-small-as-printed": Recipe(
        "Small convolutions, as printed", "reference",
        "The printed program, whose generator makes 56×56 pictures for a discriminator of 28×28.",
        "It is refused, with the reason.",
        _CONV_SMALL.changed(recipe="conv-small-as-printed", model="conv-small-as-printed", output="relu"),
    ),
}  # fmt: skip

FAILURES: dict[str, Recipe] = {
    PREFIX + name: Recipe(
        f.title,
        "gallery",
        f.about,
        f.look_for,
        _QUICK.changed(recipe=PREFIX + name, precision="float32", **f.changes),
        f.cure,
        f.cure_about,
    )
    for name, f in GALLERY.items()
}
ALL_RECIPES = RECIPES | FAILURES  # what fails on purpose is no program to measure or compare with


def make_config(recipe: str, dataset: str | None = None, own_dir: Path | None = None, **changes: Value) -> Config:
    """The recipe's settings, fitted to a data set (size, colours, classes) and changed as asked.

    Raises ConfigError for an unknown recipe or setting, DataError for an unknown data set.
    """
    if recipe not in ALL_RECIPES:
        raise ConfigError(f"There is no recipe named {recipe!r}; known: {', '.join(ALL_RECIPES)}.")
    base = ALL_RECIPES[recipe].config
    dataset = dataset or base.dataset
    info = describe(dataset, own_dir)
    classes = len(info.class_names) if base.classes else 0
    if base.classes and not classes:
        raise ConfigError(f"{info.title} has no classes, but {recipe!r} needs them; choose a recipe without classes.")
    fitted = base.changed(dataset=dataset, size=info.size, channels=info.channels, classes=classes)
    return fitted.changed(**changes)
