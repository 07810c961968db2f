"""Conferences: who comes in, and what becomes of them."""

from __future__ import annotations

import logging
from typing import Any

import gevent
import pytest

from fsivr import Call, Conference, ConferenceStay, DeadlineExceeded, Hangup, ModuleMissing, NoInput, NoMatch
from fsivr.esl.commands import api
from tests.call.conversations import HOSTILE, IDS, Open, argument, in_call
from tests.call.rooms import managed, modules_there, staying


def test_a_stay_ends_with_being_kicked(switch: Any) -> None:
    stays: list[ConferenceStay] = []
    with switch.call(handler=in_call(staying(stays))) as caller:
        caller.waits(20)
        managed(switch, lambda room: room.kick())
        caller.hears("afterwards")
    [stay] = stays
    assert (stay.name, stay.entered, stay.kicked) == ("sales", True, True)
    assert 19.9 < stay.duration < 20.2
    assert switch.conferences == {}


def test_a_stay_that_ends_otherwise_is_no_kick(switch: Any) -> None:
    stays: list[ConferenceStay] = []
    with switch.call(handler=in_call(staying(stays))) as caller:
        caller.waits(5)
        managed(switch, lambda room: room._commands.api("conference", "sales hup all"))
        caller.hears("afterwards")
    assert (stays[0].entered, stays[0].kicked) == (True, False)


def test_being_refused_is_told_apart_from_the_stay_before(switch: Any) -> None:
    stays: list[ConferenceStay] = []

    def twice(call: Call) -> None:
        stays.append(call.conference("sales"))
        call.play("again")
        stays.append(call.conference("other"))

    with switch.call(handler=in_call(staying(stays))) as other:
        other.waits(1)
        with switch.call(handler=in_call(twice)) as caller:
            caller.waits(1)
            managed(switch, lambda room: room.kick(room.members()[1]))
            caller.hears("again")
            switch.conferences["other"] = switch.conferences["sales"]
            switch.conferences["other"].locked = True
        del switch.conferences["other"]
        other.hangs_up()
    assert [stay.entered for stay in stays] == [True, False]


@pytest.mark.parametrize("text", HOSTILE, ids=IDS)
def test_hostile_text_is_no_name(open_call: Open, text: str) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    for verb in (
        lambda: call.conference(text),
        lambda: call.conference("sales", profile=text),
        lambda: call.conference("sales", pin=text, pin_prompt="pin"),
        lambda: Conference(call, text),
        lambda: Conference(call, "sales").record(text),
        lambda: Conference(call, "sales").stop_recording(text),
        lambda: Conference(call, "sales").kick(text),  # type: ignore[arg-type]
    ):
        with pytest.raises(ValueError, match=r"not|digits"):
            verb()
    assert len(peer.commands) == before


@pytest.mark.parametrize(
    "name", ["", "-x", "sales@evil", "sales+1234", "bridge:x:y", "a{b}", "list", "JSON_LIST", "help", None, 4100]
)
def test_a_name_that_means_something_else_is_refused(open_call: Open, name: Any) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    with pytest.raises(ValueError, match="conference"):
        call.conference(name)
    assert len(peer.commands) == before


@pytest.mark.parametrize("value", [0, 1, -1, True, 2.0, "2"])
def test_a_number_out_of_range_is_refused(open_call: Open, value: Any) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    with pytest.raises(ValueError, match="whole number from 2"):
        call.conference("sales", limit=value)
    for tries in (0, 101, True, 1.0):
        with pytest.raises(ValueError, match="tries is a whole number"):
            call.conference("sales", pin="1234", pin_prompt="pin", tries=tries)  # type: ignore[arg-type]
    for member in (0, -1, True, 1.5, "all", "1 2"):
        with pytest.raises(ValueError, match="a member is"):
            Conference(call, "sales").kick(member)  # type: ignore[arg-type]
    assert len(peer.commands) == before


def test_what_reaches_the_wire(open_call: Open) -> None:
    call, peer = open_call(modules_there)
    call.conference("sales-1", moderator=True, muted=True, limit=12, profile="wide")
    assert argument(peer.executed[-1]) == "sales-1@wide+flags{moderator|mute}"
    assert any("conference_max_members=12" in each.command for each in peer.commands)
    call.conference("sales-1")
    assert argument(peer.executed[-1]) == "sales-1@default"
    assert api("conference", "sales-1 kick all")  # and what the tests above say of it can be sent


# -- the pin ---------------------------------------------------------------------------------------


def test_the_right_pin_opens(switch: Any) -> None:
    stays: list[ConferenceStay] = []
    handler = in_call(staying(stays, pin="4711", pin_prompt="pin", wrong_pin="wrong"))
    with switch.call(handler=handler) as caller:
        caller.hears("pin")
        caller.dials("4712")
        caller.hears("wrong", "pin")
        caller.dials("4711")
        caller.waits(10)
        assert "sales" in switch.conferences
        managed(switch, lambda room: room.kick())
        caller.hears("afterwards")
    assert stays[0].entered


@pytest.mark.parametrize(("keys", "error"), [("1#", NoMatch), ("47110", NoMatch), ("", NoInput)])
def test_a_wrong_pin_does_not(switch: Any, keys: str, error: type[Exception]) -> None:
    raised: list[BaseException] = []

    def run(call: Call) -> None:
        call.answer()
        try:
            call.conference("sales", pin="47111", pin_prompt="pin", tries=2)
        except (NoMatch, NoInput) as caught:
            raised.append(caught)

    with switch.call(handler=in_call(run)) as caller:
        for _ in range(2):
            caller.hears("pin")
            if keys:
                caller.dials(keys)
        caller.join()
    assert type(raised[0]) is error
    assert "4711" not in str(raised[0]) and getattr(raised[0], "digits", "") == ""
    assert switch.conferences == {}


def test_the_pin_is_never_sent_nor_logged(open_call: Open, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    call, peer = open_call(modules_there)
    call.conference("sales", pin="1234", pin_prompt="pin")  # the peer keys it
    with pytest.raises(NoMatch) as raised:
        call.conference("sales", pin="98765", pin_prompt="pin")
    for secret in ("98765", "1234"):
        assert secret.encode() not in peer.received
        assert secret not in caplog.text
    assert "98765" not in repr(raised.value)


def test_a_pin_that_is_none_is_refused_and_not_shown(open_call: Open) -> None:
    call, _ = open_call()
    for pin in ("12a4", "", "1" * 33, 1234):
        with pytest.raises(ValueError, match="a pin is") as raised:
            call.conference("sales", pin=pin, pin_prompt="pin")  # type: ignore[arg-type]
        assert str(raised.value) == "a pin is 1 to 32 digits, as text"
    with pytest.raises(ValueError, match="pin_prompt"):
        call.conference("sales", pin="1234")


# -- how else it can end ---------------------------------------------------------------------------


def test_the_callers_hangup_raises_at_once(switch: Any) -> None:
    raised: list[BaseException] = []

    def run(call: Call) -> None:
        try:
            call.conference("sales")
        except BaseException as error:
            raised.append(error)
            raise

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(3)
        caller.hangs_up()
    assert isinstance(raised[0], Hangup)
    assert switch.conferences == {}


def test_a_deadline_takes_the_caller_out(switch: Any) -> None:
    def run(call: Call) -> None:
        call.answer()
        with pytest.raises(DeadlineExceeded), call.deadline(0.2):
            call.conference("sales")
        call.play("overtime")

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(1)
        gevent.sleep(0.3)  # a deadline counts real time
        caller.hears("overtime")
    assert switch.conferences == {}


def test_a_switch_without_conferences(switch: Any) -> None:
    switch.modules_missing.add("mod_conference")
    raised: list[BaseException] = []

    def run(call: Call) -> None:
        with pytest.raises(ModuleMissing) as missing:
            call.conference("sales")
        raised.append(missing.value)
        call.play("sorry")

    with switch.call(handler=in_call(run)) as caller:
        caller.hears("sorry")
    assert "mod_conference" in str(raised[0])
