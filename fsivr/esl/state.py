"""What is known of a call from what the switch sends, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType

import gevent

from fsivr.causes import HangupCause
from fsivr.errors import ConnectionLost, ESLError, Hangup
from fsivr.esl.dispatch import Dispatcher
from fsivr.esl.expel import expel
from fsivr.esl.messages import Event, Message, Notice, Reply
from fsivr.esl.waits import Alarm, Answer, Completion

_COMPLETED = b"Event-Name: CHANNEL_EXECUTE_COMPLETE\n"
_HANGUP = b"Event-Name: CHANNEL_HANGUP\n"
_HANGUP_COMPLETE = b"Event-Name: CHANNEL_HANGUP_COMPLETE\n"

# A linger notice can come up to 21 ms before the CHANNEL_HANGUP that holds the
# cause (capture 02c_pagd_invalid_then_ok).
_NOTICE_GRACE = 0.1

_FREE_OVERTIME = 8
"""Verbs that may be called after the end before each further one is slowed down."""


class CallState:
    """A call as its messages tell it: the channel, what is awaited, and the end."""

    def __init__(self) -> None:
        #: The channel as the switch last described it: the answer to ``connect`` or an event.
        self.channel: Event | Reply | None = None
        #: Why the call ended; None while it is up.
        self.hangup_cause: HangupCause | None = None
        #: What broke the connection, where it broke.
        self.error: ESLError | None = None
        #: Whether the switch took the call back: it lives on, in other hands.
        self.released = False
        self._killed: HangupCause | None = None  # what we hung up with
        self._guessed = False  # whether the cause is not what the switch said
        self._over_hooks: list[Callable[[], None]] = []
        self._watched: dict[str, list[Callable[[Event], None]]] = {}
        self._complete = False  # nothing more will come
        self._overtime = 0  # verbs called after the end
        self._expelled: object = None
        self._expel_to: CodeType | None = None
        self._completions: dict[bytes, Completion] = {}
        self._grace: Alarm | None = None
        self._end_awaited: list[Answer] = []
        self._dispatcher: Dispatcher | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more can be done with the call here."""
        return self.hangup_cause is not None

    @property
    def dispatcher(self) -> Dispatcher:
        """Calls the functions that are registered for this call's events."""
        if self._dispatcher is None:
            self._dispatcher = Dispatcher(self)
        return self._dispatcher

    def when_over(self, function: Callable[[], None]) -> Callable[[], None]:
        """Have a function called once when the call is over, on the hub or by the verb that found out.

        :returns: what ends it.
        """
        self._over_hooks.append(function)
        return lambda: self._over_hooks.remove(function) if function in self._over_hooks else None

    def expel(self, greenlet: object, until: CodeType) -> None:
        """From now on verbs throw a greenlet out that swallows ``Hangup``, up to a function's code."""
        self._expelled, self._expel_to = greenlet, until

    def await_end(self, seconds: float) -> None:
        """Wait for the last event of a call that is over, or for the end of its connection."""
        if self._complete:
            return
        answer = Answer("the end")
        self._end_awaited.append(answer)
        answer.wait(seconds)

    def _check(self) -> None:
        if self.hangup_cause is None:
            return
        self._overtime += 1
        if self._overtime > _FREE_OVERTIME:
            # A handler that swallows Hangup in a loop must not keep the hub from everyone else.
            gevent.sleep(min(1.0, 0.001 * (self._overtime - _FREE_OVERTIME)))
        hangup = self.ended()
        if self._expel_to is not None and gevent.getcurrent() is self._expelled:
            expel(hangup, self._expel_to)
        raise hangup

    @property
    def outliving(self) -> bool:
        """Whether something is waited for whose end is of use also after the hangup, as a recording's."""
        return any(completion.outlives and not completion.finished for completion in self._completions.values())

    def ended(self) -> Hangup:
        """What a verb raises when the call is over: why it ended, and what broke."""
        return Hangup(self.hangup_cause or HangupCause.NORMAL_UNSPECIFIED, self.error)

    # -- on the hub: must not block --------------------------------------------------------

    def _on_message(self, message: Message) -> None:
        if type(message) is Event:
            if message.named(_COMPLETED):
                self.channel = message
                if message.says(b"\nAnswer-State: ", b"hangup\n"):
                    self._on_hangup(message)
                event_uuid = message.last(b"\nApplication-UUID: ") or b""
                completion = self._completions.pop(event_uuid, None)
                if completion is not None:
                    completion.take_event(event_uuid, message)
                else:
                    self._on_other_end(message)
            elif message.named(_HANGUP) or message.named(_HANGUP_COMPLETE):
                self._on_hangup(message)
            if self._watched:
                for function in list(self._watched.get(_kind(message), ())):
                    function(message)
        elif type(message) is Notice:
            self._on_notice(message)
        if self._dispatcher is not None:
            self._dispatcher.take(message)

    def _on_other_end(self, event: Event) -> None:
        """The end of an application that is not ours, or that nobody waits for any more."""
        if self.hangup_cause is None and event.last(b"\nApplication: ") == b"socket":
            # The socket application ended without a hangup: a transfer took the
            # call away, though this connection stays (capture 11d_transfer_app_to_9200).
            self.released = True
            self._finish(HangupCause.BLIND_TRANSFER, None)
            self._end_seen()

    def _on_hangup(self, event: Event) -> None:
        self.channel = event
        if self.hangup_cause is None:
            self._finish(HangupCause.parse(event.get("Hangup-Cause")), None)
        elif self._guessed:
            # A busy switch may say it later than we could wait.
            self._guessed = False
            self.hangup_cause = HangupCause.parse(event.get("Hangup-Cause"))
        if event.named(_HANGUP_COMPLETE):
            self._complete = True
            self._end_seen()

    def _on_notice(self, notice: Notice) -> None:
        if not notice.lingering:
            # The connection's goodbye means hangup even where no event came (FACTS 5.8).
            self._complete = True
            self._guess()
            self._end_seen()
        elif not self.over and self._grace is None:
            self._grace = Alarm(_NOTICE_GRACE, self._guess)

    def _on_end(self, error: ESLError | None) -> None:
        if error is None and not self.over:
            error = ConnectionLost("the switch closed the connection without a goodbye")
        self._finish(HangupCause.NORMAL_UNSPECIFIED if error is None else error.hangup_cause, error)
        self._complete = True
        self._end_seen()
        self._end_dispatch()

    @property
    def _likely(self) -> HangupCause:
        """The cause of a hangup for which the switch said none."""
        return self._killed or HangupCause.NORMAL_UNSPECIFIED

    def _guess(self) -> None:
        """It is over, and why was not said, or not yet."""
        if self.hangup_cause is None:
            self._guessed = True
            self._finish(self._likely, None)

    def _finish(self, cause: HangupCause, error: ESLError | None) -> None:
        if self.hangup_cause is not None:
            return
        self.hangup_cause, self.error = cause, error
        if self._grace is not None:
            self._grace.cancel()
        for hook in list(self._over_hooks):
            hook()
        self._fail_completions(outlive=not self._complete and error is None)

    def _fail_completions(self, *, outlive: bool) -> None:
        """End every verb's wait; ``outlive``: but those for what ends after the hangup."""
        for completion in list(self._completions.values()):
            if not (outlive and completion.outlives):
                completion.fail(self.ended())

    def _end_seen(self) -> None:
        self._fail_completions(outlive=False)
        for answer in list(self._end_awaited):
            answer.take_reply(None)

    def _end_dispatch(self) -> None:
        if self._dispatcher is not None:
            self._dispatcher.close()


def _kind(event: Event) -> str:
    """What an event is subscribed by: its name, and for ``CUSTOM`` the subclass too."""
    name = event.name
    return f"{name} {event.get('Event-Subclass')}" if name == "CUSTOM" else name
