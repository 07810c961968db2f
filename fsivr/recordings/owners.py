"""Owners: the serving processes, so that the recordings of a dead one are told from those of a live one.

The kernel gives a lock back when its process ends, however it ends: a lock that can be taken is a
dead process's. A number of a process would not do, since another one may have it by then.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Container

from fsivr.recordings.folders import Folders, close

_GROUPS = 0o2770


class Owner:
    """This process's lock, held until ``close`` or its end.

    :raises OSError: it cannot be made.
    """

    def __init__(self, folders: Folders) -> None:
        _prepare_spool(folders)
        folders.prepare(folders.owners)
        while True:
            #: What tickets name it by.
            self.name = secrets.token_hex(8)
            self._path = folders.owners / f"{self.name}.lock"
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
            # One that looks after the dead may have come between, and removed it.
            if _take(self._file) and _is_there(self._path, self._file):
                return
            close(self._file)

    def close(self) -> None:
        """Give it back; what is not sealed by now is left to whoever reconciles."""
        self._path.unlink(missing_ok=True)
        close(self._file)


def is_alive(folders: Folders, name: str) -> bool:
    """Whether the process of that name runs; it does not where the name is empty."""
    try:
        file = os.open(folders.owners / f"{name}.lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        return not _take(file)
    finally:
        close(file)


def bury(folders: Folders, named: Container[str]) -> int:
    """Remove the locks of dead processes that no ticket names; how many there were."""
    buried = 0
    try:
        names = os.listdir(folders.owners)
    except FileNotFoundError:
        return 0
    for name in names:
        path = folders.owners / name
        if not name.endswith(".lock") or name.removesuffix(".lock") in named:
            continue
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        try:
            if _take(file):
                path.unlink(missing_ok=True)
                buried += 1
        finally:
            close(file)
    return buried


def _prepare_spool(folders: Folders) -> None:
    """Have the spool; its group may write there, for the switch may be another user of it."""
    if not folders.spool.is_dir():
        folders.prepare(folders.spool)
        folders.spool.chmod(_GROUPS)


def _take(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_there(path: os.PathLike[str], file: int) -> bool:
    try:
        found, held = os.stat(path), os.fstat(file)
    except FileNotFoundError:
        return False
    return (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino)
