"""An end to what waits too long, also where a library knows none, and to a connection that broke off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from fsivr.errors import ExportError


@contextmanager
def closed_where_broken(close: Callable[[], None]) -> Iterator[None]:
    """A ``with`` block in which a connection is used.

    What breaks in with an error of its own leaves an exchange half done: that connection is not used again.

    :param close: closes it.
    """
    try:
        yield
    except ExportError:
        raise
    except BaseException:
        close()
        raise


class Limit:
    """Calls ``cut`` once a ``with`` block of it has made no progress for so many seconds.

    paramiko waits without an end for a subsystem to be started, and for a peer that does not read;
    a server that sends one byte each few seconds keeps any limit on a single read from being reached.
    ``cut`` ends the connection, so that whatever waits for it returns.
    """

    def __init__(self, seconds: float, cut: Callable[[], None]) -> None:
        self._seconds = seconds
        self._cut = cut
        #: Whether it was reached.
        self.reached = False
        self._until: float | None = None
        self._over = threading.Event()
        self._watching: threading.Thread | None = None

    def __enter__(self) -> Limit:
        self._until = time.monotonic() + self._seconds
        if self._watching is None:
            self._watching = threading.Thread(target=self._watch, name="fsivr-export-limit", daemon=True)
            self._watching.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._until = None

    def touch(self) -> None:
        """There was progress: the seconds of the ``with`` block begin again; outside of one it does nothing."""
        if self._until is not None:
            self._until = time.monotonic() + self._seconds

    def close(self) -> None:
        """Watch no longer."""
        self._over.set()

    def _watch(self) -> None:
        while not self._over.is_set():
            # With nothing to watch it sleeps as long as what may begin meanwhile would be given.
            left = self._seconds if self._until is None else self._until - time.monotonic()
            if left <= 0:
                self.reached = True
                self._cut()
                return
            self._over.wait(left)
