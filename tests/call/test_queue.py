"""Queues: who was served by whom, who left and why; the agent's side; and calls that come back from a talk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from fsivr import (
    Call,
    DeadlineExceeded,
    Hangup,
    HangupCause,
    Leg,
    PromptError,
    Queue,
    QueueStay,
    WhyLeft,
)
from tests.call.conversations import in_call
from tests.call.rooms import Asked


def queueing(stays: list[Any], name: str = "support", **options: Any) -> Callable[[Call], None]:
    def run(call: Call) -> None:
        call.answer()
        stays.append(call.queue(name, **options))
        call.play("afterwards")

    return run


def queued(switch: Any, dial: Callable[[Any], Any] = lambda caller: None, **options: Any) -> QueueStay:
    stays: list[QueueStay] = []
    with switch.call(handler=in_call(queueing(stays, **options))) as caller:
        dial(caller)
        caller.hears("afterwards")
    return stays[0]


KINDS = [{}, {"kind": "callcenter"}]


@pytest.mark.parametrize("options", KINDS, ids=["fifo", "callcenter"])
def test_a_caller_is_served_and_comes_back(switch: Any, options: dict[str, Any]) -> None:
    switch.agents("support", after=3, talks=10)
    stay = queued(switch, **options)
    assert (stay.name, stay.why, stay.served, stay.agent, stay.key) == ("support", WhyLeft.SERVED, True, "agent-1", "")
    assert stay.waited == pytest.approx(3, abs=0.1)
    assert stay.talked == pytest.approx(10, abs=0.1)


@pytest.mark.parametrize("options", KINDS, ids=["fifo", "callcenter"])
def test_nobody_comes_in_time(switch: Any, options: dict[str, Any]) -> None:
    switch.agents("support", count=0)
    stay = queued(switch, timeout=20, **options)
    assert (stay.why, stay.served, stay.agent, stay.talked) == (WhyLeft.TIMEOUT, False, "", 0.0)
    assert stay.waited == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize("options", KINDS, ids=["fifo", "callcenter"])
def test_a_key_leaves_the_queue(switch: Any, options: dict[str, Any]) -> None:
    switch.agents("support", count=0)

    def dial(caller: Any) -> None:
        caller.waits(4)
        caller.dials("12*")

    for key in ("*", "*#"):
        stay = queued(switch, dial, timeout=60, exit_key=key, **options)
        assert (stay.why, stay.key, stay.talked) == (WhyLeft.EXIT_KEY, "*", 0.0)
        assert stay.waited == pytest.approx(4, abs=0.1)


def test_callers_are_served_in_turn(switch: Any) -> None:
    switch.agents("support", after=1, talks=10)
    stays: list[QueueStay] = []
    handler = in_call(queueing(stays))
    with switch.call(handler=handler) as first:
        first.waits(0.5)
        with switch.call(handler=handler) as second:
            first.hears("afterwards")
            second.hears("afterwards")
    assert [round(stay.waited) for stay in stays] == [1, 12]


def test_what_one_queue_left_behind_is_not_the_next_ones(switch: Any) -> None:
    switch.agents("support", talks=5)
    stays: list[QueueStay] = []

    def twice(call: Call) -> None:
        call.answer()
        stays.append(call.queue("support"))
        stays.append(call.queue("other", timeout=5, exit_key="#"))
        stays.append(call.queue("support"))

    with switch.call(handler=in_call(twice)) as caller:
        caller.join()
    assert [(stay.why, stay.agent) for stay in stays] == [
        (WhyLeft.SERVED, "agent-1"),
        (WhyLeft.TIMEOUT, ""),
        (WhyLeft.SERVED, "agent-1"),
    ]


def test_every_verb_works_after_a_talk_and_the_caller_is_still_who_he_was(switch: Any) -> None:
    switch.agents("support", talks=5)
    switch.answers("user/agent", talks=5)
    got: list[Any] = []

    def run(call: Call) -> None:
        call.answer()
        call.queue("support")
        got.append((call.caller, call.destination))
        got.append(call.ask("pin", digits=4))
        got.append(call.bridge("user/agent"))
        call.play("afterwards")  # after a second bridge, which must not park

    with switch.call("4100", handler=in_call(run), caller_number="1007") as caller:
        caller.hears("pin")
        caller.dials("4711")
        caller.hears("afterwards")
    who, digits, leg = got
    assert (who, digits, leg.answered) == (("1007", "4100"), "4711", True)
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_the_caller_may_leave_during_the_talk(switch: Any) -> None:
    switch.agents("support", talks=None)
    raised: list[BaseException] = []

    def run(call: Call) -> None:
        try:
            call.queue("support")
        except BaseException as error:
            raised.append(error)
            raise

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(30)
        caller.hangs_up()
    assert isinstance(raised[0], Hangup)
    assert raised[0].cause is HangupCause.NORMAL_CLEARING


@pytest.mark.parametrize("talks", [None, "nobody"])
def test_a_deadline_takes_the_caller_out(switch: Any, talks: Any) -> None:
    if talks is None:
        switch.agents("support", after=0.1, talks=None)

    def run(call: Call) -> None:
        call.answer()
        with pytest.raises(DeadlineExceeded), call.deadline(0.2):
            call.queue("support")
        call.play("overtime")
        call.play("afterwards")

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(1)
        gevent.sleep(0.3)  # a deadline counts real time
        caller.hears("overtime", "afterwards")
    assert switch.fifos["support"].callers == []


@pytest.mark.parametrize("options", KINDS, ids=["fifo", "callcenter"])
def test_a_transfer_from_outside_ends_it(switch: Any, options: dict[str, Any]) -> None:
    switch.agents("support", count=0)
    switch.extensions["9000"] = [("playback", "elsewhere")]
    causes: list[Any] = []

    def run(call: Call) -> None:
        try:
            call.queue("support", **options)
        finally:
            causes.append(call.hangup_cause)

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(5)
        Asked(switch).api("uuid_transfer", f"{caller.uuid} 9000")
        caller.join()
    assert causes == [HangupCause.BLIND_TRANSFER]


def test_a_transfer_after_a_talk_ends_it_too(switch: Any) -> None:
    switch.agents("support", talks=5)
    switch.extensions["9000"] = [("playback", "elsewhere")]
    causes: list[Any] = []

    def run(call: Call) -> None:
        call.answer()
        call.queue("support")
        try:
            call.sleep(60)
            call.play("never")
        finally:
            causes.append(call.hangup_cause)

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(20)
        Asked(switch).api("uuid_transfer", f"{caller.uuid} 9000")
        caller.join()
    assert causes == [HangupCause.BLIND_TRANSFER]


def test_a_server_that_is_gone_does_not_leave_the_caller_parked_for_ever(switch: Any) -> None:
    switch.agents("support", after=5, talks=10)
    with switch.call(handler=in_call(queueing([]))) as caller:
        caller.waits(2)
        caller.line.eof()
        assert caller.join(120)


# -- music, announcements ----------------------------------------------------------------------------


def test_music_until_an_announcement(switch: Any) -> None:
    switch.agents("support", after=3, talks=1)
    stays: list[QueueStay] = []
    with switch.call(handler=in_call(queueing(stays, music="moh", announce="your-turn"))) as caller:
        caller.hears("moh", "your-turn", "afterwards")
    assert stays[0].served


def test_music_that_cannot_be_played_is_an_error(switch: Any) -> None:
    switch.missing("moh")
    raised: list[str] = []

    def run(call: Call) -> None:
        try:
            call.queue("support", music="moh")
        except PromptError as error:
            raised.append(str(error))

    with switch.call(handler=in_call(run)) as caller:
        caller.join()
    assert "moh" in raised[0]


# -- the agent -----------------------------------------------------------------------------------------


def test_an_agent_serves_one_caller_after_the_other(switch: Any) -> None:
    stays: list[QueueStay] = []

    def agent(call: Call) -> None:
        call.answer()
        call.serve_queue("support")

    with switch.call(handler=in_call(agent), caller_number="2000") as phone:
        phone.waits(1)
        assert (Queue(Asked(switch), "support").agents(), Queue(Asked(switch), "support").waiting()) == (1, 0)
        for _ in range(2):
            with switch.call(handler=in_call(queueing(stays))) as caller:
                caller.waits(20)
                caller.hangs_up()
            phone.waits(10)
        phone.hangs_up()
    assert stays == []  # they hung up, and so their handlers ended there
    assert sum("talks with 1000" in line for line in phone.transcript) == 2


def test_an_agent_takes_the_one_who_waits(switch: Any) -> None:
    stays: list[QueueStay] = []
    legs: list[Leg | None] = []

    def agent(call: Call) -> None:
        call.answer()
        for _ in range(2):
            legs.append(call.serve_queue("support", wait=False))
        call.play("no-more")

    with switch.call(handler=in_call(queueing(stays))) as caller:
        caller.waits(5)
        assert Queue(Asked(switch), "support").waiting() == 1
        with switch.call(handler=in_call(agent)) as phone:
            caller.waits(8)
            caller.hangs_up()
            phone.hears("no-more")
    [leg, none] = legs
    assert leg is not None and none is None
    assert (leg.destination, leg.answered, leg.uuid) == ("support", True, caller.uuid)
    assert leg.duration == pytest.approx(8, abs=1)
