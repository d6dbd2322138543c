"""A run's whole state in one safetensors file: written atomically, never when not finite, never a pickle.

Layout: tensors named `G.<key>`, `D.<key>`, `ema.<key>`, `augment.<key>`, `opt_g.<parameter>.<slot>`,
`opt_d.<parameter>.<slot>`; the header holds one JSON object (format, config, steps_done, batches_done, lr, and what the
run adds).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypedDict

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gan.core.adam import AdamState
from gan.core.config import Config
from gan.core.errors import UserError
from gan.core.files import brief, write_atomically
from gan.core.messages import say
from gan.core.seeds import FormatError, Stream, read_format
from gan.losses.adaptive import AdaptiveProbability
from gan.models import meta_discriminator, meta_generator
from gan.training.trainer import State, Trainer
from gan.training.transfer import tell_groups, told_as

_HEADER = "gan-forge"
_BY_KEY: tuple[Literal["G", "D", "ema", "augment"], ...] = ("G", "D", "ema", "augment")
_OPTIMISERS: tuple[Literal["opt_g", "opt_d"], ...] = ("opt_g", "opt_d")
_MOST_STEPS = 2**53  # that a page can count
_MAY_DIFFER = {"total_steps", "recipe"}  # training longer is the same run


Shapes = dict[str, tuple[tuple[int, ...], torch.dtype]]


class Header(TypedDict):
    """What a checkpoint says of itself."""

    format: int  # see gan.core.seeds.Seeds
    config: Config
    steps_done: int
    batches_done: int
    lr: dict[str, float]
    extra: dict[str, Any]  # what the run adds


class CheckpointError(UserError):
    """A checkpoint that cannot be used; the message is one sentence."""


class NotFinite(CheckpointError):
    """The state holds a NaN or an infinity and was therefore not written."""

    def __init__(self, name: str, step: int) -> None:
        super().__init__(say("training.not_finite", name=name, step=step))
        self.short = say("training.no_longer_finite", name=name, step=step)  # for whom nothing was to be saved


def save_checkpoint(path: Path, trainer: Trainer, extra: dict[str, object] | None = None) -> None:
    """Write the trainer's state. Raises NotFinite (nothing is written then) or OSError."""
    save_state(path, trainer.config, trainer.state_dict(), extra)


def save_state(path: Path, config: Config, state: State, extra: dict[str, object] | None = None) -> None:
    """Write what Trainer.state_dict() gave. Raises NotFinite (nothing is written then) or OSError."""
    tensors = flatten(state)
    for name, t in tensors.items():
        if t.is_floating_point() and not _finite(t):
            raise NotFinite(name, state["steps_done"])
    header = {
        "format": state["format"],
        "config": config.to_dict(),
        "steps_done": state["steps_done"],
        "batches_done": state["batches_done"],
        "lr": state["lr"],
        "extra": extra or {},
    }
    tensors = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    write_atomically(path, _encode(tensors, header))


def _finite(t: Tensor) -> bool:
    """Whether all numbers are, in a seventh of the time of asking each: extremes are NaN where any number is."""
    return bool(torch.stack(t.aminmax()).isfinite().all()) if t.numel() else True


def read_header(path: Path) -> Header:
    """Config, steps_done, batches_done, lr, extra of a checkpoint, without its tensors. Raises CheckpointError."""
    try:
        with safe_open(path, "pt") as f:
            header = json.loads((f.metadata() or {})[_HEADER])
            config = Config.from_dict(header["config"])
            steps, lr = int(header["steps_done"]), {k: float(header["lr"][k]) for k in ("d", "g")}
            batches = int(header.get("batches_done", steps))  # older files: written by a single process
            extra = dict(header["extra"])
        if not (0 <= steps < _MOST_STEPS and 0 <= batches < _MOST_STEPS and all(map(math.isfinite, lr.values()))):
            raise ValueError("a number is out of its range")
    except OSError as e:
        raise _unreadable(path, e) from None
    except (SafetensorError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as e:
        raise CheckpointError(say("training.checkpoint_not_ours", name=path.name, error=brief(e))) from None
    try:
        format = read_format(header.get("format"), say("training.the_checkpoint"))
    except FormatError as e:
        raise CheckpointError(e.message) from None
    return {"format": format, "config": config, "steps_done": steps, "batches_done": batches, "lr": lr, "extra": extra}


def is_torn(path: Path) -> bool:
    """Whether a file is there that holds no whole state, because its end is missing, or its beginning is not one.

    Not what cannot be read just now, and not what a newer program wrote: another try may find it good.
    """
    try:
        with safe_open(path, "pt"):
            return False
    except SafetensorError:
        return True
    except OSError:
        return False


def load_checkpoint(path: Path, trainer: Trainer) -> dict[str, Any]:
    """Put the trainer exactly where it was saved; returns what the run had added.

    Names, shapes and types of all tensors are compared with the trainer's own before any is read, and all are read and
    found finite before any is used, so a bad file changes nothing. Raises CheckpointError.
    """
    header = read_header(path)
    refuse_other_config(header["config"], trainer.config)
    if header["format"] != trainer.seeds.format:
        raise CheckpointError(
            say(
                "training.checkpoint_other_format", name=path.name, format=header["format"], wanted=trainer.seeds.format
            )
        )
    expected = _expected(trainer, header["steps_done"])
    tensors = _read_tensors(path, lambda f: _compare(f, expected))
    bad = next((n for n, t in tensors.items() if t.is_floating_point() and not _finite(t)), None)
    if bad:
        raise CheckpointError(say("training.checkpoint_not_finite", name=path.name, tensor=bad))
    trainer.load_state_dict(_unflatten(tensors, header))
    return header["extra"]


def _read_tensors(path: Path, check: Callable[[safe_open], None] | None = None) -> dict[str, Tensor]:
    """All tensors of a file that passes `check`. Raises CheckpointError."""
    with _opened(path) as f:
        if check:
            check(f)
        return {name: f.get_tensor(name) for name in f.keys()}  # noqa: SIM118


@contextmanager
def _opened(path: Path) -> Iterator[safe_open]:
    """A file whose tensors are read. Raises CheckpointError, also for what goes wrong meanwhile."""
    try:
        with safe_open(path, "pt") as f:
            yield f
    except OSError as e:
        raise _unreadable(path, e) from None
    except SafetensorError as e:
        raise CheckpointError(say("training.checkpoint_damaged", name=path.name, error=brief(e))) from None


def _unreadable(path: Path, problem: OSError) -> CheckpointError:
    """In words for visitors, who must not read in which folder it lies."""
    return CheckpointError(
        say("training.checkpoint_unreadable", name=path.name, reason=problem.strerror or say("training.gone"))
    )


def rewrite_checkpoint(path: Path, config: Config, lr: dict[str, float]) -> bytes:
    """The state in a checkpoint under other settings, as a new file's bytes; `lr` replaces learning rates of now.

    The networks must be those of `config` (see gan/runs/fork.py). Pictures seen so far stay as many when the batch size
    changes, to a batch. An averaged generator begins as the generator, augmentation that follows D with a probability
    of 0; either is left out where it is not wanted. Raises CheckpointError.
    """
    header, tensors = read_header(path), _read_tensors(path)
    old = header["config"]
    if not config.ema_halflife_images:
        tensors = _without("ema.", tensors)
    elif not old.ema_halflife_images:
        tensors |= {f"ema.{name[2:]}": t.clone() for name, t in tensors.items() if name.startswith("G.")}
    if not config.augment_target:
        tensors = _without("augment.", tensors)
    elif not old.augment_target:
        tensors |= {f"augment.{name}": torch.zeros(()) for name in AdaptiveProbability.STATE}
    return _encode(
        tensors,
        {
            "format": header["format"],
            "config": config.to_dict(),
            "steps_done": header["steps_done"],
            "batches_done": -(-header["batches_done"] * old.batch // config.batch),
            "lr": header["lr"] | lr,
            "extra": header["extra"],
        },
    )


def _without(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: t for name, t in tensors.items() if not name.startswith(prefix)}


def _encode(tensors: dict[str, Tensor], header: dict[str, object]) -> bytes:
    return save(tensors, {_HEADER: json.dumps(header)})


def refuse_other_config(saved: Config, wanted: Config) -> None:
    """Raise CheckpointError naming the settings that differ; a larger total_steps is the same run."""
    a, b = saved.to_dict(), wanted.to_dict()
    differ = [
        say("training.differs", name=k, saved=repr(a[k]), wanted=repr(b[k]))
        for k in a
        if a[k] != b[k] and k not in _MAY_DIFFER
    ]
    if differ:
        raise CheckpointError(say("training.other_settings", settings=differ))


def shown_generator_state(path: Path) -> dict[str, Tensor]:
    """The state of the generator people see (the averaged one if there is one), and nothing else of the file."""
    return _first_network(path, ("ema.", "G."))


def discriminator_state(path: Path) -> dict[str, Tensor]:
    """The state of the discriminator, and nothing else of the file. Raises CheckpointError."""
    return _first_network(path, ("D.",))


def _first_network(path: Path, prefixes: tuple[str, ...]) -> dict[str, Tensor]:
    """The tensors of the first of these networks that the file holds, by their own names."""
    with _opened(path) as f:
        names = list(f.keys())
        prefix = next((p for p in prefixes if any(n.startswith(p) for n in names)), prefixes[-1])
        return {n[len(prefix) :]: f.get_tensor(n) for n in names if n.startswith(prefix)}


_OF_THE_DATA = "odds"  # of a generator: how often its groups are drawn


def begin_with(path: Path, trainer: Trainer) -> None:
    """Give a trainer at step 0 the networks in a checkpoint, or in a file of those alone (`networks_of`).

    G and its average begin as the average there, D as D; networks that were told attributes are told groups where the
    trainer's are (gan.training.transfer). What belongs to the data, and the optimisers, stay as they are. Raises
    CheckpointError where they are other networks or not finite; nothing is changed then.
    """
    state, old = trainer.state_dict(), read_header(path)["config"]
    G, D = shown_generator_state(path), discriminator_state(path)
    if told_as(old, trainer.config) != old:
        meta = meta_generator(old), meta_discriminator(old)
        G, D = (_like(m.state_dict(), found, path) for m, found in zip(meta, (G, D), strict=True))
        rng = torch.Generator().manual_seed(trainer.seeds.of(Stream.CLUSTERS))
        G, D = tell_groups(G, D, old, trainer.config, rng)
    G, D = _like(state["G"], G, path), _like(state["D"], D, path)
    G |= {name: tensor for name, tensor in state["G"].items() if name == _OF_THE_DATA}
    trainer.load_state_dict(state | {"G": G, "D": D} | ({"ema": dict(G)} if "ema" in state else {}))


def _like(own: dict[str, Tensor], others: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The others, in the types of one's own. Raises CheckpointError where names, shapes or numbers do not fit."""
    shapes = [{(name, tensor.shape) for name, tensor in state.items()} for state in (own, others)]
    odd = min((name for name, _ in shapes[0] ^ shapes[1]), default=None)
    if odd is not None:
        raise CheckpointError(say("training.start_other_networks", name=path.name, tensor=odd))
    bad = next((n for n, t in others.items() if t.is_floating_point() and not _finite(t.float())), None)
    if bad is not None:
        raise CheckpointError(say("training.checkpoint_not_finite", name=path.name, tensor=bad))
    return {name: others[name].to(tensor.dtype) for name, tensor in own.items()}


def networks_of(path: Path) -> bytes:
    """The networks of a checkpoint as a file of its own, matrices in half precision. Raises CheckpointError."""
    return _networks(path, {"ema": shown_generator_state(path), "D": discriminator_state(path)})


def discriminator_of(path: Path, state: Mapping[str, Tensor]) -> bytes:
    """The same of D alone, which has learned further than the checkpoint's own. Raises CheckpointError."""
    return _networks(path, {"D": state})


def _networks(path: Path, parts: Mapping[str, Mapping[str, Tensor]]) -> bytes:
    header = read_header(path)
    tensors = {f"{part}.{name}": tensor for part, state in parts.items() for name, tensor in state.items()}
    small = {name: t.half() if t.is_floating_point() and t.ndim > 1 else t for name, t in tensors.items()}
    return _encode(small, {**header, "config": header["config"].to_dict(), "extra": {}})


def flatten(state: State) -> dict[str, Tensor]:
    """Trainer.state_dict() -> one level of named tensors."""
    flat = {f"{n}.{k}": t for n in _BY_KEY if n in state for k, t in state[n].items()}
    for name in _OPTIMISERS:
        for i, slots in state[name]["state"].items():
            flat |= {f"{name}.{i}.{slot}": t for slot, t in slots.items()}
    return flat


def _unflatten(tensors: dict[str, Tensor], header: Header) -> State:
    """The inverse of `flatten`."""
    parts: dict[str, dict[str, Tensor]] = {n: {} for n in _BY_KEY}
    optimisers: dict[str, AdamState] = {n: {"state": {}} for n in _OPTIMISERS}
    for name, t in tensors.items():
        owner, rest = name.split(".", 1)
        if owner in parts:
            parts[owner][rest] = t
        else:
            i, slot = rest.split(".")
            optimisers[owner]["state"].setdefault(int(i), {})[slot] = t
    return {
        "G": parts["G"],
        "D": parts["D"],
        "ema": parts["ema"],
        "augment": parts["augment"],
        "opt_g": optimisers["opt_g"],
        "opt_d": optimisers["opt_d"],
        "steps_done": header["steps_done"],
        "batches_done": header["batches_done"],
        "lr": header["lr"],
        "format": header["format"],
    }


def _expected(trainer: Trainer, steps: int) -> Shapes:
    """Name -> shape and type of everything a checkpoint of this trainer may hold."""
    now = trainer.state_dict()
    expected: Shapes = {f"{n}.{k}": (tuple(t.shape), t.dtype) for n in _BY_KEY if n in now for k, t in now[n].items()}
    for name, params in (("opt_g", trainer.g_params), ("opt_d", trainer.d_params)):
        for i, p in enumerate(params if steps else ()):
            expected[f"{name}.{i}.step"] = ((), torch.float32)
            expected[f"{name}.{i}.exp_avg"] = expected[f"{name}.{i}.exp_avg_sq"] = (tuple(p.shape), p.dtype)
    return expected


def _compare(f: safe_open, expected: Shapes) -> None:
    names = set(f.keys())
    # An optimiser that has not stepped yet (only the other player was) has no slots at all.
    needed = {n for n in expected if n.split(".")[0] in _BY_KEY}
    if needed - names:
        raise CheckpointError(say("training.checkpoint_lacks", name=sorted(needed - names)[0]))
    if names - set(expected):
        raise CheckpointError(say("training.checkpoint_holds", name=repr(sorted(names - set(expected))[0])[:80]))
    for name in names:
        shape, dtype = expected[name]
        found = f.get_slice(name)
        if tuple(found.get_shape()) != shape or _DTYPES.get(found.get_dtype()) != dtype:
            raise CheckpointError(
                say(
                    "training.checkpoint_tensor",
                    name=name,
                    shape=str(tuple(found.get_shape())),
                    dtype=found.get_dtype(),
                    wanted=str(shape),
                )
            )


_DTYPES = {"F32": torch.float32, "I64": torch.int64}
