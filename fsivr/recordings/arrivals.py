"""Arrivals: recordings proved to be at a target, marked in their sidecars and rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fsivr.errors import ArchiveError
from fsivr.recordings.shelf import Change, Shelf
from fsivr.recordings.sidecar import Arrival, Exported, Sidecar


class Arrivals:
    """What marks recordings as arrived.

    :param shelf: where they are.
    :param targets: the names of all targets; a recording that is at each of them is ``exported``.
    """

    def __init__(self, shelf: Shelf, targets: Iterable[str]) -> None:
        self._shelf = shelf
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
        with self._shelf.changing(id) as change:
            found = change.sidecar
            if found.state not in ("sealed", "degraded", "exported"):
                raise ArchiveError(f"recording {id} is {found.state}: it cannot have arrived")
            if target not in found.arrivals:
                arrivals = {**found.arrivals, target: Arrival(at, key, export)}
                change.save(arrivals=arrivals, **self._settled(found, arrivals, at, export))
                change.tell(f"export:{export}", "arrived", target=target, key=key)
            else:
                self._settle(change, at, export)
            return change.sidecar

    def settle(self, id: str, *, at: datetime, export: str) -> Sidecar:
        """The sidecar, ``exported`` now if the recording is at every target; the row is what the sidecar is.

        :raises UnknownRecording: there is none of that id.
        :raises ArchiveError: its sidecar cannot be read.
        :raises OSError: its sidecar cannot be read or written.
        """
        with self._shelf.changing(id) as change:
            self._settle(change, at, export)
            return change.sidecar

    def _settle(self, change: Change, at: datetime, export: str) -> None:
        columns = self._settled(change.sidecar, change.sidecar.arrivals, at, export)
        if columns:
            change.save(**columns)
            change.tell(f"export:{export}", "exported")
        else:
            self._shelf.store.write([change.sidecar.row()])

    def _settled(self, sidecar: Sidecar, arrivals: Mapping[str, Arrival], at: datetime, export: str) -> dict[str, Any]:
        if sidecar.state in ("sealed", "degraded") and self._targets and self._targets <= set(arrivals):
            return {"state": "exported", "exported": Exported(at, export)}
        return {}
