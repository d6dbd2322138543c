"""One thread that does jobs for everybody, and its short queue.

A job may name a slot, in which the newest wins: an older job of the slot is not begun any more, or, where it runs
already, ends at its next check. An urgent job is done in the middle of a long one, also at one of its checks.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import torch

from gan.core.errors import UserError
from gan.core.messages import say

MAX_WAITING = 200  # jobs in the queue before the next one is sent away

T = TypeVar("T")
Check = Callable[[], None]  # what a long job calls now and then; raises Cancelled where it is to end


def unchecked() -> None:
    """The check of whoever works without a worker."""


class Busy(UserError):
    """Too many requests are waiting."""

    status = 503


class Cancelled(UserError):
    """Nobody waits for the answer any more."""

    status = 409


class Superseded(Cancelled):
    """A newer request of the same slot took this one's place."""


class Job(Future[T]):
    """An answer to come. Any thread may cancel it."""

    def __init__(self, call: Callable[[Check], T], slot: str | None, urgent: bool) -> None:
        super().__init__()
        self.slot, self.urgent = slot, urgent
        self._call = call
        self._end: Cancelled | None = None  # why it is to end

    def cancel(self) -> bool:
        """It is not begun any more (then this is true), or ends at its next check. Nothing happens when it is done."""
        self._end = self._end or Cancelled(say("serving.nobody_waits"))
        return super().cancel()

    def supersede(self) -> None:
        """There is a newer one: this ends at its next check, and says so to whoever waits for it."""
        self._end = Superseded(say("serving.superseded"))

    def check(self) -> None:
        """Raises Cancelled where it is to end."""
        if self._end is not None:
            raise self._end

    def run(self, check: Check) -> None:
        if not self.set_running_or_notify_cancel():
            return
        try:
            self.check()
            self.set_result(self._call(check))
        except Exception as error:
            self.set_exception(error)


class Worker:
    """A thread called `name`. Its arithmetic always runs on one core."""

    def __init__(self, name: str) -> None:
        self._waiting: deque[Job] = deque()
        self._newest: dict[str, Job] = {}  # slot -> its newest job, which waits or runs
        self._changed = threading.Condition()
        self._closed = False
        started = threading.Event()
        # torch keeps the number of threads for each thread, and the number last set anywhere for threads to come.
        # Setting it again here leaves this thread's own as it was and gives later threads what they would have had.
        before = torch.get_num_threads()
        threading.Thread(target=self._work, args=(started,), name=name, daemon=True).start()
        started.wait()
        torch.set_num_threads(before)

    def submit(self, call: Callable[[Check], T], slot: str | None = None, urgent: bool = False) -> Job[T]:
        """Have `call` done, with its check, when it is its turn. Raises Busy where too many wait.

        urgent: before the others, and between two steps of the one that runs. An urgent job is short: none passes it.
        """
        job = Job(call, slot, urgent)
        with self._changed:
            if self._closed:
                raise Busy(say("serving.stopping"))
            older = self._newest.get(slot) if slot else None
            begun = older is not None and not self._replace(older, job)
            if older is None or begun:
                self._append(job)
            if slot:
                self._newest[slot] = job
            self._changed.notify()
        if older is not None:
            older.supersede()
            if not begun:
                older.run(older.check)  # so that whoever waits for it hears of it
        return job

    def _replace(self, older: Job, job: Job) -> bool:
        """Give a waiting job's place in the queue to another; false where it does not wait any more."""
        if older not in self._waiting:
            return False
        self._waiting[self._waiting.index(older)] = job
        return True

    def _append(self, job: Job) -> None:
        if len(self._waiting) >= MAX_WAITING:
            raise Busy(say("serving.busy"))
        self._waiting.append(job)

    def close(self) -> None:
        """Take no more jobs, and end the thread when those that wait are done."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    # In the thread ------------------------------------------------------------------------------------------------

    def _work(self, started: threading.Event) -> None:
        torch.set_num_threads(1)
        torch.get_num_threads()  # makes it this thread's own: before the first use, the number last set anywhere counts
        started.set()
        while (job := self._next()) is not None:
            self._do(job)

    def _next(self) -> Job | None:
        """The next job, as soon as there is one; None when the worker is closed and all is done."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            return self._take_urgent() or (self._waiting.popleft() if self._waiting else None)

    def _take_urgent(self) -> Job | None:
        with self._changed:
            job = next((job for job in self._waiting if job.urgent), None)
            if job is not None:
                self._waiting.remove(job)
            return job

    def _do(self, job: Job) -> None:
        job.run(job.check if job.urgent else lambda: self._pause(job))
        with self._changed:
            if job.slot and self._newest.get(job.slot) is job:
                del self._newest[job.slot]

    def _pause(self, job: Job) -> None:
        """In the middle of a long job: end it where nobody wants it any more, else do what is urgent."""
        job.check()
        while (urgent := self._take_urgent()) is not None:
            self._do(urgent)
