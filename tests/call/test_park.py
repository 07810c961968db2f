"""Parking places: who is fetched by whom, and what becomes of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from fsivr import Call, DeadlineExceeded, Hangup, HangupCause, Leg, ModuleMissing, Parked
from tests.call.conversations import HOSTILE, IDS, Open, argument, in_call
from tests.call.rooms import Asked, modules_there


def parking(got: list[Parked], **options: Any) -> Callable[[Call], None]:
    def run(call: Call) -> None:
        call.answer()
        got.append(call.park("main", **options))
        call.play("afterwards")

    return run


def fetching(got: list[Leg], *slot: Any) -> Callable[[Call], None]:
    def run(call: Call) -> None:
        call.answer()
        got.append(call.unpark("main", *slot))
        call.play("goodbye")

    return run


def test_a_parked_caller_is_fetched_and_both_come_back(switch: Any) -> None:
    parked: list[Parked] = []
    legs: list[Leg] = []
    slots: list[int] = []
    with switch.call(handler=in_call(parking(parked, on_slot=slots.append))) as first:
        first.waits(5)
        assert slots == [701]
        with switch.call(handler=in_call(fetching(legs, 701)), caller_number="2000") as second:
            second.waits(30)
            first.hangs_up()
            second.hears("goodbye")
    [leg] = legs
    assert (leg.destination, leg.answered, leg.uuid) == ("main/701", True, first.uuid)
    assert leg.hangup_cause is HangupCause.NORMAL_CLEARING
    assert leg.duration == pytest.approx(30, abs=0.2)
    assert parked == []  # this one hung up


def test_the_parked_caller_stays_when_the_other_leaves(switch: Any) -> None:
    parked: list[Parked] = []
    with switch.call(handler=in_call(parking(parked, slot=(5, 9), music="moh"))) as first:
        first.waits(5)
        with switch.call(handler=in_call(fetching([], (5, 9)))) as second:
            second.waits(10)
            second.hangs_up()
        first.hears("moh", "afterwards")
    [one] = parked
    assert (one.lot, one.slot, one.by, one.picked_up) == ("main", 5, second.uuid, True)
    assert (one.waited, one.talked) == (pytest.approx(5, abs=0.2), pytest.approx(10, abs=0.2))


def test_nobody_comes(switch: Any) -> None:
    parked: list[Parked] = []
    with switch.call(handler=in_call(parking(parked, timeout=30))) as caller:
        caller.hears("afterwards")
    [one] = parked
    assert (one.slot, one.picked_up, one.by, one.talked) == (701, False, "", 0.0)
    assert one.waited == pytest.approx(30, abs=0.2)
    assert switch.lots["main"] == {}


def test_each_gets_a_place_of_his_own_and_a_full_lot_takes_nobody(switch: Any) -> None:
    """A place that is taken must not connect two strangers, as `valet_park main 7` would."""
    parked: list[Parked] = []
    handler = in_call(parking(parked, slot=(7, 8), timeout=20))
    with switch.call(handler=handler) as first, switch.call(handler=handler) as second:
        first.waits(1)
        second.waits(1)
        assert sorted(switch.lots["main"]) == ["7", "8"]
        with switch.call(handler=handler) as third:
            third.hears("afterwards")
        assert parked == [Parked("main", None, "", parked[0].waited, 0.0)]
        first.hears("afterwards")
        second.hears("afterwards")
    assert sorted(one.slot or 0 for one in parked) == [0, 7, 8]


def test_nobody_is_there_to_be_fetched(switch: Any) -> None:
    legs: list[Leg] = []
    with switch.call(handler=in_call(fetching(legs))) as caller:
        caller.hears("goodbye")
    assert legs == [Leg("main", False, HangupCause.SUBSCRIBER_ABSENT, 0.0, "")]


def test_the_longest_parked_is_fetched_first(switch: Any) -> None:
    legs: list[Leg] = []
    handler = in_call(parking([]))
    with switch.call(handler=handler) as first:
        first.waits(3)
        with switch.call(handler=handler) as second:
            second.waits(3)
            with switch.call(handler=in_call(fetching(legs))) as fetcher:
                fetcher.waits(3)
                first.hangs_up()
                fetcher.hears("goodbye")
            second.hangs_up()
    assert legs[0].uuid == first.uuid


def test_on_slot_may_take_its_time_and_ends_with_the_verb(switch: Any) -> None:
    ended: list[str] = []

    def on_slot(slot: int) -> None:
        try:
            gevent.sleep(3600)
        finally:
            ended.append("killed")

    with switch.call(handler=in_call(parking([], timeout=10, on_slot=on_slot))) as caller:
        caller.hears("afterwards")
    assert ended == ["killed"]


def test_the_callers_hangup_raises_at_once(switch: Any) -> None:
    raised: list[BaseException] = []

    def run(call: Call) -> None:
        try:
            call.park("main")
        except BaseException as error:
            raised.append(error)
            raise

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(3)
        caller.hangs_up()
    assert isinstance(raised[0], Hangup)
    assert switch.lots["main"] == {}


def test_a_deadline_ends_the_talk_for_the_caller(switch: Any) -> None:
    def run(call: Call) -> None:
        call.answer()
        with pytest.raises(DeadlineExceeded), call.deadline(0.3):
            call.park("main")
        call.play("overtime")

    with switch.call(handler=in_call(run)) as first:
        first.waits(1)
        with switch.call(handler=in_call(fetching([]))) as second:
            second.waits(5)
            gevent.sleep(0.4)  # a deadline counts real time
            first.hears("overtime")
            second.hears("goodbye")


def test_a_switch_without_parking(switch: Any) -> None:
    switch.modules_missing.add("mod_valet_parking")
    raised: list[str] = []

    def run(call: Call) -> None:
        for verb in (lambda: call.park("main"), lambda: call.unpark("main")):
            try:
                verb()
            except ModuleMissing as error:
                raised.append(str(error))

    with switch.call(handler=in_call(run)) as caller:
        caller.join()
    assert [text.split()[0] for text in raised] == ["park", "unpark"]


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_hostile_text_is_no_lot(open_call: Open, text: str) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    for verb in (
        lambda: call.park(text),
        lambda: call.unpark(text),
        lambda: call.park("main", slot=text),  # type: ignore[arg-type]
        lambda: call.unpark("main", text),  # type: ignore[arg-type]
        *((lambda: call.park("main", music=text),) if text[:2] != "xx" else ()),  # a long name is a name
    ):
        with pytest.raises(ValueError, match="not"):
            verb()
    assert len(peer.commands) == before


@pytest.mark.parametrize("slot", [0, -1, True, 1.5, "ask", "auto", (2, 1), (1,), (1, 2, 3), None, 10**9])
def test_a_slot_that_is_none_is_refused(open_call: Open, slot: Any) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    for verb in (lambda: call.park("main", slot=slot), lambda: call.unpark("main", slot)):
        with pytest.raises(ValueError, match="whole number"):
            verb()
    with pytest.raises(ValueError, match="seconds from 1"):
        call.park("main", timeout=0)
    assert len(peer.commands) == before


def test_what_reaches_the_wire(open_call: Open) -> None:
    call, peer = open_call(modules_there)
    call.park("main@example.com", slot=7, timeout=60)
    assert argument(peer.executed[-1]) == "main@example.com auto in 7 7"
    call.unpark("main", (3, 4))
    assert argument(peer.executed[-1]) == "main auto out 3 4"
    sent = "\n".join(each.command for each in peer.commands)
    assert "valet_parking_timeout=60;" in sent and "valet_parking_timeout=1;" in sent


def test_who_is_parked_can_be_asked(switch: Any) -> None:
    with switch.call(handler=in_call(parking([]))) as caller:
        caller.waits(1)
        told = Asked(switch).api("valet_info", "main")
        assert f'<extension uuid="{caller.uuid}">701</extension>' in told
        caller.hangs_up()
