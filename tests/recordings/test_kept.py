"""Recordings of real calls, from the first sample to the sealed file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import gevent
import pytest

from fsivr import Call, DeadlineExceeded, RecordingError
from fsivr.call.recorder import BEEP
from fsivr.recordings import Sidecar, reconcile
from fsivr.simulator import wav
from tests.leaks import until
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
    assert told.duration == recording.duration == pytest.approx(3, abs=0.05)
    assert told.stopped is not None and told.started < told.stopped
    (row,) = kept.rows
    assert (row.retention, row.node, row.path) == ("complaints", "ivr-1", told.path)


def test_the_ticket_is_on_disk_before_the_switch_records(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    begin, told = wav.begin, []

    def begins(path: str, channels: int) -> Any:
        if not os.path.basename(path).startswith("."):  # a trial
            told.append(Sidecar.load(Path(path).with_suffix(".json")))
        return begin(path, channels)

    monkeypatch.setattr(wav, "begin", begins)

    def records(call: Call) -> None:
        call.answer()
        with call.recording(stereo=True, retention="complaints"):
            call.record(limit=1, silence=None)

    with kept.serving(records) as switch, switch.call("4301") as caller:
        caller.join()
    assert [(each.state, each.channels, each.retention) for each in told] == [
        ("recording", 2, "complaints"),
        ("recording", 1, "default"),
    ]
    assert told[0].owner == told[1].owner != ""


def test_its_row_says_that_it_goes_on(kept: Kept) -> None:
    got: list[Any] = []

    def records(call: Call) -> None:
        call.answer()
        with call.recording() as recording:
            call.sleep(1)
            assert kept.journal.flush(10)
            got.extend((kept.rows[0].state, kept.rows[0].path, recording.path))
        got.append(recording.path)

    with kept.serving(records) as switch, switch.call("4301") as caller:
        caller.join()
    told = kept.only()
    root = kept.folders.root
    assert got == ["recording", f"spool/{told.id}.wav", f"{root}/spool/{told.id}.wav", f"{root}/{told.path}"]


def test_what_was_masked_and_how_the_call_ended_is_told(kept: Kept) -> None:
    def records(call: Call) -> None:
        call.answer()
        with call.recording(stereo=True) as recording:
            call.sleep(1)
            with recording.masked():
                call.sleep(2)
            recording.pause()
            call.sleep(3)
            recording.resume()
            call.sleep(60)

    with kept.serving(records) as switch, switch.call("4301") as caller:
        caller.waits(10)
        caller.hangs_up()
    told = kept.only()
    assert (told.state, told.completion, told.hangup_cause, told.channels) == ("sealed", "HANGUP", "NORMAL_CLEARING", 2)
    ((since, until),) = told.mask_spans
    assert (since, until) == (pytest.approx(1, abs=0.1), pytest.approx(3, abs=0.1))
    assert told.duration == pytest.approx(7, abs=0.2)


def test_one_that_a_deadline_stops_is_sealed_when_the_switch_says_so(kept: Kept) -> None:
    got: list[Any] = []

    def records(call: Call) -> None:
        call.answer()
        with pytest.raises(DeadlineExceeded), call.deadline(0.2):
            call.record(beep=False, silence=None)
        call.sleep(1)
        got.append(call.recordings[0].path)

    with kept.serving(records) as switch, switch.call("4301") as caller:
        caller.talks(1)
        gevent.sleep(0.5)  # the handler's time: the switch's stands still
        caller.join()
    told = kept.only()
    assert (told.state, told.completion) == ("sealed", "STOPPED")
    assert got == [f"{kept.folders.root}/{told.path}"]


def test_a_caller_who_leaves_in_the_beep_leaves_nothing(kept: Kept) -> None:
    def records(call: Call) -> None:
        call.answer()
        call.record()

    with kept.serving(records) as switch, switch.call("4301") as caller:
        caller.hangs_up(during=BEEP)
    kept.check()
    assert kept.rows == []
    assert list(kept.folders.days()) == []


def test_one_whose_end_nobody_saw_is_left_until_it_does_not_grow(kept: Kept) -> None:
    def records(call: Call) -> None:
        call.answer()
        call.record(beep=False)

    with kept.serving(records) as switch, switch.call("4301") as caller:
        caller.talks(3)
        caller.line.eof()
    (ticket,) = map(Sidecar.load, kept.folders.tickets())
    assert (ticket.owner, ticket.completion, ticket.stopped) == ("", "LOST", None)
    assert reconcile(kept.archive).waiting == 1
    os.utime(kept.folders.spooled(ticket.id), (1_000_000_000, 1_000_000_000))
    assert reconcile(kept.archive).degraded == 1
    told = kept.only()
    assert (told.state, told.completion, told.dialled) == ("degraded", "LOST", "4301")


def test_a_switch_on_another_machine_keeps_its_files(kept: Kept, tmp_path: Path) -> None:
    got: list[str] = []

    def records(call: Call) -> None:
        call.answer()
        got.append(call.record(beep=False, limit=1).path)
        call.play(got[0])

    with kept.serving(records, root=str(tmp_path / "elsewhere")) as switch:
        os.makedirs(f"{switch.root}{kept.folders.spool}")
        with switch.call("4301") as caller:
            caller.join()
    told = kept.only()
    assert (told.state, got) == ("failed", [f"{kept.folders.root}/spool/{told.id}.wav"])
    reason = kept.store.audit(subject=told.id).items[0]
    assert (reason.action, "not on this machine" in reason.detail) == ("recording.failed", True)


def test_without_a_ticket_nothing_is_recorded(kept: Kept) -> None:
    kept.folders.root.mkdir()
    kept.folders.spool.touch()
    got: list[Any] = []

    def records(call: Call) -> None:
        call.answer()
        for record in (call.record, lambda: call.recording().__enter__()):
            with pytest.raises(RecordingError, match="no recording can be kept in") as error:
                record()
            got.append(error)
        got.append(call.recordings)
        call.play("sorry")

    with kept.serving(records) as switch, switch.call("4301") as caller:
        caller.hears("sorry")
    assert len(got) == 3 and got[2] == ()
    assert os.listdir(kept.folders.root) == ["spool"]


@pytest.mark.parametrize("retention", ["Complaints", "", "x' OR 1", None])
def test_an_unknown_class_is_refused_before_anything_is_recorded(kept: Kept, retention: Any) -> None:
    got: list[Any] = []

    def records(call: Call) -> None:
        for record in (call.record, lambda retention: call.recording(retention=retention).__enter__()):
            with pytest.raises(ValueError, match="'default', 'complaints'"):
                record(retention=retention)
            got.append(call.recordings)

    with kept.serving(records) as switch, switch.call("4301") as caller:
        caller.join()
    assert got == [(), ()]
    assert not kept.folders.root.exists()


def test_a_stop_of_the_server_brings_all_to_their_end(kept: Kept) -> None:
    def records(call: Call) -> None:
        call.answer()
        with call.recording():
            call.record(beep=False, silence=None)

    with kept.serving(records) as switch:
        callers = [switch.call("4301") for _ in range(3)]
        for caller in callers:
            caller.talks(1)
        assert len(kept.server.calls) == 3
        stopping = gevent.spawn(kept.server.stop, 0)
        assert until(lambda: all(call.over for call in kept.server.calls), 10)
        for caller in callers:
            caller.join()
        stopping.join()
    kept.check()
    told = [Sidecar.load(path) for path in kept.folders.sidecars()]
    assert {(each.state, each.completion, each.hangup_cause) for each in told} == {
        ("sealed", "HANGUP", "MANAGER_REQUEST")
    }
    assert len(told) == 6


def test_a_call_that_is_not_recorded_leaves_nothing(kept: Kept) -> None:
    with kept.serving(lambda call: call.answer()) as switch, switch.call("4301") as caller:
        caller.join()
    assert not kept.folders.root.exists()
