"""The archive: one recording found, held, released, deleted, exported; sidecar, row and audit agree."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fsivr.config import Settings
from fsivr.errors import ArchiveError, RecordingElsewhere, RecordingKept, UnknownRecording
from fsivr.recordings import Archive, Sidecar
from fsivr.store import Store
from tests.recordings.kept import START, audit, id_of, keep, keep_exported

ID = id_of(0)


def _agree(archive: Archive, id: str = ID) -> Sidecar:
    """The sidecar, whose row is what it tells."""
    sidecar = Sidecar.load(archive.folders.sidecar_of(id))
    row = archive.store.recording(id)
    assert row is not None
    assert (row.state, row.path, row.bytes, row.sha256) == (sidecar.state, sidecar.path, sidecar.bytes, sidecar.sha256)
    hold = sidecar.hold
    expected = (None, None, None) if hold is None else (hold.reason, hold.by, hold.at)
    assert (row.hold_reason, row.hold_by, row.held) == expected
    assert row.verified == sidecar.verified
    assert (row.exported, row.export) == (
        (None, None) if sidecar.exported is None else (sidecar.exported.at, sidecar.exported.export)
    )
    return sidecar


def test_the_archive_of_the_settings(store: Store, tmp_path: Path) -> None:
    settings = Settings(recordings_path=str(tmp_path), node="ivr-9", retention=("default=5", "long=9"))
    archive = Archive.of(settings, store)
    assert (archive.folders.root, archive.node, archive.retention) == (tmp_path, "ivr-9", {"default": 5, "long": 9})


def test_a_recording_is_found(archive: Archive) -> None:
    sidecar = keep(archive)
    assert archive.sidecar(ID) == sidecar
    assert archive.audio(ID) == archive.folders.place(ID)
    assert archive.audio(ID).read_bytes()[:4] == b"RIFF"


@pytest.mark.parametrize("ask", ["sidecar", "audio"])
def test_what_cannot_be_found(archive: Archive, ask: str) -> None:
    with pytest.raises(UnknownRecording, match="there is no recording"):
        getattr(archive, ask)(ID)
    with pytest.raises(UnknownRecording, match="is not the id"):
        getattr(archive, ask)("../../etc/passwd")
    archive.store.write([Sidecar(id=ID, call="c", started=START, state="sealed", node="ivr-2").row()])
    with pytest.raises(RecordingElsewhere, match="is on node ivr-2, and this is ivr-1"):
        getattr(archive, ask)(ID)
    archive.store.write([Sidecar(id=ID, call="c", started=START, state="sealed", node="ivr-1").row()])
    with pytest.raises(ArchiveError, match="is gone"):
        getattr(archive, ask)(ID)


@pytest.mark.parametrize(
    ("state", "said"), [("failed", "there is no sound file"), ("purged", "was purged"), ("sealed", "is damaged")]
)
def test_a_recording_without_sound(archive: Archive, state: str, said: str) -> None:
    keep(archive, state=state)
    archive.folders.place(ID).unlink()
    assert archive.sidecar(ID).state == state
    with pytest.raises(ArchiveError, match=said):
        archive.audio(ID)


def test_a_recording_that_goes_on_is_left_alone(archive: Archive) -> None:
    ticket = Sidecar(id=ID, call="c", started=START, state="recording", node="ivr-1")
    archive.folders.prepare(archive.folders.spool)
    ticket.save(archive.folders.ticket(ID))
    assert archive.sidecar(ID) == ticket
    for change in (
        lambda: archive.audio(ID),
        lambda: archive.hold(ID, "why", by="me"),
        lambda: archive.delete(ID, by="me", unexported=True),
        lambda: archive.mark_exported(ID, "e", at=1.0),
    ):
        with pytest.raises(ArchiveError, match="is still being recorded"):
            change()


def test_the_sound_is_not_read_through_a_link(archive: Archive, tmp_path: Path) -> None:
    keep(archive)
    (tmp_path / "secret").write_text("s")
    archive.folders.place(ID).unlink()
    archive.folders.place(ID).symlink_to(tmp_path / "secret")
    with pytest.raises(ArchiveError, match="is a link"):
        archive.audio(ID)
    day = archive.folders.place(ID).parent
    shutil.move(day, tmp_path / "moved")
    day.symlink_to(tmp_path / "moved")
    with pytest.raises(ArchiveError, match="is a link"):
        archive.sidecar(ID)


# -- holds ------------------------------------------------------------------------------------


def test_a_hold_is_put_on_replaced_and_released(archive: Archive) -> None:
    keep(archive)
    archive.hold(ID, " court order 7 ", by="api:ann")
    hold = _agree(archive).hold
    assert hold is not None
    assert (hold.reason, hold.by) == ("court order 7", "api:ann")
    assert datetime.now(UTC) - hold.at < timedelta(hours=1)
    archive.hold(ID, "court order 8", by="api:bob")
    assert _agree(archive).hold is not None
    archive.release(ID, by="cli:root")
    assert _agree(archive).hold is None
    assert audit(archive.store, subject=ID) == [
        ("api:ann", "recording.hold", {"reason": "court order 7"}),
        ("api:bob", "recording.hold", {"reason": "court order 8", "replaced": "court order 7"}),
        ("cli:root", "recording.release", {"reason": "court order 8", "held_by": "api:bob"}),
    ]
    with pytest.raises(ArchiveError, match="is not on hold"):
        archive.release(ID, by="cli:root")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\nb", "a\x1b[2Jb", "a\0b"])
def test_a_hold_has_a_reason_that_can_be_read(archive: Archive, reason: str) -> None:
    keep(archive)
    with pytest.raises(ValueError, match="reason is 1 to 500 printable characters"):
        archive.hold(ID, reason, by="me")
    with pytest.raises(ValueError, match="by is 1 to 200 printable characters"):
        archive.hold(ID, "why", by=reason)
    assert _agree(archive).hold is None


def test_a_hold_that_only_the_database_knows_is_kept_and_can_be_released(archive: Archive) -> None:
    keep_exported(archive)
    archive.store.hold(ID, "court", by="ann", at=1_700_000_000.0)
    with pytest.raises(RecordingKept, match="is on hold by ann: court"):
        archive.delete(ID, by="me", unexported=True)
    assert [found.ok for found in archive.verify(by="me")] == [True]
    hold = _agree(archive).hold
    assert hold is not None and (hold.reason, hold.by) == ("court", "ann")
    archive.release(ID, by="me")
    assert _agree(archive).hold is None


def test_a_purged_recording_is_not_held(archive: Archive) -> None:
    keep_exported(archive)
    archive.delete(ID, by="me")
    with pytest.raises(ArchiveError, match="there is nothing to hold"):
        archive.hold(ID, "why", by="me")


def _hold_often(folder: str, address: str, who: str, ids: list[str]) -> None:
    archive = Archive(folder, Store(address), node="ivr-1", retention={"default": 30})
    for id in ids:
        if who == "exporter":
            archive.mark_exported(id, "e1", at=1_700_000_000.0)
        elif who == "verifier":
            assert all(found.ok for found in archive.verify([id], by=who))
        else:
            archive.hold(id, f"because of {who}", by=who)


def test_changes_by_several_processes_lose_nothing(archive: Archive, address: str) -> None:
    ids = [keep(archive, number).id for number in range(12)]
    archive.store.close()
    context = multiprocessing.get_context("spawn")
    arguments = (str(archive.folders.root), address)
    processes = [
        context.Process(target=_hold_often, args=(*arguments, who, ids)) for who in ("exporter", "verifier", "holder")
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    for id in ids:
        sidecar = _agree(archive, id)
        assert sidecar.state == "exported"
        assert sidecar.verified is not None
        assert sidecar.hold is not None and sidecar.hold.by == "holder"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_what_root_makes_is_the_servers(archive: Archive) -> None:
    keep(archive)
    for path in (archive.folders.root, *archive.folders.root.rglob("*")):
        os.chown(path, 65534, 65534)
    archive.hold(ID, "why", by="me")
    made = [archive.folders.root, *archive.folders.root.rglob("*")]
    assert archive.folders.spool / ".locks" / "00" in made
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(65534, 65534)}


# -- exported, deleted ------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["sealed", "degraded"])
def test_what_arrived_is_exported(archive: Archive, state: str) -> None:
    keep(archive, state=state)
    archive.mark_exported(ID, "e1", at=1_700_000_000.5)
    sidecar = _agree(archive)
    assert sidecar.state == "exported"
    assert sidecar.exported is not None
    assert sidecar.exported.at == datetime(2023, 11, 14, 22, 13, 20, 500_000, UTC)
    archive.mark_exported(ID, "e1", at=datetime.now(UTC))
    assert _agree(archive) == sidecar
    assert audit(archive.store, subject=ID) == [("export:e1", "recording.exported", {"export": "e1", "was": state})]
    archive.mark_exported(ID, "e2", at=datetime.now(UTC))
    assert _agree(archive).exported != sidecar.exported


@pytest.mark.parametrize("state", ["failed", "purged"])
def test_what_is_not_there_was_not_exported(archive: Archive, state: str) -> None:
    keep(archive, state=state)
    with pytest.raises(ArchiveError, match=f"is {state}: it cannot have been exported"):
        archive.mark_exported(ID, "e1", at=1.0)


def test_a_recording_is_deleted_once_its_export_is_proved(archive: Archive) -> None:
    kept = keep(archive)
    with pytest.raises(RecordingKept, match="its export is not proved"):
        archive.delete(ID, by="api:ann")
    archive.mark_exported(ID, "e1", at=1_700_000_000.0)
    archive.hold(ID, "court", by="bob")
    for unexported in (False, True):
        with pytest.raises(RecordingKept, match="is on hold by bob: court"):
            archive.delete(ID, by="api:ann", unexported=unexported)
    archive.release(ID, by="bob")
    assert archive.folders.place(ID).exists()
    assert archive.delete(ID, by="api:ann") == kept.bytes
    assert not archive.folders.place(ID).exists()
    assert _agree(archive).state == "purged"
    assert audit(archive.store, subject=ID, who="api:ann") == [
        (
            "api:ann",
            "recording.delete",
            {"bytes": kept.bytes, "retention": "default", "sha256": kept.sha256, "export": "e1"},
        )
    ]
    with pytest.raises(ArchiveError, match="was purged already"):
        archive.delete(ID, by="api:ann")


def test_one_that_was_never_exported_is_deleted_only_where_that_is_said(archive: Archive) -> None:
    keep(archive)
    assert archive.delete(ID, by="me", unexported=True) == 2044
    assert _agree(archive).state == "purged"
    keep(archive, 1, state="failed")
    with pytest.raises(ArchiveError, match="failed: there is no sound file"):
        archive.delete(id_of(1), by="me", unexported=True)
