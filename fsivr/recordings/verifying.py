"""Verifying: each file is read to its end, and is what its sidecar says, or the audit says that it is damaged."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from fsivr.errors import ArchiveError, RecordingElsewhere, UnknownRecording
from fsivr.recordings.checked import to_microsecond
from fsivr.recordings.folders import close
from fsivr.recordings.shelf import Change, Shelf
from fsivr.recordings.sidecar import Sidecar
from fsivr.recordings.wav import measured
from fsivr.store import audited
from fsivr.store.walks import ON_DISK

_CHUNK = 1_048_576


class Verified(NamedTuple):
    """What became of one recording.

    ``ok``: the file is what its sidecar says; ``what``: what is wrong, or worth knowing; empty for nothing.
    ``bytes``: how many were read.
    """

    id: str
    ok: bool
    what: str
    bytes: int = 0


class _Damaged(Exception):
    """What is wrong with a file."""


def verify(shelf: Shelf, ids: Iterable[str] | None, *, by: str) -> Iterator[Verified]:
    """What became of each recording, in turn; memory does not grow with their number or size."""
    read = damaged = 0
    try:
        for found in _each(shelf, ids, by):
            read, damaged = read + 1, damaged + (not found.ok)
            yield found
    finally:
        shelf.store.write([audited(by, "recordings.verify", shelf.node, read=read, damaged=damaged)])


def _each(shelf: Shelf, ids: Iterable[str] | None, by: str) -> Iterator[Verified]:
    if ids is not None:
        for id in ids:
            yield _verified(shelf, id, by) or Verified(id, False, "there is no sound file of it, and should be none")
        return
    for path in shelf.folders.sidecars():
        found = _verified(shelf, path.stem, by)
        if found is not None:
            yield found
    # Those that the database knows, and nothing on disk tells of.
    for row in shelf.store.each_recording(node=shelf.node):
        if row.state in ON_DISK and not os.path.lexists(shelf.folders.sidecar_of(row.id)):
            found = _verified(shelf, row.id, by)
            if found is not None:
                yield found


def _verified(shelf: Shelf, id: str, by: str) -> Verified | None:
    """What became of one; None where no file of it should be there."""
    try:
        sidecar = shelf.find(id)
        if sidecar.state not in ON_DISK:
            return None
        try:
            _check(shelf, sidecar)
        except _Damaged as error:
            return _damaged(shelf, sidecar, by, str(error))
        return _right(shelf, sidecar)
    except (UnknownRecording, RecordingElsewhere) as error:
        return Verified(id, False, str(error))
    except ArchiveError as error:
        _mark(shelf, id, by, str(error))
        return Verified(id, False, str(error))
    except OSError as error:
        # Who may not read a file knows nothing of it: it is not marked as damaged.
        return Verified(id, False, f"it cannot be verified: {error}")


def _check(shelf: Shelf, sidecar: Sidecar) -> None:
    path = shelf.folders.place(sidecar.id)
    try:
        shelf.folders.inside(path)
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise _Damaged(f"{path} is no file")
            size, digest = _read(file)
        finally:
            close(file)
    except FileNotFoundError:
        raise _Damaged(f"there is no file {path}") from None
    except ArchiveError as error:
        raise _Damaged(str(error)) from None
    except OSError as error:
        # Only where the disk cannot give it.
        if error.errno not in (errno.EIO, errno.ELOOP, errno.EBADMSG, errno.EUCLEAN):
            raise
        raise _Damaged(f"{path} cannot be read: {error.strerror}") from None
    if size != sidecar.bytes:
        raise _Damaged(f"{path} has {size} bytes, and its sidecar says {sidecar.bytes}")
    if digest != sidecar.sha256:
        raise _Damaged(f"{path} is not what was sealed: its SHA-256 is {digest}, and its sidecar says {sidecar.sha256}")
    _check_header(path, sidecar)


def _read(file: int) -> tuple[int, str]:
    """The size and hash of a file."""
    size, digest = 0, hashlib.sha256()
    while chunk := os.read(file, _CHUNK):
        size += len(chunk)
        digest.update(chunk)
    return size, digest.hexdigest()


def _check_header(path: Path, sidecar: Sidecar) -> None:
    """See that the header says what the sidecar does, and how long the file is."""
    found = measured(path)
    if found is None:
        raise _Damaged(f"{path} has no header of a WAV file, and had none when it was sealed")
    sound, right = found
    if not right:
        raise _Damaged(f"the header of {path} does not say how long it is, and did not when it was sealed")
    told = (sidecar.channels or sound.channels, sidecar.rate or sound.rate, sidecar.codec)
    if (sound.channels, sound.rate, sound.codec) != told:
        raise _Damaged(
            f"the header of {path} does not agree with its sidecar: "
            f"{sound.codec} of {sound.channels} channels at {sound.rate} samples a second"
        )


# -- what is told of it then ------------------------------------------------------------------


def _right(shelf: Shelf, read: Sidecar) -> Verified:
    # One that was found damaged once is not trusted again by itself.
    what = "it is right, but was degraded or found damaged before" if read.state == "degraded" else ""
    with shelf.changing(read.id) as change:
        if _is_same(change, read):
            try:
                # Not audited: it changes nothing, and would be a row a night for each recording.
                change.save(verified=to_microsecond(time.time()))
            except OSError as error:  # a full disk makes no file wrong
                what = f"it is right, but that cannot be noted: {error.strerror}"
            else:
                shelf.store.write([change.sidecar.row()])
    return Verified(read.id, True, what, read.bytes or 0)


def _damaged(shelf: Shelf, read: Sidecar, by: str, what: str) -> Verified | None:
    with shelf.changing(read.id) as change:
        if not _is_same(change, read):
            return None  # purged while we read, or sealed anew
        if change.sidecar.state != "degraded":
            change.save(state="degraded")
        change.tell(by, "damaged", what=what)
    return Verified(read.id, False, what, read.bytes or 0)


def _mark(shelf: Shelf, id: str, by: str, what: str) -> None:
    """Have the row of a recording say what its sidecar cannot."""
    row = shelf.store.recording(id)
    state = "degraded" if row is not None and row.state in ON_DISK else None
    if state is not None:
        shelf.store.mark(id, state, audited(by, "recording.damaged", id, what=what))


def _is_same(change: Change, read: Sidecar) -> bool:
    now = change.sidecar
    return now.state in ON_DISK and (now.sha256, now.bytes) == (read.sha256, read.bytes)
