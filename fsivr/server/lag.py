"""Lag: how late the event loop is, and whether it is so again and again."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import gevent

#: Seconds between two looks.
INTERVAL = 0.1
#: The loop is behind where so many of the last looks were late.
LATE, LOOKS = 3, 20


class Lag:
    """Looks at a clock ten times a second from the loop, and says how late it came to that.

    One look that is late tells of one handler, however long it held the loop: what comes next
    finds the loop free. Several late ones of the last ``LOOKS`` tell of a loop that has more to do
    than it can; it is behind until all but ``LATE - 1`` of them are past, which takes two seconds
    of a loop that is on time.

    :param limit: seconds from which on a look is late; 0 for never.
    """

    def __init__(self, limit: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._recent: deque[bool] = deque(maxlen=LOOKS)
        self._looked = clock()
        self._latest = 0.0
        #: Whether the loop is late again and again.
        self.behind = False
        #: The most seconds that it ever was late.
        self.most = 0.0
        self._timer = gevent.get_hub().loop.timer(INTERVAL, repeat=INTERVAL, ref=False)
        self._timer.start(self.look)

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()
        self._timer.close()

    def lately(self) -> float:
        """The most seconds that the loop was late since this was last asked."""
        latest, self._latest = self._latest, 0.0
        return latest

    def look(self) -> None:
        """See how late it is."""
        now = self._clock()
        late, self._looked = max(0.0, now - self._looked - INTERVAL), now
        self._latest = max(self._latest, late)
        self.most = max(self.most, late)
        if self._limit:
            self._recent.append(late > self._limit)
            self.behind = sum(self._recent) >= LATE
