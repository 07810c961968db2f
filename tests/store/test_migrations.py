"""Migrations: from empty and from older, by several processes at once, and never backwards."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import psycopg
import pytest

from fsivr.errors import ConfigError
from fsivr.store import ApiKey, Audit, Call, Export, Recording, Store, Worker, migrations
from fsivr.store import address as opening
from fsivr.store.migrations import NEWEST, STEPS, migrate, version
from tests.store.postgresql import PostgreSQL

_PROGRAM = """
import sys
from fsivr.store import Store
store = Store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
print(store.migrate())
store.close()
"""


@pytest.mark.parametrize("at", [0, 1])
def test_eight_processes_at_once(address: str, at: int) -> None:
    store = Store(address)
    if at:
        assert migrate(store.database, upto=at) == at
    command = [sys.executable, "-W", "error", "-c", _PROGRAM, address]
    running = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=0
        )
        for _ in range(8)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = sorted(process.communicate(timeout=60)[0] for process in running)
    # One did it all, the others found it done.
    assert said == ["0\n"] * 7 + [f"{NEWEST - at}\n"]
    assert version(store.database) == NEWEST
    with store.database.connection_context():
        done = store.database.execute_sql("SELECT version, name FROM fsivr_schema ORDER BY version").fetchall()
    assert [tuple(row) for row in done] == [(number, name) for number, (name, _) in enumerate(STEPS, 1)]
    store.close()


def test_a_newer_database_is_not_touched(store: Store) -> None:
    with store.database.connection_context():
        store.database.execute_sql("INSERT INTO fsivr_schema VALUES (99, 'later', 0)")
    with pytest.raises(ConfigError, match=f"schema 99, made by a newer fsivr; this one knows {NEWEST}"):
        store.migrate()


def test_a_step_that_fails_leaves_nothing_of_itself(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = ("wrong", ("CREATE TABLE half (id INTEGER)", "CREATE NONSENSE"))
    monkeypatch.setattr("fsivr.store.migrations.STEPS", (*STEPS, wrong))
    store = Store(address)
    with pytest.raises(Exception, match=r"(?i)syntax"):
        migrate(store.database, upto=NEWEST + 1)
    assert version(store.database) == NEWEST
    with store.database.connection_context():
        assert not store.database.table_exists("half")
    assert store.calls().items == []
    store.close()


@pytest.mark.parametrize("model", [Call, Recording, Export, ApiKey, Audit, Worker], ids=lambda model: model.__name__)
def test_the_models_are_the_tables(store: Store, model: Any) -> None:
    with store.database.connection_context():
        columns = {column.name: column.null for column in store.database.get_columns(model._meta.table_name)}
    columns[model._meta.primary_key.name] = False  # to SQLite the key of a table may be null
    assert columns == {name: field.null for name, field in model._meta.fields.items()}


def test_sqlite_has_a_write_ahead_log(tmp_path) -> None:
    store = Store(f"sqlite:///{tmp_path}/fsivr.db")
    store.migrate()
    with store.database.connection_context():
        found = [
            store.database.execute_sql(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "foreign_keys")
        ]
    assert found == ["wal", 1]
    store.close()


def test_the_driver_of_postgresql_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'fsivr\[postgresql\]'"):
        Store("postgresql://ivr:SECRET@db/ivr")


def test_a_step_may_take_longer_than_a_statement_otherwise_may(
    postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = postgresql.address("postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE slowly")
    address = postgresql.address("slowly")
    monkeypatch.setitem(opening._POSTGRESQL, "options", "-c statement_timeout=200")
    monkeypatch.setattr(migrations, "STEPS", (*STEPS, ("slow", ("SELECT pg_sleep(0.4)",))))
    monkeypatch.setattr(migrations, "NEWEST", NEWEST + 1)
    store = Store(address)
    try:
        assert migrate(store.database, upto=NEWEST + 1) == NEWEST + 1
        with store.database.connection_context(), pytest.raises(Exception, match="statement timeout"):
            store.database.execute_sql("SELECT pg_sleep(0.4)")
    finally:
        store.close()
