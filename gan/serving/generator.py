"""A generator that is loaded: all that can be drawn with it, or told about it. No thread, no name, no query.

Whatever takes long calls its `check` now and then (see gan.serving.worker).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from gan.core.config import Config
from gan.core.errors import UserError
from gan.core.images import to_uint8
from gan.core.messages import recognised, say
from gan.data.catalog import DATA
from gan.data.worlds import WORLDS
from gan.latent import directions as studies
from gan.latent import interpolation, steering
from gan.latent import spec as specs
from gan.latent.directions import Direction, StudyResult
from gan.latent.inversion import Found, opinion_of, search
from gan.latent.spec import LatentSpec
from gan.models import as_mixture
from gan.models import weights_file as files
from gan.models.weights_file import Weights
from gan.serving import browser_export
from gan.serving.browser_export import PageFile, PageWeightsError
from gan.serving.requests import Keyframe, KeyframePath, Near, Sums
from gan.serving.worker import Check, unchecked

DIRECTIONS = 8
STRIP = range(-3, 4)  # amounts of a direction that a strip shows

Latents = tuple[Tensor, Tensor | None]  # latents [N, z_dim], and what the network is told: [1], [N], [N, k] or None


class RenderError(UserError):
    """The request asks for something impossible; the message is one sentence."""


@dataclass(frozen=True)
class Pixels:
    """Pictures uint8 [N, C, H, W], and which weights drew them."""

    images: np.ndarray
    stamp: str
    step: int


class LoadedGenerator:
    """A generator that can draw at once. Threads may share it: nothing that others see of it changes.

    Args:
        weights: its numbers and settings.
        stamp: says which they are; others of the same name have another one.
    """

    def __init__(self, weights: Weights, stamp: str) -> None:
        self.weights, self.stamp, self.config = weights, stamp, weights.config
        self.network = files.build(weights)

    # About it -----------------------------------------------------------------------------------------------------

    @cached_property
    def principal(self) -> tuple[Tensor, Tensor]:
        """Directions [k, z_dim] and shares [k]; only computed when somebody asks."""
        return specs.principal_directions(self.network, DIRECTIONS)

    @cached_property
    def digest(self) -> str:
        """What these weights are, for whoever was handed a picture of them."""
        return files.digest(self.weights)

    @cached_property
    def page(self) -> PageFile:
        """The weights as a browser needs them; only made when a page asks. Raises PageWeightsError."""
        cfg = self.config
        about = {"stamp": self.stamp, "digest": self.digest, "step": self.weights.step}
        about |= {"size": cfg.size, "channels": cfg.channels}
        return PageFile.of(browser_export.to_bytes(self.network, self.principal[0], about))

    @cached_property
    def page_refusal(self) -> str:
        """Why a browser cannot draw with these weights, in a sentence; empty when it can."""
        try:
            browser_export.check(self.network)
        except PageWeightsError as error:
            return error.message
        return ""

    def about(self) -> dict[str, object]:
        """What a page needs to know of them (see the route `weights/{id}`)."""
        cfg, w = self.config, self.weights
        return {
            "title": w.title,
            "about": w.about,
            "z_dim": cfg.z_dim,
            "classes": cfg.classes,
            "class_names": [recognised(f"datasets.{cfg.dataset}.class_{i}", n) for i, n in enumerate(w.class_names)],
            "votes": self.network.votes,
            "told": _tells_attributes(cfg),
            "attributes": _attributes(cfg.dataset),
            "open_mouth": _open_mouth(cfg.dataset),
            "dataset": cfg.dataset,
            "size": cfg.size,
            "channels": cfg.channels,
            "studied": studies.STUDIED,
            "measured": list(studies.measurable(cfg.dataset)),
            "steered": [key for key in steering.STEERED if key in studies.measurable(cfg.dataset)],
            "directions": [{"share": round(share, 6)} for share in self.principal[1].tolist()],
            "stamp": self.stamp,
            "step": w.step,
            "page_refusal": self.page_refusal,
        }

    # Pictures -----------------------------------------------------------------------------------------------------

    def pixels(
        self, spec: LatentSpec, label: int | None = None, near: Near | None = None, check: Check = unchecked
    ) -> Pixels:
        """The picture of a latent, then its neighbours."""
        return self._pixels(*self.latents(spec, label, near), check)

    def strips(self, spec: LatentSpec, label: int | None, keys: Sequence[str], check: Check = unchecked) -> Pixels:
        """For each direction of the latent (a push's key, or a number) its pictures from -3 to 3."""
        known = {push.key for push in spec.directions} | {str(k) for k in range(DIRECTIONS)}
        if not set(keys) <= known or len(set(keys)) < len(keys):
            raise RenderError(say("serving.along_names"))
        strips = []
        for key in keys:
            strips.append(self._draw_at_once([self.latents(specs.along(spec, key, by), label) for by in STRIP]))
            check()
        return Pixels(np.concatenate(strips), self.stamp, self.weights.step)

    def path(self, way: KeyframePath, check: Check = unchecked) -> Pixels:
        """The pictures of a path."""
        return self._pixels(*self.path_latents(way), check)

    def sums(self, sums: Sums, check: Check = unchecked) -> Pixels:
        """Pictures of weighted sums: for each sum one, or one as each class."""
        return self._pixels(*self._sums(sums), check)

    def _pixels(self, z: Tensor, condition: Tensor | None, check: Check) -> Pixels:
        return Pixels(self.draw(z, condition, check), self.stamp, self.weights.step)

    @torch.inference_mode()
    def draw(self, z: Tensor, c: Tensor | None, check: Check = unchecked) -> np.ndarray:
        """z [N, z_dim], c [1], [N, classes] or None -> uint8 [N, C, H, W]; `check` is called between two pictures.

        One picture at a time: batched arithmetic differs in the last bit with the size of the batch, and a picture must
        not depend on its neighbours.
        """
        pictures = []
        for i in range(len(z)):
            if i:
                check()
            label = None if c is None else c[i : i + 1] if len(c) > 1 else c
            pictures.append(to_uint8(self.network(z[i : i + 1], label)))
        return torch.cat(pictures).numpy()

    @torch.inference_mode()
    def _draw_at_once(self, latents: Sequence[Latents]) -> np.ndarray:
        """Small pictures where the last bit does not matter, uint8 [N, C, H, W]: a third of the time of `draw`."""
        z, condition = zip(*latents, strict=True)
        return to_uint8(self.network(torch.cat(z), None if condition[0] is None else torch.cat(condition))).numpy()

    # Latents ------------------------------------------------------------------------------------------------------

    def latents(self, spec: LatentSpec, label: int | None = None, near: Near | None = None) -> Latents:
        """Those of a spec and its neighbours. Raises RenderError where they were written for other weights."""
        found, near = self._directions_of(spec), near or Near()
        z = specs.bases_around(spec, near.count, near.spread, self.config.z_dim, near.first)
        z = specs.cluster_latents(z, spec, found, self.network.votes)
        condition = self.network.condition(z, self._label(label, spec.mix))
        return specs.final_latents(z, spec, found), condition

    def latent(self, spec: LatentSpec) -> list[float]:
        """Its numbers."""
        found = self._directions_of(spec)
        return specs.latent_at(spec, self.config.z_dim, found, self.network.votes)[0].tolist()

    def path_latents(self, way: KeyframePath) -> Latents:
        """Those of a path, and the mixtures of classes or groups that go with them."""
        return interpolation.path(*self._keyframes(way.keyframes), way.mode, way.frames, way.loop)

    def sum_latents(self, sums: Sums) -> Latents:
        """Those of weighted sums, and the mixtures of classes [N, classes] where there are any."""
        z, condition = self._sums(sums)
        return z, condition if self.config.classes else None

    def _sums(self, sums: Sums) -> Latents:
        """Without classes each sum votes for its group itself."""
        labels = [c for label in sums.labels if (c := self._label(label)) is not None]
        shares = torch.tensor(sums.shares, dtype=torch.float64)
        latents, mixtures = self._keyframes(sums.keyframes)
        z = interpolation.blend(latents, shares)
        if not self.config.classes or mixtures is None:
            return z, self.network.condition(z)
        if not labels:
            return z, interpolation.blend_mixtures(mixtures, shares)
        condition = as_mixture(torch.cat(labels).repeat(len(z)), self.config.classes)
        return z.repeat_interleave(len(labels), 0), condition

    def _keyframes(self, keyframes: Sequence[Keyframe]) -> Latents:
        """Their latents [K, z_dim], and their mixtures of classes or groups [K, classes]."""
        latents, conditions = zip(*(self.latents(keyframe.spec, keyframe.label) for keyframe in keyframes), strict=True)
        if conditions[0] is None:
            return torch.cat(latents), None
        classes = self.config.classes or self.network.votes
        return torch.cat(latents), torch.cat([as_mixture(c, classes) for c in conditions])

    def _directions_of(self, spec: LatentSpec) -> Tensor:
        """The principal directions a spec needs: none, most of the time, and then nothing is decomposed."""
        self._check_fits(spec)
        numbers = [*spec.principal, *(int(key) for key in spec.locked if key.isdecimal())]
        found = self.principal[0] if numbers else torch.empty(0, self.config.z_dim)
        if numbers and max(numbers) >= len(found):
            raise RenderError(say("serving.no_direction", direction=max(numbers), number=len(found)))
        return found

    def _check_fits(self, spec: LatentSpec) -> None:
        """Refuse what was written for other weights."""
        z_dim = self.config.z_dim
        if spec.fixed and max(spec.fixed) >= z_dim:
            raise RenderError(say("serving.no_dimension", dimension=max(spec.fixed), z_dim=z_dim))
        if spec.base and len(spec.base) != 2 * z_dim:
            raise RenderError(say("serving.latent_length", number=len(spec.base) // 2, z_dim=z_dim))
        for push in spec.directions:
            if len(push.vector) != 2 * z_dim:
                number = len(push.vector) // 2
                raise RenderError(say("latent.wrong_length", name=repr(push.key), number=number, z_dim=z_dim))

    def _label(self, label: int | None, mix: tuple[int, float] | None = None) -> Tensor | None:
        """The class as the network wants it, [1], or mixed, [1, classes]; the first class when none is asked for."""
        classes = self.config.classes
        if not classes:
            if label is not None or mix is not None:
                raise RenderError(say("serving.no_classes"))
            return None
        for number in (label, mix and mix[0]):
            if number is not None and not 0 <= number < classes:
                raise RenderError(say("serving.no_class", number=number, last=classes - 1))
        ours = torch.tensor([label or 0])
        if mix is None:
            return ours
        other = as_mixture(torch.tensor([mix[0]]), classes)
        return torch.lerp(as_mixture(ours, classes), other, mix[1])


def _attributes(dataset: str) -> list[dict[str, object]]:
    """What of its pictures has names, attribute by attribute; nothing of own pictures."""
    known = DATA[dataset].attributes if dataset in DATA else {}
    return [{"title": attribute.title, "values": list(attribute.values)} for attribute in known.values()]


def _tells_attributes(config: Config) -> bool:
    """Whether what the generator is told are the attributes that its data set has here."""
    known = DATA.get(config.dataset)
    return config.attributes != "" and known is not None and config.codes == known.attribute_values


def _open_mouth(dataset: str) -> str | None:
    """The direction (see gan.latent.directions) that opens a mouth, where its pictures have one."""
    places = WORLDS[dataset].open_mouth if dataset in WORLDS else None
    return "attribute-{}-{}".format(*places) if places else None


@dataclass(frozen=True)
class StudiedGenerator:
    """Weights of which many pictures were looked at (gan.latent.directions), and what can be asked of that study.

    Args:
        stamp: of the weights that were studied.
        seen: the study.
        newest: gives the weights that draw now; those of a run may have learned on since.
    """

    stamp: str
    seen: StudyResult
    newest: Callable[[], LoadedGenerator]

    def directions(self, check: Check = unchecked) -> list[Direction]:
        """What it found."""
        return self.seen.directions(check)

    def pictures(self, rows: Sequence[int]) -> Pixels:
        """Some of its pictures, for marking."""
        return Pixels(self.seen.pictures(rows).numpy(), self.stamp, 0)

    def teach(self, more: Sequence[int], less: Sequence[int]) -> Tensor:
        """The direction [z_dim] from the pictures marked "less" to those marked "more", by their rows in the study."""
        return self.seen.teach(more, less)

    def steered(self, spec: LatentSpec, label: int | None, check: Check = unchecked) -> list[Direction]:
        """The directions that are fitted to this picture (gan.latent.steering), before any push that keeps it.

        They begin at those of the study.
        """
        generator = self.newest()
        kept = tuple(push if push.may_change_cluster else replace(push, amount=0.0) for push in spec.directions)
        z, condition = generator.latents(replace(spec, directions=kept), label)
        found = steering.steer(generator.network, z, condition, self.seen.measured, check)
        return [Direction(key, "measured", vector) for key, vector in found.items()]

    def search(self, target: Tensor, report: Callable[[Found], None], check: Check = unchecked) -> None:
        """Look for the latent of a picture uint8 [C, H, W]; `report` gets the best so far, again and again."""
        opinion = opinion_of(self.seen.generator, self.seen.dataset, target)
        for found in search(self.seen.generator, self.seen.study, target, opinion):
            report(found)
            check()
