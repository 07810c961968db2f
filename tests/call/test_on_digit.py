"""Keys that are told as they are pressed."""

from __future__ import annotations

import logging
from typing import Any

import gevent
import pytest

from fsivr import Call, Hangup
from tests.call.conversations import Open, answers_of, in_call
from tests.leaks import until


def test_each_key_is_told_in_order(switch: Any) -> None:
    keys: list[str] = []

    def run(call: Call) -> Any:
        call.on_digit(keys.append)
        call.play("first")
        answer = call.ask("second", digits=2)
        call.on_digit(None)
        call.play("third")
        return answer

    def dial(caller: Any) -> None:
        caller.dials("1*", during="first")
        caller.hears("second")
        caller.dials("34")
        caller.dials("9", during="third")

    assert answers_of(switch, run, dial) == ["34"]
    assert keys == ["1", "*", "3", "4"]


def test_it_may_take_its_time_and_keeps_the_order(switch: Any) -> None:
    keys: list[str] = []
    running: list[int] = []

    def slow(key: str) -> None:
        running.append(len(running))
        gevent.sleep(0.01 if key == "1" else 0)
        keys.append(key)

    def run(call: Call) -> None:
        call.on_digit(slow)
        call.play("first")
        assert until(lambda: len(keys) == 3)

    with switch.call(handler=in_call(run)) as caller:
        caller.dials("123", during="first")
        caller.join()
    assert keys == ["1", "2", "3"]


def test_what_it_raises_is_logged_and_ends_nothing(switch: Any, caplog: pytest.LogCaptureFixture) -> None:
    keys: list[str] = []

    def fails(key: str) -> None:
        keys.append(key)
        raise gevent.Timeout if key == "2" else ZeroDivisionError

    def run(call: Call) -> None:
        call.on_digit(fails)
        call.play("first", "second")

    with switch.call(handler=in_call(run)) as caller:
        caller.dials("12", during="first")
        caller.hears("second")
    assert keys == ["1", "2"]
    assert len([one for one in caplog.records if "on_digit" in one.message and one.levelno == logging.ERROR]) == 2


def test_it_ends_with_the_call(switch: Any) -> None:
    """It blocks for ever; the fixture fails where its greenlet is left behind."""
    keys: list[str] = []

    def blocks(key: str) -> None:
        keys.append(key)
        gevent.sleep(1000)

    def run(call: Call) -> None:
        call.on_digit(blocks)
        call.play("first")

    with switch.call(handler=in_call(run)) as caller:
        caller.dials("12", during="first")
        caller.join()
    assert keys == ["1"]


def test_it_may_end_itself(switch: Any) -> None:
    keys: list[str] = []

    def run(call: Call) -> None:
        def once(key: str) -> None:
            call.on_digit(None)
            keys.append(key)

        call.on_digit(once)
        call.play("first")

    with switch.call(handler=in_call(run)) as caller:
        caller.dials("12", during="first")
        caller.join()
    assert keys == ["1"]


@pytest.mark.parametrize("value", [1, "print", []])
def test_it_is_a_function(open_call: Open, value: Any) -> None:
    call, _ = open_call()
    with pytest.raises(TypeError, match="on_digit takes a function"):
        call.on_digit(value)


def test_a_call_that_uses_none_of_it_says_nothing_of_it(open_call: Open) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    assert call.ask("one", digits=4) == "1234"
    call.play("two")
    assert [one.get("execute-app-name") or one.command.split(" ")[1] for one in peer.commands[before:]] == [
        "uuid_setvar_multi",
        "play_and_get_digits",
        "playback",
    ]


def test_a_function_that_leaves_its_greenlet_is_called_again(switch: Any) -> None:
    told: list[str] = []

    def leaves(key: str) -> None:
        told.append(key)
        raise gevent.GreenletExit

    def run(call: Call) -> None:
        call.on_digit(leaves)
        call.play("one", "two")

    with switch.call(handler=in_call(run)) as caller:
        caller.dials("1", during="one")
        caller.dials("2", during="two")
        caller.join()
    assert told == ["1", "2"]


def test_keys_of_a_call_that_is_over_cannot_be_asked_for(switch: Any) -> None:
    raised: list[Hangup] = []

    def run(call: Call) -> None:
        for verb in (lambda: call.play("one"), lambda: setattr(call, "type_ahead", True), lambda: call.on_digit(print)):
            try:
                verb()
            except Hangup as error:
                raised.append(error)

    with switch.call(handler=in_call(run)) as caller:
        caller.hangs_up(during="one")
    assert [error.cause for error in raised] == [caller.hangup_cause] * 3
