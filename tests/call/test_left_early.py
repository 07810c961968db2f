"""Verbs that are left before they end, and values that look like something else."""

from __future__ import annotations

import logging
from typing import Any

import gevent
import pytest

from fsivr import Dialplan, Extension, Hangup, HangupCause
from fsivr.errors import ConfigError, LocalProtocolError, ReplyTimeout
from fsivr.esl import commands
from fsivr.esl.messages import event
from fsivr.prompts import Say
from tests.call.conversations import Open, plays
from tests.esl.peer import OK, UUID, Peer, api_response
from tests.esl.switch_rules import Packet


def test_what_a_timeout_left_is_stopped_before_the_next_verb(open_call: Open) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        return OK if packet.get("execute-app-arg") == "long.wav" else plays(peer, packet)

    call, peer = open_call(script)
    with gevent.Timeout(0.05, False):  # type: ignore[arg-type]
        call.play("long")
    call.play("after")
    sent = [one.get("execute-app-arg") or one.command for one in peer.commands]
    assert sent[sent.index("long.wav") + 1 :] == [f"api uuid_break {UUID} all", "after.wav"]


def test_a_hangup_is_told_once_and_quietly(open_call: Open, caplog: pytest.LogCaptureFixture) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if "uuid_kill" in packet.command:
            return api_response("-ERR No such channel!\n")  # it hung up at the same moment
        return plays(peer, packet)

    call, peer = open_call(script)
    with pytest.raises(Hangup):
        call.hangup(HangupCause.USER_BUSY)
    call._session.kill(HangupCause.NORMAL_CLEARING)
    gevent.sleep(0.01)
    assert [one.command for one in peer.commands if "uuid_kill" in one.command] == [f"api uuid_kill {UUID} USER_BUSY"]
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("value", ["-ERR x", "-ERR No such channel!", "-ERR No such channel!\n", "-USAGE: x", "+OK\n"])
def test_a_value_that_looks_like_a_refusal_is_a_value(open_call: Open, value: str) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if "uuid_getvar" in packet.command:
            return api_response(value)
        return api_response("true") if "uuid_exists" in packet.command else plays(peer, packet)

    call, _ = open_call(script)
    assert call.variables.fetch("sip_h_X-Text") == value
    assert not call.over


def test_variables_make_a_dict_whatever_was_set_and_deleted(open_call: Open) -> None:
    call, _ = open_call()
    call.variables["added"] = "x"
    del call.variables["direction"]
    made = dict(call.variables)
    assert made["added"] == "x"
    assert "direction" not in made
    assert len(call.variables) == len(made)


def test_two_hundred_prompts_have_their_time_together(open_call: Open) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        count.append(packet)
        if len(count) in (128, 200):  # the last of those that are sent at once
            gevent.sleep(0.15)
        return plays(peer, packet)

    call, _ = open_call()
    call.play(*["a"] * 200)
    call, peer = open_call()
    count: list[Packet] = []
    peer.script = lambda peer, packet: (
        script(peer, packet) if packet.get("execute-app-arg") == "a.wav" else plays(peer, packet)
    )
    with pytest.raises(ReplyTimeout):
        call.play(*["a"] * 200, timeout=0.2)


@pytest.mark.parametrize("wrong", [["a"], None, 1.5])
def test_what_is_no_prompt_is_named(open_call: Open, wrong: Any) -> None:
    call, _ = open_call()
    for verb in (lambda: call.play(wrong), lambda: call.ask(wrong, digits=1)):
        with pytest.raises(ValueError, match="a prompt is"):
            verb()


@pytest.mark.parametrize("destination", ["sofia/gateway/g/1;fs_path=sip:evil", "user/a=b", "user/a~$b"])
def test_a_destination_that_would_steer_sip_is_refused(open_call: Open, destination: str) -> None:
    call, peer = open_call()
    with pytest.raises(ValueError, match="one endpoint"):
        call.bridge(destination)
    assert [one for one in peer.executed if one.get("execute-app-name") == "bridge"] == []


def test_a_handler_that_forgot_its_class_is_found_at_once() -> None:
    class Forgot:
        def run(self, call: Any) -> None: ...

    with pytest.raises(ConfigError, match=r"Forgot should be a subclass of fsivr\.Handler"):
        Dialplan([Extension("1", Forgot)])


def test_no_secret_is_in_an_error() -> None:
    with pytest.raises(ValueError, match="0-9") as told:
        Say.digits("4711x")
    assert "4711" not in str(told.value)
    with pytest.raises(LocalProtocolError) as told_too:
        commands.command("auth secret: half\nother: \rhalf")
    assert "secret" not in str(told_too.value)
    assert "half" not in str(told_too.value)
    with pytest.raises(LocalProtocolError, match="the command 'auth'") as told_last:
        commands.command("auth first\nsecond half: \rthird")
    assert "half" not in str(told_last.value)
    with pytest.raises(LocalProtocolError, match="the body holds a NUL"):
        commands.command("sendmsg", [], "a\0b")


def test_the_last_header_needs_no_line_break() -> None:
    told = event(b"Event-Name: X\nApplication: playback")
    assert told.get("Application") == "playback"
    assert told.last(b"\nApplication: ") == b"playback"
