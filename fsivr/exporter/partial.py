"""What SFTP and FTPS share: keys, names of half-brought files, a local file that is hashed as it is read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from fsivr.errors import PermanentError
from fsivr.exporter.target import checked_key

#: What the name of a half-brought file ends with: no other program's ``.part`` is ever taken for ours.
PART = ".fsivr.part"

_LONGEST_NAME = 255 - len(PART)
_LONGEST = 900
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


def checked(key: str) -> str:
    """The key, where a file can have it.

    :raises PermanentError: it is none, or too long for a file; nothing has gone to the server.
    """
    if len(checked_key(key)) > _LONGEST or max(map(len, key.split("/"))) > _LONGEST_NAME or key.endswith(PART):
        raise PermanentError(
            f"{key[:200]!r} cannot be brought: a name has up to {_LONGEST_NAME} characters, a key {_LONGEST}, "
            f"and none ends with {PART}"
        )
    return key


def plain(text: object, most: int = 200) -> str:
    """What a server said, for a message: one line of printable ASCII, no longer than that."""
    line = _UNPRINTABLE.sub(" ", str(text)[: 4 * most]).strip()
    return line if len(line) <= most else line[:most] + "…"


class LocalFile:
    """A file of this machine, read once from its beginning, and hashed on the way.

    :raises PermanentError: from each method, where the file cannot be read or is not what its sidecar says.
    """

    def __init__(self, path: Path, sha256: str) -> None:
        self._path = path
        self._sha256 = sha256
        self._hash = hashlib.sha256()
        try:
            self._file = path.open("rb", buffering=0)
            status = path.stat()
        except OSError as error:
            raise self._unreadable(error) from None
        #: Its bytes when it was opened.
        self.size = status.st_size
        #: When it was last changed, in whole seconds since 1970.
        self.modified = int(status.st_mtime)
        #: Whether it was found to be another file than its sidecar tells of.
        self.is_wrong = False
        #: How far it was read.
        self.position = 0
        # What was read of it, and is to be read again.
        self._again = b""

    def __enter__(self) -> LocalFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def read(self, most: int) -> bytes:
        """The next bytes; none at its end."""
        data = self._read(most)
        self._hash.update(data)
        self.position += len(data)
        return data

    def skip_same(self, pieces: Iterable[bytes]) -> int:
        """Read on as far as these are its bytes too; how far that is."""
        for piece in pieces:
            mine = b""
            while len(mine) < len(piece) and (more := self._read(len(piece) - len(mine))):
                mine += more
            same = len(piece) if mine == piece else _same(mine, piece)
            self._hash.update(mine[:same])
            self.position += same
            if same < len(piece):
                self._again = mine[same:]
                break
        return self.position

    def check(self) -> None:
        """See that what was read, to the end, is what was to be brought."""
        if self._hash.hexdigest() != self._sha256:
            self.is_wrong = True
            raise PermanentError(
                f"{self._path} is not the file of its sidecar: its SHA-256 is {self._hash.hexdigest()}, "
                f"not {self._sha256}; it was not brought"
            )

    def _read(self, most: int) -> bytes:
        if self._again:
            data, self._again = self._again[:most], self._again[most:]
            return data
        try:
            return self._file.read(most) or b""
        except OSError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: OSError) -> PermanentError:
        return PermanentError(f"{self._path} cannot be read: {error.strerror}")


def _same(one: bytes, other: bytes) -> int:
    return next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))
