"""The reminder, as those who are called hear it."""

from __future__ import annotations

from datetime import datetime

import pytest

from fsivr import DialResult, Say

import apps
from apps.reminder import CARRIER, appointments, remind

AT = "2026-12-01T09:30:00+01:00"


@pytest.fixture(autouse=True)
def due(switch):
    switch.dialplan = apps.dialplan
    appointments.add(id="a", number="4930123", at=AT, state="due")


def states():
    return [one["state"] for one in appointments.entries()]


@pytest.mark.parametrize(("key", "state"), [("1", "confirmed"), ("2", "moved")])
def test_the_appointment_is_confirmed_or_moved(switch, key, state):
    with switch.phone(f"{CARRIER}/4930123") as phone:
        calls = remind(switch)
        assert next(calls).result is DialResult.ANSWERED
        phone.hears("reminder/you-have-an-appointment", Say.date_time(datetime.fromisoformat(AT)), "reminder/menu")
        phone.dials(key)
        phone.hears(f"reminder/{state}")
    assert list(calls) == []
    assert states() == [state]


def test_nothing_is_keyed(switch):
    with switch.phone(f"{CARRIER}/4930123") as phone:
        calls = remind(switch)
        next(calls)
        phone.hears("reminder/you-have-an-appointment", Say.date_time(datetime.fromisoformat(AT)))
        phone.hears("reminder/menu", "reminder/menu", "reminder/reached")
    calls.close()
    assert states() == ["reached"]


def test_who_is_not_reached_stays_due(switch):
    switch.busy(f"{CARRIER}/4930123")
    assert [one.result for one in remind(switch)] == [DialResult.BUSY]
    assert states() == ["due"]


def test_who_is_not_due_is_not_called(switch):
    appointments.change(lambda all_: [{**one, "state": "confirmed"} for one in all_])
    assert list(remind(switch)) == []
