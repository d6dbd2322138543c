"""Seeds: 63 bits in which nothing of a part is lost, and which move with every bit of it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan.core.seeds import Seeds, Stream, seed_of

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


# Streams -------------------------------------------------------------------------------------------------------------

OF_A_RUN = [Stream.FIRST_WEIGHTS, Stream.STEP, Stream.CLUSTERS, Stream.EPOCH, Stream.REAL_SHOWN]
ALONE = [stream for stream in Stream if stream not in OF_A_RUN]


def seeds_of(stream: Stream, seed: int, format: int) -> set[int]:
    """All that a run of this seed draws from a stream, over a thousand epochs and steps."""
    of = Seeds(seed, format).of
    if stream is Stream.STEP:
        return {of(stream, 0, step) for step in range(1000)}
    return {of(stream, epoch) for epoch in range(1001)} if stream is Stream.EPOCH else {of(stream)}


@pytest.mark.slow
def test_no_two_streams_share_a_seed() -> None:
    drawn = [seeds_of(stream, seed, 2) for stream in OF_A_RUN for seed in range(51)]
    drawn += [{seed_of(stream, seed)} for stream in ALONE for seed in range(51)] + [
        {seed_of(stream)} for stream in ALONE
    ]
    assert len(set().union(*drawn)) == sum(map(len, drawn))


def test_streams_of_format_1_did_which_is_why_there_is_a_second() -> None:
    of = Seeds(5, 1).of
    assert of(Stream.EPOCH, 11) == of(Stream.REAL_SHOWN) and of(Stream.EPOCH, 1) == of(Stream.FIRST_WEIGHTS)


def test_numbers_of_streams_never_change() -> None:
    """Links, sheets, shipped networks, and states of runs depend on them."""
    latents = [
        seed_of(Stream.LATENT, 5),
        seed_of(Stream.TILE, 5),
        seed_of(Stream.STUDY, 5),
        seed_of(Stream.NEIGHBOUR, 5),
    ]
    assert latents == [seed_of(11, 5), seed_of(3, 5), seed_of(13, 5), seed_of(12, 5)]
    assert [seed_of(Stream.KID_SUBSETS), seed_of(Stream.LIVE_REFERENCE)] == [seed_of(22), seed_of(31)]
    of = Seeds(5, 1).of
    assert [of(Stream.EVALUATED), of(Stream.CLASSIFIER_WEIGHTS)] == [seed_of(5, 21), seed_of(5, 11)]
    assert of(Stream.CLASSIFIER_EPOCH, 7) == seed_of(5, 12, 7)
    draws = [(Stream.FIRST_WEIGHTS,), (Stream.STEP, 0, 9), (Stream.CLUSTERS,), (Stream.EPOCH, 9), (Stream.REAL_SHOWN,)]
    first, second = ([Seeds(5, format).of(*draw) for draw in draws] for format in (1, 2))
    assert first == [seed_of(5, 1), seed_of(5, 2, 0, 9), seed_of(5, 4), seed_of(5, 9), seed_of(5, 11)]
    assert second == [seed_of(1, 5), seed_of(2, 5, 0, 9), seed_of(4, 5), seed_of(5, 5, 9), seed_of(6, 5)]


def test_every_seed_begins_with_a_stream() -> None:
    """Where a seed is made outside of gan.core.seeds, its first part is one of Stream."""
    odd = []
    for path in sorted(GAN.rglob("*.py")):
        if path.name in ("seeds.py", *OLDER):
            continue
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        made = [call for call in calls if ast.unparse(call.func) == "seed_of"]
        odd += [f"{path.name}: {ast.unparse(call)}" for call in made if not _is_stream(call.args[0], path)]
    assert odd == WALK


def _is_stream(part: ast.expr, path: Path) -> bool:
    return ast.unparse(part).startswith("Stream.") or (path.name == "noise.py" and ast.unparse(part) == "stream")


# The corpus of `bench evidence` has streams of its own, 51, 52, 71 and 72; the query's seed_of reads a link.
OLDER = ("corpus.py", "corpus_sheet.py", "query.py")
# Parts of a neighbour's seed, as links have it.
WALK = ["spec.py: seed_of(spec.seed, done)", "spec.py: seed_of(spec.seed, len(spec.walk))"]
GAN = Path(__file__).parents[2] / "gan"
