"""Local files: what goes wrong with our own disk, named and sorted."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from fsivr.errors import ExportError, FileRefused

#: Bytes that are read at once.
PIECE = 1 << 20

_ADVICE = {
    errno.EACCES: "this user may not: see to the permissions of the file and its folders",
    errno.EPERM: "this user may not: see to the permissions of the file and its folders",
    errno.ENOENT: "it is not there: 'fsivr recordings verify' lists what is missing",
    errno.EIO: "the disk fails: see the kernel's log",
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "this user's quota is used up: free some space",
    errno.EROFS: "the disk can only be read: mount it for writing; the kernel turns it so when it fails",
    errno.EMFILE: "this process has too many open files: raise its limit",
    errno.ELOOP: "it is a link, and links are not followed",
}


def advice(error: OSError) -> str:
    """What went wrong with a file, and what to do."""
    what = _ADVICE.get(error.errno or 0, error.strerror or type(error).__name__)
    return f"{error.filename}: {what}" if error.filename else what


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file.

    :raises FileRefused: it cannot be read.
    """
    found = hashlib.sha256()
    for piece in pieces(path):
        found.update(piece)
    return found.hexdigest()


def pieces(path: Path) -> Iterator[bytes]:
    """The bytes of a file of ours.

    :raises FileRefused: it cannot be read.
    """
    try:
        with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb", buffering=0) as file:
            while piece := file.read(PIECE):
                yield piece
    except OSError as error:
        raise FileRefused(f"it cannot be read: {advice(error)}") from error


class DiskError(ExportError):
    """What the export did cannot be written down on our own disk, so that it cannot go on."""


def write_safely(path: Path, content: bytes) -> None:
    """Have a file hold just this, whenever the power goes.

    :raises DiskError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.tmp")

    def do() -> None:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)

    on_disk(do)


def on_disk(do: Callable[[], None]) -> None:
    """Do something with our own disk.

    :raises DiskError: it failed.
    """
    try:
        do()
    except OSError as error:
        raise DiskError(f"the export cannot write down what it does: {advice(error)}") from error


def sync_folder(folder: Path) -> None:
    """Have what was made or renamed in a folder survive a power cut."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
