"""4100, as its callers hear it."""

from __future__ import annotations

import pytest

from fsivr import HangupCause, Say

from apps import accounts


def test_the_balance_is_told(switch):
    with switch.call("4100") as caller:
        caller.hears("bank/welcome", "bank/account-number")
        caller.dials("123456")
        caller.hears("bank/pin")
        caller.dials("1234")
        caller.hears("bank/main-menu")
        caller.dials("1")
        caller.hears("bank/your-balance-is", Say.currency(4200))
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_cents_and_debts_are_told(switch):
    with switch.call("4100") as caller:
        caller.hears("bank/welcome", "bank/account-number")
        caller.dials("314159")
        caller.hears("bank/pin")
        caller.dials("9012")
        caller.hears("bank/main-menu")
        caller.dials("1")
        caller.hears("bank/your-balance-is", Say.currency("-26.50"))
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_an_unknown_account_is_turned_away(switch):
    with switch.call("4100") as caller:
        caller.hears("bank/welcome", "bank/account-number")
        caller.dials("999999")
        caller.hears("bank/no-such-account")
    assert caller.hangup_cause is HangupCause.CALL_REJECTED


def test_a_wrong_pin_is_asked_for_again(switch):
    with switch.call("4100") as caller:
        caller.hears("bank/welcome", "bank/account-number")
        caller.dials("123456")
        caller.hears("bank/pin")
        caller.dials("4321")
        caller.hears("bank/wrong-pin", "bank/pin")
        caller.dials("1234")
        caller.hears("bank/main-menu")
        caller.hangs_up()


def test_three_wrong_pins_are_enough(switch):
    with switch.call("4100") as caller:
        caller.hears("bank/welcome", "bank/account-number")
        caller.dials("123456")
        for _ in range(3):
            caller.hears("bank/pin")
            caller.dials("4321")
            caller.hears("bank/wrong-pin")
    assert caller.hangup_cause is HangupCause.CALL_REJECTED
    assert "4321" not in str(caller.transcript) + str(caller.variables)


def test_an_agent_takes_over(switch):
    switch.answers("user/agent", after=2, talks=30)
    with switch.call("4100") as caller:
        caller.hears("bank/welcome", "bank/account-number")
        caller.dials("123456")
        caller.hears("bank/pin")
        caller.dials("1234")
        caller.hears("bank/main-menu")
        caller.dials("0")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


@pytest.mark.parametrize("far_end", ["busy", "no_answer"])
def test_the_agents_may_be_busy(switch, far_end):
    getattr(switch, far_end)("user/agent")
    with switch.call("4100") as caller:
        caller.hears("bank/welcome", "bank/account-number")
        caller.dials("123456")
        caller.hears("bank/pin")
        caller.dials("1234")
        caller.hears("bank/main-menu")
        caller.dials("0")
        caller.hears("bank/agents-are-busy")
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_a_caller_who_leaves_is_let_go(switch):
    with switch.call("4100") as caller:
        caller.hears("bank/welcome", "bank/account-number")
        caller.dials("123")
        caller.hangs_up()
    assert caller.hangup_cause is HangupCause.NORMAL_CLEARING


def test_accounts_are_found_by_their_whole_number():
    found = accounts.find("123456")
    assert found is not None and found.balance == 4200
    assert accounts.find("12345") is None
    assert accounts.find("") is None
