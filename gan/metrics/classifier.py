"""The small classifier that the measures look through: its layers, its training, its file.

FID is usually taken in the features of Inception-v3, which was made for photographs of 299 x 299 pixels. For pictures
of 28 x 28 or 64 x 64 a classifier of the data set itself sees more, is a thousand times smaller and can be shipped.
Where attributes of the pictures are known, it tells them as well as the class.
Numbers taken with it compare generators of this project with each other, not with published FIDs.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
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

SIZE, CHANNELS, CLASSES, FEATURES = 28, 1, 10, 96  # of the networks of digits and garments


class Form(NamedTuple):
    """What a network looks at, and what it tells. Those of digits and garments have the default."""

    channels: int = CHANNELS
    size: int = SIZE  # pixels, a multiple of 4, of 8 from LARGE on
    classes: int = CLASSES
    features: int = FEATURES
    attributes: tuple[int, ...] = ()  # how many values each attribute has

    @property
    def picture(self) -> tuple[int, int, int]:
        """[C, H, W] of what it looks at."""
        return self.channels, self.size, self.size

    @property
    def told(self) -> tuple[int, ...]:
        """How many logits each question has: the class, then every attribute."""
        return self.classes, *self.attributes


LARGE = 48  # pixels a side from which on the network has one more halving

BATCH = 128
PEAK_LR = 3e-3
LARGE_BATCH, LARGE_PEAK_LR = 32, 2e-3  # of large pictures there are fewer, and small parts of them take more steps
WARMUP_SHARE = 0.15  # of all steps; then half a cosine down to zero
WEIGHT_DECAY = 0.02
DROPOUT = 0.3  # of the features, while training; none where attributes are told: the finest were never learned with it
SHIFT = 2  # pixels, each way


Progress = Callable[[str], None]


def measured_sets() -> list[str]:
    """The data sets whose pictures a network here can tell apart."""
    return [name for name, source in catalog.DATA.items() if source.metric_epochs]


def knows(dataset: str, picture: Sequence[int]) -> bool:
    """Whether there is a network for a data set, and it looks at pictures [C, H, W]: a file may claim any."""
    return dataset in measured_sets() and tuple(picture) == form_of(dataset).picture


class MetricError(UserError):
    """Its message is one clear sentence for the person in front of the screen."""


# ---- the network ----


class MetricNetwork(nn.Module):
    """Four or five convolutions and two linear layers; made without weights, see `fresh` and `load`."""

    name = "gan/metrics/classifier.py"

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form
        self.body = nn.Sequential(
            *(_small(form.channels) if form.size < LARGE else _large(form.channels)),
            nn.Flatten(),
            nn.Linear(_numbers(form.size), form.features),
            nn.ReLU(),
        )
        self.head = nn.Linear(form.features, sum(form.told))

    def features(self, x: Tensor) -> Tensor:
        """x float [N, C, S, S] in [-1, 1] -> the last hidden layer after its ReLU, [N, 96]."""
        return self.body(x)

    def forward(self, x: Tensor) -> Tensor:
        """x float [N, C, S, S] in [-1, 1] -> logits [N, sum(form.told)]: of the class, then of every attribute."""
        return self.head(self.features(x))

    def look(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features [N, 96] and the logits of classes of pictures as they are saved, uint8 [N, C, S, S]."""
        check_saved(images)
        if tuple(images.shape[1:]) != self.form.picture:
            kind = in_words(torch.empty(0, *self.form.picture, device="meta"))
            raise MetricError(say("metrics.other_pictures", wanted=kind, found=in_words(images)))
        features = self.features(to_float(images))
        return features, self.head(features)[:, : self.form.classes]

    def attributes(self, features: Tensor) -> list[Tensor]:
        """Features [N, 96] -> the label of each picture, int64 [N], for every attribute."""
        return [logits.argmax(1) for logits in self.head(features.float()).split(self.form.told, 1)[1:]]


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


def _small(channels: int) -> list[nn.Module]:
    return [
        *_block(channels, 32, kernel=5, stride=2),  # [N, 32, 14, 14]
        *_block(32, 32),
        nn.MaxPool2d(2),  # [N, 32, 7, 7]
        *_block(32, 64),
        *_block(64, 64),
    ]


def _large(channels: int) -> list[nn.Module]:
    return [
        *_block(channels, 24, kernel=5, stride=2),  # [N, 24, 32, 32]
        *_block(24, 48, stride=2),  # [N, 48, 16, 16]
        *_block(48, 48),
        nn.MaxPool2d(2),  # [N, 48, 8, 8]
        *_block(48, 64),
        *_block(64, _LAST),
    ]


_LAST = 56  # channels of a large network before its linear layers: its file stays below 1 MB


def _numbers(size: int) -> int:
    """How many numbers the convolutions leave of a picture."""
    return 64 * (size // 4) ** 2 if size < LARGE else _LAST * (size // 8) ** 2


def _block(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return [conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def _empty(form: Form) -> MetricNetwork:
    """Layers and shapes without memory, and without touching the global random state."""
    with torch.device("meta"):
        return MetricNetwork(form)


def fresh(rng: torch.Generator, form: Form) -> MetricNetwork:
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
    view = View(source.mirrored, None if source.channels == 3 else -1.0)
    network = fit(
        catalog.load(dataset, "train"), form_of(dataset), view, epochs or source.metric_epochs, seed, progress
    )
    return network, accuracy(network, catalog.load(dataset, "test"))


def form_of(dataset: str) -> Form:
    """What the network of a data set looks at and tells. Raises MetricError when it has none."""
    _check_dataset(dataset)
    source = catalog.DATA[dataset]
    return Form(source.channels, source.size, len(source.class_names), attributes=source.attribute_values)


class View(NamedTuple):
    """What is still the same picture for a network in training, which is shifted besides."""

    mirror: bool = False
    border: float | None = -1.0  # the value around a picture, in [-1, 1]; None: its own border goes on


def fit(
    pictures: catalog.Pictures, form: Form, view: View, epochs: int, seed: int = 0, progress: Progress | None = None
) -> MetricNetwork:
    """Train on labelled pictures; a function of the arguments and the number of threads."""
    seeds = Seeds(seed, 1)
    network = fresh(torch.Generator().manual_seed(seeds.of(Stream.CLASSIFIER_WEIGHTS)), form).train()
    batch, peak = (BATCH, PEAK_LR) if form.size < LARGE else (LARGE_BATCH, LARGE_PEAK_LR)
    steps = epochs * (len(pictures.images) // batch)
    optimizer = torch.optim.AdamW(network.parameters(), lr=peak, weight_decay=WEIGHT_DECAY)
    step, shown = 0, 0.0
    for epoch in range(epochs):
        rng = torch.Generator().manual_seed(seeds.of(Stream.CLASSIFIER_EPOCH, epoch))
        for x, labels in _batches(pictures, view, rng, batch):
            optimizer.param_groups[0]["lr"] = learning_rate(step, steps, peak)
            loss = _learn(network, optimizer, x, labels, rng)
            step, shown = step + 1, 0.98 * shown + 0.02 * loss.item()
        if progress:
            progress(say("metrics.epoch", epoch=epoch + 1, epochs=epochs, loss=shown))
    return network.eval()


def learning_rate(step: int, steps: int, peak: float) -> float:
    """A straight line up, half a cosine down."""
    share, top = (step + 1) / (steps + 1), WARMUP_SHARE
    if share < top:
        return peak * share / top
    return peak * 0.5 * (1 + math.cos(math.pi * (share - top) / (1 - top)))


def _learn(
    network: MetricNetwork, optimizer: torch.optim.Optimizer, x: Tensor, labels: Tensor, rng: torch.Generator
) -> Tensor:
    features = network.features(x)
    if not network.form.attributes:
        features = features * (torch.rand(features.shape, generator=rng) >= DROPOUT) / (1 - DROPOUT)
    logits = network.head(features).split(network.form.told, 1)
    loss = torch.stack([F.cross_entropy(*pair) for pair in zip(logits, labels.T, strict=True)]).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def _batches(
    pictures: catalog.Pictures, view: View, rng: torch.Generator, batch: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch, shuffled and augmented; the rest that does not fill a batch waits for the next shuffle."""
    order = torch.randperm(len(pictures.images), generator=rng)
    for rows in order.split(batch):
        if len(rows) == batch:
            yield _augmented(pictures.images[rows], view, rng), told(pictures)[rows]


def told(pictures: catalog.Pictures) -> Tensor:
    """What a network has to tell of each picture, int64 [N, 1 + A]: its class, then every attribute."""
    classes = pictures.labels[:, None]
    return classes if pictures.attributes is None else torch.cat([classes, pictures.attributes.long()], 1)


def _augmented(images: Tensor, view: View, rng: torch.Generator) -> Tensor:
    """Each picture shifted by up to SHIFT pixels and, if asked, mirrored half of the time."""
    count, size = len(images), images.shape[2]
    around = {"mode": "replicate"} if view.border is None else {"value": view.border}
    padded = F.pad(to_float(images), [SHIFT] * 4, **around)  # [N, C, 32, 32]
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


def accuracy(network: MetricNetwork, pictures: catalog.Pictures) -> float:
    """Share of pictures whose class is told rightly: their label has its largest logit."""
    return accuracies(network, pictures)[0]


@torch.inference_mode()
def accuracies(network: MetricNetwork, pictures: catalog.Pictures) -> list[float]:
    """The same of the class and of every attribute."""
    right = torch.zeros(len(network.form.told), dtype=torch.int64)
    for images, labels in zip(pictures.images.split(1000), told(pictures).split(1000), strict=True):
        found = [logits.argmax(1) for logits in network(to_float(images)).split(network.form.told, 1)]
        right += (torch.stack(found, 1) == labels).sum(0)
    return (right / len(pictures.images)).tolist()


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
        rounded = _network_of(_tensors_of(network), network.form)
        after, *attributes = accuracies(rounded, catalog.load(dataset, "test"))
    finally:
        torch.set_num_threads(threads)
    header = {
        "dataset": dataset,
        "test_accuracy": after,
        "test_accuracy_before_rounding": before,
        **_named(dataset, attributes),
        "command": f"python -m gan metric-network {dataset} --seed {seed}",
        "seed": seed,
        "epochs": epochs or catalog.DATA[dataset].metric_epochs,
    }
    save(network, out, header)
    read(out, dataset)
    return {**header, "path": str(out)}


def _named(dataset: str, accuracies: list[float]) -> dict[str, object]:
    return (
        {"attribute_accuracy": dict(zip(catalog.DATA[dataset].attributes, accuracies, strict=True))}
        if accuracies
        else {}
    )


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


def read(path: Path, dataset: str, form: Form | None = None) -> MetricNetwork:
    """Read a metric network; names, shapes and types are compared before any weight is read.

    form: as it must be; None: that of a data set of the table.
    """
    form = form or form_of(dataset)
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
