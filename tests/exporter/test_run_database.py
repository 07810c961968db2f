"""PostgreSQL taken away in the middle of a run: nothing is lost, and nothing is brought twice."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from fsivr.exporter.report import Report
from fsivr.exporter.run import Order, Run
from fsivr.recordings import Archive, Sidecar
from fsivr.store import Store
from tests.exporter.faulty import Faulty
from tests.exporter.kept import files_below, keep
from tests.exporter.test_run import FAST
from tests.store.conftest import postgresql
from tests.store.postgresql import PostgreSQL

__all__ = ["postgresql"]

COUNT = 40


class Site:
    """Recordings that wait, a target that takes its time, and a database that can be taken away."""

    def __init__(self, folder: Path, server: PostgreSQL) -> None:
        self.server, self.there = server, folder / "there"
        self.there.mkdir()
        with psycopg.connect(server.address(), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS taken_away")
            connection.execute("CREATE DATABASE taken_away")
        self.store = Store(server.address("taken_away"))
        self.store.migrate()
        self.archive = Archive(folder / "recordings", self.store, node="ivr-1", retention={"default": 1})
        self.kept = keep(self.archive.folders, self.store, COUNT)
        self.put: Counter[str] = Counter()
        self.reports: list[Report] = []
        self._lock = threading.Lock()
        self._when: tuple[int, Callable[[], None]] | None = None

    def at(self, count: int, do: Callable[[], None]) -> None:
        """Do something before so many more files are put."""
        self._when = (sum(self.put.values()) + count, do)

    def run(self, patience: float) -> Report:
        """A run that asks the database for so many seconds."""
        waits = dataclasses.replace(FAST, database=patience, longest=0.2)
        order = Order(targets=frozenset({"archive"}), patience=waits, concurrency=3)
        report = Run("archive", lambda: Faulty(self.there, self._fault), archive=self.archive, order=order).run()
        self.reports.append(report)
        return report

    def all_is_there(self) -> None:
        """Each recording is there, its sound was sent once, it is in one manifest, and marked here."""
        there = files_below(self.there)
        manifests = [json.loads(content) for key, content in there.items() if key.startswith("manifests/")]
        told = [each["id"] for manifest in manifests for each in manifest["recordings"]]
        assert sorted(told) == [sidecar.id for sidecar in self.kept]
        # What is told of one is brought again with it, where the run ended before it heard that it is there.
        assert {key for key, number in self.put.items() if number > 1 and key.endswith(".wav")} == set()
        assert len(there) == 2 * COUNT + len(manifests)
        for path in self.archive.folders.sidecars():
            sidecar = Sidecar.load(path)
            row = self.store.recording(sidecar.id)
            assert row is not None
            assert (sidecar.state, row.state) == ("exported", "exported")
            assert json.loads(row.arrivals)["archive"]["export"] == sidecar.arrivals["archive"].export
        assert sum(report.recordings for report in self.reports) <= COUNT
        assert {run.state for run in self.store.exports().items} <= {"done", "failed", "partial", "interrupted"}

    def _fault(self, method: str, key: str) -> None:
        if method != "put":
            return
        with self._lock:
            self.put[key] += 1
            due = self._when is not None and sum(self.put.values()) >= self._when[0]
            if due and self._when is not None:
                (_, do), self._when = self._when, None
                do()


@pytest.fixture
def site(tmp_path: Path, postgresql: PostgreSQL) -> Iterator[Site]:
    site = Site(tmp_path, postgresql)
    yield site
    site.store.close()


@pytest.mark.parametrize("moment", [1, 2 * COUNT])
def test_it_is_waited_for(site: Site, moment: int) -> None:
    def taken_away() -> None:
        site.server.stop()
        threading.Thread(target=lambda: (time.sleep(0.5), site.server.start())).start()

    site.at(moment, taken_away)
    report = site.run(60.0)
    assert (report.state, report.recordings, report.failures) == ("done", COUNT, [])
    site.all_is_there()


@pytest.mark.parametrize("moment", [1, 2 * COUNT])
def test_one_that_does_not_come_back_ends_the_run_and_the_next_does_the_rest(site: Site, moment: int) -> None:
    site.at(moment, site.server.stop)
    report = site.run(0.2)
    site.server.start()
    assert report.state in ("failed", "partial")
    assert report.error.startswith("the database fails, and the next run takes it from here: ")
    assert report.warnings[-1].startswith("this report is not in the database: ")
    assert "\n" not in report.error + report.warnings[-1]
    assert site.run(60.0).state == "done"
    site.all_is_there()
