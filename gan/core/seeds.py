"""Fixed integer hashes: every random stream of the program starts from a number made here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from gan.core.errors import UserError
from gan.core.messages import say

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
MAX_SEED = 2**31 - 1  # that a person may choose
FORMATS = (1, 2)  # of runs and their checkpoints: how their seeds are made, see Seeds
NEWEST = FORMATS[-1]


class Stream(IntEnum):
    """What is drawn. It is the first part of every seed of format 2, so that no two kinds of draws are the same.

    What shipped files and published figures depend on (metrics, classifiers) stays in format 1, where the stream comes
    second.

    Links, sheets and shipped files depend on these values: none ever changes or is used again.
    """

    # Of a run, through Seeds.
    FIRST_WEIGHTS = 1
    STEP = 2
    CLUSTERS = 4
    EPOCH = 5  # the order of its pictures
    REAL_SHOWN = 6  # which real pictures are shown
    # Latents that a link can name.
    TILE = 3
    LATENT = 11
    NEIGHBOUR = 12
    STUDY = 13
    # Metrics.
    EVALUATED = 21  # latents of the pictures that are measured
    KID_SUBSETS = 22
    LIVE_REFERENCE = 31
    HEAT_MAP = 33  # noise that a discriminator's heat map is averaged over
    CLASSIFIER_WEIGHTS = 41
    CLASSIFIER_EPOCH = 42
    # Benches; `bench evidence` has 51, 52, 71 and 72.
    FOUND_DIGITS = 32
    JUDGED_DIRECTIONS = 34
    YARDSTICK_EXAMPLES = 61


def _mix(x: int) -> int:
    """Finaliser of splitmix64 (Steele, Lea, Flood 2014), a bijection of the 64-bit integers."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def seed_of(*parts: int) -> int:
    """A 63-bit seed that depends on every part and on their order; parts count modulo 2**64.

    Python's own hash() is no substitute: it is the identity on small integers, so neighbouring seeds
    would start neighbouring, correlated streams.
    """
    state = len(parts)
    for part in parts:
        state = _mix((state + _GOLDEN) & _MASK) ^ _mix((int(part) + _GOLDEN) & _MASK)
        state = _mix((state * 3 + 1) & _MASK)
    return state >> 1


class FormatError(UserError):
    """A file of a format that this version does not know; the message is one sentence."""


def read_format(said: object, what: str) -> int:
    """The format that a run or a checkpoint (`what`) says it has. Raises FormatError where it is none of FORMATS."""
    if type(said) is int and said in FORMATS:
        return said
    known = " and ".join(map(str, FORMATS))
    raise FormatError(say("core.unknown_format", what=what, format=repr(said)[:20], known=known))


@dataclass(frozen=True)
class Seeds:
    """The seeds of one run's draws.

    Format 1 hashed the run's seed first, and the order of an epoch had no stream, so that epoch 11 began with the real
    pictures shown and epoch 1 shared its seed with the first weights. Runs of format 1 and their forks go on with it.
    """

    seed: int
    format: int = NEWEST

    def of(self, stream: Stream, *parts: int) -> int:
        """A 63-bit seed for this stream; parts: which of its draws."""
        if self.format == 1:
            return seed_of(self.seed, *_OF_FORMAT_1[stream], *parts)
        return seed_of(stream, self.seed, *parts)


# Shipped networks and published figures were made with the last three, which therefore stay as they are.
_OF_FORMAT_1: dict[Stream, tuple[int, ...]] = {
    Stream.FIRST_WEIGHTS: (1,),
    Stream.STEP: (2,),
    Stream.CLUSTERS: (4,),
    Stream.EPOCH: (),
    Stream.REAL_SHOWN: (11,),
    Stream.EVALUATED: (21,),
    Stream.CLASSIFIER_WEIGHTS: (11,),
    Stream.CLASSIFIER_EPOCH: (12,),
}
