"""The system as it is now, of all its nodes: what the status and the metrics tell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from gevent.lock import RLock

from fsivr.api.disk import Disk, disk_of
from fsivr.api.watch import SwitchState, SwitchWatch
from fsivr.config import Settings
from fsivr.store import Export, Store, Worker

_T = TypeVar("_T")

#: Recordings that an export will take.
WAITING = ("sealed", "degraded")
#: Recordings whose sound is on a disk.
ON_DISK = ("recording", "sealed", "degraded", "exported")


class Overview(NamedTuple):
    """What is told; times have a zone, sizes are in bytes."""

    workers: list[Worker]
    #: How many recordings each state has, and their bytes.
    recordings: dict[str, tuple[int, int]]
    waiting_since: datetime | None
    last_export: Export | None
    disk: Disk
    switch: SwitchState
    #: The workers, and those that ended a moment ago, for what they counted.
    counting: list[Worker]

    @property
    def draining(self) -> bool:
        """Whether there are workers, and each of them lets its last calls finish."""
        return bool(self.workers) and all(worker.draining for worker in self.workers)

    def recorded(self, states: tuple[str, ...]) -> tuple[int, int]:
        """How many recordings are in one of the states, and their bytes."""
        found = [self.recordings.get(state, (0, 0)) for state in states]
        return sum(count for count, _ in found), sum(size for _, size in found)


def capacity(workers: Iterable[Worker]) -> dict[tuple[str, str], int]:
    """How many calls each address may hold, by node and address: its workers share its ports.

    What those that let their last calls finish may hold does not count, where others take calls.
    """
    found: dict[tuple[str, str], int] = {}
    for worker in sorted(workers, key=lambda one: (not one.draining, one.capacity)):
        found[worker.node, worker.listen] = worker.capacity
    return found


class Observer:
    """Looks at the system, and tells again for a moment what it saw: many who ask are one who asks.

    :param clock: seconds since 1970.
    :param ticks: seconds of a clock that never goes back.
    """

    #: Seconds for which the same is told again.
    FRESH = 1.0
    #: The same for totals of recordings, which take the database some ten milliseconds where there are many.
    TOTALS_FRESH = 5.0

    def __init__(
        self,
        settings: Settings,
        store: Store,
        watch: SwitchWatch,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._node = settings.recordings_path, settings.node_name
        self._store = store
        self._watch = watch
        self._clock = clock
        self._ticks = ticks
        self._known: dict[str, tuple[float, Any, Exception | None]] = {}
        self._looking: dict[str, RLock] = {}

    def workers(self) -> list[Worker]:
        """The processes that take calls."""
        return self._fresh("workers", self.FRESH, lambda: self._store.workers(self._clock()))

    def look(self) -> Overview:
        """The system as it is now."""
        return self._fresh("overview", self.FRESH, self._overview)

    def _overview(self) -> Overview:
        exports = self._store.exports(limit=1).items
        return Overview(
            self.workers(),
            self._fresh("totals", self.TOTALS_FRESH, self._store.totals),
            self._store.waiting_since(),
            exports[0] if exports else None,
            self._fresh("disk", self.TOTALS_FRESH, self._disk),
            self._watch.look(),
            self._store.counting(self._clock()),
        )

    def _disk(self) -> Disk:
        return disk_of(self._folder, self._store, self._node, self._clock())

    def _fresh(self, name: str, seconds: float, look: Callable[[], _T]) -> _T:
        """What is known, or is found out now, by one of those who ask while the others wait for it.

        What it failed with is known as long: a database that is gone is not asked for each request.
        """
        with self._looking.setdefault(name, RLock()):
            found = self._known.get(name)
            if found is None or not 0 <= self._ticks() - found[0] < seconds:
                try:
                    found = self._ticks(), look(), None
                except Exception as error:  # noqa: BLE001  it is raised below, and again
                    found = self._ticks(), None, error
                self._known[name] = found
        if found[2] is not None:
            raise found[2].with_traceback(None)
        value: _T = found[1]
        return value
