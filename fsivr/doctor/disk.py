"""The disk of the recordings: how much is free, and for how long that lasts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from fsivr.doctor.database import opened
from fsivr.doctor.finding import Check, NotLookedAt, Told, error, note, ok, warning
from fsivr.doctor.site import Site
from fsivr.sizing import MONO
from fsivr.store import days_left
from fsivr.store.address import sqlite_path

_GB = 1e9
_FULL, _NEARLY = 0.05, 0.15
_FEW_DAYS, _FEWER_DAYS = 30, 7


def _free(site: Site) -> Iterator[Told]:
    for what, folder in _folders(site).items():
        disk = os.statvfs(folder)
        free, total = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
        part = free / total if total else 0.0
        said = f"{free / _GB:.1f} GB of {total / _GB:.1f} GB ({part:.0%}) are free for {what}, on the disk of {folder}"
        mend = "fsivr recordings purge; df -h; or a larger disk ('fsivr size')"
        yield error(said, mend) if part < _FULL else warning(said, mend) if part < _NEARLY else ok(said)


def _inodes(site: Site) -> Iterator[Told]:
    for what, folder in _folders(site).items():
        disk = os.statvfs(folder)
        if not disk.f_files:  # btrfs and others make them as they are needed
            yield ok(f"the disk of {folder} has no fixed number of files")
            continue
        part = disk.f_favail / disk.f_files
        said = f"{part:.0%} of the files that the disk of {folder} can hold are free for {what}"
        yield warning(said, "fsivr recordings purge; df -i") if part < _FULL else ok(said)


def _days(site: Site) -> Iterator[Told]:
    folder = _existing(site.settings.recordings_path)
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    with opened(site) as store:
        left = days_left(store, site.settings.node_name, free, datetime.now(UTC))
    if left is None:
        busy = free / (site.ports * MONO * 3600)
        yield note(f"nothing was recorded in the last week; {site.ports} recorded ports fill it in {busy:.0f} hours")
        return
    said = f"the disk lasts {left:.0f} days, at the rate of the last week"
    mend = "fsivr recordings usage; fsivr recordings purge; a shorter retention, or a larger disk"
    yield error(said, mend) if left < _FEWER_DAYS else warning(said, mend) if left < _FEW_DAYS else ok(said)


def _folders(site: Site) -> dict[str, Path]:
    """The folders that are written to, on disks that may be different."""
    found = {"recordings": _existing(site.settings.recordings_path)}
    path = sqlite_path(site.settings.database)
    if path is not None:
        folder = _existing(path.parent)
        if os.stat(folder).st_dev != os.stat(found["recordings"]).st_dev:
            found["the database"] = folder
    return found


def _existing(path: str | os.PathLike[str]) -> Path:
    """The folder, or the one above it that is there."""
    place = Path(path).absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    if not os.access(place, os.X_OK):
        raise NotLookedAt(f"{place} may not be looked at by this user")
    return place


AREA = "disk"
CHECKS = (
    Check(AREA, "free", _free, "on a full disk no call is recorded, and none is kept in the database", threaded=True),
    Check(AREA, "files", _inodes, "a disk that can hold no more files is full, however much is free", threaded=True),
    Check(
        AREA, "days", _days, "a disk is bought and mounted in days, not in the hour before it is full", threaded=True
    ),
)
