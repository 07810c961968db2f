"""Carrying one recording to a target: its sound, then what is told of it, each proved."""

from __future__ import annotations

import dataclasses
import hashlib
from enum import Enum
from pathlib import Path

from fsivr.errors import ExportError, FileRefused, NotArrived, PermanentError
from fsivr.exporter.local import DiskError, sha256_of
from fsivr.exporter.target import Progress, Target


@dataclasses.dataclass(frozen=True)
class Parcel:
    """A file to be brought: where it is here, its key there, and what proves it."""

    local: str
    key: str
    sha256: str
    size: int


@dataclasses.dataclass(frozen=True)
class Job:
    """A recording to be brought to a target. It can be sent to another process."""

    id: str
    audio: Parcel
    sidecar: Parcel
    #: Whether it may be there already: the run that began with it did not tell how that ended.
    doubtful: bool = False
    #: Whether it is on hold.
    held: bool = False


class Fault(Enum):
    """Why a recording is not there."""

    #: It may go right when it is tried again.
    AGAIN = "again"
    #: This one cannot be brought, others can.
    FILE = "file"
    #: The target takes none.
    TARGET = "target"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a job; without a fault both of its files are proved to be there."""

    job: Job
    fault: Fault | None = None
    message: str = ""
    #: Whether the sound was there already.
    found: bool = False


def carry(target: Target, job: Job, progress: Progress | None = None) -> Outcome:
    """Bring a recording to a target that is open, and prove it; every error is part of what comes back."""
    try:
        found = job.doubtful and _is_there(target, job.audio)
        if not found:
            _bring(target, job.audio, progress, job.held)
        _bring(target, job.sidecar, None, job.held)
        return Outcome(job, found=found)
    except FileRefused as error:
        return Outcome(job, Fault.FILE, str(error))
    except PermanentError as error:
        return Outcome(job, _blame(job), str(error))
    except DiskError as error:
        return Outcome(job, Fault.FILE, str(error))
    except ExportError as error:
        return Outcome(job, Fault.AGAIN, str(error))


def opened(target: Target) -> tuple[Fault, str] | None:
    """None for a target that is open now; else what keeps it from being so."""
    try:
        target.open()
        return None
    except PermanentError as error:
        return Fault.TARGET, str(error)
    except ExportError as error:
        return Fault.AGAIN, str(error)


def _is_there(target: Target, parcel: Parcel) -> bool:
    try:
        target.prove(parcel.key, sha256=parcel.sha256, size=parcel.size)
        return True
    except NotArrived:
        return False


def _bring(target: Target, parcel: Parcel, progress: Progress | None, held: bool) -> None:
    target.put(Path(parcel.local), parcel.key, sha256=parcel.sha256, progress=progress, hold=held)
    target.prove(parcel.key, sha256=parcel.sha256, size=parcel.size)


def _blame(job: Job) -> Fault:
    """Whose fault a permanent error is: the file's, where it is not what it was; else the target's."""
    try:
        same = all(sha256_of(Path(each.local)) == each.sha256 for each in (job.audio, job.sidecar))
    except FileRefused:
        same = False
    return Fault.TARGET if same else Fault.FILE


def parcel_of(path: Path, key: str, content: bytes) -> Parcel:
    """The parcel of a file that holds just this."""
    return Parcel(str(path), key, hashlib.sha256(content).hexdigest(), len(content))
