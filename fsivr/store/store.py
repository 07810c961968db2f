"""Store: what is kept, to be read; and written where a process may wait for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

from peewee import Model, OperationalError, PeeweeException, Tuple, Value, fn

from fsivr.store.address import BUSY, open_database, sqlite_path
from fsivr.store.gone import is_gone
from fsivr.store.keys import Keys
from fsivr.store.migrations import migrate
from fsivr.store.models import Audit, Call, Export, Recording, Worker, to_microseconds
from fsivr.store.pages import LATEST, Cursor, Page, checked_limit
from fsivr.store.rows import Row, audited, write
from fsivr.store.walks import Taken, known, taken, walk
from fsivr.store.workers import counting, holding, seen_lately

#: What a list of calls does without; ``call`` has it.
_LISTED = [field for name, field in Call._meta.fields.items() if name != "timeline"]


class Store:
    """A database of what happened.

    Every method waits for the database: a call's greenlet uses ``Journal`` instead.
    Lists are newest first, in pages.

    :param address: a value of the setting ``database``.
    :param connections: the most that a pool of PostgreSQL's holds.
    :param busy: seconds that a statement may wait for another process's lock on SQLite's file.
    """

    def __init__(self, address: str, *, connections: int = 8, busy: float = BUSY) -> None:
        self.database = open_database(address, connections=connections, busy=busy)
        self._sqlite = sqlite_path(address) is not None
        #: The keys to the API.
        self.keys = Keys(self.database)

    def migrate(self) -> int:
        """Bring the database up to date; how many steps there were to do.

        :raises ConfigError: it is newer than this fsivr.
        """
        return migrate(self.database)

    def close(self) -> None:
        """Close this thread's connection and those that are idle in the pool."""
        if not self.database.is_closed():
            self.database.close()
        close_idle = getattr(self.database, "close_idle", None)
        if close_idle is not None:
            close_idle()

    def connected(self) -> AbstractContextManager[Any]:
        """A block in which SQLite's file stays open: the last to close it puts its whole log in order, and syncs it."""
        return self.database.connection_context() if self._sqlite else nullcontext()

    def write(self, rows: Iterable[Row]) -> None:
        """Write rows in one transaction; waits for it.

        :raises peewee.PeeweeException: none was written, or the answer was lost.
        """
        try:
            with self.database.connection_context():
                write(self.database, list(rows))
        except Exception as error:
            if isinstance(error, PeeweeException) or not is_gone(error):
                raise
            raise OperationalError(str(error)) from error  # a driver's own, which nobody catches

    # -- calls ------------------------------------------------------------------------------

    def call(self, uuid: str) -> Call | None:
        """A call with its timeline, or None."""
        found: Call | None = self._first(Call.select().where(Call.uuid == uuid))
        return found

    def calls(self, *, after: Cursor | None = None, limit: int = 100, **filters: Any) -> Page[Call]:
        """Calls without their timelines.

        :param filters: ``state`` (``live`` or ``ended``), ``caller``, ``dialled``, ``handler``, ``cause``;
            ``since`` and ``until``: a ``datetime`` with a zone, the first included, the second not.
        :raises ValueError: an unknown filter or a wrong limit.
        """
        known = {
            "caller": Call.caller,
            "dialled": Call.dialled,
            "handler": Call.handler,
            "cause": Call.hangup_cause,
        }
        state = filters.get("state")
        # Few are live, and a caller calls seldom: beside these an index of another filter says less.
        indexed = () if state == "live" else ("caller",) if filters.get("caller") is not None else tuple(known)
        query = self._filtered(Call, Call.started, after, limit, filters, known, indexed, ("state",)).select(*_LISTED)
        if state is not None:
            query = query.where(Call.ended.is_null(_checked("state", state, ("live", "ended")) == "live"))
        return self._page(query, Call.started, limit)

    # -- recordings and exports -------------------------------------------------------------

    def recording(self, id: str) -> Recording | None:
        """A recording, or None."""
        found: Recording | None = self._first(Recording.select().where(Recording.id == id))
        return found

    def recordings(self, *, after: Cursor | None = None, limit: int = 100, **filters: Any) -> Page[Recording]:
        """Recordings.

        :param filters: ``state``, ``call``, ``handler``, ``held`` (True or False), ``since``, ``until``.
        :raises ValueError: an unknown filter or a wrong limit.
        """
        known = {"state": Recording.state, "call": Recording.call, "handler": Recording.handler}
        indexed = () if filters.get("held") else ("call",) if filters.get("call") is not None else tuple(known)
        query = self._filtered(Recording, Recording.started, after, limit, filters, known, indexed, ("held",))
        if filters.get("held") is not None:
            query = query.where(Recording.held.is_null(not filters["held"]))
        return self._page(query, Recording.started, limit)

    def totals(self) -> dict[str, tuple[int, int]]:
        """How many recordings each state has, and their bytes."""
        query = Recording.select(Recording.state, fn.COUNT(1), fn.SUM(Recording.bytes)).group_by(Recording.state)
        with self.database.connection_context():
            rows: Any = list(query.tuples().bind(self.database))
        return {state: (count, int(total or 0)) for state, count, total in rows}

    def each_recording(self, **asked: Any) -> Iterator[Recording]:
        """Every recording of a ``state`` or a ``node``, the oldest first; ``since`` and ``before``: when they began."""
        return walk(self.database, **asked)

    def known_recordings(self, ids: Sequence[str]) -> dict[str, Recording]:
        """Those of these recordings, up to 500, that there are, by their ids."""
        return known(self.database, ids)

    def taken(self, node: str, *, since: datetime | None = None) -> Taken:
        """What the recordings of a node take on its disk; with ``since`` what was recorded from then on."""
        return taken(self.database, node, since=since)

    def mark(self, id: str, state: str, row: Row) -> bool:
        """Whether there is such a recording; it is of this state now, and the audit has this row.

        For a recording whose sidecar cannot tell of it; else the sidecar's own row is written.
        """
        return self._change(id, {"state": state}, row)

    def hold_of(self, id: str) -> tuple[str, str, datetime] | None:
        """Why a recording is on hold, by whom and since when; None where it is not, or there is none."""
        # By itself, not by a query of peewee's, which takes a millisecond to make: each change of a recording asks.
        text = (
            f"SELECT hold_reason, hold_by, held FROM recordings WHERE id = {self.database.param} AND held IS NOT NULL"
        )
        with self.database.connection_context():
            row = self.database.execute_sql(text, (id,)).fetchone()
        return None if row is None else (row[0], row[1], Recording.held.python_value(row[2]))

    def hold(self, id: str, reason: str, *, by: str, at: float) -> bool:
        """Whether there is such a recording; it is on hold now, and the audit says so.

        :raises ValueError: no reason is given.
        """
        if not reason.strip():
            raise ValueError("a hold has a reason")
        change = {"hold_reason": reason, "hold_by": by, "held": at}
        return self._change(id, change, audited(by, "recording.hold", id, at=at, reason=reason))

    def release(self, id: str, *, by: str, at: float) -> bool:
        """Whether there is such a recording; it is on hold no more, and the audit says so."""
        change = {"hold_reason": None, "hold_by": None, "held": None}
        return self._change(id, change, audited(by, "recording.release", id, at=at))

    def _change(self, id: str, columns: dict[str, Any], row: Row) -> bool:
        with self.database.connection_context(), self.database.atomic():
            query = Recording.update(**columns).where(Recording.id == id)
            changed = int(query.bind(self.database).execute()) > 0
            if changed:
                write(self.database, [row])
        return changed

    def export(self, id: str) -> Export | None:
        """A run of the export, or None."""
        found: Export | None = self._first(Export.select().where(Export.id == id))
        return found

    def exports(self, *, after: Cursor | None = None, limit: int = 100, **filters: Any) -> Page[Export]:
        """Runs of the export; filters ``state``, ``since``, ``until``."""
        query = self._filtered(Export, Export.started, after, limit, filters, {"state": Export.state}, ("state",))
        return self._page(query, Export.started, limit)

    def audit(self, *, after: Cursor | None = None, limit: int = 100, **filters: Any) -> Page[Audit]:
        """The audit; filters ``subject``, ``who``, ``action``, ``since``, ``until``."""
        known = {"subject": Audit.subject, "who": Audit.who, "action": Audit.action}
        # What was done to one subject is little.
        indexed = ("subject",) if filters.get("subject") is not None else tuple(known)
        query = self._filtered(Audit, Audit.at, after, limit, filters, known, indexed)
        return self._page(query, Audit.at, limit)

    # -- the system as it is now ----------------------------------------------------------------

    def workers(self, now: float | None = None) -> list[Worker]:
        """The processes that take calls, on every node: those that were seen lately and have not ended.

        :param now: seconds since 1970.
        """
        return seen_lately(self.database, now)

    def counting(self, now: float | None = None) -> list[Worker]:
        """The processes that take calls, and those that took some and ended in the last minutes.

        :param now: seconds since 1970.
        """
        return counting(self.database, now)

    def holding(self, node: str, listen: str) -> list[str]:
        """The workers of an address, by name, that hold calls as far as is known; some may be dead."""
        return holding(self.database, node, listen)

    def waiting_since(self) -> datetime | None:
        """When the oldest recording began that is not exported yet; None where none waits."""
        first = [
            Recording.select(fn.MIN(Recording.started)).where(Recording.state == state)
            for state in ("sealed", "degraded")
        ]
        with self.database.connection_context():
            found = [query.bind(self.database).scalar() for query in first]
        return min((at for at in found if at is not None), default=None)

    # -- how lists are asked for ------------------------------------------------------------

    def _filtered(
        self,
        model: type[Model],
        at: Any,
        after: Cursor | None,
        limit: int,
        filters: dict[str, Any],
        known: dict[str, Any],
        indexed: tuple[str, ...],
        more: tuple[str, ...] = (),
    ) -> Any:
        """The query of a list; only filters of ``indexed`` may be looked up by an index of theirs."""
        unknown = sorted(set(filters) - {*known, *more, "since", "until"})
        if unknown:
            raise ValueError(f"a list of {model._meta.table_name} has no filter {', '.join(unknown)}")
        key = int if model is Call else str
        query = self._newest(model, at, after, limit, filters.get("since"), filters.get("until"), key)
        for name, column in known.items():
            if filters.get(name) is not None:
                query = query.where(self._equals(column, filters[name], indexed=name in indexed))
        return query

    def _newest(
        self,
        model: type[Model],
        at: Any,
        after: Cursor | None,
        limit: int,
        since: datetime | None,
        until: datetime | None,
        key: type[int] | type[str],
    ) -> Any:
        id: Any = model._meta.primary_key
        try:
            end = (LATEST, key()) if after is None else (after.at, key(after.id))
            if isinstance(end[1], int) and end[1] > LATEST:
                raise ValueError
        except ValueError:
            raise ValueError(f"{str(after)[:80]!r} is not where a page of {model._meta.table_name} ended") from None
        if until is not None:
            # One bound for both: SQLite searches by one, and would go through all that is between the two.
            end = min(end, (to_microseconds(until) or 0, key()))
        # There always is a bound, so that every page is found by one search in an index.
        query = model.select().where(Tuple(at, id) < Tuple(Value(end[0]), Value(end[1])))
        if since is not None:
            query = query.where(at >= since)
        return query.order_by(at.desc(), id.desc()).limit(checked_limit(limit) + 1).bind(self.database)

    def _equals(self, column: Any, value: Any, *, indexed: bool) -> Any:
        # To SQLite a column in an expression is one without an index.
        return (column if indexed or not self._sqlite else column.concat("")) == str(value).replace("\0", "\ufffd")

    def _page(self, query: Any, at: Any, limit: int) -> Page[Any]:
        with self.database.connection_context():
            found = list(query)
        items = found[:limit]
        if len(found) <= limit:
            return Page(items, None)
        return Page(items, Cursor(to_microseconds(getattr(items[-1], at.name)) or 0, str(items[-1].id)))

    def _first(self, query: Any) -> Any:
        with self.database.connection_context():
            return query.bind(self.database).first()


def _checked(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{name} is {' or '.join(map(repr, allowed))}, not {value[:80]!r}")
    return value
