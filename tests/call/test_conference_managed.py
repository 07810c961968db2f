"""Conferences managed from outside: the members, what can be done to them, recordings, locks."""

from __future__ import annotations

from typing import Any

import pytest

from fsivr import CommandRefused, Conference, ConferenceStay, Member, RemoteProtocolError
from tests.call.conversations import in_call
from tests.call.rooms import Asked, managed, staying


class Said:
    """What a switch answers to each API command, said by hand."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str]] = []

    def api(self, command: str, argument: str = "") -> str:
        self.asked.append((command, argument))
        return self.answers.pop(0)


def test_members_are_told_from_each_other(switch: Any) -> None:
    stays: list[ConferenceStay] = []
    chair = in_call(staying(stays, moderator=True))
    guest = in_call(staying(stays, muted=True))
    name = 'Bob";1;{}\\, "x": [${y}'
    with switch.call(handler=chair, caller_number="1001") as first:
        first.waits(1)
        with switch.call(handler=guest, caller_number="1002", caller_name=name) as second:
            second.waits(1)
            one, two = managed(switch, lambda room: room.members())
            assert one == Member(one.id, first.uuid, "1001", one.caller_name, False, True, False)
            assert two == Member(two.id, second.uuid, "1002", name, True, False, False)
            managed(switch, lambda room: room.unmute(two))
            managed(switch, lambda room: room.mute(one.id))
            assert [each.muted for each in managed(switch, lambda room: room.members())] == [True, False]
            managed(switch, lambda room: room.kick(two))
            second.hears("afterwards")
        managed(switch, lambda room: room.kick())
        first.hears("afterwards")
    assert [stay.kicked for stay in stays] == [True, True]


def test_a_locked_conference_lets_nobody_in(switch: Any) -> None:
    stays: list[ConferenceStay] = []
    with switch.call(handler=in_call(staying(stays))) as first:
        first.waits(1)
        managed(switch, lambda room: room.lock())
        with switch.call(handler=in_call(staying(stays))) as second:
            second.hears("afterwards")
        assert stays[0] == ConferenceStay("sales", False, stays[0].duration, False)
        managed(switch, lambda room: room.unlock())
        with switch.call(handler=in_call(staying(stays))) as third:
            third.waits(1)
            managed(switch, lambda room: room.kick())
            third.hears("afterwards")
        first.hears("afterwards")
    assert [stay.entered for stay in stays] == [False, True, True]


def test_a_full_conference_lets_nobody_in(switch: Any) -> None:
    stays: list[ConferenceStay] = []
    handler = in_call(staying(stays, limit=2))
    with switch.call(handler=handler) as first, switch.call(handler=handler) as second:
        first.waits(1)
        with switch.call(handler=handler) as third:
            third.hears("afterwards")
        assert [stay.entered for stay in stays] == [False]
        second.hangs_up()
        first.hangs_up()


def test_a_recording(switch: Any) -> None:
    with switch.call(handler=in_call(staying([]))) as caller:
        caller.waits(1)
        managed(switch, lambda room: room.record("/var/recordings/sales.wav"))
        assert switch.conferences["sales"].recordings == ["/var/recordings/sales.wav"]
        assert len(managed(switch, lambda room: room.members())) == 1  # the recorder is no member
        with pytest.raises(CommandRefused):
            Conference(Asked(switch), "sales").record("/var/recordings/sales.wav")
        managed(switch, lambda room: room.stop_recording())
        assert switch.conferences["sales"].recordings == []
        with pytest.raises(CommandRefused, match="recording"):
            Conference(Asked(switch), "sales").stop_recording("/never.wav")
        caller.hangs_up()


def test_a_conference_that_is_not_there(switch: Any) -> None:
    def act(room: Conference) -> Any:
        with pytest.raises(CommandRefused, match="not found"):
            room.kick()
        return room.members()

    assert managed(switch, act) == []


def test_a_member_who_is_not_there(switch: Any) -> None:
    with switch.call(handler=in_call(staying([]))) as caller:
        caller.waits(1)

        def act(room: Conference) -> None:
            with pytest.raises(CommandRefused, match="Non-Existant"):
                room.mute(4711)

        managed(switch, act)
        caller.hangs_up()


@pytest.mark.parametrize(
    "said", ["", "[]", "{}", "[1]", '[{"members": [{"id": 1}]}]', "x", "[{}, {}]", '[{"members": 3}]']
)
def test_an_answer_that_cannot_be_read_is_an_error(said: str) -> None:
    with pytest.raises(RemoteProtocolError, match="cannot be read"):
        Conference(Said(said), "sales").members()


@pytest.mark.parametrize("said", ["", "-ERR no", "kick <[member_id|all]>", "+OK kicked 1\n-ERR Non-Existant ID 2\n"])
def test_an_answer_that_is_no_yes_is_a_refusal(said: str) -> None:
    with pytest.raises(CommandRefused, match="kick"):
        Conference(Said(said), "sales").kick()


@pytest.mark.parametrize("path", ["../x.wav", "/a/../b.wav", "-x.wav", "all", "{a=b}/x.wav", ""])
def test_a_path_that_means_something_else_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="recording"):
        Conference(Said(), "sales").record(path)
