"""Retries: which recording is tried again and when, and when a target counts as gone."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import random
import time
from collections.abc import Callable
from typing import TypeVar

from fsivr.exporter.carry import Job, Outcome
from fsivr.store import is_gone

_T = TypeVar("_T")


@dataclasses.dataclass(frozen=True)
class Patience:
    """How long things that may go right are tried again; times in seconds."""

    #: How often a recording is tried while others arrive.
    tries: int = 6
    #: How long a target may be gone.
    gone: float = 1800.0
    #: The first pause, which doubles each time up to the longest.
    first: float = 1.0
    longest: float = 60.0
    #: How long the database may be gone.
    database: float = 60.0

    def pause(self, number: int, chance: Callable[[], float] = random.random) -> float:
        """The pause before try ``number`` + 1, by chance from half of it to the whole, so that no two beat in time."""
        whole = min(self.first * 2.0 ** min(number - 1, 32), self.longest)
        return whole * (0.5 + 0.5 * chance())

    def asks(self, do: Callable[[], _T]) -> _T:
        """What the database answers; while it is gone it is asked again.

        :raises DatabaseFailed: it has been gone for too long, or refuses.
        """
        until = time.monotonic() + self.database
        for number in itertools.count(1):
            try:
                return do()
            except Exception as error:
                if not is_gone(error) or time.monotonic() >= until:
                    raise
                time.sleep(min(self.pause(number), 5.0))
        raise AssertionError("unreachable")


class Retries:
    """Jobs that wait to be tried again, and how often each was.

    :param clock: seconds that go on.
    """

    def __init__(self, patience: Patience, clock: Callable[[], float]) -> None:
        self._patience, self._clock = patience, clock
        self._waiting: list[tuple[float, int, Outcome]] = []
        self._numbers = itertools.count()
        self._tries: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def again(self, outcome: Outcome, *, counted: bool) -> bool:
        """Whether a job that failed is tried again.

        :param counted: whether that was one of its tries: not where the whole target is gone.
        """
        job = outcome.job
        number = self._tries.get(job.id, 0) + counted
        self._tries[job.id] = number
        if number >= self._patience.tries:
            return False
        due = self._clock() + self._patience.pause(max(1, number))
        heapq.heappush(self._waiting, (due, next(self._numbers), outcome))
        return True

    def tries(self, job: Job) -> int:
        """How often a job was tried, those that failed with the whole target not counted."""
        return self._tries.get(job.id, 0)

    def forget(self, job: Job) -> None:
        """It arrived."""
        self._tries.pop(job.id, None)

    def due(self, *, early: bool = False) -> Job | None:
        """The next job whose time has come; whatever its time, where ``early``."""
        if self._waiting and (early or self._waiting[0][0] <= self._clock()):
            return heapq.heappop(self._waiting)[2].job
        return None

    def left(self) -> list[Outcome]:
        """What became last of the jobs that still wait."""
        return [outcome for _, _, outcome in sorted(self._waiting, key=lambda each: each[:2])]


class Breaker:
    """Whether a target counts as gone: then one worker tries, and the others wait.

    It counts so once as many different recordings as there are workers failed in a row, none having arrived between.

    :param workers: how many there are.
    """

    def __init__(self, workers: int, patience: Patience, clock: Callable[[], float]) -> None:
        self._most = max(2, workers)
        self._patience, self._clock = patience, clock
        self._row: set[str] = set()
        self._since = 0.0
        self._probes = 0
        self._next = 0.0
        #: Whether the target counts as gone.
        self.open = False

    def arrived(self) -> None:
        """A recording arrived: the target is there."""
        self._row.clear()
        self.open = False

    def failed(self, job: Job) -> None:
        """A recording failed in a way that may pass."""
        now = self._clock()
        if self.open:
            self._probes += 1
            self._next = now + self._patience.pause(self._probes)
            return
        if not self._row:
            self._since = now
        self._row.add(job.id)
        if len(self._row) >= self._most:
            self.open, self._probes = True, 1
            self._next = now + self._patience.pause(1)

    def lets(self, in_flight: int) -> bool:
        """Whether one more job may begin."""
        return not self.open or (in_flight == 0 and self._clock() >= self._next)

    @property
    def given_up(self) -> bool:
        """Whether the target has been gone for too long."""
        return self.open and self._clock() - self._since >= self._patience.gone
