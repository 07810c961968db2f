"""Whether a machine answered a placed call: found out before its handler, and told to who placed it."""

from __future__ import annotations

from typing import Any

import pytest

from fsivr import Call, DialResult, Handler
from fsivr.call.dialled import MACHINE
from tests.switch.switchboard import Reminder


@pytest.mark.parametrize(
    ("who", "result", "noted"),
    [
        ("machine", DialResult.MACHINE, "machine"),
        ("person", DialResult.ANSWERED, "person"),
        ("unsure", DialResult.ANSWERED, "unknown"),
    ],
)
def test_whether_a_machine_answered(switch: Any, who: str, result: DialResult, noted: str) -> None:
    told: list[str] = []

    class Tells(Handler):
        def run(self, call: Call) -> None:
            told.append(call.variables[MACHINE])
            call.sleep(5)

    switch.answered_by(who)
    switch.answers("user/1000")
    dialled = switch.originate("user/1000", Tells, detect_machine=True)
    assert (dialled.result, dialled.answered) == (result, True)
    assert told == [noted]


def test_a_switch_that_cannot_tell_a_machine(switch: Any) -> None:
    switch.modules_missing.add("mod_amd")
    with switch.phone("user/1000") as phone:
        assert switch.originate("user/1000", Reminder, detect_machine=True).result is DialResult.ANSWERED
        phone.join()


def test_somebody_who_leaves_while_it_is_found_out(switch: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(Call, "detect_machine", lambda call: call.sleep(20), raising=False)
    switch.answers("user/1000", talks=1)
    assert switch.originate("user/1000", Reminder, detect_machine=True).result is DialResult.ANSWERED
