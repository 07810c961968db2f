"""``call.consent``: who agreed to be recorded, and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from fsivr import Call, Recording
from tests.call.conversations import Open, in_call


def answers(switch: Any, deed: Callable[[Any], Any], **options: Any) -> tuple[bool, datetime | None, Recording, str]:
    """What ``consent`` came to, and what is kept of it."""
    got: list[Any] = []

    def asks(call: Call) -> None:
        call.answer()
        got.append(call.consent("may-we-record", **options))
        got.append(call.consented)
        got.append(call.record(beep=False, limit=1))
        got.append(call.variables.get("fsivr_consent", ""))

    with switch.call(handler=in_call(asks)) as caller:
        deed(caller)
        caller.join()
    agreed, moment, recording, variable = got
    return agreed, moment, recording, variable


def test_who_is_told_and_stays_agrees(switch: Any) -> None:
    before = datetime.fromtimestamp(switch.micros() / 1e6, UTC)
    agreed, moment, recording, variable = answers(switch, lambda caller: caller.hears("may-we-record"))
    assert agreed is True
    assert moment is not None and (moment - before).total_seconds() == pytest.approx(1, abs=0.2)  # a sound's length
    assert recording.consent == moment
    assert moment < recording.started
    assert datetime.fromisoformat(variable).replace(microsecond=0) == moment.replace(microsecond=0)
    assert variable.endswith("+00:00")


def test_the_announcement_is_heard_to_its_end(switch: Any) -> None:
    def hurries(caller: Any) -> None:
        caller.dials("1*#", during="may-we-record")
        began = switch.clock.now()
        caller.hears("may-we-record")  # again: what was keyed meanwhile is no answer
        assert switch.clock.now() - began >= 1.9
        caller.dials("1")

    assert answers(switch, hurries, accept="1")[0] is True


def test_a_key_agrees(switch: Any) -> None:
    agreed, moment, recording, _ = answers(
        switch, lambda caller: (caller.hears("may-we-record"), caller.dials("1")), accept="1", decline="2"
    )
    assert agreed is True
    assert recording.consent == moment is not None


@pytest.mark.parametrize("tries", [1, 3])
def test_a_key_declines_at_once(switch: Any, tries: int) -> None:
    agreed, moment, recording, variable = answers(
        switch, lambda c: (c.hears("may-we-record"), c.dials("2")), accept="1", decline="2", tries=tries
    )
    assert (agreed, moment, recording.consent, variable) == (False, None, None, "")


def test_no_key_or_another_does_not_agree(switch: Any) -> None:
    def keys(caller: Any) -> None:
        caller.hears("may-we-record")
        caller.dials("7")
        caller.hears("may-we-record", "may-we-record")

    agreed, moment, recording, variable = answers(switch, keys, accept="1", tries=3)
    assert (agreed, moment, recording.consent, variable) == (False, None, None, "")


def test_a_recording_before_it_is_without(switch: Any) -> None:
    got: list[Recording] = []

    def asks(call: Call) -> None:
        call.answer()
        with call.recording() as recording:
            call.consent("we-record")
        call.record(beep=False, limit=1)
        got.extend(call.recordings)
        assert recording.result == got[0]

    with switch.call(handler=in_call(asks)) as caller:
        caller.join()
    assert [each.consent is None for each in got] == [True, False]


@pytest.mark.parametrize(
    ("prompts", "options"),
    [
        ((), {}),
        (("one",), {"accept": "12"}),
        (("one",), {"accept": "x"}),
        (("one",), {"decline": "2"}),
        (("one",), {"accept": "1", "decline": "1"}),
        (("one",), {"accept": "1", "tries": 0}),
        (("one",), {"accept": "1", "timeout": 0}),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_sent(open_call: Open, prompts: Any, options: Any) -> None:
    call, peer = open_call()
    before = len(peer.commands)
    with pytest.raises(ValueError, match=r"accept|decline|tries|timeout|nothing to"):
        call.consent(*prompts, **options)
    assert len(peer.commands) == before
