"""Reconcile: what dead processes left is brought to its end, what live ones are at is left to them."""

from __future__ import annotations

import fcntl
import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fsivr.errors import ArchiveError
from fsivr.recordings import Reconciled, Sidecar, reconcile
from fsivr.recordings.owners import Owner
from fsivr.recordings.wav import header
from tests.recordings.serving import Kept

ID = "20261124T135551.123Z-0123456789ab"
STARTED = datetime(2026, 11, 24, 13, 55, 51, 200000, tzinfo=UTC)
SOUND = b"\1\2" * 8000
NOTHING = Reconciled()


def ticket(kept: Kept, **columns: Any) -> Sidecar:
    """A ticket that lies in the spool."""
    told: dict[str, Any] = {"call": "c", "caller": "0123", "channels": 2, "started": STARTED, "node": "ivr-1"}
    made = Sidecar(id=ID, state="recording", **{**told, **columns})
    kept.folders.prepare(kept.folders.spool)
    made.save(kept.folders.ticket(ID))
    return made


def spooled(kept: Kept, data: bytes = header(0, 2) + SOUND) -> Path:
    """A sound file as the switch left it, in the spool."""
    kept.folders.prepare(kept.folders.spool)
    kept.folders.spooled(ID).write_bytes(data)
    return kept.folders.spooled(ID)


def long_ago(*paths: Path) -> None:
    for path in paths:
        os.utime(path, (1_000_000_000, 1_000_000_000))


def reconciled(kept: Kept) -> Reconciled:
    """What was done the first time; a second time there is nothing to do."""
    done = reconcile(kept.archive)
    if not done.waiting:
        assert reconcile(kept.archive)._replace(foreign=0) == NOTHING
    return done


def test_where_nothing_was_recorded_there_is_nothing_to_do(kept: Kept) -> None:
    assert reconciled(kept) == NOTHING
    assert str(NOTHING) == ""
    assert not kept.folders.root.exists()


def test_a_dead_owners_file_is_degraded_with_all_that_its_ticket_tells(kept: Kept) -> None:
    ticket(kept, owner="dead")
    long_ago(spooled(kept))
    done = reconciled(kept)
    assert (done.degraded, done.rows) == (1, 1)
    assert str(done) == "1 degraded, 1 rows"
    told = kept.only()
    assert (told.state, told.caller, told.call, told.channels, told.rate) == ("degraded", "0123", "c", 2, 8000)
    assert (told.duration, told.stopped, told.owner) == (0.5, None, "")
    assert kept.store.audit(subject=ID).items[0].action == "recording.reconciled"


def test_one_whose_end_was_seen_is_sealed_at_once(kept: Kept) -> None:
    ticket(kept, stopped=STARTED + timedelta(seconds=0.5), duration=0.5, completion="SILENCE")
    spooled(kept)
    assert reconciled(kept).sealed == 1
    assert kept.only().state == "sealed"


@pytest.mark.parametrize("duration", [0.2, 0.76, 0.0])
def test_one_whose_length_is_not_what_the_switch_said_is_degraded(kept: Kept, duration: float) -> None:
    ticket(kept, stopped=STARTED, duration=duration)
    spooled(kept)
    assert reconciled(kept).degraded == 1
    assert kept.only().duration == 0.5


def test_a_file_that_may_still_be_written_is_waited_for(kept: Kept) -> None:
    ticket(kept)
    path = spooled(kept)
    assert reconcile(kept.archive).waiting == 1
    with open(path, "ab") as file:
        file.write(b"\1\2\3\4")
        file.flush()
        long_ago(path)  # it may be paused
        assert reconcile(kept.archive).waiting == 1
    long_ago(path)
    assert reconciled(kept).degraded == 1


def test_a_clock_that_was_set_keeps_nothing_waiting(kept: Kept) -> None:
    ticket(kept)
    os.utime(spooled(kept), (4_000_000_000, 4_000_000_000))
    assert reconciled(kept).degraded == 1


def test_what_a_live_process_records_is_its_own(kept: Kept) -> None:
    owner = Owner(kept.folders)
    ticket(kept, owner=owner.name)
    long_ago(spooled(kept))
    assert reconcile(kept.archive) == NOTHING
    os.renames(kept.folders.spooled(ID), kept.folders.place(ID))  # it is about to be sealed
    assert reconcile(kept.archive) == NOTHING
    owner.close()
    assert reconciled(kept).degraded == 1


def test_a_ticket_of_another_node_is_left(kept: Kept) -> None:
    ticket(kept, node="ivr-2")
    long_ago(spooled(kept))
    assert reconcile(kept.archive) == NOTHING


def test_a_ticket_without_a_file_never_began(kept: Kept) -> None:
    ticket(kept, owner="dead")
    assert reconcile(kept.archive).waiting == 1  # the switch may be about to
    long_ago(kept.folders.ticket(ID))
    assert reconciled(kept).dropped == 1
    assert kept.rows == []
    kept.check()


@pytest.mark.parametrize("ended", [True, False])
def test_a_recording_without_a_file_failed(kept: Kept, ended: bool) -> None:
    """Its row says that it began, or its ticket that it ended."""
    made = ticket(kept, **({"stopped": STARTED} if ended else {}))
    if not ended:
        kept.store.write([made.row()])
    assert reconciled(kept).failed == 1
    assert kept.only().state == "failed"
    (told,) = kept.store.audit(subject=ID).items
    assert (told.action, "no file" in told.detail) == ("recording.failed", True)


def test_a_ticket_that_cannot_be_read_loses_no_sound(kept: Kept) -> None:
    ticket(kept)
    kept.folders.ticket(ID).write_text("{")
    long_ago(spooled(kept))
    assert reconciled(kept).degraded == 1
    assert kept.only().call == ""


def test_a_file_of_a_right_name_is_taken_and_others_are_left(kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    long_ago(spooled(kept))
    strange = ["song.wav", "20261399T000000.000Z-0123456789ab.wav", f"{ID}.mp3", "2026.json"]
    for name in strange:
        (kept.folders.spool / name).write_bytes(b"?")
    with caplog.at_level(logging.WARNING):
        done = reconciled(kept)
    assert done.degraded == 1
    assert "song.wav" in caplog.text
    assert sorted(os.listdir(kept.folders.spool)) == sorted([".locks", *strange])
    told = Sidecar.load(kept.folders.sidecar_of(ID))
    assert (told.started, told.channels, told.node) == (datetime(2026, 11, 24, 13, 55, 51, 123000, UTC), 2, "ivr-1")


def test_litter_is_removed_when_it_is_old(kept: Kept) -> None:
    ticket(kept, stopped=STARTED, duration=0.5)
    spooled(kept)
    litter = [kept.folders.spool / ".0123456789ab.wav", kept.folders.spool / f"{ID}.json.01234567.tmp"]
    kept.folders.prepare(kept.folders.place(ID).parent)
    litter.append(kept.folders.place(ID).parent / f"{ID}.json.01234567.tmp")
    for path in litter:
        path.touch()
    assert reconcile(kept.archive).removed == 0
    long_ago(*litter)
    assert reconciled(kept).removed == 3
    kept.check()


def test_without_the_database_what_is_on_disk_is_sealed(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket(kept, stopped=STARTED, duration=0.5)
    spooled(kept)

    def gone(*arguments: Any, **options: Any) -> Any:
        raise RuntimeError("no database")

    with monkeypatch.context() as patched:
        for name in ("write", "recording", "known_recordings", "each_recording"):
            patched.setattr(kept.store, name, gone)
        with pytest.raises(RuntimeError, match="no database"):
            reconcile(kept.archive)
    assert Sidecar.load(kept.folders.sidecar_of(ID)).state == "sealed"
    assert reconciled(kept).rows == 1
    kept.check()


def test_one_at_a_time(kept: Kept) -> None:
    ticket(kept)
    file = os.open(kept.folders.spool, os.O_RDONLY)
    fcntl.flock(file, fcntl.LOCK_EX)
    with pytest.raises(ArchiveError, match="another process"):
        reconcile(kept.archive, patience=0.0)
    fcntl.flock(file, fcntl.LOCK_UN)
    os.close(file)
    reconcile(kept.archive, patience=0.0)
