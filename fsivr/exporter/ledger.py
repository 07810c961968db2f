"""Ledger: what the runs of a node brought to a target and no manifest there tells of yet, on our own disk.

Lines of JSON, appended and synced before a recording is marked, so that whatever is killed when, each
arrival comes to stand in one manifest. The last line may be torn; it tells of nothing that was gone on from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fsivr.exporter.carry import Outcome
from fsivr.exporter.local import on_disk, sync_folder


class Ledger:
    """The file of one node and target.

    :param path: where it is; its folder is there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        #: The recordings that a run began with and of which nothing tells how that ended.
        self.doubtful: set[str] = set()

    def open(self) -> None:
        """Read what earlier runs left.

        :raises DiskError: it cannot be read or written.
        """
        on_disk(self._open)
        self.doubtful.clear()
        for line in self._lines():
            self.doubtful.update(line.get("began", ()))
            self.doubtful.discard(line.get("id", ""))

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def begin(self, ids: Iterable[str]) -> None:
        """Tell that these are about to be brought.

        :raises DiskError: it cannot be written.
        """
        self._append([{"began": list(ids)}])

    def arrived(self, outcomes: Iterable[Outcome], *, run: str, at: str) -> None:
        """Tell that these are proved to be there.

        :raises DiskError: it cannot be written.
        """
        self._append([entry(outcome, run=run, at=at) for outcome in outcomes])

    def entries(self) -> Iterator[dict[str, Any]]:
        """What arrived, as manifests tell it, in the order of arrival."""
        return (line for line in self._lines() if "id" in line)

    def clear(self) -> None:
        """Forget all: a manifest at the target tells of it.

        :raises DiskError: it cannot be written.
        """

        def do() -> None:
            os.ftruncate(self._file, 0)
            os.fsync(self._file)

        on_disk(do)
        self.doubtful.clear()

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        # What comes next is a line of its own, whatever the last one was torn at.
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")
        sync_folder(self._path.parent)

    def _append(self, lines: list[dict[str, Any]]) -> None:
        content = b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)

        def do() -> None:
            left = memoryview(content)
            while left:
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)

        on_disk(do)

    def _lines(self) -> Iterator[dict[str, Any]]:
        with open(self._path, "rb") as file:
            for line in file:
                try:
                    found = json.loads(line)
                except ValueError:
                    continue  # torn
                if isinstance(found, dict):
                    yield found


def entry(outcome: Outcome, *, run: str, at: str) -> dict[str, Any]:
    """What a manifest tells of a recording that arrived."""
    audio, sidecar = outcome.job.audio, outcome.job.sidecar
    return {
        "id": outcome.job.id,
        "key": audio.key,
        "size": audio.size,
        "sha256": audio.sha256,
        "sidecar": {"key": sidecar.key, "size": sidecar.size, "sha256": sidecar.sha256},
        "run": run,
        "at": at,
    }
