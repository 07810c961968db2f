"""The processes that take calls, as each tells of itself every second."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from fsivr.store.models import Call, Worker, to_microseconds
from fsivr.store.rows import Row, Statement, as_json, clean

#: Seconds after which a worker that says nothing is taken for dead.
LATELY = 10.0
#: Seconds for which the row of one that ended, or died, is kept.
KEPT = 86_400.0
#: Seconds for which its counters are told on, so that what it counted last is seen by who asks now and then.
TOLD = 300.0
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class WorkerState(NamedTuple):
    """What a worker tells of itself; times in seconds since 1970."""

    node: str
    worker: str
    pid: int
    version: str
    listen: str
    started: float
    seen: float
    #: None while it runs.
    ended: float | None
    ports_in_use: int
    capacity: int
    peak: int
    calls: int
    refused: int
    abandoned: int
    draining: bool
    rows_waiting: int
    rows_dropped: int
    #: What else it counts, for JSON.
    counters: Mapping[str, Any] = _NOTHING


class _Old(Statement):
    """Removes the rows of workers that were not seen for long."""

    def text(self, mark: str) -> str:
        return f"DELETE FROM workers WHERE seen < {mark}"


class _Lost(Statement):
    """Ends the row of a worker that runs no more."""

    def text(self, mark: str) -> str:
        return f"UPDATE workers SET ended = {mark}, ports_in_use = 0 WHERE id = {mark} AND ended IS NULL"


_SEEN = Statement("workers", list(Worker._meta.fields), update=True)
_OLD = _Old("workers", ("id",), update=True)
_LOST = _Lost("workers", ("id",), update=True)


def worker_seen(state: WorkerState) -> Row:
    """The row of a worker; the next one of the same node and name takes its place."""
    return Row(f"worker {state.node} {state.worker or state.listen}", _SEEN, _columns, (state,))


def worker_lost(node: str, worker: str, at: float) -> Row:
    """The end of a worker that could not tell it itself; ``at`` in seconds since 1970.

    :param worker: its name, as its calls have it.
    """
    return Row(f"worker lost {node} {worker}", _LOST, _as_given, (to_microseconds(at), clean(f"{node} {worker}")))


def workers_forgotten(now: float) -> Row:
    """Removes workers that have not been seen for a day.

    :param now: seconds since 1970.
    """
    return Row("workers forgotten", _OLD, _as_given, (to_microseconds(now - KEPT),))


def _as_given(*given: Any) -> tuple[Any, ...]:
    return given


def _columns(state: WorkerState) -> tuple[Any, ...]:
    node, worker, pid, version, listen, started, seen, ended, *counts, counters = state
    texts = (clean(node), clean(worker), pid, clean(version), clean(listen))
    times = (to_microseconds(started), to_microseconds(seen), to_microseconds(ended))
    return clean(f"{node} {worker or listen}"), *texts, *times, *map(int, counts), as_json(dict(counters))


def seen_lately(database: Any, now: float | None = None) -> list[Worker]:
    """Workers that run, by node, address and name.

    :param now: seconds since 1970.
    """
    least = (time.time() if now is None else now) - LATELY
    query = Worker.select().where((Worker.seen > least) & Worker.ended.is_null())
    with database.connection_context():
        return list(query.order_by(Worker.node, Worker.listen, Worker.worker).bind(database))


def counting(database: Any, now: float | None = None) -> list[Worker]:
    """Workers that run, and those that have ended or died in the last minutes, by node, address and name.

    :param now: seconds since 1970.
    """
    least = (time.time() if now is None else now) - TOLD
    query = Worker.select().where(Worker.seen > least).order_by(Worker.node, Worker.listen, Worker.worker)
    with database.connection_context():
        return list(query.bind(database))


def holding(database: Any, node: str, listen: str) -> list[str]:
    """The workers of an address, by name, that hold calls as far as is known; some may be dead.

    :param listen: the address; a worker's name is this, or this and a slash and more.
    """
    ours = (Call.worker == listen) | Call.worker.startswith(f"{listen}/")
    query = Call.select(Call.worker).where(Call.ended.is_null() & (Call.node == node) & ours).distinct()
    with database.connection_context():
        return [row.worker for row in query.bind(database)]
