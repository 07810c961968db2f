"""Arrivals: recordings proved to be at a target, marked in their sidecars and rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from fsivr.errors import ArchiveError
from fsivr.recordings.folders import Folders
from fsivr.recordings.sidecar import Arrival, Exported, Sidecar
from fsivr.store import Store


class Arrivals:
    """What marks recordings as arrived.

    :param folders: where their files are.
    :param targets: the names of all targets; a recording that is at each of them is ``exported``.
    """

    def __init__(self, folders: Folders, store: Store, targets: Iterable[str]) -> None:
        self._folders, self._store = folders, store
        self._targets = frozenset(targets)

    def mark(self, id: str, target: str, *, key: str, at: datetime, export: str) -> Sidecar:
        """The sidecar, which tells now that the recording is at a target; then the row tells it too.

        To do it again changes nothing, but makes the row what the sidecar is.

        :param key: what its sound is called there.
        :param at: when that was proved.
        :param export: the id of the run.
        :raises UnknownRecording: there is none of that id.
        :raises ArchiveError: its sidecar cannot be read, or it is not sealed.
        :raises OSError: its sidecar cannot be read or written.
        """
        with self._folders.changing(id):
            path = self._folders.sidecar_of(id)
            found = Sidecar.load(path)
            if found.state not in ("sealed", "degraded", "exported"):
                raise ArchiveError(f"recording {id} is {found.state}: it cannot have arrived")
            arrivals = {target: Arrival(at, key, export), **found.arrivals}
            marked = self._settled(replace(found, arrivals=arrivals), at, export)
            if marked != found:
                marked.save(path)
            self._store.write([marked.row()])
        return marked

    def settle(self, id: str, *, at: datetime, export: str) -> Sidecar:
        """The sidecar, ``exported`` now if the recording is at every target; the row is what the sidecar is.

        :raises UnknownRecording: there is none of that id.
        :raises ArchiveError: its sidecar cannot be read.
        :raises OSError: its sidecar cannot be read or written.
        """
        with self._folders.changing(id):
            path = self._folders.sidecar_of(id)
            found = Sidecar.load(path)
            settled = self._settled(found, at, export)
            if settled != found:
                settled.save(path)
            self._store.write([settled.row()])
        return settled

    def _settled(self, sidecar: Sidecar, at: datetime, export: str) -> Sidecar:
        if sidecar.state in ("sealed", "degraded") and self._targets and self._targets <= set(sidecar.arrivals):
            return replace(sidecar, state="exported", exported=Exported(at, export))
        return sidecar
