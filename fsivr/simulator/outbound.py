"""The switch's side of one outbound event socket: what mod_event_socket calls a listener."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent

from fsivr.simulator import wire
from fsivr.simulator.line import Line
from fsivr.simulator.listener import Listener
from fsivr.simulator.wire import BadCommand, Command, CommandReader

if TYPE_CHECKING:
    from fsivr.simulator.channel import Channel
    from fsivr.simulator.thread import Thread

log = logging.getLogger(__name__)

# Seconds that the first command may take (mod_event_socket.c, listener_run).
_FIRST_COMMAND = 25.0


class Outbound(Listener):
    """Reads commands, answers them, and sends the events that were asked for."""

    def __init__(self, thread: Thread, line: Line, *, full: bool = True) -> None:
        super().__init__(thread.switch, line, thread.channel, full=full)
        self.thread = thread
        self.channel: Channel = thread.channel
        self.linger: int | None = None
        #: Whether `connect` has come.
        self.connected = False
        self._first = True
        self._notified = False
        self._reader = CommandReader()
        self._greenlet: gevent.Greenlet[..., None] | None = None
        line.on_lost = self.finish
        line.on_deaf = self._stop_reading
        line.on_nudge = lambda: self.channel.fire("CHANNEL_DATA")
        #: Called when something has come from the server.
        self.on_activity: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to read; the channel's events come here from now on."""
        self.channel.listeners.append(self.take_event)
        self._timeout = self.switch.clock.call_at(self.switch.clock.now() + _FIRST_COMMAND, self._too_slow)
        if not self.line.deaf:
            self._greenlet = gevent.spawn(self._read)

    def thread_of(self, uuid: str) -> Thread | None:
        """The thread that ``sendmsg`` reaches; its own also when the channel is gone (FACTS 5.11)."""
        return self.thread if uuid in ("", self.channel.uuid) else super().thread_of(uuid)

    @property
    def controls(self) -> bool:
        """Whether the channel is held for this connection."""
        return not self.finished

    @property
    def lingering(self) -> bool:
        """Whether the connection outlives its channel for now."""
        return self.line.open and self.thread.finished

    def finish(self) -> None:
        """The connection is done with; the channel's dialplan goes on (FACTS 5.1)."""
        if self.finished:
            return
        self.finished = True
        self._timeout.cancel()
        if self.take_event in self.channel.listeners:
            self.channel.listeners.remove(self.take_event)
        self.switch.wide.discard(self)
        self._stop_reading()
        self.channel.wake()
        self.on_activity()

    def say_goodbye(self) -> None:
        """Send the last notice and close."""
        if not self.finished:
            self.line.send(wire.disconnect_notice(self.channel.uuid))
            self.line.close()
            self.finish()

    def channel_is_down(self) -> None:
        """The channel has hung up: linger, or say goodbye (FACTS 5.8, 5.9)."""
        if self.finished or self._notified or self.line.mute:
            return
        self._notified = True
        if self.linger is None:
            self.say_goodbye()
            return
        name = self.channel.profile.channel_name
        self.line.send(wire.linger_notice(self.channel.uuid, name, self.linger))
        if self.linger != -1:
            now = self.switch.clock.now()
            self._timeout.cancel()
            # The switch counts in whole seconds and ends when they are over (FACTS 5.10).
            self._timeout = self.switch.clock.call_at(int(now) + self.linger + 1, self.say_goodbye)

    # -- commands ------------------------------------------------------------------------

    def after_api(self) -> None:
        """A ``uuid_kill`` of its own channel: the notice overtakes the events, which are lost without linger."""
        if not self.channel.up and not self.thread.finished:  # capture 11o_api_uuid_kill_self
            self.channel_is_down()

    def _read(self) -> None:
        try:
            self._read_commands()
        except Exception:
            # A fault of the simulator must end this connection, not hang it.
            log.exception("the simulated event socket of %s broke", self.channel.uuid)
            self.say_goodbye()

    def _read_commands(self) -> None:
        while not self.finished:
            data = self.line.read()
            if self.line.deaf:
                return
            if not data:
                self.line.closed_by_server = self.line.open
                self.say_goodbye()
                return
            self.on_activity()
            self._reader.feed(data)
            try:
                while not self.finished and (command := self._reader.next()) is not None:
                    self._take(command)
            except BadCommand:
                self.say_goodbye()
            self.on_activity()

    def _take(self, command: Command) -> None:
        from fsivr.simulator.commands import answer

        first, self._first = self._first, False
        if first:
            self._timeout.cancel()
        if first and not command.line.lower().startswith("connect"):
            # The answer to a first command other than `connect` is swallowed (FACTS 2.2).
            mute, self.line.mute = self.line.mute, True
            answer(self, command)
            self.line.mute = mute
        else:
            answer(self, command)
        (self.switch.wide.add if self.listens_to_all() else self.switch.wide.discard)(self)

    def _too_slow(self) -> None:
        if self._first:
            self.say_goodbye()

    def _stop_reading(self) -> None:
        greenlet, self._greenlet = self._greenlet, None
        if greenlet is not None and greenlet is not gevent.getcurrent():
            greenlet.kill(block=False)
