"""Crew: workers that bring recordings to one target at the same time, each with a connection of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Protocol

from fsivr.exporter.carry import Fault, Job, Outcome, carry, opened
from fsivr.exporter.target import Progress, Target

#: What makes a worker's own object of the target.
Make = Callable[[], Target]


class Count:
    """Bytes, added up from any number of threads; the sum is ``value``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.value = 0

    def __call__(self, more: int) -> None:
        with self._lock:
            self.value += more


class Crew(Protocol):
    """What a run asks of its workers. They may be threads, greenlets or processes: jobs and outcomes are values."""

    def begin(self, job: Job) -> None:
        """Have a worker bring a recording; it waits for one that is free."""

    def outcomes(self, timeout: float) -> list[Outcome]:
        """What became of jobs since it was last asked; waits so many seconds for the first."""

    def close(self, timeout: float) -> bool:
        """Take no more jobs, and whether all workers ended within so many seconds."""


def taken(done: queue.SimpleQueue[Outcome], timeout: float) -> list[Outcome]:
    """All that is in a queue; waits so many seconds for the first."""
    found = []
    try:
        found.append(done.get(timeout=timeout))
        while True:
            found.append(done.get_nowait())
    except queue.Empty:
        return found


class ThreadCrew:
    """Workers that are threads; greenlets, where the program is gevent's.

    :param make: makes a worker's own target.
    :param count: how many there are.
    :param progress: told of the bytes that go out.
    """

    def __init__(self, make: Make, count: int, progress: Progress) -> None:
        self._make, self._progress = make, progress
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"fsivr-export-{number}", daemon=True) for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def begin(self, job: Job) -> None:
        """Have a worker bring a recording."""
        self._jobs.put(job)

    def outcomes(self, timeout: float) -> list[Outcome]:
        """What became of jobs since it was last asked."""
        return taken(self._done, timeout)

    def close(self, timeout: float) -> bool:
        """End the workers, each after the job that it is at."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(timeout)
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        target = self._make()
        try:
            while (job := self._jobs.get()) is not None:
                outcome = self._brought(target, job)
                if outcome.fault is Fault.AGAIN:
                    target.close()  # whatever state it is in: the next job begins with a new connection
                self._done.put(outcome)
        finally:
            target.close()

    def _brought(self, target: Target, job: Job) -> Outcome:
        try:
            wrong = opened(target)
            return Outcome(job, *wrong) if wrong else carry(target, job, self._progress)
        except Exception as error:  # a fault of ours or of a library's: told as such, and the night goes on
            return Outcome(job, Fault.FILE, f"unexpected {type(error).__name__}: {error}")
