"""What both kinds of event socket are to the switch: who hears of which events, and answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from fsivr.simulator import wire
from fsivr.simulator.event import Event
from fsivr.simulator.line import Line

if TYPE_CHECKING:
    from fsivr.simulator.channel import Channel
    from fsivr.simulator.switch import Switch
    from fsivr.simulator.thread import Thread


class Listener:
    """One connection: its subscriptions, and what is sent on it.

    :param channel: the channel it controls; None for an inbound one.
    """

    def __init__(self, switch: Switch, line: Line, channel: Channel | None, *, full: bool = True) -> None:
        self.switch = switch
        self.line = line
        #: The channel that is controlled, where there is one.
        self.controlled = channel
        self.full = full
        self.format = "plain"
        self.listening = False
        #: The channel whose events alone are sent, since ``myevents``.
        self.only = ""
        self.names: set[str] = set()
        self.subclasses: set[str] = set()
        self.filters: list[tuple[str, str]] = []
        self.logging = False
        #: Whether the connection is done with.
        self.finished = False
        self._holding: list[Event] | None = None

    @property
    def restricted(self) -> bool:
        """Whether ``myevents`` holds it to one channel."""
        return bool(self.only)

    def say_goodbye(self) -> None:
        """Send the last notice and close."""
        raise NotImplementedError

    def thread_of(self, uuid: str) -> Thread | None:
        """The thread that ``sendmsg`` reaches."""
        channel = self.switch.channels.get(uuid) if uuid else self.controlled
        return None if channel is None else channel.thread

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
        if self.restricted and event.owner != self.only:
            return event.get("Job-Owner-UUID") == self.only
        return True

    def _send_event(self, event: Event) -> None:
        write = {"plain": wire.plain, "json": wire.as_json, "xml": wire.as_xml}[self.format]
        body = write(event.headers, event.body)
        head = b"Content-Length: %d\nContent-Type: text/event-%s\n\n" % (len(body), self.format.encode())
        self.line.send_event(head, body)

    # -- answers -------------------------------------------------------------------------

    def reply(self, text: str, *extra: tuple[str, str]) -> None:
        """Answer a command."""
        self.line.send(wire.reply(text, *extra))

    def hold_events(self, act: Callable[[], str]) -> None:
        """Answer ``api``: no event passes before its answer (FACTS 2.8)."""
        self._holding = []
        try:
            self.line.send(wire.api_response(act()))
        finally:
            held, self._holding = self._holding, None
        self.after_api()
        for event in held:
            self.take_event(event)

    def after_api(self) -> None:
        """Called between the answer to ``api`` and the events that waited for it."""

    def listens_to_all(self) -> bool:
        """Whether events of other channels than its own may pass."""
        return self.listening and not self.restricted and not self.finished


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
