"""Target: what the exporter asks of a place that recordings are brought to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from fsivr.errors import PermanentError

_KEY = re.compile(r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]+(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]+)*")

#: Called with the number of bytes that have gone out since it was last called.
Progress = Callable[[int], None]


class Entry(NamedTuple):
    """A file at a target: its key, and its bytes."""

    key: str
    size: int


def checked_key(key: str) -> str:
    """The key, as it is.

    :raises PermanentError: it holds other characters than keys may, or leads out of the target's folder.
    """
    if _KEY.fullmatch(key) is None:
        raise PermanentError(f"{key[:200]!r} is no key: names of A-Z a-z 0-9 . _ - with / between them are allowed")
    return key


class Target(Protocol):
    """A place that files are brought to, by keys as ``2026/11/24/x.wav``: of ``A-Za-z0-9._-`` and ``/``.

    A file is there under its key whole, or not at all. One object serves one greenlet.
    Every method raises ``TransientError`` or ``PermanentError``, and nothing else,
    where the target does not do as asked; each wait has an end.
    """

    #: What it is called in the settings, in reports and in messages.
    name: str

    def open(self) -> None:
        """Connect, and prove that it is the place that was meant; a second time does nothing."""

    def close(self) -> None:
        """Let go of the connection; raises nothing."""

    def put(self, local: Path, key: str, *, sha256: str, progress: Progress | None = None, hold: bool = False) -> None:
        """Bring a file there, going on from what an earlier attempt brought once that is proved to be of the same file.

        :param sha256: of the file, as it is in its sidecar: a local file that has another is not brought.
        :param hold: whether the recording is on hold: a target that can keep a file from being removed does so.
        """

    def prove(self, key: str, *, sha256: str, size: int) -> None:
        """See that the file arrived, by what the target keeps, not by what it said.

        :raises NotArrived: it is not there, or not the same.
        """

    def read(self, key: str) -> Iterator[bytes]:
        """The bytes of a file, in pieces.

        :raises PermanentError: there is none.
        """

    def size(self, key: str) -> int | None:
        """The bytes of a file; None where there is none."""

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """The whole files whose keys begin so, in the order of their keys."""

    def delete(self, key: str) -> None:
        """Remove a file; one that is not there is no error."""

    def sweep(self, keep: Callable[[str], bool] = lambda key: False) -> int:
        """How many half-brought files of ours were removed: those for whose key ``keep`` is not true."""
