"""A whole run as one zip, and back. A zip may come from a stranger: nothing it says is trusted."""

from __future__ import annotations

import errno
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from gan.core.config import Config, ConfigError
from gan.core.errors import UserError
from gan.core.files import brief
from gan.core.images import split_grid
from gan.core.messages import say, text_of
from gan.core.seeds import FormatError, read_format
from gan.data.catalog import DataError
from gan.runs.files import BEST, CHECKPOINT, PICTURES, REAL_PNG, RUN_JSON
from gan.runs.history import RECORDS, History
from gan.runs.meta import is_count, public, read_words, tiles_of
from gan.training.checkpoint import CheckpointError, read_header
from gan.training.checks import check_config

_FILES = (CHECKPOINT, BEST, PICTURES, REAL_PNG)  # beside what is written down, and frames
_FRAME = re.compile(r"frames/[0-9]{8}\.(png|webp)")
MAX_ENTRIES = 5_000
MAX_UNPACKED_BYTES = 800 << 20
MAX_ENTRY_BYTES = 500 << 20  # of a state
# What is read into memory at once may be far smaller: run.json, a picture, a record of what happened.
_MOST_OF_KIND = {".json": 1 << 20, ".png": 16 << 20, ".webp": 16 << 20, ".csv": 32 << 20, ".jsonl": 32 << 20}
MOST_PICTURES_BYTES = 200 << 20
MOST_BEST_BYTES = 100 << 20  # a larger state with the best FID stays at home, so that the zip can come back
MAX_LINE, MAX_NAMES, MAX_MESSAGE = 200, 1000, 500  # letters of a title, classes, letters of a message
_CHUNK = 1 << 20


class ArchiveError(UserError):
    """A zip that cannot be brought back; the message is one sentence."""


def pack(folder: Path, out: Path | IO[bytes], pictures: Path | None = None) -> None:
    """Write the run's folder as a zip, without its owner's token. pictures: the prepared file to put into it.

    Raises ArchiveError when the pictures are too large, or OSError.
    """
    if pictures and pictures.stat().st_size > MOST_PICTURES_BYTES:
        raise ArchiveError(
            say("archive.too_many_pictures", size=pictures.stat().st_size >> 20, most=MOST_PICTURES_BYTES >> 20)
        )
    records = _records(folder)  # before the files are listed: a frame is on the disk before its record is
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        for name, data in records.items():
            z.writestr(name, data)
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = path.relative_to(folder).as_posix()
            too_large = name == BEST and path.stat().st_size > MOST_BEST_BYTES
            if _is_ours(name) and name not in records and not too_large:
                z.write(path, name)
        if pictures:
            z.write(pictures, PICTURES)


def _records(folder: Path) -> dict[str, bytes]:
    """What a run has written down, as text; without its owner's tokens."""
    found = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name in _written_down()}
    if RUN_JSON in found:
        found[RUN_JSON] = public(found[RUN_JSON])
    return found


def _written_down() -> set[str]:
    """The names of the files with what a run says and has written down."""
    return {RUN_JSON, *(record.file for record in RECORDS.values())}


def _is_ours(name: str) -> bool:
    """Whether a zip of a run may have an entry of this name."""
    return name in _FILES or name in _written_down() or bool(_FRAME.fullmatch(name))


def unpack(file: Path | IO[bytes], folder: Path) -> tuple[Config, dict[str, Any]]:
    """Unpack a run's zip into `folder` (which must not exist). Returns its config, and what else its run.json may say.

    Raises ArchiveError with a sentence, or OSError; `folder` does not exist then. The caller writes a fresh run.json
    over the one in the zip, and takes the own pictures out of it, which are not checked here.
    """
    folder.mkdir(parents=True)
    try:
        return _unpacked(file, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _unpacked(file: Path | IO[bytes], folder: Path) -> tuple[Config, dict[str, Any]]:
    try:
        with zipfile.ZipFile(file) as z:
            _check_listing(z)
            config, meta = _extract(z, folder)
        about = _about(meta, folder, config)
        _check_contents(folder, config, about["format"])
        return config, about
    except (ConfigError, DataError, CheckpointError, FormatError) as e:
        raise ArchiveError(e.message) from None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as e:
        if isinstance(e, OSError) and e.errno not in (None, errno.EINVAL):  # this machine's disk, not the zip,
            raise  # which says EINVAL where its entries lie before its beginning
        raise ArchiveError(say("archive.unreadable", error=brief(e))) from None


def _check_listing(z: zipfile.ZipFile) -> None:
    entries = z.infolist()
    if len(entries) > MAX_ENTRIES:
        raise ArchiveError(say("archive.too_many_entries", number=len(entries), most=MAX_ENTRIES))
    strange = next((e.filename for e in entries if not _is_ours(e.filename)), None)
    if strange is not None:
        raise ArchiveError(say("archive.strange", name=repr(strange[:60])))
    large = next((e for e in entries if e.file_size > _most(e.filename)), None)
    if large is not None:
        raise ArchiveError(say("archive.entry_too_large", name=large.filename, most=_most(large.filename) >> 20))
    total = sum(e.file_size for e in entries)
    if total > MAX_UNPACKED_BYTES:
        raise ArchiveError(say("archive.too_large", size=total >> 20, most=MAX_UNPACKED_BYTES >> 20))


def _extract(z: zipfile.ZipFile, folder: Path) -> tuple[Config, dict[str, Any]]:
    """All entries. run.json comes first, as hundreds of megabytes are not unpacked for one that is refused."""
    left = MAX_UNPACKED_BYTES  # counted while reading, because the listing can lie
    (folder / "frames").mkdir()
    entries = sorted(z.infolist(), key=lambda entry: entry.filename != RUN_JSON)
    while entries and entries[0].filename == RUN_JSON:  # a zip may name it twice
        left -= _unpack_entry(z, entries.pop(0), folder, left)
    found = _read_meta(folder)
    check_config(found[0])
    for entry in entries:
        left -= _unpack_entry(z, entry, folder, left)
    return found


def _unpack_entry(z: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, left: int) -> int:
    with z.open(entry) as source, open(folder / entry.filename, "wb") as target:
        return _copy(source, target, min(left, _most(entry.filename)))


def _most(name: str) -> int:
    """How many bytes an entry of this name may unpack to."""
    if name == PICTURES:
        return MOST_PICTURES_BYTES
    return _MOST_OF_KIND.get(Path(name).suffix, MAX_ENTRY_BYTES)


def _copy(source: IO[bytes], target: IO[bytes], most: int) -> int:
    """Returns how many bytes; raises ArchiveError instead of writing more than `most`."""
    copied = 0
    while chunk := source.read(_CHUNK):
        copied += len(chunk)
        if copied > most:
            raise ArchiveError(say("archive.larger"))
        target.write(chunk)
    return copied


def _read_meta(folder: Path) -> tuple[Config, dict[str, Any]]:
    try:
        words = read_words(folder)
        return Config.from_dict(words["config"]), words
    except (CheckpointError, KeyError):
        raise ArchiveError(say("archive.no_run_json")) from None


def _about(meta: dict[str, Any], folder: Path, config: Config) -> dict[str, Any]:
    """What of run.json is taken over: each where it is what it should be, and left out where it is not."""
    names = meta.get("class_names")
    kinds = len(names) if isinstance(names, list) and all(map(_is_line, names)) else 0
    checks: dict[str, Callable[[object], bool]] = {
        "title": _is_line,
        "dataset_title": _is_line,
        "start": _is_line,
        "class_names": lambda _: config.classes <= kinds <= MAX_NAMES and kinds > 0,
        "dataset_count": lambda v: is_count(v, 10**9),
        "pictures_count": lambda v: is_count(v, 10**9),
        "shown_seed": lambda v: is_count(v, 2**31 - 1),
        "real_labels": lambda v: isinstance(v, list) and len(v) <= 16 and all(is_count(i, kinds - 1) for i in v),
        "computes": _is_line,
    }
    about = {name: meta[name] for name, is_right in checks.items() if name in meta and is_right(meta[name])}
    about |= {name: text_of(meta, name) for name in ("title", "dataset_title") if name in about}
    numbered = {"class_names": [str(i) for i in range(config.classes)]}
    format = read_format(meta.get("format"), say("runs.run_in_zip"))
    return numbered | about | _ending(meta, folder, config) | {"format": format}


def _ending(meta: dict[str, Any], folder: Path, config: Config) -> dict[str, str]:
    """How the run ended, and why: what still trained when it was packed has stopped. A claim to be done is checked."""
    status, message = meta.get("status"), meta.get("message")
    if status == "finished" and _steps_done(folder) >= config.total_steps:
        return {"status": status}
    if status in ("failed", "interrupted") and isinstance(message, str):
        return {"status": status, "message": text_of(meta, "message", MAX_MESSAGE)}
    return {"status": "stopped"}


def _steps_done(folder: Path) -> int:
    checkpoint = folder / CHECKPOINT
    return read_header(checkpoint)["steps_done"] if checkpoint.exists() else 0


def _is_line(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_LINE and value.isprintable()


def _check_contents(folder: Path, config: Config, format: int) -> None:
    """Every frame is a picture of the right size, the history can be read, the checkpoint belongs to this config."""
    history = History(folder)
    tiles = tiles_of(config)
    for frame in history.frames:
        try:
            split_grid(history.frame_path(frame["step"]).read_bytes(), **tiles)
        except FileNotFoundError:
            raise ArchiveError(say("archive.frame_missing", step=frame["step"])) from None
        except ValueError as e:
            raise ArchiveError(say("archive.frame_unreadable", step=frame["step"], error=e)) from None
    for path in (folder / CHECKPOINT, folder / BEST):
        if path.exists() and not _is_state_of(path, config, format):
            raise ArchiveError(say("archive.state_of_other", state=path.stem))


def _is_state_of(path: Path, config: Config, format: int) -> bool:
    """Whether a checkpoint is one of a run with these settings, which may have been trained longer since."""
    header = read_header(path)
    return header["format"] == format and header["config"].changed(total_steps=config.total_steps) == config
