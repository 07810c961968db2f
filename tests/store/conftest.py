"""The databases that every test of the store runs on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from fsivr.store import Store
from tests.store.postgresql import PostgreSQL, installed

_COUNT = itertools.count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    server = PostgreSQL(installed())
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, as the setting ``database`` writes it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/fsivr.db"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    name = f"test{next(_COUNT)}"
    with psycopg.connect(server.address(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.address(name)


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    store = Store(address)
    store.migrate()
    yield store
    store.close()
