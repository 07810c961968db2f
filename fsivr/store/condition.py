"""Condition: how well a database is, for whoever examines it. Nothing that is kept is changed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import NamedTuple

from fsivr.store.address import sqlite_path
from fsivr.store.migrations import NEWEST, version
from fsivr.store.store import Store

_WRITES = 5


class Condition(NamedTuple):
    """What a database says of itself.

    ``schema`` is how many steps it has had, and ``newest`` how many there are; ``writing`` is the
    seconds of the slowest of a few transactions; ``ahead`` the seconds that its clock is ahead of ours, None for a
    file, which has none.
    """

    schema: int
    newest: int
    bytes: int
    writing: float | None
    ahead: float | None


def condition(store: Store, address: str) -> Condition:
    """How well a database is.

    :param address: that of the store.
    :raises ConfigError: it is of a newer fsivr.
    :raises peewee.PeeweeException: it cannot be reached, read or written.
    """
    database = store.database
    schema = version(database)
    path = sqlite_path(address)
    with database.connection_context():
        if path is not None:
            files = [path, path.with_name(path.name + "-wal")]
            size = sum(each.stat().st_size for each in files if each.exists())
            ahead = None
        else:
            size = int(database.execute_sql("SELECT pg_database_size(current_database())").fetchone()[0])
            ahead = _ahead(store)
        writing = max(_write(store) for _ in range(_WRITES)) if schema else None
    return Condition(schema, NEWEST, size, writing, ahead)


def _ahead(store: Store) -> float:
    began = time.time()
    at: datetime = store.database.execute_sql("SELECT clock_timestamp()").fetchone()[0]
    return at.astimezone(UTC).timestamp() - (began + time.time()) / 2


def _write(store: Store) -> float:
    """The seconds of a transaction that writes a row as it was."""
    began = time.perf_counter()
    with store.database.atomic():
        store.database.execute_sql("UPDATE fsivr_schema SET applied = applied WHERE version = 1")
    return time.perf_counter() - began
