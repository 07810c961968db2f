"""Archive: what may be done with recordings that are kept."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Self

from fsivr.config import Settings
from fsivr.errors import ArchiveError, RecordingKept
from fsivr.recordings.arrivals import Arrivals
from fsivr.recordings.checked import to_microsecond
from fsivr.recordings.folders import Folders
from fsivr.recordings.reindexing import Counts, reindex
from fsivr.recordings.retention import Purged, purge, remove
from fsivr.recordings.shelf import Change, Shelf
from fsivr.recordings.sidecar import Exported, Hold, Sidecar
from fsivr.recordings.verifying import Verified, verify
from fsivr.store import Store, days_left

_LONGEST_REASON, _LONGEST_NAME = 500, 200


class Usage(NamedTuple):
    """What the recordings of this node take.

    ``bytes`` and ``free`` in bytes; ``days_left`` until the disk is full at the rate of the last
    seven days, None where nothing was recorded in them.
    """

    files: int
    bytes: int
    free: int
    days_left: float | None


class Archive:
    """The recordings of a node: found, held, released, verified, purged, and indexed.

    What is changed is changed in the recording's sidecar first, then in the database,
    with the audit in the same transaction. Several processes may do so at once.

    :param folder: the setting ``recordings_path``.
    :param store: the database, up to date.
    :param node: the name of this machine in the rows.
    :param retention: the days that a recording of each class is kept.
    """

    def __init__(
        self, folder: str | os.PathLike[str], store: Store, *, node: str, retention: Mapping[str, int]
    ) -> None:
        #: Where the files are.
        self.folders = Folders(folder)
        self.store = store
        self.node = node
        self.retention = dict(retention)
        self._shelf = Shelf(self.folders, store, node=node)

    @classmethod
    def of(cls, settings: Settings, store: Store) -> Self:
        """The archive that the settings tell of."""
        return cls(settings.recordings_path, store, node=settings.node_name, retention=settings.retention_days)

    # -- one recording ----------------------------------------------------------------------

    def sidecar(self, id: str) -> Sidecar:
        """What is told of a recording; its state is ``recording`` where it goes on.

        :raises UnknownRecording: there is none of this id.
        :raises RecordingElsewhere: another node has it.
        :raises ArchiveError: what is told of it cannot be read, or is gone.
        """
        return self._shelf.find(id)

    def audio(self, id: str) -> Path:
        """The sound file of a recording.

        :raises UnknownRecording: there is none of this id.
        :raises RecordingElsewhere: another node has it.
        :raises ArchiveError: it has none: it was purged, is still being recorded, failed, or the file is gone.
        """
        sidecar = self._shelf.find(id)
        lacks = {
            "recording": "is still being recorded",
            "failed": "failed: there is no sound file of it",
            "purged": "was purged: its sound file is no longer on this machine",
        }.get(sidecar.state)
        path = self.folders.place(id)
        if lacks is None and not self.folders.inside(path).is_file():
            lacks = f"is damaged: there is no file {path}"
        if lacks is not None:
            raise ArchiveError(f"recording {id} {lacks}")
        return path

    def hold(self, id: str, reason: str, *, by: str) -> None:
        """Have a recording kept until it is released, whatever its class says; a later reason replaces an earlier one.

        :param reason: 1 to 500 printable characters.
        :param by: who does it, for the audit.
        :raises ValueError: the reason or the name is none.
        :raises ArchiveError: as of ``sidecar``; or it is still being recorded, or purged.
        """
        why, who = _printable("reason", reason, _LONGEST_REASON), _printable("by", by, _LONGEST_NAME)
        at = time.time()
        with self._shelf.changing(id) as change:
            if change.sidecar.state == "purged":
                raise ArchiveError(f"recording {id} was purged: there is nothing to hold")
            replaced = {} if change.sidecar.hold is None else {"replaced": change.sidecar.hold.reason}
            change.save(hold=Hold(why, who, to_microsecond(at)))
            change.tell(who, "hold", at=at, reason=why, **replaced)

    def release(self, id: str, *, by: str) -> None:
        """End the hold of a recording.

        :raises ArchiveError: as of ``sidecar``; or it is not on hold.
        """
        who = _printable("by", by, _LONGEST_NAME)
        with self._shelf.changing(id) as change:
            if change.sidecar.hold is None:
                raise ArchiveError(f"recording {id} is not on hold")
            ended = change.sidecar.hold
            change.save(hold=None)
            change.tell(who, "release", reason=ended.reason, held_by=ended.by)

    def delete(self, id: str, *, by: str, unexported: bool = False) -> int:
        """The bytes that were freed by removing the sound file of a recording before its time.

        :param unexported: whether it may be one whose export is not proved: the sound is gone for good then.
        :raises RecordingKept: it is on hold; or its export is not proved, and ``unexported`` is not said.
        :raises ArchiveError: as of ``sidecar``; or it is purged already, failed, or still being recorded.
        """
        who = _printable("by", by, _LONGEST_NAME)
        with self._shelf.changing(id) as change:
            sidecar = change.sidecar
            if sidecar.state == "purged" and not self.folders.place(id).exists():
                raise ArchiveError(f"recording {id} was purged already")
            if sidecar.state == "failed":
                raise ArchiveError(f"recording {id} failed: there is no sound file of it")
            if sidecar.hold is not None:
                raise RecordingKept(f"recording {id} is on hold by {sidecar.hold.by}: {sidecar.hold.reason}")
            if sidecar.exported is None and not unexported:
                raise RecordingKept(f"recording {id} is kept: its export is not proved, and it would be lost")
            return remove(self.folders, change, by=who, action="delete")

    def mark_exported(self, id: str, export_id: str, *, at: float | datetime) -> None:
        """Have it known that a recording arrived, as was proved; for the same export a second time does nothing.

        :param at: when it was proved; seconds since 1970, or a time with a zone.
        :raises ArchiveError: as of ``sidecar``; or it is purged, failed, or still being recorded.
        """
        when = at if isinstance(at, datetime) else to_microsecond(at)
        with self._shelf.changing(id) as change:
            if change.sidecar.state not in ("sealed", "degraded", "exported"):
                raise ArchiveError(f"recording {id} is {change.sidecar.state}: it cannot have been exported")
            if not self._is_exported_by(change, export_id):
                was = change.sidecar.state
                change.save(state="exported", exported=Exported(when, export_id))
                change.tell(f"export:{export_id}", "exported", export=export_id, was=was)

    def arrivals(self, targets: Iterable[str]) -> Arrivals:
        """What marks recordings as arrived at one of these targets; those that are at each are exported."""
        return Arrivals(self._shelf, targets)

    def _is_exported_by(self, change: Change, export_id: str) -> bool:
        sidecar = change.sidecar
        if sidecar.state != "exported" or sidecar.exported is None or sidecar.exported.export != export_id:
            return False
        row = self.store.recording(sidecar.id)
        return row is not None and row.state == "exported" and row.export == export_id

    # -- all of them ------------------------------------------------------------------------

    def purge(self, *, by: str, now: float | None = None, dry_run: bool = False) -> Purged:
        """What was removed: sound files of recordings older than their class is kept, once exported and not on hold.

        :param by: who does it, for the audit.
        :param now: the time that age is counted to, in seconds since 1970; now, where None.
        :param dry_run: whether to tell only what would be.
        """
        who = _printable("by", by, _LONGEST_NAME)
        moment = to_microsecond(time.time() if now is None else now)
        return purge(self._shelf, self.retention, by=who, now=moment, dry_run=dry_run)

    def verify(self, ids: Iterable[str] | None = None, *, by: str) -> Iterator[Verified]:
        """What became of recordings, each one as its file has been read to its end.

        :param ids: those to verify; all whose files should be here, where None.
        :param by: who does it, for the audit.
        """
        return verify(self._shelf, ids, by=_printable("by", by, _LONGEST_NAME))

    def reindex(self, *, by: str = "reindex", progress: Callable[[int], None] | None = None) -> Counts:
        """How many rows were made of what is on disk; rows that no file tells of are failed now.

        :param progress: called with how many recordings were read, from time to time.
        :raises ArchiveError: there is no recording on disk, but in the database there are.
        """
        return reindex(self._shelf, by=by, progress=progress)

    def usage(self) -> Usage:
        """What the recordings of this node take, and how long the disk will do.

        :raises OSError: the folder cannot be looked at.
        """
        disk = os.statvfs(self.folders.root)
        free = disk.f_bavail * disk.f_frsize
        kept = self.store.taken(self.node)
        return Usage(kept.recordings, kept.bytes, free, days_left(self.store, self.node, free, datetime.now(UTC)))


def _printable(name: str, text: str, most: int) -> str:
    found = text.strip()
    if not 1 <= len(found) <= most or not found.isprintable():
        raise ValueError(f"{name} is 1 to {most} printable characters, not {text[:80]!r}")
    return found
