"""The processes that take calls, as they tell of themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fsivr.store import Journal, Store, recorded
from fsivr.store.rows import CallStart, call_began
from fsivr.store.workers import KEPT, LATELY, WorkerState, worker_lost, worker_seen, workers_forgotten

NOW = 1_700_000_000.0


def state(**changes: Any) -> WorkerState:
    """A worker that was seen now."""
    usual = WorkerState(
        "ivr-1", "0.0.0.0:8084", 7, "0.1.0", "0.0.0.0:8084", NOW - 60, NOW, None, 3, 120, 9, 50, 2, 1, False, 4, 0
    )
    return usual._replace(**changes)


def test_workers_of_several_nodes_are_told_by_node(store: Store) -> None:
    other = state(worker="0.0.0.0:8085", listen="0.0.0.0:8085")
    store.write([worker_seen(state(node="ivr-2")), worker_seen(state()), worker_seen(other)])
    assert [(one.node, one.listen) for one in store.workers(NOW)] == [
        ("ivr-1", "0.0.0.0:8084"),
        ("ivr-1", "0.0.0.0:8085"),
        ("ivr-2", "0.0.0.0:8084"),
    ]
    one = store.workers(NOW)[0]
    assert (one.pid, one.version, one.ports_in_use, one.capacity, one.peak) == (7, "0.1.0", 3, 120, 9)
    assert (one.calls, one.refused, one.abandoned, one.draining) == (50, 2, 1, 0)
    assert (one.rows_waiting, one.rows_dropped, one.ended) == (4, 0, None)
    assert one.started == datetime.fromtimestamp(NOW - 60, UTC)


def test_the_later_state_takes_the_place_of_the_earlier(store: Store) -> None:
    store.write([worker_seen(state())])
    store.write([worker_seen(state(ports_in_use=80, draining=True, seen=NOW + 1))])
    (one,) = store.workers(NOW + 1)
    assert (one.ports_in_use, one.draining) == (80, 1)


def test_one_that_ended_or_says_nothing_is_not_told(store: Store) -> None:
    store.write([worker_seen(state()), worker_seen(state(node="ivr-2", ended=NOW))])
    assert [one.node for one in store.workers(NOW)] == ["ivr-1"]
    assert store.workers(NOW + LATELY + 1) == []


def test_old_ones_are_forgotten(store: Store) -> None:
    store.write([worker_seen(state()), worker_seen(state(node="ivr-2", seen=NOW + KEPT))])
    store.write([workers_forgotten(NOW + KEPT + 1)])
    assert [one.node for one in store.workers(NOW)] == ["ivr-2"]


def test_a_worker_takes_one_place_of_a_journal_that_cannot_write(address: str) -> None:
    journal = Journal(address)
    for second in range(100):
        journal.put(worker_seen(state(seen=NOW + second)))
    assert journal.waiting == 1
    assert journal.dropped == 0


def _recording(number: int, status: str, started: datetime) -> Any:
    return recorded(id=f"r{number}", call="c", path="p", state=status, started=started, bytes=1000)


def test_what_waits_for_its_export(store: Store) -> None:
    assert store.waiting_since() is None
    start = datetime(2026, 11, 1, tzinfo=UTC)
    states = ("exported", "degraded", "sealed", "failed", "recording")
    store.write([_recording(day, status, start + timedelta(days=day)) for day, status in enumerate(states)])
    assert store.waiting_since() == start + timedelta(days=1)


def test_workers_of_one_address_are_several_and_one_that_was_lost_is_none(store: Store) -> None:
    names = ["0.0.0.0:8084/1-7", "0.0.0.0:8084/2-8"]
    store.write([worker_seen(state(worker=name)) for name in names])
    assert [one.worker for one in store.workers(NOW)] == names
    store.write([worker_lost("ivr-1", names[0], NOW), worker_lost("ivr-2", names[1], NOW)])
    assert [one.worker for one in store.workers(NOW)] == names[1:]


def test_who_holds_calls_at_an_address(store: Store) -> None:
    places = [("here", "h:1"), ("here", "h:1/1-7"), ("here", "h:12/1-8"), ("there", "h:1/2-9")]
    for number, (node, worker) in enumerate(places):
        start = CallStart(f"c{number}", "apps.Balance", "", "", "", "inbound", NOW, node, worker)
        store.write([call_began(start)])
    assert sorted(store.holding("here", "h:1")) == ["h:1", "h:1/1-7"]
