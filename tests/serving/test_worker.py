"""The worker: newest wins, urgent jobs pass, jobs can be cancelled, and nobody else's thread setting changes."""

import threading
from concurrent.futures import CancelledError

import pytest
import torch

from gan.serving.worker import MAX_WAITING, Busy, Cancelled, Superseded, Worker
from tests.conftest import PATIENCE


@pytest.fixture
def worker():
    worker = Worker("test")
    yield worker
    worker.close()


class Held:
    """A job that runs until it is let go, and does its checks meanwhile or then."""

    def __init__(self, worker: Worker, slot: str | None = None) -> None:
        self.started, self.go = threading.Event(), threading.Event()
        self.job = worker.submit(self.run, slot)
        assert self.started.wait(PATIENCE)

    def run(self, check):
        self.started.set()
        assert self.go.wait(PATIENCE)
        check()
        return "done"

    def release(self):
        self.go.set()
        return self.job.result(PATIENCE)


def endless(check):
    while True:
        check()


def test_only_the_newest_waiting_job_of_a_slot_is_done(worker):
    held, done = Held(worker), []
    older = [worker.submit(lambda _, i=i: done.append(i), "page") for i in range(20)]
    other = worker.submit(lambda _: done.append("other"), "another page")
    newest = worker.submit(lambda _: done.append("newest"), "page")
    assert all(job.done() for job in older)  # whoever waits for them hears of it at once
    held.release()
    for job in (other, newest):
        job.result(PATIENCE)
    assert done == ["newest", "other"]  # in the place of the first of its slot
    for job in older:
        with pytest.raises(Superseded):
            job.result()


def test_a_running_job_ends_at_its_next_check_when_a_newer_one_takes_its_slot(worker):
    older = worker.submit(endless, "page")
    newer = worker.submit(lambda _: "newer", "page")
    assert newer.result(PATIENCE) == "newer"
    with pytest.raises(Superseded):
        older.result()


def test_a_running_job_that_does_not_check_is_finished(worker):
    begun, go = threading.Event(), threading.Event()
    older = worker.submit(lambda _: begun.set() or go.wait(PATIENCE), "page")
    assert begun.wait(PATIENCE)
    newer = worker.submit(lambda _: "newer", "page")
    go.set()
    assert older.result(PATIENCE) is True and newer.result(PATIENCE) == "newer"


def test_jobs_of_other_slots_and_without_a_slot_leave_each_other_alone(worker):
    held = Held(worker, "page")
    others = [worker.submit(lambda _, slot=slot: slot, slot) for slot in ("a", "b", None, None)]
    assert held.release() == "done"
    assert [job.result(PATIENCE) for job in others] == ["a", "b", None, None]


def test_a_slot_is_free_again_when_its_job_is_done(worker):
    assert worker.submit(lambda _: 1, "page").result(PATIENCE) == 1
    held = Held(worker, "page")
    assert held.release() == "done"


def test_a_cancelled_job_ends_at_its_next_check(worker):
    begun = threading.Event()
    job = worker.submit(lambda check: begun.set() or endless(check))
    assert begun.wait(PATIENCE)
    assert not job.cancel()
    with pytest.raises(Cancelled):
        job.result(PATIENCE)
    assert worker.submit(lambda _: "next").result(PATIENCE) == "next"


def test_a_cancelled_job_that_waits_is_not_begun(worker):
    held, done = Held(worker), []
    job = worker.submit(lambda _: done.append(1), "page")
    assert job.cancel()
    newer = worker.submit(lambda _: done.append(2), "page")
    held.release()
    newer.result(PATIENCE)
    assert done == [2]
    with pytest.raises(CancelledError):
        job.result()


def test_cancelling_what_is_done_changes_nothing(worker):
    job = worker.submit(lambda _: 1)
    assert job.result(PATIENCE) == 1
    assert not job.cancel() and job.result() == 1


def test_urgent_jobs_go_first_and_pass_in_the_middle_of_a_long_one(worker):
    order, held = [], Held(worker)
    for name, urgent in (("long", False), ("urgent", True), ("also urgent", True)):
        job = worker.submit(lambda _, name=name: order.append((name, held.job.done())), urgent=urgent)
        job.add_done_callback(lambda _: None)
    held.release()
    worker.submit(lambda _: None).result(PATIENCE)
    assert order == [("urgent", False), ("also urgent", False), ("long", True)]


def test_an_urgent_job_is_not_interrupted_by_others(worker):
    """However many come: one inside the other they would fill the stack."""
    held, depth, deepest = Held(worker), [0], []

    def urgent(check):
        depth[0] += 1
        check()
        deepest.append(depth[0])
        depth[0] -= 1

    jobs = [worker.submit(urgent, urgent=True) for _ in range(50)]
    held.release()
    for job in jobs:
        job.result(PATIENCE)
    assert deepest == [1] * 50


def test_an_urgent_job_can_be_cancelled(worker):
    begun = threading.Event()
    job = worker.submit(lambda check: begun.set() or endless(check), urgent=True)
    assert begun.wait(PATIENCE)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(PATIENCE)


def test_too_many_waiting_jobs_are_sent_away_but_a_newer_one_of_a_slot_has_its_place(worker):
    held = Held(worker)
    waiting = [worker.submit(lambda _: 1) for _ in range(MAX_WAITING - 1)]
    older = worker.submit(lambda _: 2, "page")
    with pytest.raises(Busy):
        worker.submit(lambda _: 3)
    newer = worker.submit(lambda _: 4, "page")
    held.release()
    assert all(job.result(PATIENCE) == 1 for job in waiting) and newer.result(PATIENCE) == 4
    with pytest.raises(Superseded):
        older.result()


def test_a_job_that_fails_says_so_and_the_worker_lives_on(worker):
    with pytest.raises(ZeroDivisionError):
        worker.submit(lambda _: 1 / 0).result(PATIENCE)
    assert worker.submit(lambda _: 1).result(PATIENCE) == 1


def test_a_closed_worker_does_what_waits_and_takes_no_more():
    worker = Worker("test")
    held = Held(worker)
    waiting = worker.submit(lambda _: 1)
    worker.close()
    with pytest.raises(Busy):
        worker.submit(lambda _: 2)
    held.release()
    assert waiting.result(PATIENCE) == 1


def test_the_thread_count_of_others_stays_as_it_was():
    seen = {}

    def look(name):
        thread = threading.Thread(target=lambda: seen.update({name: torch.get_num_threads()}))
        thread.start()
        thread.join()

    torch.set_num_threads(2)
    worker = Worker("test")
    try:
        worker.submit(lambda _: torch.ones(4) @ torch.ones(4)).result(PATIENCE)
        look("later thread")
        seen["this thread"] = torch.get_num_threads()
        seen["worker"] = worker.submit(lambda _: torch.get_num_threads()).result(PATIENCE)
    finally:
        worker.close()
        torch.set_num_threads(1)
    assert seen == {"later thread": 2, "this thread": 2, "worker": 1}
