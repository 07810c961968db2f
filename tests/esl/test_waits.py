"""What ends a wait of the outbound session: an answer, a hangup, the end of the connection, a limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from fsivr.causes import HangupCause
from fsivr.errors import (
    CommandRefused,
    ConnectionLost,
    ESLError,
    Hangup,
    RemoteProtocolError,
    ReplyTimeout,
)
from fsivr.esl.orders import Limits
from tests.esl.control import SHORT, WAITS, Open, plays, raised_by
from tests.esl.peer import CONNECT_REPLY, OK, UUID, Peer, api_response, complete, event, hangup
from tests.esl.switch_rules import Packet
from tests.leaks import until

# -- what ends a wait -------------------------------------------------------------------------

ENDS: dict[str, tuple[Callable[[Peer], None], HangupCause, type[ESLError] | None]] = {
    "hangup": (lambda peer: peer.send(hangup("USER_BUSY")), HangupCause.USER_BUSY, None),
    "goodbye": (
        lambda peer: peer.send(b"Content-Type: text/disconnect-notice\nContent-Length: 0\n\n"),
        HangupCause.NORMAL_UNSPECIFIED,
        None,
    ),
    "lingering notice": (
        lambda peer: peer.send(
            b"Content-Type: text/disconnect-notice\nContent-Disposition: linger\nContent-Length: 0\n\n"
        ),
        HangupCause.NORMAL_UNSPECIFIED,
        None,
    ),
    "end of file": (lambda peer: peer.close(), HangupCause.NETWORK_OUT_OF_ORDER, ConnectionLost),
    "reset": (lambda peer: peer.reset(), HangupCause.NETWORK_OUT_OF_ORDER, ConnectionLost),
    "body cut short": (
        lambda peer: (peer.send(event("DTMF")[:-5]), peer.close()),  # type: ignore[dict-item]
        HangupCause.PROTOCOL_ERROR,
        RemoteProtocolError,
    ),
    "no event socket": (
        lambda peer: peer.send(b"Content-Length: much\n\n"),
        HangupCause.PROTOCOL_ERROR,
        RemoteProtocolError,
    ),
    "transfer": (
        lambda peer: peer.send(complete(Packet("sendmsg", [("execute-app-name", "socket")], None))),
        HangupCause.BLIND_TRANSFER,
        None,
    ),
}


#: A command is still answered after the hangup, while the connection lingers (FACTS 5.11): only
#: its end can leave one without an answer.
ENDS_OF_CONNECTION = ("end of file", "reset", "body cut short", "no event socket")


@pytest.mark.parametrize(
    ("wait", "end"),
    [(wait, end) for wait in WAITS for end in ENDS if "execute" in wait or end in ENDS_OF_CONNECTION],
)
def test_a_wait_ends(open_session: Open, wait: str, end: str) -> None:
    """No limit is shorter than a minute: what ends the wait is what happened."""
    act, cause, error = ENDS[end]
    started = []

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name") or (packet.command.startswith("api") and wait != "execute"):
            if not started:
                started.append(packet)
                gevent.spawn(act, peer)
            return OK if packet.get("execute-app-name") else None
        return NotImplemented

    session, _ = open_session(script)
    session.connect()
    waiting = gevent.spawn(lambda: raised_by(lambda: WAITS[wait](session)))
    waiting.join(20)
    assert isinstance(waiting.value, Hangup), waiting.value
    assert session.hangup_cause is cause
    assert waiting.value.cause is cause
    assert type(waiting.value.error) is (error or type(None))
    for again in WAITS.values():
        assert isinstance(raised_by(lambda again=again: again(session)), Hangup)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("wait", "order"),
    [
        ("api", "event first"),
        ("set_variable", "event first"),
        ("fetch_variable", "event first"),
        ("set_variable", "answer first"),
        ("fetch_variable", "answer first"),
    ],
)
def test_a_command_to_a_call_that_has_just_ended(open_session: Open, wait: str, order: str) -> None:
    """The switch says ``-ERR No such channel!``; to a handler that is a hangup as in any other verb.

    An ``api`` holds back the events (FACTS 2.8), so the answer can come before the event that explains it.
    """

    def script(peer: Peer, packet: Packet) -> Any:
        if not packet.command.startswith("api"):
            return NotImplemented
        answer = api_response("-ERR No such channel!\n")
        return hangup("USER_BUSY") + answer if order == "event first" else answer + hangup("USER_BUSY")

    session, _ = open_session(script)
    session.connect()
    error = raised_by(lambda: WAITS[wait](session))
    assert isinstance(error, Hangup)
    assert error.cause is HangupCause.USER_BUSY


def test_an_end_during_connect(open_session: Open) -> None:
    session, _ = open_session(lambda peer, packet: gevent.spawn(peer.close) and None)
    assert isinstance(raised_by(session.connect), Hangup)
    assert session.over


def test_a_switch_that_does_not_answer_connect(open_session: Open) -> None:
    session, peer = open_session(lambda peer, packet: None, SHORT)
    error = raised_by(session.connect)
    assert isinstance(error, Hangup)
    assert isinstance(error.error, ReplyTimeout)
    assert error.cause is HangupCause.RECOVERY_ON_TIMER_EXPIRE
    assert peer.wait_end()


@pytest.mark.parametrize("wait", WAITS)
def test_a_half_open_connection(open_session: Open, wait: str) -> None:
    silent = []
    session, peer = open_session(lambda peer, packet: None if silent else NotImplemented, SHORT)
    session.connect()
    until(lambda: len(peer.commands) == 5)
    silent.append(True)
    error = raised_by(lambda: WAITS[wait](session))
    assert isinstance(error, Hangup)
    assert isinstance(error.error, ReplyTimeout)
    assert peer.wait_end()


def test_a_connection_that_goes_silent_during_a_long_prompt_is_found_out(open_session: Open) -> None:
    """It answers that the prompt is queued, and nothing ever after."""
    asked: list[str] = []

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name"):
            return OK
        if packet.command.startswith("api"):
            asked.append(packet.command)
            return None
        return NotImplemented

    session, _ = open_session(script, SHORT)
    session.connect()
    error = raised_by(lambda: session.execute("playback", "long.wav"))
    assert isinstance(error, Hangup)
    assert isinstance(error.error, ReplyTimeout)
    assert asked == [f"api uuid_exists {UUID}"]


def test_a_call_that_the_switch_does_not_know_any_more(open_session: Open) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name"):
            return OK
        return api_response("false") if "uuid_exists" in packet.command else NotImplemented

    session, _ = open_session(script, SHORT)
    session.connect()
    error = raised_by(lambda: session.execute("playback", "long.wav"))
    assert isinstance(error, Hangup)
    assert error.error is None


def test_a_long_prompt_that_is_alive_goes_on(open_session: Open) -> None:
    probes: list[str] = []

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name"):
            sent.append(packet)
            return OK
        if "uuid_exists" in packet.command:
            probes.append(packet.command)
            if len(probes) == 3:
                peer.send(complete(sent[0]))
        return NotImplemented

    sent: list[Packet] = []
    session, _ = open_session(script, Limits(reply=5.0, probe=0.02, verb=60.0))
    session.limits = Limits(reply=0.5, probe=0.02, verb=60.0)
    session.connect()
    assert session.execute("playback", "long.wav").get("Application") == "playback"
    assert len(probes) == 3


def test_a_verb_that_takes_too_long_is_stopped_and_the_call_goes_on(open_session: Open) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name") == "playback":
            return OK
        return plays(peer, packet)

    session, peer = open_session(script)
    session.connect()
    error = raised_by(lambda: session.execute("playback", "long.wav", timeout=0.05))
    assert isinstance(error, ReplyTimeout)
    assert until(lambda: any(one.command == f"api uuid_break {UUID} all" for one in peer.commands))
    session.execute("answer")  # goes on
    assert not session.over


def test_an_unanswered_command_does_not_count_as_lost_before_its_time(open_session: Open) -> None:
    """A verb's own limit is shorter than the switch has to answer: the verb fails, and the call does not."""
    held: list[Packet] = []

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name") == "playback":
            held.append(packet)
            gevent.spawn_later(0.1, peer.send, OK)
            return None
        return plays(peer, packet)

    session, _ = open_session(script)
    session.connect()
    error = raised_by(lambda: session.execute("playback", "long.wav", timeout=0.02))
    assert isinstance(error, ReplyTimeout)
    assert not session.over
    session.execute("answer")


def test_a_refused_command(open_session: Open) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name"):
            return b"Content-Type: command/reply\nReply-Text: -ERR no\n\n"
        return api_response("-ERR No such channel!\n") if packet.command.startswith("api x") else NotImplemented

    session, _ = open_session(script)
    session.connect()
    with pytest.raises(CommandRefused, match="'playback': -ERR no"):
        session.execute("playback", "a")
    with pytest.raises(CommandRefused, match="'x': -ERR No such channel!"):
        session.api("x")
    assert not session.over


@pytest.mark.parametrize(
    "control", ["Socket-Mode: static\nControl: full", "Socket-Mode: async\nControl: single-channel"]
)
def test_a_socket_without_async_full_is_refused(open_session: Open, control: str) -> None:
    reply = CONNECT_REPLY.replace(b"Socket-Mode: async\nControl: full", control.encode())
    assert reply != CONNECT_REPLY
    session, _ = open_session(lambda peer, packet: reply if packet.command == "connect" else NotImplemented)
    with pytest.raises(CommandRefused, match="async full"):
        session.connect()


def test_events_of_others_wake_nobody(open_session: Open) -> None:
    """Ends of applications that were not ours: another id, the same application; twice; out of order."""
    order: list[str] = []

    def script(peer: Peer, packet: Packet) -> Any:
        if not packet.get("execute-app-name"):
            return NotImplemented
        stranger = Packet("sendmsg", [("execute-app-name", "playback"), ("Event-UUID", "someone-elses")], None)
        return OK + complete(stranger) + complete(Packet("sendmsg", [("execute-app-name", "playback")], None))

    session, peer = open_session(script)
    session.connect()
    waiting = gevent.spawn(lambda: (session.execute("playback", "a.wav"), order.append("ours")))
    until(lambda: peer.executed)
    gevent.sleep(0.05)
    assert order == []
    peer.send(complete(peer.executed[0]) * 2)
    waiting.join(10)
    assert order == ["ours"]


def test_an_end_may_come_before_its_reply(open_session: Open) -> None:
    session, _ = open_session(
        lambda peer, packet: complete(packet) + OK if packet.get("execute-app-name") else NotImplemented
    )
    session.connect()
    assert session.execute("playback", "a.wav").get("Application-Response") == "FILE PLAYED"
    assert session.api("status") == "+OK\n"  # the late reply was not taken for this one's
