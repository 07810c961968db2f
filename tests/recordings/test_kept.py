"""Recordings of real calls, from the first sample to the sealed file."""

from __future__ import annotations

import os
from typing import Any

import pytest

from fsivr import Call
from tests.recordings.serving import Kept


def test_a_message_is_sealed_and_played_at_once_and_later(kept: Kept) -> None:
    got: list[Any] = []

    def leaves_message(call: Call) -> None:
        call.answer()
        call.consent("we-record")
        got.append(call.record(beep=False, retention="complaints"))
        got.append(os.path.exists(got[0].path))
        call.play(got[0].path)
        got.append(call.uuid)

    with kept.serving(leaves_message) as switch, switch.call("4301", caller_number="0123") as caller:
        caller.hears("we-record")
        caller.talks(3)
        caller.dials("#")
        caller.join()
    recording, there, uuid = got
    assert there
    told = kept.only()
    assert recording.path == str(kept.folders.place(recording.id)) == f"{kept.folders.root}/{told.path}"
    assert (told.state, told.completion, told.retention) == ("sealed", "TERMINATOR", "complaints")
    assert (told.call, told.leg, told.caller, told.dialled) == (uuid, uuid, "0123", "4301")
    assert told.handler.endswith(".InCall")
    assert told.consent == recording.consent is not None
    assert told.duration == pytest.approx(3, abs=0.05)
    assert told.stopped is not None and told.started < told.stopped
    (row,) = kept.rows
    assert (row.retention, row.node, row.path) == ("complaints", "ivr-1", told.path)


def test_a_caller_who_hangs_up(kept: Kept) -> None:
    def leaves_message(call: Call) -> None:
        call.answer()
        call.record(beep=False)

    with kept.serving(leaves_message) as switch, switch.call("4301") as caller:
        caller.talks(2)
        caller.hangs_up()
    told = kept.only()
    assert (told.state, told.completion, told.hangup_cause) == ("sealed", "HANGUP", "NORMAL_CLEARING")
