"""Comparing: sealed files, their sidecars and their rows, both ways."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from fsivr.errors import ArchiveError
from fsivr.recordings.folders import checked_id
from fsivr.recordings.mending import Mending, of_row
from fsivr.recordings.retention import unlink
from fsivr.recordings.sidecar import Hold, Sidecar
from fsivr.recordings.spooled import remove_old
from fsivr.store import Recording, audited
from fsivr.store.walks import is_up_to_date

log = logging.getLogger(__name__)

_BATCH = 200
# A recording may begin later than it was asked for, and the switch's clock may differ.
_APART = timedelta(hours=1)


class Comparing(Mending):
    """The half of a reconcile that is about sealed recordings."""

    def look(self, since: str) -> None:
        """Make them agree.

        :param since: the first day, as ``20261124``; "" for all.
        """
        for day in self._folders.days():
            if "".join(day.relative_to(self._folders.root).parts) >= since:
                self._day(day)
        begin = None if not since else datetime.strptime(since, "%Y%m%d").replace(tzinfo=UTC) - _APART
        for row in self._store.each_recording(node=self._node, since=begin):
            if row.state in ("recording", "sealed", "degraded"):
                self._each(row.id, partial(self._row, row))

    # -- from the disk to the database ----------------------------------------------------

    def _day(self, day: Path) -> None:
        told: set[str] = set()
        sounds: list[str] = []
        for path in sorted(day.iterdir()):
            if path.suffix == ".tmp":
                self._done["removed"] += remove_old(path, self._settle)
            elif path.suffix in (".json", ".wav") and _is_of(path, day, self._folders.root):
                (told.add if path.suffix == ".json" else sounds.append)(path.stem)
        for id in sounds:
            if id not in told:
                self._each(id, self._without_sidecar)
        for ids in _batches(sorted(told)):
            self._compare(ids)

    def _without_sidecar(self, id: str) -> None:
        # In this order: a sidecar is there before its ticket goes.
        if self._folders.ticket(id).exists() or self._folders.sidecar_of(id).exists():
            return
        if not self._folders.place(id).exists() or self._is_waited_for(id):
            return
        row = self._store.recording(id)
        if row is None:
            self._seal(self._unknown(id), "nothing but its file tells of it")
            return
        before = of_row(row, self._node)
        sealed = self._seal(replace(before, state="recording"), "its sidecar was lost")
        if before.sha256 == sealed.sha256 and before.state in ("exported", "degraded"):
            self._save(replace(sealed, state=before.state))
        elif before.sha256 not in ("", sealed.sha256) and sealed.state != "degraded":
            self._save(replace(sealed, state="degraded"))

    def _save(self, sidecar: Sidecar) -> None:
        with self._folders.changing(sidecar.id):
            sidecar.save(self._folders.sidecar_of(sidecar.id))
        self._put([sidecar.row()])

    def _compare(self, ids: list[str]) -> None:
        rows = self._store.known_recordings(ids)
        for id in ids:
            self._rest()
            sidecar = self._load(id)
            if sidecar is None or sidecar.node not in ("", self._node):
                continue
            row = rows.get(id)
            lacks_hold = row is not None and row.held is not None and sidecar.hold is None
            if lacks_hold or not is_up_to_date(sidecar.row(), row):
                self._each(id, self._write_anew)

    def _load(self, id: str) -> Sidecar | None:
        try:
            return Sidecar.load(self._folders.sidecar_of(id))
        except FileNotFoundError:
            return None
        except (ArchiveError, OSError) as error:
            log.error("%s", error)
            self._done["wrong"] += 1
            return None

    def _write_anew(self, id: str) -> None:
        """Look again while nobody else changes it, and have the row agree."""
        with self._folders.changing(id):
            sidecar, row = self._load(id), self._store.recording(id)
            if sidecar is None:
                return
            if sidecar.state == "purged" and (freed := unlink(self._folders.place(id))):
                # Its purge or its deletion was broken off between its sidecar and its sound.
                self._put([audited("fsivr", "recording.purge", id, bytes=freed, broken_off=True)])
            if row is not None and row.held is not None and sidecar.hold is None:
                hold = Hold(row.hold_reason or "unknown", row.hold_by or "unknown", row.held)
                sidecar = replace(sidecar, hold=hold)
                sidecar.save(self._folders.sidecar_of(id))
                self._done["held"] += 1
            if not is_up_to_date(sidecar.row(), row):
                self._put([sidecar.row()])
                self._done["rows"] += 1

    # -- from the database to the disk ----------------------------------------------------

    def _row(self, row: Recording, id: str) -> None:
        """See that something on disk tells of it."""
        folders = self._folders
        # In the order in which it moves.
        if folders.ticket(id).exists() or folders.sidecar_of(id).exists() or folders.place(id).exists():
            return
        state, was = "failed", row.state
        lost = was == "recording"
        why = "the server ended while it went on, and there is no file" if lost else "file and sidecar are gone"
        told = audited("fsivr", "recording.failed" if lost else "recording.missing", id, was=was, reason=why)
        log.error("recording %s failed: %s", id, why)
        self._put([replace(of_row(row, self._node), state=state, sha256="").row(), told])
        self._done["failed" if lost else "missing"] += 1


def _is_of(path: Path, day: Path, root: Path) -> bool:
    try:
        checked_id(path.stem)
    except ArchiveError:
        return False
    return path.name.startswith("".join(day.relative_to(root).parts)) and not path.is_symlink()


def _batches(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]
