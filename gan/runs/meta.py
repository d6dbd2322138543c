"""What run.json says of a run: read, checked and written here alone."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypedDict

from gan.core.config import Config, ConfigError
from gan.core.files import write_atomically
from gan.core.messages import say, text_of, with_messages
from gan.core.noise import SHEETS
from gan.core.seeds import NEWEST, FormatError, read_format
from gan.core.version import VERSION
from gan.runs.files import RUN_JSON
from gan.training.checkpoint import CheckpointError

MEASURE_SHARE, MOST_MEASURE_SHARE = 0.1, 0.5  # of the time, for the measures taken between steps
SHOWN_RUN, PRIVATE_RUN = "run", "private-run"  # beginnings; what comes from a private one is never shown
_SECRETS = ("token_sha256", "more_tokens_sha256", "visitor")


class Tiles(TypedDict):
    """How the pictures of a frame lie in it."""

    count: int
    columns: int
    size: int
    channels: int


def tiles_of(config: Config) -> Tiles:
    """The layout of a new run's frames: one column for each class of ten."""
    columns = 10 if config.classes else 8
    return {"count": SHEETS["tile"].latents, "columns": columns, "size": config.size, "channels": config.channels}


@dataclass
class RunMeta:
    """What run.json says, field by field; `more` has what it says besides, which is written back as it was."""

    config: Config
    tiles: Tiles
    format: int = NEWEST  # how its draws begin, see gan.core.seeds.Seeds
    version: str = ""  # of the program that made the run; older ones did not say
    status: str = "stopped"  # running, paused, stopped, finished, failed, interrupted
    message: str = ""
    title: str = ""
    created: float = 0.0  # seconds since 1970
    kept: bool = False  # it is not deleted to make room
    shown: bool = False  # its owner lets others find and watch it
    hidden: bool = False  # the owner of the program does not
    token_sha256: str = ""
    more_tokens_sha256: list[str] = field(default_factory=list)
    visitor: str = ""  # who started it, by a word that tells nothing else: the same for all runs of one person
    job: str = ""  # the torchrun job that made it
    computes: str = ""  # what it trained on last: kind of machine, precision
    measure_share: float = MEASURE_SHARE
    start: str = ""  # what it began with instead of noise: the name of shipped weights, SHOWN_RUN or PRIVATE_RUN
    dataset_title: str = ""
    dataset_count: int = 0  # how many pictures it learns from
    pictures_count: int = 0  # how many its data set of own pictures has
    class_names: list[str] = field(default_factory=list)
    real_labels: list[int] = field(default_factory=list)  # of the real pictures shown beside the frames
    shown_seed: int | None = None  # of the latents in its frames, where that is not its config's: it is a fork
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def frame_seed(self) -> int:
        """The seed of the latents and real pictures that its frames show."""
        return self.config.seed if self.shown_seed is None else self.shown_seed

    def is_controlled_by(self, hashes: set[str]) -> bool:
        """Whether one of these is the hash of a token that was given for the run."""
        return not hashes.isdisjoint((self.token_sha256, *self.more_tokens_sha256))

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it. What is None is left out."""
        known = {name: getattr(self, name) for name in _FIELDS}
        return self.more | {n: v for n, v in known.items() if v is not None} | {"config": self.config.to_dict()}

    def write(self, folder: Path) -> None:
        """Raises OSError."""
        write_atomically(folder / RUN_JSON, _encoded(self.to_dict()))


_MESSAGES = ("message", "title", "dataset_title")  # texts that `with_messages` says more of
_FIELDS = {f.name: str(f.type) for f in fields(RunMeta) if f.name != "more"}


def new_meta(config: Config, **words: Any) -> RunMeta:
    """What a new run says of itself; words: fields of RunMeta."""
    return RunMeta(config, tiles_of(config), **({"version": VERSION} | words))


def read_meta(folder: Path) -> RunMeta:
    """Raises CheckpointError or ConfigError with a sentence, which names what is wrong."""
    said = read_words(folder)
    try:
        read_format(said.get("format"), say("runs.the_run", name=folder.name))
    except FormatError as e:
        raise CheckpointError(e.message) from None
    if wrong := _first_wrong(said):
        raise CheckpointError(say("runs.damaged_field", name=folder.name, field=wrong))
    known = {name: said[name] for name in _FIELDS if name in said}
    known |= {name: text_of(said, name, most=len(said[name])) for name in _MESSAGES if name in said}
    more = {name: value for name, value in said.items() if name not in (*_FIELDS, "messages")}
    share = checked_measure_share(known.get("measure_share", MEASURE_SHARE))
    return RunMeta(**(known | {"config": Config.from_dict(said.get("config")), "measure_share": share, "more": more}))


def read_words(folder: Path) -> dict[str, Any]:
    """A run.json as it stands, whatever it says. Raises CheckpointError."""
    try:
        said = json.loads((folder / RUN_JSON).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise CheckpointError(say("runs.damaged", name=folder.name))
    return said


def _first_wrong(said: dict[str, Any]) -> str | None:
    needed = {"status": None, "message": None, "tiles": None} | said
    checked = {name: kind for name, kind in _FIELDS.items() if kind in _IS_RIGHT and name in needed}
    return next((name for name, kind in checked.items() if not _IS_RIGHT[kind](needed[name])), None)


def _is_number(value: object) -> bool:
    return (isinstance(value, float) and math.isfinite(value)) or is_count(value)


def is_count(value: object, most: int = 2**53) -> bool:
    """Whether it is a whole number from 0 to `most`."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _are(is_right: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(is_right, value))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are_tiles(value: object) -> bool:
    return isinstance(value, dict) and set(value) == set(Tiles.__annotations__) and all(map(is_count, value.values()))


# By the type of a field. Settings and the share for measures are checked by sentences of their own.
_IS_RIGHT: dict[str, Callable[[object], bool]] = {
    "bool": lambda value: isinstance(value, bool),
    "int": is_count,
    "int | None": is_count,
    "str": _is_text,
    "list[str]": _are(_is_text),
    "list[int]": _are(is_count),
    "float": _is_number,
    "Tiles": _are_tiles,
}


def _encoded(said: dict[str, Any]) -> bytes:
    return json.dumps(with_messages(said), indent=1).encode()


def public(data: bytes) -> bytes:
    """A run.json without what gives control of the run."""
    return _encoded({name: value for name, value in json.loads(data).items() if name not in _SECRETS})


def checked_measure_share(value: Any) -> float:
    """A share of the time, 0 to 0.5. Raises ConfigError with a sentence."""
    try:
        share = float(value)
    except (TypeError, ValueError, OverflowError):
        share = math.nan
    if not 0 <= share <= MOST_MEASURE_SHARE:
        raise ConfigError(say("runs.wrong_measure_share", most=MOST_MEASURE_SHARE, value=str(value)[:40]))
    return share
