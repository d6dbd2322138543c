"""Which runs a server gives up, and what one visitor may have."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan.runs import loop as loop_module
from gan.runs import store as store_module
from gan.runs.commands import Command
from gan.runs.errors import MemoryFull, NoRoom, RunsError
from gan.runs.eviction import Limits, evicted, next_to_go
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.training.footprint import memory_of
from tests.conftest import until
from tests.runs.test_run import SMALL


@dataclass(eq=False)
class Made:
    """What is known of a run here."""

    created: float
    visitor: str = "a"
    alive: bool = False
    kept: bool = False
    size: int = 1
    meta: Any = field(init=False)

    def __post_init__(self) -> None:
        self.meta = SimpleNamespace(created=self.created, kept=self.kept)
        self.id = str(self.created)


def size_of(run: Any) -> int:
    return run.size


RUNS = st.lists(
    st.builds(Made, st.floats(0, 100), st.sampled_from("abc"), st.booleans(), st.booleans(), st.integers(0, 50)),
    max_size=25,
)
LIMITS = st.builds(Limits, st.integers(1, 30), st.integers(0, 500), st.integers(0, 10))


@given(RUNS, LIMITS)
def test_limits_hold_as_far_as_there_is_something_to_give_up(runs: list[Any], limits: Limits) -> None:
    gone = evicted(runs, limits, size_of)
    left = [run for run in runs if run not in gone]
    assert len(set(map(id, gone))) == len(gone)
    assert not any(run.alive or run.kept for run in gone)
    idle = [run for run in left if not run.alive and not run.kept]
    assert len(left) <= limits.runs or not idle
    if limits.disk:
        assert sum(run.size for run in left) <= limits.disk or not idle
    if limits.of_visitor:
        counts = Counter(run.visitor for run in left)
        own_idle = Counter(run.visitor for run in idle)
        assert all(count <= limits.of_visitor or not own_idle[visitor] for visitor, count in counts.items())


@given(RUNS)
def test_without_need_nothing_goes_and_the_oldest_go_first(runs: list[Any]) -> None:
    assert evicted(runs, Limits(runs=len(runs)), size_of) == []
    gone = evicted(runs, Limits(runs=max(1, len(runs) - 2)), size_of)
    left = [run for run in runs if run not in gone and not run.alive and not run.kept]
    assert all(run.created <= other.created for run in gone for other in left)


def test_who_goes_next_is_said_only_where_it_gets_tight() -> None:
    runs: Any = [Made(i) for i in range(20)]
    assert next_to_go(runs, Limits(runs=200, of_visitor=21)) == {"0", "1"}
    assert next_to_go(runs, Limits(runs=200)) == set()
    assert next_to_go(runs, Limits(runs=28)) == {"0", "1"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, random_pictures: Any) -> Any:
    monkeypatch.setattr(loop_module, "load", lambda *a, **k: random_pictures)
    runs = Runs(tmp_path, limits=Limits(runs=3, under_way=2, kept=1), waiting=5)
    yield runs
    runs.close()


ENDLESS = SMALL | {"total_steps": 10**6}


@pytest.mark.slow
def test_one_visitor_has_so_many_under_way_and_others_their_own(site: Runs) -> None:
    tokens: list[str] = []
    for _ in range(2):
        run, token = site.create("dense", changes=ENDLESS, tokens=tokens)
        tokens.append(token)
        site.start(run, tokens)
    third, token = site.create("dense", changes=ENDLESS, tokens=tokens)
    with pytest.raises(NoRoom, match="2 runs of yours"):
        site.start(third, [*tokens, token])
    assert site.admission.no_room(tokens) is not None and site.admission.no_room() is None
    run.send(Command("pause"))
    until(lambda: run.status == "paused")
    site.start(third, [*tokens, token])
    other, token = site.create("dense", changes=ENDLESS)
    site.start(other, [token])


@pytest.mark.slow
def test_runs_that_would_take_too_much_memory_are_refused_in_words(site: Runs) -> None:
    first, token = site.create("dense", changes=ENDLESS)
    second, more = site.create("dense", changes=ENDLESS, tokens=[token])
    large, other = site.create("dense", changes=ENDLESS | {"batch": 512})
    one = memory_of([first.config], 1)
    site.limits = Limits(memory_of_visitor=one + 1)
    site.start(first, [token])
    for kind in ("resume", "step"):
        with pytest.raises(RunsError, match="With this one, 2 runs of yours would take"):
            site.command(second, Command(kind), [token, more])
    with pytest.raises(RunsError, match="This run would take"):
        site.start(large, [other])
    with pytest.raises(RunsError, match="This run would take"):  # before anything is made
        site.create("dense", changes=ENDLESS | {"batch": 512})
    assert len(site.all()) == 3 and not second.alive and not large.alive
    site.command(second, Command("stop"), [token, more])
    site.start(large, [site.master])  # the owner of the program


@pytest.mark.slow
def test_where_the_memory_is_full_paused_runs_leave_it(site: Runs) -> None:
    first, token = site.create("dense", changes=ENDLESS)
    site.start(first, [token])
    site.limits = Limits(memory=memory_of([first.config], 1) + 1)
    with pytest.raises(MemoryFull, match="Try again"):
        site.create("dense", changes=ENDLESS)
    assert first.alive and len(site.all()) == 1
    first.send(Command("pause"))
    until(lambda: first.status == "paused")
    with pytest.raises(MemoryFull):
        site.create("dense", changes=ENDLESS)
    until(lambda: not first.alive)
    assert first.status == "paused"
    second, other = site.create("dense", changes=ENDLESS)
    site.start(second, [other])
    with pytest.raises(MemoryFull):
        site.start(first, [token])


@pytest.mark.slow
def test_what_was_under_way_goes_on_after_a_restart_whoever_may_have_started_it(site: Runs, tmp_path: Path) -> None:
    run, _ = site.create("dense", changes=ENDLESS)
    site.start(run, [site.master])
    until(lambda: run.latest is not None and run.latest.step > 0)
    site.close()
    again = Runs(tmp_path, limits=Limits(memory=1, memory_of_visitor=1))
    try:
        assert [found.id for found in again.go_on()] == [run.id]
    finally:
        again.close()


def test_one_visitor_keeps_so_many_runs(site: Runs) -> None:
    first, token = site.create("dense", changes=SMALL)
    second, _ = site.create("dense", changes=SMALL, tokens=[token])
    stranger, _ = site.create("dense", changes=SMALL)
    site.mark(first, True)
    site.mark(first, True)
    with pytest.raises(RunsError, match="unmark"):
        site.mark(second, True)
    site.mark(stranger, True)


def test_all_together_keep_half_of_the_room_and_the_owner_of_the_program_as_much_as_he_likes(site: Runs) -> None:
    site.limits = Limits(runs=4, kept=3)
    made = [site.create("dense", changes=SMALL)[0] for _ in range(4)]
    site.mark(made[0], True)
    site.mark(made[1], True)
    with pytest.raises(RunsError, match="half of the room"):
        site.mark(made[2], True)
    site.mark(made[2], True, [site.master])


def paused(site: Runs) -> Run:
    run, _ = site.create("dense", changes=ENDLESS)
    site.start(run)
    until(lambda: run.latest is not None and run.latest.step > 0)
    site.command(run, Command("pause"))
    until(lambda: run.status == "paused")
    return run


def goes_on(run: Run) -> None:
    step = run.latest.step if run.latest else 0
    until(lambda: run.alive and run.status == "running" and run.latest is not None and run.latest.step > step)


@pytest.mark.slow
def test_a_run_that_is_resumed_while_it_leaves_the_memory_goes_on(site: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MOST_PAUSED", 0)
    run = paused(site)
    site.command(run, Command("resume"))  # is not rested itself
    goes_on(run)
    run.send(Command("rest"))  # was resumed before it was read
    goes_on(run)
    site.command(run, Command("pause"))
    until(lambda: run.status == "paused")
    for command in ("rest", "resume"):
        run.send(Command(command))
    goes_on(run)


@pytest.mark.slow
def test_a_paused_run_that_has_left_the_memory_is_stopped_and_changed_as_any_other(site: Runs) -> None:
    run = paused(site)
    run.send(Command("rest"))
    until(lambda: not run.alive)
    assert run.status == "paused" and run.training is None
    site.command(run, Command("lr", d_lr=0.0123))
    until(lambda: run.latest is not None and run.latest.numbers["lr"]["d"] == 0.0123)
    run.send(Command("rest"))
    until(lambda: not run.alive)
    site.command(run, Command("stop"))
    until(lambda: run.status == "stopped")
    until(lambda: not run.alive)


def test_the_owner_of_a_run_hears_that_it_made_room_and_nobody_else_does(site: Runs) -> None:
    made = [site.create("dense", changes=SMALL) for _ in range(5)]
    site.evict_oldest()
    (gone, token), (kept, other) = made[0], made[4]
    assert not gone.folder.exists() and kept.folder.exists()
    assert [run_id for run_id, _ in site.given_up([token])] == [gone.id]
    assert site.given_up([other]) == [] and site.given_up([]) == []


@pytest.mark.slow
def test_paused_runs_leave_the_memory_and_go_on_from_the_disk(site: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MOST_PAUSED", 1)
    runs = []
    for _ in range(3):
        run, _ = site.create("dense", changes=ENDLESS)
        site.start(run)
        until(lambda run=run: run.latest is not None and run.latest.step > 0)
        run.send(Command("pause"))
        until(lambda run=run: run.status == "paused")
        runs.append(run)
    runs[0]._watched_at -= 100
    fourth, _ = site.create("dense", changes=ENDLESS)
    site.start(fourth)
    until(lambda: sum(run.alive for run in runs) == 1)
    assert not runs[0].alive and {run.status for run in runs} == {"paused"}
    step = runs[0].checkpoint_step()
    site.start(runs[0])
    until(lambda: runs[0].latest.step > step)
