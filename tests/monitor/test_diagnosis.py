"""Each verdict on a history made by a formula; none on one too short; every remedy can be applied."""

from __future__ import annotations

import copy
import math
import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gan.core.config import Config
from gan.monitor.diagnosis import EARLY, KINDS, diagnose
from gan.monitor.diagnosis.kinds import WAIT
from gan.monitor.diagnosis.past import Past, swings
from gan.monitor.diagnosis.remedies import back_to_recipe, far_off, furthest_off, remedy, thing_of
from gan.monitor.records import SIGNALS, SKETCH, Row
from gan.recipes.catalog import ALL_RECIPES, FAILURES, RECIPES, make_config
from gan.recipes.failures import GALLERY, PREFIX
from gan.runs import loop as loop_module
from gan.runs.registry import Runs
from gan.training.checks import check_config
from gan.web.diagnoses import Diagnoses
from gan.web.routes.answers import BASE, routes_of
from gan.web.routes.diagnosis import DiagnosisRoutes

QUICK = RECIPES["quick"].config
RELU = QUICK.changed(output="relu")
WGAN = QUICK.changed(objective="wasserstein")
NAN = {"step": 900, "kind": "failed", "text": "The generator's loss became NaN or infinite at step 900"}
NEW = ("detail", "patches", "spectrum", "correlation", "darkest", "saturated", "flat")  # older records have none


def rows(steps: int = 1000, gap=lambda step: 0.2, loss=lambda step: 1.3) -> list[Row]:
    """A row for every second step; D's verdicts lie `gap(step)` apart around a half."""
    verdicts = {s: (0.5 + gap(s) / 2, 0.5 - gap(s) / 2) for s in range(2, steps + 1, 2)}
    return [Row(s, 64 * s, 1.0, loss(s), 0.7, *both, 1e-3, 1e-3) for s, both in verdicts.items()]


def nearer(step: int) -> float:
    """A distance that falls to a twentieth, and still falls."""
    return max(0.05, 1 / (1 + step / 20)) - step / 1e5


def far(step: int) -> float:
    return 1 - step / 1e6


def signals(steps: int = 1000, **formulas) -> list[dict]:
    """A healthy record at step 0, 1 and every 20 steps, with some signals by formula: name=lambda step: value."""
    healthy = dict.fromkeys(SIGNALS, 1.0) | dict.fromkeys(("darkest", "saturated", "flat"), 0.0)
    healthy |= {"d_auroc": 0.8, "real_q05": 0.2, "real_q95": 0.9, "min_pixel": -1.0}
    moved = dict.fromkeys(SKETCH, lambda step: (step > 1) / len(SKETCH) ** 0.5)  # as far as two real pictures
    formulas = {"detail": nearer, "patches": nearer, "spectrum": nearer} | moved | formulas
    return [
        healthy | {"step": s} | {name: formula(s) for name, formula in formulas.items()}
        for s in (0, 1, *range(20, steps + 1, 20))
    ]


def kinds(config: Config = QUICK, gap=lambda step: 0.2, events=(), measures=(), steps: int = 1000, **formulas):
    loss = formulas.pop("loss", lambda step: 1.3)
    return [v.kind for v in diagnose(config, rows(steps, gap, loss), signals(steps, **formulas), events, measures)]


def falling(fids: list[float]) -> list[dict]:
    return [{"step": 100 * (i + 1), "fid": fid} for i, fid in enumerate(fids)]


def wave(period: float, height: float):
    return lambda step: 0.2 + height * math.sin(2 * math.pi * step / period)


def always(value: float | None):
    return lambda step: value


UNMOVED = dict.fromkeys(SKETCH, always(0.0))
NO_NEARER = {"detail": far, "patches": far, "spectrum": far, **UNMOVED}
RAW = {"patches": lambda step: max(0.3, nearer(step)) - step / 1e4, "spectrum": lambda step: max(0.3, nearer(step))}
STANDSTILL = dict.fromkeys(("patches", "spectrum"), lambda step: 1.0 if step < 100 else 0.4)
CASES = {
    "healthy": {},
    "learning": RAW,
    "incomparable": {"train_nn_ratio": always(None), "diversity": always(None), **dict.fromkeys(NEW, always(None))},
    "cannot-tell": dict.fromkeys(NEW, always(None)),
    "divergence": {"events": [NAN]},
    "single-colour": {"flat": always(1.0)},
    "cannot-paint-black": {"config": RELU, "min_pixel": always(0.0), "darkest": always(1.0), "d_auroc": always(1.0)},
    "memorisation": {"train_nn_ratio": lambda step: max(0.3, 1.2 - step / 800)},
    "not-learning": NO_NEARER,
    "mode-collapse": {"diversity": lambda step: max(0.1, 1 - step / 500)},
    "partial-collapse": {"diversity": lambda step: max(0.4, 1 - step / 500)},
    "oscillation": STANDSTILL | {"gap": wave(150, 0.6), "diversity": always(0.6)},
    "discriminator-too-strong": STANDSTILL | {"d_auroc": always(1.0), "g_grad": lambda step: 10 ** (-step / 100)},
    "generator-too-strong": STANDSTILL | {"d_auroc": always(0.05)},
}


@pytest.mark.parametrize("kind", CASES)
def test_each_kind_is_named_first_and_alone(kind):
    assert kinds(**CASES[kind]) == [kind]


def test_every_kind_has_a_case_and_words():
    assert set(CASES) | {"plateau", "getting-worse"} == set(KINDS)
    assert {f.kind for f in GALLERY.values()} <= set(KINDS) - {"healthy", "plateau"}


@pytest.mark.parametrize("kind", CASES)
def test_nothing_is_said_before_anything_can_be_known(kind):
    assert diagnose(QUICK, [], []) == []
    short = kinds(**CASES[kind], steps=EARLY - 1)
    assert short == (["divergence"] if kind == "divergence" else [])


def test_early_failures_are_no_alarms_yet():
    """Healthy networks look collapsed or like noise at first: what is seen is said, and nobody is frightened."""
    early = diagnose(QUICK, rows(100), signals(100, **NO_NEARER))[0]
    late = diagnose(QUICK, rows(1000), signals(1000, **NO_NEARER))[0]
    assert early.kind == late.kind == "not-learning"
    assert not early.alarm and late.alarm and late.sure.startswith("Sure")
    assert early.title == KINDS["not-learning"].early != late.title == KINDS["not-learning"].title


def test_what_is_on_its_way_is_no_alarm():
    """Noise that comes nearer, and few kinds of pictures that become more; also of a program made to run for long."""
    slowly = {"spectrum": lambda step: 1 - step / 1e4, "patches": lambda step: 1 - step / 1e4}
    assert [(v.kind, v.severity) for v in diagnose(QUICK, rows(), signals(**slowly))] == [("not-learning", "note")]
    few = RAW | {"diversity": lambda step: 0.2 + step / 1e4}
    (found,) = diagnose(QUICK, rows(), signals(**few))
    assert (found.kind, found.severity) == ("mode-collapse", "note")
    both = diagnose(
        QUICK, rows(), signals(**few | {"d_auroc": always(1.0), "g_grad": lambda step: 10 ** (-step / 100)})
    )
    cause = "discriminator-too-strong"
    assert [(v.kind, v.severity) for v in both] == [("mode-collapse", "note"), (cause, "note")]  # and its cause
    (found,) = diagnose(QUICK, rows(), signals(**RAW, diversity=always(0.2)))
    assert (found.kind, found.severity) == ("mode-collapse", "warning")
    mlp = RECIPES["mlp"].config
    assert not diagnose(mlp, rows(4600), signals(4600, **NO_NEARER))[0].alarm
    assert diagnose(mlp, rows(4700), signals(4700, **NO_NEARER))[0].alarm
    off = mlp.changed(g_lr=2e-6)  # the recipe's patience is for the recipe's settings
    assert diagnose(off, rows(1800), signals(1800, **NO_NEARER))[0].alarm


@pytest.mark.parametrize(
    "values, kind",
    [((0.4, 0.4), "learning"), ((0.4, 0.4, 0.4), "partial-collapse"), ((0.3, 0.4, 0.4), "learning")],
)
def test_three_looks_say_whether_few_kinds_of_pictures_become_more(values, kind):
    at = dict(zip((20, 40, 60), values, strict=False))
    assert kinds(**RAW, diversity=lambda step: at.get(step, 1.0), steps=20 * len(values)) == [kind]


def test_how_sure_it_is_follows_from_how_many_looks_agree():
    for since, sure in ((1000, "First signs"), (960, "Likely"), (800, "Sure")):
        falls = lambda step, since=since: 0.1 if step >= since - 20 else 1.0  # noqa: E731
        found = diagnose(QUICK, rows(), signals(diversity=falls))
        assert found[0].kind == "mode-collapse" and found[0].sure.startswith(f"{sure}: ")


@pytest.mark.parametrize("kind", CASES)
def test_diagnosis_changes_nothing_and_repeats_itself(kind):
    case = {"config": QUICK, "gap": always(0.2), "events": []} | CASES[kind]
    config, gap, events = case.pop("config"), case.pop("gap"), case.pop("events")
    given = [rows(1000, gap), signals(1000, **case), events, falling([9.0] * 8)]
    before = copy.deepcopy(given)
    assert diagnose(config, *given) == diagnose(config, *given)
    assert given == before


@pytest.mark.parametrize("missing", [(), ("train_nn_ratio",), ("diversity",), ("d_auroc", "g_grad"), SIGNALS[1:]])
@pytest.mark.parametrize("kind", CASES)
def test_records_of_older_runs_are_never_called_healthy(kind, missing):
    """What has no positive sign is not healthy; what is missing is never a reason for an alarm."""
    case = CASES[kind] | dict.fromkeys((*NEW, *missing), always(None))
    assert "healthy" not in kinds(**case)
    healthy = dict.fromkeys((*NEW, *missing), always(None))
    assert kinds(**healthy) in (["cannot-tell"], ["incomparable"], [])


def test_health_needs_every_positive_sign():
    assert kinds() == ["healthy"]
    for doubt in (
        {"d_auroc": always(1.0)},  # D is certain
        {
            "d_auroc": always(0.5),
            "patches": lambda step: max(0.2, nearer(step)),
        },  # or blind, and pictures are not near
        {"diversity": always(0.6)},
        {"spectrum": lambda step: max(0.5, nearer(step))},
        {"correlation": always(0.6)},
    ):
        assert "healthy" not in kinds(**doubt)


def test_a_run_that_begins_with_weights_is_raw_at_first():
    begun = [{"step": 0, "kind": "start", "text": "Begins with the weights of Monsters (step 13,000) instead of noise"}]
    assert kinds(steps=280) == ["healthy"] and kinds(steps=280, events=begun) == ["learning"]
    assert kinds(steps=340, events=begun) == ["healthy"]
    measured = {"real_fid": 4.0, "fid": 20.0, "step": 200}
    assert kinds(steps=280, events=begun, measures=[measured]) == ["healthy"]  # which knows no noise


def test_health_is_said_where_three_looks_agree():
    for since, kind in ((940, "healthy"), (960, "learning")):
        varied = lambda step, since=since: 1.0 if step >= since else 0.65  # noqa: E731
        assert kinds(diversity=varied, steps=1000) == [kind]


def test_weights_and_losses_that_have_exploded_are_a_divergence():
    assert kinds(g_weights=lambda step: 1.0 + step) == ["divergence"]
    assert kinds(loss=lambda step: 1.3 if step < 500 else 1e5) == ["divergence"]
    assert kinds(loss=lambda step: 1.3 if step != 500 else 1e5) == ["healthy"]  # one bad batch


def test_speckles_are_noise_however_varied_they_are():
    assert kinds(**STANDSTILL, correlation=always(0.1)) == ["not-learning"]
    for alike in ({"diversity": always(0.2)}, {"fake_nn_ratio": always(0.03)}):  # always the same, or two
        assert kinds(**STANDSTILL, correlation=always(0.1), **alike) == ["mode-collapse", "not-learning"]
    assert kinds(**NO_NEARER, diversity=always(0.05)) == ["not-learning"]  # the start's one and the same grey
    assert kinds(correlation=always(0.4)) == ["learning"]  # shapes through speckles
    still_far = dict.fromkeys(("patches", "spectrum"), lambda step: 0.6 if step > 300 else 1.0)
    assert kinds(**still_far, correlation=always(0.4), train_nn_ratio=always(1.5)) == ["not-learning"]
    assert kinds(**still_far, correlation=always(0.4)) == ["cannot-tell"]  # each is like one that there is


def test_what_is_both_noise_and_alike_is_said_to_be_both():
    speckles = STANDSTILL | {"correlation": always(0.1)}
    alike, few = {"diversity": always(0.2)}, {"diversity": always(0.4)}
    assert kinds(**STANDSTILL, **alike) == ["mode-collapse"]  # one picture, and no noise
    assert kinds(**STANDSTILL, **few) == ["partial-collapse"]
    assert kinds(**speckles, **few) == ["not-learning", "partial-collapse"]
    assert kinds(**NO_NEARER, **few) == ["not-learning"]  # what it began with
    vanished = {"d_auroc": always(1.0), "g_grad": lambda step: 10 ** (-step / 100)}
    all_three = ["mode-collapse", "not-learning", "discriminator-too-strong"]
    assert kinds(**speckles, **alike, **vanished) == all_three
    # Noise on its way is patient with itself, not with a collapse that comes first.
    slowly = {name: lambda step: 1.0 if step < 100 else 0.95 - step / 1e4 for name in ("patches", "spectrum")}
    found = diagnose(QUICK, rows(), signals(**slowly, **alike, detail=lambda step: 1 + step / 100))
    assert [(v.kind, v.severity) for v in found] == [("mode-collapse", "warning"), ("not-learning", "warning")]


@pytest.mark.parametrize("missing", [(), SKETCH], ids=["sketch", "older records"])
def test_what_a_generator_begins_with_is_no_collapse(missing):
    """Speckles that are all alike: noise where the pictures are still much what they were, a collapse where not."""
    unknown = dict.fromkeys(missing, always(None))
    alike = {"diversity": always(0.1), "correlation": always(0.1)}
    slow = dict.fromkeys(("detail", "patches", "spectrum"), lambda step: 1.0 if step < 100 else 0.8)
    little = dict.fromkeys(SKETCH, lambda step: 0.35 * (step > 1) / len(SKETCH) ** 0.5)
    assert kinds(**slow | alike | little | unknown) == ["not-learning"]
    much = dict.fromkeys(SKETCH, lambda step: 0.45 * (step > 1) / len(SKETCH) ** 0.5)
    fast = slow | {"patches": lambda step: 1.0 if step < 100 else 0.6}
    assert kinds(**fast | alike | much | unknown) == ["mode-collapse", "not-learning"]


def turning(size: float = 0.4, looks: float = 8.0, until: int = 10_000) -> dict:
    """Sketches on a circle of this radius, half a turn in so many looks of 20 steps."""
    angle = lambda step: math.pi * min(step, until) / 20 / looks  # noqa: E731
    still = dict.fromkeys(SKETCH, always(0.5))
    x, y = (lambda step, f=f: size * f(angle(step)) for f in (math.cos, math.sin))
    return still | {SKETCH[0]: x, SKETCH[5]: y}


def test_pictures_that_go_away_and_come_back_go_in_circles():
    (found,) = diagnose(QUICK, rows(), signals(**STANDSTILL, **turning()))
    assert (found.kind, found.alarm) == ("oscillation", True)
    seen = r"At step \d+ the .* were 0\s% as far from .*, and 78\s% at step \d+: they went away and came back\."
    assert re.fullmatch(seen, found.seen)
    assert kinds(**STANDSTILL, **turning(), diversity=always(0.1)) == ["mode-collapse", "oscillation"]  # beside it
    assert kinds(**RAW, **turning()) == ["learning"]  # and come nearer
    for calm in (turning(size=0.2), turning(looks=60), turning(until=300)):  # a little, one way, not any more
        assert kinds(**STANDSTILL, **calm) == ["cannot-tell"]
    flickering = {name: lambda step, i=i: math.sin(step * step * (i + 1)) for i, name in enumerate(SKETCH)}
    assert kinds(**STANDSTILL, **flickering) == ["cannot-tell"]  # always others: away, and never back
    for hole in (lambda step: None if step > 980 else 0.0, lambda step: None if step < 980 else 0.0, always(None)):
        assert kinds(**STANDSTILL, **turning() | {SKETCH[9]: hole}) == ["cannot-tell"]  # not written down


def along(*distances: float) -> dict:
    """Sketches at these distances from the last one at steps 400, 420, ...; before and after like the last one."""
    at = dict(zip(range(400, 1000, 20), distances, strict=False))
    return dict.fromkeys(SKETCH, always(0.0)) | {SKETCH[3]: lambda step: at.get(step, 0.0)}


@pytest.mark.parametrize(
    "distances, seen",
    [
        ((0.1, 0.65, 0.65), True),
        ((0.1, 0.55, 0.55), False),  # not far enough
        ((0.1, 50.0), False),  # a single look
        ((0.1, 0.65, 50.0), True),  # and one that wavers beside it
        ((0.7, 1.3, 1.3, 0.3, 0.65, 0.65), True),  # the largest way is not the only one
    ],
)
def test_away_is_far_and_lasting(distances, seen):
    assert ("oscillation" in kinds(**STANDSTILL, **along(*distances))) == seen


@pytest.mark.parametrize("near, seen", [(0.3, True), (0.4, False)])
def test_back_is_near(near, seen):
    """At most half as far as they were away: 0.3 of 0.7 is back, 0.4 is not."""
    moves = dict.fromkeys(SKETCH, always(0.0))
    moves[SKETCH[3]] = lambda step: near if step < 500 else 0.7 if step < 900 else 0.0
    assert ("oscillation" in kinds(**STANDSTILL, **moves)) == seen


def test_what_was_before_a_fork_is_of_other_noise():
    fork = {"step": 600, "kind": "fork", "text": "Fork of another run at step 600"}
    assert kinds(**STANDSTILL, **along(0.1, 0.7, 0.7)) == ["oscillation"]
    assert kinds(**STANDSTILL, **along(0.1, 0.7, 0.7), events=[fork]) == ["cannot-tell"]


def test_bright_pictures_of_a_generator_that_could_paint_black():
    assert kinds(min_pixel=always(0.0), darkest=always(1.0)) == ["healthy"]
    assert kinds(RELU, min_pixel=always(0.0)) == ["healthy"]  # real pictures have no black either
    assert kinds(RELU, min_pixel=always(-0.1), darkest=always(0.9)) == ["healthy"]


def test_healthy_trainings_that_look_odd_are_left_in_peace():
    outliers = lambda step: 0.2 + 0.7 * (step % 200 == 0)  # noqa: E731
    assert kinds(gap=outliers, diversity=always(0.7)) == ["healthy"]  # single batches that went wrong
    assert kinds(gap=wave(150, 0.6)) == ["healthy"]  # swings, but the pictures are as varied as real ones
    assert kinds(gap=wave(5000, 0.6), diversity=always(0.6)) != ["oscillation"]  # less than one swing
    assert kinds(train_nn_ratio=always(0.5), diversity=always(0.1)) == ["mode-collapse"]  # one picture is no copying
    once = lambda step: 0.1 if step == 1000 else 1.0  # noqa: E731
    assert kinds(diversity=once) == ["healthy"]  # one look that wavers


def test_a_cause_is_not_said_of_a_run_that_improves():
    """Whatever the numbers are: where the pictures come nearer and nothing is wrong with them, it is raw, not sick."""
    for kind in ("oscillation", "discriminator-too-strong", "generator-too-strong"):
        assert kinds(**CASES[kind] | RAW) == ["learning"]
    assert kinds(**NO_NEARER, d_auroc=always(0.05)) == [
        "not-learning",
        "generator-too-strong",
    ]  # beside what is seen
    moment = lambda step: 0.05 if step == 1000 else 0.8  # noqa: E731
    assert "generator-too-strong" not in kinds(**STANDSTILL, d_auroc=moment)


def test_scores_swing_in_their_own_units():
    spread = STANDSTILL | {"diversity": always(0.6), "real_q05": always(-50.0), "real_q95": always(50.0)}
    assert kinds(WGAN, gap=wave(150, 400), **spread) == ["oscillation"]
    assert "oscillation" not in kinds(WGAN, gap=wave(150, 100), **spread)


@pytest.mark.parametrize("near", [None, 0.0])
def test_nothing_is_said_of_a_share_that_is_not_known(near):
    """Of a single training picture the first version wrote down a distance of 0 beside a diversity of nothing."""
    unknown = dict.fromkeys(("diversity", *NEW), always(None))
    found = diagnose(QUICK, rows(), signals(train_nn_ratio=always(near), **unknown))
    assert [v.kind for v in found] == ["incomparable"]
    assert found[0].seen == "D tells real and generated pictures apart 80\xa0% of the time (50 % is chance)."
    measures = [{"step": s, "modes": m} for s, m in ((100, 9), (200, 10), (300, 4), (400, 3))]
    assert diagnose(QUICK, [], [], (), measures)[0].seen == "Of 10 classes that it drew before, 3 are left."


def test_modes_that_were_drawn_once_and_are_not_any_more():
    measures = [{"step": s, "modes": m} for s, m in ((500, 9), (600, 10), (700, 4), (800, 3))]
    (verdict,) = diagnose(QUICK, rows(), signals(), (), measures)
    assert verdict.kind == "mode-collapse" and "10 classes" in verdict.seen and "3 are left" in verdict.seen
    assert kinds(measures=measures[:3]) == ["healthy"]  # one low count is not enough
    assert kinds(measures=measures, steps=1800) == ["healthy"]  # long ago


def test_a_measured_fid_decides_what_is_near():
    near = {"real_fid": 4.0, "step": 900}
    raw = RAW | {"patches": lambda step: max(0.4, nearer(step)) - step / 1e4}
    assert kinds(measures=[near | {"fid": 20.0}], **raw) == ["healthy"]
    assert kinds(measures=[near | {"fid": 200.0}]) == ["learning"]
    old = dict.fromkeys(NEW, always(None))
    assert kinds(measures=[near | {"fid": 20.0}], **old) == ["cannot-tell"]


def test_classes_that_were_never_drawn_are_a_partial_collapse():
    def drawn(*counts: int) -> list[dict]:
        near = {"real_fid": 4.0, "fid": 20.0, "histogram": [0] * 10}
        return [near | {"step": 900 + i, "modes": count} for i, count in enumerate(counts)]

    (found,) = diagnose(QUICK, rows(), signals(), (), drawn(6, 5, 5, 4))
    assert found.kind == "partial-collapse" and found.seen == "The generator draws only 4 of the 10 classes."
    assert kinds(measures=drawn(4, 4)) == kinds(measures=drawn(4, 4, 6)) == ["healthy"]
    assert kinds(measures=drawn(2, 3, 4)) == ["healthy"]  # they become more
    noise = {"step": 0, "fid": 400.0, "modes": 1, "histogram": [0] * 10}
    assert kinds(measures=[noise, *drawn(4, 4)]) == ["healthy"]  # what it began with has one class
    assert kinds(measures=drawn(4, 4, 4), steps=2000) == ["healthy"]  # long ago
    assert kinds(QUICK.changed(data_limit=20), measures=drawn(4, 4, 4)) == ["healthy"]  # may have few to learn
    blurs = dict.fromkeys(("patches", "spectrum"), lambda step: max(0.5, nearer(step)) - step / 1e4)
    assert kinds(measures=drawn(4, 4, 4), **blurs) == ["healthy"]  # nobody can tell their classes


def fids(*pairs: tuple[int, float]) -> list[dict]:
    return [{"step": step, "fid": fid} for step, fid in pairs]


def raw(measures: list[dict], steps: int = 1000, events=()) -> Past:
    return Past(QUICK, rows(steps), signals(steps, **RAW), events, measures)


def test_what_is_measured_outranks_an_estimate():
    """Signals that say noise where the FID has fallen, and the other way round; and how far, where both are known."""
    fell = fids((0, 400.0), (480, 200.0), (960, 100.0))
    stands = fids((0, 400.0), (480, 390.0), (960, 395.0))
    noise = dict.fromkeys(("patches", "spectrum"), lambda step: 1.0 if step < 100 else 0.8)
    assert kinds(**noise) == ["not-learning"] and kinds(**noise, measures=fell) == ["learning"]
    assert kinds(**RAW) == ["learning"] and kinds(**RAW, measures=stands) == ["not-learning"]
    assert raw(fell).far() == 100 / 400 and raw(fell, 2000).far() == raw([], 2000).far()  # the last is old
    assert not raw(fell).stuck(0.97) and raw(stands).stuck(0.97) and not raw([]).stuck(0.97)


@pytest.mark.parametrize(
    "measures",
    [[], [(0, 400.0)], [(40, 400.0), (960, 395.0)], [(0, 0.0), (960, 395.0)], [(0, 1e-300), (960, 1e300)]],
    ids=["none", "only the beginning", "not the beginning", "a beginning like real pictures", "absurd ones"],
)
def test_without_a_measured_beginning_the_estimate_stands(measures):
    assert raw(fids(*measures)).far() == raw([]).far()


def test_what_weights_bring_along_is_no_beginning():
    """Pictures of weights are near from the start; noise is what distances are held against."""
    begun = [{"step": 0, "kind": "start", "text": "Begins with the weights of Monsters (step 13,000) instead of noise"}]
    near = fids((0, 12.0), (480, 11.5), (960, 11.0))
    assert raw(near, events=begun).far() == raw([]).far()
    assert kinds(events=begun, measures=near) == kinds(events=begun)


def test_only_measures_of_both_halves_say_whether_pictures_come_nearer():
    stood = fids((0, 400.0), (200, 400.0), (400, 400.0))
    assert raw(stood, 800).stuck(0.97) and not raw(stood, 1000).stuck(0.97)  # the last is old
    late = fids((900, 90.0), (930, 91.0), (960, 90.0))  # measuring began late: nothing of the first half
    assert not raw(late).stuck(0.97)
    assert kinds(**RAW, measures=late) == ["learning"]


def test_one_fid_alone_does_not_say_that_pictures_come_no_nearer():
    good = [(step, 100.0 - step / 20) for step in range(100, 920, 20)]
    assert not raw(fids(*good, (920, 60.0), (940, 90.0), (960, 53.0))).stuck(0.97)
    assert raw(fids(*good, (920, 90.0), (940, 90.0), (960, 53.0))).stuck(0.97)


def test_a_steep_fall_is_not_getting_worse():
    assert kinds(**RAW, measures=falling([1000, 500, 300, 140, 60, 30])) == ["learning"]


def test_a_forks_pictures_may_be_of_other_noise():
    forked = [{"step": 500, "kind": "fork", "text": "Fork"}]
    past = raw([], events=forked)
    assert raw([]).moved() == pytest.approx(1.0) and past.moved() == pytest.approx(-math.log(past.share("patches")))


def test_one_look_alone_does_not_say_that_pictures_have_moved():
    flat = dict.fromkeys(SKETCH, lambda step: (step > 1) * (0.5 if step == 1000 else 0.3) / len(SKETCH) ** 0.5)
    assert Past(QUICK, rows(), signals(**flat), [], []).moved() == pytest.approx(0.3)


def test_measured_fids_outrank_what_the_signals_say():
    fids = [50.0, 20.0, 12.0, 11.0, 11.5, 11.2, 11.6, 11.4, 11.3, 11.9]
    (found,) = diagnose(QUICK, rows(), signals(), (), falling(fids))
    assert found.kind == "plateau" and not found.alarm
    assert "11.0 at step 400" in found.seen and found.fork_step == 400
    assert kinds(measures=falling(sorted(fids, reverse=True))) == ["healthy"]
    assert kinds(measures=falling(fids[:4])) == ["healthy"]  # too few to say
    assert kinds(measures=falling([50.0, 11.0, 12.0, 24.0, 30.0, 28.0, 29.0])) == ["getting-worse"]
    assert kinds(measures=falling(fids), steps=3000) == ["healthy"]  # nothing was measured lately
    assert kinds(measures=falling([50.0, 11.0, 12.0, 24.0, 30.0, 28.0, 29.0]), steps=3000) == ["healthy"]
    young = [measure | {"step": measure["step"] // 2} for measure in falling(fids)]
    assert kinds(measures=young, steps=500) == ["healthy"]  # nobody should stop there


def test_the_fork_begins_before_it_went_wrong():
    (verdict,) = diagnose(QUICK, rows(), signals(diversity=lambda step: 0.1 if step > 400 else 0.9))
    assert verdict.fork_step == 400
    grows = lambda step: 1.0 if step <= 300 else 1e6  # noqa: E731
    (verdict,) = diagnose(QUICK, rows(), signals(patches=lambda step: nearer(step) * grows(step)), [NAN])
    assert verdict.fork_step == 300
    (verdict,) = diagnose(QUICK, rows(), signals(**NO_NEARER))
    assert verdict.fork_step == 0  # nothing was ever well


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [n for n in ALL_RECIPES if n != "conv-small-as-printed"])
@pytest.mark.parametrize("kind", CASES)
def test_every_remedy_can_be_applied_to_every_recipe(recipe, kind):
    case = {"config": None, "gap": None, "events": ()} | CASES[kind]
    config = ALL_RECIPES[recipe].config
    if kind == "cannot-paint-black":
        config = config.changed(output="relu")
    given = {k: v for k, v in case.items() if k not in ("config", "gap", "events")}
    found = diagnose(config, rows(gap=case["gap"] or always(0.2)), signals(**given), case["events"])
    for verdict in found:
        check_config(config.changed(**verdict.remedy))
        assert all(getattr(config, name) != value for name, value in verdict.remedy.items())
        wanted = verdict.severity != "fine" and verdict.try_ != WAIT
        assert bool(verdict.remedy) == wanted or verdict.kind == "memorisation"
        assert len({thing_of(name) for name in verdict.remedy}) <= 2


@pytest.mark.parametrize("name", GALLERY)
def test_gallery_entries_and_their_cures_are_configs_that_can_be_trained(name):
    sick, cured = make_config(PREFIX + name), make_config(PREFIX + name, **GALLERY[name].cure)
    for config in (sick, cured):
        check_config(config)
    assert sick != cured and sick.total_steps <= 1000
    assert all(getattr(sick, k) != v for k, v in GALLERY[name].cure.items())
    assert sick.recipe == PREFIX + name and FAILURES[PREFIX + name].cure == GALLERY[name].cure


def test_what_few_pictures_need_is_not_taken_for_a_fault():
    """Augmentation is switched on for them by the form; no remedy switches it off."""
    few = QUICK.changed(augment=1.0)
    assert furthest_off(few) == {} and back_to_recipe(few) == {} and not far_off(few, 0.01)
    assert remedy(QUICK, "memorisation") == {"augment": 1.0} and "augment" not in remedy(few, "memorisation")
    assert remedy(QUICK.changed(augment=1.0), "memorisation") == {}  # more pictures alone would help


def test_a_remedy_goes_together_with_a_target_of_augmentation():
    following = make_config("wgan").changed(objective="hinge", augment=1.0, augment_target=0.6)
    back = back_to_recipe(following)
    assert back["objective"] == "wasserstein" and back["augment_target"] == 0
    check_config(following.changed(**back))


def test_the_settings_furthest_off_are_changed_back_first():
    off = QUICK.changed(d_lr=1e-5, g_lr=0.5, beta1=0.5, batch=16)
    rates = {"g_lr": QUICK.g_lr, "d_lr": QUICK.d_lr}
    assert furthest_off(off) == rates | {"beta1": 0.0}  # both rates are one thing
    assert furthest_off(off.changed(weight_clip=0.01)) == rates | {"weight_clip": 0.0}
    assert furthest_off(QUICK.changed(weight_clip=0.01, g_lr=QUICK.g_lr * 1.02)) == {"weight_clip": 0.0}
    assert furthest_off(QUICK.changed(penalty="none", penalty_weight=10.0)) == {"penalty": "r1", "penalty_weight": 0.3}
    assert furthest_off(QUICK.changed(penalty="none", clusters=0, d_lr=1e-5)) == {"d_lr": QUICK.d_lr, "penalty": "r1"}
    wrong = {"penalty": "none", "penalty_weight": 10.0, "g_lr": 0.5}
    whole = {"g_lr": QUICK.g_lr, "penalty": "r1", "penalty_weight": 0.3}  # and not a penalty of another weight
    assert furthest_off(QUICK.changed(**wrong)) == whole
    wgan = RECIPES["wgan"].config  # has no penalty, so that the weight of one does not matter
    assert furthest_off(wgan.changed(penalty_weight=0.1, g_lr=wgan.g_lr * 30)) == {"g_lr": wgan.g_lr}
    # What does not go with the other settings is left out as a whole.
    gp = RECIPES["wgan-gp"].config
    smooth = gp.changed(objective="non-saturating", label_smoothing=0.2, penalty="none", penalty_weight=1.0)
    for run in (smooth, smooth.changed(g_lr=1.0, d_lr=1e-3)):
        found = remedy(run, "not-learning")
        assert ("penalty" in found) == ("penalty_weight" in found) and ("d_lr" in found) == ("g_lr" in found)
    assert furthest_off(QUICK) == {} and furthest_off(QUICK.changed(recipe="of a friend", g_lr=0.5)) == {}


def test_a_young_run_with_settings_that_work_is_told_to_wait():
    young = rows(100), signals(100, **NO_NEARER)
    for config in (QUICK, QUICK.changed(g_lr=QUICK.g_lr * 1.5)):
        (verdict,) = diagnose(config, *young)
        assert verdict.try_ == WAIT and verdict.remedy == {} and verdict.fork_step is None
    (verdict,) = diagnose(QUICK.changed(g_lr=QUICK.g_lr * 3), *young)
    assert verdict.try_ != WAIT and verdict.remedy == {"g_lr": QUICK.g_lr}
    (verdict,) = diagnose(QUICK, rows(), signals(**NO_NEARER))
    assert verdict.alarm and verdict.try_ != WAIT and verdict.remedy  # not young
    grey = signals(100, min_pixel=always(0.0), darkest=always(1.0), d_auroc=always(1.0))
    assert diagnose(RELU, rows(100), grey)[0].remedy == {"output": "tanh"}  # no time makes that right


def test_where_more_is_off_than_a_remedy_changes_everything_can_be_set_back():
    wrong = {"g_lr": 0.5, "d_lr": 1e-5, "penalty": "none", "beta1": 0.5}
    (verdict,) = diagnose(QUICK.changed(**wrong), rows(), signals(**NO_NEARER))
    assert set(verdict.remedy) == {"g_lr", "d_lr", "penalty"} and verdict.everything == {
        name: getattr(QUICK, name) for name in wrong
    }
    assert verdict.everything_step == 0
    (verdict,) = diagnose(
        QUICK.changed(**wrong, clusters=0), rows(), signals(diversity=lambda s: 0.1 if s > 400 else 0.9)
    )
    assert (verdict.fork_step, verdict.everything_step) == (400, 0)  # other groups are another network
    (verdict,) = diagnose(QUICK.changed(g_lr=0.5, d_lr=1e-5), rows(), signals(**NO_NEARER))
    assert verdict.remedy and verdict.everything == {} and verdict.everything_step is None


def test_what_is_furthest_off_is_named():
    off = QUICK.changed(g_lr=0.5)
    (verdict,) = diagnose(off, rows(), signals(**CASES["mode-collapse"]))
    assert verdict.try_.endswith("Furthest from what works here is: Generator's learning rate.")
    assert verdict.remedy == {"g_lr": QUICK.g_lr}
    (verdict,) = diagnose(QUICK, rows(), signals(**CASES["mode-collapse"]))
    assert "Furthest" not in verdict.try_ and verdict.remedy  # these settings are the recipe's own


def test_swings_are_counted_between_extremes():
    assert swings([0, 1, 0, 1, 0], 0.9) == [0, 1, 2, 3]
    assert swings([0, 0.5, 0.2, 1, 0.7, 0.3, 0], 0.9) == [0, 3]
    assert swings([0, 0.1] * 50, 0.9) == [] and swings([], 0.9) == []
    assert len(swings([math.sin(i / 10) for i in range(630)], 1.5)) == 19  # of ten periods; the last is not over


# The route -------------------------------------------------------------------------------------------------------


@pytest.fixture
def registry(tmp_path, monkeypatch, random_pictures):
    monkeypatch.setattr(loop_module, "load", lambda *a, **k: random_pictures)
    return Runs(tmp_path)


def client_of(registry) -> TestClient:
    return TestClient(Starlette(routes=routes_of(DiagnosisRoutes(registry, Diagnoses()).table())))


def asked(registry, run) -> dict:
    return client_of(registry).get(f"{BASE}/runs/{run.id}/diagnosis").json()


def fill(run, **formulas) -> None:
    for row in rows():
        run.history.add("rows", row)
    for record in signals(**formulas):
        run.history.add("signals", record)


def test_the_route_answers_with_verdicts_and_the_cure(registry):
    run, _ = registry.create(PREFIX + "mode-collapse")
    assert asked(registry, run)["verdicts"] == []
    fill(run, diversity=lambda step: 0.1)
    answer = asked(registry, run)
    (verdict,) = answer["verdicts"]
    assert verdict["kind"] == "mode-collapse" and verdict["try"] and verdict["why"]
    changes = [{name: change[name] for name in ("label", "from", "to")} for change in answer["cure"]["changes"]]
    assert {"label": "Penalty", "from": "None", "to": "R1"} in changes
    assert verdict["messages"]["title"] == {"key": "verdicts.mode-collapse.title", "values": {}}
    assert verdict["messages"]["seen"]["key"].startswith("diagnosis.")
    cured, _ = registry.create(PREFIX + "mode-collapse", changes=answer["cure"]["remedy"])
    assert asked(registry, cured)["cure"] is None


def test_verdicts_are_found_once_for_each_version(registry, monkeypatch):
    from gan.web import diagnoses as web

    calls = []
    monkeypatch.setattr(web, "diagnose", lambda *given: calls.append(1) or diagnose(*given))
    client = client_of(registry)
    run, _ = registry.create("quick")
    fill(run)
    for _ in range(3):
        assert client.get(f"{BASE}/runs/{run.id}/diagnosis").json()["verdicts"][0]["kind"] == "healthy"
    assert len(calls) == 1
    run.history.add_event(**NAN)
    assert client.get(f"{BASE}/runs/{run.id}/diagnosis").json()["verdicts"][0]["kind"] == "divergence"
    assert len(calls) == 2


def test_a_recipe_that_tells_attributes_knows_its_settings_for_pictures_without_any():
    for config in (
        make_config("quick-monsters"),
        make_config("quick-monsters", classifier_weight=0.0),  # as before there was a classifier
        make_config("quick-monsters", "sprouts"),
        make_config("quick-monsters", "emoji"),
        make_config("quick-monsters", clusters=100),
    ):
        assert furthest_off(config) == {}
        assert furthest_off(config.changed(g_lr=0.1)) == {"g_lr": config.g_lr}
    begun = make_config("quick", "monsters").changed(d_width=24, d_lr=2e-3)  # from networks with a wider D
    assert furthest_off(begun) == {}
