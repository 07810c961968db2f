"""4300 to 4399, as their callers hear them."""

from __future__ import annotations

from datetime import datetime

from fsivr import HangupCause, Say, Tone

from apps.voicemail import messages

BEEP = Tone("%(200,0,1000)")


def leave(switch, *, box="4301", seconds=4, hangs_up=False):
    with switch.call(box, caller_number="4930123") as caller:
        caller.hears("voicemail/leave-a-message", BEEP)
        caller.talks(seconds)
        if hangs_up:
            caller.hangs_up()
        else:
            caller.dials("#")
            caller.hears("voicemail/thank-you")


def received():
    return Say.date_time(datetime.fromisoformat(messages.entries()[0]["left"]))


def log_in(caller, pin="1133"):
    caller.hears("voicemail/box")
    caller.dials("4301")
    caller.hears("voicemail/pin")
    caller.dials(pin)


def test_a_message_is_left_and_heard(switch):
    leave(switch)
    [message] = messages.entries()
    with switch.call("4300") as caller:
        log_in(caller)
        caller.hears("voicemail/you-have", 1, "voicemail/new-messages")
        caller.hears("voicemail/received", received(), message["path"], "voicemail/message-menu")
        caller.dials("1")
        caller.hears(message["path"], "voicemail/message-menu")
        caller.dials("2")
        caller.hears("voicemail/no-more-messages")
    assert messages.entries() == [{**message, "heard": True}]


def test_most_callers_just_hang_up(switch):
    leave(switch, hangs_up=True)
    [message] = messages.entries()
    assert (message["box"], message["by"], message["heard"]) == ("4301", "4930123", False)


def test_who_waits_in_silence_has_left_nothing(switch):
    with switch.call("4301") as caller:
        caller.hears("voicemail/leave-a-message", BEEP, "voicemail/thank-you")
    assert messages.entries() == []


def test_who_says_nothing_has_left_nothing(switch):
    with switch.call("4301") as caller:
        caller.hears("voicemail/leave-a-message", BEEP)
        caller.dials("#")
        caller.hears("voicemail/thank-you")
    assert messages.entries() == []


def test_a_deleted_message_is_gone(switch):
    leave(switch)
    with switch.call("4300") as caller:
        log_in(caller)
        caller.hears("voicemail/you-have", 1, "voicemail/new-messages")
        caller.hears("voicemail/received", received(), messages.entries()[0]["path"], "voicemail/message-menu")
        caller.dials("7")
        caller.hears("voicemail/deleted", "voicemail/no-more-messages")
    assert messages.entries() == []


def test_other_boxes_are_closed(switch):
    leave(switch, box="4302")
    with switch.call("4300") as caller:
        for _ in range(2):
            log_in(caller, pin="0000")
            caller.hears("voicemail/wrong")
        log_in(caller)
        caller.hears("voicemail/you-have", 0, "voicemail/new-messages", "voicemail/no-more-messages")


def test_there_is_no_such_box(switch):
    with switch.call("4377") as caller:
        caller.hears("voicemail/no-such-box")
    assert caller.hangup_cause is HangupCause.UNALLOCATED_NUMBER


def test_a_message_whose_sound_is_gone_is_passed_over(switch):
    leave(switch)
    [message] = messages.entries()
    switch.missing(message["path"])
    with switch.call("4300") as caller:
        log_in(caller)
        caller.hears("voicemail/you-have", 1, "voicemail/new-messages")
        caller.hears("voicemail/received", received(), "voicemail/no-more-messages")
    assert messages.entries() == [message]
