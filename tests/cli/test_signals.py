"""Ctrl-C and SIGTERM, taken by whoever is innermost."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import gevent
import pytest
from gevent.event import Event

from fsivr.cli.signals import interruptible, on_signals


class Taken(Event):
    """An event that is called."""

    __call__ = Event.set


def test_the_innermost_is_called_and_then_the_one_around_it() -> None:
    outer, inner = Taken(), Taken()
    with on_signals(outer, signal.SIGUSR1):
        with on_signals(inner, signal.SIGUSR1):
            os.kill(os.getpid(), signal.SIGUSR1)
            assert inner.wait(5)
        assert not outer.is_set()
        os.kill(os.getpid(), signal.SIGUSR1)
        assert outer.wait(5)


def is_caught(number: int) -> bool:
    """Whether the process has a handler for a signal, as the kernel sees it."""
    status = Path("/proc/self/status").read_text()
    (mask,) = re.findall(r"^SigCgt:\s*([0-9a-f]+)$", status, re.M)
    return bool(int(mask, 16) >> (number - 1) & 1)


def test_afterwards_a_signal_does_what_it_does_by_default() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert not is_caught(signal.SIGUSR1)
    with on_signals(Taken(), signal.SIGINT, signal.SIGUSR1):
        assert is_caught(signal.SIGUSR1)
    assert not is_caught(signal.SIGUSR1)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_is_raised_where_it_was_asked_for() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible(signal.SIGUSR1):
        os.kill(os.getpid(), signal.SIGUSR1)
        gevent.sleep(5)
