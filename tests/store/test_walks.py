"""Walks over all recordings, in order, by an index; and what a node's take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fsivr.store import Row, Store, audited, recorded
from fsivr.store.walks import taken, walk
from tests.store.test_plans import _plans

_START = datetime(2026, 1, 1, tzinfo=UTC)


def _row(number: int, **columns: Any) -> Row:
    told = {"id": f"r{number:03}", "call": "c", "path": "p", "state": "sealed", "node": "a", "bytes": 10}
    return recorded(**{**told, "started": _START + timedelta(seconds=number // 4), **columns})


def _ids(store: Store, **asked: Any) -> list[int]:
    return [int(row.id[1:]) for row in walk(store.database, page=3, **asked)]


def test_each_comes_once_in_the_order_of_time(store: Store) -> None:
    store.write([_row(number, node="ab"[number % 2], state=("sealed", "exported")[number < 5]) for number in range(20)])
    assert _ids(store, node="a") == list(range(0, 20, 2))
    assert _ids(store, state="exported") == list(range(5))
    assert _ids(store, state="sealed", before=_START + timedelta(seconds=3)) == list(range(5, 12))
    assert [row.id for row in store.each_recording(node="b")] == [f"r{number:03}" for number in range(1, 20, 2)]
    assert _ids(store, node="none") == []
    with pytest.raises(ValueError, match="either a state or a node"):
        _ids(store)


def test_rows_that_change_while_they_are_gone_through(store: Store) -> None:
    store.write([_row(number) for number in range(10)])
    seen = []
    for row in walk(store.database, state="sealed", page=3):
        seen.append(int(row.id[1:]))
        store.write([_row(seen[-1], state="purged")])
    assert seen == list(range(10))


def test_what_a_node_takes(store: Store) -> None:
    assert taken(store.database, "a") == (0, 0, None)
    states = ("sealed", "degraded", "exported", "failed", "purged", "recording")
    store.write([_row(number * 4, state=state, bytes=10**number) for number, state in enumerate(states)])
    store.write([_row(99, node="b"), _row(98, state="sealed", bytes=None)])
    assert store.taken("a") == (4, 111, _START)
    assert store.taken("a", since=_START + timedelta(seconds=4)) == (3, 110000, _START + timedelta(seconds=4))


def test_a_recording_is_marked_and_audited(store: Store) -> None:
    store.write([_row(1)])
    assert store.mark("r001", "failed", audited("me", "recording.lost", "r001"))
    assert not store.mark("r002", "failed", audited("me", "recording.lost", "r002"))
    row = store.recording("r001")
    assert row is not None and row.state == "failed"
    assert [found.subject for found in store.audit().items] == ["r001"]


@pytest.fixture
def sqlite(tmp_path: Path) -> Any:
    store = Store(f"sqlite:///{tmp_path}/fsivr.db")
    store.migrate()
    yield store
    store.close()


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({"state": "exported"}, "INDEX recordings_state (state=?"),
        ({"state": "exported", "before": _START}, "INDEX recordings_state (state=?"),
        ({"node": "a"}, "INDEX recordings_node (node=?"),
    ],
)
def test_each_page_is_a_search(
    sqlite: Store, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], index: str
) -> None:
    plans = _plans(sqlite, monkeypatch)
    list(sqlite.each_recording(**asked))
    assert len(plans) == 1
    assert index in plans[0]
    assert "(started,id)>(?,?)" in plans[0]
    assert "SCAN" not in plans[0] and "TEMP" not in plans[0]


def test_what_a_node_takes_is_told_from_the_index(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = _plans(sqlite, monkeypatch)
    sqlite.taken("a")
    sqlite.taken("a", since=_START)
    assert len(plans) == 2
    assert all("COVERING INDEX recordings_node (node=?" in plan for plan in plans)
    assert "started>?" in plans[1]
