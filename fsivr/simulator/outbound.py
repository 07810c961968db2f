"""The switch's side of one outbound event socket: what mod_event_socket calls a listener."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent

from fsivr.simulator import wire
from fsivr.simulator.event import Event
from fsivr.simulator.line import Line
from fsivr.simulator.wire import BadCommand, Command, CommandReader

if TYPE_CHECKING:
    from fsivr.simulator.channel import Channel
    from fsivr.simulator.thread import Thread

log = logging.getLogger(__name__)

# Seconds that the first command may take (mod_event_socket.c, listener_run).
_FIRST_COMMAND = 25.0


class Outbound:
    """Reads commands, answers them, and sends the events that were asked for."""

    def __init__(self, thread: Thread, line: Line, *, full: bool = True) -> None:
        self.thread = thread
        self.switch = thread.switch
        self.channel: Channel = thread.channel
        self.line = line
        self.full = full
        self.format = "plain"
        self.listening = False
        self.restricted = False
        self.names: set[str] = set()
        self.subclasses: set[str] = set()
        self.filters: list[tuple[str, str]] = []
        self.linger: int | None = None
        self.logging = False
        #: Whether `connect` has come.
        self.connected = False
        #: Whether the connection is done with: the channel goes on without it.
        self.finished = False
        self._first = True
        self._notified = False
        self._holding: list[Event] | None = None
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

    # -- events ------------------------------------------------------------------------

    def take_event(self, event: Event) -> None:
        """Send an event on, if it was asked for."""
        if self.finished or not self.listening or not self._wants(event):
            return
        if self._holding is not None:
            self._holding.append(event)
        else:
            self._send_event(event)

    def _wants(self, event: Event) -> bool:
        if event.name not in self.names and "ALL" not in self.names:
            return False
        if event.name == "CUSTOM" and (event.get("Event-Subclass") or "") not in self.subclasses | {""}:
            return False
        if self.filters and not _passes(self.filters, event):
            return False
        if self.restricted and event.owner != self.channel.uuid:
            return event.get("Job-Owner-UUID") == self.channel.uuid
        return True

    def _send_event(self, event: Event) -> None:
        write = {"plain": wire.plain, "json": wire.as_json, "xml": wire.as_xml}[self.format]
        body = write(event.headers, event.body)
        head = b"Content-Length: %d\nContent-Type: text/event-%s\n\n" % (len(body), self.format.encode())
        self.line.send_event(head, body)

    # -- commands ------------------------------------------------------------------------

    def reply(self, text: str, *extra: tuple[str, str]) -> None:
        """Answer a command."""
        self.line.send(wire.reply(text, *extra))

    def hold_events(self, act: Callable[[], str]) -> None:
        """Answer ``api``: no event passes before its answer (FACTS 2.8)."""
        self._holding = []
        try:
            answer = act()
            self.line.send(wire.api_response(answer))
        finally:
            held, self._holding = self._holding, None
        if not self.channel.up and not self.thread.finished:
            # It was a uuid_kill of its own channel: the notice overtakes the events
            # (capture 11o_api_uuid_kill_self), and without linger they are lost.
            self.channel_is_down()
        for event in held:
            self.take_event(event)

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
        wide = self.listening and not self.restricted and not self.finished
        (self.switch.wide.add if wide else self.switch.wide.discard)(self)

    def _too_slow(self) -> None:
        if self._first:
            self.say_goodbye()

    def _stop_reading(self) -> None:
        greenlet, self._greenlet = self._greenlet, None
        if greenlet is not None and greenlet is not gevent.getcurrent():
            greenlet.kill(block=False)


def _passes(filters: list[tuple[str, str]], event: Event) -> bool:
    """Whether the filters let an event through: they are OR-ed, and ``-value`` vetoes (FACTS 6.4)."""
    passes = False
    for name, wanted in filters:
        value = event.get(name)
        if value is None:
            continue
        positive = True
        compared = wanted.lstrip("+- ")
        for sign in wanted[: len(wanted) - len(compared)]:
            positive = sign == "+" if sign in "+-" else positive
        if passes and positive:
            continue
        searched = wanted.startswith("/")
        matches = _search(compared.strip("/"), value) if searched else value.lower() == compared.lower()
        if matches and not positive:
            return False
        passes = passes or matches
    return passes


def _search(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return False
