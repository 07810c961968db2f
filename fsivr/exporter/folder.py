"""FolderTarget: a folder of another disk or of a network share that is mounted on this machine."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from io import RawIOBase
from pathlib import Path

from fsivr.errors import FileRefused, NotArrived, PermanentError, TransientError
from fsivr.exporter.local import PIECE, pieces, sync_folder
from fsivr.exporter.pace import Pace
from fsivr.exporter.target import Entry, Progress, checked_key

_PART = re.compile(r"\.(.+)\.[0-9a-f]{16}\.part")
_PERMANENT = {
    errno.ENOSPC: "it is full: free some space there",
    errno.EDQUOT: "the quota of this user is used up there",
    errno.EFBIG: "the file is too large for its file system",
    errno.EROFS: "it can only be read: mount it for writing",
    errno.EACCES: "this user may not write there: see to its permissions",
    errno.EPERM: "this user may not write there: see to its permissions",
    errno.ENOTDIR: "a folder's place is taken by a file",
    errno.EISDIR: "a file's place is taken by a folder",
    errno.ELOOP: "there are too many links on the way",
}


class FolderTarget:
    """A folder, into which each file is copied, synced, renamed, and read back from the disk.

    :param name: what it is called in the settings.
    :param path: the folder; it has to be there.
    :param mounted: whether it has to be on another file system than ``/``: so that, while the disk is
        not mounted, nothing is written into the empty folder it is to be mounted on.
    :param pace: the limit of bytes a second that it shares with others.
    """

    #: How an arrival is proved.
    proof = "read"

    def __init__(self, name: str, *, path: str, mounted: bool = False, pace: Pace | None = None) -> None:
        self.name = name
        self._pace = pace or Pace()
        self._root = Path(os.path.abspath(path))
        self._mounted = mounted

    def open(self) -> None:
        """See that the folder is there and can be written into."""
        with self._sorted():
            if not self._root.is_dir():
                raise PermanentError(f"target {self.name}: there is no folder {self._root}: mount or make it")
            if self._mounted and os.stat(self._root).st_dev == os.stat("/").st_dev:
                raise PermanentError(f"target {self.name}: {self._root} is not on a disk of its own: mount that")
            if not os.access(self._root, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "", str(self._root))

    def close(self) -> None:
        """Nothing is held open."""

    def put(self, local: Path, key: str, *, sha256: str, progress: Progress | None = None, hold: bool = False) -> None:
        """Copy a file there, going on from an earlier attempt whose bytes are the same."""
        place = self._place(key)
        part = place.with_name(f".{place.name}.{sha256[:16]}.part")
        with self._sorted():
            self._prepare(place.parent)
            with open(os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640), "r+b", buffering=0) as file:
                found = self._copy(local, file, progress)
            if found != sha256:
                part.unlink()
                raise FileRefused(f"{local} has changed: it is not what its sidecar says")
            os.replace(part, place)
            sync_folder(place.parent)

    def prove(self, key: str, *, sha256: str, size: int) -> None:
        """Read a file back from the disk, past what the kernel remembers of it."""
        found, count = hashlib.sha256(), 0
        for piece in self._pieces(key):
            found.update(piece)
            count += len(piece)
        if count != size or found.hexdigest() != sha256:
            raise NotArrived(f"target {self.name}: {key} has {count} bytes that are not those sent ({size} bytes)")

    def read(self, key: str) -> Iterator[bytes]:
        """The bytes of a file."""
        try:
            yield from self._pieces(key)
        except NotArrived as error:
            raise PermanentError(str(error)) from None

    def size(self, key: str) -> int | None:
        """The bytes of a file; None where there is none."""
        with self._sorted():
            try:
                return self._place(key).stat().st_size
            except FileNotFoundError:
                return None

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """The files whose keys begin so, in the order of their keys."""
        for key in self._keys(self._root, ""):
            if key.startswith(prefix) and not _PART.fullmatch(key.rpartition("/")[2]):
                size = self.size(key)
                if size is not None:
                    yield Entry(key, size)

    def delete(self, key: str) -> None:
        """Remove a file."""
        with self._sorted():
            self._place(key).unlink(missing_ok=True)

    def sweep(self, keep: Callable[[str], bool] = lambda key: False) -> int:
        """How many half-copied files were removed."""
        swept = 0
        for key in self._keys(self._root, ""):
            folder, slash, name = key.rpartition("/")
            part = _PART.fullmatch(name)
            if part and not keep(f"{folder}{slash}{part[1]}"):
                self.delete(key)
                swept += 1
        return swept

    # ---------------------------------------------------------------------------------------

    def _copy(self, local: Path, out: RawIOBase, progress: Progress | None) -> str:
        """The SHA-256 of all that was copied; bytes that are there already are not written again."""
        found, same = hashlib.sha256(), True
        for piece in pieces(local):
            found.update(piece)
            if same:
                at = out.tell()
                same = out.read(len(piece)) == piece
                if not same:
                    out.seek(at)
                    out.truncate()
            if not same:
                self._pace.take(len(piece))
                _write(out, piece)
            if progress is not None:
                progress(len(piece))
        out.truncate()
        os.fsync(out.fileno())
        return found.hexdigest()

    def _place(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _prepare(self, folder: Path) -> None:
        if folder.is_dir():
            return
        if folder == self._root:
            raise TransientError(f"target {self.name}: the folder {self._root} is gone")
        self._prepare(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o750)
        sync_folder(folder.parent)

    def _pieces(self, key: str) -> Iterator[bytes]:
        with self._sorted():
            try:
                descriptor = os.open(self._place(key), os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                raise NotArrived(f"target {self.name}: {key} is not there") from None
            with open(descriptor, "rb", buffering=0) as file:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                while piece := file.read(PIECE):
                    yield piece

    def _keys(self, folder: Path, before: str) -> Iterator[str]:
        with self._sorted(), os.scandir(folder) as entries:
            # A folder's name counts with its slash, so that keys come in order.
            names = sorted(each.name + "/" * each.is_dir(follow_symlinks=False) for each in entries)
        for name in names:
            if name.endswith("/"):
                yield from self._keys(folder / name[:-1], before + name)
            else:
                yield before + name

    @contextlib.contextmanager
    def _sorted(self) -> Iterator[None]:
        """Errors of the folder as what they mean."""
        try:
            yield
        except OSError as error:
            at = f"target {self.name}: {error.filename or self._root}"
            if error.errno == errno.ENAMETOOLONG:
                raise FileRefused(f"{at}: its name is too long there: set a shorter export_key") from error
            if error.errno in _PERMANENT:
                raise PermanentError(f"{at}: {_PERMANENT[error.errno]}") from error
            raise TransientError(f"{at}: {error.strerror or type(error).__name__}") from error


def _write(out: RawIOBase, piece: bytes) -> None:
    left = memoryview(piece)
    while left:
        left = left[out.write(left) or 0 :]
