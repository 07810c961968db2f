"""Lock: one run at a time of a node to a target, held by the kernel and so by nobody that is dead."""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fsivr.errors import AlreadyExporting
from fsivr.exporter.local import DiskError, advice

# Seconds that the workers of a run that was killed may take to end.
_ORPHANS = 5.0


@contextmanager
def only_run(path: Path, said: str) -> Iterator[int]:
    """A block that no other process, and no other run of this one, is in; the locked file.

    A process that inherits the file keeps it locked, should this one die before it.

    :param path: the file that is locked; it stays, for a lock on a file that is gone holds off nobody.
    :param said: what a second one is told of who holds it.
    :raises AlreadyExporting: another one is.
    :raises DiskError: the file cannot be opened.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise DiskError(f"the export cannot be locked: {advice(error)}") from error
    try:
        _take(file)
        os.ftruncate(file, 0)
        os.pwrite(file, said.encode() + b"\n", 0)
        yield file
        os.ftruncate(file, 0)
        fcntl.flock(file, fcntl.LOCK_UN)  # gevent may close it only when its loop turns
    finally:
        os.close(file)


def _take(file: int) -> None:
    until = time.monotonic() + _ORPHANS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            holder = os.pread(file, 200, 0).decode("utf-8", "replace").strip()
            if _lives(holder) or time.monotonic() > until:
                said = holder or "another process"
                raise AlreadyExporting(f"it is being exported there already, by {said}") from None
            time.sleep(0.02)  # its workers are about to see that it is dead


def _lives(holder: str) -> bool:
    number = re.match(r"process ([0-9]{1,9}) ", holder)
    return number is None or Path(f"/proc/{number[1]}").exists() or not Path("/proc").exists()
