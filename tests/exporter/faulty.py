"""A target that does wrong what a test says, at the calls that it says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fsivr.exporter.folder import FolderTarget
from fsivr.exporter.target import Entry, Progress

#: Called with the method and the key before each call; raises what is to go wrong, or returns "skip" for a lie.
Fault = Callable[[str, str], str | None]


class Faulty:
    """A folder as a target, and whatever goes wrong with it."""

    def __init__(self, path: Path, fault: Fault) -> None:
        self.name = "archive"
        self._inner = FolderTarget("archive", path=str(path))
        self._fault = fault

    def open(self) -> None:
        self._fault("open", "")
        self._inner.open()

    def close(self) -> None:
        self._inner.close()

    def put(self, local: Path, key: str, *, sha256: str, progress: Progress | None = None, hold: bool = False) -> None:
        if self._fault("put", key) != "skip":
            self._inner.put(local, key, sha256=sha256, progress=progress, hold=hold)

    def prove(self, key: str, *, sha256: str, size: int) -> None:
        self._fault("prove", key)
        self._inner.prove(key, sha256=sha256, size=size)

    def read(self, key: str) -> Iterator[bytes]:
        return self._inner.read(key)

    def size(self, key: str) -> int | None:
        return self._inner.size(key)

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        return self._inner.entries(prefix)

    def delete(self, key: str) -> None:
        self._inner.delete(key)

    def sweep(self, keep: Callable[[str], bool] = lambda key: False) -> int:
        self._fault("sweep", "")
        return self._inner.sweep(keep)


def at(number: int, method: str, error: Exception, *, times: int = 1) -> Fault:
    """What raises an error at the n-th call of a method, and the ones after it up to so many times."""
    lock, count = threading.Lock(), [0]

    def fault(called: str, key: str) -> Any:
        if called == method:
            with lock:
                count[0] += 1
                now = count[0]
            if number <= now < number + times:
                raise error
        return None

    return fault
