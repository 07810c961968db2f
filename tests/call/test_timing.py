"""Waits that end: by a deadline, by the caller's hangup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest
from gevent.event import Event as Flag

from fsivr import Call, DeadlineExceeded, Hangup, HangupCause
from tests.call.conversations import Open, in_call, plays
from tests.esl.peer import OK, UUID, Peer
from tests.esl.switch_rules import Packet


def _long_prompts(peer: Peer, packet: Packet) -> Any:
    return OK if packet.get("execute-app-arg") == "long.wav" else plays(peer, packet)


def test_a_deadline_breaks_off_the_verb_that_runs(open_call: Open) -> None:
    call, peer = open_call(_long_prompts)
    with pytest.raises(DeadlineExceeded, match=r"not done within 0\.05 s"), call.deadline(0.05):
        call.play("long")
    call.play("after")
    sent = [one.get("execute-app-arg") or one.command for one in peer.commands]
    assert sent[sent.index("long.wav") + 1 :] == [f"api uuid_break {UUID} all", "after.wav"]


def test_a_deadline_breaks_off_what_is_no_verb(open_call: Open) -> None:
    call, _ = open_call()
    with pytest.raises(DeadlineExceeded), call.deadline(0.01):
        Flag().wait()


def test_a_deadline_that_is_kept_does_nothing(open_call: Open) -> None:
    call, _ = open_call()
    with call.deadline(0.02):
        call.play("one")
    gevent.sleep(0.05)
    call.play("two")


def test_the_nearer_of_two_deadlines_counts(open_call: Open) -> None:
    call, _ = open_call()
    reached = []
    with pytest.raises(DeadlineExceeded, match=r"0\.01 s"), call.deadline(5):
        with call.deadline(0.01):
            Flag().wait()
        reached.append("after the inner one")
    with call.deadline(60), pytest.raises(DeadlineExceeded, match=r"0\.01 s"), call.deadline(0.01):
        Flag().wait()
    assert reached == []


def test_an_except_exception_does_not_keep_a_deadline_from_its_end(open_call: Open) -> None:
    call, _ = open_call()
    swallowed = []
    with pytest.raises(DeadlineExceeded), call.deadline(0.01):
        try:
            Flag().wait()
        except Exception as error:  # noqa: BLE001
            swallowed.append(error)
    assert swallowed == []


def test_another_timeout_passes_through(open_call: Open) -> None:
    call, _ = open_call()
    with pytest.raises(gevent.Timeout), call.deadline(60), gevent.Timeout(0.01):
        Flag().wait()


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 86401])
@pytest.mark.parametrize("verb", ["sleep", "deadline"])
def test_seconds_are_checked(open_call: Open, verb: str, seconds: float) -> None:
    call, _ = open_call()
    with pytest.raises(ValueError, match=f"{verb} takes seconds above 0 and up to 86400"):
        getattr(call, verb)(seconds)


def test_an_uncaught_deadline_ends_the_call_as_one_that_took_too_long(switch: Any) -> None:
    def run(call: Call) -> None:
        call.answer()
        with call.deadline(0.01):
            Flag().wait()

    with switch.call(handler=in_call(run)) as caller:
        pass
    assert caller.hangup_cause is HangupCause.ALLOTTED_TIMEOUT


# -- the caller's hangup ---------------------------------------------------------------------------


def _interrupted(switch: Any, wait: Callable[[Call], Any]) -> list[BaseException]:
    """What a wait that nothing else would end was ended by, when the caller hangs up in it."""
    raised: list[BaseException] = []
    inside = Flag()

    def run(call: Call) -> None:
        call.answer()
        try:
            with call.interruptible():
                inside.set()
                wait(call)
        except BaseException as error:
            raised.append(error)
            raise

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(0.1)
        assert inside.wait(5)
        caller.hangs_up()
    return raised


def test_a_hangup_breaks_off_any_wait(switch: Any) -> None:
    [error] = _interrupted(switch, lambda call: Flag().wait())
    assert isinstance(error, Hangup)
    assert error.cause is HangupCause.NORMAL_CLEARING


def test_a_verb_in_the_block_is_told_once(switch: Any) -> None:
    [error] = _interrupted(switch, lambda call: call.sleep(100))
    assert isinstance(error, Hangup)


def test_a_handler_that_waits_on_is_told_again(switch: Any) -> None:
    def wait(call: Call) -> None:
        try:
            call.sleep(100)
        except Hangup:
            Flag().wait()

    [error] = _interrupted(switch, wait)
    assert isinstance(error, Hangup)


def test_a_wait_after_the_block_is_left_alone(switch: Any) -> None:
    waited = Flag()

    def run(call: Call) -> None:
        call.answer()
        with call.interruptible():
            call.play("one")
        while not call.over:
            gevent.sleep(0.005)
        gevent.sleep(0.02)
        waited.set()

    with switch.call(handler=in_call(run)) as caller:
        caller.hears("one")
        caller.hangs_up()
    assert waited.wait(5)


def test_a_block_that_begins_after_the_end_does_not_begin(switch: Any) -> None:
    reached = []

    def run(call: Call) -> None:
        call.answer()
        while not call.over:
            gevent.sleep(0.005)
        with call.interruptible():
            reached.append("inside")

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(0.1)
        caller.hangs_up()
    assert reached == []
