"""What became of the other party of a bridge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fsivr import (
    Call,
    HangupCause,
    Leg,
)
from fsivr.call.dialling import outcome
from tests.call.conversations import Open, in_call


@pytest.mark.parametrize(
    ("far_end", "answered", "cause"),
    [
        (lambda switch: switch.answers("user/agent", after=2, talks=30), True, HangupCause.NORMAL_CLEARING),
        (lambda switch: switch.busy("user/agent"), False, HangupCause.USER_BUSY),
        (lambda switch: switch.no_answer("user/agent"), False, HangupCause.NO_ANSWER),
        (lambda switch: switch.rejects("user/agent"), False, HangupCause.CALL_REJECTED),
        (lambda switch: switch.early_media("user/agent"), False, HangupCause.USER_BUSY),
        (lambda switch: switch.early_media("user/agent", after=60), False, HangupCause.NO_ANSWER),
        (lambda switch: None, False, HangupCause.SUBSCRIBER_ABSENT),
    ],
    ids=["answers", "busy", "no answer", "rejects", "early media", "early media past the timeout", "absent"],
)
def test_a_bridge(switch: Any, far_end: Callable[[Any], None], answered: bool, cause: HangupCause) -> None:
    legs: list[Leg] = []

    def run(call: Call) -> None:
        call.answer()
        legs.append(call.bridge("user/agent", timeout=20))
        call.play("afterwards")  # the caller is still here, however it went

    far_end(switch)
    with switch.call(handler=in_call(run)) as caller:
        caller.hears("afterwards")
    [leg] = legs
    assert (leg.destination, leg.answered, leg.hangup_cause) == ("user/agent", answered, cause)
    assert (29 < leg.duration < 31) if answered else leg.duration == 0.0
    assert bool(leg.uuid) == answered


def test_a_later_bridge_does_not_show_an_earlier_ones_end(switch: Any) -> None:
    """Most of the switch's variables about a bridge are left over (FACTS 7.3)."""
    legs: list[Leg] = []

    def run(call: Call) -> None:
        call.answer()
        legs.extend(call.bridge(f"user/{name}") for name in ("good", "busy", "good", "absent"))

    switch.answers("user/good", after=1, talks=10)
    switch.busy("user/busy")
    with switch.call(handler=in_call(run)) as caller:
        caller.join()
    assert [leg.answered for leg in legs] == [True, False, True, False]
    assert [leg.hangup_cause.name for leg in legs] == [
        "NORMAL_CLEARING",
        "USER_BUSY",
        "NORMAL_CLEARING",
        "SUBSCRIBER_ABSENT",
    ]


def test_a_leg_that_only_sent_early_media_is_not_answered(switch: Any) -> None:
    """Where a dialplan's own settings let early media through, the switch calls the attempt a success."""
    legs: list[Leg] = []

    def run(call: Call) -> None:
        call.answer()
        completion = call.execute("bridge", "user/agent")
        assert completion.get("variable_originate_disposition") == "SUCCESS"
        legs.append(outcome(completion, {"": "user/agent"}))

    switch.early_media("user/agent", after=5)
    with switch.call(handler=in_call(run)) as caller:
        caller.join()
    assert [(leg.answered, leg.hangup_cause, leg.duration) for leg in legs] == [(False, HangupCause.USER_BUSY, 0.0)]


def test_a_bridge_asks_the_switch_to_ring_on_through_early_media(open_call: Open) -> None:
    call, peer = open_call()
    call.bridge("user/agent")
    assert peer.executed[-1].get("execute-app-arg") == "{bridge_early_media=true}user/agent"
