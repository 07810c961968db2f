"""The journal: nothing waits for the database, and what was lost is known."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fsivr.errors import ConfigError
from fsivr.store import Journal, Store, recorded
from tests.leaks import left, nothing_more_than, until
from tests.store.calls import START, began, ended
from tests.store.postgresql import PostgreSQL

_LONG = 60.0


class Journals:
    """Makes journals, and closes them."""

    def __init__(self) -> None:
        self.made: list[Journal] = []

    def __call__(self, address: str, **options: Any) -> Journal:
        self.made.append(Journal(address, **options))
        return self.made[-1]


@pytest.fixture
def journal() -> Iterator[Journals]:
    before, make = left(), Journals()
    yield make
    for made in make.made:
        made.close(_LONG)
    nothing_more_than(before)


def _count(address: str, where: str = "1 = 1") -> int:
    store = Store(address)
    try:
        with store.database.connection_context():
            return int(store.database.execute_sql(f"SELECT count(*) FROM calls WHERE {where}").fetchone()[0])
    finally:
        store.close()


def test_rows_are_written_and_counted(journal: Journals, address: str) -> None:
    writer = journal(address)
    writer.start()
    for number in range(1200):
        writer.put(began(number))
    assert writer.flush(_LONG)
    for number in range(1200):
        writer.put(ended(number))
    assert writer.close(_LONG)
    assert (_count(address), _count(address, "ended IS NULL")) == (1200, 0)
    assert (writer.written, writer.dropped, writer.waiting) == (2400, 0, 0)


def test_an_end_takes_the_place_of_a_start_that_waits(journal: Journals, tmp_path: Path) -> None:
    writer = journal(f"sqlite:///{tmp_path}/a.db", bound=3)
    for number in range(4):
        writer.put(began(number))
    for number in range(5):
        writer.put(ended(number))
    assert (writer.waiting, writer.dropped) == (3, 3)
    writer.start()
    assert writer.flush(_LONG)
    assert _count(f"sqlite:///{tmp_path}/a.db", "ended IS NOT NULL") == 3


def test_put_is_refused_after_the_close_and_does_not_fail(journal: Journals, tmp_path: Path) -> None:
    writer = journal(f"sqlite:///{tmp_path}/a.db")
    writer.start()
    assert writer.close(_LONG)
    writer.put(ended(1))
    assert writer.dropped == 1
    assert writer.close(_LONG)


def test_what_the_database_refuses_does_not_hold_up_the_rest(
    journal: Journals, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    writer = journal(address)
    writer.start()
    writer.put(ended(1))
    writer.put(recorded(id="r1", call="SECRET", path="p", state="no such state", started=START))
    writer.put(recorded(id="r2", call="SECRET", path="p", state="sealed", started=START, bytes=object()))
    writer.put(ended(2))
    assert writer.flush(_LONG)
    assert (_count(address), writer.written, writer.dropped) == (2, 2, 2)
    assert "the database refuses a row of recordings" in caplog.text
    assert "SECRET" not in caplog.text


_HOLD = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN EXCLUSIVE'); print(1, flush=True); sys.stdin.read()"  # noqa: E501


def test_another_process_holds_the_file(journal: Journals, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    address = f"sqlite:///{tmp_path}/a.db"
    writer = journal(address)
    writer.start()
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path / "a.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        other.stdout.readline()
        for number in range(2000):
            writer.put(ended(number))
        assert until(lambda: "the database does not take what happened" in caplog.text, _LONG)
        assert (writer.waiting, writer.written) == (2000, 0)
        other.stdin.close()
    assert writer.flush(_LONG)
    assert (_count(address), writer.written, writer.dropped) == (2000, 2000, 0)
    assert "the database is back, with 2000 rows waiting" in caplog.text


def test_the_folder_is_gone_and_comes_back(journal: Journals, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    there, away = tmp_path / "there", tmp_path / "away"
    there.mkdir()
    now = [0.0]
    writer = journal(f"sqlite:///{there}/a.db", bound=100, clock=lambda: now[0])
    writer.start()
    writer.put(ended(0))
    assert writer.flush(_LONG)
    there.rename(away)
    for number in range(1, 131):
        writer.put(ended(number))
    assert until(lambda: "30 rows of what happened were lost, 30 so far" in caplog.text, _LONG)
    writer.put(ended(131))
    now[0] = 59.9
    assert not writer.flush(0.5)
    assert caplog.text.count("were lost") == 1
    now[0] = 60.0
    assert until(lambda: "1 rows of what happened were lost, 31 so far" in caplog.text, _LONG)
    away.rename(there)
    assert writer.flush(_LONG)
    assert _count(f"sqlite:///{there}/a.db") == 101
    assert (writer.written, writer.dropped) == (101, 31)


def test_the_file_is_deleted(journal: Journals, tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/a.db"
    writer = journal(address)
    writer.start()
    writer.put(ended(0))
    assert writer.flush(_LONG)
    for path in tmp_path.iterdir():
        path.unlink()
    writer.put(ended(1))
    assert writer.flush(_LONG)
    assert _count(address) == 1


def test_the_server_is_stopped_and_started(
    journal: Journals, postgresql: PostgreSQL, caplog: pytest.LogCaptureFixture
) -> None:
    address = postgresql.address()
    writer = journal(address)
    writer.start()
    for number in range(1000):
        writer.put(ended(number))
    assert until(lambda: writer.written > 0, _LONG)
    postgresql.stop()
    try:
        for number in range(1000, 3000):
            writer.put(ended(number))
        assert until(lambda: "the database does not take what happened" in caplog.text, _LONG)
    finally:
        postgresql.start()
    assert writer.flush(_LONG)
    assert _count(address) == 3000
    assert (writer.written, writer.dropped) == (3000, 0)
    assert "S3cret" not in caplog.text


def test_it_starts_while_the_server_is_gone(
    journal: Journals, postgresql: PostgreSQL, caplog: pytest.LogCaptureFixture
) -> None:
    postgresql.stop()
    writer = journal(postgresql.address())
    try:
        writer.start()
        writer.put(ended(9_000))
    finally:
        postgresql.start()
    assert writer.flush(_LONG)
    assert _count(postgresql.address(), "uuid = 'uuid-009000'") == 1


def test_an_answer_that_was_lost_is_no_row_twice(
    journal: Journals, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsivr.store import journal as module

    write, lost = module.write, []

    def losing(database: Any, rows: Any) -> None:
        write(database, rows)
        if not lost:
            lost.append(rows)
            raise ConnectionError("gone after the commit")

    monkeypatch.setattr(module, "write", losing)
    writer = journal(address)
    writer.start()
    for number in range(20):
        writer.put(ended(number))
    assert writer.flush(_LONG)
    assert lost
    assert (_count(address), writer.written) == (20, 20)


def test_what_cannot_be_written_at_the_close_is_told(
    journal: Journals, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    writer = journal(f"sqlite:///{tmp_path}/nowhere/a.db")
    writer.start()
    for number in range(7):
        writer.put(ended(number))
    assert not writer.close(0.2)
    assert writer.dropped == 7
    assert "7 rows of what happened were lost, 7 so far" in caplog.text


def test_a_newer_database_stops_the_start(journal: Journals, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/a.db")
    store.migrate()
    store.close()
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("INSERT INTO fsivr_schema VALUES (99, 'later', 0)")
    connection.close()
    with pytest.raises(ConfigError, match="newer fsivr"):
        journal(f"sqlite:///{tmp_path}/a.db").start()
