"""What a run has written down until a moment, and the numbers that verdicts are made from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise
from statistics import median
from typing import NamedTuple

from gan.core.config import Config
from gan.monitor.records import SKETCH, Event, Measure, Row, Signal, began_with_weights, while_training

LATEST = 3  # records, at most, whose median is "now": one look at 64 pictures wavers
RECENT = 0.85  # of all steps; what is older than that is not "now" in a young run, which changes fast
WELL = 0.6  # of real pictures' variety, and of the correlation of their neighbours: a state to go back to
HALF_WAY = 0.5  # of the first distance: the same
EARLIER = 0.5  # of the steps: what is older is held against now, and says nothing of now itself
SMOOTHED = 5  # rows, by their median: a single batch that went wrong is no swing


class Return(NamedTuple):
    """At `step` the pictures were `near` those of now, and at `later` `away`: in mean distances of two real ones."""

    step: int
    near: float
    later: int
    away: float


class Past(NamedTuple):
    """What a run has written down; see History."""

    config: Config
    rows: Sequence[Row]
    signals: Sequence[Signal]
    events: Sequence[Event]
    measures: Sequence[Measure]

    @property
    def step(self) -> int:
        last = [r.step for r in self.rows[-1:]]
        last += [s["step"] for s in self.signals[-1:]] + [m["step"] for m in self.measures[-1:]]
        return int(max(last, default=0))

    def until(self, step: float) -> Past:
        """What had been written down at that step."""
        return Past(
            self.config,
            [r for r in self.rows if r.step <= step],
            [s for s in self.signals if s["step"] <= step],
            [e for e in self.events if e["step"] <= step],
            [m for m in self.measures if m["step"] <= step],
        )

    # Signals ---------------------------------------------------------------------------------------------------

    def first(self, name: str) -> float | None:
        return next((s[name] for s in self.signals if s[name] is not None), None)

    def now(self, name: str) -> float | None:
        """The median of the latest records; None where the last one does not have it."""
        since = RECENT * self.signals[-1]["step"] if self.signals else 0
        latest = [s[name] for s in self.signals[-LATEST:] if s["step"] >= since]
        return median(v for v in latest if v is not None) if latest and latest[-1] is not None else None

    def share(self, name: str) -> float | None:
        """What it is now over what it was at first; None where that is not known."""
        first, now = self.first(name), self.now(name)
        return now / first if first and now is not None else None

    @property
    def begun(self) -> bool:
        """Whether it is known what the run began with: older ones did not write that down."""
        return bool(self.signals) and self.signals[0]["step"] <= 1 and self.signals[0]["spectrum"] is not None

    @property
    def from_weights(self) -> bool:
        """Whether it began with other weights than noise, so that its pictures were pictures before it learned."""
        return began_with_weights(self.events)

    @property
    def _forked(self) -> int:
        """The step of the last fork, which may have changed the noise of the pictures that are looked at; 0: none."""
        return max((event["step"] for event in self.events if event["kind"] == "fork"), default=0)

    def far(self) -> float | None:
        """How far the pictures are from real ones, over what it was at first: 1 is no nearer.

        What was measured outranks an estimate: it is the latest FID over that of the beginning.
        """
        measured = self._measured_far()
        return self._estimated_far() if measured is None else measured

    def _measured_far(self) -> float | None:
        """None where no FID was measured of the beginning and lately; also of a run that begins with weights."""
        if not self.begun or not self.measured_lately() or self.measures[0]["step"] or self.from_weights:
            return None
        first, latest = (m.get("fid") or math.nan for m in (self.measures[0], self.measures[-1]))
        share = latest / first
        return share if math.isfinite(share) else None

    def _estimated_far(self) -> float | None:
        """The geometric mean of two shares, of patches and of the spectrum.

        Each alone is fooled: by pictures without any detail, and by pictures with detail at the wrong places.
        """
        patches, spectrum = self.share("patches"), self.share("spectrum")
        return None if not self.begun or patches is None or spectrum is None else math.sqrt(patches * spectrum)

    def moved(self) -> float:
        """How far the pictures of the same noise are from those of the start, in mean distances of two real ones.

        Where a record has no sketch, or a fork came after the first, which may have changed the noise: in logarithms of
        the distance that has changed most, where fine detail counts if it has grown: it is what a network begins with
        that it loses without doing anything. 0: not known.
        """
        if not self.begun:
            return 0.0
        first, latest = _sketch(self.signals[0]), self.signals[-LATEST:]
        sketches = [_sketch(s) for s in latest if s["step"] >= RECENT * latest[-1]["step"]]
        if first and all(sketches) and self._forked <= self.signals[0]["step"]:
            return median(math.dist(first, sketch) for sketch in sketches if sketch)
        near, patches, detail = (self._log_share(name) for name in ("train_nn_ratio", "patches", "detail"))
        return max(abs(near), abs(patches), detail)

    def unchanged(self, limit: float) -> bool:
        """Whether no distance has changed by more than this, in logarithms, since the start."""
        names = ("train_nn_ratio", "detail", "patches", "spectrum")
        return self.begun and all(abs(self._log_share(name)) <= limit for name in names)

    def _log_share(self, name: str) -> float:
        share = self.share(name)
        return math.log(max(share, 1e-9)) if share is not None else 0.0

    def rising(self, name: str, factor: float) -> bool:
        """Whether a signal has grown by this factor within the latest looks, or may have: there were too few."""
        latest = [s[name] for s in self.signals[-LATEST:] if s["step"] > 1]
        return len(latest) < LATEST or (None not in latest and latest[-1] >= factor * latest[0])

    def stuck(self, share: float) -> bool:
        """Whether the pictures are no nearer than `share` of their distance at half of the steps."""
        half = self.until(math.ceil(EARLIER * self.step))
        now, then = self._latest_fid(), half._latest_fid()
        if now is None or then is None:
            now, then = self._estimated_far(), half._estimated_far()
        return now is not None and then is not None and now >= share * then

    def _latest_fid(self) -> float | None:
        """The median of the latest ones, as in `now`; None where the last is older than half of the steps."""
        fids = self.fids()[-LATEST:] if self.measured_lately() else []
        return median(fid for fid, step in fids if step >= RECENT * fids[-1][1]) if fids else None

    def returned(self, after: float, away: float, back: float) -> Return | None:
        """Where, after this step, the pictures drawn from the same noise went this far away and came back.

        Away at two looks running, because one wavers; before it they were at most `back` times as far. Since the last
        fork, which may have changed the noise. None where they never did, or that was not written down.
        """
        since = max(after, self._forked)
        sketches = {s["step"]: _sketch(s) for s in self.signals if s["step"] >= since}
        known = {step: sketch for step, sketch in sketches.items() if sketch}
        if not known or self.signals[-1]["step"] not in known:
            return None
        now = known[self.signals[-1]["step"]]
        far = [(math.dist(sketch, now), step) for step, sketch in known.items()]
        nearest = accumulate(far, min)
        lasting = [min(pair) for pair in pairwise(far[1:])]
        found = [Return(at, near, later, most) for (near, at), (most, later) in zip(nearest, lasting, strict=False)]
        found = [r for r in found if r.away >= away and r.near <= back * r.away]
        return max(found, key=lambda r: r.away - r.near, default=None)

    def last_well(self) -> int:
        """The last step whose pictures were varied, smooth and well on their way; 0 where none were."""
        return next((s["step"] for s in reversed(self.signals) if self._well(s)), 0)

    def _well(self, record: Signal) -> bool:
        shares = [record[name] / (self.first(name) or math.inf) for name in ("patches", "spectrum") if record[name]]
        steady = min(record["diversity"] or 0.0, record["correlation"] or 0.0) >= WELL
        return steady and len(shares) == 2 and max(shares) <= HALF_WAY

    def measured(self) -> list[Measure]:
        """What was measured while it trained; not what it began with."""
        return while_training(self.measures)

    def measured_lately(self, count: int = 1) -> list[Measure]:
        """The last `count` of them; nothing where there are fewer, or the last is older than half of the steps."""
        last = self.measured()[-count:]
        return last if len(last) == count and last[-1]["step"] >= EARLIER * self.step else []

    def fids(self) -> list[tuple[float, int]]:
        """Of what was measured while it trained, with the steps."""
        return [(m["fid"], m["step"]) for m in self.measured() if m.get("fid") is not None]

    # Rows ------------------------------------------------------------------------------------------------------

    def losses(self) -> list[float]:
        """The larger of both losses, row by row."""
        return [max(abs(r.d_loss or 0.0), abs(r.g_loss or 0.0)) for r in self.rows]

    def gaps(self, after: float) -> tuple[list[int], list[float]]:
        """Steps, and D's mean verdict on real pictures minus that on generated ones, smoothed."""
        verdicts = [(r.step, r.d_real, r.d_fake) for r in self.rows if r.step > after]
        found = [(step, a - b) for step, a, b in verdicts if a is not None and b is not None]
        gaps, side = [gap for _, gap in found], SMOOTHED // 2
        smooth = [median(gaps[max(0, i - side) : i + side + 1]) for i in range(len(gaps))]
        return [step for step, _ in found], smooth


def _sketch(record: Signal) -> list[float] | None:
    """Of the pictures that were looked at; None where it was not written down, or is not finite."""
    found = [record[name] for name in SKETCH]
    return None if None in found else found


def swings(values: Sequence[float], size: float) -> list[int]:
    """Where a series turns: the extremes between which it moves by at least `size`, in order, as positions.

    A noise smaller than `size` makes no turn. n turns are n - 1 swings.
    """
    turns: list[int] = []
    low, high = 0, 0  # where the extremes since the last turn lie
    rising: bool | None = None
    for i, value in enumerate(values):
        low = i if value < values[low] else low
        high = i if value > values[high] else high
        if rising is not True and value - values[low] >= size:
            turns, high, rising = [*turns, low], i, True
        elif rising is not False and values[high] - value >= size:
            turns, low, rising = [*turns, high], i, False
    return turns
