"""Reindexing: the database is made anew of the files, whatever was in it; and how much they take."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fsivr.errors import ArchiveError
from fsivr.recordings import Archive, Hold, Sidecar
from fsivr.recordings import reindexing as module
from fsivr.store import Store
from tests.recordings.kept import START, audit, id_of, keep, keep_exported


def _rows(store: Store) -> list[dict[str, object]]:
    return [dict(row.__data__) for row in store.each_recording(node="ivr-1")]


def _ticket(archive: Archive, number: int) -> Sidecar:
    ticket = Sidecar(id=id_of(number), call="c", started=START, state="recording", node="ivr-1")
    archive.folders.prepare(archive.folders.spool)
    ticket.save(archive.folders.ticket(ticket.id))
    return ticket


def _state(store: Store, number: int) -> str:
    row = store.recording(id_of(number))
    assert row is not None
    return row.state


def test_a_lost_database_is_made_anew(archive: Archive, tmp_path: Path) -> None:
    keep(archive, 0, caller="0123", mask_spans=((1.0, 2.0),))
    keep_exported(archive, 1)
    keep(archive, 2, hold=Hold("court", "ann", START), verified=START)
    keep(archive, 3, state="failed")
    keep_exported(archive, 4)
    archive.delete(id_of(4), by="me")
    archive.store.write([_ticket(archive, 5).row()])
    before = _rows(archive.store)
    assert len(before) == 6
    fresh = Store(f"sqlite:///{tmp_path}/fresh.db")
    fresh.migrate()
    other = Archive(archive.folders.root, fresh, node="ivr-1", retention={})
    seen: list[int] = []
    assert other.reindex(progress=seen.append) == (5, 1, 0, 0, 0)
    assert _rows(fresh) == before
    assert other.reindex() == (5, 1, 0, 0, 0)
    assert _rows(fresh) == before
    assert seen[-1] == 6
    fresh.close()


def test_rows_that_nothing_tells_of_are_failed(archive: Archive) -> None:
    for number in range(6):
        keep(archive, number, state="purged" if number == 2 else "sealed")
    for number in (1, 2):
        archive.folders.sidecar_of(id_of(number)).unlink()
    elsewhere = Sidecar(id=id_of(7), call="c", started=START, state="sealed", node="ivr-2")
    archive.store.write([elsewhere.row()])
    assert archive.reindex(by="cli:root") == (4, 0, 1, 0, 0)
    assert [_state(archive.store, number) for number in (0, 1, 2, 7)] == ["sealed", "failed", "purged", "sealed"]
    assert audit(archive.store, subject=id_of(1)) == [
        ("cli:root", "recording.lost", {"was": "sealed", "why": "no file on this node tells of it"})
    ]
    assert archive.reindex().lost == 0


def test_a_disk_that_is_not_there_fails_nothing(archive: Archive) -> None:
    keep(archive, 0)
    elsewhere = Archive("/nowhere", archive.store, node="ivr-1", retention={})
    with pytest.raises(ArchiveError, match="is its disk mounted"):
        elsewhere.reindex()
    assert _state(archive.store, 0) == "sealed"
    empty = Archive("/nowhere", archive.store, node="ivr-3", retention={})
    assert empty.reindex() == (0, 0, 0, 0, 0)


def test_a_sidecar_that_cannot_be_read_leaves_its_row(archive: Archive) -> None:
    keep(archive, 0)
    keep(archive, 1)
    archive.folders.sidecar_of(id_of(0)).write_bytes(b"\xff")
    assert archive.reindex() == (1, 0, 0, 1, 0)
    assert _state(archive.store, 0) == "sealed"


def test_a_hold_that_only_the_database_knows_is_not_lost(archive: Archive) -> None:
    keep(archive, 0)
    keep(archive, 1, hold=Hold("why", "bob", START))
    archive.store.hold(id_of(0), "court", by="ann", at=1_700_000_000.0)
    assert archive.reindex() == (2, 0, 0, 0, 1)
    hold = archive.sidecar(id_of(0)).hold
    assert hold is not None and (hold.reason, hold.by) == ("court", "ann")
    assert archive.reindex().held == 0


def test_a_purge_that_was_interrupted_is_finished(archive: Archive) -> None:
    sidecar = keep_exported(archive, 0)
    keep(archive, 0, row=False, state="purged", exported=sidecar.exported)
    assert archive.reindex(by="me") == (1, 0, 0, 0, 0)
    assert not archive.folders.place(id_of(0)).exists()
    assert _state(archive.store, 0) == "purged"
    assert [action for _, action, _ in audit(archive.store, subject=id_of(0))] == ["recording.purge"]


def test_what_changes_meanwhile_is_not_overwritten(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading a sidecar and writing its row, another process holds it, and one is sealed."""
    keep(archive, 0)
    ticket = _ticket(archive, 1)
    read = module._read

    def and_then_it_changes(path: Path) -> object:
        found = read(path)
        if path.stem == id_of(0):
            archive.hold(id_of(0), "court", by="ann")
        elif path.parent == archive.folders.spool:
            keep(archive, 1)
            archive.folders.ticket(ticket.id).unlink()
        return found

    monkeypatch.setattr(module, "_read", and_then_it_changes)
    archive.reindex()
    row = archive.store.recording(id_of(0))
    assert row is not None and row.hold_reason == "court"
    assert _state(archive.store, 1) == "sealed"


def test_many_come_in_batches(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 3)
    for number in range(10):
        keep(archive, number, row=False)
    seen: list[int] = []
    assert archive.reindex(progress=seen.append).recordings == 10
    assert seen == [3, 6, 9, 10]


# -- usage ------------------------------------------------------------------------------------


def test_what_recordings_take(archive: Archive) -> None:
    os.makedirs(archive.folders.root)
    empty = archive.usage()
    assert (empty.files, empty.bytes, empty.days_left) == (0, 0, None)
    assert empty.free > 0
    keep(archive, 0)
    keep_exported(archive, 1)
    keep(archive, 2, state="purged")
    keep(archive, 3, node="ivr-2")
    assert archive.usage()[:2] == (2, 2 * 2044)


@pytest.mark.parametrize(("ages", "days"), [([100, 5, 3, 0.5], 7), ([0.1], 1), ([3.5, 2], 3.5), ([100], None)])
def test_the_days_left_are_of_the_last_week(archive: Archive, ages: list[float], days: float | None) -> None:
    now = datetime.now(UTC)
    for number, age in enumerate(ages):
        # What was purged was recorded, too.
        keep(archive, number, state="purged", bytes=10**9, started=now - timedelta(days=age))
    usage = archive.usage()
    if days is None:
        assert usage.days_left is None
    else:
        lately = 10**9 * sum(age < 7 for age in ages)
        assert usage.days_left == pytest.approx(usage.free / lately * days, rel=0.01)
