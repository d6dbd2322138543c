"""More runs than learn at once: who is next, for how long, and that waiting changes nothing in what is learned."""

from __future__ import annotations

import random
import threading
from collections import Counter
from pathlib import Path

import pytest

from gan.runs import turns as turns_module
from gan.runs.commands import Command
from gan.runs.errors import NoRoom
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.runs.turns import FIRST_SECONDS, SLICE_SECONDS, UNWATCHED_SECONDS, Place, Turns
from gan.training.checkpoint import flatten, load_checkpoint, read_header
from tests.conftest import PATIENCE, until
from tests.training.test_trainer import assert_same

STEP = 0.5  # seconds, of the learners below


class Learner:
    """One that learns for `STEP` seconds whenever it may."""

    def __init__(self, visitor: str, name: str = "", left_alone: float = 0.0) -> None:
        self.visitor, self.name, self.left_alone, self.learned = visitor, name or visitor, left_alone, 0.0

    def unwatched_seconds(self) -> float:
        return self.left_alone

    def __repr__(self) -> str:
        return self.name


def waits(turns: Turns, learner: Learner) -> bool:
    place = turns.place(learner)
    return place is not None and place.before is not None


class Clock:
    def __init__(self, limit: int = 1) -> None:
        self.now = 0.0
        self.turns = Turns(limit, lambda: self.now)

    def go(self, learners: list[Learner], seconds: float) -> list[Learner]:
        """Let them all ask again and again; returns whose turns there were, in order."""
        seen: list[Learner] = []
        for _ in range(round(seconds / STEP)):
            for learner in [*learners, *learners]:  # twice: the first time, whose turn it is may not know of the others
                self.turns.ask(learner)
            learning = [learner for learner in learners if not waits(self.turns, learner)]
            assert len(learning) == min(self.turns.limit, len(learners))  # never more, and no time is lost
            for learner in learning:
                learner.learned += STEP
                if not seen or seen[-1] is not learner:
                    seen.append(learner)
            self.now += STEP
        return seen


# The order -------------------------------------------------------------------------------------------------------


def test_who_is_alone_learns_all_the_time():
    clock, one = Clock(), Learner("a")
    clock.go([one], 100)
    assert one.learned == 100 and clock.turns.place(one) is None


def test_who_is_called_comes_next_whatever_others_have_learned():
    clock, learners = Clock(), [Learner(name) for name in "abcd"]
    clock.go(learners, 4 * FIRST_SECONDS + STEP)  # each has had its first slice; one has its second
    (last,) = (each for each in learners if waits(clock.turns, each) and place_of(clock.turns, each) == 2)
    clock.turns.call_next(last)
    assert place_of(clock.turns, last) == 0
    assert clock.go(learners, SLICE_SECONDS)[1] is last
    clock.turns.call_next(last)  # it learns already: nothing stays behind
    assert set(clock.go(learners, 4 * SLICE_SECONDS)) == set(learners)


def place_of(turns: Turns, learner: Learner) -> int | None:
    place = turns.place(learner)
    return None if place is None else place.before


def test_first_slices_are_short_and_come_before_later_ones():
    clock, first = Clock(), Learner("first")
    clock.go([first], 60)
    others = [Learner(f"new {i}") for i in range(4)]
    seen = clock.go([first, *others], 4 * FIRST_SECONDS)
    assert seen == others and all(other.learned == FIRST_SECONDS for other in others)
    assert clock.go([first, *others], SLICE_SECONDS) == [first]  # who has now learned least since they came
    assert clock.go([first, *others], SLICE_SECONDS) == [others[0]]
    assert others[0].learned == FIRST_SECONDS + SLICE_SECONDS


def test_everybody_learns_as_much():
    clock, all_ = Clock(), [Learner(str(i)) for i in range(5)]
    clock.go(all_, 5 * FIRST_SECONDS + 5 * 4 * SLICE_SECONDS)
    assert {learner.learned for learner in all_} == {FIRST_SECONDS + 4 * SLICE_SECONDS}


def test_fair_is_by_visitor_not_by_run():
    clock, alone = Clock(), Learner("a")
    many = [Learner("b", f"b{i}") for i in range(5)]
    clock.go([alone, *many], 30 * SLICE_SECONDS)
    assert alone.learned == pytest.approx(sum(run.learned for run in many), abs=2 * SLICE_SECONDS)
    assert min(run.learned for run in many) > 0


def test_runs_that_nobody_looks_at_wait_for_all_others():
    clock = Clock()
    seen, left = [Learner("a"), Learner("b")], Learner("c", left_alone=UNWATCHED_SECONDS)
    clock.go([left], 30)
    before = left.learned
    clock.go([left, *seen], 100)
    assert left.learned - before <= STEP and sum(run.learned for run in seen) >= 100 - STEP
    for run in seen:
        clock.turns.leave(run)
    clock.go([left], 10)
    assert left.learned >= before + 10
    left.left_alone = 0.0  # somebody looks again
    clock.go([left, *seen], 200)
    assert left.learned > before + 10 + SLICE_SECONDS


def test_who_comes_back_has_no_claim_on_the_time_in_between():
    clock, stays, returns = Clock(), Learner("stays"), Learner("returns")
    clock.go([stays, returns], 50)
    clock.turns.leave(returns)
    clock.go([stays], 500)
    a, b = stays.learned, returns.learned
    clock.go([stays, returns], 200)
    assert abs((stays.learned - a) - (returns.learned - b)) <= SLICE_SECONDS


def test_time_alone_counts_as_soon_as_others_come_back():
    """Two known visitors return while a third learns since long: nobody is owed anything."""
    clock, a, b, x = Clock(), Learner("a"), Learner("b"), Learner("x")
    clock.go([a, b, x], 100)
    for one in (a, b):
        clock.turns.leave(one)
    clock.go([x], 1800)
    before = {one: one.learned for one in (a, b, x)}
    clock.go([a, b, x], 600)
    assert all(abs(one.learned - before[one] - 200) <= SLICE_SECONDS for one in (a, b, x))


def test_who_waits_for_nobodys_turn_to_end_is_not_spoken_of():
    clock, seen, left = Clock(), Learner("a"), Learner("b", left_alone=UNWATCHED_SECONDS)
    clock.go([seen, left], 60)
    assert clock.turns.place(seen) is None  # its turn does not end for one that nobody looks at
    assert waits(clock.turns, left)


def test_two_learn_at_once_where_two_may():
    clock, all_ = Clock(limit=2), [Learner(str(i)) for i in range(4)]
    clock.go(all_, 2 * FIRST_SECONDS + 4 * SLICE_SECONDS)
    assert {learner.learned for learner in all_} == {FIRST_SECONDS + 2 * SLICE_SECONDS}


@pytest.mark.parametrize("visitors", ["abcdef", "aaaaab", "aabbbc"])
@pytest.mark.parametrize("since", [2.5, 32.5, 77.5, 142.0])
def test_the_place_that_is_told_comes_true(visitors, since):
    clock, all_ = Clock(), [Learner(visitor, f"{visitor}{i}") for i, visitor in enumerate(visitors)]
    clock.go(all_, since)
    told = {learner: clock.turns.place(learner) for learner in all_}
    waiting = [learner for learner, place in told.items() if place.before is not None]
    assert len(waiting) == len(all_) - 1
    started, begun = clock.now, dict.fromkeys(waiting)
    while None in begun.values():
        for learner in waiting:
            if begun[learner] is None and not waits(clock.turns, learner):
                begun[learner] = clock.now - started
        clock.go(all_, STEP)
    for learner, waited in begun.items():
        assert told[learner].seconds == pytest.approx(waited, abs=STEP * (2 + told[learner].before))


def test_chance_orders_never_lose_a_run_or_let_too_many_learn():
    for seed in range(30):
        dice = random.Random(seed)
        clock = Clock(limit=dice.randint(1, 3))
        here: list[Learner] = []
        for _ in range(300):
            if dice.random() < 0.1 and len(here) < 8:
                here.append(Learner(dice.choice("abcd"), left_alone=dice.choice([0.0, 0.0, UNWATCHED_SECONDS])))
            if here and dice.random() < 0.05:
                clock.turns.leave(here.pop(dice.randrange(len(here))))
            learning = [run for run in dice.sample(here, len(here)) if clock.turns.ask(run)]
            assert len(learning) <= clock.turns.limit
            now = [run for run in here if not waits(clock.turns, run)]
            assert len(now) == min(len(here), clock.turns.limit), "some learn, and each of the others has a place"
            clock.now += dice.choice([0.1, 1.0, 7.0])
        for run in here:
            clock.turns.leave(run)
        assert not clock.turns._turns and not clock.turns._waiting and not clock.turns._had_one


def test_the_time_of_strangers_is_forgotten(monkeypatch):
    monkeypatch.setattr(turns_module, "MOST_VISITORS", 10)
    clock = Clock()
    for i in range(50):
        one = Learner(str(i))
        clock.go([one], 1)
        clock.turns.leave(one)
    assert len(clock.turns._learned) == 10


# In training -----------------------------------------------------------------------------------------------------


@pytest.fixture
def shared(tmp_path, monkeypatch) -> Runs:
    """Two runs at most, of which one learns, in slices of a few steps."""
    monkeypatch.setattr(turns_module, "FIRST_SECONDS", 0.05)
    monkeypatch.setattr(turns_module, "SLICE_SECONDS", 0.1)
    runs = Runs(tmp_path / "runs", limit=1, waiting=1)
    yield runs
    runs.close()


def begun(runs: Runs, seed: int, steps: int = 10**6) -> Run:
    changes = {"batch": 8, "width": 8, "clusters": 0, "total_steps": steps, "seed": seed}
    run, _ = runs.create("quick", changes=changes)
    run.threads = (1,)
    run.send(Command("resume"))
    return run


def states(run: Run) -> dict:
    from gan.data.catalog import load
    from gan.training.trainer import Trainer

    trainer = Trainer(run.config, load(run.config.dataset))
    load_checkpoint(run.checkpoint_path, trainer)
    return flatten(trainer.state_dict())


@pytest.mark.slow
@pytest.mark.thorough
def test_each_run_learns_bit_for_bit_what_it_would_alone(shared, tmp_path):
    many = [begun(shared, seed, steps=120) for seed in (1, 2, 3)]
    for run in many:
        run.join(PATIENCE)
        assert run.status == "finished"
    alone = Runs(tmp_path / "alone")
    for run, seed in zip(many, (1, 2, 3), strict=True):
        single = begun(alone, seed, steps=120)
        single.join(PATIENCE)
        assert_same(states(run), states(single))
        assert [r._replace(seconds=0) for r in run.history.rows] == [r._replace(seconds=0) for r in single.history.rows]
    alone.close()


@pytest.mark.slow
def test_at_every_moment_one_learns_and_the_others_say_when(shared):
    one, two = begun(shared, 1), begun(shared, 2)
    seen: Counter[str] = Counter()
    told = threading.Event()

    def look() -> bool:
        for run in (one, two):
            if run.latest and (place := run.latest.numbers["place"]):
                seen[run.id] += place["before"] is not None
                assert place["before"] in (None, 0) and place["seconds"] >= 0
        if all(seen[run.id] for run in (one, two)):
            told.set()
        return told.is_set()

    until(look)
    until(lambda: min(run.trainer.steps_done for run in (one, two)) > 20)


@pytest.mark.slow
def test_a_run_that_waits_can_be_paused_stopped_and_forked(shared, monkeypatch):
    one = begun(shared, 1)
    until(lambda: one.latest and one.latest.step > 2)
    monkeypatch.setattr(turns_module, "FIRST_SECONDS", 3600)
    monkeypatch.setattr(turns_module, "SLICE_SECONDS", 3600)
    one.turns._turns[0].length = 3600
    two, three = begun(shared, 2), begun(shared, 3)
    until(lambda: two.place is not None and three.place is not None)
    assert {two.place.before, three.place.before} == {0, 1} and two.latest.step == 0
    for run in (two, three):
        run.send(Command("pause"))
        until(lambda run=run: run.latest.numbers["status"] == "paused")
        assert run.latest.numbers["place"] is None and read_header(run.checkpoint_path)["steps_done"] == 0
    two.send(Command("resume"))
    until(lambda: two.place == Place(0, pytest.approx(3600, abs=600)))
    two.send(Command("stop"))
    two.join(PATIENCE)
    assert two.status == "stopped" and two.place is None and not one.turns._waiting
    three.send(Command("resume"))
    one.send(Command("pause"))  # whose turn ends with it
    until(lambda: three.latest.step > 0)


@pytest.mark.slow
def test_more_than_may_wait_are_refused_in_words(shared):
    one, two = begun(shared, 1), begun(shared, 2)
    for run in (one, two):
        run.watch()
    three, _ = shared.create("quick", changes={"batch": 8, "width": 8, "clusters": 0})
    with pytest.raises(NoRoom, match="2 trainings are running here"):
        shared.start(three)


@pytest.mark.slow
def test_a_fork_of_a_run_that_learns_has_the_machine_for_itself(shared):
    one = begun(shared, 1)
    until(lambda: one.latest and one.latest.step > 2)
    shared.admission.make_room_for_fork(one)
    assert one.latest.numbers["status"] == "paused"  # as where there are no turns
    two = begun(shared, 2)
    until(lambda: two.latest and two.latest.step > 2)
    shared.admission.make_room_for_fork(one)  # of a run that is paused already, while another learns: it shares
    assert two.latest.numbers["status"] == "running"


def test_a_visitor_is_known_by_the_tokens_of_earlier_runs(tmp_path: Path):
    runs = Runs(tmp_path)
    one, token = runs.create("dense")
    two, _ = runs.create("dense", tokens=[token])
    other, _ = runs.create("dense", tokens=[runs.master, "nonsense"])
    fork_like, _ = runs.create("dense", tokens=["", token])
    assert one.visitor == two.visitor == fork_like.visitor != other.visitor
    again = Runs(tmp_path)
    assert [again.get(run.id).visitor for run in (one, two, other)] == [run.visitor for run in (one, two, other)]
    runs.close()


def test_after_a_restart_what_trained_or_waited_goes_on_and_nothing_else(tmp_path: Path):
    """As after a kill: nothing of the first program is told to the second."""
    first = Runs(tmp_path, waiting=3)
    learns, waits, paused, done = (begun(first, seed) for seed in (1, 2, 3, 4))
    for run in (learns, waits, paused, done):
        until(lambda run=run: run.latest and run.checkpoint_path.exists())
    paused.send(Command("pause"))
    done.send(Command("stop"))
    until(lambda: paused.meta.status == "paused" and done.status == "stopped")
    first.close()
    assert learns.meta.status == waits.meta.status == "running"
    steps = {run.id: run.checkpoint_step() for run in (learns, waits)}
    second = Runs(tmp_path, waiting=3)
    assert second.get(learns.id).status == "interrupted"  # unless it is asked to go on
    assert second.go_on(within=-1) == []
    gone_on = second.go_on()
    assert {run.id for run in gone_on} == {learns.id, waits.id}
    for run in gone_on:
        until(lambda run=run: run.latest and run.latest.step > (steps[run.id] or 0))
    assert second.go_on() == []  # they do already
    second.close()
    third = Runs(tmp_path, waiting=0)
    assert len(third.go_on()) == 1  # there is room for one
    third.close()
