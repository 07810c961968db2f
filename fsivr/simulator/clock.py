"""Clocks for the simulated switch: one whose time is moved by hand, and the real one."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from typing import Protocol

import gevent

#: Seconds between two looks of a channel's thread at what has come in (FACTS 3.3).
TICK = 0.02


def next_tick(now: float) -> float:
    """The first multiple of :data:`TICK` that is later than ``now``."""
    # The small amount keeps a time that already is on the grid from being taken
    # for one just before it.
    return (int(now / TICK + 1e-6) + 1) * TICK


class Timer:
    """Something that will happen at a time, unless it is cancelled."""

    __slots__ = ("_cancel", "callback", "when")

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback: Callable[[], None] | None = callback
        self._cancel: Callable[[], None] | None = None

    def on_cancel(self, cancel: Callable[[], None]) -> None:
        """Have ``cancel`` called when the timer is cancelled."""
        self._cancel = cancel

    def cancel(self) -> None:
        """See to it that it does not happen; harmless when it has."""
        self.callback = None
        if self._cancel is not None:
            self._cancel()
            self._cancel = None


class Clock(Protocol):
    """What the simulated switch needs of time."""

    #: Whether time passes by itself.
    real: bool

    def now(self) -> float:
        """Seconds since the switch was started."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """The timer that calls ``callback`` at ``when``; the callback must not block."""


class VirtualClock:
    """A clock that stands still until it is told to move: 30 seconds take no time."""

    real = False

    def __init__(self) -> None:
        self._now = 0.0
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = 0

    def now(self) -> float:
        """Virtual seconds since the clock was made."""
        return self._now

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """The timer that calls ``callback`` when time has been moved to ``when``."""
        timer = Timer(max(when, self._now), callback)
        self._count += 1
        heapq.heappush(self._timers, (timer.when, self._count, timer))
        return timer

    def next_due(self) -> float | None:
        """When the earliest timer is due; None where there is none."""
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def run_next(self) -> None:
        """Move time to the earliest timer and run all that are due at that instant."""
        due = self.next_due()
        if due is None:
            return
        self._now = due
        while self.next_due() == due:
            callback = heapq.heappop(self._timers)[2].callback
            if callback is not None:
                callback()

    def move_to(self, when: float) -> None:
        """Move time on without running anything; timers between must have been run before."""
        self._now = max(self._now, when)


class RealClock:
    """The clock on the wall."""

    real = True

    def __init__(self) -> None:
        self._start = time.monotonic()

    def now(self) -> float:
        """Seconds since the clock was made."""
        return time.monotonic() - self._start

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """The timer that calls ``callback`` at ``when``."""
        timer = Timer(when, callback)

        def run() -> None:
            if timer.callback is not None:
                timer.callback()

        greenlet = gevent.spawn_later(max(0.0, when - self.now()), run)
        timer.on_cancel(lambda: greenlet.kill(block=False))
        return timer
