"""What was for one verb is not the next one's, and what takes a call away ends it by its name."""

from __future__ import annotations

from typing import Any

import pytest

from fsivr import Call, CompletionCause, Handler, HangupCause
from fsivr.call.keys import Keypad
from fsivr.simulator.api import run as run_api
from tests.call.conversations import Open, in_call
from tests.leaks import until


@pytest.mark.parametrize("verb", [
    lambda call: call.play("one"),
    lambda call: call.ask("one", digits=2),
    lambda call: call.ask(3, "one", digits=2, sensitive=True),
    lambda call: call.play("one", interrupt="#"),
], ids=["play", "ask", "ask sensitive", "play interrupt"])  # fmt: skip
def test_a_transfer_from_outside_is_no_missing_prompt(switch: Any, verb: Any) -> None:
    """And the caller goes on in the dialplan, alive."""
    ended: list[Any] = []

    class Holding(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            verb(call)

        def on_error(self, call: Call, error: BaseException) -> None:
            ended.append(error)

        def on_hangup(self, call: Call) -> None:
            ended.append(call.hangup_cause)

    switch.extensions["9"] = [("playback", "elsewhere"), ("sleep", "30000")]
    switch.lasts("one", 10)
    with switch.call(handler=Holding) as caller:
        caller.waits(3)
        assert run_api(switch, "uuid_transfer", f"{caller.uuid} 9").startswith("+OK")
        caller.waits(10)
        assert not caller.over
        caller.hangs_up()
    assert ended == [HangupCause.BLIND_TRANSFER]


def test_an_agent_ends_the_music_and_not_the_call(switch: Any) -> None:
    def run(call: Call) -> None:
        call.answer()
        with call.music("hold"):
            assert call.queue("support").served
        call.play("after")

    switch.agents("support", after=2, talks=3)
    with switch.call(handler=in_call(run)) as caller:
        caller.hears("hold", "after")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_what_is_left_of_a_secret_answers_nothing(switch: Any) -> None:
    answers: list[str] = []

    def run(call: Call) -> None:
        call.answer()
        answers.append(call.ask("pin", digits=4, sensitive=True))
        answers.append(call.ask("open", digits=3))

    with switch.call(handler=in_call(run)) as caller:
        caller.hears("pin")
        caller.dials("471198")
        caller.hears("open")
        caller.dials("345")
    assert answers == ["4711", "345"]


def test_what_was_typed_ahead_is_no_secret(switch: Any) -> None:
    answers: list[str] = []

    def run(call: Call) -> None:
        call.answer()
        call.type_ahead = True
        call.play("welcome")
        answers.append(call.ask("pin", digits=4, sensitive=True))

    with switch.call(handler=in_call(run)) as caller:
        caller.dials("2580", during="welcome")
        caller.hears("pin")
        caller.dials("1234")
    assert answers == ["1234"]


def test_a_key_without_an_event_keeps_its_place(open_call: Open) -> None:
    call, _ = open_call()
    keypad = Keypad(call._session)
    keypad.kept = True
    keypad._on_digit({"DTMF-Digit": "3", "Event-Sequence": "5"})  # type: ignore[arg-type]
    keypad.settle({"Event-Sequence": "9"}, "23")  # type: ignore[arg-type]
    assert keypad.take(2, "#") == ("23", "")


@pytest.mark.parametrize("verb", ["record", "bridge", "queue"])
def test_keys_that_were_for_a_verb_do_not_answer_the_next_question(switch: Any, verb: str) -> None:
    answers: list[str] = []
    verbs: dict[str, Any] = {
        "record": lambda call: call.record(limit=20, beep=False),
        "bridge": lambda call: call.bridge("user/agent"),
        "queue": lambda call: call.queue("support", exit_key="#"),
    }

    def run(call: Call) -> None:
        call.answer()
        call.type_ahead = True
        verbs[verb](call)
        answers.append(call.ask("which", digits=2, tries=1))

    switch.answers("user/agent", after=1, talks=5)
    with switch.call(handler=in_call(run)) as caller:
        caller.waits(2)
        caller.dials("#")
        caller.hears("which")
        caller.dials("42")
    assert answers == ["42"]


def test_keys_end_nothing_from_the_moment_a_verb_is_done(open_call: Open) -> None:
    """Not from the next command on: music around the verb goes on, and keys would end it."""
    call, peer = open_call()
    call.play("one", interrupt="#")
    assert until(lambda: "playback_terminators=none" in peer.commands[-1].command)


def test_a_message_is_returned_also_in_an_interruptible_block(switch: Any) -> None:
    messages: list[Any] = []

    def run(call: Call) -> None:
        call.answer()
        with call.interruptible():
            messages.append(call.record(limit=60, beep=False))

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(0.5)
        caller.talks(3)
        caller.hangs_up()
    assert [message.completion for message in messages] == [CompletionCause.HANGUP]


def test_on_error_may_hand_the_call_over(switch: Any) -> None:
    class Operator(Handler):
        def run(self, call: Call) -> None:
            call.play("operator")

    class Broken(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            raise ZeroDivisionError

        def on_error(self, call: Call, error: BaseException) -> None:
            call.hand_over(Operator)

    with switch.call(handler=Broken) as caller:
        caller.hears("operator")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_a_place_is_told_once(switch: Any) -> None:
    told: list[int] = []

    def run(call: Call) -> None:
        call.answer()
        call.park("main", slot=701, timeout=5, on_slot=told.append)

    with switch.call(handler=in_call(run)) as caller:
        caller.line.duplicate_events()
        caller.join()
    assert told == [701]


def test_choices_are_a_dict(open_call: Open) -> None:
    call, _ = open_call()
    with pytest.raises(TypeError, match="choices are a dict of what each key means"):
        call.menu("which", ["1", "2"])  # type: ignore[arg-type]
