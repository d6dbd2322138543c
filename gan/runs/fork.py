"""A new run that begins where another one was: which settings may differ, and what the new folder holds."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from gan.core.config import KNOBS, Changes, Config, ConfigError, value_in_words
from gan.core.files import link_or_copy, write_atomically
from gan.core.messages import Message, joined, say
from gan.data.catalog import DataError
from gan.models import meta_discriminator, meta_generator
from gan.runs.files import BEST, CHECKPOINT, REAL_PNG
from gan.runs.history import History
from gan.runs.kept_checkpoints import KeptCheckpoints
from gan.runs.run import Run
from gan.training.checkpoint import CheckpointError, read_header, rewrite_checkpoint
from gan.training.checks import check_config
from gan.training.transfer import UNTOLD

_PLAYERS = {"d": "d_lr", "g": "g_lr"}


@dataclass(frozen=True)
class Fork:
    """The plan of a fork: of this run, at this step, from this state (None: from scratch), with these settings."""

    source: Run
    step: int
    state: Path | None
    config: Config
    changes: Changes
    asked: int | None = None  # the step that was asked for; the state lies at or before it

    @property
    def event(self) -> str:
        """What the history says about it."""
        before = self.source.config.to_dict()
        what = [
            say("events.change", name=_named(name), before=value_in_words(name, old), now=value_in_words(name, new))
            for name, new in self.changes.items()
            if (old := before[name]) != new
        ]
        words = {"title": self.source.meta.title, "step": self.step}
        said = say("events.forked_changed", **words, changes=what) if what else say("events.forked", **words)
        return joined([f"{said}.", say("events.begins_with_noise")]) if self.forgets_start else said

    @property
    def forgets_start(self) -> bool:
        """Whether the source began with weights that do not fit any more."""
        return self.state is None and bool(self.source.meta.start)

    @property
    def title(self) -> str:
        what = [
            say("runs.fork_setting", name=_named(name), value=value_in_words(name, value))
            for name, value in self.changes.items()
            if name != "total_steps"
        ]
        title = self.source.meta.title
        return (
            say("runs.fork_of", title=title, settings=what)
            if what
            else say("runs.fork_at", title=title, step=self.step)
        )

    @property
    def shown_seed(self) -> int | None:
        """For run.json: the seed of the latents that its frames have shown so far; None from scratch."""
        return None if self.state is None else self.source.meta.frame_seed


def _named(knob: str) -> Message:
    """The knob's label inside a sentence, in English as short as a title needs it."""
    label = str(KNOBS[knob].label)
    for player in ("Generator", "Discriminator"):
        label = label.replace(f"{player}'s", f"{player[0]}'s")
    return Message(label if label[1] == "'" else label[0].lower() + label[1:], f"knobs.{knob}.label")


def plan_fork(source: Run, changes: Changes, step: int | None = None) -> Fork:
    """Choose the state and fit the settings; nothing is written.

    step: fork from the last kept state at or before it; None: from the newest checkpoint; 0: from scratch, where also
    settings may differ that shape the networks. total_steps grows by what the source had, where nothing would be left.

    Raises ConfigError, DataError or CheckpointError with a sentence.
    """
    fixed = next((name for name in changes if name in KNOBS and not KNOBS[name].in_forks), None)
    if fixed:
        raise ConfigError(say("runs.fork_keeps", label=_named(fixed), name=fixed))
    if source.needs:
        raise DataError(source.needs)
    regroups = changes.get("clusters") and source.config.attributes  # groups are told instead of attributes
    config = source.config.changed(**(UNTOLD if regroups else {}) | changes)
    check_config(config)
    if step == 0 and not _begins_alike(source, config):
        return Fork(source, 0, None, config, changes, asked=0)
    state = source.state_until(step)
    at = read_header(state)["steps_done"]
    _refuse_other_networks(source.config, config)
    return Fork(source, at, state, _with_steps_left(config, changes, at), changes, step)


def _begins_alike(source: Run, config: Config) -> bool:
    """Whether the source began with weights that a run with these settings can begin with, too."""
    if not source.meta.start or 0 not in source.states.steps():
        return False
    try:
        _refuse_other_networks(source.config, config)
    except ConfigError:
        return False
    return True


def _with_steps_left(config: Config, changes: Changes, at: int) -> Config:
    """The settings of a fork that begins at this step. Raises ConfigError where it would be at its end."""
    if "total_steps" not in changes and config.total_steps <= at:
        config = config.changed(total_steps=at + config.total_steps)
    if config.total_steps <= at:
        raise ConfigError(say("runs.fork_at_end", step=at, last=config.total_steps))
    return config


def _refuse_other_networks(old: Config, new: Config) -> None:
    """Refuse changes after which the weights would not fit, or would mean something else."""
    grouping = [name for name, knob in KNOBS.items() if knob.scope == "clusters"]  # see training.trainer.choose_labels
    regrouped = next((name for name in grouping if getattr(old, name) != getattr(new, name)), None)
    if old.codes and regrouped:
        raise ConfigError(say("runs.fork_regroups", label=KNOBS[regrouped].label, name=regrouped))
    if shapes_of(old) != shapes_of(new):
        changed = [k for k, v in new.to_dict().items() if v != old.to_dict()[k]]
        raise ConfigError(say("runs.fork_other_networks", settings=changed))


def shapes_of(config: Config) -> list[tuple[str, torch.Size]]:
    """Every tensor of the networks with these settings, and its shape."""
    networks = (meta_generator(config), meta_discriminator(config))
    return [(name, t.shape) for network in networks for name, t in network.state_dict().items()]


def write_fork(fork: Fork, folder: Path) -> tuple[Fork, History]:
    """Fill a new run's folder: its history up to the fork, and its first state. Returns what was made.

    A run that trains may have replaced its newest checkpoint since this was planned: a fork of its newest state then
    begins later, one of a step that was asked for is planned again. Raises ConfigError, OSError, or CheckpointError
    where the state is gone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if fork.state is None:
        history = History(folder)
    else:
        fork = _write_states(fork, fork.state, folder)
        history = fork.source.history.copy_until(fork.step, folder)
        with suppress(FileNotFoundError):
            link_or_copy(fork.source.folder / REAL_PNG, folder / REAL_PNG)
    history.add_event(fork.step, "fork", fork.event)
    history.flush()
    return fork, history


def _write_states(fork: Fork, state: Path, folder: Path) -> Fork:
    """The state under the new settings, as the newest one and as one to go back to; the best one, if it is earlier."""
    newest = folder / CHECKPOINT
    try:
        link_or_copy(state, newest)  # so that it stays, should the source replace its own meanwhile
    except FileNotFoundError:
        raise CheckpointError(say("runs.fork_state_gone")) from None
    step = read_header(newest)["steps_done"]
    if fork.asked is not None and step > fork.asked:
        newest.unlink()
        again = plan_fork(fork.source, fork.changes, fork.asked)
        return _write_states(again, again.state or state, folder)
    fork = replace(fork, step=step, config=_with_steps_left(fork.config, fork.changes, step))
    rates = {player: float(fork.changes[name]) for player, name in _PLAYERS.items() if name in fork.changes}
    write_atomically(newest, rewrite_checkpoint(newest, fork.config, rates))
    KeptCheckpoints(folder).keep(newest, step)
    _write_best(fork, folder / BEST)
    return fork


def _write_best(fork: Fork, path: Path) -> None:
    """The state with the best FID, if there is one at or before the fork: of a copy that no later one can replace."""
    try:
        link_or_copy(fork.source.best_path, path)
    except FileNotFoundError:
        return
    if read_header(path)["steps_done"] <= fork.step:
        write_atomically(path, rewrite_checkpoint(path, fork.config, {}))
    else:
        path.unlink()
