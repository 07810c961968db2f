"""Ends of calls that go wrong: each is told once, and leaves nothing."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from gevent.event import Event as Flag
from gevent.monkey import get_original

from fsivr import Call, Hangup, HangupCause
from fsivr.config import Settings
from fsivr.errors import ConfigError
from fsivr.server import Server
from tests.esl.peer import CONNECT_REPLY, OK, Peer, hangup
from tests.esl.switch_rules import Packet
from tests.leaks import until
from tests.server.handlers import kills, plays, watched
from tests.server.serving import Returning, Serve, Waiting

plain_socket = get_original("socket", "socket")


def mute(peer: Peer, packet: Packet) -> Any:
    """A switch that takes applications and answers nothing that is asked of it."""
    return None if packet.command.startswith("api") else plays(peer, packet)


def test_an_on_hangup_that_outstays_its_reminders_is_told_of_once(serve: Serve) -> None:
    returned = Flag()

    def on_hangup(self: Any, call: Call) -> None:
        for _ in range(3):
            try:  # noqa: SIM105
                gevent.sleep(30)
            except Hangup:
                pass
        gevent.sleep(0.1)  # and returns when it has been left behind
        returned.set()

    serving = serve(watched(lambda call: None, on_hangup=on_hangup), hangup_grace=0.01)
    serving.call(plays)
    assert returned.wait(5)
    assert serving.settled()
    assert len(serving.ended) == 1
    assert serving.server.abandoned == 1


def test_a_stop_ends_calls_of_a_switch_that_answers_nothing(serve: Serve) -> None:
    kind = watched(lambda call: gevent.sleep(60))
    serving = serve(kind, hangup_grace=0.02, reply_timeout=0.1)
    serving.call(mute)
    assert until(lambda: len(serving.server.calls) == 1)
    serving.server.stop(0)
    assert serving.server.ports_in_use == 0
    assert kind.seen == [HangupCause.MANAGER_REQUEST]


def test_the_limit_of_a_call_names_its_cause_though_the_switch_is_silent(serve: Serve) -> None:
    kind = watched(lambda call: gevent.sleep(60))
    serving = serve(kind, hangup_grace=0.02, reply_timeout=0.1, call_limit=0.05)
    serving.call(mute)
    assert serving.settled()
    assert kind.seen == [HangupCause.ALLOTTED_TIMEOUT]


def test_a_socket_without_full_is_hung_up_at_once_in_the_words_it_takes(serve: Serve) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if packet.command == "connect":
            return CONNECT_REPLY.replace(b"Control: full", b"Control: single-channel")
        if packet.get("call-command") == "hangup":
            return OK + hangup(packet.get("hangup-cause") or "")
        return NotImplemented

    serving = serve(Returning)
    peer = serving.call(script)
    assert peer.wait_end(5)
    told = [one.get("hangup-cause") for one in peer.commands if one.get("call-command") == "hangup"]
    assert told == ["NORMAL_TEMPORARY_FAILURE"]
    assert kills(peer) == []


def test_calls_that_wait_to_be_taken_are_refused_in_words_by_a_stop(serve: Serve) -> None:
    serving = serve(Waiting, reply_timeout=0.5)
    waiting = [plain_socket() for _ in range(5)]  # they connect without giving the server a turn
    for sock in waiting:
        sock.connect(serving.server.address)
    serving.server.stop(0)
    for sock in waiting:
        with sock:
            assert b"hangup-cause: SWITCH_CONGESTION" in sock.recv(65536)
    assert serving.server.refused == 5


def test_a_host_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match="listen"):
        Server([], Settings.defaults(listen="a" * 70 + ":0")).start()  # type: ignore[arg-type]
