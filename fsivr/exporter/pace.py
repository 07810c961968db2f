"""Pace: the bytes that went out, counted, and held back where there is a limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """Called with the bytes that have gone out; waits where that was more than the limit.

    :param most: bytes a second; 0 for no limit.
    """

    def __init__(
        self, most: int = 0, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._most, self._clock, self._sleep = most, clock, sleep
        self._lock = threading.Lock()
        self._free_at = 0.0
        #: The bytes that went out so far, those of failed tries included.
        self.sent = 0

    def __call__(self, count: int) -> None:
        with self._lock:
            self.sent += count
            if not self._most:
                return
            now = self._clock()
            # What was not used in the past is lost, but for a tenth of a second.
            self._free_at = max(self._free_at, now - 0.1) + count / self._most
            wait = self._free_at - now
        if wait > 0:
            self._sleep(wait)
