"""5000, as its callers hear it."""

from __future__ import annotations

from fsivr import HangupCause


def test_sales_answers(switch):
    switch.answers("user/sales", after=2, talks=30)
    with switch.call("5000") as caller:
        caller.hears("attendant/welcome", "attendant/main-menu")
        caller.dials("1")
        caller.hears("attendant/connecting")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_support_has_a_menu_of_its_own(switch):
    switch.answers("user/repairs", after=2, talks=30)
    with switch.call("5000") as caller:
        caller.hears("attendant/welcome", "attendant/main-menu")
        caller.dials("2")
        caller.hears("attendant/support-menu")
        caller.dials("2")
        caller.hears("attendant/connecting")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_nine_goes_back_to_the_main_menu(switch):
    switch.answers("user/sales", after=2, talks=30)
    with switch.call("5000") as caller:
        caller.hears("attendant/welcome", "attendant/main-menu")
        caller.dials("2")
        caller.hears("attendant/support-menu")
        caller.dials("9")
        caller.hears("attendant/main-menu")
        caller.dials("1")
        caller.hears("attendant/connecting")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_a_busy_department_leads_to_the_operator(switch):
    switch.busy("user/sales")
    switch.answers("user/operator", after=2, talks=30)
    with switch.call("5000") as caller:
        caller.hears("attendant/welcome", "attendant/main-menu")
        caller.dials("1")
        caller.hears("attendant/connecting", "attendant/busy", "attendant/connecting")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_nobody_answers_anywhere(switch):
    switch.no_answer("user/sales")
    switch.no_answer("user/operator")
    with switch.call("5000") as caller:
        caller.hears("attendant/welcome", "attendant/main-menu")
        caller.dials("1")
        caller.hears("attendant/connecting", "attendant/no-answer")
        caller.hears("attendant/connecting", "attendant/no-answer", "attendant/call-again")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_a_caller_who_keys_nothing_gets_a_person(switch):
    switch.answers("user/operator", after=2, talks=30)
    with switch.call("5000") as caller:
        caller.hears("attendant/welcome", "attendant/main-menu")
        # The menu is asked three times before the attendant gives up on keys.
        caller.hears("attendant/main-menu", "attendant/main-menu")
        caller.hears("attendant/connecting")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING
