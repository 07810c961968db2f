"""Reconcile: sealed files, their sidecars and their rows are made to agree, both ways."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from typing import Any

import pytest

from fsivr.recordings import Exported, Hold, Sidecar, reconcile
from tests.recordings.serving import Kept
from tests.recordings.test_reconcile import ID, NOTHING, STARTED, long_ago, reconciled, spooled, ticket

AT = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
def sealed(kept: Kept) -> Sidecar:
    """A recording that was sealed."""
    more: dict[str, Any] = {"mask_spans": ((0.1, 0.2), (0.4, inf)), "consent": STARTED, "retention": "complaints"}
    ticket(kept, stopped=STARTED, duration=0.5, handler="apps.X", **more)
    spooled(kept)
    assert reconcile(kept.archive).sealed == 1
    return kept.only()


def test_a_row_that_is_not_there_is_written(kept: Kept, sealed: Sidecar) -> None:
    kept.store.database.execute_sql("DELETE FROM recordings")
    assert reconciled(kept).rows == 1
    kept.check()


def test_a_row_that_is_older_is_written_anew(kept: Kept, sealed: Sidecar) -> None:
    """As after a process was killed between the sidecar and the row."""
    newer = replace(sealed, state="exported", exported=Exported(AT, "night"), hold=Hold("court", "mary", AT))
    newer.save(kept.folders.sidecar_of(ID))
    assert reconciled(kept).rows == 1
    (row,) = kept.rows
    assert (row.state, row.export, row.hold_by, row.held) == ("exported", "night", "mary", AT)


def test_a_hold_that_only_the_database_knows_comes_into_the_sidecar(kept: Kept, sealed: Sidecar) -> None:
    assert kept.store.hold(ID, "court", by="mary", at=AT.timestamp())
    assert reconciled(kept).held == 1
    assert kept.only().hold == Hold("court", "mary", AT)


def test_a_recording_that_is_gone_failed_and_the_audit_says_so(kept: Kept, sealed: Sidecar) -> None:
    kept.folders.place(ID).unlink()
    kept.folders.sidecar_of(ID).unlink()
    assert reconciled(kept).missing == 1
    (row,) = kept.rows
    assert (row.state, row.caller, row.handler, row.retention) == ("failed", "0123", "apps.X", "complaints")
    assert kept.store.audit(subject=ID).items[0].action == "recording.missing"


def test_a_disk_that_is_back_brings_back_what_was_gone(kept: Kept, sealed: Sidecar) -> None:
    day = kept.folders.place(ID).parent
    day.rename(day.with_name("away"))
    assert reconcile(kept.archive).missing == 1
    day.with_name("away").rename(day)
    assert reconciled(kept).rows == 1
    kept.check()


def test_no_disk_is_no_reason_to_fail_all(kept: Kept, sealed: Sidecar) -> None:
    kept.folders.root.rename(kept.folders.root.with_name("unmounted"))
    kept.folders.root.mkdir()
    assert reconcile(kept.archive) == NOTHING
    assert kept.rows[0].state == "sealed"


@pytest.mark.parametrize(
    "changed", [{"node": "ivr-2"}, {"state": "exported"}, {"state": "purged"}, {"state": "failed"}]
)
def test_rows_that_are_no_affair_of_the_disk(kept: Kept, sealed: Sidecar, changed: dict[str, Any]) -> None:
    kept.folders.place(ID).unlink()
    kept.folders.sidecar_of(ID).unlink()
    kept.store.write([replace(sealed, **changed).row()])
    assert reconcile(kept.archive) == NOTHING


def test_a_row_of_one_under_way_whose_server_died_with_its_disk(kept: Kept) -> None:
    made = ticket(kept)
    kept.store.write([made.row()])
    kept.folders.ticket(ID).unlink()
    assert reconciled(kept).failed == 1
    assert kept.rows[0].state == "failed"


def test_a_lost_sidecar_is_made_of_the_row_and_the_file(kept: Kept, sealed: Sidecar) -> None:
    kept.folders.sidecar_of(ID).unlink()
    assert reconcile(kept.archive).waiting == 1
    long_ago(kept.folders.place(ID))
    assert reconciled(kept).sealed == 1
    assert kept.only() == sealed


@pytest.mark.parametrize("state", ["exported", "degraded"])
def test_it_is_what_the_row_said_where_the_file_is_the_same(kept: Kept, sealed: Sidecar, state: str) -> None:
    before = replace(sealed, state=state, exported=Exported(AT, "night"), hold=Hold("court", "mary", AT))
    kept.store.write([before.row()])
    kept.folders.sidecar_of(ID).unlink()
    long_ago(kept.folders.place(ID))
    reconciled(kept)
    assert Sidecar.load(kept.folders.sidecar_of(ID)) == before


def test_it_is_degraded_where_the_file_is_another(kept: Kept, sealed: Sidecar) -> None:
    data = bytearray(kept.folders.place(ID).read_bytes())
    data[100] ^= 1
    kept.folders.place(ID).write_bytes(data)
    kept.folders.sidecar_of(ID).unlink()
    long_ago(kept.folders.place(ID))
    reconciled(kept)
    assert kept.only().state == "degraded"


def test_a_sidecar_that_cannot_be_read_is_told_and_left(kept: Kept, sealed: Sidecar) -> None:
    kept.folders.sidecar_of(ID).write_text("{")
    assert reconcile(kept.archive).wrong == 1
    assert kept.rows[0].state == "sealed"


def test_a_purge_that_was_broken_off_is_finished(kept: Kept, sealed: Sidecar) -> None:
    """Also a deletion, of one that was not exported, which no purge looks for."""
    replace(sealed, state="purged").save(kept.folders.sidecar_of(ID))
    assert reconciled(kept).rows == 1
    assert not kept.folders.place(ID).exists()
    assert kept.rows[0].state == "purged"
    assert [row.action for row in kept.store.audit(subject=ID).items].count("recording.purge") == 1
    assert reconciled(kept) == NOTHING
