"""Ctrl-C and SIGTERM as calls of a function, the innermost one first."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent

_stacks: dict[int, list[Callable[[], None]]] = {}
_watchers: dict[int, Any] = {}


@contextmanager
def on_signals(callback: Callable[[], None], *numbers: int) -> Iterator[None]:
    """Inside ``with``, each of the signals calls ``callback`` on a greenlet, and does nothing else."""
    for number in numbers:
        _stacks.setdefault(number, []).append(callback)
        if number not in _watchers:
            _watchers[number] = gevent.signal_handler(number, _call_innermost, number)
    try:
        yield
    finally:
        for number in numbers:
            _stacks[number].remove(callback)
            if not _stacks[number]:
                restore(number)


def restore(number: int) -> None:
    """Have a signal do again what it does by default."""
    watcher = _watchers.pop(number, None)
    if watcher is not None:
        watcher.cancel()
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def _call_innermost(number: int) -> None:
    if _stacks[number]:
        _stacks[number][-1]()


@contextmanager
def interruptible(*numbers: int) -> Iterator[None]:
    """Inside ``with``, each of the signals raises ``KeyboardInterrupt`` here, and says nothing on the screen."""
    here = gevent.getcurrent()

    def interrupt() -> None:
        gevent.get_hub().loop.run_callback(here.throw, KeyboardInterrupt)

    with on_signals(interrupt, *numbers):
        yield
