"""What is kept of calls that no handler got."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gevent.event import Event as Flag

from fsivr import Call, CommandRefused, Dialplan, Extension, Handler, Hangup, HangupCause
from fsivr.esl.session import Session
from fsivr.server.refusal import Refused
from fsivr.store.rows import CallEnd, CallStart, call_began, call_ended, call_turned_away
from tests.esl.peer import CONNECT_REPLY
from tests.server.kept import Kept


@pytest.fixture
def kept(switch: Any, tmp_path: Path) -> Iterator[Kept]:
    opened = Kept(switch, tmp_path)
    yield opened
    opened.close()


def _holds(kept: Kept, **options: Any) -> Any:
    """The row of a call for which there was no port, while another was held."""
    go = Flag()
    kept._run = lambda call: go.wait() and None
    with kept.switch.call("1000") as first:
        first.waits(0.1)
        with kept.switch.call("2000", caller_number="0123") as second:
            second.join()
        go.set()
    return kept.row(second.uuid)


@pytest.mark.fsivr(ports=1)
def test_a_call_that_there_was_no_port_for(kept: Kept) -> None:
    row = _holds(kept)
    assert (row.handler, row.hangup_cause, row.error) == ("", "SWITCH_CONGESTION", "refused: every port was in use")
    assert (row.caller, row.dialled, row.context, row.direction, row.node) == (
        "0123",
        "2000",
        "public",
        "inbound",
        "here",
    )
    assert row.ended >= row.started
    assert (row.answered, row.timeline) == (None, "[]")


@pytest.mark.fsivr(ports=1, when_full="continue")
def test_one_that_the_dialplan_goes_on_with_has_no_cause(kept: Kept) -> None:
    assert _holds(kept).hangup_cause == ""


def test_a_call_of_a_server_that_stops(kept: Kept) -> None:
    kept.switch.server._refusing = True
    row = kept.call(lambda call: None)
    assert row.error == "refused: the server was stopping"
    assert kept.switch.server.refused == 1


def test_a_number_that_no_extension_answers(kept: Kept) -> None:
    row = kept.call(lambda call: None, number="nobody")
    assert (row.handler, row.hangup_cause, row.error) == ("", "NO_ROUTE_DESTINATION", "no extension answers it")


def test_a_caller_who_is_gone_is_not_known(kept: Kept) -> None:
    with kept.switch.call("1000", gone_before_connect=True) as caller:
        caller.join()
    assert kept.journal.flush(10)
    assert kept.store.calls().items == []


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (CommandRefused("no async full"), "CommandRefused: no async full"),
        (Hangup(HangupCause.ORIGINATOR_CANCEL), "over before its handler"),
    ],
)
def test_a_call_that_is_over_before_its_handler(kept: Kept, monkeypatch: Any, error: BaseException, told: str) -> None:
    attach = Session.attach

    def attaching(session: Session) -> Any:
        attach(session)
        raise error

    monkeypatch.setattr(Session, "attach", attaching)
    row = kept.call(lambda call: None)
    assert (row.handler, row.error) == ("", told)
    assert row.hangup_cause == ("NORMAL_TEMPORARY_FAILURE" if "async" in told else "ORIGINATOR_CANCEL")


@pytest.mark.parametrize("said", [b"", b"junk", b"\n\n", b"Content-Type: auth/request\n\n", CONNECT_REPLY[:500]])
def test_what_describes_no_channel(said: bytes) -> None:
    refused = Refused(said)
    assert (refused.channel, refused.uuid, refused.fetch_variable("x")) == (None, "", None)


def test_what_describes_one() -> None:
    assert Refused(CONNECT_REPLY + b"Content-Type: command/reply\nReply-Text: +OK\n\n").uuid


START = CallStart("uuid-1", "apps.x.X", "1", "2", "public", "inbound", 1.0, "here", "")
AWAY = START._replace(handler="")
ENDED = CallEnd(2.0, "0", HangupCause.NORMAL_CLEARING.name, "apps.x.X", "", ())
REFUSED = CallEnd(1.5, "0", HangupCause.SWITCH_CONGESTION.name, "", "refused", ())


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 2, 0), (2, 1, 0), (2, 0, 1), (0, 2, 1)])
def test_a_call_refused_here_and_taken_there_is_one_that_was_taken(kept: Kept, order: tuple[int, ...]) -> None:
    rows = [call_turned_away(AWAY, REFUSED), call_began(START), call_ended(START, ENDED)]
    for number in order:
        kept.store.write([rows[number]])
    assert (kept.row("uuid-1").handler, kept.row("uuid-1").hangup_cause) == ("apps.x.X", "NORMAL_CLEARING")


def test_a_call_that_was_refused_and_is_taken_is_live(kept: Kept) -> None:
    kept.store.write([call_turned_away(AWAY, REFUSED), call_began(START)])
    row = kept.row("uuid-1", ended=False)
    assert (row.handler, row.ended, row.error) == ("apps.x.X", None, "")


class Twice(Handler):
    def run(self, call: Call) -> None:
        call.transfer("again")


def test_a_call_that_comes_back_keeps_its_row(switch: Any, tmp_path: Path) -> None:
    kept = Kept(switch, tmp_path, Dialplan([Extension("1000", Twice)]))
    switch.extensions["again"] = [("socket", "{}:{} async full".format(*switch.server.address))]
    with switch.call("1000") as caller:
        caller.join()
    row = kept.row(caller.uuid)
    assert (row.handler.rpartition(".")[2], row.hangup_cause) == ("Twice", "BLIND_TRANSFER")
    assert caller.hangup_cause is HangupCause.NO_ROUTE_DESTINATION
    kept.close()
