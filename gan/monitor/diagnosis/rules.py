"""When each kind of verdict applies: one function for each, of what a run has written down alone.

A rule gives what was seen, with numbers, or None. What a rule needs and a record does not have is no reason for it.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import TypeGuard

from gan.core.messages import joined, say
from gan.losses.objectives import OBJECTIVES
from gan.monitor.diagnosis.past import LATEST, Past, swings

# Every threshold, with its reason. They were set on the development half of the corpus (docs/oracle.md) and on presets
# (seeds from 100 on); docs/evidence.md has what they give on the other half.
EXPLODED_WEIGHTS = 100.0  # times the norm at the start: recipes' own rates leave 1 to 10
EXPLODED_LOSS = 1000.0  # times D's first loss: a critic's scores drift by some tens
ONE_COLOUR = 0.9  # of the pictures
GREY = 0.5  # above real pictures' black, of a range of 2: a quarter of the way to white is seen at once
RELU_FLOOR = -1e-6  # no pixel of relu is darker
COPIED = 0.63  # of a real picture's distance to its nearest other one; fresh pictures have 1.0 to 1.5
COPIES_VARY = 0.5  # less diverse pictures are a collapse, even where they lie near a training picture
MOVED = 0.4  # of the distance of two real pictures: nearer to the start, a generator is still much what it was at first
UNMOVED = 0.1  # in logarithms of a distance over its first: nobody sees such a change
SPECKLES = 0.5  # of real pictures' correlation of neighbours
WHITE_NOISE = 0.2  # of real pictures' correlation: nothing is to be seen through these
SPECKLED = 0.5  # of the first distance: nearer, shapes are seen through speckles
LIKE = 1.1  # of a real picture's distance to its nearest other one: as near as real ones
NOT_NEARER = 0.75  # of the first distance: still nothing like real pictures
ALIKE = 0.3  # of real pictures' variety: one picture with small changes
NARROW = 0.45  # of real pictures' variety: too few of the kinds of pictures that there are
HANDFUL = 0.1  # of the usual distance to the most similar other one: two or three pictures for all latents
REPEATED = 0.35  # of the usual distance to the most similar other one: a few pictures, many times
REPEATED_VARY = 0.7  # of real pictures' variety: with more, it is only that there are few training pictures
FEW_CLASSES = 0.5  # of the classes that there are, in the latest measures
RECOVERING = 1.2  # a diversity that has grown so much within the latest looks is on its way
LOST_MODES = (8, 5)  # so many classes were covered once, and at most so many are in the last two measures
SURE = 0.99  # told apart from here on: D is never fooled. Alone it means little, the MLP learns well under such a D
VANISHED = 0.02  # of the generator's first gradient
BLIND = 0.55  # told apart up to here, although the pictures are far from real ones
FOOLED = 0.2  # D finds generated pictures more real than real ones
RAW = 0.3  # of the first distance: anybody tells them from real ones
SWING = 0.45  # of D's verdict, real minus generated, from one side to the other
SWING_SCORES = 3.0  # the same for scores without bounds, in spreads (5 % to 95 %) of the scores of real pictures
SWINGS = 4  # such swings since a third of the run; healthy ones have 0 to 2
SWINGING_VARIES = 0.7  # where pictures are as diverse as this, swings are lively and no failure (conv-small)
AWAY = 0.6  # mean distances of two real pictures: so far from those of now the pictures were in between
BACK = 0.5  # of that: so near they were before
STUCK = 0.97  # of the distance at half of the steps: no progress to speak of
GOOD = 0.12  # of the first distance: what is drawn is recognised
GOOD_FID = 20.0  # times real against real: digits are digits, and garments garments
VARIED = 0.7  # of real pictures' variety, for health
SMOOTH = 0.7  # of real pictures' correlation of neighbours: no speckles to speak of
LEARNED = 300  # steps: pictures of a run that began with weights are smooth and varied before it has learned these
CERTAIN = 0.995  # told apart: a D that is so certain is no sign of health
WORSE_FID = 2.0  # times its own best: not healthy any more
BEST_AGO = 0.4  # of the run's steps have passed since the best FID
MEASURES = 6  # before so many there is no talk of a plateau


# Failures that are seen in the pictures or the numbers ---------------------------------------------------------------


def divergence(past: Past) -> str | None:
    end = next((e for e in reversed(past.events) if e["kind"] == "failed" and "finite" in e["text"]), None)
    if end:
        return say("diagnosis.failed", what=end["text"])
    for player in ("d", "g"):
        times = past.share(f"{player}_weights")
        if times and times >= EXPLODED_WEIGHTS:
            return say(f"diagnosis.exploded_{player}", times=times)
    losses = past.losses()
    late = median(losses[-max(3, len(losses) // 10) :]) if losses else 0.0
    times = late / max([1.0, *losses[:1]])
    return say("diagnosis.exploded_losses", times=times) if times >= EXPLODED_LOSS else None


def single_colour(past: Past) -> str | None:
    flat = past.now("flat")
    if flat is None or flat < ONE_COLOUR:
        return None
    return say("diagnosis.flat", share=flat)


def cannot_paint_black(past: Past) -> str | None:
    darkest, lowest = past.now("darkest"), past.now("min_pixel")
    black = darkest is None or darkest >= GREY  # older records do not say how dark real pictures are
    if past.config.output != "relu" or not _high(lowest, RELU_FLOOR) or not black:
        return None
    auroc = past.now("d_auroc")
    told_apart = say("diagnosis.unknown_share") if auroc is None else say("diagnosis.share", share=auroc)
    return say("diagnosis.no_black", darkest=(lowest + 1) / 2, told_apart=told_apart)


def memorisation(past: Past) -> str | None:
    near, diversity = past.now("train_nn_ratio"), past.now("diversity")
    if not _low(near, COPIED) or not _high(diversity, COPIES_VARY):
        return None
    return say("diagnosis.near", times=near)


def not_learning(past: Past) -> str | None:
    """Noise that is not one picture for all: that is a collapse, also where it is speckles."""
    return None if _one_picture(past) else noise(past)


def noise(past: Past) -> str | None:
    """Unmoved, or speckles, or no nearer than at first."""
    far, correlation = past.far(), past.now("correlation")
    if far is None:
        return None
    if past.unchanged(UNMOVED) and past.moved() < MOVED:
        return say("diagnosis.unmoved", step=past.step)
    white = _low(correlation, WHITE_NOISE)
    if _low(correlation, SPECKLES) and far >= (RAW if white else SPECKLED) and (white or not _grainy(past)):
        return say("diagnosis.speckles", share=max(0.0, correlation))
    return say("diagnosis.still_far", step=past.step, far=far) if far >= NOT_NEARER else None


def _grainy(past: Past) -> bool:
    """Each like one that there is, and all different: what is seen through the speckles is right."""
    return _low(past.now("train_nn_ratio"), LIKE) and _high(past.now("diversity"), VARIED)


def _one_picture(past: Past) -> bool:
    """One picture, or a handful, for all latents; not what it began with."""
    return past.moved() >= MOVED and (_low(past.now("diversity"), ALIKE) or _low(past.now("fake_nn_ratio"), HANDFUL))


def mode_collapse(past: Past) -> str | None:
    diversity, twins, lost = past.now("diversity"), past.now("fake_nn_ratio"), _lost_modes(past)
    if _low(twins, HANDFUL) and not _low(diversity, ALIKE):
        return say("diagnosis.handful", share=twins)
    if not _low(diversity, ALIKE) and not lost:
        return None
    seen = "" if diversity is None else say("diagnosis.alike", share=diversity)
    return joined([seen, lost])


def _lost_modes(past: Past) -> str:
    """The sentence about classes that were drawn once and are not any more, or nothing."""
    counts = [m["modes"] for m in past.measured() if m.get("modes") is not None]
    if not past.measured_lately() or len(counts) < 3 or max(counts) < LOST_MODES[0] or max(counts[-2:]) > LOST_MODES[1]:
        return ""
    return say("diagnosis.lost_modes", before=max(counts), now=counts[-1])


def partial_collapse(past: Past) -> str | None:
    diversity, twins = past.now("diversity"), past.now("fake_nn_ratio")
    if _low(diversity, NARROW) and not past.rising("diversity", RECOVERING):
        return say("diagnosis.alike", share=diversity)
    if _low(twins, REPEATED) and _low(diversity, REPEATED_VARY):
        return say("diagnosis.repeated", share=twins)
    return _few_classes(past)


def _few_classes(past: Past) -> str | None:
    """Of pictures whose classes can be told, where they do not become more. Few pictures may have few classes."""
    counted = [(m["modes"], len(m["histogram"])) for m in past.measured_lately(LATEST) if m.get("histogram")]
    few = len(counted) == LATEST and all(found <= FEW_CLASSES * known for found, known in counted)
    if not few or counted[-1] > counted[0] or past.config.data_limit or not _low(past.far(), RAW):
        return None
    return say("diagnosis.few_classes", now=counted[-1][0], all=counted[-1][1])


def few_kinds_of_noise(past: Past) -> str | None:
    """What a generator began with was never varied, and is no collapse."""
    return partial_collapse(past) if past.moved() >= MOVED else None


# Causes, which stand behind what is seen ------------------------------------------------------------------------------


def oscillation(past: Past) -> str | None:
    return _swings(past) or _returned(past)


def _returned(past: Past) -> str | None:
    found = past.returned(past.step / 3, AWAY, BACK)
    return say("diagnosis.returned", **found._asdict()) if found else None


def _swings(past: Past) -> str | None:
    steps, gaps = past.gaps(past.step / 3)
    size = _swing_size(past)
    turns = swings(gaps, size) if size else []
    if len(turns) <= SWINGS or _high(past.now("diversity"), SWINGING_VARIES):
        return None
    ends = [gaps[i] for i in turns]
    length = (steps[turns[-1]] - steps[turns[0]]) / (len(turns) - 1)
    kind = "shares" if OBJECTIVES[past.config.objective].is_probability else "scores"
    words = {"times": len(turns) - 1, "step": steps[turns[0]], "low": min(ends), "high": max(ends), "length": length}
    return say(f"diagnosis.swings_of_{kind}", **words)


def _swing_size(past: Past) -> float:
    """How large a swing must be to count, in the units of D's verdict; 0 where that is not known."""
    if OBJECTIVES[past.config.objective].is_probability:
        return SWING
    spreads = [s["real_q95"] - s["real_q05"] for s in past.signals if None not in (s["real_q95"], s["real_q05"])]
    return SWING_SCORES * median(spreads) if spreads else 0.0


def discriminator_too_strong(past: Past) -> str | None:
    auroc, gradient, far = past.now("d_auroc"), past.share("g_grad"), past.far()
    vanished = _low(gradient, VANISHED)
    useless = _high(far, RAW) and past.stuck(STUCK)
    if not _high(auroc, SURE) or not (vanished or useless):
        return None
    if vanished:
        return say("diagnosis.vanished", told_apart=auroc, gradient=gradient)
    return say("diagnosis.useless", told_apart=auroc)


def generator_too_strong(past: Past) -> str | None:
    auroc, far = past.now("d_auroc"), past.far()
    blind = BLIND if _high(far, RAW) and not past.unchanged(UNMOVED) else FOOLED
    if not _low(auroc, blind) or _low(far, GOOD):
        return None
    return say("diagnosis.fooled", share=1 - auroc)


# The course of a run --------------------------------------------------------------------------------------------------


def getting_worse(past: Past) -> str | None:
    fids = past.fids()
    if len(fids) < MEASURES or not past.measured_lately():
        return None
    (best, at), now = min(fids), min(median(fid for fid, _ in fids[-3:]), fids[-1][0])
    if now < WORSE_FID * best:
        return None
    return say("diagnosis.worse", best=best, step=at, now=now)


def plateau(past: Past) -> str | None:
    fids = past.fids()
    if len(fids) < MEASURES or not past.measured_lately():
        return None
    (best, at), (now, _) = min(fids), fids[-1]
    if past.step - at < BEST_AGO * past.step or sum(step > at for _, step in fids) < 3:
        return None
    return say("diagnosis.no_better", best=best, step=at, now=now, later=past.step - at)


def healthy(past: Past) -> str | None:
    """Positive signs only: near real pictures by the run's own measure, varied, D neither blind nor certain."""
    far, diversity, auroc = past.far(), past.now("diversity"), past.now("d_auroc")
    seen_well = _high(diversity, VARIED) and _high(past.now("correlation"), SMOOTH)
    if not (_near_real(past) and seen_well and _high(auroc, BLIND) and _low(auroc, CERTAIN)):
        return None
    return say("diagnosis.healthy", far=far, diversity=diversity, told_apart=auroc)


def _near_real(past: Past) -> bool:
    """By the FID, where it is measured; else by the run's own beginning, which is noise."""
    measured = [m for m in past.measured_lately() if m.get("fid") is not None and m.get("real_fid")]
    if measured and past.begun:
        return measured[-1]["fid"] <= GOOD_FID * measured[-1]["real_fid"]
    return _low(past.far(), GOOD) and not (past.from_weights and past.step < LEARNED)


def learning(past: Past) -> str | None:
    far = past.far()
    if far is None or past.stuck(STUCK):
        return None
    return say("diagnosis.nearer", far=far)


Rule = Callable[[Past], str | None]

FAILURES: dict[str, Rule] = {
    "divergence": divergence,
    "single-colour": single_colour,
    "cannot-paint-black": cannot_paint_black,
    "memorisation": memorisation,
    "not-learning": not_learning,
    "mode-collapse": mode_collapse,
    "partial-collapse": partial_collapse,
}
# What is true of the same pictures as well, and said beside it.
BESIDE: dict[str, dict[str, Rule]] = {
    "mode-collapse": {"not-learning": noise},
    "not-learning": {"partial-collapse": few_kinds_of_noise},
}
CAUSES: dict[str, Rule] = {
    "oscillation": oscillation,
    "discriminator-too-strong": discriminator_too_strong,
    "generator-too-strong": generator_too_strong,
}
COURSE: dict[str, Rule] = {
    "getting-worse": getting_worse,
    "plateau": plateau,
    "healthy": healthy,
    "learning": learning,
}


# What they share ------------------------------------------------------------------------------------------------------


def _low(value: float | None, limit: float) -> TypeGuard[float]:
    return value is not None and value <= limit


def _high(value: float | None, limit: float) -> TypeGuard[float]:
    return value is not None and value >= limit
