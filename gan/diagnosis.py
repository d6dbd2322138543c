"""What is happening to a run, in words: pure functions of what it has written down (rows, signals, events, measures).

Each rule is one function, which finds nothing in a history that is too short for it. No rule looks at the clock, at
pictures or at a network, so that a verdict can be repeated from a run's files alone.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gan.config import Config, ConfigError
from gan.history import COLUMNS
from gan.objectives import OBJECTIVES
from gan.trainer import check_config

Record = dict[str, Any]

# Every threshold, with its reason. They were set on runs with seeds from 100 on; `bench evidence` judges 0 to 9.
FIRST_STEP = 300  # before it, healthy networks look collapsed (conv-small: diversity 0.07 at step 40, 0.3 at 280)
RECENT = 6  # signals that must agree; they lie 20 steps apart or more, so 100 steps at least
COLLAPSED = 0.22  # of the real pictures' diversity; collapsed runs fall to 0.1, healthy ones from step 300 on keep 0.3
RECOVERING = 1.5  # a diversity that has grown so much within the recent signals is on its way
LOST_MODES = (8, 5)  # so many classes were covered once, and at most so many are in the last two measures
SURE = 0.99  # told apart from here on: D is never fooled. Alone it means little, the MLP learns well under such a D
VANISHED = 0.02  # the generator's gradient; healthy runs have 0.05 to 30, whatever the objective
FADED = 0.2  # and this part of what it was at first
GONE = 1e-3  # below it there was never much, and what there was is lost; a fiftieth of the smallest healthy one
STUCK_STEPS = 3000  # with a sure D and pictures no nearer to the training pictures than at first
FOOLED = 0.2  # told apart up to here: D finds generated pictures more real than real ones
SWING = 0.45  # of D's verdict, real minus generated, from one side to the other
SWING_SCORES = 3.0  # the same for scores without bounds, in spreads (5 % to 95 %) of the scores of real pictures
SWINGS = 4  # such swings since a third of the run; healthy ones have 0 to 2
SWINGING_VARIES = 0.7  # where pictures are as diverse as this, swings are lively and no failure (conv-small)
SMOOTHED = 5  # rows, by their median: a single batch that went wrong is no swing
FAR = 2.0  # times a real picture's distance to its nearest other one: not yet pictures of the same kind
COPIED = 0.6  # of a real picture's distance to its nearest other one; fresh pictures have 1.0 to 1.5
COPIES_VARY = 0.3  # less diverse pictures are a collapse, even where they lie near a training picture
BEST_AGO = 0.4  # of the run's steps have passed since the best FID
MEASURES = 6  # before so many there is no talk of a plateau
SUDDEN = 10.0  # a gradient so many times its median is the beginning of the end


@dataclass(frozen=True)
class Verdict:
    """severity: "fine", "note", "warning" or "error"; the last two are alarms.

    remedy: settings to change, empty where there is nothing to change. fork_step: continue from the newest state at or
    before this step, 0 is the beginning; None where there is nothing to continue.
    """

    kind: str
    severity: str
    title: str
    seen: str
    why: str
    try_: str
    remedy: dict[str, Any] = field(default_factory=dict)
    fork_step: int | None = None

    @property
    def alarm(self) -> bool:
        return self.severity in ("warning", "error")


class Words(NamedTuple):
    severity: str
    title: str
    why: str
    try_: str


KINDS: dict[str, Words] = {
    "divergence": Words(
        "error", "Training has blown up",
        "A step was so large that numbers left the range a computer can hold. Learning rates are too high, or Adam "
        "forgets how large the gradients are.",
        "Go back to a state well before it, with smaller steps and a longer memory of the gradients' size.",
    ),
    "cannot-paint-black": Words(
        "warning", "The generator cannot paint black",
        "Its last activation is relu, which cannot go below 0, and 0 is mid-grey. The discriminator sees the grey "
        "background and needs nothing else.",
        "End the generator in tanh, which reaches from black to white, and start again.",
    ),
    "memorisation": Words(
        "warning", "It copies training pictures",
        "There are so few training pictures that the discriminator knows them by heart. The surest way to fool it is "
        "to repeat them.",
        "Train on more pictures; where there are no more, shift and cut them as they are shown, so that none can be "
        "known by heart.",
    ),
    "oscillation": Words(
        "warning", "The two go round in circles",
        "Each answers where the other was a moment ago: one overshoots, the other follows, and neither gets better. "
        "Momentum and simultaneous steps make it worse.",
        "Let them take turns without momentum, in smaller steps, with a penalty that keeps the discriminator flat.",
    ),
    "mode-collapse": Words(
        "warning", "Mode collapse",
        "The generator has found a picture that passes, and makes it from every noise. When the discriminator refuses "
        "it, all pictures move on to the next one together.",
        "Keep the discriminator flat around real pictures (R1), and let the generator learn no faster than it.",
    ),
    "discriminator-too-strong": Words(
        "warning", "The discriminator is too strong",
        "It is always sure, so no small change of a picture changes its verdict: the generator gets no hint which way "
        "is better.",
        "Use the non-saturating objective, let both learn equally fast, and add a penalty for a steep discriminator.",
    ),
    "generator-too-strong": Words(
        "warning", "The generator is too strong",
        "It changes faster than the discriminator can follow, so it exploits mistakes instead of learning what real "
        "pictures look like.",
        "Lower the generator's learning rate to the discriminator's, or give the discriminator more steps.",
    ),
    "plateau": Words(
        "note", "You can stop",
        "It has learned what these networks can learn with these settings.",
        "Keep the best state. Smaller steps from there may still polish it.",
    ),
    "learning": Words(
        "fine", "Still far from the real pictures",
        "The discriminator is sure, and the generated pictures are not much like real ones yet. Every training begins "
        "like this, and some stay here.",
        "Let it learn a while; when nothing changes, this line will say so.",
    ),
    "incomparable": Words(
        "fine", "Too alike to judge",
        "There is a single training picture, or they hardly differ, so nothing tells how much generated ones should.",
        "Train on pictures that differ, if you want more than these.",
    ),
    "healthy": Words("fine", "Healthy so far", "Neither player has won, and the pictures differ.", "Let it learn."),
}  # fmt: skip


class Past(NamedTuple):
    """What a run has written down; see History."""

    config: Config
    rows: Sequence[Sequence[float | None]]
    signals: Sequence[Record]
    events: Sequence[Record]
    measures: Sequence[Record]

    @property
    def step(self) -> int:
        last = [records[-1][key] for records, key in ((self.rows, 0), (self.signals, "step")) if records]
        return int(max(last, default=0))

    def recent(self, name: str) -> list[float]:
        """The last RECENT values of a signal; nothing where the run is too young or one is missing."""
        values = [s[name] for s in self.signals[-RECENT:]]
        ready = len(values) == RECENT and None not in values and self.step >= FIRST_STEP
        return values if ready else []

    def last_step(self, well: Callable[[Record], bool]) -> int:
        """The last step whose signals were well; 0 where none were."""
        return next((s["step"] for s in reversed(self.signals) if well(s)), 0)


@dataclass(frozen=True)
class Found:
    """What a rule saw in this run, and what would help it; see Verdict."""

    seen: str
    remedy: dict[str, Any] = field(default_factory=dict)
    fork_step: int | None = None


def diagnose(
    config: Config,
    rows: Sequence[Sequence[float | None]],
    signals: Sequence[Record],
    events: Sequence[Record] = (),
    measures: Sequence[Record] = (),
) -> list[Verdict]:
    """All verdicts on a run, the one that explains most first; healthy alone; none while it is too early to tell."""
    past = Past(config, rows, signals, events, measures)
    found = [(kind, rule(past)) for kind, rule in RULES.items()]
    verdicts = [_verdict(config, kind, what) for kind, what in found if what is not None]
    if not any(v.alarm for v in verdicts) and (calm := _calm(past)):
        verdicts.append(_verdict(config, *calm))
    return verdicts


def _verdict(config: Config, kind: str, found: Found) -> Verdict:
    words, remedy = KINDS[kind], _possible(config, found.remedy)
    return Verdict(kind, words.severity, words.title, found.seen, words.why, words.try_, remedy, found.fork_step)


def _possible(config: Config, remedy: dict[str, Any]) -> dict[str, Any]:
    """What of a remedy the run does not have anyway; without a penalty where these networks cannot have one."""
    now = config.to_dict()
    changes = {name: value for name, value in remedy.items() if now[name] != value}
    try:
        check_config(config.changed(**changes))
    except ConfigError:
        changes = {name: value for name, value in changes.items() if not name.startswith("penalty")}
    return changes


# The rules -------------------------------------------------------------------------------------------------------


def _divergence(past: Past) -> Found | None:
    end = next((e for e in reversed(past.events) if e["kind"] == "failed" and "finite" in e["text"]), None)
    if end is None:
        return None
    cfg = past.config
    smaller = {
        "d_lr": cfg.d_lr / 10,
        "g_lr": cfg.g_lr / 10,
        "beta2": max(cfg.beta2, 0.99),
        "beta1": min(cfg.beta1, 0.5),
    }
    return Found(f"{end['text']}.", smaller, _last_calm_step([s for s in past.signals if s["step"] < end["step"] / 2]))


def _last_calm_step(signals: Sequence[Record]) -> int:
    """The last step at which neither gradient was suddenly large, 0 where there is none."""
    usual = {name: statistics.median(_known(signals, name)) for name in ("d_grad", "g_grad")}
    calm = [s["step"] for s in signals if all((s[name] or 0) <= SUDDEN * usual[name] for name in usual)]
    return max(calm, default=0)


def _cannot_paint_black(past: Past) -> Found | None:
    lowest = past.recent("lowest")
    if past.config.output != "relu" or not lowest or min(lowest) < 0:
        return None
    sure = past.signals[-1]["told_apart"]
    seen = (
        f"The darkest of all generated pixels is {_grey(min(lowest))} (0 % is black, 50 % mid-grey), and D tells "
        f"generated from real pictures {_percent(sure)} of the time."
    )
    return Found(seen, {"output": "tanh"}, 0)


def _memorisation(past: Past) -> Found | None:
    near, diversity = past.recent("near"), past.recent("diversity")
    if not (near and diversity) or max(near[-3:]) > COPIED or min(diversity) < COPIES_VARY:
        return None
    seen = (
        f"Generated pictures lie {near[-1]:.2f} times as far from the training picture most like them as real pictures "
        "lie from each other (1 is usual)."
    )
    return Found(seen, _less_by_heart(past.config), past.last_step(lambda s: s["near"] is not None and s["near"] > 0.9))


def _less_by_heart(cfg: Config) -> dict[str, Any]:
    """All pictures, where some were left out; else every one in many shapes (Zhao et al. 2020)."""
    return {"data_limit": 0} if cfg.data_limit else {"augment": 1.0}


def _oscillation(past: Past) -> Found | None:
    steps, gaps = _gaps(past, past.step / 3)
    size = _swing_size(past)
    turns = swings(gaps, size) if size and past.step >= FIRST_STEP else []
    if len(turns) <= SWINGS or statistics.median(past.recent("diversity") or [0]) > SWINGING_VARIES:
        return None
    ends = [gaps[i] for i in turns]
    length = (steps[turns[-1]] - steps[turns[0]]) / (len(turns) - 1)
    seen = (
        f"D's verdict on real pictures, minus that on generated ones, has swung {len(turns) - 1} times since step "
        f"{steps[turns[0]]:,}, between {_amount(past, min(ends))} and {_amount(past, max(ends))}; a swing takes about "
        f"{length:,.0f} steps."
    )
    return Found(seen, _calmer(past.config) | {"d_lr": past.config.d_lr / 2, "g_lr": past.config.g_lr / 2}, 0)


def _gaps(past: Past, after: float) -> tuple[list[int], list[float]]:
    """Steps, and D's mean verdict on real pictures minus that on generated ones, smoothed."""
    real, fake = COLUMNS.index("d_real"), COLUMNS.index("d_fake")
    rows = [r for r in past.rows if r[0] > after and r[real] is not None and r[fake] is not None]
    gaps, side = [r[real] - r[fake] for r in rows], SMOOTHED // 2
    smooth = [statistics.median(gaps[max(0, i - side) : i + side + 1]) for i in range(len(gaps))]
    return [r[0] for r in rows], smooth


def _swing_size(past: Past) -> float:
    """How large a swing must be to count, in the units of D's verdict; 0 where that is not known."""
    if OBJECTIVES[past.config.objective].is_probability:
        return SWING
    spreads = [s["real_q95"] - s["real_q05"] for s in past.signals if None not in (s["real_q95"], s["real_q05"])]
    return SWING_SCORES * statistics.median(spreads) if spreads else 0.0


def _mode_collapse(past: Past) -> Found | None:
    diversity, lost = past.recent("diversity"), _lost_modes(past)
    collapsed = diversity and max(diversity) < COLLAPSED and diversity[-1] < RECOVERING * diversity[0]
    if not collapsed and not lost:
        return None
    cfg, rate = past.config, min(past.config.d_lr, past.config.g_lr)
    last = past.signals[-1]["diversity"] if past.signals else None
    seen = "" if last is None else f"Generated pictures differ from each other {_percent(last)} as much as real ones."
    remedy = _calmer(cfg) | {"g_lr": rate if cfg.g_lr > cfg.d_lr else cfg.g_lr / 2}
    return Found((seen + lost).strip(), remedy, past.last_step(lambda s: (s["diversity"] or 0) > 2 * COLLAPSED))


def _lost_modes(past: Past) -> str:
    """The sentence about classes that were drawn once and are not any more, or nothing."""
    counts = [m["modes"] for m in past.measures if m.get("modes") is not None]
    if len(counts) < 3 or max(counts) < LOST_MODES[0] or max(counts[-2:]) > LOST_MODES[1]:
        return ""
    return f" Of {max(counts)} classes that it drew before, {counts[-1]} are left."


def _discriminator_too_strong(past: Past) -> Found | None:
    told, gradients = past.recent("told_apart"), past.recent("g_grad")
    if not told or not gradients or min(told) < SURE:
        return None
    first, last = _known(past.signals, "g_grad")[0], max(gradients)
    vanished = last < max(GONE, min(VANISHED, FADED * first))
    if not vanished and not _stuck(past):
        return None
    cfg = past.config
    seen = f"D tells real and generated pictures apart {_percent(min(told))} of the time or more"
    seen += f", and the generator's gradient has fallen from {first:.2g} to {gradients[-1]:.2g}." if vanished else (
        f", and in {past.step:,} steps the pictures have come no nearer to the training pictures."
    )  # fmt: skip
    remedy = _calmer(cfg) | {"objective": "non-saturating", "d_steps": 1}
    remedy["d_lr"] = cfg.g_lr if cfg.d_lr > cfg.g_lr else cfg.d_lr / 2
    return Found(seen, remedy, past.last_step(lambda s: s["told_apart"] is not None and s["told_apart"] < 0.95))


def _stuck(past: Past) -> bool:
    near = _known(past.signals, "near")
    return past.step >= STUCK_STEPS and min(near) > 0.9 * near[0]


def _generator_too_strong(past: Past) -> Found | None:
    told = past.recent("told_apart")
    if not told or max(told) > FOOLED:
        return None
    cfg = past.config
    seen = f"D finds a generated picture more real than a real one {_percent(1 - told[-1])} of the time."
    remedy = {"g_lr": cfg.d_lr if cfg.g_lr > cfg.d_lr else cfg.g_lr / 4}
    return Found(seen, remedy, past.last_step(lambda s: s["told_apart"] is not None and s["told_apart"] > 0.5))


def _plateau(past: Past) -> Found | None:
    fids = [(m["fid"], m["step"]) for m in past.measures if m.get("fid") is not None]
    if len(fids) < MEASURES:
        return None
    (best, at), (now, _) = min(fids), fids[-1]
    if past.step - at < BEST_AGO * past.step or sum(step > at for _, step in fids) < 3:
        return None
    cfg = past.config
    seen = f"The best FID was {best:.1f} at step {at:,}; it is {now:.1f} now, {past.step - at:,} steps later."
    return Found(seen, {"d_lr": cfg.d_lr / 4, "g_lr": cfg.g_lr / 4}, at)


def _calm(past: Past) -> tuple[str, Found] | None:
    """Where nothing is wrong: "healthy", or "learning" while D is sure and the pictures are far from real ones.

    "incomparable" where it is not known how far real pictures lie from each other.
    """
    told, diversity, near = (past.recent(name) for name in ("told_apart", "diversity", "near"))
    if not told:
        return None
    if not (diversity and near):
        apart = f"D tells real and generated pictures apart {_percent(told[-1])} of the time (50 % is chance)."
        return "incomparable", Found(apart)
    found = Found(
        f"D tells real and generated pictures apart {_percent(told[-1])} of the time (50 % is chance). The pictures "
        f"differ {_percent(diversity[-1])} as much as real ones, and lie {near[-1]:.1f} times as far from the training "
        "pictures as real ones do."
    )
    return "learning" if min(told) >= SURE and near[-1] > FAR else "healthy", found


# The one that explains most comes first: what blew up, or cannot paint black, looks like many other things too.
RULES: dict[str, Callable[[Past], Found | None]] = {
    "divergence": _divergence,
    "cannot-paint-black": _cannot_paint_black,
    "memorisation": _memorisation,
    "oscillation": _oscillation,
    "mode-collapse": _mode_collapse,
    "discriminator-too-strong": _discriminator_too_strong,
    "generator-too-strong": _generator_too_strong,
    "plateau": _plateau,
}

# What they share -------------------------------------------------------------------------------------------------


def swings(values: Sequence[float], size: float) -> list[int]:
    """Where a series turns: the extremes between which it moves by at least `size`, in order, as positions.

    A noise smaller than `size` makes no turn. n turns are n - 1 swings.
    """
    turns, low, high, rising = [], 0, 0, None  # low and high: where the extremes since the last turn lie
    for i, value in enumerate(values):
        low = i if value < values[low] else low
        high = i if value > values[high] else high
        if rising is not True and value - values[low] >= size:
            turns, high, rising = [*turns, low], i, True
        elif rising is not False and values[high] - value >= size:
            turns, low, rising = [*turns, high], i, False
    return turns


def _calmer(cfg: Config) -> dict[str, Any]:
    """Turns without momentum, and R1: what keeps our own recipes steady."""
    weight = cfg.penalty_weight if cfg.penalty == "r1" else 0.3
    return {
        "update_order": "alternate", "penalty": "r1", "penalty_weight": weight, "penalty_every": 4,
        "beta1": 0.0, "beta2": max(cfg.beta2, 0.99),
    }  # fmt: skip


def _known(records: Sequence[Record], name: str) -> list[float]:
    return [r[name] for r in records if r[name] is not None] or [math.nan]


def _percent(share: float | None) -> str:
    return "an unknown share" if share is None else f"{100 * share:.0f}\u00a0%"


def _grey(pixel: float) -> str:
    return _percent((pixel + 1) / 2)


def _amount(past: Past, gap: float) -> str:
    """A difference of verdicts, in percent where they are probabilities."""
    return f"{100 * gap:.0f}\u00a0%" if OBJECTIVES[past.config.objective].is_probability else f"{gap:.3g}"
