"""What runs on while other things are done: its end, its rounds, and what is watched."""

from __future__ import annotations

import logging
import time
from typing import Any

import gevent
import pytest

from fsivr.causes import HangupCause
from fsivr.errors import Hangup
from fsivr.esl.orders import Limits
from tests.esl.control import LONG, Open
from tests.esl.peer import CONNECT_REPLY, OK, UUID, Peer, api_response, complete, event, hangup
from tests.esl.switch_rules import Packet
from tests.leaks import until


class Loop:
    """A switch that repeats one application until it is told to end it."""

    def __init__(self) -> None:
        self.packet: Packet | None = None
        self.looping = False
        self.breaks = 0
        #: How many orders to end it come too early, at the end of a round.
        self.missed = 0

    def __call__(self, peer: Peer, packet: Packet) -> Any:
        if packet.get("loops"):
            self.packet, self.looping = packet, True
            return OK
        if packet.command.startswith("api uuid_break"):
            self.breaks += 1
            if not self.looping:
                return api_response("+OK\n")
            self.looping = self.missed >= self.breaks
            return api_response("+OK\n") + self.round()
        if "total_loops" in packet.command:
            return api_response("-1" if self.looping else "_undef_")
        if packet.get("execute-app-name"):
            return OK + complete(packet)
        return NotImplemented

    def round(self, milliseconds: int = 2000, said: str = "FILE%20PLAYED") -> bytes:
        assert self.packet is not None
        return complete(self.packet, said, {"variable_playback_ms": str(milliseconds)})


def test_it_is_told_to_end_and_has_ended(open_session: Open) -> None:
    loop = Loop()
    session, peer = open_session(loop)
    session.connect()
    running = session.begin("playback", "hold.wav", loops=-1)
    session.execute("playback", "inside.wav")
    assert running.stop() == "FILE PLAYED"
    assert loop.breaks == 1
    session.execute("playback", "after.wav")
    sent = [one.get("execute-app-arg") or one.command for one in peer.commands[5:]]
    assert sent == [
        "hold.wav",
        "inside.wav",
        f"api uuid_break {UUID}",
        f"api uuid_getvar {UUID} total_loops",
        "after.wav",
    ]
    assert session._completions == {}


def test_the_switch_tells_of_the_last_round_before_it_is_done_with_the_loop(open_session: Open) -> None:
    """Its variable is there a moment longer than its end, and no further end comes."""

    class Late(Loop):
        asked = 0

        def __call__(self, peer: Peer, packet: Packet) -> Any:
            if "total_loops" in packet.command:
                self.asked += 1
                return api_response("-1" if self.asked == 1 else "_undef_")
            return super().__call__(peer, packet)

    loop = Late()
    session, _ = open_session(loop)
    session.connect()
    assert session.begin("playback", "hold.wav", loops=-1).stop() == "FILE PLAYED"
    assert loop.asked == 2


def test_rounds_that_end_by_themselves_are_not_its_end(open_session: Open) -> None:
    loop = Loop()
    session, peer = open_session(loop)
    session.connect()
    running = session.begin("playback", "hold.wav", loops=-1)
    assert until(lambda: loop.packet)
    for _ in range(3):
        peer.send(loop.round())
    gevent.sleep(0.02)
    assert not running.finished
    assert running.stop() == "FILE PLAYED"
    assert not loop.looping


def test_an_order_that_meets_the_end_of_a_round_is_given_again(open_session: Open) -> None:
    """The next round had begun, and what is executed in it would undo the order."""
    loop = Loop()
    loop.missed = 1
    session, _ = open_session(loop)
    session.connect()
    running = session.begin("playback", "hold.wav", loops=-1)
    running.stop()
    assert loop.breaks == 2
    assert not loop.looping


def test_what_cannot_be_played_has_ended(open_session: Open) -> None:
    loop = Loop()
    session, peer = open_session(loop)
    session.connect()
    running = session.begin("playback", "hold.wav", loops=-1)
    assert until(lambda: loop.packet)
    peer.send(loop.round(0, "FILE%20NOT%20FOUND"))
    assert until(lambda: running.finished)
    assert running.stop() == "FILE NOT FOUND"
    assert loop.breaks == 0


def test_what_runs_once_has_ended_by_itself(open_session: Open) -> None:
    session, peer = open_session(lambda peer, packet: OK if packet.get("execute-app-name") else NotImplemented)
    session.connect()
    running = session.begin("playback", "once.wav")
    assert until(lambda: peer.executed)
    peer.send(complete(peer.executed[0]))
    assert until(lambda: running.finished)
    assert running.stop() == "FILE PLAYED"
    assert not [one for one in peer.commands if "uuid_break" in one.command]


def test_a_short_round_may_have_been_the_last(open_session: Open) -> None:
    """What takes less than half a second is not repeated (capture ``06h_loops``)."""
    loop = Loop()
    session, peer = open_session(loop)
    session.connect()
    running = session.begin("playback", "beep.wav", loops=-1)
    assert until(lambda: loop.packet)
    peer.send(loop.round(200))
    loop.looping = False
    assert until(lambda: running._doubtful)
    before = time.monotonic()
    running.stop()
    assert time.monotonic() - before < 30  # not the limit of a minute
    assert session._completions == {}


def test_a_short_round_that_was_repeated_is_ended(open_session: Open) -> None:
    """The switch measures what ran inside it, too."""
    loop = Loop()
    session, peer = open_session(loop)
    session.connect()
    running = session.begin("playback", "beep.wav", loops=-1)
    assert until(lambda: loop.packet)
    peer.send(loop.round(200))
    assert until(lambda: running._doubtful)
    running.stop()
    assert not loop.looping


def test_a_switch_that_does_not_end_it_is_told_of(open_session: Open, caplog: pytest.LogCaptureFixture) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        return OK if packet.get("execute-app-name") else NotImplemented

    session, _ = open_session(script, Limits(reply=0.05, probe=60.0, verb=60.0))
    session.connect()
    session.begin("playback", "hold.wav", loops=-1).stop()
    assert [one.message for one in caplog.records if one.levelno == logging.WARNING] == [
        "the switch did not end playback within 0.05 s"
    ]


def test_the_hangup_ends_the_wait_for_its_end(open_session: Open) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if packet.command.startswith("api uuid_break"):
            return api_response("+OK\n") + hangup("USER_BUSY")
        return OK if packet.get("execute-app-name") else NotImplemented

    session, _ = open_session(script)
    session.connect()
    running = session.begin("playback", "hold.wav", loops=-1)
    with pytest.raises(Hangup) as raised:
        running.stop()
    assert raised.value.cause is HangupCause.USER_BUSY
    assert running.stop() == ""


def test_a_verb_that_is_left_ends_what_runs_around_it(open_session: Open) -> None:
    loop = Loop()

    def script(peer: Peer, packet: Packet) -> Any:
        return OK if packet.get("execute-app-arg") == "long.wav" else loop(peer, packet)

    session, _ = open_session(script)
    session.connect()
    running = session.begin("playback", "hold.wav", loops=-1)
    with gevent.Timeout(0.05, False):  # type: ignore[arg-type]
        session.execute("playback", "long.wav")
    assert until(lambda: running.finished)
    running.stop()
    assert loop.breaks == 1


# -- watching -----------------------------------------------------------------------------------


def test_an_event_is_asked_for_once_and_told_to_each(open_session: Open) -> None:
    session, peer = open_session(lambda peer, packet: NotImplemented)
    session.connect()
    told: list[tuple[int, str | None]] = []
    cancels = [
        session.watch("DTMF", lambda event, who=who: told.append((who, event.get("DTMF-Digit")))) for who in (1, 2)
    ]
    session.api("status")
    assert [one.command for one in peer.commands[5:]] == ["event plain DTMF", "api status"]
    peer.send(event("DTMF", {"DTMF-Digit": "%23"}))
    assert until(lambda: len(told) == 2)
    cancels[0]()
    cancels[0]()
    peer.send(event("DTMF", {"DTMF-Digit": "1"}))
    assert until(lambda: len(told) == 3)
    assert told == [(1, "#"), (2, "#"), (2, "1")]


def test_a_fresh_description_is_what_is_known_from_then_on(open_session: Open) -> None:
    fresh = CONNECT_REPLY.replace(b"variable_direction: inbound", b"variable_direction: fresh")
    asked: list[str] = []

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.command != "connect":
            return NotImplemented
        asked.append("connect")
        return fresh if len(asked) > 1 else CONNECT_REPLY

    session, _ = open_session(script, LONG)
    session.connect()
    assert session.channel.get("variable_direction") == "inbound"
    session.refresh()
    assert session.channel.get("variable_direction") == "fresh"


def test_a_call_that_is_over_is_not_described_anew(open_session: Open) -> None:
    session, peer = open_session()
    session.connect()
    peer.send(hangup())
    assert until(lambda: session.over)
    before = len(peer.commands)
    for verb in (session.refresh, lambda: session.begin("playback", "a.wav")):
        with pytest.raises(Hangup):
            verb()
    assert len(peer.commands) == before
