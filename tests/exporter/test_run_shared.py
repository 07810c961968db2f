"""Two machines that share a disk and a database: each recording is brought by one of them, once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsivr.exporter.run import Order, Run
from fsivr.recordings import Archive, Sidecar
from fsivr.store import Claims, Store
from tests.exporter.faulty import Fault, Faulty
from tests.exporter.kept import files_below, keep
from tests.exporter.test_run import FAST
from tests.store.conftest import address, postgresql

__all__ = ["address", "postgresql"]


class Shared:
    """A folder of recordings, a target, and a database, used by machines of any name."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address, self.there = folder, address, folder / "there"
        self.there.mkdir()
        self.stores: list[Store] = []

    def archive(self, node: str, root: str = "recordings") -> Archive:
        store = Store(self.address, busy=30)
        store.migrate()
        self.stores.append(store)
        return Archive(self.folder / root, store, node=node, retention={"default": 1})

    def run(self, archive: Archive, fault: Fault) -> Run:
        order = Order(targets=frozenset({"archive"}), patience=FAST, concurrency=3)
        return Run("archive", lambda: Faulty(self.there, fault), archive=archive, order=order)


@pytest.fixture
def shared(tmp_path: Path, address: str) -> Iterator[Shared]:
    shared = Shared(tmp_path, address)
    yield shared
    for store in shared.stores:
        store.close()


def test_two_machines_with_one_disk_bring_each_recording_once(shared: Shared) -> None:
    first, second = shared.archive("ivr-1"), shared.archive("ivr-2")
    kept = keep(first.folders, first.store, 60)
    put: Counter[str] = Counter()

    def counting(method: str, key: str) -> None:
        if method == "put":
            put[key] += 1

    runs = [shared.run(first, counting), shared.run(second, counting)]
    threads = [threading.Thread(target=run.run) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert [run.report.state for run in runs] == ["done", "done"]
    assert sum(run.report.recordings for run in runs) == 60
    assert {key: number for key, number in put.items() if number > 1} == {}
    assert all(Sidecar.load(path).state == "exported" for path in first.folders.sidecars())
    told = [key for key in files_below(shared.there) if not key.startswith("manifests/")]
    assert len(told) == 2 * len(kept)


def test_a_machine_leaves_what_is_on_another_ones_disk(shared: Shared) -> None:
    first, second = shared.archive("ivr-1"), shared.archive("ivr-2", "other disk")
    keep(first.folders, first.store, 3)
    report = shared.run(second, lambda method, key: None).run()
    assert (report.state, report.planned, report.recordings) == ("done", 0, 0)
    assert shared.run(first, lambda method, key: None).run().recordings == 3


def test_what_a_dead_machine_claimed_is_free_when_its_lease_ends(shared: Shared) -> None:
    archive = shared.archive("ivr-1")
    ids = [sidecar.id for sidecar in keep(archive.folders, archive.store, 3)]
    dead = Claims(archive.store.database, "archive", node="ivr-2", run="dead", lease=3600)
    late = Claims(archive.store.database, "archive", node="ivr-3", run="late", lease=-1)
    assert dead.take(ids[:1]) == {ids[0]}
    assert late.take(ids) == set(ids[1:])
    report = shared.run(archive, lambda method, key: None).run()
    assert (report.state, report.recordings, report.remaining) == ("done", 2, 0)
    assert archive.store.recording(ids[0]).state == "sealed"  # type: ignore[union-attr]


def test_the_next_run_of_a_machine_takes_what_its_dead_one_claimed(shared: Shared) -> None:
    archive = shared.archive("ivr-1")
    ids = [sidecar.id for sidecar in keep(archive.folders, archive.store, 3)]
    Claims(archive.store.database, "archive", node="ivr-1", run="dead", lease=3600).take(ids)
    assert shared.run(archive, lambda method, key: None).run().recordings == 3


def test_claims_of_one_target_are_none_of_another(shared: Shared) -> None:
    archive = shared.archive("ivr-1")
    ids = [sidecar.id for sidecar in keep(archive.folders, archive.store, 2)]
    first = Claims(archive.store.database, "archive", node="a", run="1", lease=60)
    second = Claims(archive.store.database, "second", node="b", run="2", lease=60)
    third = Claims(archive.store.database, "archive", node="b", run="3", lease=60)
    assert first.take(ids) == second.take(ids) == set(ids)
    assert third.take(ids) == set()
    assert third.others(ids[0])
    first.renew()
    first.drop(ids[:1])
    assert third.take(ids) == {ids[0]}
    first.drop_all()
    assert third.take(ids) == set(ids)
    assert abs(first.now() - third.now()) < 60
