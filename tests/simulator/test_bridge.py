"""Dial strings and far ends of the simulated switch, where no capture has them (switch_ivr_originate.c)."""

from __future__ import annotations

from typing import Any

import pytest

from fsivr import Call, HangupCause
from fsivr.simulator.dialstring import alternatives
from tests.call import dialstrings
from tests.call.conversations import in_call


@pytest.mark.parametrize(
    "text",
    [
        "user/a",
        "{a=b,c='d,e'}user/a,user/b|user/c",
        "<x=y>{a=b}{c=d}[e=f,g=h]user/a, [e=i]user/b",
        r"{a=b\,c,d=e=f}user/a",
        "{^^:a=b,c:d=e}user/a",
    ],
)
def test_a_dial_string_is_read_as_the_tests_reader_reads_it(text: str) -> None:
    _, found = alternatives(text)
    assert [leg for each in found for leg in each] == dialstrings.read(text)


def dialled(switch: Any, text: str) -> dict[str, str]:
    told: list[dict[str, str]] = []

    def run(call: Call) -> None:
        call.answer()
        call.variables["continue_on_fail"] = "true"
        told.append(call.execute("bridge", text).headers)

    with switch.call(handler=in_call(run)) as caller:
        caller.join()
    return told[0]


def test_alternatives_are_tried_in_order(switch: Any) -> None:
    switch.busy("user/a")
    switch.answers("user/b", after=1, talks=3)
    told = dialled(switch, "{note=1}user/a|[note=2,origination_uuid=abc]user/b|user/c")
    assert told["variable_originate_disposition"] == "SUCCESS"
    assert told["variable_bridge_uuid"] == "abc"
    assert told["variable_originate_causes"].endswith("|:abc;NONE")
    assert [leg.variables["note"] for to in "abc" for leg in switch.called(f"user/{to}")] == ["1", "1"]


def test_a_bracket_that_is_not_closed_calls_nobody(switch: Any) -> None:
    switch.answers("user/a")
    dialled(switch, "{a=buser/a")
    assert switch.called("user/a") == []


def test_a_leg_can_be_hung_up_while_it_rings(switch: Any) -> None:
    switch.no_answer("user/a")

    def run(call: Call) -> None:
        call.bridge("user/a")

    with switch.call(handler=in_call(run)) as caller:
        caller.waits(2)
        switch.called("user/a")[0].hangup(HangupCause.CALL_REJECTED)
        caller.join()
    assert switch.called("user/a")[0].hangup_cause is HangupCause.CALL_REJECTED
