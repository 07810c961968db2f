"""The outbound session at the end of every recorded call."""

from __future__ import annotations

import pytest

from fsivr.causes import HangupCause
from fsivr.errors import (
    Hangup,
)
from fsivr.esl.messages import Event
from tests.esl.control import Open, raised_by
from tests.esl.transcript import messages, names, stream
from tests.leaks import until

# -- a real switch's bytes ----------------------------------------------------------------


def outbound_transcripts() -> list[str]:
    """Those of an outbound socket with full control, which a session could have been at the end of."""
    return [
        name for name in names() if stream(name).startswith(b"Event-Name: CHANNEL_DATA\n") and _is_full(stream(name))
    ]


def _is_full(data: bytes) -> bool:
    head = data.partition(b"\n\n")[0]
    return b"\nSocket-Mode: async" in head and b"\nControl: full" in head


def expected_cause(name: str) -> HangupCause | None:
    """The cause that the first event of the dead channel names, and None where there is none."""
    for message in messages([stream(name)]):
        if isinstance(message, Event) and message.name in ("CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE"):
            return HangupCause[message.get("Hangup-Cause") or ""]
    return None


#: A transfer took the call away while the connection stayed (11d, 11e, 11f and 02g's last question), or the
#: dialplan went on without us; what comes later is another's call.
TAKEN_AWAY = {
    "02g_pagd_min_max_terminator": HangupCause.BLIND_TRANSFER,
    "11d_transfer_app_to_9200": HangupCause.BLIND_TRANSFER,
    "11e_transfer_app_nolinger": HangupCause.BLIND_TRANSFER,
    "11f_uuid_transfer_from_outside": HangupCause.BLIND_TRANSFER,
}


@pytest.mark.parametrize("name", outbound_transcripts())
def test_a_session_sees_the_end_of_a_recorded_call(open_session: Open, name: str) -> None:
    """All of a call's bytes, then the end of the stream: the cause is the recorded one, and every wait is over."""
    session, _ = open_session(
        lambda peer, packet: stream(name) if packet.command == "connect" else (peer.close_soon() or None)
    )
    session.connect()
    assert until(lambda: session.over)
    until(lambda: not session.connected)
    cause = TAKEN_AWAY.get(name, expected_cause(name))
    if cause is not None:
        assert session.hangup_cause is cause
    assert isinstance(raised_by(lambda: session.execute("answer")), Hangup)
    assert isinstance(raised_by(lambda: session.api("status")), Hangup)


def test_there_are_recorded_calls() -> None:
    assert len(outbound_transcripts()) > 90
