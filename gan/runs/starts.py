"""Weights that a new run begins with instead of noise: shipped ones, or those of another run.

Networks that know other pictures need fewer of the new ones, and less time (Wang et al. 2018, "Transferring GANs").
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gan.core.config import Changes, Config, ConfigError
from gan.core.files import link_or_copy
from gan.core.messages import label, say
from gan.core.paths import WEIGHTS
from gan.recipes.catalog import BATCH, GROUPS, d_rate, has_wide_d, make_config
from gan.runs.fork import shapes_of
from gan.runs.meta import PRIVATE_RUN, SHOWN_RUN
from gan.runs.run import Run
from gan.training.checkpoint import CheckpointError, read_header
from gan.training.checks import form_in_words
from gan.training.transfer import UNTOLD, told_as

SHIPPED = WEIGHTS / "starts"
# What a run takes over with the weights, so that they fit.
_NETWORKS = (
    "model", "width", "d_width", "z_dim", "clusters", "attributes", "classifier_weight", "output", "spectral_norm",
    "ema_halflife_images",
)  # fmt: skip


@dataclass(frozen=True)
class Start:
    """Networks to begin with.

    kind: what run.json says of them. title: nobody reads there what a run is called that is not shown. path: of a
    checkpoint, or of a file that `training.checkpoint.networks_of` made.
    """

    kind: str
    title: str
    path: Path
    config: Config
    step: int

    def fit(self, changes: Changes, own: Config) -> Changes:
        """Settings of a new run with which the weights fit, where nobody asks for others.

        own: the settings that the run would have if it began with noise.
        """
        config = self.config
        if config.attributes and (config.attributes != own.attributes or "clusters" in changes):
            groups = config.changed(**UNTOLD, clusters=changes.get("clusters", GROUPS["clusters"]))
            config = told_as(config, groups) if groups.clusters else groups
        fitted = {name: getattr(config, name) for name in _NETWORKS} | {"d_lr": d_rate(own, config)}
        if has_wide_d(own) or has_wide_d(config):  # small batches help a wide one through its first steps alone
            fitted["batch"] = max(own.batch, BATCH)
        if config.attributes:
            del fitted["clusters"]  # to ask for groups, or for none, asks for no attributes
        return fitted | changes

    def check(self, config: Config) -> None:
        """Raises ConfigError, in words, where a run with these settings cannot begin with them."""
        own, theirs = ((c.size, c.channels) for c in (config, self.config))
        if own != theirs:
            words = {"own": form_in_words(*own), "theirs": form_in_words(*theirs)}
            raise ConfigError(say("runs.start_other_pictures", title=self.title, **words))
        fitted = told_as(self.config, config)
        if config.attributes != fitted.attributes or shapes_of(config) != shapes_of(fitted):
            differ = [name for name in (*_NETWORKS, "classes") if getattr(config, name) != getattr(fitted, name)]
            raise ConfigError(say("runs.start_other_networks", title=self.title, settings=differ))


def shipped() -> dict[str, Start]:
    """What ships to begin with, by name. A file that cannot be read is left out."""
    found = {}
    for path in sorted(SHIPPED.glob("*.safetensors")):
        with suppress(CheckpointError):
            found[path.stem] = _read(path.stem, label(f"weights.{path.stem}.title", path.stem), path)
    return found


def start_of(name: str, find: Callable[[str], Run]) -> Start:
    """What a name stands for: one of `shipped`, or what `find` knows as a run. Raises as `find`, or CheckpointError."""
    known = shipped()
    if name in known:
        return known[name]
    run = find(name)
    if not run.checkpoint_path.exists():
        raise CheckpointError(say("runs.start_without_state", title=run.meta.title))
    kind, title = (SHOWN_RUN, run.meta.title) if run.shown else (PRIVATE_RUN, say("runs.another_run"))
    return _read(kind, title, run.checkpoint_path)


def settings(start: Start | None, recipe: str, dataset: str | None, own_dir: Path | None, changes: Changes) -> Config:
    """Those of a new run that begins with these weights, or with noise. Raises as `make_config`."""
    config = make_config(recipe, dataset, own_dir, **changes)
    return make_config(recipe, dataset, own_dir, **start.fit(changes, config)) if start else config


def _read(kind: str, title: str, path: Path) -> Start:
    header = read_header(path)
    return Start(kind, title, path, header["config"], header["steps_done"])


def link(start: Start, path: Path) -> Start:
    """Put the networks there, and say what they are now: a run that trains replaces its own. Raises CheckpointError."""
    try:
        link_or_copy(start.path, path)
    except FileNotFoundError:
        raise CheckpointError(say("runs.start_gone", title=start.title)) from None
    return _read(start.kind, start.title, path)
