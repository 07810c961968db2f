"""Rows to be written: what is at hand when something happens, made into columns only when it is written.

Each one is an upsert by its key, so writing it twice is the same as once.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from peewee import Database

from fsivr.store.models import Audit, Call, Export, Recording, to_microseconds

# Longer text from outside is cut: no list shows more, and no caller may fill the disk.
_MOST_TEXT = 1024
_MOST_JSON = 262_144


class Statement:
    """An upsert into a table.

    :param columns: those that are given, the key first.
    :param update: the columns that are overwritten where there is such a row already; True for all.
    :param where: what must be true of that which is overwritten.
    """

    def __init__(self, table: str, columns: Sequence[str], *, update: bool | Sequence[str], where: str = "") -> None:
        self.table = table
        self.columns = tuple(columns)
        key, *rest = self.columns
        changed = update if not isinstance(update, bool) else rest if update else ()
        change = f"UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in changed)}" if changed else "NOTHING"
        self._head = f"INSERT INTO {table} ({', '.join(self.columns)}) VALUES ("
        self._tail = f") ON CONFLICT ({key}) DO {change}" + (f" WHERE {where}" if where else "")

    def text(self, mark: str) -> str:
        """The SQL, with the database's own mark for a value."""
        return self._head + ", ".join([mark] * len(self.columns)) + self._tail


class _Change(Statement):
    """A change of rows that are there, its values marked by ``?``."""

    def __init__(self, table: str, statement: str) -> None:
        super().__init__(table, ("",), update=True)
        self._statement = statement

    def text(self, mark: str) -> str:
        return self._statement.replace("?", mark)


class Row(NamedTuple):
    """A row to be written; the later of two with the same key takes the earlier one's place."""

    key: str
    statement: Statement
    values: Callable[..., tuple[Any, ...]]
    given: tuple[Any, ...]


_CALL_COLUMNS = [name for name in Call._meta.fields if name not in ("id",)]
_OF_START = ("handler", "caller", "dialled", "context", "direction", "started", "node", "worker")
# One that rang gets its server, also where the API that placed it has ended meanwhile, and one that was refused,
# here or elsewhere, may be taken later; another that ended stays as it is.
_BEGAN = Statement(
    "calls",
    _CALL_COLUMNS,
    update=(*_OF_START, "ended", "hangup_cause", "error"),
    where="calls.ended IS NULL OR calls.handler = '' OR substr(calls.worker, 1, 4) = 'api '",
)
# One that the API placed rings there until a server takes it, or does not.
_TURNED_AWAY = Statement(
    "calls", _CALL_COLUMNS, update=True, where="calls.ended IS NULL AND substr(calls.worker, 1, 4) = 'api '"
)
_ENDED = Statement("calls", _CALL_COLUMNS, update=True)
_LOST = _Change(
    "calls",
    "UPDATE calls SET ended = ?, error = 'the server ended before the call did' "
    "WHERE ended IS NULL AND node = ? AND worker = ? AND started < ?",
)
_ANSWERED = _Change("calls", "UPDATE calls SET answered = ? WHERE uuid = ? AND ended IS NULL")
_UNANSWERED = _Change(
    "calls",
    "UPDATE calls SET ended = ?, hangup_cause = ?, error = ? WHERE uuid = ? AND ended IS NULL AND worker = ?",
)


class CallStart(NamedTuple):
    """What is known of a call at its start; ``started`` in seconds since 1970."""

    uuid: str
    handler: str
    caller: str
    dialled: str
    context: str
    direction: str
    started: float
    node: str
    worker: str


class CallEnd(NamedTuple):
    """What is known at a call's end; ``ended`` in seconds since 1970, ``answered`` as the switch says it.

    ``timeline`` is a list of entries, or makes the JSON of one when the row is written.
    """

    ended: float
    answered: str
    hangup_cause: str
    handler: str
    error: str
    timeline: Sequence[Any] | Callable[[], str]


def call_began(start: CallStart) -> Row:
    """The row of a call that is up, or rings; a row that tells its end is not overwritten by it."""
    return Row(start.uuid, _BEGAN, _live, (start,))


def call_ended(start: CallStart, end: CallEnd) -> Row:
    """The whole row of a call that is over, whether or not its start was written."""
    return Row(start.uuid, _ENDED, _over, (start, end))


def call_turned_away(start: CallStart, end: CallEnd) -> Row:
    """The whole row of a call that no handler got; a row of one that had it, before or after, stays."""
    return Row(f"away {start.uuid}", _TURNED_AWAY, _over, (start, end))


def call_answered(uuid: str, at: float) -> Row:
    """When a call that was placed was answered, for a row that is there; ``at`` in seconds since 1970."""
    return Row(uuid, _ANSWERED, _as_given, (to_microseconds(at), clean(uuid)))


def call_unanswered(start: CallStart, at: float, cause: str, error: str) -> Row:
    """The end of a call that no server took, for the row of its start; ``at`` in seconds since 1970."""
    given = (to_microseconds(at), clean(cause), clean(error), clean(start.uuid), clean(start.worker))
    return Row(start.uuid, _UNANSWERED, _as_given, given)


def calls_lost(node: str, worker: str, before: float) -> Row:
    """Ends each call of a worker that was up when the worker ended, and whose end nobody saw.

    :param before: seconds since 1970 at which the worker that runs now had no call yet.
    """
    at = to_microseconds(before)
    return Row(f"lost {node} {worker}", _LOST, _as_given, (at, clean(node), clean(worker), at))


def recorded(**columns: Any) -> Row:
    """The whole row of a recording.

    :param columns: those of ``Recording``; ``id``, ``call``, ``path``, ``state`` and ``started`` must be there.
    :raises ValueError: an unknown column, or one that must be there and is not.
    """
    return _whole(Recording, _RECORDED, columns, ("id", "call", "path", "state", "started"))


def exported(**columns: Any) -> Row:
    """The whole row of a run of the export.

    :param columns: those of ``Export``; ``id``, ``started`` and ``state`` must be there.
    :raises ValueError: an unknown column, or one that must be there and is not.
    """
    return _whole(Export, _EXPORTED, columns, ("id", "started", "state"))


def audited(who: str, action: str, subject: str, *, at: float | None = None, **detail: Any) -> Row:
    """A row of the audit: who did what to what.

    :param at: seconds since 1970; now, where None.
    """
    now = time.time() if at is None else at
    # Made here, so that the same row written twice is one.
    key = f"{round(now * 1e6):016x}{secrets.token_hex(8)}"
    return Row(key, _AUDITED, _audit, (key, now, who, action, subject, detail))


def write(database: Database, rows: Iterable[Row]) -> None:
    """Write rows in one transaction: all of them, or on an error none.

    :raises peewee.PeeweeException: none was written, or the answer was lost; to write them again is safe.
    """
    mark = database.param
    with database.atomic():
        for statement, alike in groupby(rows, attrgetter("statement")):
            cursor = database.cursor()
            cursor.executemany(statement.text(mark), [row.values(*row.given) for row in alike])


def clean(value: object, most: int = _MOST_TEXT) -> str:
    """Text that any database keeps: whole letters only, no NUL, cut where it is too long."""
    text = str(value)[:most]
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def as_json(value: Any) -> str:
    """Compact JSON; what it cannot say becomes text."""
    text = json.dumps(value, separators=(",", ":"), default=str)
    return text if len(text) <= _MOST_JSON else json.dumps([{"cut": len(text)}])


# -- in the writer's thread -----------------------------------------------------------------


def _as_given(*given: Any) -> tuple[Any, ...]:
    return given


def _live(start: CallStart) -> tuple[Any, ...]:
    return _over(start, CallEnd(0.0, "0", "", start.handler, "", ()))


def _over(start: CallStart, end: CallEnd) -> tuple[Any, ...]:
    answered = int(end.answered) if end.answered.isascii() and end.answered.isdigit() else 0
    return (
        clean(start.uuid),
        clean(end.handler),
        clean(start.caller),
        clean(start.dialled),
        clean(start.context),
        clean(start.direction),
        to_microseconds(start.started),
        answered if 0 < answered < 2**62 else None,
        to_microseconds(end.ended) if end.ended else None,
        clean(end.hangup_cause),
        clean(start.node),
        clean(start.worker),
        clean(end.error),
        _timeline(end.timeline),
    )


def _timeline(timeline: Sequence[Any] | Callable[[], str]) -> str:
    if not callable(timeline):
        return as_json(timeline)
    try:
        return timeline()
    except Exception as error:  # noqa: BLE001  the row is worth more, and would be tried again for ever
        return as_json([{"not_told": type(error).__name__}])


def _audit(key: str, at: float, who: str, action: str, subject: str, detail: Mapping[str, Any]) -> tuple[Any, ...]:
    return key, to_microseconds(at), clean(who), clean(action), clean(subject), as_json(detail)


_RECORDED = Statement("recordings", list(Recording._meta.fields), update=True)
_EXPORTED = Statement("exports", list(Export._meta.fields), update=True)
_AUDITED = Statement("audit", list(Audit._meta.fields), update=False)
_TIMES = frozenset({"started", "stopped", "ended", "held", "verified", "exported"})
_JSON: Mapping[str, Any] = {"mask_spans": [], "arrivals": {}, "report": {}}


def _whole(model: type[Any], statement: Statement, columns: Mapping[str, Any], needed: tuple[str, ...]) -> Row:
    unknown = sorted(set(columns) - set(statement.columns))
    missing = [name for name in needed if not columns.get(name)]
    if unknown or missing:
        wrong = [f"unknown: {', '.join(unknown)}"] * bool(unknown) + [f"missing: {', '.join(missing)}"] * bool(missing)
        raise ValueError(f"columns of {statement.table}: {'; '.join(wrong)}")
    return Row(str(columns["id"]), statement, _columns, (model, dict(columns)))


def _columns(model: type[Any], columns: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(_column(name, field, columns.get(name)) for name, field in model._meta.fields.items())


def _column(name: str, field: Any, value: Any) -> Any:
    if field.field_type == "TEXT":
        if name in _JSON:
            return as_json(_JSON[name] if value is None else value)
        return None if value is None and field.null else clean("" if value is None else value)
    if name in _TIMES:
        at: datetime | float | None = value
        return to_microseconds(at)
    return 0 if value is None and not field.null else value
