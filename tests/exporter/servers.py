"""Real servers of each kind for whole runs, and what has to be true once all is there."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from fsivr.recordings import Sidecar
from tests.exporter.exporting import NAME
from tests.exporter.ftpd import Ftpd
from tests.exporter.ftps_place import FTPSPlace
from tests.exporter.kept import keep
from tests.exporter.killing import archive_of
from tests.exporter.place import Place
from tests.exporter.s3place import S3Place
from tests.exporter.sftp_place import SFTPPlace
from tests.exporter.sshd import Sshd
from tests.exporter.weed import Weed

#: The bytes of a recording that is brought in parts.
LENGTH = 12 * 1024 * 1024

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


def filled(folder: Path, count: int, long: int = 2, *, size: int = 8000) -> None:
    """Recordings that wait, some of them long."""
    folder.mkdir()
    archive = archive_of(folder)
    keep(archive.folders, archive.store, count - long, size=size)
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
