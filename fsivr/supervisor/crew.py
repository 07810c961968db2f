"""Crew: one worker for each socket, whose place is taken at once where it dies."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

import gevent
from gevent import socket

from fsivr.supervisor.worker import Worker

log = logging.getLogger(__name__)

# Seconds that a worker must have lived for its death to be no sign that the next one dies, too.
_GOOD = 10.0
# Seconds before a worker is started again: at first, and at most, where they die at once.
_FIRST, _MOST = 1.0, 60.0
# Seconds that a worker may take to be ready, where the patience with it is shorter.
_START = 60.0

#: Starts a worker: its slot, its socket, and what is called when it has ended.
Start = Callable[[int, socket.socket, Callable[[Worker], None]], Worker]


class Lost(NamedTuple):
    """Why a crew could not be had."""

    why: str


class Crew:
    """The workers of all sockets, those that let their last calls finish among them.

    :param sockets: one for each slot; they stay open, so that what waits in one outlives its worker.
    :param start: starts a worker.
    :param on_death: called with each worker that ended unasked.
    :param patience: seconds that a worker may do nothing.
    """

    def __init__(
        self, sockets: list[socket.socket], start: Start, on_death: Callable[[Worker], None], *, patience: float
    ) -> None:
        self.sockets = sockets
        self.patience = patience
        #: The worker of each slot.
        self.current: dict[int, Worker] = {}
        #: All that run.
        self.workers: set[Worker] = set()
        #: Whether no more are started.
        self.closed = False
        self._start = start
        self._on_death = on_death
        self._short = dict.fromkeys(range(1, len(sockets) + 1), 0)  # how often in a row one died soon

    @property
    def calls(self) -> int:
        """Calls of all workers."""
        return sum(worker.calls for worker in self.workers)

    def renew(self, retire: float) -> Lost | None:
        """Have a new worker in each slot, all of them or none; None where that is done.

        :param retire: seconds that those before may go on with their calls.
        """
        new: dict[int, Worker] = {}
        # The first alone: what keeps one from its start keeps all, and need not be told by each.
        for slots in (list(self._short)[:1], list(self._short)[1:]):
            lost = self._begun(slots, new)
            if lost is not None or self.closed:
                for worker in new.values():
                    worker.kill()
                return Lost("it is told to stop") if self.closed or lost is None else lost
        for slot, worker in new.items():
            before, self.current[slot] = self.current.get(slot), worker
            self._short[slot] = 0  # the deaths of other code say nothing of this one's
            worker.accept()
            if before is not None and before.code is None:
                before.retire(retire)
            if worker.code is not None:  # it died while it waited for the others
                self._replace(slot)
        return None

    def drain(self, patience: float) -> None:
        """Have all workers end when their calls have, or after so many seconds, and close the sockets."""
        self.closed = True
        # Before the workers do: whoever holds a socket keeps callers waiting in it.
        for sock in self.sockets:
            sock.close()
        for worker in list(self.workers):
            worker.drain(patience) if worker.ready else worker.kill()

    def look(self, stalled: float) -> None:
        """Replace workers that stand still; to be called every second or so.

        :param stalled: seconds for which this process could not see what they did.
        """
        now = time.monotonic()
        for worker in list(self.workers):
            worker.seen = min(now, worker.seen + stalled)
            patience = self.patience if worker.ready else max(_START, self.patience)
            if now - worker.seen > patience:
                log.error(
                    "worker %s has stood still for %.0f s with %d calls; another one takes its place",
                    worker.name,
                    now - worker.seen,
                    worker.calls,
                )
                worker.seen = now
                gevent.spawn(worker.kill_stuck)

    def _begun(self, slots: list[int], new: dict[int, Worker]) -> Lost | None:
        """Start a worker in each slot; None when all are ready."""
        try:
            for slot in slots:
                new[slot] = self._begin(slot)  # each at once, so that those begun are known where one cannot be
        except OSError as error:
            return Lost(f"no worker can be started: {error.strerror}")
        for worker in [new[slot] for slot in slots]:
            worker.decided.wait(max(_START, self.patience))
            if worker.code is not None:
                return Lost(f"worker {worker.name} ended with exit code {worker.code} before it was ready")
            if not worker.ready:
                return Lost(f"worker {worker.name} was not ready in time")
        return None

    def _begin(self, slot: int) -> Worker:
        worker = self._start(slot, self.sockets[slot - 1], self._on_end)
        self.workers.add(worker)
        return worker

    def _on_end(self, worker: Worker) -> None:
        self.workers.discard(worker)
        if not worker.ready and self.current.get(worker.slot) is not worker:
            return  # whoever waits for it tells of it
        asked = worker.draining and worker.code == 0
        if not asked:
            self._on_death(worker)
        if self.current.get(worker.slot) is worker and not self.closed:
            good = worker.ready and time.monotonic() - worker.began >= _GOOD
            self._short[worker.slot] = 0 if good else self._short[worker.slot] + 1
            self._replace(worker.slot)

    def _replace(self, slot: int) -> None:
        gevent.spawn(self._replaced, slot, self.current[slot])

    def _replaced(self, slot: int, dead: Worker) -> None:
        """Start the next worker of a slot, at once where it is the first time."""
        while not self.closed and self.current[slot] is dead:
            soon = self._short[slot]
            if soon > 1:
                pause = min(_FIRST * 2.0 ** (soon - 2), _MOST)
                log.error("a worker of slot %d died %d times at its start; the next one is in %g s", slot, soon, pause)
                gevent.sleep(pause)
                if self.closed or self.current[slot] is not dead:
                    return
            try:
                worker = self._begin(slot)
            except OSError as error:
                log.error("no worker can be started: %s", error.strerror)
                self._short[slot] += 1
                continue
            worker.decided.wait(max(_START, self.patience))
            if worker.ready and worker.code is None and not self.closed and self.current[slot] is dead:
                self.current[slot] = worker
                worker.accept()
                return
            self._short[slot] += 1
            worker.kill()
