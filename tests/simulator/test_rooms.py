"""Rooms of the simulated switch against what the real one did, and against its source."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fsivr import Call, HangupCause
from tests.call.conversations import in_call
from tests.call.rooms import Asked, staying
from tests.simulator.frames import Frame
from tests.simulator.replay import Scene, gist, original, play, split

_NAME = "11r_conference"


def _told(frames: list[Frame]) -> list[list[str]]:
    return [[frame.get(name) for name in ("Action", "Member-Type", "Conference-Size", "Floor")] for frame in frames]


def test_a_conference_goes_as_it_did_on_the_real_switch() -> None:
    player, _ = play(Scene(_NAME))
    wanted, got = split(original(_NAME)), split(player.received)
    assert [_gist(frame) for frame in got.answers] == [_gist(frame) for frame in wanted.answers]
    assert [gist(frame) for frame in got.events] == [gist(frame) for frame in wanted.events]
    assert _told(got.events) == _told(wanted.events)


def _gist(frame: Frame) -> list[str]:
    """An answer, with the port that the caller's telephone had left out."""
    return [re.sub(r"(?<=@127\.0\.0\.1:)\d+", "PORT", str(part)) for part in gist(frame)]


def test_its_events_have_the_headers_of_the_real_ones() -> None:
    player, _ = play(Scene(_NAME))
    for want, got in zip(split(original(_NAME)).events, split(player.received).events, strict=True):
        if want.get("Event-Name") == "CUSTOM" or want.get("Application") == "conference":
            assert _lasting(got.names) == _lasting(want.names), gist(want)


def _lasting(names: list[str]) -> list[str]:
    return [name for name in names if not name.startswith("variable_sip_")]


def test_a_conference_is_listed_as_on_the_real_switch(switch: Any) -> None:
    with switch.call(handler=in_call(staying([]))) as caller:
        caller.waits(2)
        asked = Asked(switch)
        line = asked.api("conference", "sales list").rstrip("\n").split(";")
        [real] = [frame.body for frame in original(_NAME) if ";hear|" in frame.body]
        assert line[2] == caller.uuid
        assert line[5:] == real.rstrip("\n").split(";")[5:]  # hear|speak|floor, and the levels
        assert asked.api("conference", "sales").startswith("Conference command, not specified")
        assert asked.api("conference", "sales dance") == "-ERR Conference command 'dance' not found.\n"
        assert asked.api("conference", "other list") == "-ERR Conference other not found\n"
        assert asked.api("conference", "sales kick nobody").startswith("kick <")
        assert asked.api("conference", "sales recording").startswith("recording [")
        caller.hangs_up()


def run_steps(switch: Any, *steps: tuple[str, str], **options: Any) -> Any:
    """A call whose handler runs applications one after the other, and then plays something."""

    def run(call: Call) -> None:
        call.answer()
        for application, argument in steps:
            call.execute(application, argument)
        call.play("afterwards")

    return switch.call(handler=in_call(run), **options)


@pytest.mark.parametrize(
    ("application", "argument"),
    [("fifo", "support"), ("fifo", "support sideways"), ("valet_park", "main"), ("valet_park", "main auto in"),
     ("valet_park", "main auto round 1 2"), ("callcenter", "nowhere"), ("conference", "@default")],
)  # fmt: skip
def test_an_argument_that_is_none_ends_it_at_once(switch: Any, application: str, argument: str) -> None:
    with run_steps(switch, (application, argument)) as caller:
        caller.hears("afterwards")


def test_a_served_caller_is_lost_to_the_handler_unless_it_is_parked_afterwards(switch: Any) -> None:
    """mod_fifo.c: CS_HIBERNATE; switch_ivr_bridge.c, audio_bridge_on_exchange_media: then a hangup."""
    switch.agents("support", talks=5)
    causes: list[Any] = []

    def run(call: Call) -> None:
        call.answer()
        call.execute("fifo", "support in")
        try:
            call.play("in-the-talk")  # what is sent runs in whatever the channel does
        finally:
            causes.append(call.hangup_cause)

    with switch.call(handler=in_call(run)) as caller:
        caller.join()
    assert causes == [HangupCause.BLIND_TRANSFER]
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_two_fixed_parking_places_connect_strangers(switch: Any) -> None:
    """mod_valet_parking.c: an extension that is taken is fetched from; why `park` never names one."""
    with run_steps(switch, ("valet_park", "main 7")) as first:
        first.waits(2)
        with run_steps(switch, ("valet_park", "main 7"), caller_number="2000") as second:
            second.waits(2)
            assert [line for line in second.transcript if "talks with 1000" in line]
            second.hangs_up()
        first.join()
    assert [line for line in first.transcript if "talks with 2000" in line]


def test_what_is_scheduled_can_be_taken_back(switch: Any) -> None:
    asked = Asked(switch)
    with run_steps(switch, ("sleep", "60000")) as caller:
        caller.waits(1)
        assert asked.api("sched_api", f"+10 mine uuid_kill {caller.uuid}") == "+OK Added: 1\n"
        assert asked.api("sched_del", "mine") == "+OK Deleted: 1\n"
        assert asked.api("sched_del", "mine") == "+OK Deleted: 0\n"
        assert asked.api("sched_api", "+10").startswith("-ERR")
        caller.waits(20)
        assert not caller.over
        asked.api("sched_api", f"+10 mine uuid_kill {caller.uuid}")
        caller.waits(20)
        assert caller.over
