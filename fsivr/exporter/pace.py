"""Pace: so many bytes a second over all that is brought to all targets."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from fsivr.errors import ConfigError

#: What may go out at once after a rest, in seconds of the rate.
_BURST = 0.25


class Pace:
    """A limit of bytes a second, which any number of threads and greenlets share.

    :param rate: bytes a second; None is no limit.
    :param clock: what tells seconds, and never goes back.
    :param sleep: what waits for so many seconds.
    :raises ConfigError: the rate is not more than 0.
    """

    def __init__(
        self,
        rate: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        if rate is not None and not rate > 0:
            raise ConfigError(f"a rate of {rate} bytes a second; allowed is more than 0, or none for no limit")
        self.rate = rate
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free = clock()

    def take(self, count: int) -> None:
        """Return when so many bytes may go out: in the order of asking, so that nobody waits for ever."""
        if self.rate is None or count <= 0:
            return
        with self._lock:
            now = self._clock()
            # Each takes its turn and waits for it outside the lock, so that a slow one holds up nobody.
            start = max(self._free, now - _BURST)
            self._free = start + count / self.rate
        if start > now:
            self._sleep(start - now)
