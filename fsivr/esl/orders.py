"""What can be asked of the switch for one call: every wait ends, and is matched by id."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fsivr.causes import HangupCause
from fsivr.durations import Durations
from fsivr.errors import CommandRefused, ReplyTimeout
from fsivr.esl import commands
from fsivr.esl.exchange import Exchange
from fsivr.esl.messages import Event
from fsivr.esl.running import Running
from fsivr.esl.state import CallState
from fsivr.esl.waits import Alarm, Completion

# FreeSWITCH drops a connection with more than 256 commands queued (capture
# 06i_sendmsg_queue_overflow).
_BATCH = 128


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session waits, in seconds.

    :param reply: for the answer to a command, and for the end of a hangup.
    :param probe: how often a long wait asks whether the switch still knows the call.
    :param verb: for an application to end, where the verb gives no time of its own.
    :param replies: where it is counted how long the switch took to answer; nowhere where None.
    """

    reply: float = 5.0
    probe: float = 30.0
    verb: float = 3600.0
    replies: Durations | None = None


class Orders(CallState):
    """Applications and API commands for the channel at the other end of one event socket.

    Its methods raise ``Hangup`` once the call or the connection is over.

    :param client_address: the switch's address, for the log.
    :param sock: the accepted socket; it is owned from now on.
    """

    #: The channel's id, of letters, digits and dashes; "" before ``connect``.
    uuid: str = ""

    def __init__(self, client_address: Any, sock: socket.socket, limits: Limits | None = None) -> None:
        super().__init__()
        self.peer = client_address
        self.limits = limits or Limits()
        self._token = f"{random.getrandbits(32):08x}"  # tells our applications from others'
        self._count = 0
        self._runs: list[Running] = []  # what was begun, and may run on
        self._exchange = Exchange(
            sock,
            timeout=self.limits.reply,
            on_message=self._on_message,
            on_end=self._on_end,
            reason=self.ended,
            call=lambda: self.uuid,
            replies=self.limits.replies,
        )

    # -- applications ----------------------------------------------------------------

    def execute(
        self, application: str, argument: str = "", *, timeout: float | None = None, outlives: bool = False
    ) -> Event:
        """The ``CHANNEL_EXECUTE_COMPLETE`` of an application, once it has ended.

        :param timeout: seconds it may take; ``limits.verb`` where None.
        :param outlives: return it also where it ended because the caller hung up.
        :raises ReplyTimeout: it took longer; what was running has been stopped.
        """
        return self._execute_batch([(application, argument)], timeout, outlives)[0]

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

    def begin(self, application: str, argument: str = "", *, loops: int = 1) -> Running:
        """Start an application; what is executed afterwards runs inside it, and it goes on.

        :param loops: how often it is run; -1 for ever.
        """
        self._check()
        event_uuid = self._new_event_uuid()
        running = Running(
            application,
            event_uuid.encode(),
            once=loops == 1,
            registry=self._completions,
            interrupt=lambda: self._exchange.send(commands.api("uuid_break", self.uuid)),
            looping=lambda: self.fetch_variable("total_loops") is not None,
            over=lambda: self.over,
            limit=self.limits.reply,
        )
        self._exchange.send(commands.execute(application, argument, event_uuid=event_uuid, loops=loops))
        self._runs.append(running)
        return running

    def watch(self, event: str, function: Callable[[Event], None]) -> Callable[[], None]:
        """Have a function called on the hub with each event of a name, which it must not hold up.

        After ``myevents``, only this channel's come (FACTS 6.2).

        :returns: what ends it.
        """
        if event not in self._watched:
            self._watched[event] = []
            self._exchange.send(commands.command(f"event plain {event}"))
        functions = self._watched[event]
        functions.append(function)
        return lambda: functions.remove(function) if function in functions else None

    def refresh(self) -> None:
        """Have the switch describe the channel anew: ``channel`` is what it is now (FACTS 2.3)."""
        self._check()
        self.channel = self._exchange.ask(b"connect\n\n", "connect")

    # -- API commands ----------------------------------------------------------------

    def api(self, command: str, argument: str = "") -> str:
        """What an API command of the switch printed.

        It holds up the connection's events while it runs (FACTS 2.8): not for slow ones.

        :raises CommandRefused: the switch answered ``-ERR`` or ``-USAGE``.
        """
        self._check()
        reply = self._exchange.ask(commands.api(command, argument), command)
        self._check()  # what was heard before the answer may have been the end
        if not reply.ok:
            raise CommandRefused(f"the switch refused {command!r}: {reply.reply_text[:200]}")
        return reply.text

    def post(self, command: str, argument: str = "", *, now: bool = False) -> None:
        """Have an API command run before the next thing sent, or ``now``; its answer is not waited for."""
        (self._exchange.send if now else self._exchange.post)(commands.api(command, argument))

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

    # -- waiting -----------------------------------------------------------------------

    def _new_event_uuid(self) -> str:
        self._count += 1
        return f"{self._token}-{self._count}"

    def _execute_batch(
        self, steps: Sequence[tuple[str, str]], timeout: float | None, outlives: bool = False
    ) -> list[Event]:
        if self.hangup_cause is not None:
            self._check()
        lock = len(steps) > 1
        wire, event_uuids = b"", []
        for application, argument in steps:
            self._count += 1
            event_uuid = f"{self._token}-{self._count}"
            event_uuids.append(event_uuid.encode())
            wire += commands.execute(application, argument, event_uuid=event_uuid, lock=lock)
        completion = Completion(steps[0][0], event_uuids, outlives, self.limits.replies)
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
            if self.over and completion.outlives and completion.wait(self.limits.reply):
                return
            self._check()
            if alarm.left <= 0:
                raise ReplyTimeout(f"{completion.what!r} had not ended after {timeout:g} s")
            if completion.wait(min(self.limits.probe, alarm.left)):
                return
            self._probe()

    def _stop_applications(self) -> None:
        for completion in self._completions.values():
            if isinstance(completion, Running):
                completion.broken()  # what runs on around the verb ends with it
        self._exchange.send(commands.api("uuid_break", f"{self.uuid} all"))

    def _probe(self) -> None:
        """Ask whether the call is there; where it is not, see the end that tells why come in."""
        reply = self._exchange.ask(commands.api("uuid_exists", self.uuid), "uuid_exists")
        if reply.text.strip() == "false":
            # The hangup's events were held back while the command ran (FACTS 2.8).
            self.await_end(self.limits.reply)
            self._finish(HangupCause.NORMAL_UNSPECIFIED, None)
