"""States that a run keeps beside its newest checkpoint, so that one can go back to an early moment, or fork there.

One file for each, `states/STEP.safetensors`, a checkpoint like any other. Steps double, so a run keeps about a dozen.
Beside them lies `states/before.safetensors`, the checkpoint before the newest, should that be damaged.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from gan.core.files import link_or_copy
from gan.core.messages import say
from gan.training.checkpoint import CheckpointError, is_torn, read_header

FIRST_STEP = 16
MOST_BYTES = 200 << 20  # of one run; large networks keep fewer moments
_NAME = re.compile(r"(\d{9})\.safetensors")


def state_due(step: int) -> bool:
    """Whether the state after this step is kept: at 0, 16, 32, 64, ..., a function of the step alone."""
    return step == 0 or (step >= FIRST_STEP and step & (step - 1) == 0)


class KeptCheckpoints:
    """The kept states of the run in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "states"

    def path(self, step: int) -> Path:
        return self.folder / f"{step:09d}.safetensors"

    @property
    def before(self) -> Path:
        """The checkpoint before the newest one, an earlier state, if there is one."""
        return self.folder / "before.safetensors"

    def steps(self) -> list[int]:
        """The steps of all kept states, ascending."""
        names = [_NAME.fullmatch(p.name) for p in self.folder.iterdir()] if self.folder.is_dir() else []
        return sorted(int(name[1]) for name in names if name)

    def keep(self, checkpoint: Path, step: int) -> None:
        """Keep a checkpoint under its step. Raises OSError.

        A checkpoint is replaced, never changed, so a second name for the file is enough.
        """
        self.folder.mkdir(exist_ok=True)
        self.path(step).unlink(missing_ok=True)
        link_or_copy(checkpoint, self.path(step))
        self.thin_out()

    def keep_before(self, checkpoint: Path, step: int) -> None:
        """Keep a checkpoint that one of `step` is about to replace, under a second name. Raises OSError.

        Not where it is of the same step, of which nothing would be lost, nor of a later one: training went back.
        """
        known = step_of(checkpoint)
        if known is not None and known < step:
            self.folder.mkdir(exist_ok=True)
            self.before.unlink(missing_ok=True)
            link_or_copy(checkpoint, self.before)

    def put_back(self, checkpoint: Path) -> bool:
        """Put the newest whole state in the place of a damaged one; False where none is left. Raises OSError.

        States that are damaged too (a state may be the same file) go.
        """
        for path in (self.before, *map(self.path, reversed(self.steps()))):
            if is_torn(path):
                path.unlink()
            elif path.exists():
                beside = checkpoint.with_name(f".{checkpoint.name}-{secrets.token_hex(4)}")
                link_or_copy(path, beside)
                beside.replace(checkpoint)  # there is a checkpoint at every moment
                return True
        return False

    def last_until(self, step: int) -> int:
        """The step of the last kept state at or before a step. Raises CheckpointError when there is none."""
        steps = self.steps()
        found = [s for s in steps if s <= step]
        if not found:
            kept = say("runs.first_kept", step=steps[0]) if steps else say("runs.none_kept")
            raise CheckpointError(say("runs.no_state_until", step=step, kept=kept))
        return found[-1]

    def forget_after(self, step: int) -> None:
        """Delete the states after a step, because training continues from there."""
        for late in [s for s in self.steps() if s > step]:
            self.path(late).unlink(missing_ok=True)
        if (before := step_of(self.before)) is not None and before > step:
            self.before.unlink(missing_ok=True)

    def forget(self) -> None:
        """Delete all."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def thin_out(self) -> None:
        """Delete states until the rest fits into MOST_BYTES."""
        sizes = {s: self.path(s).stat().st_size for s in self.steps()}
        while sum(sizes.values()) > MOST_BYTES:
            step = least_missed(list(sizes))
            self.path(step).unlink(missing_ok=True)
            del sizes[step]


def step_of(checkpoint: Path) -> int | None:
    """The step of a checkpoint; None where none can be read."""
    try:
        return read_header(checkpoint)["steps_done"]
    except CheckpointError:
        return None


def least_missed(steps: Sequence[int]) -> int:
    """Of ascending steps, the one between the closest neighbours (as a ratio); never the newest, unless it is alone."""
    if len(steps) < 3:
        return steps[0]
    gaps = {s: (after + 1) / (before + 1) for before, s, after in zip(steps, steps[1:], steps[2:], strict=False)}
    return min(gaps, key=gaps.__getitem__)
