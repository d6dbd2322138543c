"""The measures of a run between its steps, and the state whose pictures had the best FID."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gan.monitor.records import Measure, Moment, began_with_weights, while_training
from gan.training import distributed
from gan.training.checkpoint import NotFinite, save_state
from gan.training.trainer import State, Trainer

if TYPE_CHECKING:
    from gan.monitor.live_metrics import Measurer
    from gan.runs.run import Run  # which imports this module

log = logging.getLogger(__name__)


class Measuring:
    """Measures a run within its share of the time; what it finds enters the history."""

    def __init__(self, run: Run, trainer: Trainer) -> None:
        self.run, self.trainer = run, trainer
        self._measurer: Measurer | None = None
        self._copied: State | None = None  # a copy of the state that is being measured
        self._better: tuple[State, float] | None = None  # the best one and its seconds, not written yet

    def begin(self) -> None:
        """Training begins, or continues from another state.

        Where that is what the run begins with, it is measured first; not weights that it took over, which are no noise.
        """
        self._measurer, self._copied, self._better = None, None, None
        history, measurer = self.run.history, self._ready()
        if measurer and not (self.trainer.steps_done or history.measures or began_with_weights(history.events)):
            measurer.begin(self.trainer, self.run.meta.measure_share, self._moment())

    def turn(self, passed: float) -> bool:
        """A few pictures more of the next measure, where the share of the time allows. Returns whether one is done.

        passed: seconds of this step.
        """
        measurer, run = self._ready(), self.run
        if measurer is None:
            return False
        from gan.monitor.live_metrics import MetricError  # loaded with who measures

        try:
            found = measurer.turn(self.trainer, run.meta.measure_share, passed, self._moment())
        except MetricError as e:
            run.measure_problem, found = e.message, None
        if found:
            run.history.add("measures", found)
            self._choose(found)
        else:
            self._copy(measurer.measured_step)
        return bool(found)

    def _ready(self) -> Measurer | None:
        """Who measures; None where nobody shall, or cannot."""
        run = self.run
        if not run.meta.measure_share or run.measure_problem:
            return None
        if self._measurer is None:
            from gan.monitor.live_metrics import Measurer  # not before somebody measures

            self._measurer = Measurer(run.config, run.history.measures[-1]["step"] if run.history.measures else 0)
        return self._measurer

    def _moment(self) -> Moment:
        trainer = self.trainer
        return {"step": trainer.steps_done, "images": trainer.images_done, "seconds": round(self.run.seconds, 3)}

    def _copy(self, step: int | None) -> None:
        """Copy the state in which a measure has just begun; what the run begins with is nobody's best."""
        if step and (self._copied is None or self._copied["steps_done"] != step):
            self._copied = distributed.copied(self.trainer.state_dict())

    def _choose(self, found: Measure) -> None:
        """Keep the state that was copied when this measure began, where none had a better FID."""
        state, self._copied = self._copied, None
        if state is not None and found["fid"] <= min(m["fid"] for m in while_training(self.run.history.measures)):
            self._better = state, found["seconds"]

    def write_best(self) -> None:
        """Write the best state, if there is a new one. Raises OSError; the next call tries again."""
        if self._better is None:
            return
        state, seconds = self._better
        try:
            save_state(self.run.best_path, self.run.config, state, {"seconds": seconds})
            self.run.best_step = state["steps_done"]
        except NotFinite:
            log.warning("run %s: the state of step %d is not finite", self.run.id, state["steps_done"])
        self._better = None
