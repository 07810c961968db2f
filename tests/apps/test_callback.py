"""4400, and the call back, as callers hear them."""

from __future__ import annotations

from fsivr import DialResult, Say

import apps
from apps.callback import CARRIER, call_back, wishes


def test_an_agent_serves_the_caller(switch):
    switch.agents("support", after=5, talks=30)
    with switch.call("4400") as caller:
        caller.hears("callback/welcome")
    assert wishes.entries() == []


def test_a_caller_leaves_the_queue_to_be_called_back(switch):
    switch.agents("support", count=0)
    with switch.call("4400", caller_number="4930123") as caller:
        caller.hears("callback/welcome")
        caller.waits(60)
        caller.dials("1")
        caller.hears("callback/on-this-number", Say.digits("4930123"))
        caller.dials("1")
        caller.hears("callback/we-shall-call")
    assert wishes.entries() == [{"number": "4930123"}]


def test_a_number_that_is_none_is_not_offered(switch):
    with switch.call("4400", caller_number="anonymous;fs_path=evil") as caller:
        caller.hears("callback/welcome")
        caller.waits(5)
        caller.dials("1")
        caller.hears("callback/which-number")
        caller.dials("4930456#")
        caller.hears("callback/we-shall-call")
    assert wishes.entries() == [{"number": "4930456"}]


def test_those_who_wished_are_called_and_put_through(switch):
    wishes.add(number="4930123")
    wishes.add(number="4930456")
    switch.dialplan = apps.dialplan
    switch.agents("support", after=2, talks=30)
    switch.busy(f"{CARRIER}/4930456")
    with switch.phone(f"{CARRIER}/4930123") as phone:
        calls = call_back(switch)
        assert next(calls).answered
        phone.hears("callback/you-asked-for-this")
        phone.dials("1")
    assert [dialled.result for dialled in calls] == [DialResult.BUSY]
    assert wishes.entries() == [{"number": "4930456"}]
