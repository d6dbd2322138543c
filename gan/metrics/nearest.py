"""Is a picture new, or one that the generator learned by heart? Its nearest training pictures, and how near is near.

Pictures are rows of numbers here: their pixels, or the features of a network that knows them (classifier.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from gan.core.messages import say
from gan.data.pictures import DataError, spread_rows
from gan.metrics.classifier import MetricNetwork
from gan.metrics.formulas import BLOCK, COPY_PERCENTILE, nearest

SHOWN = 6  # nearest training pictures
JUDGED = 500  # real pictures that tell how near is usual
FEWEST_JUDGED = 50  # below the closest of so few, a fiftieth of all new pictures would lie too
ARITHMETIC = 24e9  # multiplications that this may cost; of large pictures fewer are asked

Progress = Callable[[int], None]  # pictures done


@dataclass(frozen=True)
class Near:
    """The nearest training pictures of a picture, and what they say about it.

    With pictures that were held back, `score` is the distance to the nearest training picture over that to the nearest
    picture held back, as in `metric_formulas.closeness`: 1 is new, 0 a copy. Without them it is the distance itself.
    """

    rows: list[int]  # nearest first
    distances: list[float]  # Euclidean
    unseen: float | None  # distance to the nearest picture that was held back
    score: float
    limit: float  # the score below which the closest 1 % of real pictures lie
    lower: float  # share of real pictures whose score is lower
    trained: int  # training pictures
    held: int  # pictures that were held back, and that `unseen` is about
    judged: int  # real pictures that `limit` and `lower` are about

    @property
    def copied(self) -> bool:
        """Nearer to a training picture than nearly all real pictures that were not trained on."""
        return self.score <= self.limit


class RealPictures:
    """The real pictures of a data set, among which to look.

    Args:
        train: what the generator learned from, [N, F], uint8 or float.
        held: pictures it never saw, [K, F]. None, or too few to judge half of them by the others: the yardstick is how
            near training pictures are to each other.

    Raises DataError where training pictures are the yardstick, and no two of them differ.
    """

    def __init__(self, train: Tensor, held: Tensor | None) -> None:
        count = max(2, min(JUDGED, int(ARITHMETIC / train.numel())))
        held = None if held is None else distinct(held)
        if held is None or len(held) < 2 * FEWEST_JUDGED:
            self.train, self.others = train, None
            self.scores = nearest_other(train, spread_rows(len(train), count))
        else:
            judged = torch.zeros(len(held), dtype=torch.bool)
            judged[spread_rows(len(held), min(count, len(held) // 2))] = True
            self.train, self.others = train, held[~judged]
            near, unseen = (nearest(held[judged], rows) for rows in (self.train, self.others))
            self.scores = near / unseen.clamp(min=1e-6)
        if self.scores.isinf().any():
            raise DataError(say("metrics.nothing_differs"))
        self.limit = torch.quantile(self.scores.double(), COPY_PERCENTILE).item()

    def near(self, x: Tensor) -> Near:
        """Look for the nearest of a picture x [F]."""
        rows, distances = nearest_rows(x, self.train, SHOWN)
        unseen = None if self.others is None else nearest_rows(x, self.others, 1)[1][0].item()
        score = distances[0].item() / (1 if unseen is None else max(unseen, 1e-6))
        lower = (self.scores < score).double().mean().item()
        counts = len(self.train), 0 if self.others is None else len(self.others), len(self.scores)
        return Near(rows.tolist(), distances.tolist(), unseen, score, self.limit, lower, *counts)


def nearest_rows(x: Tensor, rows: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` rows of `rows` [N, F] nearest to x [F]: their numbers and Euclidean distances, nearest first.

    By differences, not products: exactly 0 for the same picture.
    """
    blocks = rows.split(max(1, BLOCK // 4 // rows.shape[1]))
    squares = torch.cat([(block.float() - x.float()).square_().sum(1) for block in blocks])  # [N]
    found = squares.topk(min(count, len(rows)), largest=False)
    return found.indices, found.values.sqrt()


def nearest_other(rows: Tensor, chosen: Tensor) -> Tensor:
    """The distance of each of the rows [N, F] numbered `chosen` [n] to the nearest other row, [n].

    Pixels that differ by less than one of 256 levels are the same picture once more, and no other; infinite where there
    are no others.
    """
    asked, found, start = rows[chosen].float(), torch.full((len(chosen),), torch.inf), 0
    same = rows.shape[1] ** 0.5 if rows.dtype == torch.uint8 else 0.0
    for block in rows.split(max(1, BLOCK // max(len(chosen), rows.shape[1]))):
        itself = chosen[:, None] == torch.arange(start, start + len(block))
        distances = torch.cdist(asked, block.float())
        distances.masked_fill_(itself | (distances < same), torch.inf)
        found, start = torch.minimum(found, distances.amin(1)), start + len(block)
    return found


def distinct(rows: Tensor) -> Tensor:
    """The rows [N, F] in their order, each only once."""
    first: dict[bytes, int] = {}
    for i, row in enumerate(rows.numpy()):
        first.setdefault(row.tobytes(), i)
    return rows[list(first.values())]


@torch.inference_mode()
def features_of(network: MetricNetwork, images: Tensor, progress: Progress, batch: int = 250) -> Tensor:
    """Features float32 [N, F] of pictures uint8 [N, C, H, W]."""
    parts = []
    for part in images.split(batch):
        parts.append(network.look(part)[0])
        progress(min(len(parts) * batch, len(images)))
    return torch.cat(parts)
