"""The verbs of time: waiting, and not waiting for ever."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import gevent
from gevent import get_hub, getcurrent

from fsivr.call.line import Line
from fsivr.call.ranges import is_up_to
from fsivr.call.session import Session
from fsivr.errors import DeadlineExceeded

_LONGEST = 86400
_SOON = 0.05


class Timing(Line):
    """A call whose waits have their limits."""

    def sleep(self, seconds: float) -> None:
        """Keep the line open in silence for so many seconds; keys pressed meanwhile are dropped."""
        _check("sleep", seconds)
        self._session.execute("sleep", str(max(1, round(seconds * 1000))), timeout=seconds + 30)

    def deadline(self, seconds: float) -> Deadline:
        """A ``with`` block that may take so many seconds, whatever it waits for.

        What it waits for when they are over, verb or other, is broken off there.

        :raises DeadlineExceeded: it took longer.
        """
        _check("deadline", seconds)
        return Deadline(seconds)

    def interruptible(self) -> Interruptible:
        """A ``with`` block that the caller's hangup breaks off, whatever it waits for: a request, a query.

        :raises Hangup: the call is over, or ended within the block.
        """
        return Interruptible(self._session)


class Deadline:
    """The time that a ``with`` block may take."""

    __slots__ = ("_timeout", "seconds")

    def __init__(self, seconds: float) -> None:
        #: How long the block may take.
        self.seconds = seconds
        self._timeout = gevent.Timeout(seconds)

    def __enter__(self) -> Self:
        self._timeout.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timeout.close()
        # A gevent.Timeout is a BaseException, and must not get any further.
        if error is self._timeout:
            raise DeadlineExceeded(f"it was not done within {self.seconds:g} s") from None


class Interruptible:
    """A ``with`` block that ends when the call does."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._inside = False
        self._timer: Any = None

    def __enter__(self) -> Self:
        self._greenlet = getcurrent()
        self._inside = True
        self._cancel = self._session.when_over(self._on_over)
        if self._session.over:
            self._leave()
            raise self._session.ended()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        self._inside = False
        self._cancel()
        if self._timer is not None:
            self._timer.close()

    def _on_over(self) -> None:
        # In the loop's next turn: a verb of the block is told by itself, and first.
        get_hub().loop.run_callback(self._break_off)

    def _break_off(self) -> None:
        if not self._inside or self._greenlet.dead:
            return
        if self._session.outliving:  # a message is recorded, and its end is on its way
            self._timer = get_hub().loop.timer(_SOON)
            self._timer.start(self._break_off)
        else:
            self._greenlet.throw(self._session.ended())


def _check(verb: str, seconds: float) -> None:
    if not is_up_to(seconds, _LONGEST):
        raise ValueError(f"{verb} takes seconds above 0 and up to {_LONGEST}, not {seconds!r}")
