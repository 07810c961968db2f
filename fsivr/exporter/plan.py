"""Plan: which recordings a run has to bring, and the jobs that bring them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fsivr.errors import ArchiveError, FileRefused
from fsivr.exporter.carry import Job, Parcel, parcel_of
from fsivr.exporter.keys import keys_of
from fsivr.exporter.local import advice, on_disk
from fsivr.recordings import Folders, Sidecar
from fsivr.recordings.folders import began
from fsivr.store import Store, Waiting, waiting

# A recording that began so much later than now has a wrong date, or this machine has.
_TOLERANCE = timedelta(hours=1)


@dataclasses.dataclass(frozen=True)
class Choice:
    """Which recordings are meant, where not all."""

    since: datetime | None = None
    until: datetime | None = None
    #: A handler's name, whole or its last part; "" for all.
    handler: str = ""
    #: Whether also those that are exported already, as for a target that is new.
    exported: bool = False

    def means(self, row: Waiting) -> bool:
        """Whether a recording is one of them by its handler."""
        return not self.handler or self.handler in (row.handler, row.handler.rpartition(".")[2])

    @property
    def states(self) -> tuple[str, ...]:
        """The states of those that are meant."""
        return ("sealed", "degraded", "exported") if self.exported else ("sealed", "degraded")


class Plan:
    """What is to be brought to a target from this machine.

    :param target: the target's name.
    :param node: this machine's name.
    :param template: the setting ``export_key``.
    :param scratch: a folder for copies of sidecars, which may change while they are brought.
    """

    def __init__(
        self, store: Store, folders: Folders, target: str, *, node: str, template: str, choice: Choice, scratch: Path
    ) -> None:
        self._store, self._folders, self._target = store, folders, target
        self._node, self._template, self._choice, self._scratch = node, template, choice, scratch
        #: Recordings that arrived and cannot be marked: not to be brought again.
        self.skip: set[str] = set()
        #: When the newest of those that were gone through began.
        self.newest: datetime | None = None

    def recordings(self) -> Iterator[Waiting]:
        """Those that are not known to be there: of this machine, or with a file that it can see."""
        choice = self._choice
        found = waiting(self._store.database, states=choice.states, since=choice.since, until=choice.until)
        for row in found:
            if self._target in row.arrived or row.id in self.skip or not choice.means(row):
                continue
            if self._is_here(row):
                self.newest = began(row.id)
                yield row

    def settled(self, targets: frozenset[str]) -> Iterator[Waiting]:
        """Those that are at every target and not told to be exported: one was taken out of the settings."""
        for row in waiting(self._store.database):
            if targets and targets <= row.arrived and self._is_here(row):
                yield row

    def measure(self) -> tuple[int, int]:
        """How many there are, and their bytes."""
        count = size = 0
        for row in self.recordings():
            count, size = count + 1, size + row.bytes
        return count, size

    def job(self, id: str, *, doubtful: bool) -> Job | Sidecar:
        """What brings a recording; its sidecar, where that tells that it is there already.

        :raises FileRefused: it cannot be brought: its file or sidecar is not as it should be.
        :raises DiskError: its sidecar cannot be copied.
        """
        sidecar, path = self._read(id), self._folders.place(id)
        if self._target in sidecar.arrivals:
            return sidecar
        keys = keys_of(self._template, sidecar)
        copy = self._scratch / f"{id}.json"
        content = sidecar.encode()
        on_disk(lambda: _write(copy, content))
        audio = Parcel(str(path), keys.audio, sidecar.sha256, sidecar.bytes or 0)
        return Job(id, audio, parcel_of(copy, keys.sidecar, content), doubtful, sidecar.hold is not None)

    def done(self, job: Job) -> None:
        """Its job is over."""
        on_disk(lambda: Path(job.sidecar.local).unlink(missing_ok=True))

    def _read(self, id: str) -> Sidecar:
        path = self._folders.place(id)
        try:
            sidecar = Sidecar.load(self._folders.sidecar_of(id))
            size = self._folders.inside(path).stat().st_size
        except OSError as error:
            raise FileRefused(f"it cannot be read: {advice(error)}") from error
        except ArchiveError as error:
            raise FileRefused(str(error)) from error
        if sidecar.state not in self._choice.states and self._target not in sidecar.arrivals:
            raise FileRefused(f"its sidecar says that it is {sidecar.state}: 'fsivr recordings reindex' mends the row")
        if not sidecar.sha256 or size != sidecar.bytes:
            raise FileRefused(f"{path} has {size} bytes, its sidecar says {sidecar.bytes}: 'fsivr recordings verify'")
        return sidecar

    def _is_here(self, row: Waiting) -> bool:
        return row.node == self._node or self._folders.place(row.id).exists()


def odd_clock(newest: datetime | None, shared: float, now: datetime) -> str:
    """What is odd about this machine's clock; "" for nothing.

    :param newest: when the newest recording began.
    :param shared: seconds since 1970 by the database's clock.
    """
    off = now.timestamp() - shared
    if abs(off) > 60:
        return f"the clock of this machine is {abs(off):.0f} s {'before' if off < 0 else 'past'} the database's"
    if newest is not None and newest - now > _TOLERANCE:
        return f"a recording began at {newest:%Y-%m-%d %H:%M} UTC, and it is {now.astimezone(UTC):%Y-%m-%d %H:%M}"
    return ""


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
