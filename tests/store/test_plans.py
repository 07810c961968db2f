"""Every list is one search in an index: no table is gone through, nothing is sorted."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fsivr.store import Cursor, Store

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_COMMON = {"since": _NOW, "until": _NOW}
_CALLS = {"caller": "1", "dialled": "2", "handler": "3", "cause": "4", **_COMMON}
_LISTS: dict[str, tuple[dict[str, Any], str]] = {
    "calls": ({"state": "live", **_CALLS}, "1.1"),
    "ended calls": ({"state": "ended", **_CALLS}, "1.1"),
    "recordings": ({"state": "sealed", "call": "1", "handler": "2", "held": True, **_COMMON}, "1.r1"),
    "exports": ({"state": "done", **_COMMON}, "1.e1"),
    "audit": ({"subject": "1", "who": "2", "action": "3", **_COMMON}, "1.a1"),
}


@pytest.fixture
def sqlite(tmp_path: Path) -> Any:
    store = Store(f"sqlite:///{tmp_path}/fsivr.db")
    store.migrate()
    yield store
    store.close()


def _plans(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    plans: list[str] = []
    execute = store.database.execute_sql

    def explained(sql: str, params: Any = None) -> Any:
        if sql.startswith("SELECT"):
            plan = execute("EXPLAIN QUERY PLAN " + sql, params).fetchall()
            plans.append(" / ".join(step[-1] for step in plan))
        return execute(sql, params)

    monkeypatch.setattr(store.database, "execute_sql", explained)
    return plans


@pytest.mark.parametrize("name", _LISTS)
def test_every_list_is_a_search(sqlite: Store, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    filters, after = _LISTS[name]
    plans = _plans(sqlite, monkeypatch)
    asked = 0
    for size in range(len(filters) + 1):
        for chosen in itertools.combinations(filters.items(), size):
            for cursor in (None, Cursor.parse(after)):
                getattr(sqlite, name.split()[-1])(after=cursor, **dict(chosen))
                asked += 1
    assert len(plans) == asked
    wrong = {plan for plan in plans if "SCAN" in plan or "TEMP B-TREE" in plan or "USING INDEX" not in plan}
    assert not wrong


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({}, "calls_started (started<?)"),
        ({"state": "live"}, "calls_live"),
        ({"state": "live", "caller": "1", "handler": "2", "dialled": "3", "cause": "4"}, "calls_live"),
        ({"caller": "1", "handler": "2", "cause": "3", "dialled": "4"}, "calls_caller (caller=?"),
        ({"caller": "1", "cause": "3", "state": "ended", "since": _NOW}, "calls_caller (caller=? AND started>? AND st"),
        ({"dialled": "1", "handler": "2", "cause": "3"}, "calls_dialled_handler_cause (dialled=? AND handler=? AND h"),
        ({"dialled": "1", "handler": "2", "state": "ended"}, "calls_dialled_handler (dialled=? AND handler=?"),
        (
            {"dialled": "1", "handler": "2", **_COMMON},
            "calls_dialled_handler (dialled=? AND handler=? AND started>? AND s",
        ),
        (
            {"handler": "2", "cause": "3", **_COMMON},
            "calls_handler_cause (handler=? AND hangup_cause=? AND started>? AND s",
        ),
        (
            {"dialled": "1", "cause": "3", "until": _NOW},
            "calls_dialled_cause (dialled=? AND hangup_cause=? AND started<?)",
        ),
        ({"until": _NOW}, "calls_started (started<?)"),
        ({"dialled": "1", "cause": "3"}, "calls_dialled_cause (dialled=? AND hangup_cause=?"),
        ({"handler": "2", "cause": "3"}, "calls_handler_cause (handler=? AND hangup_cause=?"),
        ({"dialled": "1"}, "calls_dialled (dialled=?"),
        ({"handler": "2"}, "calls_handler (handler=?"),
        ({"cause": "3"}, "calls_cause (hangup_cause=?"),
    ],
)
def test_the_index_that_says_most_is_taken(
    sqlite: Store, monkeypatch: pytest.MonkeyPatch, filters: dict[str, Any], index: str
) -> None:
    plans = _plans(sqlite, monkeypatch)
    sqlite.calls(**filters)
    assert f"USING INDEX {index if '(' in index else index + ' ('}" in plans[0]


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({"held": True, "state": "sealed", "call": "1", "handler": "2"}, "recordings_held ("),
        ({"held": False, "state": "sealed", "call": "1", "handler": "2"}, "recordings_call (call=?"),
        ({"state": "sealed", "handler": "2"}, "recordings_handler_state (handler=? AND state=?"),
        ({"state": "sealed"}, "recordings_state (state=?"),
        ({"handler": "2"}, "recordings_handler (handler=?"),
    ],
)
def test_the_index_that_says_most_is_taken_for_recordings(
    sqlite: Store, monkeypatch: pytest.MonkeyPatch, filters: dict[str, Any], index: str
) -> None:
    plans = _plans(sqlite, monkeypatch)
    sqlite.recordings(**filters)
    assert f"USING INDEX {index}" in plans[0]


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({"subject": "1", "who": "2", "action": "3"}, "audit_subject (subject=?"),
        ({"who": "2", "action": "3"}, "audit_who_action (who=? AND action=?"),
        ({"who": "2"}, "audit_who (who=?"),
        ({"action": "3"}, "audit_action (action=?"),
    ],
)
def test_the_index_that_says_most_is_taken_for_the_audit(
    sqlite: Store, monkeypatch: pytest.MonkeyPatch, filters: dict[str, Any], index: str
) -> None:
    plans = _plans(sqlite, monkeypatch)
    sqlite.audit(**filters)
    assert f"USING INDEX {index}" in plans[0]


@pytest.mark.parametrize("filters", [{"until": _NOW}, {"until": _NOW, "handler": "1", "since": _NOW}])
def test_a_list_that_ends_early_is_searched_from_its_end(
    sqlite: Store, monkeypatch: pytest.MonkeyPatch, filters: dict[str, Any]
) -> None:
    """SQLite searches by one upper bound: with a second one it went through all that is later, 0.4 s of a million."""
    asked: list[tuple[str, Any]] = []
    execute = sqlite.database.execute_sql
    monkeypatch.setattr(
        sqlite.database, "execute_sql", lambda sql, params=None: asked.append((sql, params)) or execute(sql, params)
    )
    for after in (None, Cursor(5, "5")):
        asked.clear()
        sqlite.calls(after=after, **filters)
        ((sql, params),) = [one for one in asked if one[0].startswith("SELECT")]
        assert sql.count("<") == 1
        assert (5 if after else round(_NOW.timestamp() * 1e6)) in params


def test_what_a_callers_calls_are_looked_through_for_is_in_the_index(sqlite: Store) -> None:
    """One who hides the number has as many calls as all others; to read each one's row took 0.3 s of a million."""
    with sqlite.database.connection_context():
        found = sqlite.database.execute_sql("SELECT name FROM pragma_index_info('calls_caller')").fetchall()
    assert {name for (name,) in found} >= {"handler", "dialled", "hangup_cause"}


def test_totals_are_told_from_small_indices(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = _plans(sqlite, monkeypatch)
    sqlite.totals()
    sqlite.taken("ivr-1")
    sqlite.taken("ivr-1", since=_NOW)
    sqlite.waiting_since()
    for plan, index in zip(plans, ("bytes", "node_bytes", "node"), strict=False):
        assert f"USING COVERING INDEX recordings_{index}" in plan, plan
    assert all("SEARCH" in plan and "SCAN" not in plan for plan in plans[3:])


def test_one_row_is_found_by_its_key(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = _plans(sqlite, monkeypatch)
    for find in (sqlite.call, sqlite.recording, sqlite.export, sqlite.keys.verify):
        find("fsivr_" + "0" * 12 + "_" + "0" * 64)
    sqlite.totals()
    assert len(plans) == 5
    assert all("SEARCH" in plan for plan in plans[:4])
    assert "COVERING INDEX recordings_bytes" in plans[4]
    assert "TEMP" not in plans[4]
