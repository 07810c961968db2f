"""The outbound session on the wire: what it sends, what ends its waits, what it makes of a real switch's bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent import socket
from greenswitch.esl import OutboundSession, OutboundSessionHasGoneAway

from fsivr.causes import HangupCause
from fsivr.errors import (
    CommandRefused,
    ConnectionLost,
    ESLError,
    Hangup,
    LocalProtocolError,
    RemoteProtocolError,
    ReplyTimeout,
)
from fsivr.esl.control import Limits
from fsivr.esl.messages import Event
from fsivr.esl.session import Session
from tests.esl.peer import CONNECT_REPLY, OK, UUID, Peer, api_response, complete, event, hangup
from tests.esl.switch_rules import Packet
from tests.esl.transcript import messages, names, stream
from tests.leaks import left, nothing_more_than, until

#: Longer than any test may take: where a test ends, it was not because a limit of these ran out.
LONG = Limits(reply=60.0, probe=60.0, verb=60.0)
SHORT = Limits(reply=0.05, probe=0.05, verb=60.0)

Open = Callable[..., tuple[Any, Peer]]


@pytest.fixture
def open_session() -> Iterator[Open]:
    """A session and its far end; at the end nothing of either may be left."""
    before, opened = left(), []

    def make(script: Any = None, limits: Limits = LONG) -> tuple[Any, Peer]:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            ours = socket.create_connection(listener.getsockname())
            theirs, address = listener.accept()
        peer = Peer(ours, script)
        session = Session(address, theirs, limits)
        opened.append((session, peer))
        return session, peer

    yield make
    for session, peer in opened:
        session.close()
        peer.close()
    nothing_more_than(before)


def plays(peer: Peer, packet: Packet) -> Any:
    """Every application ends at once."""
    return OK + complete(packet) if packet.get("execute-app-name") else NotImplemented


def raised_by(function: Callable[[], Any]) -> BaseException:
    try:
        function()
    except BaseException as error:
        return error
    pytest.fail("it raised nothing")


# -- what is sent ----------------------------------------------------------------------


def test_the_start_is_one_write(open_session: Open) -> None:
    writes: list[bytes] = []
    session, peer = open_session(lambda peer, packet: NotImplemented)
    real = peer.sock.recv
    peer._reader.kill()

    def recv(size: int) -> bytes:
        data = real(size)
        writes.append(data)
        return data

    peer.sock = _Recording(peer.sock, recv)
    peer._reader = gevent.spawn(peer._read)
    session.connect()
    assert len(writes) == 1
    assert [one.command for one in peer.commands] == [
        "connect",
        "linger 10",
        "myevents",
        "noevents",
        "event plain CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE",
    ]


class _Recording:
    def __init__(self, sock: Any, recv: Callable[[int], bytes]) -> None:
        self._sock, self.recv = sock, recv

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def test_a_single_application_is_not_locked_and_several_are(open_session: Open) -> None:
    session, peer = open_session(plays)
    session.connect()
    session.execute("answer")
    session.execute_all([("playback", "a.wav"), ("playback", "b.wav"), ("say", "en NUMBER PRONOUNCED 1")])
    assert [one.get("event-lock") for one in peer.executed] == [None, "true", "true", "true"]
    ids = [one.get("Event-UUID") for one in peer.executed]
    assert len(set(ids)) == 4
    assert all(one and "%" not in one for one in ids)  # FACTS 3.1


def test_several_applications_are_one_write(open_session: Open) -> None:
    """All are there before the first has begun, so nothing is heard between them."""
    seen: list[int] = []

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-arg") == "1":
            seen.append(peer.received.count(b"execute-app-arg"))
        return plays(peer, packet)

    session, _ = open_session(script)
    session.connect()
    session.execute_all([("playback", str(number)) for number in range(1, 8)])
    assert seen == [7]


def test_no_more_is_queued_than_the_switch_takes(open_session: Open) -> None:
    """With 256 commands waiting FreeSWITCH drops the connection (06i)."""
    queued: list[Packet] = []
    most = 0

    def script(peer: Peer, packet: Packet) -> Any:
        nonlocal most
        if not packet.get("execute-app-name"):
            return NotImplemented
        queued.append(packet)
        most = max(most, len(queued))
        gevent.spawn_later(0.01, finish, peer)
        return OK

    def finish(peer: Peer) -> None:
        peer.send(complete(queued.pop(0)))

    session, peer = open_session(script)
    session.connect()
    ended = session.execute_all([("playback", str(number)) for number in range(300)])
    assert len(ended) == 300
    assert most < 256
    assert [one.get("execute-app-arg") for one in peer.executed] == [str(number) for number in range(300)]


def test_what_is_posted_travels_with_the_next_command(open_session: Open) -> None:
    session, peer = open_session(plays)
    session.connect()
    before = len(peer.commands)
    session.post("uuid_setvar_multi", f"{UUID} a=b")
    gevent.sleep(0.02)
    assert len(peer.commands) == before
    session.execute("answer")
    assert [one.command.split(" ")[0] for one in peer.commands[before:]] == ["api", "sendmsg"]


def test_a_long_argument_without_block(open_session: Open) -> None:
    """greenswitch sends what is long or starts with a blank as it is; so it must arrive here too."""
    session, peer = open_session(plays)
    session.connect()
    for argument in ("x=" + "a" * 6000, " leading", "two\nlines"):
        session.call_command("set", argument)
        packet = peer.executed[-1]
        assert (packet.body or packet.get("execute-app-arg")) == argument


@pytest.mark.parametrize("value", ["a b", "it's", "a\\n", "two\nlines", "${system(id)}", "é;x=y", " ", "%41", "'"])
def test_a_variable_gets_exactly_this_text(open_session: Open, value: str) -> None:
    from tests.esl.switch_rules import separate

    session, peer = open_session()
    session.connect()
    session.set_variable("note", value)
    command = peer.commands[-1].command
    assert command.startswith("api uuid_setvar ")
    assert separate(command.removeprefix("api uuid_setvar ")) == [UUID, "note", value]


def test_getvar_is_not_sent(open_session: Open) -> None:
    """Its answer is cut at 511 bytes and falls apart at a line break (FACTS 2.7)."""
    session, peer = open_session(
        lambda peer, packet: api_response("two\nlines") if "uuid_getvar" in packet.command else NotImplemented
    )
    session.connect()
    assert session.send("getvar note").data == "two\nlines"
    assert session.fetch_variable("note") == "two\nlines"
    assert not any(one.command.startswith("getvar") for one in peer.commands)


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

WAITS: dict[str, Callable[[Any], Any]] = {
    "execute": lambda session: session.execute("playback", "a.wav"),
    "execute_all": lambda session: session.execute_all([("playback", "a.wav"), ("playback", "b.wav")]),
    "api": lambda session: session.api("status"),
    "set_variable": lambda session: session.set_variable("a", "b"),
    "fetch_variable": lambda session: session.fetch_variable("a"),
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


def test_the_completions_come_back_in_the_order_asked(open_session: Open) -> None:
    held: list[Packet] = []

    def script(peer: Peer, packet: Packet) -> Any:
        if not packet.get("execute-app-name"):
            return NotImplemented
        held.append(packet)
        if len(held) == 3:
            gevent.spawn(lambda: [peer.send(complete(one, one.get("execute-app-arg") or "")) for one in reversed(held)])
        return OK

    session, _ = open_session(script)
    session.connect()
    ended = session.execute_all([("playback", name) for name in "abc"])
    assert [one.get("Application-Response") for one in ended] == ["a", "b", "c"]


def test_a_hostile_argument_reaches_nothing(open_session: Open) -> None:
    session, peer = open_session(plays)
    session.connect()
    session.execute("set", "a=b\n\nexit\n\n")
    with pytest.raises(LocalProtocolError):
        session.execute("playback\n\nexit", "a")
    with pytest.raises(LocalProtocolError):
        session.execute("set", "a=\0")
    with pytest.raises(LocalProtocolError):
        session.api("uuid_setvar", "a b\n\nexit")
    assert session.execute("set", "after=1") is not None  # and the ids are still in step
    assert not [one for one in peer.commands if one.command.startswith("exit")]
    assert peer.executed[0].body == "a=b\n\nexit\n\n"


# -- the end, from our side ------------------------------------------------------------------


def test_end_hangs_up_waits_for_the_last_event_and_closes(open_session: Open) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if "uuid_kill" in packet.command:
            return api_response("+OK\n") + hangup("CALL_REJECTED")
        return NotImplemented

    session, peer = open_session(script)
    session.connect()
    session.end(HangupCause.CALL_REJECTED)
    assert session.hangup_cause is HangupCause.CALL_REJECTED
    assert session.error is None
    assert peer.wait_end()
    assert [one.command for one in peer.commands if "kill" in one.command] == [f"api uuid_kill {UUID} CALL_REJECTED"]


def test_end_against_a_silent_switch_ends(open_session: Open) -> None:
    silent = []
    session, peer = open_session(lambda peer, packet: None if silent else NotImplemented, SHORT)
    session.connect()
    silent.append(True)
    session.end(HangupCause.NORMAL_CLEARING)
    assert session.over
    assert isinstance(session.error, ReplyTimeout)
    assert peer.wait_end()


def test_release_gives_the_call_back(open_session: Open) -> None:
    session, peer = open_session()
    session.connect()
    session.release()
    assert until(lambda: peer.commands[-1].command == "exit")
    assert session.over
    assert session.released


def test_close_ends_the_waits_of_others(open_session: Open) -> None:
    session, peer = open_session(lambda peer, packet: OK if packet.get("execute-app-name") else NotImplemented)
    session.connect()
    waiting = gevent.spawn(lambda: raised_by(lambda: session.execute("playback", "a.wav")))
    until(lambda: peer.executed)
    session.close()
    waiting.join(10)
    assert isinstance(waiting.value, Hangup)


def test_it_is_greenswitchs(open_session: Open) -> None:
    session, peer = open_session()
    assert isinstance(session, OutboundSession)
    session.connect()
    assert session.uuid == UUID
    assert session.call_uuid == UUID
    assert session.caller_id_number == "5557777"
    assert session.session_data["Caller-Destination-Number"] == "1000"
    assert session.connect()["Caller-Destination-Number"] == "1000"  # greenswitch's second connect gives the data
    peer.close()
    until(lambda: session.over)
    with pytest.raises(OutboundSessionHasGoneAway):
        session.raise_if_disconnected()
    with pytest.raises(OutboundSessionHasGoneAway):
        session.playback("a.wav")
