"""Bridging with others: several of them, those who have to take the call by a key, what each side hears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fsivr import Call, HangupCause, Leg, Say, Speak, Tone
from tests.call.conversations import in_call

A, B, C = "user/a", "user/b", "sofia/gateway/carrier/4930123"


def bridged(switch: Any, run: Callable[[Call], Leg], **call: Any) -> tuple[Leg, Any]:
    """What a bridge came to, and the caller, who hears the handler go on after it."""
    legs: list[Leg] = []

    def runs(call: Call) -> None:
        call.answer()
        legs.append(run(call))
        call.play("afterwards")

    with switch.call(handler=in_call(runs), **call) as caller:
        caller.hears("afterwards")
    return legs[0], caller


def test_the_first_of_several_to_answer_gets_the_caller(switch: Any) -> None:
    switch.answers(A, after=9)
    switch.answers(B, after=2, talks=30)
    switch.busy(C, after=1)
    leg, _ = bridged(switch, lambda call: call.bridge([A, B, C]))
    assert (leg.destination, leg.answered, leg.hangup_cause) == (B, True, HangupCause.NORMAL_CLEARING)
    assert 29 < leg.duration < 31
    assert leg.causes == {A: HangupCause.LOSE_RACE, C: HangupCause.USER_BUSY}
    assert leg.uuid == switch.called(B)[0].uuid
    assert switch.called(A)[0].hangup_cause is HangupCause.LOSE_RACE


def test_nobody_of_several_answers(switch: Any) -> None:
    switch.busy(A)
    switch.no_answer(B)
    leg, _ = bridged(switch, lambda call: call.bridge([A, B, C], timeout=20))
    assert (leg.destination, leg.answered, leg.hangup_cause) == ("", False, HangupCause.NO_ANSWER)
    # There is no channel for C, and the switch says nothing of it where there was one for others.
    assert leg.causes == {A: HangupCause.USER_BUSY, B: HangupCause.NO_ANSWER, C: HangupCause.NORMAL_UNSPECIFIED}


def test_none_of_several_is_there(switch: Any) -> None:
    leg, _ = bridged(switch, lambda call: call.bridge([A, B]))
    assert leg.causes == {A: HangupCause.SUBSCRIBER_ABSENT, B: HangupCause.SUBSCRIBER_ABSENT}


def test_causes_are_those_of_this_bridge(switch: Any) -> None:
    """``originate_causes`` grows from bridge to bridge (capture ``05c_bridge_busy_continue_on_fail``)."""
    switch.busy(A)
    switch.rejects(B)

    def run(call: Call) -> Leg:
        call.bridge([A, B])
        switch.answers(A, after=1, talks=5)
        return call.bridge([A, B])

    leg, caller = bridged(switch, run)
    assert (leg.destination, leg.causes) == (A, {B: HangupCause.CALL_REJECTED})
    assert caller.variables["originate_causes"].count(";") == 2


def test_in_order_each_rings_for_the_time(switch: Any) -> None:
    switch.no_answer(A)
    switch.answers(C, after=19, talks=10)
    began: list[float] = []
    leg, _ = bridged(
        switch, lambda call: began.append(switch.clock.now()) or call.bridge([A, B, C], in_order=True, timeout=20)
    )  # type: ignore[func-returns-value]
    assert (leg.destination, leg.answered) == (C, True)
    assert leg.causes == {A: HangupCause.NO_ANSWER, B: HangupCause.SUBSCRIBER_ABSENT}
    assert 9 < leg.duration < 11


def test_in_order_nobody(switch: Any) -> None:
    switch.busy(A)
    switch.rejects(B)
    leg, _ = bridged(switch, lambda call: call.bridge([A, B], in_order=True))
    assert (leg.destination, leg.answered, leg.hangup_cause) == ("", False, HangupCause.CALL_REJECTED)
    assert leg.causes == {A: HangupCause.USER_BUSY, B: HangupCause.CALL_REJECTED}


# -- by a key ----------------------------------------------------------------------------------------


def test_whoever_presses_the_key_gets_the_caller(switch: Any) -> None:
    switch.answers(A, after=1)  # a machine, which is quicker and presses nothing
    switch.answers(B, after=5, talks=30, presses="921")
    leg, _ = bridged(
        switch, lambda call: call.bridge([A, B], whisper="sales", confirm=["from", "press"], ringback="music")
    )
    assert (leg.destination, leg.answered) == (B, True)
    assert 29 < leg.duration <= 30  # what was heard before is no conversation
    assert switch.called(B)[0].heard == ["sales", "from", "press"] * 3
    assert switch.called(A)[0].answered
    assert leg.causes == {A: HangupCause.LOSE_RACE}


@pytest.mark.parametrize("presses", ["", "2", "999999999"], ids=["a machine", "a wrong key", "wrong keys"])
def test_a_machine_does_not_swallow_the_call(switch: Any, presses: str) -> None:
    switch.answers(A, after=5, presses=presses)
    leg, _ = bridged(switch, lambda call: call.bridge(A, confirm="press", confirm_timeout=10, timeout=20))
    assert switch.called(A)[0].answered
    assert (leg.answered, leg.hangup_cause, leg.duration) == (False, HangupCause.NO_ANSWER, 0.0)


def test_a_machine_does_not_take_the_time_of_the_others(switch: Any) -> None:
    switch.answers(A, after=1)
    switch.answers(B, after=18, talks=5, presses="#")
    leg, _ = bridged(
        switch, lambda call: call.bridge([A, B], confirm="press", confirm_key="#", confirm_timeout=5, timeout=20)
    )
    assert (leg.destination, leg.causes) == (B, {A: HangupCause.NO_ANSWER})


def test_nobody_answers_in_time_where_a_key_is_asked_for(switch: Any) -> None:
    switch.answers(A, after=25, presses="1")
    leg, _ = bridged(switch, lambda call: call.bridge(A, confirm="press", timeout=20))
    assert (leg.answered, leg.hangup_cause) == (False, HangupCause.NO_ANSWER)
    assert not switch.called(A)[0].answered


def test_who_hangs_up_instead_of_pressing_the_key(switch: Any) -> None:
    switch.answers(A, after=1, talks=3, cause=HangupCause.CALL_REJECTED)
    leg, _ = bridged(switch, lambda call: call.bridge(A, confirm="press"))
    assert (leg.answered, leg.hangup_cause) == (False, HangupCause.CALL_REJECTED)


# -- what is heard, and seen -------------------------------------------------------------------------


@pytest.mark.parametrize("whisper", ["sales", ["sales", "again"], Speak("From sales"), Say.digits("42")], ids=str)
def test_a_whisper_is_heard_before_the_two_talk(switch: Any, whisper: Any) -> None:
    switch.answers(A, after=1, talks=20)
    switch.lasts("sales", 5)
    leg, caller = bridged(switch, lambda call: call.bridge(A, whisper=whisper))
    assert switch.called(A)[0].heard == (whisper if isinstance(whisper, list) else [whisper])
    assert leg.answered
    assert leg.duration < 20
    assert not [line for line in caller.transcript if "sales" in line]


def test_the_caller_hears_the_ringback_until_somebody_answers(switch: Any) -> None:
    switch.answers(A, after=10, talks=5)
    heard: list[Leg] = []

    def run(call: Call) -> None:
        call.answer()
        heard.append(call.bridge(A, ringback="music"))
        call.variables["note"] = "sent with what is left to be sent"
        call.play("afterwards")

    variables = {"ringback": "%(2000,4000,440)"}
    with switch.call(handler=in_call(run), variables=variables) as caller:
        caller.hears("music")
        assert switch.called(A)[0].answered
        caller.hears("afterwards")
    assert any(line.endswith("hears 'music' while it rings") for line in caller.transcript)
    # The next bridge, ours or the dialplan's, is as it was.
    assert caller.variables.get("ringback") == variables["ringback"]
    assert "transfer_ringback" not in caller.variables


def test_a_tone_is_heard_while_it_rings(switch: Any) -> None:
    switch.answers(A, after=10, talks=5)
    tone = Tone("%(2000,4000,440,480)")
    _, caller = bridged(switch, lambda call: call.bridge(A, ringback=tone))
    assert any(line.endswith(f"hears {tone} while it rings") for line in caller.transcript)


def test_what_one_destination_sends_is_heard_where_there_is_no_ringback(switch: Any) -> None:
    switch.early_media(A, after=5)
    leg, caller = bridged(switch, lambda call: call.bridge(A))
    assert (leg.answered, leg.hangup_cause) == (False, HangupCause.USER_BUSY)
    assert any(line.endswith("hears what user/a sends") for line in caller.transcript)


def test_the_caller_id_that_is_seen(switch: Any) -> None:
    switch.answers(A, talks=1)
    bridged(switch, lambda call: call.bridge(A), caller_number="100", caller_name="Ann")
    bridged(
        switch, lambda call: call.bridge(A, caller_id="+49 (30) 12", caller_name="Smith, John"), caller_number="100"
    )
    bridged(switch, lambda call: call.bridge(A, caller_id="", caller_name='"<>"'), caller_number="1", caller_name="Bo")
    seen = [(leg.caller_number, leg.caller_name) for leg in switch.called(A)]
    assert seen == [("100", "Ann"), ("+493012", "Smith, John"), ("1", "Bo")]


def test_the_caller_leaves_while_it_rings(switch: Any) -> None:
    switch.no_answer(A)
    switch.answers(B, after=1)

    def run(call: Call) -> None:
        call.bridge([A, B], confirm="press")

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(5)
        caller.hangs_up()
    assert [leg.hangup_cause for to in (A, B) for leg in switch.called(to)] == [HangupCause.ORIGINATOR_CANCEL] * 2
