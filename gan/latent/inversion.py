"""Finding a picture: the latent whose picture is nearest to a given one. Pure, deterministic.

Best of many, then gradient descent from the best few at once: the pictures of a study (see gan.latent.directions) are
the many, so that nothing else has to be drawn or kept. The error is that of the pixels alone. Features of the metric
network beside it were tried: they cost twice the time and found the same digits.

Where there are classes, the best of several go on to the end, because a class can be near at first and lose later; and
what the metric network sees in the target has a say in which of them is the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gan.core.adam import Adam
from gan.core.errors import UserError
from gan.core.images import LEVEL, to_uint8
from gan.core.messages import say
from gan.latent.directions import SampleSet, attribute_logits
from gan.latent.spec import packed
from gan.metrics.classifier import form_of, knows, load
from gan.models.layers import Generator

STARTS, KEPT = 12, 3  # latents in the first rounds, and in the rest
RIVALS = 3  # classes among them: the likeliest, and those with the nearest pictures
DOUBT = 1.0  # a class that nobody sees in the target counts as if its squared error were 1 + DOUBT times as large
FIRST_ROUNDS, ROUNDS = 15, 60
LEARNING_RATE = 0.1
PRIOR = 1e-4  # of |z|², beside the mean squared error of pixels in [-1, 1]
LEAD = 0.1  # by which the held group leads in the votes: 10 logits, see CODE_SHARPNESS
EVERY = 5  # rounds between two reports
FAR = 0.8  # explained less than this: far outside (`python -m gan bench find` shows digits, clothes and noise)


class InversionError(UserError):
    """Its message is one clear sentence for the person."""


@dataclass(frozen=True)
class Found:
    """The best so far: its latent as a link holds it, and how near it is."""

    latent: bytes  # float16 [z_dim]
    label: int | None  # the class it is to be drawn as, where there are classes
    looks: int | None  # the class that the metric network sees in the target, where it sees one
    image: Tensor  # uint8 [C, H, W]
    error: float  # root mean square over the pixels, of the way from black to white
    explained: float  # 1 for the same picture to the eye, 0 for one no nearer than the average picture
    share: float  # of the search that is done

    @property
    def far(self) -> bool:
        """Whether the generator draws nothing like the target."""
        return self.explained < FAR


def search(generator: Generator, seen: SampleSet, target: Tensor, opinion: Tensor | None = None) -> Iterator[Found]:
    """Look for target uint8 [C, H, W]; yields the best so far again and again, the last one at share 1.

    A group or class is chosen with each start and held, because a picture of another one is no small step away.
    Attributes are held as they are seen in the target. `opinion` says what that is (see `opinion_of`).
    """
    if target.shape != seen.images.shape[1:]:
        raise InversionError(
            say("latent.wrong_picture", shape=str(list(target.shape)), wanted=str(list(seen.images.shape[1:])))
        )
    x, many = _plain(target[None]), _plain(seen.images)  # [1, C, H, W], [N, C, H, W]
    told = generator.likeliest(opinion[None])[0] if opinion is not None and generator.unseen else None
    opinion = opinion if generator.classes else None
    doubt = 1 + DOUBT * (1 - opinion) if opinion is not None else torch.ones(max(1, generator.classes))
    looks = int(opinion.argmax()) if opinion is not None and opinion.amax() > 0.5 else None

    def cost(errors: Tensor, labels: Tensor) -> Tensor:
        return errors * doubt[labels] if generator.classes else errors

    best = _nearest(cost((many - x).square().flatten(1).mean(1), seen.labels), seen.labels, generator.classes, STARTS)
    z, labels = seen.z[best].clone(), seen.labels[best]
    held = _held(generator, z, told)
    spread = (x - many.mean(0)).square().mean().clamp(min=1e-9)  # what the average picture leaves unexplained
    for done, rounds in ((0, FIRST_ROUNDS), (FIRST_ROUNDS, ROUNDS - FIRST_ROUNDS)):
        for moved, errors, passed in _descend(generator, z, labels, held, x, done, rounds):
            i = int(cost(errors, labels).argmin())
            yield _found(generator, moved[i : i + 1], labels[i : i + 1], target, looks, float(spread), passed / ROUNDS)
        order = _nearest(cost(errors, labels), labels, generator.classes, KEPT)
        z, labels, held = moved[order], labels[order], None if held is None else held[order]


@torch.inference_mode()
def opinion_of(generator: Generator, dataset: str, target: Tensor) -> Tensor | None:
    """What the metric network of the data set sees in target uint8 [C, H, W]; None without one.

    How likely each class is, [classes], or, where the generator is told attributes, each of their values, [votes].
    """
    if not knows(dataset, target.shape):
        return None
    network, form = load(dataset), form_of(dataset)
    if generator.unseen and generator.codes == form.attributes:
        return torch.cat([logits.softmax(1)[0] for logits in attribute_logits(network, target[None])])
    return network.look(target[None])[1].softmax(1)[0] if generator.classes == form.classes else None


def _nearest(cost: Tensor, labels: Tensor, classes: int, count: int) -> Tensor:
    """Rows of the `count` lowest of cost [N]; where there are classes, the lowest of RIVALS classes in turn."""
    order = cost.argsort()
    if not classes:
        return order[:count]
    rivals = list(dict.fromkeys(labels[order].tolist()))[:RIVALS]  # in the order of their lowest
    ranked = [order[labels[order] == k] for k in rivals]
    turns = [rows[turn : turn + 1] for turn in range(count) for rows in ranked]
    return torch.cat(turns)[:count]


def _plain(images: Tensor) -> Tensor:
    """uint8 -> float in [-1, 1], as an ordinary tensor that gradients may pass."""
    return images.clone().float() / 127.5 - 1


def _descend(
    generator: Generator, z: Tensor, labels: Tensor, held: Tensor | None, x: Tensor, done: int, rounds: int
) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Adam (Kingma & Ba 2015) on all latents at once; every few rounds yields them, their errors [N], and the round."""
    z = z.clone().requires_grad_(True)
    optimizer = Adam([z], LEARNING_RATE, (0.9, 0.95), 1e-8)
    condition = labels if generator.classes else None
    for i in range(rounds):
        optimizer.lr = LEARNING_RATE * min(1.0, 2.04 - 2 * (done + i) / ROUNDS)
        led = hold_votes(generator, z, held)
        errors = (generator(led, condition) - x).square().flatten(1).mean(1)
        optimizer.step(torch.autograd.grad((errors + PRIOR * z.square().sum(1)).sum(), [z]))
        if (i + 1) % EVERY == 0:
            yield hold_votes(generator, z.detach(), held), errors.detach(), done + i + 1


def hold_votes(generator: Generator, z: Tensor, held: Tensor | None) -> Tensor:
    """Latents z [N, z_dim] that vote for these values, bool [N, votes]: where one does not lead, it is raised.

    Of each code one value is held; None: nothing votes.
    """
    if held is None:
        return z
    voting, rest = z[:, : generator.votes], z[:, generator.votes :]
    rivals = (voting.detach() + generator.odds).masked_fill(held, -torch.inf).split(generator.codes, 1)
    most = torch.cat([code.amax(1, keepdim=True).expand_as(code) for code in rivals], 1)
    raised = (most - generator.odds + LEAD - voting).clamp(min=0)
    return torch.cat([voting + torch.where(held, raised, 0), rest], 1)


@torch.no_grad()
def _held(generator: Generator, z: Tensor, told: Tensor | None) -> Tensor | None:
    """What latents z [N, z_dim] are to vote for, bool [N, votes]: what was told of the target, else what they do."""
    if not generator.votes:
        return None
    if told is not None:
        return told.expand(len(z), -1)
    return generator.likeliest(generator.vote(z))


@torch.inference_mode()
def _found(
    generator: Generator, z: Tensor, labels: Tensor, target: Tensor, looks: int | None, spread: float, share: float
) -> Found:
    """Draw the latent as a link will hold it."""
    data = packed(z[0])
    label = int(labels[0]) if generator.classes else None
    picture = generator(z.half().float(), None if label is None else labels)
    image = to_uint8(picture)[0]
    error = (_plain(image[None]) - _plain(target[None])).square().mean().item()
    explained = 1.0 if error <= LEVEL**2 else max(0.0, 1 - error / spread)
    return Found(data, label, looks, image, error**0.5 / 2, explained, share)


# What people draw ---------------------------------------------------------------------------------------------------


def centred(drawing: Tensor, size: int = 28, box: int = 20) -> Tensor:
    """A drawing, bright on dark, uint8 [H, W], as MNIST has its digits: uint8 [1, size, size].

    The ink is scaled into a box of 20 pixels, keeping its proportions, and its centre of mass put into the middle
    (LeCun et al. 1998, section III A). Raises InversionError when there is no ink.
    """
    ink = drawing.float() / 255
    rows, columns = (torch.nonzero(ink.amax(axis) > 0.2)[:, 0] for axis in (1, 0))
    if not len(rows):
        raise InversionError(say("latent.nothing_to_find"))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = box / max(ink.shape)
    sides = [max(1, round(side * scale)) for side in ink.shape]
    small = torch.nn.functional.interpolate(ink[None, None], sides, mode="bilinear", antialias=True)[0, 0]
    return _placed(small, size)


def ink_on_dark(picture: Tensor) -> Tensor:
    """A grey picture uint8 [H, W] of something dark on light or light on dark -> the same, bright on black."""
    border = torch.cat([picture[0], picture[-1], picture[:, 0], picture[:, -1]]).float().median()
    away = (picture.float() - border) * (1 if border < 128 else -1)
    return (away.clamp(min=0) * 255 / away.max().clamp(min=1)).round().byte()


def _placed(small: Tensor, size: int) -> Tensor:
    """A small picture [h, w] on a dark square, its centre of mass in the middle as far as it fits."""
    mass, page = small.sum().clamp(min=1e-6), torch.zeros(size, size)
    corner = []
    for axis, side in enumerate(small.shape):
        middle = (small.sum(1 - axis) @ (torch.arange(side) + 0.5)) / mass
        corner.append(min(max(0, round(size / 2 - float(middle))), size - side))
    top, left = corner
    page[top : top + small.shape[0], left : left + small.shape[1]] = small
    return (page * 255).round().clamp(0, 255).byte()[None]
