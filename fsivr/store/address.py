"""Databases of the setting ``database``, opened so that none can hold up a call for long."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from peewee import Database, SqliteDatabase
from playhouse.pool import PooledPostgresqlDatabase

from fsivr.errors import ConfigError

#: Seconds that a statement may wait for another process's lock.
BUSY = 2.0

_PRAGMAS = {
    "foreign_keys": 1,
    # With a write-ahead log: safe against a crash of any process; a power cut may take the
    # last seconds of rows, never the file. The recordings' files are synced by themselves.
    "synchronous": 1,
    "cache_size": -16_384,
    "journal_size_limit": 67_108_864,
    "temp_store": 2,
}
_POSTGRESQL: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "tcp_user_timeout": 10_000,
    "application_name": "fsivr",
    "options": "-c statement_timeout=30000 -c lock_timeout=10000",
}


def sqlite_path(address: str) -> Path | None:
    """The file of a ``sqlite:///`` address; None for another kind of database."""
    return Path(address.removeprefix("sqlite:///")) if address.startswith("sqlite:///") else None


def open_database(address: str, *, connections: int = 8, busy: float = BUSY) -> Database:
    """A database that is not connected yet; every thread and greenlet that uses it has its own connection.

    :param address: a value of the setting ``database``.
    :param connections: the most that a pool holds, for PostgreSQL.
    :param busy: seconds that a statement may wait for another process's lock, for SQLite.
    :raises ConfigError: PostgreSQL's driver is not installed.
    """
    path = sqlite_path(address)
    if path is not None:
        return SqliteDatabase(str(path), pragmas=_PRAGMAS, timeout=busy)
    if importlib.util.find_spec("psycopg") is None:
        raise ConfigError("setting database: PostgreSQL needs psycopg: pip install 'fsivr[postgresql]'")
    # It warns of a row that was refused with all that the row holds, which is the caller's.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    parts = urlsplit(address)
    found: Database = PooledPostgresqlDatabase(
        unquote(parts.path.removeprefix("/")),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        host=parts.hostname,
        port=parts.port or 5432,
        max_connections=connections,
        stale_timeout=300,
        timeout=10,
        prefer_psycopg3=True,
        **_POSTGRESQL,
    )
    return found
