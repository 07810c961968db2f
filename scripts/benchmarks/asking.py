"""Every list of the store asked for: each combination of filters, with values that are frequent, rare and absent."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import filling

from fsivr.store import Cursor, Page, Store

#: Seconds that the database may take for any page.
LIMIT = 0.05

_DAY = timedelta(days=1)
_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
#: What a filter is asked with; of most, a frequent value, a rare one and one that no row has.
_TIMES: dict[str, list[Any]] = {
    "since": [_BEGIN + 30 * _DAY, _BEGIN + 700 * _DAY],
    "until": [_BEGIN + 701 * _DAY, _BEGIN + 31 * _DAY],
}
_LISTS: dict[str, dict[str, list[Any]]] = {
    "calls": {
        "state": ["ended", "live"],
        "caller": [filling.HIDDEN, "030000001", "none"],
        "dialled": [filling.DIALLED[0], filling.DIALLED[-1], "none"],
        "handler": [filling.HANDLERS[0], filling.HANDLERS[-1], "none"],
        "cause": [filling.CAUSES[0], filling.CAUSES[-1], "none"],
        **_TIMES,
    },
    "recordings": {
        "state": filling.STATES,
        "call": [filling.uuid_of(0), "none"],
        "handler": [filling.HANDLERS[0], filling.HANDLERS[-1], "none"],
        "held": [True, False],
        **_TIMES,
    },
    "exports": {"state": ["done", "failed", "running"], **_TIMES},
    "audit": {
        "subject": ["recording-7", "none"],
        "who": ["exporter", "legal", "none"],
        "action": [filling.ACTIONS[0], filling.ACTIONS[-1], "none"],
        **_TIMES,
    },
}
#: Deep pages begin in the middle, and near the end, of the two years.
_DEEP = (0.5, 0.01)
_FULL = 1000


@dataclass(frozen=True)
class Asked:
    """A question, and how long its answer took."""

    name: str
    question: str
    seconds: float
    rows: int


def measure_lists(store: Store, *, rounds: int, few: bool = False) -> list[Asked]:
    """Every question with the least of its times, from the opened connection to the last row fetched.

    :param few: ask with one value of each filter.
    """
    asked = []
    for name, filters in _LISTS.items():
        timed = _Timed(store)
        if few:
            filters = {key: values[:1] for key, values in filters.items()}
        for question, ask in _questions(store, name, filters):
            asked.append(timed.asked(name, question, ask, rounds))
    asked += [_Timed(store).asked("one", question, ask, rounds) for question, ask in _single(store)]
    return asked


class _Timed:
    def __init__(self, store: Store) -> None:
        self._database = store.database

    def asked(self, name: str, question: str, ask: Callable[[], Any], rounds: int) -> Asked:
        """Ask; what the store sends is timed by itself, without what Python makes of the rows."""
        sent: list[tuple[str, Any]] = []
        execute = self._database.execute_sql

        def noting(sql: str, params: Any = None) -> Any:
            sent.append((sql, params))
            return execute(sql, params)

        self._database.execute_sql = noting
        try:
            answer = ask()
        finally:
            del self._database.execute_sql
        rows = len(answer.items) if isinstance(answer, Page) else 1
        return Asked(name, question, min(self._time(sent) for _ in range(rounds)), rows)

    def _time(self, sent: list[tuple[str, Any]]) -> float:
        """Seconds of one connection that is opened for it, so that nothing is in SQLite's own cache."""
        before = time.perf_counter()
        with self._database.connection_context():
            for sql, params in sent:
                self._database.execute_sql(sql, params).fetchall()
        return time.perf_counter() - before


def _questions(store: Store, name: str, filters: dict[str, list[Any]]) -> Iterator[tuple[str, Callable[[], Any]]]:
    ask = getattr(store, name)
    for size in range(len(filters) + 1):
        for chosen in itertools.combinations(filters, size):
            for given in _assigned(chosen, filters):
                if given.get("since", _BEGIN) >= given.get("until", datetime.max.replace(tzinfo=UTC)):
                    continue
                said = ", ".join(f"{key}={_said(value)}" for key, value in given.items()) or "no filter"
                for page, after in _pages(given, name):
                    yield f"{said}; {page}", _asking(ask, after, given)


def _assigned(chosen: tuple[str, ...], filters: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """The filters with their first values, which are the frequent ones; and each of them with its others."""
    first = {each: filters[each][0] for each in chosen}
    yield first
    for each in chosen:
        yield from ({**first, each: value} for value in filters[each][1:])
    if len(chosen) > 1:
        yield {each: filters[each][-1] for each in chosen}


def _pages(given: dict[str, Any], name: str) -> Iterator[tuple[str, Cursor | None]]:
    yield "first page", None
    if "until" in given:
        return
    for part in _DEEP:
        at = filling.BEGIN + round(part * 730 * 86_400 * 1_000_000)
        yield f"from {part:.0%} of all on", Cursor(at, "1" if name == "calls" else "a")


def _asking(ask: Callable[..., Any], after: Cursor | None, given: dict[str, Any]) -> Callable[[], Any]:
    return lambda: ask(after=after, limit=_FULL, **given)


def _single(store: Store) -> Iterator[tuple[str, Callable[[], Any]]]:
    last = store.recordings(limit=1).items[0].id
    yield "a call with its timeline", lambda: store.call(filling.uuid_of(5))
    yield "a call that is not there", lambda: store.call("none")
    yield "a recording", lambda: store.recording(last)
    yield "the totals of the recordings", store.totals
    yield "what a node's recordings take", lambda: store.taken("ivr-1")
    yield "what it recorded lately", lambda: store.taken("ivr-1", since=_BEGIN + 723 * _DAY)


def _said(value: Any) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else str(value)
