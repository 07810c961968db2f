"""What a serving process finds out in the background undoes nothing that is done meanwhile."""

from __future__ import annotations

from fsivr.recordings import Sidecar
from fsivr.recordings.tending import Tending
from fsivr.store import Journal, Row
from tests.exporter.kept import keep
from tests.recordings.serving import Kept


def test_a_hold_that_is_released_meanwhile_does_not_come_back(kept: Kept) -> None:
    node = kept.archive.node
    (one,) = keep(kept.folders, kept.store, 1, node=node)
    kept.archive.hold(one.id, "complaint 4711", by="somebody")
    kept.store.write([one.row()])  # what is in the database is behind
    tending = Tending(kept.folders, Journal(kept.settings.database), node=node, settle=0.0, every=60.0)
    later: list[Row] = []
    tending._look(later, [], "")
    row = kept.store.recording(one.id)
    assert row is not None
    assert row.held is not None
    kept.archive.release(one.id, by="somebody")
    kept.store.write(later)
    row = kept.store.recording(one.id)
    assert row is not None
    assert row.held is None
    assert Sidecar.load(kept.folders.sidecar_of(one.id)).hold is None
