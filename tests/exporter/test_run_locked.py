"""SQLite locked by another when a run ends: its report is written all the same, or that is told."""

from __future__ import annotations

import dataclasses
import sqlite3
import threading
from pathlib import Path

import pytest

from tests.exporter.test_run import FAST, House


@pytest.mark.parametrize(("patience", "state", "warned"), [(60.0, "done", 0), (0.1, "running", 1)])
def test_a_database_that_is_locked_when_a_run_ends_is_waited_for(
    tmp_path: Path, patience: float, state: str, warned: int
) -> None:
    house = House(tmp_path, busy=0.01)
    house.keep(3)
    other = sqlite3.connect(tmp_path / "fsivr.db", isolation_level=None, check_same_thread=False)
    release = threading.Timer(1.0, lambda: other.execute("ROLLBACK"))

    def fault(method: str, key: str) -> None:
        if method == "put" and key.startswith("manifests/"):
            other.execute("BEGIN IMMEDIATE")
            if patience > 1:
                release.start()

    report = house.run(fault, patience=dataclasses.replace(FAST, database=patience))
    other.close()
    assert (report.state, len(report.warnings)) == ("done", warned)
    assert [run.state for run in house.store.exports().items] == [state]
