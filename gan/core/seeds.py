"""Fixed integer hashes: every random stream of the program starts from a number made here."""

from __future__ import annotations

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
MAX_SEED = 2**31 - 1  # that a person may choose


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
