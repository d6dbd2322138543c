"""The small classifier that the measures look through: its layers, its training, its file.

FID is usually taken in the features of Inception-v3, which was made for photographs of 299 x 299 pixels. For grey
pictures of 28 x 28 a classifier of the data set itself sees more, is a thousand times smaller and can be shipped.
Numbers taken with it compare generators of this project with each other, not with published FIDs.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors import torch as safetensors_torch
from torch import Tensor, nn
from torch.nn import functional as F

from gan.core.errors import UserError
from gan.core.messages import say
from gan.core.paths import WEIGHTS
from gan.core.seeds import Seeds, Stream
from gan.data import catalog

KEY = "gan_forge_metric_network"  # the one entry of the safetensors metadata; two would be written in any order
FORMAT = 1
FILE_BYTES = 4 << 20  # the real files have 0.8 MB; a larger one is not ours

SIZE, CHANNELS, CLASSES, FEATURES = 28, 1, 10, 96
PICTURE = (CHANNELS, SIZE, SIZE)  # what these networks look at


class Form(NamedTuple):
    """What a network looks at, and what it tells. The shipped ones have the default."""

    channels: int = CHANNELS
    size: int = SIZE  # pixels, a multiple of 4
    classes: int = CLASSES
    features: int = FEATURES


SHIPPED = Form()

BATCH = 128
PEAK_LR = 3e-3
WARMUP_SHARE = 0.15  # of all steps; then half a cosine down to zero
WEIGHT_DECAY = 0.02
DROPOUT = 0.3  # of the features, while training
SHIFT = 2  # pixels, each way


Progress = Callable[[str], None]


def measured_sets() -> list[str]:
    """The data sets whose pictures a network here can tell apart."""
    return [name for name, source in catalog.DATA.items() if source.metric_epochs]


class MetricError(UserError):
    """Its message is one clear sentence for the person in front of the screen."""


# ---- the network ----


class MetricNetwork(nn.Module):
    """Four convolutions and two linear layers; made without weights, see `fresh` and `load`."""

    name = "gan/metrics/classifier.py"

    def __init__(self, form: Form = SHIPPED) -> None:
        super().__init__()
        self.form = form
        self.body = nn.Sequential(
            *_block(form.channels, 32, kernel=5, stride=2),  # [N, 32, 14, 14]
            *_block(32, 32),
            nn.MaxPool2d(2),  # [N, 32, 7, 7]
            *_block(32, 64),
            *_block(64, 64),
            nn.Flatten(),
            nn.Linear(64 * (form.size // 4) ** 2, form.features),
            nn.ReLU(),
        )
        self.head = nn.Linear(form.features, form.classes)

    def features(self, x: Tensor) -> Tensor:
        """x float [N, 1, 28, 28] in [-1, 1] -> the last hidden layer after its ReLU, [N, 96]."""
        return self.body(x)

    def forward(self, x: Tensor) -> Tensor:
        """x float [N, 1, 28, 28] in [-1, 1] -> logits [N, 10]."""
        return self.head(self.features(x))

    def look(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features [N, 96] and logits [N, 10] of pictures as they are saved, uint8 [N, 1, 28, 28]."""
        check_saved(images)
        wanted = (self.form.channels, self.form.size, self.form.size)
        if tuple(images.shape[1:]) != wanted:
            kind = in_words(torch.empty(0, *wanted, device="meta"))
            raise MetricError(say("metrics.other_pictures", wanted=kind, found=in_words(images)))
        features = self.features(to_float(images))
        return features, self.head(features)


def check_saved(images: Tensor) -> None:
    """Refuse what are not pictures as they are saved: uint8 [N, C, H, W]."""
    if images.dtype != torch.uint8:
        raise MetricError(say("metrics.not_saved", found=images.dtype))
    if images.ndim != 4:
        raise MetricError(say("metrics.no_pictures", found=in_words(images)))


def in_words(images: Tensor) -> str:
    """What someone gave us instead of pictures of the right kind."""
    if images.ndim != 4:
        return say("metrics.numbers_of_shape", shape=str(list(images.shape)))
    _, channels, height, width = images.shape
    if channels == 1:
        return say("metrics.grey_pictures", width=width, height=height)
    return say("metrics.many_channels", channels=channels, width=width, height=height)


def _block(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return [conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def _empty(form: Form) -> MetricNetwork:
    """Layers and shapes without memory, and without touching the global random state."""
    with torch.device("meta"):
        return MetricNetwork(form)


def fresh(rng: torch.Generator, form: Form = SHIPPED) -> MetricNetwork:
    """He et al. 2015 initialisation, eq. 10, drawn from rng."""
    network = _empty(form).to_empty(device="cpu")
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()
        elif isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=rng)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network.to(memory_format=torch.channels_last)  # twice as fast on a CPU


# ---- training ----


def train(
    dataset: str, seed: int = 0, epochs: int | None = None, progress: Progress | None = None
) -> tuple[MetricNetwork, float]:
    """Train on the whole training split; return the network and its accuracy on the test split.

    A function of (dataset, seed, epochs, number of threads). The test pictures are looked at once, at the end.
    """
    _check_dataset(dataset)
    source = catalog.DATA[dataset]
    view = View(mirror=source.mirrored)
    network = fit(catalog.load(dataset, "train"), SHIPPED, view, epochs or source.metric_epochs, seed, progress)
    return network, accuracy(network, catalog.load(dataset, "test"))


class View(NamedTuple):
    """What is still the same picture for a network in training, which is shifted besides."""

    mirror: bool = False
    border: float = -1.0  # the value around a picture, in [-1, 1]


def fit(
    pictures: catalog.Pictures, form: Form, view: View, epochs: int, seed: int = 0, progress: Progress | None = None
) -> MetricNetwork:
    """Train on labelled pictures; a function of the arguments and the number of threads."""
    seeds = Seeds(seed, 1)
    network = fresh(torch.Generator().manual_seed(seeds.of(Stream.CLASSIFIER_WEIGHTS)), form).train()
    steps = epochs * (len(pictures.images) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=PEAK_LR, weight_decay=WEIGHT_DECAY)
    step, shown = 0, 0.0
    for epoch in range(epochs):
        rng = torch.Generator().manual_seed(seeds.of(Stream.CLASSIFIER_EPOCH, epoch))
        for x, labels in _batches(pictures, view, rng):
            optimizer.param_groups[0]["lr"] = learning_rate(step, steps)
            loss = _learn(network, optimizer, x, labels, rng)
            step, shown = step + 1, 0.98 * shown + 0.02 * loss.item()
        if progress:
            progress(say("metrics.epoch", epoch=epoch + 1, epochs=epochs, loss=shown))
    return network.eval()


def learning_rate(step: int, steps: int) -> float:
    """A straight line up, half a cosine down."""
    share, top = (step + 1) / (steps + 1), WARMUP_SHARE
    if share < top:
        return PEAK_LR * share / top
    return PEAK_LR * 0.5 * (1 + math.cos(math.pi * (share - top) / (1 - top)))


def _learn(
    network: MetricNetwork, optimizer: torch.optim.Optimizer, x: Tensor, labels: Tensor, rng: torch.Generator
) -> Tensor:
    features = network.features(x)
    kept = torch.rand(features.shape, generator=rng) >= DROPOUT
    loss = F.cross_entropy(network.head(features * kept / (1 - DROPOUT)), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def _batches(pictures: catalog.Pictures, view: View, rng: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch, shuffled and augmented; the rest that does not fill a batch waits for the next shuffle."""
    order = torch.randperm(len(pictures.images), generator=rng)
    for rows in order.split(BATCH):
        if len(rows) == BATCH:
            yield _augmented(pictures.images[rows], view, rng), pictures.labels[rows]


def _augmented(images: Tensor, view: View, rng: torch.Generator) -> Tensor:
    """Each picture shifted by up to SHIFT pixels and, if asked, mirrored half of the time."""
    count, size = len(images), images.shape[2]
    padded = F.pad(to_float(images), [SHIFT] * 4, value=view.border)  # [N, C, 32, 32]
    down, right = torch.randint(0, 2 * SHIFT + 1, (2, count), generator=rng)
    windows = padded.unfold(2, size, 1).unfold(3, size, 1)  # [N, C, 5, 5, 28, 28]
    x = windows[torch.arange(count), :, down, right]  # [N, C, 28, 28]
    if not view.mirror:
        return x
    mirrored = torch.rand(count, 1, 1, 1, generator=rng) < 0.5
    return torch.where(mirrored, x.flip(3), x)


def to_float(images: Tensor) -> Tensor:
    """uint8 [N, C, H, W] -> float32 in [-1, 1]."""
    return images.float().div_(127.5).sub_(1)


@torch.inference_mode()
def accuracy(network: MetricNetwork, pictures: catalog.Pictures) -> float:
    """Share of pictures whose largest logit is their label's."""
    right = 0
    for images, labels in zip(pictures.images.split(1000), pictures.labels.split(1000), strict=True):
        right += int((network(to_float(images)).argmax(1) == labels).sum())
    return right / len(pictures.images)


def main_train(
    dataset: str, out: Path | None = None, seed: int = 0, progress: Progress | None = None, epochs: int | None = None
) -> dict[str, object]:
    """`python -m gan metric-network DATASET`: train, save, read back, measure what was read back.

    One thread, because the result depends on the number of threads. Returns the file's header and its path.
    """
    _check_dataset(dataset)
    out = Path(out) if out else path_of(dataset)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        network, before = train(dataset, seed, epochs, progress)
        rounded = _network_of(_tensors_of(network), SHIPPED)
        after = accuracy(rounded, catalog.load(dataset, "test"))
    finally:
        torch.set_num_threads(threads)
    header = {
        "dataset": dataset,
        "test_accuracy": after,
        "test_accuracy_before_rounding": before,
        "command": f"python -m gan metric-network {dataset} --seed {seed}",
        "seed": seed,
        "epochs": epochs or catalog.DATA[dataset].metric_epochs,
    }
    save(network, out, header)
    read(out, dataset)
    return {**header, "path": str(out)}


# ---- the file ----


def path_of(dataset: str) -> Path:
    """Where the shipped file of a data set lies."""
    return WEIGHTS / f"metric-{dataset}.safetensors"


def save(network: MetricNetwork, path: Path, header: dict[str, object]) -> None:
    """Write a safetensors file whose metadata holds the header as JSON; all of it or nothing."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    metadata = {KEY: json.dumps({"format": FORMAT, **header})}
    try:
        partial.write_bytes(safetensors_torch.save(_tensors_of(network), metadata))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _tensors_of(network: MetricNetwork) -> dict[str, Tensor]:
    """Matrices in half precision, vectors (biases and running statistics) in single; counters are left out."""
    floats = {name: value for name, value in network.state_dict().items() if value.is_floating_point()}
    return {name: (value.half() if value.ndim > 1 else value).contiguous() for name, value in floats.items()}


def _network_of(tensors: dict[str, Tensor], form: Form) -> MetricNetwork:
    """The tensors take the place of those without memory; to_empty would import half a second's worth of torch."""
    network = _empty(form)
    state = {name: tensors[name].float() if name in tensors else torch.tensor(0) for name in network.state_dict()}
    network.load_state_dict(state, assign=True)
    return network.requires_grad_(False).eval().to(memory_format=torch.channels_last)


@lru_cache(maxsize=8)
def load(dataset: str) -> MetricNetwork:
    """The shipped network of a data set, in eval mode; read once per process, shared, not to be changed.

    Raises MetricError when the data set has none, or its file is missing, damaged or another one.
    """
    _check_dataset(dataset)
    return read(path_of(dataset), dataset)


def header_of(dataset: str) -> dict[str, Any]:
    """What was written beside the shipped weights: accuracy, command, seed, epochs."""
    _check_dataset(dataset)
    return read_header(path_of(dataset), dataset)


def read_header(path: Path, dataset: str) -> dict[str, Any]:
    """What was written beside the weights in a file. Raises MetricError."""
    with _opened(path) as file:
        return _checked_header(file.metadata(), path, dataset)


def read(path: Path, dataset: str, form: Form = SHIPPED) -> MetricNetwork:
    """Read a metric network; names, shapes and types are compared before any weight is read."""
    with _opened(path) as file:
        _checked_header(file.metadata(), path, dataset)
        _check_layout(file, path, form)
        try:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        except SafetensorError as error:
            raise MetricError(say("metrics.network_damaged", name=path.name, error=error)) from error
    if not all(value.isfinite().all() for value in tensors.values()):
        raise MetricError(say("metrics.network_not_finite", name=path.name))
    return _network_of(tensors, form)


def _opened(path: Path) -> safe_open:
    """safe_open reads nothing but the header, and checks that the file is as long as the header says."""
    try:
        size = path.stat().st_size
        if size > FILE_BYTES:
            raise MetricError(say("metrics.network_too_large", name=path.name, size=size, most=FILE_BYTES))
        return safe_open(path, framework="pt")
    except FileNotFoundError:
        command = f"python -m gan metric-network {path.stem.removeprefix('metric-')}"
        raise MetricError(say("metrics.network_missing", path=path, command=command)) from None
    except (SafetensorError, OSError) as error:
        raise MetricError(say("metrics.network_unreadable", path=path, error=error)) from error


def _checked_header(metadata: dict[str, str] | None, path: Path, dataset: str) -> dict[str, Any]:
    ours = (metadata or {}).get(KEY)
    if ours is None:
        raise MetricError(say("metrics.network_not_ours", name=path.name))
    try:
        header = json.loads(ours)
        version, found = header["format"], header["dataset"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise MetricError(say("metrics.network_header_damaged", name=path.name)) from error
    if version != FORMAT:
        raise MetricError(say("metrics.network_other_format", name=path.name, version=repr(version), reads=FORMAT))
    if found != dataset:
        raise MetricError(say("metrics.network_other_set", name=path.name, found=repr(found), dataset=repr(dataset)))
    return header


def _check_layout(file: safe_open, path: Path, form: Form) -> None:
    wanted = {name: list(t.shape) for name, t in _empty(form).state_dict().items() if t.is_floating_point()}
    slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    odd = set(wanted) ^ set(slices)
    if odd:
        raise MetricError(say("metrics.network_other_weights", name=path.name, tensor=sorted(odd)[0]))
    for name, part in slices.items():
        if part.get_shape() != wanted[name] or part.get_dtype() not in ("F16", "F32"):
            raise MetricError(
                say(
                    "metrics.network_tensor",
                    tensor=name,
                    name=path.name,
                    dtype=part.get_dtype(),
                    shape=str(part.get_shape()),
                    wanted=wanted[name],
                )
            )


def _check_dataset(dataset: str) -> None:
    if dataset not in (known := measured_sets()):
        raise MetricError(say("metrics.no_network", dataset=repr(str(dataset)[:60]), known=list(known)))
