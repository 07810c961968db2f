"""Folders: where the files of recordings are, told by their ids alone."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from gevent.monkey import get_original

from fsivr.errors import ArchiveError, UnknownRecording

#: Where the switch writes, below the root.
SPOOL = "spool"
_ID = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-[0-9a-f]{12}")
_TEMPORARY = re.compile(rf"({_ID.pattern})\.json\.[0-9a-f]{{8}}\.tmp")
_NUMBERS = {4: re.compile(r"[0-9]{4}"), 2: re.compile(r"[0-9]{2}")}
# Seconds for which another process may be changing the same recording.
_PATIENCE = 30.0

#: Closes a file at once. Where gevent has patched ``os``, its ``close`` of a folder or pipe waits for
#: the event loop, which does not turn while thousands of files are gone through: none could be opened any more.
close = get_original("os", "close")


class Folders:
    """The folders of recordings below a root: ``spool/`` and ``YYYY/MM/DD/``.

    :param root: the setting ``recordings_path``; a relative one is of the current folder.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        #: The root, without links in it.
        self.root = Path(os.path.realpath(root))
        #: Where the switch writes, and the tickets of what it writes are.
        self.spool = self.root / SPOOL
        #: The files that serving processes hold a lock on for as long as they live.
        self.owners = self.spool / ".owners"
        self._locks = self.spool / ".locks"

    def spooled(self, id: str) -> Path:
        """The sound file of a recording that is not sealed.

        :raises UnknownRecording: no recording has such an id.
        """
        return self.spool / f"{checked_id(id)}.wav"

    def ticket(self, id: str) -> Path:
        """What is told of a recording that is not sealed.

        :raises UnknownRecording: no recording has such an id.
        """
        return self.spool / f"{checked_id(id)}.json"

    def place(self, id: str) -> Path:
        """The sound file of a recording that is sealed.

        :raises UnknownRecording: no recording has such an id.
        """
        return self.root / day_of(id) / f"{id}.wav"

    def sidecar_of(self, id: str) -> Path:
        """What is told of a recording that is sealed.

        :raises UnknownRecording: no recording has such an id.
        """
        return self.root / day_of(id) / f"{id}.json"

    def prepare(self, folder: Path, *, mode: int = 0o750) -> None:
        """Have a folder below the root, safe against a power cut; what there is already stays as it is."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for each in reversed(missing):
            with contextlib.suppress(FileExistsError):
                each.mkdir(mode=mode)
                give_away(each, each.parent)
            sync_folder(each.parent)

    def inside(self, path: Path) -> Path:
        """The path, proved to lead through no link.

        :raises ArchiveError: it does, or is not below the root.
        """
        if os.path.realpath(path) != str(path) or not path.is_relative_to(self.root):
            raise ArchiveError(f"{path} is a link, or in a folder that is one: it is not read")
        return path

    # -- what is there, the oldest first ----------------------------------------------------

    def sidecars(self) -> Iterator[Path]:
        """What is told of each sealed recording; one day's names at a time are in memory."""
        return self._sealed(".json")

    def audios(self) -> Iterator[Path]:
        """The sound file of each sealed recording."""
        return self._sealed(".wav")

    def tickets(self) -> Iterator[Path]:
        """What is told of each recording in the spool."""
        return _of_ids(self.spool, ".json")

    def spooled_audios(self) -> Iterator[Path]:
        """The sound file of each recording in the spool."""
        return _of_ids(self.spool, ".wav")

    def temporaries(self) -> Iterator[Path]:
        """What a process that was killed while it wrote a sidecar or ticket left; or is just writing."""
        for folder in (self.spool, *self.days()):
            yield from (folder / name for name in _files(folder) if _TEMPORARY.fullmatch(name))

    def days(self) -> Iterator[Path]:
        """The folders of sealed recordings, the oldest first."""
        for year in _numbered(self.root, 4):
            for month in _numbered(year, 2):
                yield from _numbered(month, 2)

    def _sealed(self, suffix: str) -> Iterator[Path]:
        for day in self.days():
            date = "".join(day.relative_to(self.root).parts)
            yield from (path for path in _of_ids(day, suffix) if path.name.startswith(date))

    # -- one at a time ----------------------------------------------------------------------

    @contextmanager
    def changing(self, id: str, *, patience: float = _PATIENCE) -> Iterator[None]:
        """A block in which no other process or thread that asks so changes a recording.

        The kernel gives the lock back however its holder ends. Waiting lets other
        greenlets run, one of which may be the holder.

        :param patience: seconds to wait for it.
        :raises UnknownRecording: no recording has such an id.
        :raises ArchiveError: another one has been changing it for longer.
        """
        # One file for some of the ids: a file for each could never be removed again.
        name = checked_id(id)[-12:-10]
        self.prepare(self._locks)
        file = os.open(self._locks / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o660)
        try:
            give_away(file, self._locks)
            deadline = time.monotonic() + patience
            while not _locked(file):
                if time.monotonic() > deadline:
                    raise ArchiveError(f"another process has been changing recording {id} for {patience:g} s")
                time.sleep(0.01)
            yield
        finally:
            os.close(file)


def checked_id(id: str) -> str:
    """The id, where it is one: it may become part of a path.

    :raises UnknownRecording: no recording has such an id.
    """
    began(id)
    return id


def began(id: str) -> datetime:
    """When a recording was asked for, to the millisecond.

    :raises UnknownRecording: no recording has such an id.
    """
    try:
        if _ID.fullmatch(id):
            return datetime.fromisoformat(id[:20])
    except ValueError:
        pass  # as the 31st of February
    raise UnknownRecording(f"{id[:80]!r} is not the id of a recording, as 20261124T135551.123Z-0123456789ab")


def day_of(id: str) -> str:
    """The folder of a sealed recording, below the root: ``2026/11/24``.

    :raises UnknownRecording: no recording has such an id.
    """
    checked_id(id)
    return f"{id[:4]}/{id[4:6]}/{id[6:8]}"


def sync_folder(folder: Path) -> None:
    """Have what was renamed or made in a folder survive a power cut."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        close(file)


def read_file(path: Path, most: int) -> bytes:
    """The first bytes of a file, which is one and no link.

    :raises OSError: it cannot be read.
    :raises ArchiveError: it is something else.
    """
    try:
        # A pipe of this name would have it wait for ever, a link lead anywhere.
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ArchiveError(f"{path} is a link: it is not read") from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise ArchiveError(f"{path} is no file: it is not read")
        with open(file, "rb", closefd=False) as reading:
            return reading.read(most)
    finally:
        close(file)


def give_away(made: int | Path, folder: Path) -> None:
    """Give what root made, tending the recordings of a server, to the owner of the folder it is in."""
    if os.geteuid() == 0:
        owner = os.stat(folder)
        os.chown(made, owner.st_uid, owner.st_gid)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _files(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _of_ids(folder: Path, suffix: str) -> Iterator[Path]:
    for name in _files(folder):
        if name.endswith(suffix) and _is_id(name.removesuffix(suffix)):
            yield folder / name


def _is_id(text: str) -> bool:
    try:
        began(text)
    except UnknownRecording:
        return False
    return True


def _numbered(folder: Path, digits: int) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder / name for name in sorted(names) if _NUMBERS[digits].fullmatch(name)]
