"""The outbound session on the wire: what it sends, and how it ends a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest
from greenswitch.esl import OutboundSession, OutboundSessionHasGoneAway

from fsivr.causes import HangupCause
from fsivr.errors import (
    Hangup,
    LocalProtocolError,
    ReplyTimeout,
)
from tests.esl.control import SHORT, Open, plays, raised_by
from tests.esl.peer import OK, UUID, Peer, api_response, complete, hangup
from tests.esl.switch_rules import Packet
from tests.leaks import until

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
