"""Journal: rows written behind the calls' backs, which no state of the database can hold up."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable
from itertools import islice
from typing import Any, TypeVar

import gevent
from gevent.event import Event
from gevent.threadpool import ThreadPool
from peewee import Database

from fsivr.errors import ConfigError
from fsivr.store.address import open_database, sqlite_path
from fsivr.store.migrations import migrate
from fsivr.store.rows import Row, write

log = logging.getLogger(__name__)

#: How many rows may wait; each is some 1 kB and its timeline.
BOUND = 10_000
_BATCH = 500
_GATHER = 0.05
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_SAID_EVERY = 60.0
_T = TypeVar("_T")


class Journal:
    """Writes rows in batches, from a thread of its own, in the order they were put.

    While the database is gone rows wait and are tried again, up to ``bound`` of
    them; what comes then is dropped, counted, and told in the log once a minute.
    A row takes the place of one with its key that still waits. To be used by the
    greenlets of one thread.

    :param address: a value of the setting ``database``.
    :param bound: how many rows may wait.
    :param clock: seconds that go on, for what is told once a minute.
    """

    def __init__(self, address: str, *, bound: int = BOUND, clock: Callable[[], float] = time.monotonic) -> None:
        self.bound = bound
        #: Where it writes to.
        self.address = address
        #: Rows that were lost: the journal was full or closed, or the database refuses them for what they hold.
        self.dropped = 0
        #: Rows that were written.
        self.written = 0
        self._writing = _Writing(address)
        self._clock = clock
        self._rows: dict[str, Row] = {}
        self._wake, self._hurry, self._empty = Event(), Event(), Event()
        self._empty.set()
        self._pool: ThreadPool | None = None
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._closed = False
        self._gone = ""  # what was last said to be wrong with the database
        self._told, self._told_at = 0, -_SAID_EVERY

    @property
    def waiting(self) -> int:
        """How many rows wait to be written."""
        return len(self._rows)

    def start(self) -> None:
        """Migrate the database and begin to write; one that cannot be reached is tried again later.

        :raises ConfigError: the database is newer than this fsivr.
        """
        self._pool = ThreadPool(1)
        try:
            self._in_thread(self._writing.connect)
        except ConfigError:
            self.close(0)
            raise
        except Exception as error:
            self._say_gone(error)
        self._greenlet = gevent.spawn(self._run)

    def put(self, row: Row) -> None:
        """Have a row written soon; never waits, never fails."""
        rows = self._rows
        if (len(rows) >= self.bound and row.key not in rows) or self._closed:
            self.dropped += 1
            return
        rows[row.key] = row
        if not self._wake.is_set():
            self._empty.clear()
            self._wake.set()

    def flush(self, timeout: float) -> bool:
        """Whether no row waits any more, at once or within so many seconds."""
        self._hurry.set()
        try:
            return bool(self._empty.wait(timeout))
        finally:
            if not self._closed:
                self._hurry.clear()

    def close(self, timeout: float) -> bool:
        """Take no more, write what waits within so many seconds; whether nothing was left."""
        self._closed = True
        written = self.flush(timeout) if self._greenlet is not None else not self._rows
        if self._greenlet is not None:
            self._greenlet.kill()
        if self._pool is not None:
            self._pool.spawn(self._writing.disconnect)
            with contextlib.suppress(gevent.Timeout), gevent.Timeout(max(timeout, 1.0)):
                self._pool.join()
                self._pool.kill()
        self.dropped += len(self._rows)
        self._rows.clear()
        self._empty.set()
        self._told_at = -_SAID_EVERY
        self._say_dropped()
        return written

    # -- the writing greenlet ---------------------------------------------------------------

    def _run(self) -> None:
        pause = _SHORTEST_PAUSE
        while True:
            self._wake.wait()
            self._hurry.wait(_GATHER)  # a transaction for many rows costs as much as for one
            while self._rows:
                if self._write(list(islice(self._rows.values(), _BATCH))):
                    pause = _SHORTEST_PAUSE
                else:
                    gevent.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE) if not self._closed else _SHORTEST_PAUSE
                self._say_dropped()
            self._wake.clear()
            self._empty.set()

    def _write(self, batch: list[Row]) -> bool:
        """Whether the database took the batch, or refused rows of it for what they hold."""
        try:
            refused = self._in_thread(self._writing.write, batch)
        except Exception as error:
            self._say_gone(error)
            return False
        if self._gone:
            log.warning("the database is back, with %d rows waiting for it", len(self._rows))
            self._gone = ""
        self.dropped += refused
        self.written += len(batch) - refused
        for row in batch:
            if self._rows.get(row.key) is row:  # a later one may have come meanwhile
                del self._rows[row.key]
        return True

    def _in_thread(self, function: Callable[..., _T], *arguments: object) -> _T:
        assert self._pool is not None
        job: Any = self._pool.spawn(function, *arguments)
        result: _T = job.get()
        return result

    def _say_gone(self, error: Exception) -> None:
        what = f"{type(error).__name__}: {error}".strip()
        if what != self._gone:
            log.error("the database does not take what happened; calls go on, and it is tried again: %s", what)
        self._gone = what

    def _say_dropped(self) -> None:
        if self.dropped > self._told and self._clock() - self._told_at >= _SAID_EVERY:
            log.error("%d rows of what happened were lost, %d so far", self.dropped - self._told, self.dropped)
            self._told, self._told_at = self.dropped, self._clock()


class _Writing:
    """The journal's connection; used in its thread alone."""

    def __init__(self, address: str) -> None:
        self._database: Database = open_database(address, connections=1)
        self._path = sqlite_path(address)
        self._file: tuple[int, int] | None = None
        self._ready = False

    def connect(self) -> None:
        if self._ready and self._path is not None and self._file != _identity(self._path):
            self.disconnect()  # moved or deleted: what is written to it now would be lost with it
        if self._ready:
            return
        migrate(self._database)
        self._database.connect(reuse_if_open=True)
        self._file = None if self._path is None else _identity(self._path)
        self._ready = True

    def disconnect(self) -> None:
        self._ready = False
        if not self._database.is_closed():
            self._database.close()
        close_all = getattr(self._database, "close_all", None)
        if close_all is not None:
            close_all()

    def write(self, batch: list[Row]) -> int:
        """How many rows were refused for what they hold; the others are written.

        :raises Exception: the database is gone; none was written, or the answer was lost.
        """
        try:
            self.connect()
            try:
                write(self._database, batch)
                return 0
            except Exception as error:
                if not _is_the_rows_fault(error):
                    raise
            return sum(not self._written(row) for row in batch)
        except Exception:
            self.disconnect()
            raise

    def _written(self, row: Row) -> bool:
        try:
            write(self._database, [row])
        except Exception as error:
            if not _is_the_rows_fault(error):
                raise
            # Not its values: they are the caller's.
            log.error("the database refuses a row of %s: %s", row.statement.table, type(error).__name__)
            return False
        return True


def _identity(path: os.PathLike[str]) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_the_rows_fault(error: Exception) -> bool:
    """Whether a row would be refused again by any database in whatever state."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"DataError", "IntegrityError"}:
        return True
    if "ProgrammingError" in names:  # without a code it is the driver's: a value of an unknown type
        return getattr(error, "sqlstate", None) is None
    return isinstance(error, (ArithmeticError, LookupError, TypeError, ValueError))
