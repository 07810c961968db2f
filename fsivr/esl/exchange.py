"""Commands and their replies over one connection, in order; everything else goes to the owner."""

from __future__ import annotations

import logging
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable

from fsivr.durations import Durations
from fsivr.errors import ESLError, ReplyTimeout
from fsivr.esl.messages import Message, Reply
from fsivr.esl.transport import Transport
from fsivr.esl.waits import Answer, Completion

log = logging.getLogger(__name__)


class Exchange:
    """One connection's commands and replies: the switch answers in the order it was asked.

    :param sock: a connected socket; it is owned from now on.
    :param timeout: seconds the switch has to answer a command.
    :param on_message: called on the hub with every message that is no reply.
    :param on_end: called once when the connection ends, with what broke it or None.
    :param reason: makes the error that waits end with once the connection has ended.
    :param call: the uuid of the call that it is for, for the log; "" for none.
    :param replies: where it is counted how long the switch took to answer what is asked.
    """

    __slots__ = (
        "_answers",
        "_call",
        "_on_end",
        "_on_message",
        "_outbox",
        "_reason",
        "_replies",
        "_transport",
        "timeout",
    )

    def __init__(
        self,
        sock: socket.socket,
        *,
        timeout: float,
        on_message: Callable[[Message], None],
        on_end: Callable[[ESLError | None], None],
        reason: Callable[[], BaseException],
        call: Callable[[], str] = str,
        replies: Durations | None = None,
    ) -> None:
        self.timeout = timeout
        self._on_message = on_message
        self._on_end = on_end
        self._reason = reason
        self._replies = replies
        self._call = call
        self._answers: deque[Completion | Answer | None] = deque()
        self._outbox = b""
        self._transport = Transport(sock, self._take, self._end, call)

    @property
    def closed(self) -> bool:
        """Whether the socket is gone."""
        return self._transport.closed

    def send(self, wire: bytes, answers: Iterable[Completion | Answer | None] = (None,)) -> None:
        """Write commands; never waits.

        :param answers: what takes the reply to each command; None for a reply nobody needs.
        """
        self._answers.extend(answers)
        if self._outbox:
            wire, self._outbox = self._outbox + wire, b""
        self._transport.send(wire)

    def post(self, wire: bytes) -> None:
        """Have one command travel with what is sent next; nobody needs its reply."""
        self._answers.append(None)
        self._outbox += wire

    def ask(self, wire: bytes, what: str, more: int = 0) -> Reply:
        """The reply to a command.

        :param what: the command's name, for the error.
        :param more: how many further commands ``wire`` holds, whose replies nobody needs.
        :raises BaseException: ``reason``'s error, when the connection has ended or ends.
        """
        if self.closed:
            raise self._reason()
        answer = Answer(what)
        began = time.monotonic()
        self.send(wire, [answer, *[None] * more])
        answered = answer.wait(self.timeout)
        if self._replies is not None:
            self._replies.took(what, time.monotonic() - began)
        if not answered:
            self.fail(ReplyTimeout(f"the switch did not answer {what!r} within {self.timeout:g} s"))
            raise self._reason()
        return answer.result()

    def fail(self, error: ESLError) -> None:
        """The connection is of no more use: close it, and end every wait on it."""
        self._transport.close()
        self._end(error)

    def close(self) -> None:
        """Close the connection and end every wait on it; ``on_end`` is not called."""
        self._transport.close()
        self._end_waits()

    # -- on the hub: must not block -------------------------------------------------------

    def _take(self, message: Message) -> None:
        if type(message) is not Reply:
            self._on_message(message)
        elif self._answers:
            answer = self._answers.popleft()
            if answer is not None:
                answer.take_reply(message)
            elif not message.ok and "No such channel" not in message.reply_text:
                self._warn("the switch refused a command: %.200s", message.reply_text)
        else:
            self._warn("the switch answered what was not asked: %.80r", message.reply_text)

    def _warn(self, what: str, said: str) -> None:
        log.warning(what, said, extra={"call": self._call()})

    def _end(self, error: ESLError | None) -> None:
        self._on_end(error)
        self._end_waits()

    def _end_waits(self) -> None:
        answers, self._answers = self._answers, deque()
        for answer in answers:
            if answer is not None:
                answer.fail(self._reason())
