"""What a knowledgeable person would say of a state of a run, from all that can be measured: the judge of the diagnosis.

It never reads gan/monitor/diagnosis/, and looks at much that a training run has no time for: thousands of pictures,
pictures that were held back, the run's own beginning, its moments one after the other.
docs/oracle.md says the same in sentences.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from functools import cached_property, reduce
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from gan.bench.corpus import draw
from gan.bench.corpus_states import PICTURES, KeptRun, State, pictures_of
from gan.bench.yardstick import yardstick_of
from gan.data.catalog import load
from gan.data.pictures import spread_rows
from gan.losses.transforms import joint_norm
from gan.metrics import evaluate
from gan.metrics.formulas import copied_share, nearest
from gan.monitor.likeness import LEAST_CORRELATION, correlation
from gan.monitor.records import Row
from gan.monitor.signals import d_auroc, mean_distance, mean_nearest_other, small
from gan.training.trainer import Trainer, limit_pictures

SAMPLES = 2000  # generated pictures looked at
COMPARED = 500  # pictures for distances in pairs
NEIGHBOURS = 10_000  # training pictures among which the nearest is looked for
ALIKE_AMONG = (8, PICTURES)  # pictures among which the most similar one is looked for, and not more than
ALIKE_SHARE = 4  # ... one of so many training pictures: all of a few would repeat themselves without any fault
JUDGED = 256  # real and generated pictures that D is asked about
MORE = 3  # seed of the latents of pictures beside those that are kept
MEASURED = 3  # grows when the facts of a state would come out differently
GRADIENTS = 4  # batches of latents of JUDGED / GRADIENTS for G's gradient
FLAT = 16  # levels between the darkest and the brightest pixel of a picture of one colour
DARK = 0.05  # of all real pixels are darker than what counts as their black
EXTREME = 2  # levels from an end: a saturated pixel


@dataclass(frozen=True)
class Facts:
    """What was measured of one state. "Of real": of as many real pictures. None: cannot be measured."""

    finite: bool  # every weight
    loss_growth: float  # the larger loss of late, over D's very first one (at least 1)
    weights_growth: float  # the norm of a network's weights over that at its start, the larger one
    vary: float | None  # mean distance of two pictures, as a share of real; None where real ones do not differ
    twins: float | None  # mean distance to the most similar other one, as a share of real
    vary_features: float | None  # the same two in features
    twins_features: float | None
    modes: int | None  # classes drawn; None where the network is not right often enough
    real_modes: int | None  # of the pictures trained on
    coverage: float  # as a share of real
    distance: tuple[float, ...]  # from real pictures, as a share of the run's start: at each moment, the last one now
    times_real: float  # the same now, in units of real against real
    correlation: float  # of neighbouring pixels, as a share of real; 0 in white noise
    darkest: float  # level that a hundredth of all pixels are below
    real_darkest: float  # level that DARK of the real pixels are below
    saturated: float  # share of pixels at an end, minus that of real ones
    flat: float  # share of pictures of one colour, minus that of real ones
    near: float | None  # to the nearest training picture, as a share of what pictures never seen have
    copied: float  # share of pictures nearer to one than nineteen of twenty never seen
    told: float | None  # how often D finds a picture that it never saw more real than a generated one
    gradient: float | None  # G's gradient over that at its start
    agreement: float | None  # cosine of G's gradients of two halves of the latents
    moved: float  # how far the pictures are from those of the start, in mean distances of two real ones
    change: float  # the same since the moment before
    turned: float | None  # cosine of the last two changes; -1: straight back
    beaten: float  # share of the last third's steps in which D's mean verdict preferred generated pictures
    swings: int  # times that D's verdict went from one side to the other in the last two thirds

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Facts:
        known = {field.name for field in fields(cls)}
        return cls(**{k: v for k, v in values.items() if k in known} | {"distance": tuple(values["distance"])})


# Measuring ----------------------------------------------------------------------------------------------------------


class Judge:
    """Measures the states of one run; what they share is prepared once."""

    def __init__(self, run: KeptRun, folder: Path, samples: int = SAMPLES) -> None:
        self.run, self.config, self.samples = run, run.config, samples
        whole = load(self.config.dataset, "train", folder / "pictures")
        self.train = limit_pictures(whole, self.config.data_limit)
        self.trainer = Trainer(self.config, whole, format=1)  # as the corpus is
        self.start = pictures_of(self.trainer)
        self.start_weights = self._weights()
        self.start_gradient = self._gradient()[0]
        self.yard = yardstick_of(self.config.dataset, draw(run.number).own, folder / "networks")
        self._distances: dict[int, float] = {0: self._far(self.start)}

    @cached_property
    def real(self) -> Tensor:
        """Training pictures, uint8 [<= PICTURES, C, H, W]."""
        return self.train.images[spread_rows(len(self.train.images), PICTURES)]

    @cached_property
    def spread(self) -> float:
        """Mean distance of two real pictures; NaN where they do not differ."""
        found = mean_distance(_rows(self.real[:COMPARED])).item()
        return found if found > 0 else math.nan

    @cached_property
    def real_seen(self) -> tuple[Tensor, Tensor]:
        """Features and logits of the real pictures."""
        return self.yard.seen(self.real)

    @torch.inference_mode()
    def facts(self, state: State) -> Facts:
        state.restore(self.trainer)
        more = pictures_of(self.trainer, self.samples - PICTURES, MORE)
        fake = torch.cat([state.pictures(state.step), more])
        features, logits = self.yard.seen(fake)
        self._distances[state.step] = self.yard.far(features[:PICTURES])
        found = self._numbers(state) | self._variety(fake, features) | self._classes(features, logits)
        found |= self._pixels(fake) | self._distance(state) | self._memory(fake) | self._players() | self._moves(state)
        with torch.inference_mode(False), torch.enable_grad():
            gradient, agreement = self._gradient()
        share = gradient / self.start_gradient if self.start_gradient else math.nan
        return Facts(**found, gradient=_known(share), agreement=_known(agreement))

    def _weights(self) -> tuple[float, float]:
        return joint_norm(self.trainer.g_params).item(), joint_norm(self.trainer.d_params).item()

    def _numbers(self, state: State) -> dict[str, Any]:
        now = self._weights()
        failed = any(event["kind"] == "failed" for event in state.events)
        finite = not failed and all(map(math.isfinite, now))
        growth = max(a / max(b, 1e-12) for a, b in zip(now, self.start_weights, strict=True)) if finite else math.inf
        losses = [_largest(row, ("d_loss", "g_loss")) for row in state.rows]
        # D's first loss alone comes before anything was learned; G's comes after D's first step, which may be enormous.
        first = max((_largest(row, ("d_loss",)) for row in state.rows[:1]), default=1.0)
        last = median(losses[-max(3, len(losses) // 10) :] or [1.0])
        return {"finite": finite, "weights_growth": growth, "loss_growth": last / max(1.0, first)}

    def _variety(self, fake: Tensor, features: Tensor) -> dict[str, float | None]:
        least, most = ALIKE_AMONG
        among = min(most, max(least, len(self.train.images) // ALIKE_SHARE))
        looks = {"": (_rows(fake), _rows(self.real)), "_features": (features.float(), self.real_seen[0].float())}
        found: dict[str, float | None] = {}
        for ending, (a, b) in looks.items():
            found[f"vary{ending}"] = _ratio(mean_distance(a[:COMPARED]), mean_distance(b[:COMPARED]))
            found[f"twins{ending}"] = _ratio(_to_most_similar(a, among), _to_most_similar(b, among))
        return found

    def _classes(self, features: Tensor, logits: Tensor) -> dict[str, Any]:
        modes, real_modes = (self.yard.modes(x) for x in (logits, self.real_seen[1]))
        return {"modes": modes, "real_modes": real_modes, "coverage": self.yard.coverage(features[:PICTURES])}

    def _pixels(self, fake: Tensor) -> dict[str, float]:
        pair = (fake[:PICTURES], self.real)
        dark = [_level(x, share) for x, share in zip(pair, (0.01, DARK), strict=True)]
        ends = [((x <= EXTREME) | (x >= 255 - EXTREME)).double().mean().item() for x in pair]
        flat = [((x.amax((1, 2, 3)) - x.amin((1, 2, 3))) < FLAT).double().mean().item() for x in pair]
        neighbours = [correlation(_pixels(x)).item() for x in pair]
        return {
            "darkest": dark[0],
            "real_darkest": dark[1],
            "saturated": ends[0] - ends[1],
            "flat": flat[0] - flat[1],
            "correlation": neighbours[0] / max(neighbours[1], LEAST_CORRELATION),
        }

    def _far(self, images: Tensor) -> float:
        return self.yard.far(self.yard.seen(images)[0])

    def _distance(self, state: State) -> dict[str, Any]:
        for step in state.steps:
            if step not in self._distances:
                self._distances[step] = self._far(state.pictures(step))
        trend = [self._distances[step] for step in (0, *state.steps)]
        shares = tuple(round(d / max(trend[0], 1e-9), 5) for d in trend)
        return {"distance": shares, "times_real": trend[-1] / max(self.yard.reference.real["real_fid"], 1e-9)}

    def _memory(self, fake: Tensor) -> dict[str, float | None]:
        unseen = self.yard.unseen.images
        pairs = ((self.train.images, NEIGHBOURS), (self.yard.unseen.images, COMPARED))
        train, unseen = (_rows(x[spread_rows(len(x), most)]) for x, most in pairs)
        drawn, usual = nearest(_rows(fake[:COMPARED]), train), nearest(unseen, train)
        copied = copied_share(drawn, usual, 0.05)
        return {"near": _ratio(drawn.median(), usual.median()), "copied": copied}

    def _players(self) -> dict[str, float | None]:
        """D's accuracy on pictures that it never saw, real and fresh generated ones."""
        trainer, unseen = self.trainer, self.yard.unseen
        rows = spread_rows(len(unseen.images), JUDGED)
        z, labels = evaluate.latents(JUDGED, self.config.z_dim, self.config.classes, seed=1)
        fake = trainer.verdict(trainer.sample(z, labels), trainer.G.condition(z, labels))
        held = unseen.images[rows]
        real = trainer.verdict(_pixels(held), self._told(held, rows))
        return {"told": _known(d_auroc(real, fake).item())}

    def _told(self, held: Tensor, rows: Tensor) -> Tensor | None:
        """What D is told of unseen pictures: their classes, or the group of the training picture most like each."""
        if self.config.classes:
            return self.yard.unseen.labels[rows]
        labels = self.trainer.data.labels
        if labels is None:
            return None
        among = spread_rows(len(self.train.images), 2000)
        return labels[among[torch.cdist(_rows(held), _rows(self.train.images[among])).argmin(1)]]

    def _gradient(self) -> tuple[float, float]:
        """The norm of G's gradient, and how well those of two halves of the latents agree (cosine)."""
        cfg, trainer = self.config, self.trainer
        z, labels = evaluate.latents(JUDGED, cfg.z_dim, cfg.classes, seed=2)
        G, D = trainer.G.eval(), trainer.D.eval()
        parts = []
        for rows in torch.arange(JUDGED).split(JUDGED // GRADIENTS):
            told = G.condition(z[rows], None if labels is None else labels[rows])
            fake = D(G(z[rows], told), told)
            real = self._real_logits(len(rows)) if trainer.objective.compares else None
            grads = torch.autograd.grad(trainer.objective.g_loss(fake, real).mean(), trainer.g_params)
            parts.append(torch.cat([g.flatten() for g in grads]))
        one, other, whole = (reduce(torch.add, some) for some in (parts[::2], parts[1::2], parts))
        return (whole / GRADIENTS).norm().item(), torch.cosine_similarity(one, other, dim=0).item()

    def _real_logits(self, count: int) -> Tensor:
        rows, labels = spread_rows(len(self.train.images), count), self.trainer.data.labels
        real = _pixels(self.train.images[rows.repeat(count)[:count]])
        return self.trainer.D(real, None if labels is None else labels[rows.repeat(count)[:count]]).detach()

    def _moves(self, state: State) -> dict[str, Any]:
        past = [self.start, *(state.pictures(step) for step in state.steps)]
        rows = [_rows(x[:COMPARED]) for x in past[-3:]]
        changes = [b - a for a, b in pairwise(rows)]
        moved = (rows[-1] - _rows(self.start[:COMPARED])).norm(dim=1).mean().item() / self.spread
        turned = torch.cosine_similarity(changes[0], changes[1], dim=1).mean().item() if len(changes) > 1 else None
        change = changes[-1].norm(dim=1).mean().item() / self.spread
        return {"moved": moved, "change": change, "turned": turned, "beaten": beaten(state), "swings": swings(state)}


def measured(run: KeptRun, folder: Path) -> Iterator[tuple[State, Facts]]:
    """Everything there is to know about each state of a run; `folder` keeps the corpus."""
    judge = Judge(run, folder)
    for state in run.states():
        yield state, judge.facts(state)


def swings(state: State) -> int:
    """How often D's mean verdict on real pictures minus that on generated ones has changed sides since a third.

    A side counts where it is at least half of the largest difference there was: small ones are noise.
    """
    gaps = _gaps(state, 1 / 3)
    least, side, count = max(map(abs, gaps), default=0.0) / 2, 0, 0
    for gap in gaps:
        now = 0 if abs(gap) < least else (1 if gap > 0 else -1)
        count += bool(now and side and now != side)
        side = now or side
    return count


def beaten(state: State) -> float:
    """Share of the last third's steps in which D's mean verdict preferred generated pictures, or none."""
    gaps = _gaps(state, 2 / 3)
    return sum(gap <= 0 for gap in gaps) / max(1, len(gaps))


def _gaps(state: State, since: float) -> list[float]:
    """D's mean verdict on real pictures minus that on generated ones, at each step after this share of them."""
    verdicts = [(r.d_real, r.d_fake) for r in state.rows if r.step > state.step * since]
    return [a - b for a, b in verdicts if a is not None and b is not None]


def _to_most_similar(rows: Tensor, among: int) -> Tensor:
    """Mean distance to the most similar one of `among`, over all groups of so many that there are."""
    groups = [group for group in rows.split(among) if len(group) == among]
    return torch.stack([mean_nearest_other(group) for group in groups]).mean()


def _rows(images: Tensor) -> Tensor:
    return small(_pixels(images))


def _pixels(images: Tensor) -> Tensor:
    return images.float() / 127.5 - 1


def _largest(row: Row, names: tuple[str, ...]) -> float:
    return max(abs(getattr(row, name) or 0.0) for name in names)


def _level(images: Tensor, share: float) -> float:
    """The level that this share of all pixels are below."""
    counts = torch.bincount(images.flatten().int(), minlength=256).cumsum(0)
    return float((counts < share * counts[-1]).sum())


def _ratio(a: Tensor, b: Tensor) -> float | None:
    return _known((a / b).item())


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


# The mapping --------------------------------------------------------------------------------------------------------

# Every threshold, with its reason.
EXPLODED_WEIGHTS = 100.0  # times the start's; recipes' own rates leave 1 to 10 after these few steps
EXPLODED_LOSS = 1000.0  # times D's first; a critic's scores drift by some tens
ONE_COLOUR = 0.9  # of the pictures are of a single colour
GREY = 64  # levels between real black and the generator's darkest: a quarter of the range is seen at once
MID_GREY = (127, 130)  # levels that a floor lies at: relu cannot go below them
COPY = 0.7  # of the distance that unseen pictures have; a blur is nearer to all than those, but no copy
COPIES = 0.5  # of the pictures must be such copies
COPIES_VARY = 0.45  # of real pictures' variety: less is a collapse, also where it lies near a training picture
UNMOVED = 0.15  # of the distance of two real pictures: nobody sees such a change
NOT_NEARER = 0.75  # of the start's distance from real pictures: still nothing like them
NOISE = 0.5  # of real pictures' correlation of neighbours: to the eye, speckles
SPECKLED = 0.5  # of the start's distance: nearer, shapes are seen through speckles
SPECKLED_UNSURE = 0.25  # the same where the network is seldom right: it sees colours through any speckles
ALIKE = 0.3  # of real pictures' variety: all are one picture with small changes
HANDFUL = 0.1  # of the usual distance to the most similar one: two or three pictures, for all latents
REPEATED = 0.35  # of the usual distance to the most similar one: a few pictures, many times
FEW_KINDS = 0.5  # of the classes that there are
NARROW = 0.45  # of real pictures' variety; while shapes come out of a blur it is 0.5
CHANGED = 0.4  # of the distance of two real pictures, since the start: it was trained to draw just this
SURE = 0.99  # D's accuracy: it is never fooled
VANISHED = 0.02  # of G's first gradient
BLIND = 0.55  # D's accuracy on pictures that are far from real ones: it learns too slowly to tell
FOOLED = 0.3  # D finds generated pictures more real than those that it never saw
OFTEN = 0.25  # of the last steps: D lost so often that it is no accident of this moment
FAR = 0.3  # of the start's distance from real pictures: anybody tells them from real ones
STUCK = 0.97  # of the distance two moments before: no progress to speak of
SWINGS = 4  # of D's verdict from one side to the other
RESTLESS = 0.5  # change since the moment before, in distances of two real pictures
REPLACED = 0.9  # the same: all pictures are others, without any being better
SETTLED = 5  # distances: before, all pictures change
WORSE = 1.5  # times the best distance so far
NOTICEABLE = 3.0  # times real against real: nearer ones go up and down by chance
GOOD = 0.2  # of the start's distance: what is drawn is recognised
GOOD_UNSURE = 0.06  # the same where the network is seldom right: it sees colours sooner than shapes
FINE = 0.1  # of the start's distance: as near as runs come that are not over yet, so that rest is no plateau
VARIED = 0.75  # of real pictures' variety, for health
VARIED_FEATURES = 0.5  # the same in features, where blurs are all alike

BLOWN_UP, ONE, NO_BLACK, MEMORISING, NO_LEARNING, COLLAPSED, PARTLY, D_STRONG, G_STRONG, CIRCLES = (
    "blown up", "one colour only", "cannot paint black", "memorising", "noise", "collapsed", "partly collapsed",
    "D too strong", "G too strong", "going in circles",
)  # fmt: skip
GETTING_WORSE, PLATEAU, IMPROVING, HEALTHY, UNKNOWN = (
    "getting worse", "plateau", "raw but improving", "healthy", "cannot be told",
)  # fmt: skip
FAILED = (BLOWN_UP, ONE, NO_BLACK, MEMORISING, NO_LEARNING, COLLAPSED, PARTLY, D_STRONG, G_STRONG, CIRCLES)
WELL = (PLATEAU, IMPROVING, HEALTHY)
WORDS = (*FAILED, GETTING_WORSE, *WELL, UNKNOWN)
CAUSES = (D_STRONG, G_STRONG, CIRCLES)  # said beside what is seen in the pictures
EXPLAINED = (ONE, MEMORISING)  # what was set is the cause, not how the game goes
MOST = 2


def words(facts: Facts) -> tuple[str, ...]:
    """One or two of WORDS: what fails, the most telling first; where nothing does, how it goes."""
    found = [word for word, rule in _FAILURES.items() if rule(facts)]
    seen = [word for word in found if word not in (BLOWN_UP, *CAUSES)]
    if BLOWN_UP in found:
        return (BLOWN_UP, *seen[:1])
    if not (seen or _stuck(facts)):  # it comes nearer and nothing is wrong with the pictures
        found = []
    if seen[:2] == [NO_LEARNING, COLLAPSED] and facts.moved >= CHANGED:
        return (NO_LEARNING, COLLAPSED)  # always the same speckles: both are true
    why = [word for word in found if word in CAUSES and seen[:1] not in ([name] for name in EXPLAINED)]
    return tuple(seen[:1] + why[:1] or [next(word for word, rule in _COURSE.items() if rule(facts))])


def _low(value: float | None, limit: float) -> bool:
    return value is not None and value <= limit


def _high(value: float | None, limit: float) -> bool:
    return value is not None and value >= limit


def _blown_up(f: Facts) -> bool:
    return not f.finite or f.weights_growth >= EXPLODED_WEIGHTS or f.loss_growth >= EXPLODED_LOSS


def _no_black(f: Facts) -> bool:
    """It ends at mid-grey; a picture that is bright altogether does not."""
    low, high = MID_GREY
    return low <= f.darkest <= high and f.darkest >= f.real_darkest + GREY


def _memorising(f: Facts) -> bool:
    return _low(f.near, COPY) and f.copied >= COPIES and not _low(f.vary, COPIES_VARY)


def _noise(f: Facts) -> bool:
    """Not learning: never moved, or speckles, or no nearer than at first; one smooth picture for all is a collapse."""
    if f.moved <= UNMOVED:
        return True
    speckles = f.correlation <= NOISE and f.distance[-1] >= (SPECKLED_UNSURE if f.modes is None else SPECKLED)
    one_picture = f.moved >= CHANGED and _low(f.vary, ALIKE)
    return speckles or (f.distance[-1] >= NOT_NEARER and not one_picture)


def _collapsed(f: Facts) -> bool:
    """In features only where the network is right often enough, of pictures that are not too far for it."""
    in_features = f.modes is not None and f.distance[-1] <= FAR and _low(f.vary_features, ALIKE)
    return _low(f.vary, ALIKE) or _low(f.twins, HANDFUL) or in_features


def _partly(f: Facts) -> bool:
    """Classes are counted where the network is right often enough, of pictures that are not too far for it."""
    modes, real = f.modes, f.real_modes
    few = modes is not None and real is not None and f.distance[-1] <= FAR and modes <= FEW_KINDS * real
    return few or _low(f.twins, REPEATED) or _low(f.vary, NARROW)


def _worse(f: Facts) -> bool:
    return f.distance[-1] >= WORSE * min(f.distance) and f.times_real >= NOTICEABLE


def _good(f: Facts) -> bool:
    return f.distance[-1] <= (GOOD_UNSURE if f.modes is None else GOOD) and not _low(f.vary_features, VARIED_FEATURES)


def _stuck(f: Facts) -> bool:
    return f.distance[-1] >= STUCK * f.distance[max(0, len(f.distance) - 3)]


def _d_strong(f: Facts) -> bool:
    """Never fooled, the pictures far and no nearer than two moments ago, or no gradient left."""
    useless = f.distance[-1] >= FAR and _stuck(f)
    return _high(f.told, SURE) and (useless or _low(f.gradient, VANISHED))


def _g_strong(f: Facts) -> bool:
    limit = BLIND if f.distance[-1] >= FAR and f.moved > UNMOVED else FOOLED
    return _low(f.told, limit) and f.beaten >= OFTEN and not _good(f)


def _circles(f: Facts) -> bool:
    swings = f.swings >= SWINGS and f.change >= RESTLESS
    return _stuck(f) and (swings or (f.change >= REPLACED and len(f.distance) >= SETTLED))


_FAILURES: dict[str, Callable[[Facts], bool]] = {
    BLOWN_UP: _blown_up,
    ONE: lambda f: f.flat >= ONE_COLOUR,
    NO_BLACK: _no_black,
    MEMORISING: _memorising,
    NO_LEARNING: _noise,
    COLLAPSED: _collapsed,
    PARTLY: _partly,
    GETTING_WORSE: _worse,
    CIRCLES: _circles,
    D_STRONG: _d_strong,
    G_STRONG: _g_strong,
}


def _healthy(f: Facts) -> bool:
    learns = not _stuck(f) or f.distance[-1] <= FINE or f.times_real <= NOTICEABLE
    return _good(f) and _high(f.vary, VARIED) and learns


def _judgeable(f: Facts) -> bool:
    """Whether there was anything to learn, and two moments to compare."""
    return len(f.distance) >= 3 and f.times_real >= f.distance[-1] * NOTICEABLE


_COURSE: dict[str, Callable[[Facts], bool]] = {
    HEALTHY: _healthy,
    UNKNOWN: lambda f: not _judgeable(f),
    IMPROVING: lambda f: not _stuck(f),
    PLATEAU: _stuck,
}
