"""Tending: a serving process looks after what was left behind, in the background."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import gevent
from gevent.event import AsyncResult, Event

from fsivr.errors import ArchiveError
from fsivr.recordings.folders import Folders
from fsivr.recordings.lanes import Lanes
from fsivr.recordings.reconcile import OtherReconciles, Reconciled, reconcile_folders
from fsivr.store import Journal, Row, Store, is_gone

log = logging.getLogger(__name__)

# A look at a file holds Python's lock for some 0.1 ms: after so many of them calls go before.
_AT_ONCE, _REST = 5, 0.005
# Days whose files are compared with their rows each time; all days are at the start.
_RECENT = 2
# Rows that may wait before more are put.
_MOST_WAITING = 500
# Seconds for the recording that it is at when the server stops.
_LAST = 2.0


class Tending:
    """Reconciles at the start, and again every so often.

    :param settle: see ``reconcile``.
    :param every: seconds between two times.
    """

    def __init__(self, folders: Folders, journal: Journal, *, node: str, settle: float, every: float) -> None:
        self._folders = folders
        self._journal = journal
        self._node = node
        self._settle = settle
        self._every = every
        self._stop = Event()
        self._looked = 0

    def start(self, *, before: Callable[[], None]) -> None:
        """Begin; returns at once.

        :param before: called each time before.
        """
        self._lane = Lanes(1)
        self._greenlet = gevent.spawn(self._run, before)

    def close(self) -> None:
        """End, in the middle where it is at it."""
        self._stop.set()
        self._greenlet.join(_LAST)  # for the rows of what it has done
        self._greenlet.kill()
        self._lane.close(1.0)

    def _run(self, before: Callable[[], None]) -> None:
        since, before_said = "", set[tuple[int, str]]()
        while not self._stop.is_set():
            before()
            rows: list[Row] = []
            said: list[tuple[int, str]] = []
            done: AsyncResult[Reconciled] = self._lane.give("", self._look, rows, said, since)
            done.wait()
            if done.successful():
                since = f"{datetime.now(UTC) - timedelta(days=_RECENT):%Y%m%d}"
                if told := str(done.value):
                    said.append((logging.INFO, f"recordings reconciled: {told}"))
            elif not (self._stop.is_set() or isinstance(done.exception, OtherReconciles)):
                why = f"recordings could not be reconciled, and it is tried again: {done.exception}"
                said.append((logging.ERROR, why))
            # Here and not in the thread, where a lock of the log's could hold up the hub; and not each minute.
            for level, line in said:
                if (level, line) not in before_said:
                    log.log(level, "%s", line)
            before_said = set(said)
            for row in rows:
                while self._journal.waiting >= _MOST_WAITING:
                    gevent.sleep(0.1)
                self._journal.put(row)
            self._stop.wait(self._every)

    def _look(self, rows: list[Row], said: list[tuple[int, str]], since: str) -> Reconciled:
        """In the thread."""
        store = Store(self._journal.address, connections=1)
        try:
            return reconcile_folders(
                self._folders,
                store,
                node=self._node,
                settle=self._settle,
                since=since,
                put=lambda told: _write(store, list(told), rows),
                rest=self._rest,
                say=lambda level, line: said.append((level, line)),
                patience=0.0,
            )
        finally:
            store.close()

    def _rest(self) -> None:
        if self._stop.is_set():
            raise ArchiveError("the server stops")
        self._looked += 1
        if self._looked % _AT_ONCE == 0:
            time.sleep(_REST)


def _write(store: Store, told: list[Row], later: list[Row]) -> None:
    """Write rows at once, while what they tell of is locked: one that waited would undo a later change of it.

    :param later: what takes them where the database is gone, to be written when it is back.
    """
    try:
        store.write(told)
    except Exception as error:
        if not is_gone(error):
            raise
        later += told
