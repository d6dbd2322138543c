"""What is happening to a run, in words: pure functions of what it has written down (rows, signals, events, measures).

`kinds` has the words, `past` the numbers, `rules` when each kind applies, `remedies` what to try. No rule looks at the
clock, at pictures or at a network, so that a verdict can be repeated from a run's files alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gan.core.config import Changes, Config
from gan.core.messages import joined, say
from gan.monitor.diagnosis.kinds import ALARMS, KINDS, WAIT
from gan.monitor.diagnosis.past import Past
from gan.monitor.diagnosis.remedies import NEAR, SPECIAL, back_to_recipe, far_off, furthest_in_words, remedy
from gan.monitor.diagnosis.rules import BESIDE, CAUSES, COURSE, FAILURES, STUCK, Rule
from gan.monitor.records import Event, Measure, Row, Signal
from gan.recipes.catalog import ALL_RECIPES, usual

__all__ = ["EARLY", "KINDS", "YOUNG", "Verdict", "diagnose", "said"]

EARLY = 20  # steps; before them nothing is said
YOUNG = 300  # steps; until then failures are notes, because healthy networks may look collapsed or noisy at first
YOUTH = 0.05  # of the recipe's own length, where that is more: the MLP's 93,750 steps show no digit before the 4,000th
MORE = 1.2  # times the variety at half of the steps
KINDS_OF_BEGINNERS = ("not-learning", "mode-collapse", "partial-collapse")  # what healthy runs may look like at first
BLOWN_UP = "divergence"
ALONE = (BLOWN_UP, "single-colour")  # where nothing else is worth saying
HEALTHY, PLATEAU = "healthy", "plateau"
BEST_STATE = (PLATEAU, "getting-worse")  # a fork goes on from the best state
FROM_SCRATCH = ("output", "z_dim", "clusters", "data_limit", "spectral_norm")  # other networks or other pictures
LASTING = 3  # looks that agree on a cause, where nothing is wrong with the pictures, and on health
UNSURE = ("cannot-tell", "incomparable")  # say nothing that one could be sure of
LOOKS = 6  # the last ones, which tell how sure a verdict is
SURE, LIKELY = 5, 3  # of them that agree


@dataclass(frozen=True)
class Verdict:
    """severity: "fine", "note", "warning" or "error"; the last two are alarms.

    sure: how sure it is, in words that begin with "Sure", "Likely" or "First signs"; "" where nothing is claimed.
    remedy: settings to change, empty where there is nothing to change. fork_step: continue from the newest state at or
    before this step, 0 is the beginning; None where there is nothing to continue. everything: all settings of
    `remedies.OFF` that are not the recipe's, with its values, where those are more than the remedy's; everything_step:
    where that fork begins.
    """

    kind: str
    severity: str
    title: str
    sure: str
    seen: str
    why: str
    try_: str
    remedy: Changes = field(default_factory=dict)
    fork_step: int | None = None
    everything: Changes = field(default_factory=dict)
    everything_step: int | None = None

    @property
    def alarm(self) -> bool:
        return self.severity in ALARMS


def diagnose(
    config: Config,
    rows: Sequence[Row],
    signals: Sequence[Signal],
    events: Sequence[Event] = (),
    measures: Sequence[Measure] = (),
) -> list[Verdict]:
    """All verdicts on a run, the one that explains most first; none while it is too early to tell."""
    past = Past(config, rows, signals, events, measures)
    found = said(past)
    if not found:
        return []
    before = [said(past.until(s["step"])) for s in signals[-LOOKS:-1]]
    patient = _patient(past, found)
    return [_verdict(past, kind, seen, sum(kind in b for b in before) + 1, patient) for kind, seen in found.items()]


def said(past: Past) -> dict[str, str]:
    """Kinds that apply, with what was seen: of the pictures at most two, of the cause one, else one of the course."""
    if past.step < EARLY:
        return _first(past, {BLOWN_UP: FAILURES[BLOWN_UP]})
    pictures = _first(past, FAILURES)
    if pictures and next(iter(pictures)) in ALONE:
        return pictures
    causes = _first(past, CAUSES)
    pictures |= {kind: seen for first in list(pictures) for kind, seen in _first(past, BESIDE.get(first, {})).items()}
    if not pictures and causes and not (past.stuck(STUCK) and _lasting(past, CAUSES[next(iter(causes))])):
        causes = {}
    return (pictures | causes) or _first(past, _course(past)) or _unknown(past)


def _course(past: Past) -> dict[str, Rule]:
    """The rules of COURSE; that of health only where it lasts, and of rest where a run has had its time."""
    early = {HEALTHY: not _lasting(past, COURSE[HEALTHY]), PLATEAU: past.step < _youth(past.config)}
    return {kind: rule for kind, rule in COURSE.items() if not early.get(kind)}


def _lasting(past: Past, rule: Rule) -> bool:
    """Whether it is so at each of the latest looks: one moment alone is an accident."""
    return all(rule(past.until(s["step"])) for s in past.signals[-LASTING:])


def _first(past: Past, rules: dict[str, Rule]) -> dict[str, str]:
    found = ((kind, rule(past)) for kind, rule in rules.items())
    return next(({kind: seen} for kind, seen in found if seen), {})


def _unknown(past: Past) -> dict[str, str]:
    auroc = past.now("d_auroc")
    if auroc is None:
        return {}
    seen = say("diagnosis.chance", told_apart=auroc)
    known = past.now("diversity") is not None and past.now("train_nn_ratio") is not None
    return {"cannot-tell" if known else "incomparable": seen}


def _patient(past: Past, found: Mapping[str, str]) -> bool:
    """Whether what is found may go by itself: in a young run, or where what comes first is on its way; the rest too."""
    return past.step < _youth(past.config) or _on_its_way(past, next(iter(found)))


def _verdict(past: Past, kind: str, seen: str, looks: int, patient: bool) -> Verdict:
    words = KINDS[kind]
    how = "sure" if looks >= SURE else "likely" if looks >= LIKELY else "first_signs"
    sure = "" if kind in UNSURE else say(f"diagnosis.looks_{how}", looks=looks, of=LOOKS)
    patient = patient and kind not in ALONE
    severity = "note" if patient and words.severity == "warning" else words.severity
    title = words.early if patient and words.early else words.title
    near = usual(past.config) is not None and not far_off(past.config, NEAR)
    wait = patient and severity == "note" and kind not in SPECIAL and near
    changes = {} if wait else remedy(past.config, kind)
    back = _fork_step(past, kind, changes) if changes else None
    try_ = WAIT if wait else joined([words.try_, furthest_in_words(past.config, changes)])
    everything = back_to_recipe(past.config) if changes and kind not in SPECIAL else {}
    everything = everything if len(everything) > len(changes) else {}
    further = _fork_step(past, kind, everything) if everything else None
    return Verdict(kind, severity, title, sure, seen, words.why, try_, changes, back, everything, further)


def _youth(config: Config) -> float:
    """Steps in which healthy networks may look collapsed or like noise: programs that are made to run long are slow."""
    recipe = ALL_RECIPES.get(config.recipe)
    return max(YOUNG, YOUTH * recipe.config.total_steps) if recipe and not far_off(config) else YOUNG


def _on_its_way(past: Past, kind: str) -> bool:
    """Whether noise comes nearer to real pictures, or too few kinds of pictures become more."""
    half = past.until(past.step / 2)
    more = kind == "not-learning" or (past.now("diversity") or 0.0) >= MORE * (half.now("diversity") or math.inf)
    return kind in KINDS_OF_BEGINNERS and more and not past.stuck(STUCK)


def _fork_step(past: Past, kind: str, changes: Changes) -> int:
    """Where a fork begins: at the best FID, or where all was well last; from scratch where nothing was, or must be."""
    if set(changes) & set(FROM_SCRATCH):
        return 0
    fids = past.fids()
    return min(fids)[1] if fids and kind in BEST_STATE else past.last_well()
