"""Rows of calls that are placed: written by who orders them, then by the server that takes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fsivr.store import Store
from fsivr.store.rows import call_answered, call_began, call_unanswered, calls_lost
from tests.store.calls import START, ended, start


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(START, UTC) + timedelta(seconds=seconds)


def _call(store: Store) -> Any:
    (call,) = store.calls().items
    return call


_ORDER = start(0, worker="api", caller="4930", dialled="user/1000", direction="outbound")


def test_one_that_nobody_answers_ends_with_its_cause(store: Store) -> None:
    store.write([call_began(_ORDER)])
    assert (_call(store).ended, _call(store).worker) == (None, "api")
    store.write([call_unanswered(_ORDER, START + 9, "USER_BUSY", "")])
    assert (_call(store).ended, _call(store).hangup_cause, _call(store).answered) == (_at(9), "USER_BUSY", None)


def test_one_that_is_answered_is_the_servers(store: Store) -> None:
    store.write([call_began(_ORDER), call_answered(_ORDER.uuid, START + 4), call_began(start(0))])
    call = _call(store)
    assert (call.worker, call.dialled, call.answered, call.ended) == ("w1", "4100", _at(4), None)
    # Whoever ordered it says too late that nobody answered.
    store.write([call_unanswered(_ORDER, START + 9, "USER_BUSY", "")])
    assert _call(store).ended is None


def test_one_that_rang_when_its_api_was_started_again_is_the_servers_and_lives(store: Store) -> None:
    order = _ORDER._replace(worker="api 127.0.0.1:8080")
    store.write([call_began(order)])
    store.write([calls_lost(order.node, order.worker, START + 2)])
    assert _call(store).ended == _at(2)
    store.write([call_began(start(0, started=START + 3))])
    call = _call(store)
    assert (call.worker, call.ended, call.error) == ("w1", None, "")


def test_what_comes_after_the_end_changes_nothing(store: Store) -> None:
    store.write([ended(0)])
    before = _call(store).__data__
    late = [call_began(_ORDER), call_answered(_ORDER.uuid, START + 99), call_unanswered(_ORDER, START + 99, "X", "x")]
    store.write(late)
    assert _call(store).__data__ == before
