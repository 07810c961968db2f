"""What moves a virtual clock: only while a caller waits, and only when all has settled."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import Protocol

import gevent
from gevent.event import Event

from fsivr.simulator.clock import Clock, VirtualClock

# How long the event loop may stay busy before time moves on all the same: a
# handler that polls with gevent.sleep(0) would keep it busy for ever.
_SETTLE = 1.0


class Outcome(Enum):
    """How a wait ended."""

    DONE = "what was waited for is there"
    TIME = "the time is over"
    SILENT = "it is the handler's turn, and it did nothing"
    NOTHING = "nothing can happen any more"


class Turn(Protocol):
    """A call as far as its waits go."""

    @property
    def handlers_turn(self) -> bool:
        """Whether the switch has nothing to do for this call until its handler speaks."""


class Wait:
    """One caller waiting for something.

    :param done: whether it has come; cheap, and without effect.
    :param until: the time at which to wait no longer, on the switch's clock.
    :param patience: real seconds that a handler whose turn it is may take.
    :param strict: whether the wait ends when they are over; else time moves on without the handler.
    """

    def __init__(
        self, call: Turn, done: Callable[[], bool], until: float | None, patience: float, strict: bool
    ) -> None:
        self.call = call
        self.done = done
        self.until = until
        self.patience = patience
        self.strict = strict
        self.thought = 0.0
        self.outcome: Outcome | None = None
        self._event = Event()

    def finish(self, outcome: Outcome) -> None:
        """End the wait, once."""
        if self.outcome is None:
            self.outcome = outcome
            self._event.set()

    def block(self, timeout: float | None = None) -> bool:
        """Wait for the end, up to ``timeout`` real seconds; whether it came."""
        return bool(self._event.wait(timeout))

    @property
    def holds_time(self) -> bool:
        """Whether time must stand still for the handler of this call."""
        return self.call.handlers_turn and (self.strict or self.thought < self.patience)


class Pump:
    """Runs the waits of all callers of a switch.

    With a virtual clock, time stands still while no caller waits, and while the
    handler of a waiting caller has its turn: it can do what it likes for as long
    as ``patience`` real seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waits: dict[Turn, Wait] = {}
        self._activity = Event()
        self._running = False

    def run(
        self, call: Turn, done: Callable[[], bool], *, until: float | None, patience: float, strict: bool = True
    ) -> Outcome:
        """How the wait ended; returns at once when ``done()`` already holds."""
        if done():
            return Outcome.DONE
        wait = Wait(call, done, until, patience, strict)
        self._waits[call] = wait
        try:
            if isinstance(self._clock, VirtualClock):
                if not self._running:
                    self._running = True
                    gevent.spawn(self._move, self._clock)
                wait.block()
            elif not wait.block(None if until is None else max(0.0, until - self._clock.now())):
                wait.finish(Outcome.TIME)
        finally:
            del self._waits[call]
        assert wait.outcome is not None
        return wait.outcome

    def touch(self, call: Turn) -> None:
        """Something happened to a call: look whether its wait is over."""
        wait = self._waits.get(call)
        if wait is not None:
            wait.thought = 0.0
            if wait.done():
                wait.finish(Outcome.DONE)
        self._activity.set()

    def _move(self, clock: VirtualClock) -> None:
        try:
            while self._open():
                _settle()
                waits = self._open()
                thinking = [wait for wait in waits if wait.holds_time]
                if thinking:
                    self._let_think(thinking)
                elif waits:
                    _step(clock, waits)
        finally:
            self._running = False

    def _open(self) -> list[Wait]:
        return [wait for wait in self._waits.values() if wait.outcome is None]

    def _let_think(self, thinking: list[Wait]) -> None:
        self._activity.clear()
        began = time.monotonic()
        self._activity.wait(max(0.0, min(wait.patience - wait.thought for wait in thinking)))
        spent = time.monotonic() - began
        for wait in thinking:
            if wait.outcome is None and not self._activity.is_set():
                wait.thought += spent
                if wait.thought >= wait.patience and wait.strict and wait.call.handlers_turn:
                    wait.finish(Outcome.SILENT)


def _settle() -> None:
    """Return when everything that was sent has been handled."""
    with gevent.Timeout.start_new(_SETTLE) as timeout:
        try:
            gevent.idle()
        except gevent.Timeout as expired:
            if expired is not timeout:
                raise


def _step(clock: VirtualClock, waits: list[Wait]) -> None:
    due = clock.next_due()
    limit = min((wait.until for wait in waits if wait.until is not None), default=None)
    if limit is not None and (due is None or limit < due):
        clock.move_to(limit)
        for wait in waits:
            if wait.until is not None and wait.until <= limit:
                wait.finish(Outcome.TIME)
    elif due is None:
        for wait in waits:
            wait.finish(Outcome.NOTHING)
    else:
        clock.run_next()
