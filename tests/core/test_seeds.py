"""Seeds: 63 bits in which nothing of a part is lost, and which move with every bit of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gan.core.seeds import seed_of

PARTS = st.lists(st.integers(-(2**63), 2**64 - 1), max_size=5)


@given(PARTS, st.integers(-3, 3))
def test_parts_count_modulo_two_to_the_64(parts: list[int], turns: int) -> None:
    assert seed_of(*parts) == seed_of(*(part + turns * 2**64 for part in parts))
    assert 0 <= seed_of(*parts) < 2**63


@given(PARTS, st.integers(0, 2**64 - 1), st.integers(0, 63), PARTS)
def test_no_bit_of_any_part_is_without_effect(before: list[int], part: int, bit: int, after: list[int]) -> None:
    assert seed_of(*before, part, *after) != seed_of(*before, part ^ (1 << bit), *after)


def test_a_bit_of_a_part_moves_half_of_the_seed() -> None:
    """The avalanche of splitmix64: each of 63 bits changes for every second change of the part."""
    flips = [seed_of(7, part) ^ seed_of(7, part ^ (1 << bit)) for part in range(64) for bit in range(64)]
    for place in range(63):
        share = sum(flip >> place & 1 for flip in flips) / len(flips)  # of 4,096: standard deviation 0.008
        assert abs(share - 0.5) < 0.04
