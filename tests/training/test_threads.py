"""The choice of the number of threads, on machines whose speed the test makes up."""

from __future__ import annotations

from collections.abc import Callable

from gan.training.threads import ThreadChooser, thread_counts

Machine = Callable[[int], float]  # threads -> seconds of a step


def quiet(threads: int) -> float:
    return 0.04 / threads**0.9


def one_core_busy(threads: int) -> float:
    return 0.04 if threads == 1 else 0.25


def train(chooser: ThreadChooser, machine: Machine, seconds: float) -> dict[int, float]:
    """Steps for so long; returns the time that was spent with each number of threads."""
    spent: dict[int, float] = {}
    while sum(spent.values()) < seconds:
        threads, took = chooser.threads, machine(chooser.threads)
        spent[threads] = spent.get(threads, 0.0) + took
        chooser.took(took)
    return spent


def test_all_cores_of_a_quiet_machine_are_taken():
    spent = train(ThreadChooser((1, 2)), quiet, 60)
    assert spent[2] > 0.97 * 60


def test_one_thread_beside_a_busy_core():
    spent = train(ThreadChooser((1, 2)), one_core_busy, 60)
    assert spent[1] > 0.95 * 60


def test_it_chooses_again_when_the_machine_changes():
    chooser = ThreadChooser((1, 2))
    train(chooser, quiet, 5)
    assert chooser.threads == 2
    spent = train(chooser, one_core_busy, 8)
    assert chooser.threads == 1 and spent[2] < 4  # noticed at once, not at the next look around
    train(chooser, quiet, 30)
    assert chooser.threads == 2


def test_a_short_errand_of_another_program_changes_nothing():
    """Whichever step it meets, a trial or not: half a second in which two threads take three times as long."""
    for start in range(20, 220):
        clock = 0.0

        def errand(threads: int, start: float = start / 20) -> float:
            nonlocal clock
            took = quiet(threads) * (3 if threads == 2 and start < clock < start + 0.5 else 1)
            clock += took
            return took

        assert train(ThreadChooser((1, 2)), errand, 30)[1] < 0.1 * 30


def test_steps_that_are_longer_in_turn_are_compared_in_blocks():
    """Every fourth step is three times as long; whoever happens to meet fewer of those must not win."""
    count = iter(range(10**9))

    def lazy(threads: int) -> float:
        return (0.03 if next(count) % 4 == 0 else 0.01) * (1.0 if threads == 1 else 1.02)

    assert train(ThreadChooser((1, 2)), lazy, 60)[1] > 0.9 * 60


def test_a_small_gain_is_left_to_the_page():
    assert train(ThreadChooser((1, 2)), lambda n: 0.04 if n == 1 else 0.039, 60)[1] > 0.9 * 60


def test_a_single_number_is_never_left():
    chooser = ThreadChooser((3,))
    assert train(chooser, quiet, 10).keys() == {3}


def test_runs_share_the_cores():
    alone = thread_counts()
    assert alone[0] == 1 and list(alone) == sorted(set(alone))
    assert thread_counts(10**6) == (1,)
    assert thread_counts(2)[-1] <= max(1, alone[-1] // 2)
