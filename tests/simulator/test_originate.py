"""Placed calls, against the simulated switch: whom they reach, what came of them, and what of them is left."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from fsivr import Call, DialResult, Handler, HangupCause
from fsivr.simulator import CallFailed


class Reminder(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        if call.ask("reminder/tomorrow", digits=1) == "1":
            call.play("reminder/thanks")


ENDS: list[tuple[str, Any, DialResult, HangupCause | None]] = [
    ("answers", lambda switch: switch.answers("user/1000", after=2), DialResult.ANSWERED, None),
    ("busy", lambda switch: switch.busy("user/1000"), DialResult.BUSY, HangupCause.USER_BUSY),
    ("no answer", lambda switch: switch.no_answer("user/1000"), DialResult.NO_ANSWER, HangupCause.NO_ANSWER),
    ("rejects", lambda switch: switch.rejects("user/1000"), DialResult.REJECTED, HangupCause.CALL_REJECTED),
    ("nobody", lambda switch: None, DialResult.FAILED, HangupCause.SUBSCRIBER_ABSENT),
    (
        "gives up",
        lambda switch: switch.rejects("user/1000", cause=HangupCause.NO_USER_RESPONSE, after=12),
        DialResult.NO_ANSWER,
        HangupCause.NO_USER_RESPONSE,
    ),
    (
        "early media",
        lambda switch: switch.early_media("user/1000", after=9),
        DialResult.BUSY,
        HangupCause.USER_BUSY,
    ),
]


@pytest.mark.parametrize(("end", "result", "cause"), [end[1:] for end in ENDS], ids=[end[0] for end in ENDS])
def test_each_far_end(switch: Any, end: Any, result: DialResult, cause: HangupCause | None) -> None:
    end(switch)
    dialled = switch.originate("user/1000", Reminder, timeout=20)
    assert (dialled.to, dialled.result, dialled.hangup_cause) == ("user/1000", result, cause)
    assert dialled.answered == (result is DialResult.ANSWERED)
    assert bool(switch.callers) == dialled.answered
    if result is DialResult.NO_ANSWER and cause is HangupCause.NO_ANSWER:
        assert switch.clock.now() == pytest.approx(20, abs=0.1)


def test_the_call_reaches_its_handler(switch: Any) -> None:
    with switch.phone("user/1000", answers_after=2) as phone:
        dialled = switch.originate("user/1000", Reminder)
        assert dialled.result is DialResult.ANSWERED
        assert dialled.uuid == phone.uuid
        phone.hears("reminder/tomorrow")
        phone.dials("1")
        phone.hears("reminder/thanks")
    assert phone.hangup_cause is HangupCause.NORMAL_CLEARING


def test_a_phone_that_answers_when_it_is_told_to(switch: Any) -> None:
    with switch.phone("user/1000", answers_after=None) as phone:
        placed = gevent.spawn(switch.originate, "user/1000", Reminder)
        phone.rings()
        assert not phone.answered
        phone.waits(5)
        assert not placed.dead
        phone.answers()
        phone.hears("reminder/tomorrow")
        phone.hangs_up()
    assert placed.get().result is DialResult.ANSWERED


def test_a_phone_that_refuses(switch: Any) -> None:
    with switch.phone("user/1000", answers_after=None) as phone:
        placed = gevent.spawn(switch.originate, "user/1000", Reminder)
        phone.hangs_up()
    assert placed.get().result is DialResult.REJECTED
    assert phone.hangup_cause is HangupCause.CALL_REJECTED


def test_a_phone_in_a_call_is_busy(switch: Any) -> None:
    with switch.phone("user/1000") as phone:
        assert switch.originate("user/1000", Reminder).answered
        assert switch.originate("user/1000", Reminder).result is DialResult.BUSY
        phone.hears("reminder/tomorrow")
        phone.hangs_up()


def test_a_phone_that_nobody_calls(switch: Any) -> None:
    switch.patience = 0.05
    with switch.phone("user/1000") as phone, pytest.raises(CallFailed, match="user/1000 was not called"):
        phone.rings()
    assert not phone.rung


def test_what_the_channel_is(switch: Any) -> None:
    seen: list[Any] = []

    class Looks(Handler):
        def run(self, call: Call) -> None:
            seen.append((call.uuid, call.destination, call.caller, call.channel.caller_name))
            seen.append((call.channel.get("Call-Direction"), call.channel.answered, call.variables["order"]))

    with switch.phone("user/1000@example.com") as phone:
        dialled = switch.originate(
            "user/1000@example.com",
            Looks,
            caller_id="+4930123",
            caller_name="Müller, Söhne & Co",
            variables={"order": "4711"},
        )
        phone.join()
    assert seen[0] == (dialled.uuid, "1000", "+4930123", "Müller, Söhne & Co")
    assert seen[1] == ("outbound", True, "4711")
