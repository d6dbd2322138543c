"""What to try: at most two things, those that are furthest from where they are known to work for this recipe."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from gan.core.config import KNOBS, Changes, Config, ConfigError
from gan.core.messages import say
from gan.losses.objectives import OBJECTIVES
from gan.monitor.diagnosis.kinds import KINDS
from gan.recipes.catalog import usual
from gan.training.checks import check_config

MOST = 2  # things at once: with more, nobody learns what helped
# Settings that are one thing: how fast both players learn; a penalty, which is another one with another weight.
ONE_THING = {"d_lr": "rates", "g_lr": "rates", "penalty": "penalty", "penalty_weight": "penalty"}

# How far off, in units of a factor 3 in a learning rate.
SAME = 0.05  # as good as the recipe's: a factor 1.06
NEAR = 0.5  # with all settings nearer, a young run is as the recipe's: a factor 1.7
FAR_OFF = 2.0  # a factor 9
LEAST = 1e-6  # of a value whose logarithm is taken
LOOSE = 0.3  # a limit of weights that changes nothing

RATES = ("d_lr", "g_lr")
R1_WEIGHT = 0.3  # what our own recipes take


def _factor(unit: float) -> Callable[[float, float], float]:
    """How many times a factor `unit` lies between two values above 0."""
    return lambda a, b: abs(math.log(max(a, LEAST) / max(b, LEAST))) / math.log(unit)


def _memory(unit: float) -> Callable[[float, float], float]:
    """Of Adam's coefficients: how often the length of the memory, 1 / (1 - β), differs by a factor `unit`."""
    return lambda a, b: abs(math.log((1 - a) / (1 - b))) / math.log(unit)


def _clip(a: float, b: float) -> float:
    """Of the limit of weights, 0 for none: the tighter, the further from none. Few weights of ours are beyond 0.3."""
    return abs(math.log(min(a or LOOSE, LOOSE) / min(b or LOOSE, LOOSE))) / math.log(3)


def _switch(size: float) -> Callable[[object, object], float]:
    return lambda a, b: size * (a != b)


def _part(unit: float) -> Callable[[float, float], float]:
    return lambda a, b: abs(a - b) / unit


# How far a setting is off, in units of a factor 3 in a learning rate, from what is known of each. Augmentation is not
# among them: few pictures need it, whatever the recipe says.
OFF: dict[str, Callable[[float, float], float]] = {
    "d_lr": _factor(3), "g_lr": _factor(3), "beta1": _memory(3), "beta2": _memory(10),
    "objective": _switch(1.0), "update_order": _switch(0.6), "d_steps": _factor(3),
    "penalty": _switch(1.5), "penalty_weight": _factor(10), "penalty_every": _factor(10),
    "weight_clip": _clip, "gradient_clip": _switch(1.0), "spectral_norm": _switch(0.8),
    "instance_noise": _part(0.2), "label_smoothing": _part(0.3),
    "output": _switch(4.0), "z_dim": _factor(30), "clusters": _switch(0.6), "sampling": _switch(0.1),
}  # fmt: skip


def remedy(config: Config, kind: str) -> Changes:
    """Settings to change, of MOST things, none that the run has anyway; empty where there is nothing to change."""
    if KINDS[kind].severity == "fine":
        return {}
    known = SPECIAL.get(kind, lambda config: {})
    # Of pictures learned by heart there are too few: no other setting changes that.
    others = () if kind == "memorisation" else (furthest_off, lambda config: _calmer(config, kind), _slower)
    ways = (known, *others)
    return next(filter(None, (_possible(config, way(config)) for way in ways)), {})


def furthest_in_words(config: Config, changes: Changes) -> str:
    """A sentence that names the settings of a remedy that are off; nothing where they are the recipe's own."""
    off = [KNOBS[name].label for name in changes if furthest_off(config).get(name) == changes[name]]
    return say("diagnosis.furthest", count=len(off), settings=off) if off else ""


def back_to_recipe(config: Config) -> Changes:
    """Every setting of OFF that is not the recipe's and has an effect, with the recipe's value: the plain remedy."""
    known = usual(config)
    if known is None:
        return {}
    without = ("penalty_weight", "penalty_every") if known.penalty == "none" else ()
    return _possible(config, {name: getattr(known, name) for name in OFF if name not in without})


def furthest_off(config: Config) -> Changes:
    """The settings furthest from those that work, with those values."""
    known, off = usual(config), _off(config)
    if known is None:
        return {}
    far = sorted((name for name in off if off[name] > SAME), key=lambda name: -off[name])
    things = list(dict.fromkeys(map(thing_of, far)))[:MOST]
    names = [name for thing in things for name in far if thing_of(name) == thing]
    if "penalty" in names and known.penalty != "none" and config.penalty_weight != known.penalty_weight:
        names.insert(names.index("penalty") + 1, "penalty_weight")
    return {name: getattr(known, name) for name in dict.fromkeys(names)}


def thing_of(name: str) -> str:
    """What a setting is a part of."""
    return ONE_THING.get(name, name)


def far_off(config: Config, limit: float = FAR_OFF) -> bool:
    """Whether a setting is so far from the recipe's that what the recipe does tells nothing of this run."""
    return max(_off(config).values(), default=0.0) >= limit


def _off(config: Config) -> dict[str, float]:
    """How far each setting is from the one that works; nothing where that is not known."""
    known = usual(config)
    if known is None:
        return {}
    off = {name: measure(getattr(config, name), getattr(known, name)) for name, measure in OFF.items()}
    if "none" in (config.penalty, known.penalty):
        off["penalty_weight"] = off["penalty_every"] = 0.0  # of nothing
    return off


def _calmer(config: Config, kind: str) -> Changes:
    """For settings that are the recipe's own: what keeps networks steady in general; nothing where it is there."""
    if kind == "generator-too-strong":
        return {"g_lr": config.g_lr / 4}
    flat_d = kind in ("discriminator-too-strong", "mode-collapse", "partial-collapse") and config.penalty == "none"
    return {"penalty": "r1", "penalty_weight": R1_WEIGHT} if flat_d else {}


def _slower(config: Config) -> Changes:
    return {name: getattr(config, name) / 4 for name in RATES}


def _less_by_heart(config: Config) -> Changes:
    """All pictures, where some were left out; else every one in many shapes (Zhao et al. 2020)."""
    return {"data_limit": 0} if config.data_limit else {"augment": 1.0}


SPECIAL: dict[str, Callable[[Config], Changes]] = {
    "memorisation": _less_by_heart,
    "cannot-paint-black": lambda config: {"output": "tanh"} if config.output != "tanh" else {},
    "plateau": _slower,
    "getting-worse": _slower,
}


def _possible(config: Config, changes: Changes) -> Changes:
    """What the run does not have anyway; without what does not go with its other settings."""
    changes = {name: value for name, value in changes.items() if getattr(config, name) != value}
    if config.augment_target and OBJECTIVES[str(changes.get("objective", config.objective))].boundary is None:
        changes = {"augment_target": 0.0, **changes}  # which that objective does not go with
    while changes and not _can_be_trained(config.changed(**changes)):
        last = thing_of(list(changes)[-1])
        changes = {name: value for name, value in changes.items() if thing_of(name) != last}
    return changes


@lru_cache(maxsize=64)
def _can_be_trained(config: Config) -> bool:
    """Remembered, because the networks are built to know, and a run that is watched is diagnosed every few seconds."""
    try:
        check_config(config)
    except ConfigError:
        return False
    return True
