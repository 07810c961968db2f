"""Runs to real servers that are killed: every file is there once, byte for byte, and nothing is left over.

``FSIVR_TEST_KILLS=100 FSIVR_TEST_RECORDINGS=500`` does it at length.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from fsivr.exporter.proving import prove
from fsivr.exporter.targets import Recipe
from fsivr.recordings import Sidecar
from tests.exporter.exporting import NAME, begun, kill, wait_for_work
from tests.exporter.ftpd import Ftpd
from tests.exporter.ftps_place import FTPSPlace
from tests.exporter.kept import keep
from tests.exporter.killing import archive_of
from tests.exporter.place import Place
from tests.exporter.s3place import S3Place
from tests.exporter.sftp_place import SFTPPlace
from tests.exporter.sshd import Sshd
from tests.exporter.weed import Weed

KILLS = int(os.environ.get("FSIVR_TEST_KILLS", "5"))
RECORDINGS = int(os.environ.get("FSIVR_TEST_RECORDINGS", "40"))
#: So many of them are long enough to be brought in parts.
LONG, LENGTH = 2, 12 * 1024 * 1024

_NUMBER = itertools.count()


@pytest.fixture(params=["s3", "sftp", "ftps"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    folder = tmp_path / "of-server"
    folder.mkdir()
    if request.param == "s3":
        weed: Weed = request.getfixturevalue("weed")
        return S3Place(weed, folder)
    if request.param == "sftp":
        sshd: Sshd = request.getfixturevalue("sshd")
        return SFTPPlace(sshd, f"run{next(_NUMBER)}", folder)
    ftpd: Ftpd = request.getfixturevalue("ftpd")
    return FTPSPlace(ftpd, f"run{next(_NUMBER)}", folder)


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.node.callspec.params["place"])


def arguments(place: Place, **more: Any) -> dict[str, Any]:
    """Those of the target, but for its name."""
    return {name: value for name, value in place.arguments(**more).items() if name != "name"}


def filled(folder: Path, count: int = RECORDINGS, long: int = LONG) -> None:
    """Recordings that wait, some of them long."""
    folder.mkdir()
    archive = archive_of(folder)
    keep(archive.folders, archive.store, count - long, size=8000)
    keep(archive.folders, archive.store, long, size=LENGTH, first=count - long)
    archive.store.close()


def all_is_there(folder: Path, place: Place, count: int) -> None:
    """Every recording is there once, as it is here; manifests, sidecars and rows agree; nothing is left over."""
    archive, there = archive_of(folder), place.files()
    manifests = [json.loads(content) for key, content in there.items() if key.startswith("manifests/")]
    told = [each for manifest in manifests for each in manifest["recordings"]]
    ids = sorted(path.stem for path in archive.folders.audios())
    assert len(ids) == count
    assert sorted(each["id"] for each in told) == ids
    for each in told:
        sidecar = Sidecar.load(archive.folders.sidecar_of(each["id"]))
        row = archive.store.recording(each["id"])
        assert sidecar.state == "exported"
        assert sidecar.arrivals[NAME].key == each["key"]
        assert row is not None
        assert row.state == "exported"
        assert there[each["key"]] == archive.folders.place(each["id"]).read_bytes()
        for parcel in (each, each["sidecar"]):
            assert hashlib.sha256(there[parcel["key"]]).hexdigest() == parcel["sha256"]
    assert len(there) == 2 * count + len(manifests)
    assert place.rubbish() == []
    archive.store.close()


def test_killed_at_random_moments(place: Place, kind: str, tmp_path: Path) -> None:
    folder, chance, killed = tmp_path / "kept", random.Random(kind), 0
    filled(folder)
    for _ in range(KILLS):
        process = begun(folder, kind, arguments(place))
        wait_for_work(folder, process)
        time.sleep(chance.uniform(0.0, 1.0))
        killed += kill(process)
    assert killed >= KILLS / 4
    assert begun(folder, kind, arguments(place)).wait(300) == 0
    all_is_there(folder, place, RECORDINGS)


def test_a_server_that_is_killed_and_comes_back(place: Place, kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    filled(folder, 20, 1)
    process = begun(folder, kind, arguments(place, timeout=5.0))
    wait_for_work(folder, process)
    place.stop()
    time.sleep(1.0)
    place.start()
    assert process.wait(300) == 0
    all_is_there(folder, place, 20)


def test_a_file_that_is_damaged_there_is_found(place: Place, kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    filled(folder, 6, 0)
    assert begun(folder, kind, arguments(place)).wait(300) == 0
    damaged, gone, *_ = (key for key in sorted(place.files()) if key.endswith(".wav"))
    place.damage(damaged)
    place.remove(gone)
    proved = prove(Recipe(NAME, kind, arguments(place)), workers=2)
    assert not proved.right
    assert [damaged in each for each in proved.changed] == [True]
    assert [gone in each for each in proved.missing] == [True]
    assert proved.counts == {"changed": 1, "missing": 1}
