"""What a verb waits for: an answer, the end of applications, a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gevent import get_hub, getcurrent
from gevent.hub import Waiter

from fsivr.durations import Durations
from fsivr.errors import CommandRefused
from fsivr.esl.connection import OK_REPLY
from fsivr.esl.messages import Event, Reply

_TIMED_OUT = object()
_LAST = -2  # libev's EV_MINPRI


class _Wait:
    """Something one greenlet waits for, and the hub ends."""

    __slots__ = ("_error", "_waiter", "finished", "what")

    def __init__(self, what: str) -> None:
        self.what = what
        self.finished = False
        self._error: BaseException | None = None
        self._waiter: Waiter[Any] | None = None

    def wait(self, seconds: float) -> bool:
        """Whether it has finished within so many seconds; raises what it failed with."""
        if not self.finished:
            hub = get_hub()
            waiter: Waiter[Any] = Waiter(hub)
            self._waiter = waiter
            # Last in its turn of the loop, and from the time it is now: where something held up
            # the loop for longer than this, the answer that has come meanwhile is read first.
            timer = hub.loop.timer(seconds if seconds > 0 else 0.0, priority=_LAST)
            timer.start(waiter.switch, _TIMED_OUT, update=True)
            try:
                waiter.get()
            finally:
                self._waiter = None
                timer.stop()
                timer.close()
        if self._error is not None:
            raise self._error
        return self.finished

    def fail(self, error: BaseException) -> None:
        """End the wait with an error."""
        if not self.finished:
            self._error = error
            self._finish()

    def _finish(self) -> None:
        if self.finished:
            return
        self.finished = True
        waiter = self._waiter
        if waiter is None:
            return
        self._waiter = None
        hub = get_hub()
        if getcurrent() is hub:
            waiter.switch(None)
        else:  # only the hub may switch to a waiting greenlet
            hub.loop.run_callback(waiter.switch, None)


class Answer(_Wait):
    """The switch's reply to one command."""

    __slots__ = ("_reply",)

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self._reply: Reply | None = None

    def take_reply(self, reply: Reply | None) -> None:
        """The reply is here."""
        if not self.finished:
            self._reply = reply
            self._finish()

    def result(self) -> Reply:
        """The reply."""
        assert self._reply is not None
        return self._reply


class Completion(_Wait):
    """The ends of the applications of one verb, by their ``Event-UUID``.

    :param what: what is waited for, for the error.
    :param event_uuids: what the switch will name each application by, in order.
    :param outlives: whether the end is of use also when the caller has hung up, as a recording's.
    :param replies: where it is counted how long the switch took to take them all, from now on.
    """

    __slots__ = ("_missing", "_replies", "_since", "events", "outlives", "unanswered")

    def __init__(
        self, what: str, event_uuids: list[bytes], outlives: bool = False, replies: Durations | None = None
    ) -> None:
        self.what = what
        self.finished = False
        self._error = None
        self._waiter = None
        #: The completions by id, in the order the applications were sent.
        self.events: dict[bytes, Event | None] = dict.fromkeys(event_uuids)
        self.outlives = outlives
        #: How many replies are still to come.
        self.unanswered = self._missing = len(event_uuids)
        self._replies = replies
        self._since = 0.0 if replies is None else time.monotonic()

    def take_reply(self, reply: Reply) -> None:
        """``+OK`` means queued and no more (capture ``06k_bad_sendmsg``)."""
        self.unanswered -= 1
        if self._replies is not None and not self.unanswered:
            self._replies.took("execute", time.monotonic() - self._since)
        if reply is not OK_REPLY and not reply.ok:
            self.fail(CommandRefused(f"the switch refused {self.what!r}: {reply.reply_text[:200]}"))

    def take_event(self, event_uuid: bytes, event: Event) -> None:
        """One application has ended; called once for each."""
        self.events[event_uuid] = event
        self._missing -= 1
        if self._missing == 0:
            self._finish()

    def result(self) -> list[Event]:
        """Every completion, in the order the applications were sent."""
        return [event for event in self.events.values() if event is not None]


class Job(_Wait):
    """The output of a background job."""

    __slots__ = ("output",)

    def __init__(self, what: str) -> None:
        super().__init__(what)
        #: What it printed.
        self.output = ""

    def take_output(self, output: str) -> None:
        """The job has ended."""
        if not self.finished:
            self.output = output
            self._finish()


class Alarm:
    """A point in time, and what to do then.

    :param seconds: from now.
    :param action: called on the hub at that time; it must not block.
    """

    __slots__ = ("_at", "_timer")

    def __init__(self, seconds: float, action: Callable[[], None] | None = None) -> None:
        self._at = time.monotonic() + seconds
        self._timer: Any = None
        if action is not None:
            self._timer = get_hub().loop.timer(max(seconds, 0.0))
            self._timer.start(action, update=True)

    @property
    def left(self) -> float:
        """Seconds until then; negative when it has passed."""
        return self._at - time.monotonic()

    def cancel(self) -> None:
        """Do not do it."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.stop()
            timer.close()
