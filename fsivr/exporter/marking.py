"""Marking: a few threads mark what arrived; each mark is synced to the disk, which takes several at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Generic, TypeVar

from fsivr.store import Store

_COUNT = 4
_T = TypeVar("_T")


class Marking(Generic[_T]):
    """Does something with each of several things at the same time, in a ``with`` block.

    :param do: what is done; true where it went well.
    :param store: its threads stay connected to it.
    """

    def __init__(self, do: Callable[[_T], bool], store: Store) -> None:
        self._do, self._store = do, store
        self._given: queue.SimpleQueue[tuple[int, _T] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[int, bool | Exception]] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(_COUNT)]

    def __enter__(self) -> Marking[_T]:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for _ in self._threads:
            self._given.put(None)
        for thread in self._threads:
            thread.join()

    def each(self, things: Sequence[_T]) -> list[bool]:
        """For each whether it went well; the first error of one is raised once all are done."""
        for given in enumerate(things):
            self._given.put(given)
        found: list[bool] = [False] * len(things)
        errors: list[Exception] = []
        for _ in things:
            number, result = self._done.get()
            if isinstance(result, Exception):
                errors.append(result)
            else:
                found[number] = result
        if errors:
            raise errors[0]
        return found

    def _work(self) -> None:
        with self._store.connected():
            while (given := self._given.get()) is not None:
                number, thing = given
                try:
                    self._done.put((number, self._do(thing)))
                except Exception as error:
                    self._done.put((number, error))
