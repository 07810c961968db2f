"""What was sent may be secret: an error names the command and no more of it."""

from __future__ import annotations

import pytest
from greenswitch.esl import OutboundSessionHasGoneAway

from fsivr.errors import ReplyTimeout
from fsivr.esl.orders import Limits
from tests.esl.control import Open
from tests.esl.inbound import Connect, Listen
from tests.esl.peer import default


@pytest.mark.parametrize(
    "sent", ["setvar pin 4711", "api uuid_setvar x pin 4711", "sendmsg\ncall-command:4711", "sendmsg x\npin: 4711"]
)
def test_a_session_that_is_not_answered_tells_no_more_than_the_command(open_session: Open, sent: str) -> None:
    session, _ = open_session(
        lambda peer, packet: None if "4711" in str(packet) else default(packet), Limits(0.05, 60.0, 60.0)
    )
    session.connect()
    with pytest.raises(OutboundSessionHasGoneAway) as told:
        session.send(sent)
    assert isinstance(session.error, ReplyTimeout)
    assert f"did not answer {sent.split()[0]!r}" in str(session.error)
    assert "4711" not in f"{told.value} {session.error}"


@pytest.mark.parametrize("sent", ["api uuid_setvar x pin 4711", "sendmsg\ncall-command:4711", "userauth x:4711"])
def test_a_client_that_is_not_answered_tells_no_more_than_the_command(
    listen: Listen, client: Connect, sent: str
) -> None:
    server = listen(answer=lambda peer, packet: None if "4711" in str(packet) else NotImplemented)
    one = client(server, timeout=0.2)
    with pytest.raises(ReplyTimeout, match=f"did not answer {sent.split()[0]!r}") as told:
        one.send(sent)
    assert "4711" not in str(told.value)
