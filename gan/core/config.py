"""Every knob of a training run, once: type, range and group; its label and a line of help are in the catalogue.

The command line's flags and the page's form are both made from `KNOBS`, which reads the fields of `Config`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from typing import Any, Literal

from gan.core.errors import UserError
from gan.core.messages import label, say

Value = bool | int | float | str  # of a setting
Changes = dict[str, Value]  # settings by name

# When a setting may change. "fitted": never, it comes from the recipe and the data set; "new": only in a new run;
# "clusters": also in a fork, but only from scratch where there are clusters, which would be others; "free": in a fork.
Scope = Literal["fitted", "new", "clusters", "free"]


# Sides of pictures, in pixels: 4 to 7, doubled at least once.
SIZES = tuple(start << doublings for doublings in range(1, 7) for start in range(4, 8) if start << doublings <= 256)
MOST_VALUES = 256  # of all codes together, see Config.codes
NEVER = -1e4  # added to the vote of a value that no latent may choose
_ANY_UNTIL = 64  # files of 0.1 may have any side from the smallest to this


class ConfigError(UserError):
    """A setting that cannot be used; the message is one sentence for the person who chose it."""


@dataclass(frozen=True)
class Knob:
    """What a form or a command line needs to know about one field of `Config`."""

    name: str
    kind: type
    default: Value
    label: str
    help: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    group: str  # "main" is shown at once, "fixed" never in a form; the others are the headings behind a fold
    scope: Scope

    @property
    def in_forks(self) -> bool:
        """Whether a fork may have another value."""
        return self.scope in ("clusters", "free")

    @property
    def limits(self) -> tuple[str, str]:
        """low and high as one would type them; empty where there are none."""
        return self._typed(self.low), self._typed(self.high)

    def _typed(self, limit: float | None) -> str:
        if limit is None:
            return ""
        return str(int(limit)) if self.kind is int else f"{limit:.10g}"


def knob(
    default: Value,
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] = (),
    group: str = "fixed",
    scope: Scope = "free",
) -> Any:  # what a field of a dataclass begins with stands for a value of its type
    meta = {"low": low, "high": high, "choices": tuple(choices), "group": group}
    return field(default=default, metadata=meta | {"scope": scope})


UPDATE_ORDERS = ("alternate", "alternate-same-noise", "split", "simultaneous")
OUTPUTS = ("tanh", "relu")
SAMPLINGS = ("shuffle", "replacement")
PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class Config:
    """One training run, completely: the same config, seed and step give the same weights.

    Raises:
        ConfigError: a value is out of its range; the sentence names the field, the value and the range.
    """

    # fmt: off
    recipe: str        = knob("quick", scope="fitted")
    dataset: str       = knob("mnist", scope="fitted")
    size: int          = knob(28, SIZES[0], SIZES[-1], scope="fitted")
    channels: int      = knob(1, 1, 3, scope="fitted")
    classes: int       = knob(0, 0, 1000, scope="fitted")
    attributes: str    = knob("", scope="fitted")
    model: str         = knob("quick", scope="new")

    objective: str     = knob("non-saturating", group="objective")
    update_order: str  = knob("alternate", choices=UPDATE_ORDERS, group="objective")
    d_steps: int       = knob(1, 1, 100, group="objective")
    classifier_weight: float = knob(0.0, 0, 100, group="objective")

    penalty: str       = knob("none", group="penalty")
    penalty_weight: float = knob(10.0, 0, 1e4, group="penalty")
    penalty_every: int = knob(1, 1, 1000, group="penalty")

    augment: float     = knob(0.0, 0, 1, group="seen")
    augment_target: float = knob(0.0, 0, 1, group="seen")
    instance_noise: float = knob(0.0, 0, 2, group="seen")
    instance_noise_images: int = knob(0, 0, 10**12, group="seen")

    label_smoothing: float = knob(0.0, 0, 0.5, group="limits")
    weight_clip: float = knob(0.0, 0, 10, group="limits")
    gradient_clip: float = knob(0.0, 0, 1e6, group="limits")
    spectral_norm: bool = knob(False, group="limits")

    data_limit: int    = knob(0, 0, 10**9, group="pictures", scope="clusters")
    clusters: int      = knob(0, 0, MOST_VALUES, group="pictures", scope="clusters")
    sampling: str      = knob("shuffle", choices=SAMPLINGS, group="pictures")

    width: int         = knob(32, 4, 512, group="networks")
    d_width: int       = knob(0, 0, 512, group="networks")
    freeze_d: int      = knob(0, 0, 16, group="networks", scope="new")
    z_dim: int         = knob(100, 1, 1024, group="networks")
    output: str        = knob("tanh", choices=OUTPUTS, group="networks")
    ema_halflife_images: int = knob(0, 0, 10**9, group="networks")

    batch: int         = knob(64, 2, 4096, group="main")
    d_lr: float        = knob(2e-4, 1e-8, 1.0, group="main")
    g_lr: float        = knob(2e-4, 1e-8, 1.0, group="main")
    lr_decay_images: int = knob(0, 0, 10**12, group="optimiser")
    beta1: float       = knob(0.9, 0, 0.9999, group="optimiser")
    beta2: float       = knob(0.999, 0, 0.99999, group="optimiser")
    adam_eps: float    = knob(1e-8, 1e-16, 1.0, group="optimiser")
    precision: str     = knob("float32", choices=PRECISIONS, group="optimiser")
    total_steps: int   = knob(20_000, 1, 10**9, group="main")
    seed: int          = knob(0, 0, 2**31 - 1, group="main", scope="clusters")
    # fmt: on

    def __post_init__(self) -> None:
        for k in KNOBS.values() if KNOBS else ():
            check_value(k, getattr(self, k.name))
        if not is_readable_size(self.size):
            raise ConfigError(wrong_size(self.size))
        if self.attributes and not _are_counts(self.attributes):
            raise ConfigError(say("config.wrong_attributes", value=_shown(self.attributes), most=MOST_VALUES))

    @property
    def codes(self) -> tuple[int, ...]:
        """How many values each categorical code has that a latent chooses (Chen et al. 2016, "InfoGAN", section 4).

        One for each attribute that the networks are told, or the group alone; none where classes are chosen by people.
        """
        if self.attributes:
            return tuple(map(int, self.attributes.split(",")))
        return (self.clusters,) if self.clusters else ()

    def changed(self, /, **values: Any) -> Config:
        """A copy with other values; unknown names and values out of range raise ConfigError."""
        unknown = sorted(set(values) - set(KNOBS))
        if unknown:
            raise ConfigError(say("config.unknown", name=_shown(unknown[0])))
        return replace(self, **values)

    def to_dict(self) -> Changes:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> Config:
        """Read a config written by `to_dict`, from a file that may be foreign: every type and range is checked."""
        if not isinstance(values, dict):
            raise ConfigError(say("config.unreadable"))
        return cls().changed(**values)


KNOBS: dict[str, Knob] = {}


def _are_counts(text: str) -> bool:
    """Whether this says how many values each attribute has: whole numbers from 2 on, divided by commas."""
    counts = [int(part) if re.fullmatch(r"[1-9][0-9]{0,2}", part) else 0 for part in text.split(",")]
    return min(counts) >= 2 and sum(counts) <= MOST_VALUES


def is_readable_size(size: int) -> bool:
    """Whether there may be pictures of this side: new ones have one of SIZES, files of before others as well."""
    return size in SIZES or SIZES[0] <= size <= _ANY_UNTIL


def wrong_size(size: int) -> str:
    """Why pictures cannot have this side, in one sentence."""
    return say("config.wrong_size", size=size, sizes=SIZES)


def check_value(k: Knob, value: Any) -> None:
    if k.kind is bool:
        ok_type = isinstance(value, bool)
    elif k.kind is int:
        ok_type = isinstance(value, int) and not isinstance(value, bool)
    elif k.kind is float:
        ok_type = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        ok_type = isinstance(value, str) and len(value) < 200
    if not ok_type:
        raise ConfigError(
            say("config.wrong_kind", label=k.label, name=k.name, kind=_KIND_WORDS[k.kind], value=_shown(value))
        )
    if k.choices and value not in k.choices:
        raise ConfigError(
            say("config.wrong_choice", label=k.label, name=k.name, choices=k.choices, value=_shown(value))
        )
    if k.low is not None and k.high is not None and not k.low <= value <= k.high:  # false for NaN too
        low, high = k.limits
        raise ConfigError(
            say("config.wrong_range", label=k.label, name=k.name, low=low, high=high, value=_shown(value))
        )


def _shown(value: Any) -> str:
    """What somebody chose, as long as a sentence can hold it."""
    if isinstance(value, int) and abs(value) >= 10**20:
        return say("config.many_digits")
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def choice_title(name: str, choice: str) -> str:
    """What people read for one choice of a setting, by the setting's name; the choice itself where it has no words."""
    table = _TABLES.get(name)
    return label(f"{table}.{choice}.title" if table else f"knobs.{name}.{choice}", choice)


def value_in_words(name: str, value: Value) -> str:
    """A setting's value as people read it, where a sentence or a title speaks of it."""
    if isinstance(value, bool):
        return say("common.yes" if value else "common.no")
    if isinstance(value, str):
        return choice_title(name, value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def parse_value(name: str, text: Any) -> Value:
    """Turn what a person typed into the field's type. Raises ConfigError with a sentence."""
    if name not in KNOBS:
        raise ConfigError(say("config.unknown", name=_shown(name)))
    k = KNOBS[name]
    value = _convert(k, text)
    check_value(k, value)
    return value


def _convert(k: Knob, text: Any) -> Value:
    try:
        if k.kind is bool:
            return text if isinstance(text, bool) else {"true": True, "false": False}[str(text).lower()]
        if k.kind is int:
            number = float(text)
            if number != int(number):
                raise ValueError
            return int(number)
        return k.kind(text)
    except (ValueError, KeyError, TypeError, OverflowError):
        raise ConfigError(
            say("config.wrong_kind", label=k.label, name=k.name, kind=_KIND_WORDS[k.kind], value=_shown(text))
        ) from None


# Settings whose choices have an area of their own; networks are called as the recipe that is made for them.
_TABLES = {"objective": "objectives", "penalty": "penalties", "dataset": "datasets", "model": "recipes"}
_MOST_SHOWN = 60  # letters of a value
_KIND_WORDS: dict[type, str] = {kind: say(f"config.kind_{kind.__name__}") for kind in (bool, int, float, str)}
_KINDS = {"bool": bool, "int": int, "float": float, "str": str}


def _words(name: str) -> dict[str, Any]:  # as fields of a Knob
    """What a form says of a setting; its name where the catalogue has nothing."""
    return {"label": label(f"knobs.{name}.label", name), "help": label(f"knobs.{name}.help", "")}


for _f in fields(Config):
    assert _f.default is not MISSING
    KNOBS[_f.name] = Knob(name=_f.name, kind=_KINDS[str(_f.type)], default=_f.default, **_words(_f.name), **_f.metadata)
