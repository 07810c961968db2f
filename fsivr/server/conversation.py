"""One call from its handler's first line to its end, whatever the handler does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent

from fsivr.call import Call, HandOver
from fsivr.causes import HangupCause
from fsivr.errors import FsivrError, Hangup, InputError
from fsivr.esl.session import Session
from fsivr.esl.waits import Alarm
from fsivr.handler import Handler
from fsivr.whose import about

log = logging.getLogger(__name__)

# How often a handler that will not leave a finished call is told so before it is left behind.
_REMINDERS = 3


class Conversation:
    """A handler's call.

    :param session: the connected session; it is closed at the end.
    :param handler: the class that answers.
    :param call: what the handler is given.
    :param grace: seconds a handler may go on after the hangup.
    :param limit: seconds the call may last.
    :param on_end: called once when all is over, before ``run`` returns.
    :param before: called with the call before its handler is.
    """

    def __init__(
        self,
        session: Session,
        call: Call,
        handler: type[Any],
        *,
        grace: float,
        limit: float,
        on_end: Callable[[Conversation], None],
        before: Callable[[Call], None] | None = None,
    ) -> None:
        self.call = call
        self.handler = handler
        #: Whether the handler would not leave, and its greenlet was left behind.
        self.abandoned = False
        #: What the handler failed with, without what the program's own errors may tell of a customer; "" for nothing.
        self.error = ""
        self._session = session
        self._grace = grace
        self._limit = limit
        self._on_end = on_end
        self._before = before
        self._greenlet: gevent.Greenlet[..., None] = gevent.getcurrent()  # type: ignore[assignment]
        self._first = 0  # which of the call's handlers it is that holds it, and may invoke others
        self._forget: Callable[[], None] = lambda: None
        self._alarm: Alarm | None = None
        self._reminders = 0
        self._ended = False
        self._finished = False
        self._limit_alarm: Alarm | None = None
        self._stopping: HangupCause | None = None  # the cause it is being hung up with from outside

    def run(self) -> None:
        """Have the handler hold its conversation, then end the call; raises nothing."""
        session = self._session
        self._limit_alarm = Alarm(self._limit, self._on_limit)
        self._forget = session.when_over(self._on_over)
        if session.over:
            self._on_over()
        self._end(self._talk())

    def stop(self, cause: HangupCause) -> None:
        """Hang up; the handler's verb raises ``Hangup`` as for a caller who leaves."""
        self._stopping = self._stopping or cause
        self._session.kill(cause)
        if self._alarm is None and not self._ended:  # a switch that does not answer sends no hangup
            self._start_grace()

    def _talk(self) -> HangupCause:
        """Run the handler; the cause its way of leaving ends the call with."""
        try:
            if not issubclass(self.handler, Handler):
                return self._talk_legacy()
            if self._before is not None:
                self._before(self.call)
            self._hold(self.handler)
            return HangupCause.NORMAL_CLEARING
        except Hangup as hangup:
            return hangup.cause
        except FsivrError as error:
            return self._failed(error, error.hangup_cause)
        except gevent.GreenletExit:
            return HangupCause.MANAGER_REQUEST
        except BaseException as error:  # noqa: BLE001  gevent.Timeout and SystemExit too: none may end the server
            return self._failed(error, FsivrError.hangup_cause)

    def _hold(self, handler: type[Any]) -> None:
        """Have handlers hold the call, one after the other where one hands it over."""
        while True:
            self._first = len(self.call.handlers)
            try:
                Call.invoke(self.call, handler)  # not the handler's own doing, which a timeline would note
                return
            except HandOver as over:
                self.handler = handler = over.handler
                gevent.sleep(0)  # two that hand a call to each other for ever must not stop the others

    def _talk_legacy(self) -> HangupCause:
        """An application of greenswitch's: made with the session, and the dialplan goes on after it."""
        self.handler(self._session).run()
        self._session.release()
        return HangupCause.NORMAL_CLEARING

    def _failed(self, error: BaseException, cause: HangupCause) -> HangupCause:
        self.error = type(error).__name__ + (f": {error}" if isinstance(error, FsivrError) else "")
        if isinstance(error, InputError):  # a caller who keyed nothing usable is no fault of the program
            log.info("call %s: %s gave up asking: %s", self.call.uuid, self.handler.__qualname__, error)
        else:
            log.error("call %s: %s ended with an error", self.call.uuid, self.handler.__qualname__, exc_info=error)
        # Not those that this one invoked: what left them was its to catch.
        for instance in self.call.handlers[self._first : self._first + 1]:
            try:
                self._guarded(instance, "on_error", error)
            except HandOver as over:
                self.handler, self._before = over.handler, None
                gevent.sleep(0)
                return self._talk()
        return cause

    def _end(self, cause: HangupCause) -> None:
        """Hang up, say so to the handler, close; once."""
        if self._ended:
            return
        self._ended = True
        for alarm in (self._alarm, self._limit_alarm):
            if alarm is not None:
                alarm.cancel()
        try:
            self._session.end(self._stopping or cause)
            for instance in reversed(self.call.handlers):
                # Most handlers have no on_hangup of their own, and need no watching in it.
                if type(instance).on_hangup is not Handler.on_hangup:
                    self._start_grace()
                    self._guarded(instance, "on_hangup")
        finally:
            if self._alarm is not None:
                self._alarm.cancel()
            self._finish()

    def _end_alone(self) -> None:
        about(self.call.uuid)  # spawned by the hub
        self._end(HangupCause.NORMAL_UNSPECIFIED)

    def _finish(self) -> None:
        """Close and say that it is over; once."""
        if self._finished:
            return
        self._finished = True
        self._session.close()
        self._forget()
        self._on_end(self)

    def _guarded(self, instance: Handler, method: str, *arguments: object) -> None:
        try:
            getattr(instance, method)(self.call, *arguments)
        except Hangup:
            pass
        except HandOver:
            if method == "on_error":
                raise
            log.error("call %s: %s.%s cannot hand over a call", self.call.uuid, self.handler.__qualname__, method)
        except BaseException as error:  # noqa: BLE001
            log.error("call %s: %s.%s failed", self.call.uuid, self.handler.__qualname__, method, exc_info=error)

    # -- on the hub -----------------------------------------------------------------------

    def _on_limit(self) -> None:
        log.warning("call %s: over its limit of %g s", self.call.uuid, self._limit)
        self.stop(HangupCause.ALLOTTED_TIMEOUT)

    def _on_over(self) -> None:
        if not self._ended and self._alarm is None:
            self._start_grace()

    def _start_grace(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._reminders = 0
        self._alarm = Alarm(self._grace, self._remind)

    def _remind(self) -> None:
        """The handler is still at it after the hangup: throw it out of what it waits for."""
        if self._reminders >= _REMINDERS:
            self._abandon()
            return
        if not self._reminders:
            log.warning("call %s: %s goes on after the hangup; stopping it", self.call.uuid, self.handler.__qualname__)
        self._reminders += 1
        self._alarm = Alarm(min(self._grace, 1.0), self._remind)
        cause = self._session.hangup_cause or self._stopping or HangupCause.NORMAL_UNSPECIFIED
        self._greenlet.throw(Hangup(cause))

    def _abandon(self) -> None:
        """It swallows what is thrown at it: end the call without it."""
        self.abandoned = True
        log.error(
            "call %s: %s swallows Hangup and will not end; its greenlet is left behind",
            self.call.uuid,
            self.handler.__qualname__,
        )
        self._session.expel(self._greenlet, TALKING)
        if not self._ended:
            self._greenlet = gevent.spawn(self._end_alone)
        else:
            self._finish()


#: What is on the stack wherever a handler holds a call.
TALKING = Conversation._talk.__code__
