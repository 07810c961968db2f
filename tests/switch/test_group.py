"""Group calls: their pace, how many there are at once, and what is left of a group that is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from fsivr import Call, CommandRefused, ConnectionLost, Dial, Dialplan, DialResult, Extension, Handler, HangupCause
from tests.leaks import until


class Reminder(Handler):
    def run(self, call: Call) -> None:
        call.answer()
        call.play("reminder/tomorrow")


class Watched:
    """A simulated switch whose calls are counted as they begin and end, on its own clock."""

    def __init__(self, switch: Any) -> None:
        self.began: list[float] = []
        self.most = 0
        register = switch.register

        def counted(*arguments: Any, **options: Any) -> None:
            self.began.append(round(switch.clock.now(), 3))
            register(*arguments, **options)
            self.most = max(self.most, len(switch.channels))

        switch.register = counted


def numbers(count: int) -> list[str]:
    return [f"user/{number}" for number in range(count)]


def test_each_call_is_reported(switch: Any) -> None:
    switch.answers("user/0", after=2)
    switch.busy("user/1")
    switch.no_answer("user/2")
    found = {each.to: each for each in switch.dial_many(numbers(4), Reminder, per_second=100, timeout=5)}
    assert [found[to].result.name for to in numbers(4)] == ["ANSWERED", "BUSY", "NO_ANSWER", "FAILED"]
    assert found["user/3"].hangup_cause is HangupCause.SUBSCRIBER_ABSENT
    assert found["user/3"].error is None
    assert switch.callers == []  # the last call has ended


def test_each_is_reported_as_it_is_known(switch: Any) -> None:
    switch.answers("user/0", after=9)
    switch.answers("user/1", after=3)
    switch.busy("user/2", after=1)
    assert [each.to for each in switch.dial_many(numbers(3), Reminder, per_second=100)] == [
        "user/2",
        "user/1",
        "user/0",
    ]


@pytest.mark.parametrize(("per_second", "gap"), [(2, 0.5), (0.1, 10.0), (10, 0.1)])
def test_the_pace(switch: Any, per_second: float, gap: float) -> None:
    watched = Watched(switch)
    for number in range(6):
        switch.answers(f"user/{number}", after=1)
    found = list(switch.dial_many(numbers(6), Reminder, concurrency=100, per_second=per_second))
    assert len(found) == 6
    assert watched.began == pytest.approx([gap * number for number in range(6)], abs=0.03)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_there_are_never_more_at_once(switch: Any, concurrency: int) -> None:
    watched = Watched(switch)
    for number in range(8):
        (switch.busy if number % 3 == 2 else switch.answers)(f"user/{number}", after=1 + number % 2)
    found = list(switch.dial_many(numbers(8), Reminder, concurrency=concurrency, per_second=100))
    assert len(found) == len(watched.began) == 8
    assert watched.most == concurrency


def test_a_call_counts_until_it_has_ended(switch: Any) -> None:
    watched = Watched(switch)
    switch.lasts("reminder/tomorrow", 60)
    switch.answers("user/0", after=1)
    switch.answers("user/1", after=1)
    list(switch.dial_many(numbers(2), Reminder, concurrency=1, per_second=100))
    assert 61 <= watched.began[1] - watched.began[0] <= 63


def test_a_failure_stops_no_other(switch: Any) -> None:
    switch.answers("user/good")
    calls = ["user/good", "user/${system(id)}", Dial(to="user/good", variables={"a b": "x"}), 7, "user/good"]
    found = list(switch.dial_many(calls, Reminder, per_second=100, concurrency=1))
    assert [each.result.name for each in found] == ["ANSWERED", "FAILED", "FAILED", "FAILED", "ANSWERED"]
    assert [type(each.error).__name__ for each in found] == [
        "NoneType",
        "ValueError",
        "ValueError",
        "TypeError",
        "NoneType",
    ]
    assert found[1].to == "user/${system(id)}"


def test_a_switch_that_is_gone_fails_each(switch: Any) -> None:
    switch.inbound.stop()
    found = list(switch.dial_many(numbers(3), Reminder, per_second=100))
    assert [(each.result, type(each.error), each.hangup_cause) for each in found] == [
        (DialResult.FAILED, ConnectionLost, HangupCause.NETWORK_OUT_OF_ORDER)
    ] * 3


def test_a_switch_that_is_gone_for_a_while_keeps_the_slot(switch: Any) -> None:
    """The end of a call cannot be asked after meanwhile: it is asked again, and nothing is placed for it."""
    watched = Watched(switch)
    switch.lasts("reminder/tomorrow", 30)
    for number in range(2):
        switch.answers(f"user/{number}", after=1)
    group = switch.dial_many(numbers(2), Reminder, concurrency=1, per_second=100)
    assert next(group).answered
    switch.inbound.drop()
    assert next(group).answered
    assert list(group) == []
    assert watched.began[1] >= 31
    assert watched.most == 1


def test_each_may_have_what_is_its_own(switch: Any) -> None:
    heard: list[tuple[str, str, str]] = []

    class Tells(Handler):
        def run(self, call: Call) -> None:
            heard.append((call.destination, call.caller, call.variables["name"]))

    class Tells2(Tells):
        def run(self, call: Call) -> None:
            heard.append((call.destination, call.caller, "other"))

    for number in range(3):
        switch.answers(f"user/{number}")
    calls = [
        Dial(to="user/0", variables={"name": "Ann"}),
        Dial(to="user/1", variables={"name": "Bea"}, caller_id="22"),
        Dial(to="user/2", handler=Tells2),
    ]
    plan = Dialplan([Extension("1", Tells)], outbound=[Tells2])
    list(switch.dial_many(calls, Tells, dialplan=plan, per_second=100, caller_id="11"))
    assert sorted(heard) == [("0", "11", "Ann"), ("1", "22", "Bea"), ("2", "11", "other")]


def test_calls_are_taken_as_they_can_be_placed(switch: Any) -> None:
    taken: list[float] = []

    def endless() -> Iterator[str]:
        while True:
            taken.append(switch.clock.now())
            yield "user/0"

    switch.answers("user/0", after=1)
    group = switch.dial_many(endless(), Reminder, concurrency=2, per_second=100)
    assert next(group).answered
    assert len(taken) == 2
    group.close()


def test_an_iterable_that_fails_is_the_one_who_iterates_told(switch: Any) -> None:
    def breaks() -> Iterator[str]:
        yield "user/0"
        raise LookupError("no such list")

    switch.answers("user/0")
    found: list[Any] = []
    with pytest.raises(LookupError, match="no such list"):
        for each in switch.dial_many(breaks(), Reminder, per_second=100):
            found.append(each)
    assert len(found) <= 1


def test_a_group_that_is_left_hangs_up_what_rings_and_leaves_the_rest(switch: Any) -> None:
    switch.lasts("reminder/tomorrow", 20)
    switch.answers("user/0", after=0)
    with switch.phone("user/1", answers_after=None) as ringing, switch.phone("user/2") as never:
        group = switch.dial_many(numbers(3), Reminder, concurrency=2, per_second=100)
        assert next(group).to == "user/0"
        ringing.rings()
        group.close()
        ringing.join()
    assert ringing.hangup_cause is HangupCause.ORIGINATOR_CANCEL
    assert not never.rung
    (answered,) = switch.callers
    assert answered.join()
    assert answered.hangup_cause is HangupCause.NORMAL_CLEARING
    # That no greenlet is left is asserted by the fixture.


def test_a_group_that_nobody_iterates_calls_nobody(switch: Any) -> None:
    group = switch.dial_many(["user/0"], Reminder)
    gevent.sleep(0.02)
    assert switch.session_count == 0
    group.close()


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda one: one.dial_many(["user/0"], Reminder, concurrency=0), ValueError, "from 1 on, not 0"),
        (lambda one: one.dial_many(["user/0"], Reminder, concurrency=1.5), ValueError, r"not 1\.5"),
        (lambda one: one.dial_many(["user/0"], Reminder, per_second=0), ValueError, "above 0"),
        (lambda one: one.dial_many(["user/0"], Reminder, per_second=float("nan")), ValueError, "above 0"),
        (lambda one: one.dial_many("user/0", Reminder), TypeError, "several destinations"),
        (lambda one: one.dial_many(["user/0"], Reminder, time_out=3), TypeError, "no option time_out"),
    ],
)
def test_a_wrong_group_is_refused_at_once(switch: Any, make: Callable[[Any], Any], error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        make(switch.server.switch)


def test_a_group_without_a_handler(switch: Any) -> None:
    switch.dialplan = Dialplan()
    (found,) = switch.dial_many(["user/0"])
    assert isinstance(found.error, TypeError)


def test_a_refusal_of_the_switch_is_told(switch: Any, monkeypatch: Any) -> None:
    placing = switch._serve(switch._for_handler(Reminder)).switch
    monkeypatch.setattr(placing, "originate", lambda *_, **__: (_ for _ in ()).throw(CommandRefused("no")))
    (found,) = switch.dial_many(["user/0"], Reminder)
    assert isinstance(found.error, CommandRefused)


def test_a_handler_dials_a_group_and_its_caller_leaves(switch: Any) -> None:
    got: list[Any] = []

    class Rounds(Handler):
        def run(self, call: Call) -> None:
            call.answer()
            for each in call.switch.dial_many(numbers(50), Reminder, concurrency=1, per_second=1):
                got.append(each)

    for number in range(50):
        switch.answers(f"user/{number}", after=1)
    plan = Dialplan([Extension(".*", Rounds)], outbound=[Reminder])
    with switch.call(dialplan=plan) as caller:
        caller.waits(10)
        caller.hangs_up()
    assert until(lambda: not switch.sleeping)
    assert 2 <= len(got) < 10
    for phone in switch.callers:
        phone.join()
