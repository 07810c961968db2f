"""What a target reads of a local file, and sends at the pace that is allowed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fsivr.errors import PermanentError
from fsivr.exporter.pace import Pace
from fsivr.exporter.target import Progress


@contextmanager
def reading(local: Path) -> Iterator[None]:
    """A block that reads a local file: what goes wrong is a ``PermanentError`` that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise PermanentError(f"{local} is not there any more") from error
    except PermissionError as error:
        raise PermanentError(f"{local} may not be read by this user: see its owner and mode") from error
    except OSError as error:
        raise PermanentError(f"{local} cannot be read: {error.strerror}; see the disk it is on") from error


def changed(local: Path) -> PermanentError:
    """The error of a local file that is not the one that was recorded."""
    return PermanentError(f"{local} is not what its sidecar says: its SHA-256 is another; nothing was brought")


class Sending:
    """What goes out, counted and paced, from any number of threads."""

    def __init__(self, pace: Pace, progress: Progress | None = None) -> None:
        self._pace = pace
        self._progress = progress
        self._lock = threading.Lock()

    def out(self, count: int) -> None:
        """Wait until so many bytes may go out, and tell of them."""
        self._pace.take(count)
        if self._progress is not None:
            with self._lock:
                self._progress(count)


class Piece:
    """Bytes as a file that is read to be sent: paced and counted once it goes out, and not while it is signed."""

    def __init__(self, data: bytes, sending: Sending) -> None:
        self._data = memoryview(data)
        self._sending = sending
        self._at = 0
        self._told = 0
        #: Whether what is read from now on is sent.
        self.goes_out = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most so many; less than 0 is all."""
        end = len(self._data) if size is None or size < 0 else min(self._at + size, len(self._data))
        data = bytes(self._data[self._at : end])
        self._at = end
        if self.goes_out and end > self._told:
            count, self._told = end - self._told, end
            self._sending.out(count)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, as in a file."""
        start = {0: 0, 1: self._at, 2: len(self._data)}[whence]
        self._at = max(0, min(start + offset, len(self._data)))
        return self._at

    def tell(self) -> int:
        """Where it is."""
        return self._at

    def __len__(self) -> int:
        return len(self._data)
