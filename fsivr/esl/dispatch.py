"""Events to the functions that were registered for them, as greenswitch has it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import gevent
from gevent.queue import Queue
from greenswitch.esl import ESLEvent

from fsivr.esl.messages import Event, Message, Notice
from fsivr.whose import about

log = logging.getLogger(__name__)


class LegacyEvent(ESLEvent):  # type: ignore[misc]
    """A message as greenswitch shows it: ``headers`` a dict, ``data`` the body or the reply."""

    def __init__(self, message: Message, data: str | None = None) -> None:
        self.headers = message.headers
        self.data = message.text if data is None else data


EventHandler = Callable[[LegacyEvent], Any]


class Dispatcher:
    """Calls registered functions with events, one after the other, on a greenlet of its own.

    A function may block; the connection goes on reading meanwhile. One that
    raises is logged and does not stop the others.

    :param owner: where greenswitch's ``before_handle`` and ``after_handle`` may be defined.
    """

    def __init__(self, owner: object) -> None:
        self._owner = owner
        #: The functions by event name.
        self.handlers: dict[str, list[EventHandler]] = {}
        self._queue: Queue[Message | None] | None = None

    def register(self, name: str, handler: EventHandler) -> None:
        """Have a function called with each event of a name.

        ``*`` takes what no other name took, ``DISCONNECT`` the connection's
        notices, ``log`` the log's lines; a ``CUSTOM`` event goes by its subclass.
        """
        handlers = self.handlers.setdefault(name, [])
        if handler not in handlers:
            handlers.append(handler)

    def unregister(self, name: str, handler: EventHandler) -> None:
        """Do not call it any more.

        :raises ValueError: it was not registered.
        """
        if handler not in self.handlers.get(name, []):
            raise ValueError(f"No handlers found for event: {name}")
        self.handlers[name].remove(handler)
        if not self.handlers[name]:
            del self.handlers[name]

    def take(self, message: Message) -> None:
        """An event has come."""
        if not self.handlers:
            return
        if self._queue is None:
            self._queue = Queue()
            gevent.spawn(self._run, self._queue)
        self._queue.put_nowait(message)

    def close(self) -> None:
        """Nothing more will come: the greenlet ends when it has dealt with what did."""
        queue, self._queue = self._queue, None
        if queue is not None:
            queue.put_nowait(None)

    def _run(self, queue: Queue[Message | None]) -> None:
        about(getattr(self._owner, "uuid", ""))  # spawned by the hub
        while (message := queue.get()) is not None:
            for name in _names(message):
                if name in self.handlers:
                    self._call(list(self.handlers[name]), LegacyEvent(message))
                    break

    def _call(self, handlers: list[EventHandler], event: LegacyEvent) -> None:
        before, after = (getattr(self._owner, name, None) for name in ("before_handle", "after_handle"))
        for handler in (before, *handlers, after):
            if handler is not None:
                try:
                    handler(event)
                except gevent.GreenletExit:
                    raise
                except BaseException:  # a gevent.Timeout or a Hangup must not end the rest
                    log.exception("the handler %r of an event failed", getattr(handler, "__qualname__", handler))


def _names(message: Message) -> tuple[str, ...]:
    if isinstance(message, Event):
        name = message.get("Event-Subclass", "") if message.name == "CUSTOM" else message.name
        return (name or "", "*")
    if isinstance(message, Notice):
        return ("DISCONNECT", "*")
    return ("log", "*") if message.content_type == "log/data" else ()
