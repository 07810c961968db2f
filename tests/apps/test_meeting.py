"""4500, as those who meet hear it."""

from __future__ import annotations

from fsivr import Conference, HangupCause


def enter(caller, room, pin):
    caller.hears("meeting/room")
    caller.dials(room)
    caller.hears("meeting/pin")
    caller.dials(pin)


def test_two_meet(switch):
    with switch.call("4500") as host, switch.call("4500") as guest:
        host.hears("meeting/welcome")
        enter(host, "100", "9111")
        guest.hears("meeting/welcome")
        enter(guest, "100", "1111")
        guest.waits(5)
        assert len(switch.conferences["meeting-100"].members) == 2
        guest.hangs_up()
        host.hangs_up()


def test_three_wrong_attempts_are_enough(switch):
    with switch.call("4500") as caller:
        caller.hears("meeting/welcome")
        for room, pin in (("100", "2222"), ("999", "    ".replace(" ", "0")), ("200", "0000")):
            enter(caller, room, pin)
            caller.hears("meeting/wrong")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING
    assert not switch.conferences


def test_who_is_removed_is_told(switch):
    with switch.call("4500") as caller:
        caller.hears("meeting/welcome")
        enter(caller, "100", "1111")
        caller.waits(5)
        Conference(switch.server.switch, "meeting-100").kick()
        caller.hears("meeting/removed")
