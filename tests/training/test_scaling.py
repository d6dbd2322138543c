"""The model of a step with several processes: closed forms, and agreement with what a step really sends."""

from __future__ import annotations

import pytest

from gan.bench import scaling
from gan.bench.scaling import LINKS, Link, efficiency, link_between, messages_of, ring_seconds, step_seconds
from gan.recipes.catalog import RECIPES
from gan.training import distributed
from gan.training.trainer import Trainer

SLOW = Link(turn_seconds=1e-3, bytes_per_second=1e6)


def test_one_process_sends_nothing_and_is_its_own_measure():
    assert ring_seconds(1, 10**9, SLOW) == 0
    assert efficiency(1, 0.1, [10**6], SLOW) == 1


def test_two_processes_take_two_turns_and_send_every_byte_once():
    assert ring_seconds(2, 10**6, SLOW) == pytest.approx(2e-3 + 1.0)


def test_bytes_of_a_large_ring_approach_twice_the_message():
    free_turns = Link(0.0, 1e6)
    assert ring_seconds(10**6, 10**6, free_turns) == pytest.approx(2.0, rel=1e-5)


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
def test_every_further_process_costs_efficiency_and_longer_steps_keep_it(link):
    shares = [efficiency(n, 0.05, [400_000, 100_000], link) for n in scaling.COUNTS]
    assert shares == sorted(shares, reverse=True) and shares[0] == 1
    assert efficiency(8, 5.0, [400_000], link) > efficiency(8, 0.05, [400_000], link)


def test_the_measured_link_predicts_the_messages_it_was_measured_with():
    measured = {"short": 4e-4, "largest": 2.4e-3, "messages": [40, 10**6]}
    here = link_between(measured)
    assert ring_seconds(2, 10**6, here) == pytest.approx(measured["largest"])
    assert step_seconds(2, 0.1, [10**6, 10**6], here) == pytest.approx(0.1 + 2 * measured["largest"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "changes"), [("quick", {"d_steps": 2}), ("conv-small", {}), ("dcgan-transposed", {})]
)
def test_the_model_counts_the_messages_of_a_real_step(recipe, changes, monkeypatch, random_pictures):
    sent = []

    def average(tensors):
        sent.append(sum(t.numel() * t.element_size() for t in tensors))
        return tensors

    monkeypatch.setattr(distributed, "average_grads", average)
    monkeypatch.setattr(distributed, "average", average)
    trainer = Trainer(RECIPES[recipe].config.changed(batch=4, **changes), random_pictures)
    trainer.step()
    assert sorted([*sent, scaling.WORD_BYTES]) == sorted(messages_of(trainer))
