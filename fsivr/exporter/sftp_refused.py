"""sorted_out: what it means that an SFTP server refused, and what to do about it."""

from __future__ import annotations

import contextlib
import re

from fsivr.errors import ExportError, PermanentError, TransientError
from fsivr.exporter.partial import plain
from fsivr.exporter.sftp_connection import (
    CONNECTION_LOST,
    FAILURE,
    NO_CONNECTION,
    NO_SUCH_FILE,
    PERMISSION_DENIED,
    Connection,
    Refused,
    Room,
)

#: Below so many bytes a disk is full: what one request writes, and some more.
_FULL = 1 << 18
_SAYS_FULL = re.compile(r"no space|disk full|\bfull\b|quota|no free", re.IGNORECASE)


def sorted_out(refused: Refused, connection: Connection, *, doing: str, path: str, server: object) -> ExportError:
    """The error to raise for a refusal: permanent where it stays so until somebody mends it.

    OpenSSH says no more than "Failure" of a full disk, a quota or a read-only file system, so it is asked
    what the disk has left, where it tells.
    """
    said, what = plain(refused.text), f"{server} refuses to {doing} {path}"
    if refused.code == NO_SUCH_FILE:
        return PermanentError(f"{what}: there is no such file or folder ({said})")
    if refused.code == PERMISSION_DENIED:
        return PermanentError(f"{what}: permission denied ({said}); give that user the right to it on the server")
    if _SAYS_FULL.search(refused.text):
        return PermanentError(f"{what}: its disk or the user's quota is full ({said}); make room there")
    if refused.code in (NO_CONNECTION, CONNECTION_LOST):
        return TransientError(f"{what}: {said}")
    if refused.code != FAILURE:
        return PermanentError(f"{what}: the server cannot do it ({said}, SSH_FX code {refused.code})")
    room = _room(connection, path)
    if room is not None and room.read_only:
        return PermanentError(f"{what}: its file system is read-only; mount it writable")
    if room is not None and (room.bytes < _FULL or room.files == 0):
        return PermanentError(f"{what}: its disk is full; make room there")
    return TransientError(f"{what}: {said}, without a reason; a quota that is reached looks so too")


def _room(connection: Connection, path: str) -> Room | None:
    for place in (path, path.rpartition("/")[0] or "."):
        with contextlib.suppress(Exception):
            return connection.room(place)
    return None
