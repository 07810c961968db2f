"""Retention: sound files are removed when their class has been kept long enough, and no sooner."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from fsivr.errors import ArchiveError, RecordingElsewhere, UnknownRecording
from fsivr.recordings.folders import Folders, sync_folder
from fsivr.recordings.shelf import Change, Shelf
from fsivr.recordings.sidecar import Sidecar
from fsivr.store import Recording

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Purged(NamedTuple):
    """How many recordings were purged, the bytes that are free now, and how many were kept for which reason."""

    recordings: int
    bytes: int
    kept: Mapping[str, int]


class _Kept(Exception):
    """Why one was kept."""


def purge(shelf: Shelf, retention: Mapping[str, int], *, by: str, now: datetime, dry_run: bool) -> Purged:
    """What was removed of a node's recordings, and what was kept although it is old enough, and why.

    :param retention: the days of each class, counted from when a recording began.
    """
    purged = freed = 0
    kept: Counter[str] = Counter()
    youngest = now - timedelta(days=min(retention.values(), default=0))
    # Only those whose export is proved are asked for; their rows are changed last of all, so
    # that one whose purge was interrupted is found here again.
    for row in shelf.store.each_recording(state="exported", before=youngest):
        try:
            if not _is_old_enough(row.retention, row.started, retention, now):
                continue
            if row.held is not None:
                raise _Kept("on hold")
            size = _purge(shelf, row, retention, by=by, now=now, dry_run=dry_run)
        except (UnknownRecording, RecordingElsewhere):
            continue  # its own node purges it
        except (_Kept, ArchiveError) as error:
            kept[str(error) if isinstance(error, _Kept) else "what is told of it cannot be read"] += 1
        except OSError as error:
            kept[f"cannot be removed: {error.strerror or type(error).__name__}"] += 1
        else:
            purged, freed = purged + 1, freed + size
    return Purged(purged, freed, dict(kept))


def remove(folders: Folders, change: Change, *, by: str, action: str) -> int:
    """The bytes that were freed by removing a recording's sound file; its sidecar, row and the audit say so.

    The sidecar is first: killed after it, we leave a file whose sidecar says that it is to
    go, and a row that says it is there, and the next purge or reconcile finds that row and does the rest.
    The other way round a file that went on purpose would look like one that was lost.
    """
    sidecar, path = change.sidecar, folders.place(change.sidecar.id)
    try:
        _say_purged(change)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        # No room for a sidecar: the sound has to go first, or a full disk would stay full.
        # Killed here, the file is missing, its row is as it was, and the next purge goes on.
        size = unlink(path)
        _say_purged(change)
    else:
        size = unlink(path)
    export = None if sidecar.exported is None else sidecar.exported.export
    change.tell(by, action, bytes=size, retention=sidecar.retention, sha256=sidecar.sha256, export=export)
    return size


def _purge(shelf: Shelf, row: Recording, retention: Mapping[str, int], *, by: str, now: datetime, dry_run: bool) -> int:
    """The bytes that it freed, or would.

    :raises _Kept: it may not be purged; or what says so cannot be read, as the other errors tell.
    """
    if dry_run:
        return _size(shelf, _checked(shelf.find(row.id), retention, now))
    with shelf.changing(row.id) as change:
        _checked(change.sidecar, retention, now)
        return remove(shelf.folders, change, by=by, action="purge")


def _checked(sidecar: Sidecar, retention: Mapping[str, int], now: datetime) -> Sidecar:
    """The sidecar, where it too says that its sound may go: the row may be older than it."""
    if sidecar.hold is not None:
        raise _Kept("on hold")
    if sidecar.state == "purged":
        return sidecar
    if sidecar.state != "exported" or sidecar.exported is None:
        raise _Kept("its export is not proved, says its sidecar")
    if not _is_old_enough(sidecar.retention, sidecar.started, retention, now):
        raise _Kept("younger, says its sidecar")
    return sidecar


def _is_old_enough(name: str, started: datetime, retention: Mapping[str, int], now: datetime) -> bool:
    days = retention.get(name)
    if days is None:
        raise _Kept(f"the setting retention has no class {name[:64]!r}")
    return started + timedelta(days=days) < now


def _size(shelf: Shelf, sidecar: Sidecar) -> int:
    try:
        return os.lstat(shelf.folders.place(sidecar.id)).st_size
    except FileNotFoundError:
        return 0


def _say_purged(change: Change) -> None:
    if change.sidecar.state != "purged":
        change.save(state="purged")


def unlink(path: Path) -> int:
    """The bytes of a file that is no more, also after a power cut."""
    try:
        size = os.lstat(path).st_size
        path.unlink()
    except FileNotFoundError:
        return 0
    sync_folder(path.parent)
    return size
