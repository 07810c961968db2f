"""Control of one call over the outbound event socket.

Nothing here waits without an end, and a completion is matched by its id and by
nothing else.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fsivr.causes import HangupCause
from fsivr.errors import CommandRefused, ConnectionLost, ReplyTimeout
from fsivr.esl import commands
from fsivr.esl.exchange import Exchange
from fsivr.esl.messages import Event, Reply
from fsivr.esl.state import CallState
from fsivr.esl.waits import Alarm, Completion

_EVENTS = "CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE"
_LINGER = 10
# One write. `myevents` holds the socket to this channel for good, `noevents` then
# drops its list of a dozen events, and only the named ones come (capture
# 08d_myevents_then_event_plain). `linger` keeps the tail of a call from being
# lost (FACTS 5.8 in docs/esl-quirks.md).
_SETUP = (f"connect\n\nlinger {_LINGER}\n\nmyevents\n\nnoevents\n\nevent plain {_EVENTS}\n\n").encode()
_SETUP_REPLIES = 4  # beside the one to `connect`

# FreeSWITCH drops a connection with more than 256 commands queued (capture
# 06i_sendmsg_queue_overflow).
_BATCH = 128


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


class CallControl(CallState):
    """The event socket of one call, and what can be done with the call over it.

    Its methods raise ``Hangup`` once the call or the connection is over.

    :param client_address: the switch's address, for the log.
    :param sock: the accepted socket; the session owns it from now on.
    """

    #: The channel's id, of letters, digits and dashes; "" before ``connect``.
    uuid: str = ""

    def __init__(self, client_address: Any, sock: socket.socket, limits: Limits | None = None) -> None:
        super().__init__()
        self.peer = client_address
        self.limits = limits or Limits()
        self._full = True  # whether the switch takes every command from us
        self._killed = False
        self._token = f"{random.getrandbits(32):08x}"  # tells our applications from others'
        self._count = 0
        self._exchange = Exchange(
            sock,
            timeout=self.limits.reply,
            on_message=self._on_message,
            on_end=self._on_end,
            reason=self._reason,
        )

    # -- what a call does ------------------------------------------------------------

    def attach(self) -> Event | Reply:
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
            self._full = False
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
        if 0 < len(steps) <= _BATCH:
            return self._execute_batch(steps, timeout)
        alarm = Alarm(self.limits.verb if timeout is None else timeout)
        done: list[Event] = []
        for first in range(0, len(steps), _BATCH):
            done += self._execute_batch(steps[first : first + _BATCH], max(alarm.left, 0.0))
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
        self._of_channel("uuid_setvar", f"{name} {commands.quote(value)}" if value else name)

    def fetch_variable(self, name: str) -> str | None:
        """The exact value of a channel variable; None where it is not set.

        The switch answers ``_undef_`` for that (capture ``07a_vars_plain``).
        """
        value = self._of_channel("uuid_getvar", name)
        return None if value == "_undef_" else value

    def _of_channel(self, command: str, argument: str) -> str:
        """What an API command about this channel printed; a value may look like a refusal."""
        self._check()
        said = self._exchange.ask(commands.api(command, f"{self.uuid} {argument}"), command).text
        if said == "-ERR No such channel!\n":
            self._probe()
            self._check()
        return said

    # -- how a call ends ---------------------------------------------------------------

    def kill(self, cause: HangupCause) -> None:
        """Hang up now, whatever is running, without waiting for it to have happened."""
        if not self.uuid or self.over or self._killed:
            return
        self._killed = True
        if not self._full:
            headers = [("call-command", "hangup"), ("hangup-cause", cause.name)]
            self._exchange.send(commands.command("sendmsg", headers))
        else:
            # `sendmsg hangup` would wait for the end of a locked application (capture
            # 06e_hangup_cmd_during_locked_playback); this does not (11o_api_uuid_kill_self).
            self._exchange.send(commands.api("uuid_kill", f"{self.uuid} {cause.name}"))

    def end(self, cause: HangupCause) -> None:
        """Hang up if the call is up, see its last event come in, and close.

        Takes at most twice ``limits.reply``; never raises.

        :param cause: what the caller's side is told.
        """
        self.kill(cause)
        if not (self._complete or self.released or self._exchange.closed):
            self._await_end(self.limits.reply)
        if not self.over:  # the switch does not answer: for us the call has ended all the same
            self._finish(cause, ReplyTimeout("the switch did not confirm the hangup"))
        self.close()

    def release(self) -> None:
        """Give the call back to the dialplan, which goes on after its ``socket`` action."""
        if not self.over:
            self._exchange.send(commands.command("exit"))
            self.released = True
            self._finish(HangupCause.NONE, None)

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
            reply = self.limits.reply
            if not completion.wait(reply if reply < timeout else timeout):
                self._await_long(completion, timeout)
        except BaseException:
            for expected in event_uuids:
                completions.pop(expected, None)
            if not (completion.finished or self.over):
                # Left early, by a gevent.Timeout as it may be: what comes next must not nest in it.
                self._stop_applications()
            raise
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
                raise ReplyTimeout(f"{completion.what!r} had not ended after {timeout:g} s")
            if completion.wait(min(self.limits.probe, alarm.left)):
                return
            self._probe()

    def _stop_applications(self) -> None:
        self._exchange.send(commands.api("uuid_break", f"{self.uuid} all"))

    def _probe(self) -> None:
        """Ask whether the call is there; where it is not, see the end that tells why come in."""
        reply = self._exchange.ask(commands.api("uuid_exists", self.uuid), "uuid_exists")
        if reply.text.strip() == "false":
            # The hangup's events were held back while the command ran (FACTS 2.8).
            self._await_end(self.limits.reply)
            self._finish(HangupCause.NORMAL_UNSPECIFIED, None)
