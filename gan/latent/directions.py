"""Directions in latent space with a meaning: measured, varied most, towards a class, taught by marking. Pure functions.

Everything here looks at one `SampleSet`: many latents with their pictures. Latents are standard normal, so the slope of
a linear regression of anything on z is its mean gradient over all pictures (Stein's lemma): the best single direction
to push. Slopes are taken within classes or clusters, because a direction is to change a picture and not what it is of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from gan.core.errors import UserError
from gan.core.images import to_uint8
from gan.core.messages import say
from gan.core.noise import SHEETS, sheet_latents
from gan.latent.spec import without
from gan.metrics import stroke_attributes
from gan.metrics.classifier import MetricNetwork, form_of, knows, load, to_float
from gan.metrics.stroke_attributes import measurable
from gan.models.layers import Generator

FORMAT, VERSION = "gan-forge-directions", 1
MOST, LARGEST = 200, 10.0  # directions in a file; of a number in a vector

STUDIED = SHEETS["study"].latents
ACTIVE = 400  # of them, for the components of activations
COMPONENTS = 8  # of pictures, beside their attributes
MARK_RIDGE = 3.0  # the prior of a taught direction, in marks
AT_ONCE = 20  # pictures: little enough to stay in the processor's cache, and to let others pass

# Of the directions towards a value of an attribute (`attribute_directions`):
COMMON = (0.03, 0.85)  # the least and largest share of studied pictures with the value; others are not looked for
LENGTHS = (1.0, 1.5, 2.0)  # the shortest that is enough is taken
ENOUGH, LEAST = 0.75, 0.6  # share of pictures that have the value at the slider's end: enough; below the other, none
HOPELESS = 0.3  # where the shortest reaches no more, longer ones are not tried
TRIED = 40  # pictures
TOLD_LENGTH = 1.6  # where the generator is told attributes: a common value wins there, and at the other end none
DRAWN = 0.9  # share of the studied pictures told a value that show it, and of the others less than half of that share
SURE = 12.0  # log-odds; beyond this a network is as sure as it can be
END = 3.0  # where a slider ends, and -END

# What each measured direction leaves as it is, as far as one direction can.
_KEPT = {
    "thickness": ("slant", "width", "height"),
    "slant": ("thickness", "width", "height"),
    "width": ("thickness", "slant", "height"),
    "height": ("thickness", "slant", "width"),
    "ink": ("slant",),
}
GENTLE = {"slant": 7.0}  # degrees: three of them and a digit lies down

# What a generator draws ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Direction:
    """A vector [z_dim] with a name: kind is "measured", "attribute", "weak", "class", "varied" or "own".

    "weak" is towards a value that the generator is told, but does not draw reliably (`told_directions`).

    Its length is 1 or less, of attributes at most the largest of LENGTHS.
    """

    key: str
    kind: str
    vector: Tensor
    may_change_cluster: bool = False  # see gan.latent.spec.Push


class DirectionError(UserError):
    """Its message is one clear sentence for the person."""


@dataclass(frozen=True)
class SampleSet:
    """Latents z [N, z_dim], the class or group of each, int64 [N], and its picture, uint8 [N, C, H, W]."""

    z: Tensor
    labels: Tensor
    images: Tensor


@torch.inference_mode()
def study(generator: Generator, n: int = STUDIED, seed: int = 0, check: Callable[[], None] = lambda: None) -> SampleSet:
    """Draw n pictures, classes in turn; `check` is called between batches. A function of (generator, n, seed)."""
    z = sheet_latents("study", seed, generator.z_dim, n)
    condition = generator.condition(z, torch.arange(n) % generator.classes if generator.classes else None)
    images = []
    for rows in torch.arange(n).split(AT_ONCE):
        images.append(to_uint8(generator(z[rows], None if condition is None else condition[rows])))
        check()
    return SampleSet(z, _labels_of(generator, condition, n), torch.cat(images))


def _labels_of(generator: Generator, condition: Tensor | None, n: int) -> Tensor:
    if condition is None or len(generator.codes) > 1:  # hardly two pictures have all attributes alike
        return torch.zeros(n, dtype=torch.int64)
    return condition.argmax(1) if condition.is_floating_point() else condition


def measure(images: Tensor, names: Sequence[str], check: Callable[[], None] = lambda: None) -> dict[str, Tensor]:
    """Attributes of pictures uint8 [N, C, H, W], each float32 [N]."""
    parts = []
    for part in images.split(AT_ONCE):
        parts.append(stroke_attributes.measure(stroke_attributes.ink_of(part)))
        check()
    return {name: torch.cat([part[name] for part in parts]) for name in names}


@dataclass(frozen=True)
class StudyResult:
    """A study, and what was measured on its pictures."""

    generator: Generator
    dataset: str
    study: SampleSet
    values: Mapping[str, Tensor]  # attribute -> [N]

    @cached_property
    def measured(self) -> dict[str, Tensor]:
        """The directions [z_dim] of its attributes."""
        return measured(self.study, self.values)

    def directions(self, check: Callable[[], None] = lambda: None) -> list[Direction]:
        """Everything that can be found without a person: measured, then towards classes, then varied most."""
        found = [Direction(name, "measured", v) for name, v in self.measured.items()]
        known = knows(self.dataset, self.study.images.shape[1:]) and not self.generator.classes
        if self.generator.unseen:
            told = known and form_of(self.dataset).attributes == self.generator.codes
            logits = attribute_logits(load(self.dataset), self.study.images, check) if told else []
            found += told_directions(self.generator, self.study, logits)
        elif known and form_of(self.dataset).attributes:
            found += attribute_directions(self.generator, self.study, load(self.dataset), check)
        elif known:
            labels = _labels(self.study.images, self.dataset, check)
            classes = towards(self.study.z, labels, form_of(self.dataset).classes)
            found += [Direction(f"class-{k}", "class", v, True) for k, v in enumerate(classes) if v.any()]
        return found + [Direction(f"varied-{k}", "varied", v) for k, v in enumerate(varied(self.generator, self.study))]

    def pictures(self, rows: Sequence[int]) -> Tensor:
        """Pictures of the study, uint8 [len(rows), C, H, W]."""
        return self.study.images[self._checked(rows)]

    def teach(self, more: Sequence[int], less: Sequence[int]) -> Tensor:
        """The direction [z_dim] from the pictures in rows `less` to those in rows `more`."""
        if not more or not less or set(more) & set(less):
            raise DirectionError(say("latent.mark_both"))
        signs = torch.tensor([1.0] * len(more) + [-1.0] * len(less))
        return fit_marks(self.study, describe(self.study.images, self.values), self._checked([*more, *less]), signs)

    def _checked(self, rows: Sequence[int]) -> Tensor:
        count = len(self.study.z)
        if not all(0 <= row < count for row in rows):
            raise DirectionError(say("latent.wrong_row", last=count - 1, row=max(rows)))
        return torch.tensor(rows)


def look(generator: Generator, dataset: str, check: Callable[[], None] = lambda: None, n: int = STUDIED) -> StudyResult:
    """Study a generator that learned from this data set; `check` is called between batches of pictures."""
    seen = study(generator, n, check=check)
    names = measurable(dataset)
    return StudyResult(generator, dataset, seen, measure(seen.images, names, check) if names else {})


@torch.inference_mode()
def _labels(images: Tensor, dataset: str, check: Callable[[], None]) -> Tensor:
    network, labels = load(dataset), []
    for part in images.split(AT_ONCE):
        labels.append(network.look(part)[1].argmax(1))
        check()
    return torch.cat(labels)


def describe(images: Tensor, values: Mapping[str, Tensor]) -> Tensor:
    """Features of pictures [N, F] that few marks can tell apart: attributes, and components of the pictures."""
    small = avg_pool2d(images.float(), 2).flatten(1)
    small = small - small.mean(0)
    _, components = torch.linalg.eigh(small.T @ small)  # ascending, in columns
    most = COMPONENTS if values else 2 * COMPONENTS
    return torch.cat([*(v[:, None] for v in values.values()), small @ components.flip(1)[:, :most]], 1)


# Slopes ----------------------------------------------------------------------------------------------------------


def slopes(seen: SampleSet, values: Tensor, ridge: float = 1.0) -> Tensor:
    """How much each of values [N, K] grows, on average, with each latent number: [K, z_dim], float32.

    Ridge regression of the values on z, both without the mean of their class or group.
    """
    z, y = within(seen.z, seen.labels), within(values, seen.labels)
    gram = z.T @ z + ridge * torch.eye(z.shape[1], dtype=z.dtype)
    return torch.linalg.solve(gram, z.T @ y).T.float()


def within(values: Tensor, labels: Tensor) -> Tensor:
    """Values [N, K] without the mean of each row's group, float64."""
    count = int(labels.max()) + 1
    sums = torch.zeros(count, values.shape[1], dtype=torch.float64).index_add_(0, labels, values.double())
    sizes = torch.bincount(labels, minlength=count).clamp(min=1)
    return values.double() - (sums / sizes[:, None])[labels]


def unit(vector: Tensor) -> Tensor:
    """The same direction with length 1; nothing stays nothing."""
    length = vector.norm()
    return vector / length if length > 1e-8 else torch.zeros_like(vector)


# Kinds of directions ---------------------------------------------------------------------------------------------


def measured(seen: SampleSet, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A direction [z_dim] of length at most 1 for each attribute that varies, which keeps the others (see _KEPT)."""
    names = list(values)
    if not names:
        return {}
    found = dict(zip(names, slopes(seen, torch.stack([values[name] for name in names], 1)), strict=True))
    kept = {name: [found[k] for k in _KEPT[name] if k in found] for name in names}  # of clothes: nothing
    alone = {name: without(found[name], torch.stack(kept[name])) if kept[name] else found[name] for name in names}
    directions = {name: _gentle(unit(alone[name]), found[name], name) for name in names}
    return {name: direction for name, direction in directions.items() if direction.any()}


def _gentle(direction: Tensor, slope: Tensor, name: str) -> Tensor:
    """Shorter where a push of length 1 would change more than a slider should."""
    return direction * min(1.0, GENTLE.get(name, torch.inf) / max(float(slope @ direction), 1e-8))


def varied(generator: Generator, seen: SampleSet, k: int = 8) -> Tensor:
    """The k directions along which the first layer's activations vary most, unit, [k, z_dim].

    GANSpace (Härkönen et al. 2020, section 2.2): principal components of the activations, here within classes or
    labels, then the latent regressed on each component's coordinate. The sign makes the largest entry positive.
    """
    some = SampleSet(seen.z[:ACTIVE], seen.labels[:ACTIVE], seen.images[:ACTIVE])
    active = within(activations(generator, some), some.labels).float()  # [N, F]
    if not active.isfinite().all():
        return torch.empty(0, seen.z.shape[1])
    variances, coordinates = torch.linalg.eigh(active @ active.T)  # ascending; [N, N] is smaller than [F, F]
    best = coordinates.flip(1)[:, : min(k, int((variances > 1e-9 * variances[-1]).sum()))]
    if not best.shape[1]:  # a generator that always says the same
        return torch.empty(0, seen.z.shape[1])
    found = best.T @ within(some.z, some.labels).float()  # [k, z_dim]: the regression on an orthonormal coordinate
    found = torch.stack([unit(row) for row in found])
    largest = found.gather(1, found.abs().argmax(1, keepdim=True))
    return found * torch.where(largest < 0, -1.0, 1.0)


@torch.inference_mode()
def activations(generator: Generator, seen: SampleSet) -> Tensor:
    """What the first layer says, after its activation function, [N, F]."""
    activation = next(i for i, m in enumerate(generator.layers) if isinstance(m, nn.ReLU | nn.LeakyReLU | nn.Tanh))
    first = generator.layers[: activation + 1]
    return first(generator.inputs(seen.z, seen.labels if generator.classes else None)).flatten(1)


def towards(z: Tensor, labels: Tensor, classes: int) -> Tensor:
    """For each class the unit direction [classes, z_dim] towards latents whose pictures are of it.

    The difference of the means: as latents are standard normal, this is what the linear classifiers of InterFaceGAN
    (Shen et al. 2020, section 2.2) come near. A class that never occurs, or always, has none (zeros).
    """
    found = torch.zeros(classes, z.shape[1])
    for k in range(classes):
        ours = labels == k
        if 0 < int(ours.sum()) < len(z):
            found[k] = unit(z[ours].mean(0) - z[~ours].mean(0))
    return found


def told_directions(generator: Generator, seen: SampleSet, logits: Sequence[Tensor] = ()) -> list[Direction]:
    """Directions towards values of attributes that the generator is told, "attribute-A-V" each: the others stay.

    They push the numbers that vote for the attribute: at a slider's end so far that the value wins 99 times in 100.

    Args:
        logits: what a metric network says of the studied pictures, [N, values] of each attribute. A direction is
            "weak" where the pictures do not show what they are told (`DRAWN`).
    """
    votes, directions, start = generator.vote(seen.z), [], 0
    for a, values in enumerate(generator.codes):
        told = votes[:, start : start + values]
        for value, share in enumerate(told.mean(0).tolist()):
            if COMMON[0] <= share <= COMMON[1]:
                vector = torch.zeros(generator.z_dim)
                vector[start : start + values] = -1 / (values - 1)
                vector[start + value] = 1
                drawn = not logits or _is_drawn(told.argmax(1) == value, logits[a].argmax(1) == value)
                kind = "attribute" if drawn else "weak"
                directions.append(Direction(f"attribute-{a}-{value}", kind, TOLD_LENGTH * unit(vector), True))
        start += values
    return directions


def _is_drawn(told: Tensor, shown: Tensor) -> bool:
    """Whether pictures show a value when they are told it, bool [N] both; what all pictures show is no sign of it."""
    hits, others = (shown[rows].double().mean().item() for rows in (told, ~told))  # NaN of no rows is no sign either
    return hits >= DRAWN and others < hits / 2


def attribute_directions(
    generator: Generator, seen: SampleSet, network: MetricNetwork, check: Callable[[], None] = lambda: None
) -> list[Direction]:
    """Directions towards values of attributes, "attribute-A-V" each, that do what they say in most of TRIED pictures.

    The slope of a value's log-odds within groups; its length such that ENOUGH of the pictures have the value at the end
    of a slider. What is reached in less than LEAST of them is left out.
    """
    told = attribute_logits(network, seen.images, check)
    odds = torch.cat([_log_odds(logits) for logits in told], 1)  # [N, V], of all values of all attributes
    found, starts = slopes(seen, odds), [0, *accumulate(network.form.attributes)]
    some, directions = SampleSet(seen.z[:TRIED], seen.labels[:TRIED], seen.images[:TRIED]), []
    for a, logits in enumerate(told):
        shares = torch.bincount(logits.argmax(1), minlength=logits.shape[1]) / len(logits)
        for value, share in enumerate(shares.tolist()):
            if COMMON[0] <= share <= COMMON[1]:
                vector = unit(found[starts[a] + value])
                length = _length(partial(_reached, generator, some, vector, network, check, a, value))
                if length:
                    directions.append(Direction(f"attribute-{a}-{value}", "attribute", length * vector))
    return directions


def _length(reached: Callable[[float], float]) -> float:
    """The first of LENGTHS that brings ENOUGH pictures what is wanted at a slider's end, else the best, or 0."""
    best, most = 0.0, LEAST
    for length in LENGTHS:
        share = reached(length)
        if share >= ENOUGH:
            return length
        if share >= most:
            best, most = length, share
        if share < HOPELESS:
            break
    return best


@torch.inference_mode()
def _reached(
    generator: Generator,
    some: SampleSet,
    vector: Tensor,
    network: MetricNetwork,
    check: Callable[[], None],
    attribute: int,
    value: int,
    length: float,
) -> float:
    """The share of the pictures that have the value after a push to a slider's end; each keeps its group."""
    condition, drawn = generator.condition(some.z, None), []
    for rows in torch.arange(len(some.z)).split(AT_ONCE):
        z = some.z[rows] + END * length * vector
        drawn.append(to_uint8(generator(z, None if condition is None else condition[rows])))
        check()
    return (attribute_logits(network, torch.cat(drawn), check)[attribute].argmax(1) == value).double().mean().item()


@torch.inference_mode()
def attribute_logits(network: MetricNetwork, images: Tensor, check: Callable[[], None] = lambda: None) -> list[Tensor]:
    """The logits [N, values] of every attribute."""
    found = []
    for part in images.split(AT_ONCE):
        found.append(network(to_float(part)))
        check()
    return list(torch.cat(found).split(network.form.told, 1)[1:])


def _log_odds(logits: Tensor) -> Tensor:
    """[N, V] -> of each value against all others, [N, V], between -SURE and SURE."""
    log = logits.log_softmax(1)
    return (log - torch.log(-torch.expm1(log.clamp(max=-1e-6)))).clamp(-SURE, SURE)


def fit_marks(seen: SampleSet, features: Tensor, marked: Tensor, signs: Tensor) -> Tensor:
    """The direction [z_dim] from pictures marked "less" to those marked "more".

    A handful of marks says little about hundreds of latent numbers, but much about a few features of the pictures: a
    ridge regression of the signs on features (standardised, so that the prior is the same for all) gives every studied
    picture a score, and the scores' slope is the direction.

    Args:
        features: [N, F] of the studied pictures (see `describe`).
        marked: rows of the marked ones, int64 [M].
        signs: [M], 1 for more and -1 for less; both must occur.
    """
    rows = (features - features.mean(0)) / features.std(0).clamp(min=1e-6)
    x = rows[marked]
    x = x - (x[signs > 0].mean(0) + x[signs < 0].mean(0)) / 2  # the border lies half way, whichever was marked more
    weights = torch.linalg.solve(x.T @ x + MARK_RIDGE * torch.eye(x.shape[1]), x.T @ signs)  # [F]
    return unit(slopes(seen, (rows @ weights)[:, None])[0])


# The file ----------------------------------------------------------------------------------------------------------


def to_text(directions: Sequence[Direction], weights: str, stamp: str) -> str:
    """Directions as JSON, with the id and stamp of the weights they were found for."""
    entries = [
        {
            "name": d.key,
            "about": d.kind,
            "regroups": d.may_change_cluster,
            "vector": [round(v, 6) for v in d.vector.tolist()],
        }
        for d in directions
    ]
    file = {"format": FORMAT, "version": VERSION, "weights": weights, "stamp": stamp, "directions": entries}
    return json.dumps(file, indent=1)


def from_text(text: str, z_dim: int) -> list[Direction]:
    """Read what `to_text` wrote, or what somebody says it wrote, for weights with z_dim latent numbers.

    Raises DirectionError with a sentence whatever is wrong with it.
    """
    try:
        file = json.loads(text)
    except (ValueError, RecursionError):
        file = None
    if not isinstance(file, dict) or file.get("format") != FORMAT:
        raise DirectionError(say("latent.not_ours"))
    if file.get("version") != VERSION:
        raise DirectionError(say("latent.other_version", version=repr(file.get("version"))[:20], reads=VERSION))
    entries = file.get("directions")
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST:
        raise DirectionError(say("latent.how_many_directions", most=MOST))
    return [_entry(entry, z_dim) for entry in entries]


def _entry(entry: Any, z_dim: int) -> Direction:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not re.fullmatch(r"(?!\d+$)[^:,\x00-\x1f]{1,60}", name) or not name.isprintable():
        raise DirectionError(say("latent.strange_name"))
    numbers = entry.get("vector")
    if not isinstance(numbers, list) or not all(type(n) in (int, float) and abs(n) <= LARGEST for n in numbers):
        raise DirectionError(say("latent.not_numbers", name=repr(name), most=LARGEST))
    if len(numbers) != z_dim:
        raise DirectionError(say("latent.wrong_length", name=repr(name), number=len(numbers), z_dim=z_dim))
    vector = torch.tensor(numbers, dtype=torch.float32)
    if not vector.any():
        raise DirectionError(say("latent.leads_nowhere", name=repr(name)))
    return Direction(name, "own", vector, entry.get("regroups") is True)
