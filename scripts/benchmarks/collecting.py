"""Garbage collection in a worker, on the word of who measures its memory."""

from __future__ import annotations

import gc
import signal

import gevent


def collect_when_asked() -> None:
    """Have each SIGUSR1 collect what is garbage, so that it does not count as a call's memory."""
    gevent.signal_handler(signal.SIGUSR1, gc.collect)
