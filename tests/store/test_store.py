"""What is written is read: calls, recordings, exports, audit, and their pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fsivr.store import Cursor, Row, Store, audited, exported, recorded
from fsivr.store.models import to_microseconds
from fsivr.store.rows import CallEnd, call_ended, call_turned_away, calls_lost
from tests.store.calls import START, began, ended, start


def _at(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=START + seconds)


def _uuids(store: Store, **asked: Any) -> list[int]:
    return [int(call.uuid.removeprefix("uuid-")) for call in store.calls(**asked).items]


def test_a_call_is_live_and_then_ended(store: Store) -> None:
    store.write([began(1)])
    call = store.call("uuid-000001")
    assert call is not None
    assert (call.started, call.answered, call.ended, call.hangup_cause) == (_at(1), None, None, "")
    store.write([ended(1, "USER_BUSY", "PromptError: no such file")])
    call = store.call("uuid-000001")
    assert call is not None
    assert (call.started, call.answered, call.ended) == (_at(1), _at(2), _at(6))
    assert (call.handler, call.caller, call.dialled, call.context) == ("apps.Balance", "01", "4100", "public")
    assert (call.direction, call.node, call.worker) == ("inbound", "ivr-1", "w1")
    assert (call.hangup_cause, call.error) == ("USER_BUSY", "PromptError: no such file")
    assert call.timeline == '[["play",0.1,2.5]]'


def test_a_call_that_was_turned_away_may_be_taken_later(store: Store) -> None:
    away = call_turned_away(start(1, handler=""), CallEnd(START + 2, "0", "SWITCH_CONGESTION", "", "refused", ()))
    for rows, told in (([away], ("", "refused")), ([began(1)], ("apps.Balance", "")), ([away], ("apps.Balance", ""))):
        store.write(rows)
        call = store.call("uuid-000001")
        assert call is not None
        assert (call.handler, call.error) == told
        assert (call.ended is None) == (call.handler != "")
    store.write([ended(1), away])
    assert _uuids(store, cause="NORMAL_CLEARING", state="ended") == [1]


@pytest.mark.parametrize("timeline", [lambda: '[{"verb":"answer"}]', lambda: 1 / 0])
def test_a_timeline_is_made_when_it_is_written(store: Store, timeline: Any) -> None:
    """One that cannot be made must not keep the row, or those behind it, from being written."""
    store.write([call_ended(start(1), CallEnd(START + 2, "0", "NORMAL_CLEARING", "x", "", timeline))])
    call = store.call("uuid-000001")
    assert call is not None
    assert call.timeline in ('[{"verb":"answer"}]', '[{"not_told":"ZeroDivisionError"}]')


@pytest.mark.parametrize("rows", [[ended(1), began(1)], [began(1), ended(1), began(1), ended(1)], [ended(1)]])
def test_rows_that_are_written_again_change_nothing(store: Store, rows: list[Row]) -> None:
    for row in rows:
        store.write([row])
    store.write(rows)
    (call,) = store.calls().items
    assert (call.ended, call.hangup_cause) == (_at(6), "NORMAL_CLEARING")


def test_all_of_a_batch_is_written_or_none(store: Store) -> None:
    wrong = recorded(id="r", call="c", path="p", state="no such state", started=START)
    with pytest.raises(Exception, match=r"(?i)check"):
        store.write([began(1), wrong])
    assert store.calls().items == []


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "'; DROP TABLE calls; --", "%s ? {} %(a)s", "é" * 5000])
def test_any_text_is_kept_as_far_as_it_is_text(store: Store, text: str) -> None:
    store.write([ended(1, caller=text, dialled=text, error=text)])
    (call,) = store.calls().items
    assert call.caller == call.error == text[:1024].replace("\0", "\ufffd").replace("\ud800", "?")
    assert store.calls(caller=text.replace("\ud800", "?")).items == ([call] if len(text) < 1024 else [])


def test_the_filters_of_calls(store: Store) -> None:
    rows = [ended(number, handler="apps.A" if number % 2 else "apps.B", caller=str(number % 3)) for number in range(8)]
    store.write([*rows, began(8, caller="1", dialled="9"), ended(9, "USER_BUSY", handler="apps.A")])
    assert _uuids(store) == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert _uuids(store, state="live") == [8]
    assert _uuids(store, state="ended") == [9, 7, 6, 5, 4, 3, 2, 1, 0]
    assert _uuids(store, handler="apps.A") == [9, 7, 5, 3, 1]
    assert _uuids(store, caller="1") == [8, 7, 4, 1]
    assert _uuids(store, caller="1", handler="apps.A", cause="NORMAL_CLEARING") == [7, 1]
    assert _uuids(store, dialled="9") == [8]
    assert _uuids(store, dialled="4100", cause="USER_BUSY") == [9]
    assert _uuids(store, cause="USER_BUSY", handler="apps.A") == [9]
    assert _uuids(store, since=_at(3), until=_at(6)) == [5, 4, 3]
    assert _uuids(store, state="ended", caller="1", since=_at(2), until=_at(8)) == [7, 4]


@pytest.mark.parametrize(
    "wrong", [{"state": "over"}, {"limit": 0}, {"limit": 1001}, {"limit": True}, {"since": datetime(2026, 1, 1)}]
)
def test_what_cannot_be_asked(store: Store, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^(state|a page|a time) (is|has) "):
        store.calls(**wrong)


def test_a_filter_that_there_is_not(store: Store) -> None:
    with pytest.raises(ValueError, match="calls has no filter colour"):
        store.calls(colour="red")
    with pytest.raises(ValueError, match="recordings has no filter colour"):
        store.recordings(colour="red")


def test_pages_have_each_row_once_whatever_comes_meanwhile(store: Store) -> None:
    # Many at the same moment, so that the key decides.
    store.write([ended(number, started=START + number // 10) for number in range(95)])
    seen, after = [], None
    while True:
        page = store.calls(after=after, limit=10)
        seen += [call.uuid for call in page.items]
        store.write([began(1000 + len(seen))])
        if page.after is None:
            break
        after = Cursor.parse(str(page.after))
    assert len(seen) == 95
    assert sorted(seen) == [f"uuid-{number:06}" for number in range(95)]


@pytest.mark.parametrize("text", ["", "1", "a.1", "1.", "-1.1", "1.1 ", "1.'", "9999999999999999999.1", "1.1\n"])
def test_what_is_no_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="is not where a page ended"):
        Cursor.parse(text)


def test_a_cursor_of_another_list_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="not where a page of calls ended"):
        store.calls(after=Cursor(1, "abc"))
    with pytest.raises(ValueError, match="not where a page of calls ended"):
        store.calls(after=Cursor(1, "9" * 30))


def test_calls_of_a_server_that_is_no_more_are_ended(store: Store) -> None:
    store.write([began(1), began(2, worker="w2"), began(3, node="ivr-2"), ended(4), began(50)])
    store.write([calls_lost("ivr-1", "w1", START + 10)])
    assert _uuids(store, state="live") == [50, 3, 2]
    lost = store.call("uuid-000001")
    assert lost is not None
    assert (lost.ended, lost.hangup_cause, lost.error) == (_at(10), "", "the server ended before the call did")


def _recording(number: int, state: str = "sealed", **more: Any) -> Row:
    return recorded(
        id=f"r{number:03}", call=f"c{number % 2}", path=f"2026/{number}.wav", state=state, started=START + number,
        bytes=100, **more,
    )  # fmt: skip


def test_recordings(store: Store) -> None:
    spans = [[1.5, 2.0]]
    store.write([_recording(1, seconds=2.5, mask_spans=spans, stopped=START + 4), _recording(2, "recording")])
    store.write([_recording(3, "degraded", handler="apps.A"), _recording(2, retention="year")])
    found = store.recording("r001")
    assert found is not None
    assert (found.seconds, found.mask_spans, found.stopped) == (2.5, "[[1.5,2.0]]", _at(4))
    assert [each.id for each in store.recordings().items] == ["r003", "r002", "r001"]
    assert [each.id for each in store.recordings(state="sealed").items] == ["r002", "r001"]
    assert [each.id for each in store.recordings(call="c1", handler="apps.A").items] == ["r003"]
    assert store.totals() == {"sealed": (2, 200), "degraded": (1, 100)}
    page = store.recordings(limit=2)
    assert page.after is not None
    assert [each.id for each in store.recordings(limit=2, after=page.after).items] == ["r001"]


def test_a_hold_is_put_released_and_audited(store: Store) -> None:
    store.write([_recording(1), _recording(2)])
    assert store.hold("r001", "case 7", by="ann", at=START)
    assert not store.hold("r999", "case 7", by="ann", at=START)
    found = store.recording("r001")
    assert found is not None
    assert (found.hold_reason, found.hold_by, found.held) == ("case 7", "ann", _at(0))
    assert [each.id for each in store.recordings(held=True).items] == ["r001"]
    assert [each.id for each in store.recordings(held=False).items] == ["r002"]
    assert store.release("r001", by="bob", at=START + 1)
    assert store.recordings(held=True).items == []
    assert [(row.who, row.action) for row in store.audit(subject="r001").items] == [
        ("bob", "recording.release"),
        ("ann", "recording.hold"),
    ]
    with pytest.raises(ValueError, match="reason"):
        store.hold("r001", " ", by="ann", at=START)


def test_exports_and_audit(store: Store) -> None:
    store.write([exported(id="e1", started=START, state="running"), exported(id="e2", started=START + 1, state="done")])
    store.write([exported(id="e1", started=START, state="failed", error="gone")])
    assert [(run.id, run.error) for run in store.exports(state="failed").items] == [("e1", "gone")]
    row = audited("ann", "recording.heard", "r001", at=START, seconds=3)
    store.write([row, row])
    (found,) = store.audit(who="ann", action="recording.heard").items
    assert (found.at, found.subject, found.detail) == (_at(0), "r001", '{"seconds":3}')


def test_columns_that_there_are_not() -> None:
    with pytest.raises(ValueError, match="unknown: colour; missing: call, path, state, started"):
        recorded(id="r", colour="red")


def test_a_time_has_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        to_microseconds(datetime(2026, 1, 1))
