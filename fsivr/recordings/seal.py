"""Seal: the steps from a file that the switch has written to one that is kept, each safe to be broken off after.

1. the file is renamed from the spool to its day; 2. its header is set right, it is on the disk, and its
hash is known; 3. its sidecar is there; 4. its ticket is gone; 5. its row is written. Whoever reconciles
goes on from any of them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path

from fsivr.recordings.folders import Folders, close, sync_folder
from fsivr.recordings.sidecar import Sidecar
from fsivr.recordings.wav import repair

# Seconds that the file and the switch's own count may differ by: what its buffers held.
_TOLERANCE = 0.25
# A file from further ahead than this was not just written: a clock was set.
_SKEW = 3600.0


def move(folders: Folders, id: str) -> bool:
    """Whether the file of a recording is in its day's folder now.

    :raises OSError: it cannot be brought there.
    """
    place, spooled = folders.place(id), folders.spooled(id)
    if not spooled.exists():
        return place.exists()
    folders.prepare(place.parent)
    with contextlib.suppress(FileNotFoundError):
        os.rename(spooled, place)
    return place.exists()


def seal(folders: Folders, ticket: Sidecar) -> Sidecar:
    """What is kept of a recording that has ended: sealed, degraded, or failed where there is no file.

    :param ticket: all that is known of it; without ``stopped`` its end was not seen.
    :raises OSError: a file cannot be read or written; all is as it was, or further on its way.
    :raises ArchiveError: another process has it.
    """
    with folders.changing(ticket.id):
        sealed = _sealed(folders, ticket) if move(folders, ticket.id) else _failed(folders, ticket)
        sealed.save(folders.sidecar_of(ticket.id))
        folders.ticket(ticket.id).unlink(missing_ok=True)
    return sealed


def is_at_rest(path: Path, settle: float) -> bool:
    """Whether a file has not changed for so many seconds, and nobody has it open to write, as far as can be known."""
    try:
        if -_SKEW < time.time() - path.stat().st_mtime < settle:
            return False
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        # The kernel refuses a lease on what somebody writes, and to any but the file's owner.
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return False
    except OSError:
        pass
    finally:
        close(file)
    return True


def _sealed(folders: Folders, ticket: Sidecar) -> Sidecar:
    place = folders.place(ticket.id)
    sound, _ = repair(place, channels=ticket.channels, spare=folders.spool)
    with open(place, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
        size = os.fstat(file.fileno()).st_size
    sync_folder(place.parent)
    told = ticket.duration if ticket.stopped is not None else None
    agrees = told is not None and abs(sound.seconds - told) <= _TOLERANCE
    return replace(
        ticket,
        state="sealed" if agrees and sound.codec == "L16" else "degraded",
        duration=round(sound.seconds, 6),
        channels=sound.channels,
        codec=sound.codec,
        rate=sound.rate,
        bytes=size,
        sha256=digest,
        owner="",
    )


def _failed(folders: Folders, ticket: Sidecar) -> Sidecar:
    folders.prepare(folders.place(ticket.id).parent)
    return replace(ticket, state="failed", owner="")
