"""Control of one call over the outbound event socket.

Nothing here waits without an end, and a completion is matched by its id and by
nothing else.
"""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

import gevent

from fsivr.causes import HangupCause
from fsivr.errors import CommandRefused, ConnectionLost, ESLError, Hangup, ReplyTimeout
from fsivr.esl import commands
from fsivr.esl.dispatch import Dispatcher
from fsivr.esl.exchange import Exchange
from fsivr.esl.expel import expel
from fsivr.esl.messages import Event, Message, Notice, Reply
from fsivr.esl.waits import Alarm, Answer, Completion

log = logging.getLogger(__name__)

_EVENTS = "CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE"
_COMPLETED = b"Event-Name: CHANNEL_EXECUTE_COMPLETE\n"
_HANGUP = b"Event-Name: CHANNEL_HANGUP\n"
_HANGUP_COMPLETE = b"Event-Name: CHANNEL_HANGUP_COMPLETE\n"
_LINGER = 10
# One write. `myevents` holds the socket to this channel for good, `noevents` then
# drops its list of a dozen events, and only the named ones come (capture
# 08d_myevents_then_event_plain). `linger` keeps the tail of a call from being
# lost (FACTS 5.8 in docs/esl-quirks.md).
_SETUP = (f"connect\n\nlinger {_LINGER}\n\nmyevents\n\nnoevents\n\nevent plain {_EVENTS}\n\n").encode()
_SETUP_REPLIES = 4  # beside the one to `connect`

# A linger notice can come up to 21 ms before the CHANNEL_HANGUP that holds the
# cause (capture 02c_pagd_invalid_then_ok).
_NOTICE_GRACE = 0.1

# FreeSWITCH drops a connection with more than 256 commands queued (capture
# 06i_sendmsg_queue_overflow).
_BATCH = 128


_FREE_OVERTIME = 8
"""Verbs that may be called after the end before each further one is slowed down."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session waits, in seconds.

    :param reply: for the answer to a command, and for the end of a hangup.
    :param probe: how often a long wait asks whether the switch still knows the call.
    :param verb: for an application to end, where the verb gives no time of its own.
    """

    reply: float = 5.0
    probe: float = 30.0
    verb: float = 3600.0


class CallControl:
    """The event socket of one call, and what can be done with the call over it.

    Its methods raise ``Hangup`` once the call or the connection is over.

    :param client_address: the switch's address, for the log.
    :param sock: the accepted socket; the session owns it from now on.
    """

    #: The channel's id, of letters, digits and dashes; "" before ``connect``.
    uuid: str = ""

    def __init__(self, client_address: Any, sock: socket.socket, limits: Limits | None = None) -> None:
        self.peer = client_address
        self.limits = limits or Limits()
        #: The channel as the switch last described it: the answer to ``connect`` or an event.
        self.channel: Event | Reply | None = None
        #: Why the call ended; None while it is up.
        self.hangup_cause: HangupCause | None = None
        #: What broke the connection, where it broke.
        self.error: ESLError | None = None
        #: Whether the switch took the call back: it lives on, in other hands.
        self.released = False
        #: Called once, on the hub or by the verb that found out, when the call is over.
        self.on_over: Callable[[], None] | None = None
        self._complete = False  # CHANNEL_HANGUP_COMPLETE was here: nothing more will come
        self._overtime = 0  # verbs called after the end
        self._expel_to: CodeType | None = None
        self._token = secrets.token_hex(4)
        self._count = 0
        self._completions: dict[bytes, Completion] = {}
        self._grace: Alarm | None = None
        self._ending: Answer | None = None
        self._dispatcher: Dispatcher | None = None
        self._exchange = Exchange(
            sock,
            timeout=self.limits.reply,
            on_message=self._on_message,
            on_end=self._on_end,
            reason=self._reason,
        )

    # -- what a call does ------------------------------------------------------------

    def connect(self) -> Event | Reply:
        """The channel's description, after telling the switch what we want to hear.

        :raises Hangup: the caller is gone already, or the switch does not answer.
        :raises CommandRefused: the dialplan's ``socket`` action does not say ``async full``.
        """
        if self.channel is not None:
            return self.channel
        self._check()
        reply = self._exchange.ask(_SETUP, "connect", _SETUP_REPLIES)
        self.uuid = reply.get("Unique-ID") or reply.get("Channel-Unique-ID") or ""
        if not self.uuid:
            self._exchange.fail(ConnectionLost(f"the switch described no channel: {reply.reply_text[:80]!r}"))
            self._check()
        self.channel = reply
        mode, control = reply.get("Socket-Mode"), reply.get("Control")
        if (mode, control) != ("async", "full"):
            raise CommandRefused(
                f"the dialplan's socket action must end in 'async full'; the switch connected with {mode} {control}"
            )
        return reply

    def execute(self, application: str, argument: str = "", *, timeout: float | None = None) -> Event:
        """The ``CHANNEL_EXECUTE_COMPLETE`` of an application, once it has ended.

        :param timeout: seconds it may take; ``limits.verb`` where None.
        :raises ReplyTimeout: it took longer; what was running has been stopped.
        """
        return self.execute_all([(application, argument)], timeout=timeout)[0]

    def execute_all(self, steps: Sequence[tuple[str, str]], *, timeout: float | None = None) -> list[Event]:
        """The completions of several applications that follow each other without a gap.

        All are handed to the switch at once, each with ``event-lock``, without
        which they would interrupt each other (capture ``06b_overlap_no_lock``).

        :param steps: ``(application, argument)`` pairs, in order.
        :param timeout: seconds they may take together.
        """
        done: list[Event] = []
        for first in range(0, len(steps), _BATCH):
            done += self._execute_batch(steps[first : first + _BATCH], timeout)
        return done

    def api(self, command: str, argument: str = "") -> str:
        """What an API command of the switch printed.

        It holds up the connection's events while it runs (FACTS 2.8): not for slow ones.

        :raises CommandRefused: the switch answered ``-ERR`` or ``-USAGE``.
        """
        self._check()
        reply = self._exchange.ask(commands.api(command, argument), command)
        if not reply.ok:
            self._check()
            raise CommandRefused(f"the switch refused {command!r}: {reply.reply_text[:200]}")
        return reply.text

    def post(self, command: str, argument: str = "") -> None:
        """Have an API command run before the next thing sent; its answer is not waited for."""
        self._exchange.post(commands.api(command, argument))

    def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable to exactly this text; ``""`` deletes it.

        :raises LocalProtocolError: the value holds a NUL.
        """
        self._api_of_channel("uuid_setvar", f"{name} {commands.quote(value)}" if value else name)

    def fetch_variable(self, name: str) -> str | None:
        """The exact value of a channel variable; None where it is not set.

        The switch answers ``_undef_`` for that (capture ``07a_vars_plain``).
        """
        value = self._api_of_channel("uuid_getvar", name)
        return None if value == "_undef_" else value

    def _api_of_channel(self, command: str, argument: str) -> str:
        try:
            return self.api(command, f"{self.uuid} {argument}")
        except CommandRefused as refused:
            if "No such channel" not in str(refused):
                raise
            # The hangup's event was held back while the command ran (FACTS 2.8).
            self._await_end()
            self._finish(HangupCause.NORMAL_UNSPECIFIED, None)
            raise self._reason() from None

    # -- how a call ends ---------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether nothing more can be done with the call here."""
        return self.hangup_cause is not None

    def kill(self, cause: HangupCause) -> None:
        """Hang up now, whatever is running, without waiting for it to have happened."""
        if self.uuid and not self.over:
            # `sendmsg hangup` would wait for the end of a locked application (capture
            # 06e_hangup_cmd_during_locked_playback); this does not (11o_api_uuid_kill_self).
            self._exchange.send(commands.api("uuid_kill", f"{self.uuid} {cause.name}"))

    def end(self, cause: HangupCause) -> None:
        """Hang up if the call is up, see its last event come in, and close.

        Takes at most twice ``limits.reply``; never raises.

        :param cause: what the caller's side is told.
        """
        if not self.over:
            self.kill(cause)
            self._await_end()
            if not self.over:  # the switch does not answer: for us the call has ended all the same
                self._finish(cause, ReplyTimeout("the switch did not confirm the hangup"))
        if not (self._complete or self.released or self._exchange.closed):
            self._await_end()
        self.close()

    def release(self) -> None:
        """Give the call back to the dialplan, which goes on after its ``socket`` action."""
        if not self.over:
            self._exchange.send(commands.command("exit"))
            self.released = True
            self._finish(HangupCause.NONE, None)

    @property
    def dispatcher(self) -> Dispatcher:
        """Calls the functions that are registered for this call's events."""
        if self._dispatcher is None:
            self._dispatcher = Dispatcher(self)
        return self._dispatcher

    def expel(self, until: CodeType) -> None:
        """From now on verbs throw a handler out that swallows ``Hangup``, up to a function's code."""
        self._expel_to = until

    def close(self) -> None:
        """Close the connection; whoever still waits on it gets ``Hangup``."""
        self._finish(HangupCause.NORMAL_UNSPECIFIED, None)
        self._exchange.close()
        self._end_dispatch()

    # -- waiting -----------------------------------------------------------------------

    def _execute_batch(self, steps: Sequence[tuple[str, str]], timeout: float | None) -> list[Event]:
        if self.hangup_cause is not None:
            self._check()
        lock = len(steps) > 1
        wire, event_uuids = b"", []
        for application, argument in steps:
            self._count += 1
            event_uuid = f"{self._token}-{self._count}"
            event_uuids.append(event_uuid.encode())
            wire += commands.execute(application, argument, event_uuid=event_uuid, lock=lock)
        completion = Completion(steps[0][0], event_uuids)
        completions = self._completions
        for expected in event_uuids:
            completions[expected] = completion
        try:
            self._exchange.send(wire, [completion] * len(steps))
            timeout = self.limits.verb if timeout is None else timeout
            if not completion.wait(min(self.limits.reply, timeout)):
                self._await_long(completion, timeout)
        finally:
            for expected in event_uuids:
                completions.pop(expected, None)
        return completion.result()

    def _await_long(self, completion: Completion, timeout: float) -> None:
        """Wait on; and ask now and then whether the switch and the call are still there."""
        if completion.unanswered and timeout >= self.limits.reply:
            what = f"the switch did not take {completion.what!r} within {self.limits.reply:g} s"
            self._exchange.fail(ReplyTimeout(what))
        alarm = Alarm(timeout - self.limits.reply)
        while True:
            self._check()
            if alarm.left <= 0:
                self._exchange.send(commands.api("uuid_break", f"{self.uuid} all"))
                raise ReplyTimeout(f"{completion.what!r} had not ended after {timeout:g} s")
            if completion.wait(min(self.limits.probe, alarm.left)):
                return
            self._probe()

    def _probe(self) -> None:
        reply = self._exchange.ask(commands.api("uuid_exists", self.uuid), "uuid_exists")
        if reply.text.strip() == "false":
            self._finish(HangupCause.NORMAL_UNSPECIFIED, None)

    def _await_end(self) -> None:
        self._ending = Answer("hangup")
        self._ending.wait(self.limits.reply)
        self._ending = None

    def _check(self) -> None:
        if self.hangup_cause is None:
            return
        self._overtime += 1
        if self._overtime > _FREE_OVERTIME:
            # A handler that swallows Hangup in a loop must not keep the hub from everyone else.
            gevent.sleep(min(1.0, 0.001 * (self._overtime - _FREE_OVERTIME)))
        hangup = self._reason()
        if self._expel_to is not None:
            expel(hangup, self._expel_to)
        raise hangup

    def _reason(self) -> Hangup:
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

    def _on_hangup(self, event: Event) -> None:
        self.channel = event
        if self.hangup_cause is None:
            self._finish(HangupCause.parse(event.get("Hangup-Cause")), None)
        if event.named(_HANGUP_COMPLETE):
            self._complete = True
            self._end_seen()

    def _on_notice(self, notice: Notice) -> None:
        if not notice.lingering:
            # The connection's goodbye means hangup even where no event came (FACTS 5.8).
            self._complete = True
            self._finish(HangupCause.NORMAL_UNSPECIFIED, None)
        elif not self.over and self._grace is None:
            self._grace = Alarm(_NOTICE_GRACE, lambda: self._finish(HangupCause.NORMAL_UNSPECIFIED, None))

    def _on_end(self, error: ESLError | None) -> None:
        if error is None and not self.over:
            error = ConnectionLost("the switch closed the connection without a goodbye")
        self._finish(HangupCause.NORMAL_UNSPECIFIED if error is None else error.hangup_cause, error)
        self._end_seen()
        self._end_dispatch()

    def _finish(self, cause: HangupCause, error: ESLError | None) -> None:
        if self.hangup_cause is not None:
            return
        self.hangup_cause, self.error = cause, error
        if self._grace is not None:
            self._grace.cancel()
        if self.on_over is not None:
            self.on_over()
        for completion in list(self._completions.values()):
            completion.fail(self._reason())
        self._end_seen()

    def _end_seen(self) -> None:
        if self._ending is not None:
            self._ending.take_reply(None)

    def _end_dispatch(self) -> None:
        if self._dispatcher is not None:
            self._dispatcher.close()
