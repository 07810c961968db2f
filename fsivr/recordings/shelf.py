"""Shelf: what is told of recordings, found, and changed by one process at a time: sidecar, row and audit."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from fsivr.errors import ArchiveError, RecordingElsewhere, UnknownRecording
from fsivr.recordings.folders import Folders
from fsivr.recordings.sidecar import Hold, Sidecar
from fsivr.store import Store, audited


class Change:
    """A recording that nobody else changes meanwhile.

    :param sidecar: what is told of it now.
    """

    def __init__(self, shelf: Shelf, sidecar: Sidecar) -> None:
        self._shelf = shelf
        #: What is told of it.
        self.sidecar = sidecar

    def save(self, **columns: Any) -> None:
        """Have these fields of its sidecar changed; the file first, which is the truth."""
        changed = replace(self.sidecar, **columns)
        changed.save(self._shelf.folders.sidecar_of(changed.id))
        self.sidecar = changed

    def tell(self, by: str, action: str, *, at: float | None = None, **detail: Any) -> None:
        """Have its row agree with its sidecar, and the audit say what was done."""
        row = audited(by, f"recording.{action}", self.sidecar.id, at=at, **detail)
        self._shelf.store.write([self.sidecar.row(), row])


class Shelf:
    """The recordings below a root, and their rows.

    :param node: the name of this machine in the rows.
    """

    def __init__(self, folders: Folders, store: Store, *, node: str) -> None:
        self.folders = folders
        self.store = store
        self.node = node

    def find(self, id: str) -> Sidecar:
        """What is told of a recording; its state is ``recording`` where it goes on.

        :raises UnknownRecording: there is none of this id.
        :raises RecordingElsewhere: another node has it.
        :raises ArchiveError: what is told of it cannot be read, or is gone.
        """
        sealed, ticket = self.folders.sidecar_of(id), self.folders.ticket(id)
        # It may be sealed between the first look and the second.
        for path in (sealed, ticket, sealed):
            with contextlib.suppress(FileNotFoundError):
                return Sidecar.load(self.folders.inside(path))
        row = self.store.recording(id)
        if row is None:
            raise UnknownRecording(f"there is no recording {id}")
        if row.node != self.node:
            raise RecordingElsewhere(f"recording {id} is on node {row.node or 'unknown'}, and this is {self.node}")
        raise ArchiveError(f"what is told of recording {id} is gone: there is no {sealed}")

    @contextmanager
    def changing(self, id: str) -> Iterator[Change]:
        """A sealed recording, to be changed; nobody else changes it within the block.

        A hold that only the database knows of, as after sidecars were restored from an
        older copy, counts.

        :raises UnknownRecording: there is none of this id.
        :raises RecordingElsewhere: another node has it.
        :raises ArchiveError: what is told of it cannot be read, or it is still being recorded.
        """
        with self.folders.changing(id):
            sidecar = self.find(id)
            if sidecar.state == "recording":
                raise ArchiveError(f"recording {id} is still being recorded: try again when it has ended")
            yield Change(self, self._with_hold(sidecar))

    def _with_hold(self, sidecar: Sidecar) -> Sidecar:
        found = self.store.hold_of(sidecar.id) if sidecar.hold is None else None
        if found is None:
            return sidecar
        reason, by, at = found
        return replace(sidecar, hold=Hold(reason or "unknown", by or "unknown", at))
