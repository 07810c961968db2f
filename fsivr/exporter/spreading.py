"""Spreading: something done with many things at a target, several at a time, each tried again where that may help."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from queue import Queue, SimpleQueue
from typing import Generic, TypeVar

from fsivr.errors import TransientError
from fsivr.exporter.crew import Make
from fsivr.exporter.retry import Patience
from fsivr.exporter.target import Target

_T = TypeVar("_T")
_R = TypeVar("_R")


class Spread(Generic[_T, _R]):
    """Does something with each of many things.

    :param make: makes each worker's own target.
    :param do: what is done with a target that is open, and a thing.
    """

    def __init__(self, make: Make, workers: int, do: Callable[[Target, _T], _R], patience: Patience) -> None:
        self._make, self._workers, self._do, self._patience = make, workers, do, patience
        self._given: Queue[_T | None] = Queue(2 * workers)
        self._done: SimpleQueue[tuple[_T, _R | Exception] | None] = SimpleQueue()
        self._over = threading.Event()
        self._broken: list[Exception] = []

    def over(self, things: Iterable[_T]) -> Iterator[tuple[_T, _R | Exception]]:
        """Each thing with what came of it, or the error that it ended with; in any order.

        :raises Exception: what the things' own source raised, once those before it are done.
        """
        threading.Thread(target=self._feed, args=(things,), daemon=True).start()
        for _ in range(self._workers):
            threading.Thread(target=self._work, daemon=True).start()
        left = self._workers
        try:
            while left:
                result = self._done.get()
                if result is None:
                    left -= 1
                else:
                    yield result
        finally:
            self._over.set()
        if self._broken:
            raise self._broken[0]

    def _feed(self, things: Iterable[_T]) -> None:
        try:
            for thing in things:
                if self._over.is_set():
                    break
                self._given.put(thing)
        except Exception as error:
            self._broken.append(error)
        finally:
            for _ in range(self._workers):
                self._given.put(None)

    def _work(self) -> None:
        target = self._make()
        try:
            while (thing := self._given.get()) is not None:
                if not self._over.is_set():  # else they are taken, so that whoever gives them is not held up
                    self._done.put((thing, self._attempted(target, thing)))
        finally:
            target.close()
            self._done.put(None)

    def _attempted(self, target: Target, thing: _T) -> _R | Exception:
        return attempted(target, lambda: self._do(target, thing), self._patience)


def attempted(target: Target, do: Callable[[], _R], patience: Patience) -> _R | Exception:
    """What came of it, or the last error."""
    for number in range(1, patience.tries + 1):
        try:
            target.open()
            return do()
        except TransientError as error:
            target.close()
            last: Exception = error
            if number < patience.tries:
                time.sleep(patience.pause(number))
        except Exception as error:
            return error
    return last
