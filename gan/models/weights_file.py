"""A generator in one .safetensors file: its tensors, and in the header everything needed to rebuild and label it.

A file may come from a stranger. It is read in this order, and each stage refuses in one sentence before the next one
costs anything: size of the file, size of the header, the header itself, the settings, then the list of tensors against
a network built without memory (device "meta"); only then are numbers read. Nothing in a file is ever executed.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import safetensors.torch
import torch
from torch import Tensor

from gan.core.config import Config, ConfigError
from gan.core.errors import UserError
from gan.core.files import write_atomically
from gan.core.messages import say
from gan.models import meta_generator
from gan.models.layers import Generator

FORMAT_VERSION = 1
KEY = "gan_forge"  # the one entry of the header's metadata that is ours
MAX_FILE_BYTES = 64 << 20
MAX_HEADER_BYTES = 1 << 18
MAX_TENSORS = 1000
MAX_WORDS = 200  # characters of a title or a class's name
DTYPES = {"F32": torch.float32, "F16": torch.float16, "I64": torch.int64}


class WeightsError(UserError):
    """Its message is one clear sentence for the person who opened the file."""


@dataclass(frozen=True)
class Weights:
    """A generator ready to be rebuilt. Tensors are float32 (or int64 counters) and are not to be changed."""

    config: Config
    title: str
    class_names: tuple[str, ...]  # () when the generator has no classes
    step: int  # how long it had learned
    state: Mapping[str, Tensor]
    about: str = ""  # one line for the person


def build(weights: Weights) -> Generator:
    """The network itself, ready to draw (eval mode, no gradients). It shares the memory of `weights.state`."""
    network = meta_generator(weights.config)
    network.load_state_dict(dict(weights.state), assign=True)
    return network.eval().requires_grad_(False)


def file_id(data: bytes) -> str:
    """What a file that a person opened is called while it is open: a name for exactly this content."""
    return f"file-{hashlib.sha256(data).hexdigest()[:16]}"


def digest(weights: Weights) -> str:
    """32 hexadecimal digits that stand for whatever these weights can draw: the networks and all their numbers."""
    found = hashlib.sha256(f"{weights.config.model} {weights.config.output}".encode())
    for name, tensor in sorted(weights.state.items()):
        tensor = tensor.detach().cpu().contiguous()
        found.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        found.update(tensor.numpy().tobytes())
    return found.hexdigest()[:32]


# Writing ---------------------------------------------------------------------------------------------------------


def to_bytes(weights: Weights, half: bool = False) -> bytes:
    """The file's content. `half` stores matrices and kernels in 16 bits; vectors and statistics keep 32."""
    if not _short_text(weights.title) or not _short_text(weights.about):
        raise WeightsError(say("models.long_words", most=MAX_WORDS))
    header = {
        "version": FORMAT_VERSION,
        "config": weights.config.to_dict(),
        "title": weights.title,
        "class_names": list(weights.class_names),
        "step": weights.step,
        "about": weights.about,
    }
    tensors = {name: _packed(tensor, half) for name, tensor in weights.state.items()}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise WeightsError(say("models.not_finite", name=name))
    # One metadata entry, because the library writes several in no fixed order: equal weights give equal files.
    return safetensors.torch.save(tensors, {KEY: json.dumps(header, sort_keys=True)})


def save(path: str | os.PathLike, weights: Weights, half: bool = False) -> None:
    """Write the file at once. Raises WeightsError when the numbers are not finite, OSError from the disk."""
    write_atomically(Path(path), to_bytes(weights, half))


def _packed(tensor: Tensor, half: bool) -> Tensor:
    tensor = tensor.detach().cpu().contiguous()
    if half and tensor.is_floating_point() and tensor.dim() >= 2:
        small = tensor.half()
        return small if torch.isfinite(small).all() else tensor  # too large for 16 bits: keep it as it is
    return tensor


# Reading ---------------------------------------------------------------------------------------------------------


def load(path: str | os.PathLike) -> Weights:
    """Read a file. Raises WeightsError with a sentence whatever is wrong with it."""
    return load_with_id(path)[1]


def load_with_id(path: str | os.PathLike) -> tuple[str, Weights]:
    """Read a file, and name it as `file_id` does. Raises WeightsError."""
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise WeightsError(_too_large(size, MAX_FILE_BYTES))
        data = path.read_bytes()
        return file_id(data), from_bytes(data)
    except OSError as error:
        raise WeightsError(say("models.unreadable", name=path.name, reason=error.strerror or error)) from error


def peek(path: str | os.PathLike) -> Weights:
    """Only what the header says, with no tensors in `state`: cheap, for lists. Raises WeightsError."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = _header_length(file.read(8), size)
            header = _parse(file.read(length))
    except OSError as error:
        raise WeightsError(say("models.unreadable", name=path.name, reason=error.strerror or error)) from error
    return _labels(header)


def from_bytes(data: bytes, limit: int = MAX_FILE_BYTES) -> Weights:
    """Read a file's content, which may be hostile. Raises WeightsError with a sentence whatever is wrong with it."""
    if len(data) > limit:
        raise WeightsError(_too_large(len(data), limit))
    length = _header_length(data[:8], len(data))
    header = _parse(data[8 : 8 + length])
    labels = _labels(header)
    spans = _places(header, len(data) - 8 - length)
    _compare(spans, labels.config)
    state = {name: _read(data, 8 + length, span) for name, span in spans.items()}
    for name, tensor in state.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise WeightsError(say("models.holds_not_finite", name=name))
    return Weights(labels.config, labels.title, labels.class_names, labels.step, state, labels.about)


@dataclass(frozen=True)
class _Span:
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def _too_large(size: int, limit: int) -> str:
    return say("models.file_too_large", size=size / 2**20, most=limit >> 20)


def _header_length(first: bytes, size: int) -> int:
    if len(first) < 8:
        raise WeightsError(say("models.too_short"))
    length = struct.unpack("<Q", first)[0]
    if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
        raise WeightsError(say("models.no_header"))
    return length


def _parse(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise WeightsError(say("models.bad_header"))
    return header


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _labels(header: dict[str, Any]) -> Weights:
    """Settings and names from the header's metadata, every one checked; no tensors."""
    meta = header.get("__metadata__")
    ours = _ours(meta.get(KEY)) if isinstance(meta, dict) else None
    if ours is None:
        raise WeightsError(say("models.not_ours"))
    if ours.get("version") != FORMAT_VERSION:
        raise WeightsError(say("models.other_version", version=repr(ours.get("version"))[:20], reads=FORMAT_VERSION))
    try:
        config = Config.from_dict(ours.get("config"))
        meta_generator(config)
    except (ConfigError, TypeError, OverflowError) as error:
        reason = (
            error.message if isinstance(error, ConfigError) and len(str(error)) < 400 else say("models.out_of_range")
        )
        raise WeightsError(say("models.bad_settings", reason=reason)) from error
    names, step = ours.get("class_names"), ours.get("step")
    if not isinstance(names, list) or len(names) != config.classes or not all(map(_short_text, names)):
        raise WeightsError(say("models.names_missing", number=config.classes))
    if not isinstance(step, int) or isinstance(step, bool) or not 0 <= step < 2**63:
        raise WeightsError(say("models.no_steps"))
    title, about = ours.get("title"), ours.get("about", "")
    if not _short_text(title) or not _short_text(about):
        raise WeightsError(say("models.bad_title"))
    return Weights(config, title, tuple(names), step, {}, about)


def _ours(text: object) -> dict[str, Any] | None:
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _short_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= MAX_WORDS and value.isprintable()


def _places(header: dict[str, Any], room: int) -> dict[str, _Span]:
    """Where each tensor lies. Together they must fill the file: nothing hidden, nothing overlapping, nothing beyond."""
    entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
    if len(entries) > MAX_TENSORS:
        raise WeightsError(say("models.many_tensors", number=len(entries), most=MAX_TENSORS))
    if not all(map(str.isprintable, entries)):
        raise WeightsError(say("models.strange_name"))
    spans = {name: _place(name, entry) for name, entry in entries.items()}
    end = 0
    for name, span in sorted(spans.items(), key=lambda item: item[1].start):
        if span.start != end:
            raise WeightsError(say("models.wrong_start", name=name[:80]))
        end = span.stop
    if end != room:
        raise WeightsError(say("models.wrong_end", end=end, room=room))
    return spans


def _place(name: str, entry: Any) -> _Span:
    try:
        dtype, shape, (start, stop) = entry["dtype"], entry["shape"], entry["data_offsets"]
    except (TypeError, KeyError, ValueError):
        raise WeightsError(say("models.not_described", name=name[:80])) from None
    if dtype not in ("F32", "F16", "I64"):
        raise WeightsError(say("models.wrong_kind", name=name[:80], dtype=repr(dtype)[:20]))
    numbers = [*shape, start, stop] if isinstance(shape, list) else [None]
    if not all(type(n) is int and 0 <= n < 2**40 for n in numbers):
        raise WeightsError(say("models.not_described", name=name[:80]))
    return _Span(dtype, tuple(shape), start, stop)


def _compare(spans: dict[str, _Span], config: Config) -> None:
    """Every tensor the network needs, with its shape and kind, and no other; the first difference is named."""
    wanted = meta_generator(config).state_dict()
    for name, tensor in wanted.items():
        if name not in spans:
            raise WeightsError(say("models.other_architecture_missing", model=repr(config.model), name=name))
        span, shape = spans[name], tuple(tensor.shape)
        if span.shape != shape:
            raise WeightsError(
                say(
                    "models.other_architecture_shape",
                    name=name,
                    shape=_times(span.shape),
                    model=repr(config.model),
                    wanted=_times(shape),
                )
            )
        if DTYPES[span.dtype].is_floating_point != tensor.is_floating_point():
            raise WeightsError(say("models.wrong_number", name=name, dtype=span.dtype))
        if span.stop - span.start != tensor.numel() * DTYPES[span.dtype].itemsize:
            raise WeightsError(say("models.wrong_bytes", name=name))
    extra = next((name for name in spans if name not in wanted), None)
    if extra is not None:
        raise WeightsError(say("models.other_architecture_extra", model=repr(config.model), name=extra[:80]))


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or say("models.single_number")


def _read(data: bytes, offset: int, span: _Span) -> Tensor:
    dtype = DTYPES[span.dtype]
    piece = bytearray(data[offset + span.start : offset + span.stop])  # its own, writable and aligned memory
    tensor = torch.frombuffer(piece, dtype=dtype) if piece else torch.empty(0, dtype=dtype)
    tensor = tensor.reshape(span.shape)
    return tensor.float() if dtype.is_floating_point else tensor
