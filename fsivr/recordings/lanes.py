"""Lanes: work on files that no greenlet waits for unless it wants to, in the order it was given for each recording."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any
from zlib import crc32

import gevent
from gevent.event import AsyncResult
from gevent.queue import SimpleQueue
from gevent.threadpool import ThreadPool

# Seconds that threads without work may take to end.
_ENDING = 1.0


class Lanes:
    """Threads, each of which does what it is given in order; what has the same key goes to the same one.

    To be given work by the hub and the greenlets of one thread; that never waits.
    (``ThreadPool.spawn`` waits while all threads are busy, which the hub may not.)

    :param number: how many.
    """

    def __init__(self, number: int) -> None:
        self._pool = ThreadPool(number)
        self._queues: list[Any] = [SimpleQueue() for _ in range(number)]
        self._greenlets = [gevent.spawn(self._run, queue) for queue in self._queues]
        #: How much of the work is not done.
        self.waiting = 0

    def give(self, key: str, work: Callable[..., Any], *arguments: Any) -> AsyncResult[Any]:
        """What the work will come to."""
        self.waiting += 1
        done: AsyncResult[Any] = AsyncResult()
        self._queues[crc32(key.encode()) % len(self._queues)].put((done, work, arguments))
        return done

    def close(self, timeout: float) -> bool:
        """Whether what was given was done within so many seconds; no more of it is begun."""
        for queue in self._queues:
            queue.put(None)
        gevent.joinall(self._greenlets, timeout)
        gevent.killall(self._greenlets)
        # A thread that the disk does not answer is left to it.
        with contextlib.suppress(gevent.Timeout), gevent.Timeout(_ENDING):
            self._pool.kill()
        return not self.waiting

    def _run(self, queue: Any) -> None:
        while (given := queue.get()) is not None:
            done, work, arguments = given
            tried: Any = self._pool.spawn(_tried, work, arguments).get()
            value, error = tried
            self.waiting -= 1
            if error is None:
                done.set(value)
            else:
                done.set_exception(error)


def _tried(work: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, Exception | None]:
    """In the thread: what it came to, or its error, which gevent would print besides."""
    try:
        return work(*arguments), None
    except Exception as error:  # noqa: BLE001  it is told to whoever waits for the work
        return None, error
