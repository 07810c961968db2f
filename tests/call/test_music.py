"""Music: what the caller hears while the program works."""

from __future__ import annotations

import logging
from typing import Any

import gevent
import pytest

from fsivr import Call, Hangup, HangupCause, PromptError, ReplyTimeout, Say, Silence, Speak, Tone
from tests.call.conversations import Open, in_call, plays
from tests.esl.peer import OK, Peer, api_response, complete
from tests.esl.switch_rules import Packet
from tests.leaks import until


def test_it_plays_while_the_program_works_and_then_no_more(switch: Any) -> None:
    running: list[Any] = []

    def run(call: Call) -> None:
        call.answer()
        with call.music("hold"):
            gevent.sleep(0.05)
        running.append(caller._channel.variables.get("total_loops"))
        call.play("after")

    with switch.call(handler=in_call(run)) as caller:
        caller.hears("hold", "after")
    assert running == [None]
    assert len([line for line in caller.transcript if "hold" in line]) == 1


def test_it_goes_on_for_as_long_as_it_takes(switch: Any) -> None:
    rounds: list[str] = []

    def run(call: Call) -> None:
        call.answer()
        with call.music("hold"):
            assert until(lambda: int(caller._channel.variables.get("current_loop", "0")) > 5)
            rounds.append("six")
        call.play("after")

    with switch.call(handler=in_call(run)) as caller:
        caller.hears("hold")
        caller.waits(10)
        caller.hears("after")
    assert rounds == ["six"]


def test_verbs_inside_interrupt_it_and_it_goes_on(switch: Any) -> None:
    got: list[Any] = []

    def run(call: Call) -> None:
        call.answer()
        with call.music("hold"):
            call.play("one", "two")
            got.append(call.ask("pin", digits=2))
            got.append(call.variables.fetch("total_loops") or caller._thread.last)
            call.sleep(5)
            call.play("three")
        call.play("after")

    switch.lasts("hold", 2)
    with switch.call(handler=in_call(run)) as caller:
        caller.hears("hold", "one", "two", "pin")
        caller.dials("12")
        caller.hears("three", "after")
    assert got[0] == "12"


def test_the_next_verb_does_not_nest_in_it(switch: Any) -> None:
    """It has really ended: two prompts queued after it are heard in order and whole."""
    depths: list[int] = []

    def run(call: Call) -> None:
        call.answer()
        for _ in range(3):
            with call.music("hold"):
                call.play("inside")
            depths.append(caller._thread._depth)
            call.play("one", "two")

    with switch.call(handler=in_call(run)) as caller:
        for _ in range(3):
            caller.hears("hold", "inside", "one", "two")
    assert depths == [0, 0, 0]


@pytest.mark.parametrize("work", [lambda call: call.play("one"), lambda call: gevent.sleep(0.02), lambda call: None])
def test_what_cannot_be_played_is_an_error_at_the_end(switch: Any, work: Any) -> None:
    raised: list[str] = []

    def run(call: Call) -> None:
        call.answer()
        try:
            with call.music("hold"):
                work(call)
        except PromptError as error:
            raised.append(str(error))
        call.play("after")

    switch.missing("hold")
    with switch.call(handler=in_call(run)) as caller:
        caller.join()
    assert raised == ["the switch could not play 'hold': FILE NOT FOUND"]
    assert [line for line in caller.transcript if "after" in line]


def test_it_does_not_hide_the_error_of_its_block(switch: Any, caplog: pytest.LogCaptureFixture) -> None:
    raised: list[BaseException] = []

    def run(call: Call) -> None:
        call.answer()
        try:
            with call.music("hold"):
                raise ZeroDivisionError
        except ZeroDivisionError as error:
            raised.append(error)

    switch.missing("hold")
    with switch.call(handler=in_call(run)) as caller:
        caller.join()
    assert len(raised) == 1
    assert [one.message for one in caplog.records if one.levelno == logging.WARNING] == [
        f"call {caller.uuid}: the switch could not play 'hold': FILE NOT FOUND"
    ]


def test_the_hangup_leaves_the_block(switch: Any) -> None:
    raised: list[Any] = []

    def run(call: Call) -> None:
        call.answer()
        try:
            with call.music("hold"):
                call.play("one")
        except Hangup as hangup:
            raised.append(hangup.cause)
            raise

    switch.lasts("one", 60)
    with switch.call(handler=in_call(run)) as caller:
        caller.hears("hold")
        caller.waits(5)
        caller.hangs_up(HangupCause.USER_BUSY)
    assert raised == [HangupCause.USER_BUSY]


def test_a_verb_that_took_too_long_takes_the_music_with_it(switch: Any) -> None:
    """``uuid_break`` ends the loop around what it ends (switch_ivr_parse_event): nothing is left to wait for."""
    ended: list[str] = []
    raised: list[ReplyTimeout] = []

    def run(call: Call) -> None:
        call.answer()
        with call.music("hold"):
            try:
                call.play("one", timeout=0.05)
            except ReplyTimeout as error:
                raised.append(error)
        ended.append(caller._channel.variables.get("total_loops", "no more"))
        call.play("after")

    switch.lasts("one", 600)
    with switch.call(handler=in_call(run)) as caller:
        caller.hears("hold")
        caller.waits(1)
        assert until(lambda: raised)  # the switch's clock stands still meanwhile
        caller.join()
        assert caller.transcript[-2].endswith("hears 'after'")
    assert ended == ["no more"]


@pytest.mark.parametrize("value", [Say.number(3), 3, Speak("text"), None, 1.5])
def test_text_and_values_are_no_music(open_call: Open, value: Any) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    with pytest.raises(ValueError, match=r"music is a sound file|a prompt is"):
        call.music(value)
    assert len(peer.commands) == before


def test_there_is_one_music_at_a_time(switch: Any) -> None:
    raised: list[str] = []

    def run(call: Call) -> None:
        call.answer()
        with call.music("hold"):
            try:
                with call.music("other"):
                    pass
            except ValueError as error:
                raised.append(str(error))
        with call.music("other"):
            pass

    with switch.call(handler=in_call(run)) as caller:
        caller.hears("hold", "other")
    assert raised == ["there is music already: end its block first"]


@pytest.mark.parametrize(("value", "file"), [
    ("hold", "hold.wav"),
    (Tone("%(200,100,440)"), "tone_stream://%(200,100,440);loops=-1"),
    (Tone("%(200,100,440);loops=3"), "tone_stream://%(200,100,440);loops=3"),
    (Silence(2), "silence_stream://2000"),
])  # fmt: skip
def test_what_the_switch_is_asked(open_call: Open, value: Any, file: str) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if packet.command.startswith("api uuid_break"):
            return api_response("+OK\n") + complete(peer.executed[-1])
        return OK if packet.get("loops") else plays(peer, packet)

    call, peer = open_call(script)
    with call.music(value):
        pass
    [packet] = [one for one in peer.executed if one.get("execute-app-name") == "playback"]
    assert packet.get("execute-app-arg") == file
    assert packet.get("loops") == "-1"
    assert packet.get("event-lock") is None


def test_keys_are_typed_ahead_during_it(switch: Any) -> None:
    got: list[str] = []

    def run(call: Call) -> None:
        call.answer()
        call.type_ahead = True
        with call.music("hold"):
            assert until(lambda: caller._channel.digits or caller._keyed)  # type: ignore[attr-defined]
            gevent.sleep(0.02)
        got.append(call.ask("pin", digits=2))

    with switch.call(handler=in_call(run)) as caller:
        caller._keyed = False  # type: ignore[attr-defined]
        caller.hears("hold")
        caller.dials("12")
        caller._keyed = True  # type: ignore[attr-defined]
        caller.join()
    assert got == ["12"]


def test_a_tone_is_heard_as_it_was_written(switch: Any) -> None:
    def run(call: Call) -> None:
        with call.music(Tone("%(200,100,440)")):
            call.play("one")

    with switch.call(handler=in_call(run)) as caller:
        caller.hears(Tone("%(200,100,440)"), "one")
