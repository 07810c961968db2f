"""The cause of a call whose switch says it late, or not at all."""

from __future__ import annotations

from typing import Any

import gevent

from fsivr.causes import HangupCause
from fsivr.errors import Hangup
from tests.esl.control import Open, raised_by
from tests.esl.peer import Peer, api_response, hangup
from tests.esl.switch_rules import Packet
from tests.leaks import until

LINGERS = b"Content-Type: text/disconnect-notice\nContent-Disposition: linger\nContent-Length: 0\n\n"


def test_the_cause_that_comes_after_the_notice_is_the_right_one(open_session: Open) -> None:
    session, peer = open_session(lambda peer, packet: NotImplemented)
    session.connect()
    peer.send(LINGERS)
    until(lambda: session.over)
    assert session.hangup_cause is HangupCause.NORMAL_UNSPECIFIED
    peer.send(hangup("USER_BUSY"))
    until(lambda: session.hangup_cause is HangupCause.USER_BUSY)
    peer.send(hangup("NORMAL_CLEARING"))
    gevent.sleep(0.05)
    assert session.hangup_cause is HangupCause.USER_BUSY


def test_a_call_that_we_hung_up_ended_with_our_cause(open_session: Open) -> None:
    """As on a busy switch, whose event with the cause came a quarter of a second after the notice."""

    def script(peer: Peer, packet: Packet) -> Any:
        if "uuid_kill" not in packet.command:
            return NotImplemented
        gevent.spawn(peer.send, LINGERS)
        return api_response("+OK")

    session, _ = open_session(script)
    session.connect()
    session.kill(HangupCause.SERVICE_NOT_IMPLEMENTED)
    until(lambda: session.over)
    error = raised_by(lambda: session.execute("answer"))
    assert isinstance(error, Hangup)
    assert error.cause is session.hangup_cause is HangupCause.SERVICE_NOT_IMPLEMENTED
