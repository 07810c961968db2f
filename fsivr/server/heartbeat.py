"""Heartbeat: what a server tells of itself once a second, for those who ask from other processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any, NamedTuple

import gevent

from fsivr.store import Journal
from fsivr.store.workers import WorkerState, worker_seen, workers_forgotten

#: Seconds between two beats.
BEAT = 1.0


class Load(NamedTuple):
    """How busy a server is, and what it has done since its start."""

    ports_in_use: int
    capacity: int
    peak: int
    calls: int
    refused: int
    abandoned: int
    draining: bool
    #: What ``Counts`` and ``LoopWatch`` tell, for JSON.
    counters: dict[str, Any]


class Heartbeat:
    """Tells a journal once a second how a server does; its row takes one place there, however long it waits.

    :param journal: what writes the rows.
    :param load: how busy the server is.
    :param node: this machine's name.
    :param worker: which of the machine's servers it is.
    :param listen: where the server listens.
    """

    def __init__(self, journal: Journal, load: Callable[[], Load], *, node: str, worker: str, listen: str) -> None:
        self._journal = journal
        self._load = load
        self._who = {
            "node": node,
            "worker": worker,
            "pid": os.getpid(),
            "version": metadata.version("fsivr"),
            "listen": listen,
            "started": time.time(),
        }
        self._greenlet: gevent.Greenlet[..., None] = gevent.spawn(self._beat)
        journal.put(workers_forgotten(time.time()))
        self._tell(None)

    def stop(self) -> None:
        """Say that the server is no more."""
        self._greenlet.kill()
        self._tell(time.time())

    def _beat(self) -> None:
        while True:
            gevent.sleep(BEAT)
            self._tell(None)

    def _tell(self, ended: float | None) -> None:
        journal, load = self._journal, self._load()
        columns = {**self._who, **load._asdict(), "rows_waiting": journal.waiting, "rows_dropped": journal.dropped}
        journal.put(worker_seen(WorkerState(**columns, seen=time.time(), ended=ended)))
