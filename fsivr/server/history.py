"""What is written of each call: one row, when it begins and again when it ends."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from functools import partial

from fsivr.call import Channel, NotedCall
from fsivr.call.wording import timeline
from fsivr.causes import HangupCause
from fsivr.errors import ConfigError, FsivrError
from fsivr.esl.session import Session
from fsivr.server.conversation import Conversation
from fsivr.server.counts import Counts
from fsivr.server.heartbeat import Heartbeat, Load
from fsivr.server.refusal import Reason, Refused
from fsivr.store import Journal, call_began, call_ended
from fsivr.store.rows import CallEnd, CallStart, call_turned_away, calls_lost, clean

# Seconds that a stopping server waits for the database.
_LAST = 10.0


class History:
    """The calls of a server, told to a journal; what it does in a call's greenlet is measured in docs/store.md.

    :param journal: what writes the rows.
    :param node: this machine's name.
    :param worker: which of the machine's servers it is, as the address it was told to listen on.
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
        host, port = listening.getsockname()[:2]
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if self._worker.endswith(":0"):  # a port that was free: others of this setting may run beside this one
            self._worker = where
        if self._worker:
            self._journal.put(calls_lost(self._node, self._worker, time.time()))
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
        start = self._start(f"{handler.__module__}.{handler.__qualname__}", channel)
        self._starts[conversation] = start
        self._journal.put(call_began(start))

    def turned_away(self, channel: Channel, cause: HangupCause | None, why: str) -> None:
        """A call that no handler got.

        :param cause: what it was ended with; None where it goes on elsewhere.
        """
        start = self._start("", channel)
        answered = channel.get("Caller-Channel-Answered-Time", "0")
        end = CallEnd(time.time(), answered, "" if cause is None else cause.name, "", why, ())
        self._journal.put(call_turned_away(start, end))

    def over_early(self, session: Session, cause: HangupCause, error: BaseException) -> None:
        """A call that was over before its handler had it; nothing is written of one that the switch has not described.

        :param error: what it ended with; the text of a ``Hangup`` is its cause's.
        """
        if session.channel is not None:
            told = f"{type(error).__name__}: {error}" if isinstance(error, FsivrError) else "over before its handler"
            self.turned_away(Channel(session), cause, told)

    def refused(self, said: bytes, how: str, reason: Reason) -> None:
        """A call that was refused; nothing is written of one that the switch has not described.

        :param said: what the switch said of it.
        :param how: see ``refuse``.
        """
        refused = Refused(said)
        if refused.channel is not None:
            cause = HangupCause.SWITCH_CONGESTION if how == "hangup" else None
            self.turned_away(Channel(refused), cause, f"refused: {reason.text}")

    def ended(self, conversation: Conversation, counts: Counts) -> None:
        """The call is over, and its handler has left it; a second time does nothing.

        :param counts: where its verbs are counted.
        """
        start = self._starts.pop(conversation, None)
        if start is None:
            return
        call = conversation.call
        cause = call.hangup_cause
        notes = call.timeline.take() if isinstance(call, NotedCall) else None
        if notes is not None:
            counts.noted(notes)
        handler = conversation.handler  # the one it was handed over to, where it was
        end = CallEnd(
            time.time(),
            call.channel.get("Caller-Channel-Answered-Time", "0"),
            "" if cause is None else cause.name,
            f"{handler.__module__}.{handler.__qualname__}",
            conversation.error,
            () if notes is None else partial(timeline, notes, clean),
        )
        self._journal.put(call_ended(start, end))

    def _start(self, handler: str, channel: Channel) -> CallStart:
        return CallStart(
            channel.uuid,
            handler,
            channel.caller_number,
            channel.destination,
            channel.context,
            channel.get("Call-Direction"),
            time.time(),
            self._node,
            self._worker,
        )
