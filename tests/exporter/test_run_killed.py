"""A run that is killed: at the end every file is there once, byte for byte, and what is told here agrees."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fsivr.recordings import Sidecar
from tests.exporter.kept import files_below, keep
from tests.exporter.killing import archive_of

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is such a disk: what is killed here needs none that survives a power cut."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as name:
        (Path(name) / "there").mkdir()
        yield Path(name)


def _killing(folder: Path, *arguments: str) -> int:
    """How many processes were killed on the way."""
    command = [sys.executable, "-m", "tests.exporter.killing", str(folder), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return int(done.stdout)


def _all_is_there(folder: Path, count: int) -> None:
    """Every recording is at the target once, as it is here; manifests and rows agree; nothing is left over."""
    archive = archive_of(folder)
    there = files_below(folder / "there")
    manifests = [json.loads(content) for key, content in there.items() if key.startswith("manifests/")]
    told: list[dict[str, Any]] = [each for manifest in manifests for each in manifest["recordings"]]
    ids = [path.stem for path in archive.folders.audios()]
    assert len(ids) == count
    assert sorted(each["id"] for each in told) == sorted(ids)
    for each in told:
        sidecar = Sidecar.load(archive.folders.sidecar_of(each["id"]))
        row = archive.store.recording(each["id"])
        assert sidecar.state == "exported"
        assert sidecar.arrivals["archive"].key == each["key"]
        assert row is not None
        assert (row.state, list(json.loads(row.arrivals))) == ("exported", ["archive"])
        assert there[each["key"]] == archive.folders.place(each["id"]).read_bytes()
        for parcel in (each, each["sidecar"]):
            assert hashlib.sha256(there[parcel["key"]]).hexdigest() == parcel["sha256"]
    assert len(there) == 2 * count + len(manifests)
    assert not [key for key in there if ".part" in key]
    left = {key.rpartition("/")[2] for key in files_below(archive.folders.spool / ".exports")}
    assert left == {"lock", "ledger", "report.json"}
    assert {run.state for run in archive.store.exports(limit=1000).items} <= {"done", "interrupted"}
    archive.store.close()


def test_killed_at_a_hundred_random_moments(folder: Path) -> None:
    archive = archive_of(folder)
    keep(archive.folders, archive.store, 500, size=4000)
    archive.store.close()
    assert _killing(folder, "random", "100", "7") > 50
    _all_is_there(folder, 500)


def test_killed_at_each_step(folder: Path) -> None:
    steps = _killing(folder, "steps")
    assert steps > 50
    _all_is_there(folder, 2 * (steps + 1))
