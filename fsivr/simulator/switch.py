"""The simulated switch: FreeSWITCH without telephones."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping

import gevent
from gevent.event import Event as Wake

from fsivr.causes import HangupCause
from fsivr.prompts import PromptLibrary
from fsivr.simulator import sip
from fsivr.simulator.caller import Caller
from fsivr.simulator.channel import Channel
from fsivr.simulator.clock import Clock, VirtualClock
from fsivr.simulator.event import Event
from fsivr.simulator.farend import FarEnd, FarLeg
from fsivr.simulator.inbound import Inbound
from fsivr.simulator.line import Line
from fsivr.simulator.listener import Listener
from fsivr.simulator.outbound import Outbound
from fsivr.simulator.participant import Participant
from fsivr.simulator.phone import Phone
from fsivr.simulator.pump import Pump
from fsivr.simulator.record import Record
from fsivr.simulator.thread import Thread
from fsivr.simulator.wire import atoi
from fsivr.simulator.world import World

# The switch's own time between `connect` and CHANNEL_PARK (captures: 1 to 20 ms).
_BEFORE_PARK = 0.001


class Switch(World):
    """A FreeSWITCH that opens the event socket to a handler's server, and callers to call it with.

    :param address: the server's host and port.
    :param clock: a virtual one where left out: a wait takes no time.
    :param library: how the handler's prompts are named; the server's own where there is one.
    """

    def __init__(
        self, address: tuple[str, int] | str, *, clock: Clock | None = None, library: PromptLibrary | None = None
    ) -> None:
        if isinstance(address, str):
            host, _, port = address.rpartition(":")
            address = (host.strip("[]"), int(port))
        super().__init__(PromptLibrary() if library is None else library)
        self.address = address
        self.clock: Clock = VirtualClock() if clock is None else clock
        self.pump = Pump(self.clock)
        #: Real seconds that a handler may think before a waiting caller gives up.
        self.patience = 5.0
        #: Real seconds that ``Caller.waits`` gives a handler before time moves on without it.
        self.grace = 0.1
        #: What is known about the end of a call's handler, for the message of a failure.
        self.explain: Callable[[str], str] = lambda uuid: ""
        self.channels: dict[str, Channel] = {}
        self.far_legs: dict[str, FarLeg] = {}
        #: Dialplan extensions that a call can be transferred to: lists of applications with arguments.
        self.extensions: dict[str, list[tuple[str, str]]] = {}
        self.session_count = 0
        #: How many API commands are sleeping.
        self.sleeping = 0
        #: The telephones that tests hold, by destination.
        self.phones: dict[str, Phone] = {}
        #: The event sockets that see the events of all channels.
        self.wide: set[Listener] = set()
        self._epoch = int(time.time()) * 1_000_000
        self._sequence = 0
        self._threads: set[Thread] = set()
        self._starting: dict[Thread, tuple[Participant, Line, bool]] = {}
        self._inbound: Inbound | None = None
        self._jobs: set[gevent.Greenlet[..., None]] = set()

    # -- calls -------------------------------------------------------------------------

    def call(
        self,
        number: str,
        *,
        caller_number: str = "1000",
        caller_name: str = "",
        context: str = "public",
        path: str = "",
        variables: Mapping[str, str] | None = None,
        after: Iterable[tuple[str, str]] = (),
        mode: str = "async full",
        gone_before_connect: bool = False,
        uuid: str = "",
    ) -> Caller:
        """A caller who dials ``number``; the call begins with its ``with`` block, or its first method.

        :param path: the socket's path, as in the dialplan's ``socket host:port/path``.
        :param variables: channel variables that the dialplan has set before.
        :param after: the dialplan's actions after ``socket``, as ``("hangup", "USER_BUSY")``.
        :param mode: the words after the address: ``async full``, or ``async``.
        :param gone_before_connect: the caller hangs up before the handler has said ``connect``.
        :param uuid: the channel's id; a new one where left out.
        """
        self.session_count += 1
        profile = sip.Profile(uuid or _new_uuid(), number, caller_number, caller_name, context)
        channel = Channel(self, profile, self.session_count)
        for name, value in (variables or {}).items():
            channel.set(name, value)
        host, port = self.address
        target = f"{f'[{host}]' if ':' in host else host}:{port}" + (f"/{path}" if path else "")
        thread = Thread(self, channel, [("socket", f"{target} {mode}"), *after])
        title = f"{number}, from {caller_number}" + (f" {caller_name!r}" if caller_name else "")
        return Caller(self, title, thread, gone_before_connect=gone_before_connect)

    def phone(self, destination: str, *, answers_after: float | None = 1.0) -> Phone:
        """Somebody at a destination, as ``user/1000``, whom an application may call within the ``with`` block.

        :param answers_after: seconds it rings; None: until its ``answers`` or ``rejects``.
        """
        return Phone(self, destination, None if answers_after is None else FarEnd(None, answers_after))

    @property
    def inbound(self) -> Inbound:
        """The switch's own event socket; it listens from now on."""
        if self._inbound is None:
            self._inbound = Inbound(self)
        return self._inbound

    @property
    def callers(self) -> list[Participant]:
        """Those whose call has not ended."""
        return [self._starting[thread][0] for thread in self._threads]

    def begin(self, caller: Participant, thread: Thread, line: Line, *, gone: bool) -> None:
        """Let a call begin: what ``Caller`` does first."""
        self.register(caller, thread, line, gone=gone)
        thread.start()

    def register(self, caller: Participant, thread: Thread, line: Line, *, gone: bool = False) -> None:
        """Have a channel be there, for commands to find it."""
        self.channels[thread.channel.uuid] = thread.channel
        self._threads.add(thread)
        self._starting[thread] = (caller, line, gone)

    def spawn(self, job: Callable[[], None]) -> None:
        """Run a background job."""
        greenlet = gevent.spawn(job)
        self._jobs.add(greenlet)
        greenlet.link(self._jobs.discard)

    def stop(self) -> None:
        """End every call at once, and close every connection."""
        gevent.killall(list(self._jobs))
        if self._inbound is not None:
            self._inbound.stop()
        for thread in list(self._threads):
            for outbound in thread.outbounds:
                outbound.line.close()
                outbound.finish()
            if thread.greenlet is not None:
                thread.greenlet.kill()
        for channel in self.channels.values():
            for taping in channel.tapes.values():
                taping.tape.leave()
        self._threads.clear()
        self.channels.clear()

    # -- what the rest of the simulator asks ---------------------------------------------

    def rest(self, seconds: float) -> None:
        """Wait on the switch's clock, which may move meanwhile."""
        over = Wake()
        timer = self.clock.call_at(self.clock.now() + seconds, over.set)
        self.sleeping += 1
        try:
            over.wait()
        finally:
            self.sleeping -= 1
            timer.cancel()

    def micros(self) -> int:
        """The time as events tell it: microseconds since the epoch."""
        return self._epoch + round(self.clock.now() * 1_000_000)

    def next_sequence(self) -> int:
        """The number of the next event."""
        self._sequence += 1
        return self._sequence

    def broadcast(self, event: Event, channel: Record | None) -> None:
        """Hand an event to the event sockets that see those of other channels too."""
        for outbound in list(self.wide):
            if channel is None or outbound.controlled is not channel:
                outbound.take_event(event)

    def forget(self, channel: Channel) -> None:
        """The channel is no more: API commands do not find it (FACTS 5.11)."""
        self.channels.pop(channel.uuid, None)
        if channel.thread is not None:
            self._threads.discard(channel.thread)
            self._starting.pop(channel.thread, None)

    def run_socket(self, thread: Thread, argument: str) -> None:
        """The application ``socket``: connect, and park the channel under the handler's control."""
        channel = thread.channel
        caller, line, gone = self._starting[thread]
        if thread.outbounds:
            line = Line(self.clock)
        where, *mode = argument.split(" ")
        if not self._connect(thread, line, where):
            channel.on_change(f"nobody listens at {where}")
            return
        outbound = Outbound(thread, line, full="full" in mode)
        outbound.on_activity = lambda: self.pump.touch(caller)
        thread.outbounds.append(outbound)
        outbound.start()
        if gone:
            channel.on_change("hangs up at once")
            channel.hangup(HangupCause.ORIGINATOR_CANCEL, by_caller=True)
            outbound.say_goodbye()
        while channel.ready and not outbound.connected and not outbound.finished:
            thread.wait()
        # A connection that ended before `connect` leaves the call parked for ever (FACTS 5.6).
        forever = outbound.finished and not outbound.connected
        if channel.ready and not forever:
            thread.wait(self.clock.now() + _BEFORE_PARK)
        thread.park(lambda: forever or outbound.controls)
        thread.parse_commands()

    def _connect(self, thread: Thread, line: Line, where: str) -> bool:
        """Whether one of several hosts, as ``h1:8084|h2:8084/path``, took the connection."""
        thread.connecting = True
        try:
            for host in where.split("|"):
                address, _, path = host.partition("/")
                name, _, port = address.rpartition(":")
                if path:
                    thread.channel.set("socket_path", path)
                thread.channel.set("socket_host", name)
                try:
                    line.connect((name.strip("[]"), atoi(port)))
                except OSError:
                    continue
                return True
            return False
        finally:
            thread.connecting = False


def _new_uuid() -> str:
    return str(uuid.uuid4())
