"""A corpus of short runs drawn at random, not chosen: run number n has the settings `draw(n)`, for everybody.

A run's share of the corpus follows from its number alone, so that any twelve numbers in a row hold all kinds:
even numbers are for development, odd ones are judged; of both, half have rates within a factor 3 of their recipe's and
half have wild ones; every third learns from few or own pictures. From RARE_FROM on runs begin with presets that fail,
from MILD_FROM on with milder ones, and from SCARCE_FROM on half of them do (the others have wild rates), because what
those show is hardly ever drawn; from DRAWN_AGAIN_FROM on none do. A run, its states and all forks of it belong to the
half of its number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from gan.core.config import OUTPUTS, UPDATE_ORDERS, Changes, Config, ConfigError
from gan.core.seeds import seed_of
from gan.data.catalog import DATA, load
from gan.data.own_pictures.preparation import write_set
from gan.data.own_pictures.summary import Summary
from gan.data.pictures import Pictures, split_of
from gan.losses.objectives import OBJECTIVES
from gan.losses.penalties import PENALTIES
from gan.recipes.catalog import ALL_RECIPES
from gan.recipes.failures import GALLERY, PREFIX
from gan.training.checks import check_config

Thing = TypeVar("Thing")

HALVES = ("development", "judged")  # of the numbers: even, odd
DRAWN_RECIPES = (  # not those that came later: a number stands for the run that it stood for
    "quick", "quick-conditional", "quick-colour", "lsgan", "wgan", "wgan-gp", "sngan", "r3gan", "cgan", "dense",
    "dcgan-upsample", "dcgan-upsample-as-printed", "dcgan-transposed", "mlp", "conv-small", "conv-small-as-printed",
)  # fmt: skip
# What a recipe of these was then, where it is another one now.
WAS: dict[str, Changes] = {"quick-colour": {"model": "quick", "width": 32, "d_width": 0, "d_lr": 4e-3, "batch": 64}}
NEAR = 3.0  # rates of a run that is not wild lie within this factor of its recipe's
WILD = (1e-6, 1.0)  # six decades, for both rates of a wild run
HELD_BACK = 5  # one of so many own pictures is not trained on
FEW = (16, 2000)  # pictures of a run with few or own ones, before some are held back
SECONDS = (5.0, 16.0)  # of one free core, for training; states and measures come on top
LONGER = (10.0, 60.0)  # the same for few pictures: learning by heart takes its time
STEPS = (60, 3000)  # not fewer, whatever they take, and not more
ENOUGH = 200  # smaller batches, down to SMALLEST, are taken for so many steps
SMALLEST = 16
RARE_FROM = 250  # from this number on runs begin with settings that fail in ways which a draw hardly reaches
RARE = ("memorisation", "oscillation", "mode-collapse")  # presets of the gallery; the even and the odd number have one
MILD_FROM = 330  # from this number on presets have rates anywhere between their own and their cure's
MILD = ("oscillation", "mode-collapse", "")  # "": MILD_RECIPE, all of whose pictures change for long
MILD_RECIPE = "dcgan-upsample"
SCARCE_FROM = 450  # from this number on half begin with RARE[0], and half have wild rates: of both there were few
DRAWN_AGAIN_FROM = 550  # from this number on they are as before RARE_FROM, for a look with rules that are finished
RARE_PICTURES = (12, 60)  # of a run that begins with memorisation
OWN = "own"  # stands for the name of a set of own pictures until it is prepared
_DRAW, _SET = 51, 52  # streams of randomness, see gan.core.seeds

# Seconds of a step of G and of D at batch 64, width 32 and 28 x 28 pixels, one core, roughly.
_COST = {
    "quick": (0.033, 0.0225),
    "dense": (0.0026, 0.0026),
    "mlp": (0.008, 0.0075),
    "dcgan-upsample": (0.25, 0.23),
    "dcgan-transposed": (0.15, 0.14),
    "conv-small": (0.025, 0.02),
}
_EVERY_STEP = 0.01  # seconds of any step, however small, with what is written down of it
_PENALTY_COST = 1.2  # times a step of D without one
_LARGER_COST = 1.4  # of pictures of 32 x 32
_WIDE = ("quick", "conv-small")  # networks that have a width


class Dice:
    """Endless numbers that depend on what is given to it alone; no library's generator, which may change some day."""

    def __init__(self, *parts: int) -> None:
        self._parts, self._thrown = parts, 0

    def share(self) -> float:
        """Uniform in [0, 1)."""
        self._thrown += 1
        return (seed_of(*self._parts, self._thrown) >> 10) / 2**53

    def one(self, things: Sequence[Thing]) -> Thing:
        return things[int(self.share() * len(things))]

    def some(self, things: Sequence[Thing], count: int) -> list[Thing]:
        """`count` different ones, in any order."""
        rest = list(things)
        return [rest.pop(int(self.share() * len(rest))) for _ in range(count)]

    def between(self, low: float, high: float) -> float:
        """Log-uniform, to three digits, so that a setting can be read."""
        return float(f"{low * (high / low) ** self.share():.3g}")


# Own pictures, made from what is shipped ----------------------------------------------------------------------------


class Kind(NamedTuple):
    """One sort of own pictures. `make(dice)` gives images uint8 [N, C, H, W] and labels; `classes` their names."""

    source: str  # the shipped data set it is made from; its metric network knows pictures of that size
    channels: int
    size: int
    classes: tuple[str, ...]
    make: Callable[[Pictures, Dice], tuple[Tensor, Tensor]]


def _whole(pictures: Pictures, dice: Dice) -> tuple[Tensor, Tensor]:
    return pictures.images, pictures.labels


def _one_class(pictures: Pictures, dice: Dice) -> tuple[Tensor, Tensor]:
    mine = pictures.labels == dice.one(range(len(pictures.class_names)))
    return pictures.images[mine], torch.zeros(int(mine.sum()), dtype=torch.int64)


def _unequal(pictures: Pictures, dice: Dice) -> tuple[Tensor, Tensor]:
    """Three classes, of which the second has a fifth and the third a twentieth of the first one's pictures."""
    chosen = dice.some(range(len(pictures.class_names)), 3)
    rows = [(pictures.labels == c).nonzero()[:, 0] for c in chosen]
    rows = [r[: max(2, len(rows[0]) // share)] for r, share in zip(rows, (1, 5, 20), strict=True)]
    labels = torch.cat([torch.full((len(r),), k, dtype=torch.int64) for k, r in enumerate(rows)])
    return pictures.images[torch.cat(rows)], labels


def _mixed(pictures: Pictures, dice: Dice) -> tuple[Tensor, Tensor]:
    """Digits and garments, as many of both."""
    garments = load("fashion-mnist").images
    images = torch.cat([pictures.images[:20_000], garments[:20_000]])
    return images, torch.arange(2).repeat_interleave(20_000)


def _inverted(pictures: Pictures, dice: Dice) -> tuple[Tensor, Tensor]:
    return 255 - pictures.images, pictures.labels


def _tinted(pictures: Pictures, dice: Dice) -> tuple[Tensor, Tensor]:
    """Strokes of one of six colours on black, 32 x 32."""
    tints = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=torch.uint8)
    images, labels = pad(pictures.images[:10_000], (2, 2, 2, 2)), pictures.labels[:10_000]
    return images * tints[torch.arange(len(images)) * 7 % 6][:, :, None, None], labels


def _grey(pictures: Pictures, dice: Dice) -> tuple[Tensor, Tensor]:
    return pictures.images.float().mean(1, keepdim=True).byte(), pictures.labels


_DIGITS, _GARMENTS, _GROUPS = (DATA[name].class_names for name in ("mnist", "fashion-mnist", "emoji"))

KINDS: dict[str, Kind] = {
    "digits": Kind("mnist", 1, 28, _DIGITS, _whole),
    "garments": Kind("fashion-mnist", 1, 28, _GARMENTS, _whole),
    "emoji": Kind("emoji", 3, 32, _GROUPS, _whole),
    "one garment": Kind("fashion-mnist", 1, 28, (), _one_class),
    "one digit": Kind("mnist", 1, 28, (), _one_class),
    "unequal digits": Kind("mnist", 1, 28, ("many", "some", "few"), _unequal),
    "unequal garments": Kind("fashion-mnist", 1, 28, ("many", "some", "few"), _unequal),
    "digits and garments": Kind("mnist", 1, 28, ("digit", "garment"), _mixed),
    "black on white": Kind("mnist", 1, 28, _DIGITS, _inverted),
    "tinted digits": Kind("mnist", 3, 32, _DIGITS, _tinted),
    "grey emoji": Kind("emoji", 1, 32, _GROUPS, _grey),
}


@dataclass(frozen=True)
class OwnSet:
    """Own pictures to be prepared: `count` of a kind (0: all of it), drawn with `seed`, before some are held back."""

    kind: str
    count: int
    seed: int

    def population(self) -> Pictures:
        """What the set is drawn from: everything of its kind, in the order in which it is drawn."""
        kind = KINDS[self.kind]
        images, labels = kind.make(load(kind.source), Dice(_SET, self.seed))
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed_of(_SET, self.seed)))
        return Pictures(OWN, images[order], labels[order], kind.classes)

    def trained_on(self, population: int) -> np.ndarray:
        """Of so many pictures of the population: which ones a run trains on, bool."""
        rows = np.arange(population)
        return (rows < (self.count or population)) & (rows % HELD_BACK != HELD_BACK - 1)

    def prepare(self, own_dir: Path) -> str:
        """Write the set where it is not there yet, and return its name; the same pictures on every machine."""
        whole = self.population()
        train = self.trained_on(len(whole.images))
        rows = [kept.nonzero()[0] for kept in (train, ~train)]
        rows[1] = rows[1][rows[1] < (self.count or len(train))]
        own_dir.mkdir(parents=True, exist_ok=True)
        made = Summary(self.kind, len(rows[0]), len(rows[1]))
        return write_set([split_of(whole, r) for r in rows], whole.class_names, made, own_dir).name


# The draw -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Drawn:
    """What a number stands for. config.dataset is OWN while `own` is not prepared; `words` tell of the draw."""

    number: int
    config: Config
    own: OwnSet | None
    words: str

    @property
    def half(self) -> str:
        return HALVES[self.number % 2]

    @property
    def wild(self) -> bool:
        return wild_of(self.number)

    @property
    def few(self) -> bool:
        """Whether it learns from few or own pictures."""
        return few_of(self.number)

    @property
    def longer(self) -> bool:
        return longer_of(self.number)

    def ready(self, own_dir: Path) -> Config:
        """The config to train with, after own pictures were prepared in own_dir."""
        return self.config if self.own is None else self.config.changed(dataset=self.own.prepare(own_dir))


def rare_of(number: int) -> str:
    """The preset that the run of this number begins with; "" for a recipe."""
    if not RARE_FROM <= number < DRAWN_AGAIN_FROM:
        return ""
    presets = RARE if number < MILD_FROM else MILD if mild_of(number) else (RARE[0], "")
    return presets[number // 2 % len(presets)]


def mild_of(number: int) -> bool:
    return MILD_FROM <= number < SCARCE_FROM


def few_of(number: int) -> bool:
    if mild_of(number):
        return number // 2 // len(MILD) % 3 == 0
    return rare_of(number) == RARE[0] if rare_of(number) else number % 3 == 0


def longer_of(number: int) -> bool:
    return few_of(number) or bool(rare_of(number)) or mild_of(number)


def wild_of(number: int) -> bool:
    return number // 2 % 2 == 1 and not RARE_FROM <= number < SCARCE_FROM


def recipe_of(name: str) -> Config:
    """The settings that a drawn run varies."""
    return ALL_RECIPES[name].config.changed(**WAS.get(name, {}))


def draw(number: int) -> Drawn:
    """The run of this number: a pure function. What the trainer refuses is drawn again."""
    attempt = 0
    while True:
        try:
            return _drawn(number, Dice(_DRAW, number, attempt))
        except ConfigError:
            attempt += 1


def _drawn(number: int, dice: Dice) -> Drawn:
    """One attempt. Raises ConfigError."""
    rare, few, wild = rare_of(number), few_of(number), wild_of(number)
    mild = mild_of(number)
    recipe = PREFIX + rare if rare else MILD_RECIPE if mild else dice.one(DRAWN_RECIPES)
    base = recipe_of(recipe)
    own, data = _pictures(dice, few, RARE_PICTURES if rare == RARE[0] else FEW)
    changed = dice.some(list(KNOBS), dice.one((0, 0, 1) if rare or mild else (0, 1, 2, 3) if wild else (0, 0, 1, 2)))
    changes = data | (_mild_rates(rare, dice) if rare and mild else _rates(base, dice, wild)) | _size(base, dice)
    for name in changed:
        changes |= KNOBS[name](dice)
    classes = _classes(base, own, str(changes["dataset"]))
    config = base.changed(**changes, classes=classes, precision="float32", seed=seed_of(_DRAW, number) % 2**31)
    check_config(config)
    config = _short(config, dice.between(*(LONGER if longer_of(number) else SECONDS)))
    kind = own.kind if own else config.dataset
    rates = "wild rates" if wild else f"rates within {NEAR:g} times the recipe's"
    rates = "rates between its own and its cure's" if rare and mild else rates
    words = f"{recipe} on {kind}, {rates}; changed: {', '.join(changed) or 'nothing else'}"
    return Drawn(number, config, own, words)


def _pictures(dice: Dice, few: bool, count: tuple[int, int]) -> tuple[OwnSet | None, Changes]:
    """A shipped data set, whole or only its first pictures; or own ones. Emoji are own ones too: some are held back."""
    limit = 0
    own: OwnSet | None
    if few and dice.share() < 0.7:
        own = OwnSet(dice.one(list(KINDS)), int(dice.between(*count)), dice.one(range(1000)))
    else:
        limit = int(dice.between(*count)) if few else 0
        name = dice.one(("mnist", "fashion-mnist") if few else ("mnist", "fashion-mnist", "emoji"))
        own = OwnSet("emoji", 0, 0) if name == "emoji" else None
    if own is None:
        return None, {"dataset": name, "size": 28, "channels": 1, "data_limit": limit}
    kind = KINDS[own.kind]
    return own, {"dataset": OWN, "size": kind.size, "channels": kind.channels, "data_limit": 0}


def _classes(base: Config, own: OwnSet | None, dataset: str) -> int:
    if not base.classes:
        return 0
    names = KINDS[own.kind].classes if own else DATA[dataset].class_names
    if not names:
        raise ConfigError("These pictures have no classes.")
    return len(names)


def _rates(base: Config, dice: Dice, wild: bool) -> dict[str, float]:
    if wild:
        return {name: dice.between(*WILD) for name in ("d_lr", "g_lr")}
    near = {name: getattr(base, name) for name in ("d_lr", "g_lr")}
    return {name: dice.between(rate / NEAR, rate * NEAR) for name, rate in near.items()}


def _mild_rates(preset: str, dice: Dice) -> dict[str, float]:
    ends = {name: (getattr(recipe_of(PREFIX + preset), name), GALLERY[preset].cure[name]) for name in ("d_lr", "g_lr")}
    return {name: dice.between(min(pair), max(pair)) for name, pair in ends.items()}


def _size(base: Config, dice: Dice) -> dict[str, int]:
    """Batch and width of every run, which decide how many steps it can take."""
    width = {"width": dice.one((8, 16, 24, 32))} if base.model in _WIDE else {}
    return width | {"batch": dice.one((16, 32, 64, 128))}


def _penalty(dice: Dice) -> Changes:
    name = dice.one(list(PENALTIES))
    return {"penalty": name, "penalty_weight": dice.between(0.1, 100), "penalty_every": dice.one((1, 4))}


KNOBS: dict[str, Callable[[Dice], Changes]] = {
    "objective": lambda dice: {"objective": dice.one(list(OBJECTIVES))},
    "update order": lambda dice: {"update_order": dice.one(UPDATE_ORDERS)},
    "penalty": _penalty,
    "d_steps": lambda dice: {"d_steps": dice.one((2, 3, 5))},
    "beta1": lambda dice: {"beta1": dice.one((0.0, 0.5, 0.9))},
    "beta2": lambda dice: {"beta2": dice.one((0.0, 0.9, 0.99, 0.999))},
    "augment": lambda dice: {"augment": dice.between(0.1, 1)},
    "instance noise": lambda dice: {"instance_noise": dice.between(0.03, 1)},
    "label smoothing": lambda dice: {"label_smoothing": dice.between(0.05, 0.4)},
    "weight clip": lambda dice: {"weight_clip": dice.between(0.003, 0.3)},
    "gradient clip": lambda dice: {"gradient_clip": dice.between(0.01, 10)},
    "spectral norm": lambda dice: {"spectral_norm": True},
    "output": lambda dice: {"output": OUTPUTS[1]},
    "z_dim": lambda dice: {"z_dim": dice.one((2, 8, 32, 128))},
    "groups": lambda dice: {"clusters": dice.one((0, 10, 50))},
}


def seconds_a_step(config: Config) -> float:
    """About how long a step takes on one core."""
    g, d = _COST[config.model]
    penalty = _PENALTY_COST / config.penalty_every if config.penalty != "none" else 0.0
    wide = (config.width / 32) ** 1.3 if config.model in _WIDE else 1.0
    size = _LARGER_COST if config.size > 28 else 1.0
    return _EVERY_STEP + (g + d * config.d_steps * (1 + penalty)) * config.batch / 64 * wide * size


def _short(config: Config, seconds: float) -> Config:
    """As many steps as fit into so many seconds, with smaller batches where those would be too few."""
    while config.batch > SMALLEST and seconds / seconds_a_step(config) < ENOUGH:
        config = config.changed(batch=config.batch // 2)
    steps = int(seconds / seconds_a_step(config))
    return config.changed(total_steps=min(max(steps, STEPS[0]), STEPS[1]))
