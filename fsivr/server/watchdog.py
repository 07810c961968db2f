"""Watchdog: names the line of code that keeps every call waiting.

All calls of a server share one event loop, and a handler that computes, or waits in a way
that gevent does not know, stops them all. gevent's own monitor traces every switch between
greenlets to find that out; this one looks at a clock from outside, and costs the loop nothing.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import time
from collections.abc import Callable
from types import CodeType, FrameType
from typing import NamedTuple

import gevent
from gevent import monkey

# A thread and a sleep of the operating system: those of gevent stop with the loop.
_start_thread = monkey.get_original("_thread", "start_new_thread")
_this_thread = monkey.get_original("_thread", "get_ident")
_sleep = monkey.get_original("time", "sleep")

# How often in the shortest time that counts as blocking the clock is looked at.
_LOOKS = 5
# Code that is nobody's own: what called it is to be named.
_LIBRARIES = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), os.path.dirname(gevent.__file__ or ""))


class Block(NamedTuple):
    """The event loop stood still."""

    #: Where, as ``file:line in function``: the innermost line that is no library's.
    where: str
    #: For how many seconds.
    seconds: float
    #: Whether it was within a given piece of code, as a handler's call.
    within: bool


class Watchdog:
    """Watches this thread's event loop until it is stopped.

    :param limit: seconds for which the loop may stand still.
    :param on_block: called on the loop, once it goes on, with each time that it stood still for longer.
    :param within: code that is on the stack wherever a handler is.
    """

    def __init__(self, limit: float, on_block: Callable[[Block], None], *, within: CodeType | None = None) -> None:
        self._limit = limit
        self._on_block = on_block
        self._within = within
        self._interval = limit / _LOOKS
        self._thread = _this_thread()
        self._beaten = self._expected = time.monotonic()
        self._found: tuple[str, bool] | None = None
        self._stopped = False
        loop = gevent.get_hub().loop
        self._timer = loop.timer(self._interval, repeat=self._interval, ref=False)
        self._timer.start(self._beat)
        _start_thread(self._watch, ())

    def stop(self) -> None:
        """Watch no more."""
        self._stopped = True
        self._timer.stop()
        self._timer.close()

    # -- on the loop ------------------------------------------------------------------------

    def _beat(self) -> None:
        now = time.monotonic()
        stood, self._beaten = now - self._beaten, now
        found, self._found = self._found, None
        if found is not None:
            self._on_block(Block(found[0], stood, found[1]))

    # -- in the thread ----------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._stopped:
            _sleep(self._interval)
            if self._found is None and time.monotonic() - self._beaten > self._limit:
                frame = sys._current_frames().get(self._thread)
                if frame is not None:
                    self._found = _named(frame), self._is_within(frame)

    def _is_within(self, frame: FrameType | None) -> bool:
        while frame is not None:
            if frame.f_code is self._within:
                return True
            frame = frame.f_back
        return False


def _named(innermost: FrameType) -> str:
    """The innermost line that is no library's, or the innermost of all."""
    frame: FrameType | None = innermost
    while frame is not None and frame.f_code.co_filename.startswith(_LIBRARIES):
        frame = frame.f_back
    found = frame or innermost
    return f"{found.f_code.co_filename}:{found.f_lineno} in {found.f_code.co_qualname}"
