"""Whether an error says that the database is away, or that it refused what was asked."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from peewee import DataError, IntegrityError
from playhouse.pool import MaxConnectionsExceeded

from fsivr.store import Store, audited, is_gone
from tests.store.postgresql import PostgreSQL


def test_a_file_that_cannot_be_opened_is_gone(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/nowhere/fsivr.db")
    with pytest.raises(Exception, match="unable to open") as caught:
        store.calls()
    assert is_gone(caught.value)


def test_a_file_that_is_no_database_is_gone(tmp_path: Path) -> None:
    (tmp_path / "fsivr.db").write_text("this is no database, and long enough to be looked at" * 100)
    store = Store(f"sqlite:///{tmp_path}/fsivr.db")
    with pytest.raises(Exception, match="not a database") as caught:
        store.calls()
    assert is_gone(caught.value)


def test_a_postgresql_that_does_not_listen_is_gone(postgresql: PostgreSQL) -> None:
    address = postgresql.address("postgres").replace(f":{postgresql.port}/", ":1/")
    store = Store(address)
    with pytest.raises(Exception, match="refused") as caught:
        store.calls()
    assert is_gone(caught.value)


def test_a_database_without_our_tables_is_gone(address: str) -> None:
    store = Store(address)
    with pytest.raises(Exception, match=r"calls") as caught:
        store.calls()
    assert is_gone(caught.value)
    store.close()


def test_a_write_to_a_database_without_our_tables_is_gone(address: str) -> None:
    store = Store(address)
    with pytest.raises(Exception, match="audit") as caught:
        store.write([audited("somebody", "something", "it")])
    assert is_gone(caught.value)
    store.close()


def test_a_write_to_a_file_that_another_process_has_locked_is_gone(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/fsivr.db", busy=0.05)
    store.migrate()
    other = sqlite3.connect(tmp_path / "fsivr.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Exception, match="locked") as caught:
        store.write([audited("somebody", "something", "it")])
    assert is_gone(caught.value)
    other.close()
    store.write([audited("somebody", "something", "it")])
    store.close()


def test_what_it_refuses_is_not(store: Store) -> None:
    assert is_gone(MaxConnectionsExceeded())
    for error in (IntegrityError(), DataError(), ValueError(), KeyError()):
        assert not is_gone(error)
