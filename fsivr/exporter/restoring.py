"""Restoring: recordings brought back from a target, each proved, with their sidecars and rows."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from fsivr.errors import ArchiveError, ExportError, FileRefused, NotArrived
from fsivr.exporter.crew import Make
from fsivr.exporter.local import DiskError, advice, sha256_of, sync_folder
from fsivr.exporter.retry import Patience
from fsivr.exporter.spreading import Spread, attempted
from fsivr.exporter.target import Target
from fsivr.exporter.told import Copy, Told, all_told
from fsivr.recordings import Arrival, Exported, Folders, Sidecar
from fsivr.recordings.folders import began


@dataclasses.dataclass
class Restored:
    """What was brought back."""

    recordings: int = 0
    bytes: int = 0
    #: How many were here already, the same.
    here: int = 0
    #: What could not be brought back, and why: the id, and the reason.
    failures: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    #: Manifests that cannot be read.
    unreadable: list[str] = dataclasses.field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether all that was asked for is here."""
        return not self.failures and not self.unreadable


class Restoring:
    """What brings recordings back to a machine.

    :param name: the target's name.
    :param folders: where they are brought to.
    :param node: this machine's name, which they are on from now on.
    :param targets: the names of all targets.
    """

    def __init__(self, name: str, make: Make, *, folders: Folders, node: str, targets: Iterable[str]) -> None:
        self._name, self._make = name, make
        self._folders, self._node, self._targets = folders, node, frozenset(targets)

    def run(
        self,
        *,
        workers: int,
        since: datetime | None = None,
        until: datetime | None = None,
        patience: Patience | None = None,
        progress: Callable[[Restored], object] | None = None,
    ) -> Restored:
        """What was brought back; what is here already, the same, is left as it is.

        :param since: only those that began then or later; ``until`` is the first that does not count.
        :param progress: called after each recording.
        :raises ExportError: the target cannot be reached, or refuses.
        """
        patience, restored = patience or Patience(), Restored()
        target = self._make()
        try:
            wrong = attempted(target, target.open, patience)
            if isinstance(wrong, Exception):
                raise wrong
            chosen = self._chosen(target, restored, since, until)
            for told, result in Spread(self._make, workers, self._restore, patience).over(chosen):
                _note(restored, told, result)
                if progress is not None:
                    progress(restored)
        finally:
            target.close()
        return restored

    def _chosen(
        self, target: Target, restored: Restored, since: datetime | None, until: datetime | None
    ) -> Iterator[Told]:
        seen: set[str] = set()
        for told in all_told(target, restored.unreadable.append):
            at = began(told.id)
            if told.id not in seen and (since is None or at >= since) and (until is None or at < until):
                seen.add(told.id)
                yield told

    def _restore(self, target: Target, told: Told) -> bool:
        """Whether it was brought back; else it was here."""
        try:
            with self._folders.changing(told.id):
                return self._bring_back(target, told)
        except ArchiveError as error:
            raise FileRefused(str(error)) from None
        except OSError as error:
            raise DiskError(f"it cannot be written: {advice(error)}") from error

    def _bring_back(self, target: Target, told: Told) -> bool:
        path, beside = self._folders.place(told.id), self._folders.sidecar_of(told.id)
        self._folders.prepare(path.parent)
        known = Sidecar.load(beside) if beside.exists() else None
        if known is not None and known.sha256 not in ("", told.audio.sha256):
            raise FileRefused(f"another recording of that id is here: {path} is left as it is")
        same = path.exists() and sha256_of(path) == told.audio.sha256
        if same and known is not None and known.state != "purged":
            return False
        content = b"".join(target.read(told.sidecar.key))
        if hashlib.sha256(content).hexdigest() != told.sidecar.sha256:
            raise NotArrived(f"{told.sidecar.key} is not what its manifest tells")
        sidecar = known or Sidecar.decode(content, what=told.sidecar.key)
        if sidecar.id != told.id or sidecar.sha256 != told.audio.sha256:
            raise FileRefused(f"{told.sidecar.key} tells of another recording")
        if not same:
            self._fetch(target, told.audio, path)
        self._settled(sidecar, told).save(beside)
        return True

    def _fetch(self, target: Target, copy: Copy, path: Path) -> None:
        part = path.with_name(f".{path.name}.part")
        try:
            self._read(target, copy, part)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        os.rename(part, path)
        sync_folder(path.parent)

    def _read(self, target: Target, copy: Copy, part: Path) -> None:
        found, count = hashlib.sha256(), 0
        with open(part, "wb") as file:
            for piece in target.read(copy.key):
                count += len(piece)
                if count > copy.size:
                    break
                found.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if count != copy.size or found.hexdigest() != copy.sha256:
            raise NotArrived(f"{copy.key} is not what its manifest tells")

    def _settled(self, sidecar: Sidecar, told: Told) -> Sidecar:
        at = datetime.fromisoformat(told.at)
        arrivals = {**sidecar.arrivals, self._name: Arrival(at, told.audio.key, told.run)}
        state, exported = sidecar.state, sidecar.exported
        if self._targets <= set(arrivals):
            state, exported = "exported", exported or Exported(at, told.run)
        elif state == "purged":
            state = "sealed"
        return dataclasses.replace(sidecar, arrivals=arrivals, state=state, exported=exported, node=self._node)


def _note(restored: Restored, told: Told, result: bool | Exception) -> None:
    if isinstance(result, ExportError | OSError):
        restored.failures.append((told.id, str(result)))
    elif isinstance(result, Exception):
        raise result
    elif result:
        restored.recordings += 1
        restored.bytes += told.audio.size
    else:
        restored.here += 1
