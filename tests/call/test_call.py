"""The verbs: what reaches the wire, and what a handler gets back."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from fsivr import (
    Call,
    CommandRefused,
    Hangup,
    HangupCause,
    LocalProtocolError,
    NoMatch,
    PromptError,
    Say,
    Silence,
    Speak,
)
from tests.call.conversations import HOSTILE, IDS, Open, argument, in_call, plays
from tests.esl.peer import OK, UUID, Peer, complete
from tests.esl.switch_rules import Packet, expansions

# -- hostile text ---------------------------------------------------------------------------


#: What takes a text: either it is refused with a ValueError before a byte is sent, or it is plain enough to go.
NAMES: dict[str, Callable[[Call, str], Any]] = {
    "play": lambda call, text: call.play(text),
    "play several": lambda call, text: call.play("a", text),
    "ask": lambda call, text: call.ask(text, digits=4),
    "menu": lambda call, text: call.menu(text, {"1234": 1}),
    "no match": lambda call, text: _wrong_answer(call, text),
    "bridge": lambda call, text: call.bridge(f"user/{text}"),
    "bridge endpoint": lambda call, text: call.bridge(text),
    "say": lambda call, text: call.play(Say("NAME_SPELLED", "PRONOUNCED", text)),
    "spell": lambda call, text: call.play(Say.spelled(text)),
    "language": lambda call, text: setattr(call, "language", text),
    "engine": lambda call, text: call.play(Speak("a", engine=text)),
    "terminator": lambda call, text: call.ask("a", digits=4, terminator=text),
    "choice": lambda call, text: call.menu("a", {text: 1}),
    "variable's name": lambda call, text: call.variables.__setitem__(text, "x"),
    "variable to fetch": lambda call, text: call.variables.fetch(text),
}


def _wrong_answer(call: Call, text: str) -> None:
    with contextlib.suppress(NoMatch):
        call.ask("a", digits=5, no_match=text, tries=2)


@pytest.mark.parametrize("verb", NAMES)
def test_hostile_text_is_a_name_or_an_error(open_call: Open, verb: str) -> None:
    call, peer = open_call()
    for text in HOSTILE:
        before = len(peer.commands)
        try:
            NAMES[verb](call, text)
        except ValueError:
            assert len(peer.commands) == before, f"{text[:20]!r} was refused after something was sent"
            continue
        for packet in peer.commands[before:]:
            if packet.get("execute-app-name"):
                assert expansions(argument(packet)) == []
                assert not any(char in argument(packet) for char in "\r\n\0")
        sent = [packet for packet in peer.commands[before:] if text in packet.command + argument(packet)]
        assert sent, f"{text[:20]!r} did not arrive as it was"


def test_what_each_verb_lets_through(open_call: Open) -> None:
    """Held down, so that a verb that grows more generous is looked at."""
    call, _ = open_call()
    passed: dict[str, list[str]] = {}
    for verb, act in NAMES.items():
        for text in HOSTILE:
            try:
                act(call, text)
            except ValueError:
                continue
            passed.setdefault(verb, []).append(text[:10])
    files = ["x" * 10]
    assert passed["play"] == passed["play several"] == passed["ask"] == passed["menu"] == passed["no match"] == files
    assert "bridge" not in passed  # a destination has its length
    assert "bridge endpoint" not in passed
    assert set(passed["say"]) <= {"a b", "a:_:b", "x" * 10}
    assert passed["spell"] == ["a b", "a:_:b"]
    assert passed["engine"] == files
    assert "language" not in passed
    assert passed["variable's name"] == passed["variable to fetch"] == files
    assert "terminator" not in passed
    assert "choice" not in passed


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_an_argument_of_execute_is_given_as_it_is(open_call: Open, text: str) -> None:
    """It may hold expansions, which is what its documentation says; more than one command it cannot hold."""
    call, peer = open_call()
    before = len(peer.commands)
    if "\0" in text or "\ud800" in text:
        with pytest.raises(LocalProtocolError):
            call.execute("set", text)
        assert len(peer.commands) == before
        return
    call.execute("set", text)
    [packet] = peer.commands[before:]
    assert packet.get("execute-app-name") == "set"
    assert argument(packet) == text


@pytest.mark.parametrize("text", ["playback\n\nexit", "a\rb", "a\0b"])
def test_an_application_is_one_word(open_call: Open, text: str) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    with pytest.raises(LocalProtocolError):
        call.execute(text)
    assert len(peer.commands) == before


@pytest.mark.parametrize("cause", ["USER_BUSY", "USER_BUSY\n\nexit", 17, None])
def test_a_cause_is_a_hangup_cause(open_call: Open, cause: Any) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    with pytest.raises((TypeError, ValueError), match="HangupCause"):
        call.hangup(cause)
    assert len(peer.commands) == before


def test_what_the_caller_is_like(open_call: Open) -> None:
    call, _ = open_call(
        lambda peer, packet: NotImplemented if not packet.get("execute-app-name") else OK + complete(packet)
    )
    assert call.uuid == UUID
    assert repr(call) == f"<Call {UUID}>"
    assert not call.over
    assert call.hangup_cause is None


def test_several_prompts_are_heard_in_order_without_a_gap(switch: Any) -> None:
    times: list[float] = []
    with switch.call(handler=in_call(lambda call: call.play("one", "two", 3, Silence(1), "four"))) as caller:
        for each in ("one", "two", Say.number(3), Silence(1), "four"):
            caller.hears(each)
            times.append(switch.clock.now())
    gaps = [later - earlier - 1 for earlier, later in itertools.pairwise(times)]
    assert max(gaps) < 0.03, gaps  # a sound is a second here; one turn of the switch's loop is 20 ms


@pytest.mark.parametrize("key", ["*", "#", "1"])
def test_no_key_cuts_a_prompt_short(switch: Any, key: str) -> None:
    """By default ``*`` ends a playback (FACTS 4.4), and the caller would not have heard it."""
    times: list[float] = []

    def run(call: Call) -> None:
        call.answer()
        times.append(switch.clock.now())
        call.play("long")
        times.append(switch.clock.now())

    switch.lasts("long", 30)
    with switch.call(handler=in_call(run)) as caller:
        caller.waits(1)
        caller.dials(key)
        caller.join()
    assert times[1] - times[0] >= 30


def test_a_prompt_that_is_missing_is_named(switch: Any) -> None:
    raised: list[BaseException] = []

    def run(call: Call) -> None:
        try:
            call.play("one", "two", "three")
        except PromptError as error:
            raised.append(error)
        call.play("four")

    switch.missing("two")
    with switch.call(handler=in_call(run)) as caller:
        caller.hears("one", "three", "four")
    assert [str(error) for error in raised] == ["the switch could not play 'two': FILE NOT FOUND"]


def test_sleep_takes_its_time_whatever_is_pressed(switch: Any) -> None:
    times: list[float] = []

    def run(call: Call) -> None:
        call.answer()
        times.append(switch.clock.now())
        call.sleep(5)
        times.append(switch.clock.now())

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(1)
        caller.dials("123")
        caller.join()
    assert 5 <= times[1] - times[0] < 5.1


@pytest.mark.parametrize("cause", [HangupCause.NORMAL_CLEARING, HangupCause.USER_BUSY, HangupCause.CALL_REJECTED])
def test_hangup_ends_the_call_with_its_cause(switch: Any, cause: HangupCause) -> None:
    with switch.call(handler=in_call(lambda call: call.hangup(cause))) as caller:
        caller.join()
    assert caller.hangup_cause is cause
    assert not caller.answered


def test_every_verb_raises_hangup_after_the_end(switch: Any) -> None:
    raised: list[Any] = []
    verbs: list[Callable[[Call], Any]] = [
        lambda call: call.answer(),
        lambda call: call.play("a"),
        lambda call: call.ask("a", digits=1),
        lambda call: call.menu("a", {"1": 1}),
        lambda call: call.sleep(1),
        lambda call: call.bridge("user/agent"),
        lambda call: call.execute("set", "a=b"),
        lambda call: call.variables.__setitem__("a", "b"),
        lambda call: call.variables.fetch("a"),
        lambda call: call.hangup(HangupCause.CRASH),
    ]

    def run(call: Call) -> None:
        try:
            call.play("long")
        except Hangup as hangup:
            raised.append(hangup.cause)
        for verb in verbs:
            try:
                verb(call)
            except Hangup as hangup:
                raised.append(hangup.cause)

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(0.5)
        caller.hangs_up(HangupCause.USER_BUSY)
    assert raised == [HangupCause.USER_BUSY] * (len(verbs) + 1)


def test_a_refused_application_is_an_error_of_its_own(open_call: Open) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name") == "playback":
            return b"Content-Type: command/reply\nReply-Text: -ERR no\n\n"
        return plays(peer, packet)

    call, _ = open_call(script)
    with pytest.raises(CommandRefused, match="-ERR no"):
        call.play("a")
