"""A whole run as one zip, and back. A zip may come from a stranger: nothing it says is trusted."""

from __future__ import annotations

import io
import json
import re
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import IO

from gan.checkpoint import CheckpointError, read_header
from gan.config import Config, ConfigError
from gan.data import DataError
from gan.history import COLUMNS, History
from gan.picture import split_grid
from gan.trainer import check_config

_NAMES = re.compile(
    r"run\.json|rows\.csv|signals\.csv|threads\.csv|events\.jsonl|measures\.jsonl|frames\.jsonl|checkpoint\.safetensors"
    r"|real\.png|frames/\d{8}\.png"
)
_SECRETS = ("token_sha256",)
MAX_ENTRIES = 5_000
MAX_UNPACKED_BYTES = 600 << 20
MAX_ENTRY_BYTES = 500 << 20
_CHUNK = 1 << 20


class ArchiveError(ValueError):
    """A zip that cannot be brought back; the message is one sentence."""


def pack(folder: Path) -> bytes:
    """The run's folder as a zip, without its owner's token. Own pictures are not part of it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = path.relative_to(folder).as_posix()
            if name == "run.json":
                meta = json.loads(path.read_text(encoding="utf-8"))
                z.writestr(name, json.dumps({k: v for k, v in meta.items() if k not in _SECRETS}, indent=1))
            elif _NAMES.fullmatch(name):
                z.write(path, name)
    return out.getvalue()


def unpack(file: Path, folder: Path) -> Config:
    """Unpack a run's zip into `folder` (which must not exist). Returns its config.

    Raises ArchiveError with a sentence, or OSError; `folder` does not exist then. The caller writes a fresh run.json
    over the one in the zip, of which only the config is used.
    """
    folder.mkdir(parents=True)
    try:
        return _unpacked(file, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _unpacked(file: Path, folder: Path) -> Config:
    try:
        with zipfile.ZipFile(file) as z:
            _check_listing(z)
            _extract(z, folder)
        config = _read_config(folder)
        _check_contents(folder, config)
        return config
    except (ConfigError, DataError, CheckpointError) as e:
        raise ArchiveError(str(e)) from None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as e:
        if isinstance(e, OSError) and e.errno is not None:  # this machine's disk, not the zip
            raise
        raise ArchiveError(f"This is not a readable zip of a run ({str(e)[:100]}).") from None


def _check_listing(z: zipfile.ZipFile) -> None:
    entries = z.infolist()
    if len(entries) > MAX_ENTRIES:
        raise ArchiveError(f"This zip has {len(entries):,} entries; a run has at most {MAX_ENTRIES:,}.")
    strange = next((e.filename for e in entries if not _NAMES.fullmatch(e.filename)), None)
    if strange is not None:
        raise ArchiveError(f"This zip is not a run of ours: it holds {strange[:60]!r}.")
    large = next((e for e in entries if e.file_size > MAX_ENTRY_BYTES), None)
    if large is not None:
        raise ArchiveError(f"{large.filename} in this zip is larger than {MAX_ENTRY_BYTES >> 20:,} MB, the limit.")
    total = sum(e.file_size for e in entries)
    if total > MAX_UNPACKED_BYTES:
        raise ArchiveError(f"This zip unpacks to {total >> 20:,} MB; a run may have {MAX_UNPACKED_BYTES >> 20:,} MB.")


def _extract(z: zipfile.ZipFile, folder: Path) -> None:
    left = MAX_UNPACKED_BYTES  # counted while reading, because the listing can lie
    (folder / "frames").mkdir()
    for entry in z.infolist():
        with z.open(entry) as source, open(folder / entry.filename, "wb") as target:
            left -= _copy(source, target, min(left, MAX_ENTRY_BYTES))


def _copy(source: IO[bytes], target: IO[bytes], most: int) -> int:
    """Returns how many bytes; raises ArchiveError instead of writing more than `most`."""
    copied = 0
    while chunk := source.read(_CHUNK):
        copied += len(chunk)
        if copied > most:
            raise ArchiveError("This zip unpacks to more than it says; it was not brought in.")
        target.write(chunk)
    return copied


def _read_config(folder: Path) -> Config:
    try:
        config = Config.from_dict(json.loads((folder / "run.json").read_text(encoding="utf-8"))["config"])
    except ConfigError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise ArchiveError("This zip is not a run of ours: its run.json cannot be read.") from None
    check_config(config)
    return config


def _check_contents(folder: Path, config: Config) -> None:
    """Every frame is a picture of the right size, the history can be read, the checkpoint belongs to this config."""
    history = History(folder)
    if history.rows and len(history.rows[0]) != len(COLUMNS):
        raise ArchiveError("The history in this zip cannot be read.")
    columns = 10 if config.classes else 8
    for frame in history.frames:
        try:
            split_grid(history.frame_path(frame["step"]).read_bytes(), 40, columns, config.size, config.channels)
        except (OSError, ValueError, SyntaxError) as e:
            raise ArchiveError(
                f"The frame of step {frame['step']} in this zip cannot be read ({str(e)[:80]})."
            ) from None
    checkpoint = folder / "checkpoint.safetensors"
    if checkpoint.exists():
        saved = read_header(checkpoint)["config"]
        if saved.changed(total_steps=config.total_steps) != config:
            raise ArchiveError("The checkpoint in this zip belongs to another run.")
