"""What is written of each call: one row, when it begins and again when it ends."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from fsivr.call import Channel
from fsivr.errors import ConfigError
from fsivr.server.conversation import Conversation
from fsivr.server.heartbeat import Heartbeat, Load
from fsivr.store import Journal, call_began, call_ended
from fsivr.store.rows import CallEnd, CallStart, calls_lost

# Seconds that a stopping server waits for the database.
_LAST = 10.0


class History:
    """The calls of a server, told to a journal; what it does in a call's greenlet is measured in docs/store.md.

    :param journal: what writes the rows.
    :param node: this machine's name.
    :param worker: which of the machine's servers it is.
    """

    def __init__(self, journal: Journal, *, node: str | None = None, worker: str = "") -> None:
        self._journal = journal
        self._node = socket.gethostname() if node is None else node
        self._worker = worker
        self._starts: dict[Conversation, CallStart] = {}
        self._heartbeat: Heartbeat | None = None

    def open(self, listening: socket.socket, load: Callable[[], Load]) -> None:
        """Begin to write; calls of an earlier server of this name, which nobody else can end, are ended.

        :param listening: the server's; closed where that fails.
        :param load: how busy the server is, told once a second.
        :raises ConfigError: the store is of a newer fsivr.
        """
        try:
            self._journal.start()
        except ConfigError:
            listening.close()
            raise
        if self._worker:
            self._journal.put(calls_lost(self._node, self._worker, time.time()))
        host, port = listening.getsockname()[:2]
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._heartbeat = Heartbeat(self._journal, load, node=self._node, worker=self._worker, listen=where)

    def close(self) -> None:
        """Say that the server is no more, and write what waits, within a few seconds."""
        heartbeat, self._heartbeat = self._heartbeat, None
        if heartbeat is not None:
            heartbeat.stop()
        self._journal.close(_LAST)

    def began(self, conversation: Conversation, channel: Channel) -> None:
        """A handler is about to take the call."""
        handler = conversation.handler
        start = CallStart(
            channel.uuid,
            f"{handler.__module__}.{handler.__qualname__}",
            channel.caller_number,
            channel.destination,
            channel.context,
            channel.get("Call-Direction"),
            time.time(),
            self._node,
            self._worker,
        )
        self._starts[conversation] = start
        self._journal.put(call_began(start))

    def ended(self, conversation: Conversation) -> None:
        """The call is over, and its handler has left it; a second time does nothing."""
        start = self._starts.pop(conversation, None)
        if start is None:
            return
        call = conversation.call
        cause = call.hangup_cause
        handler = conversation.handler  # the one it was handed over to, where it was
        end = CallEnd(
            time.time(),
            call.channel.get("Caller-Channel-Answered-Time", "0"),
            "" if cause is None else cause.name,
            f"{handler.__module__}.{handler.__qualname__}",
            conversation.error,
            (),
        )
        self._journal.put(call_ended(start, end))
