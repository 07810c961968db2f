"""The event socket protocol as a value: bytes in, messages out, no socket."""

from __future__ import annotations

import re
from collections import deque
from enum import Enum
from typing import Final, Literal

from fsivr.errors import RemoteProtocolError
from fsivr.esl.messages import Message, Notice, Reply, event


class _NeedData(Enum):
    NEED_DATA = "NEED_DATA"


NEED_DATA: Final = _NeedData.NEED_DATA
"""What ``next_message`` returns when the next message has not arrived whole."""

MAX_HEAD: Final = 4 << 20
"""Bytes a header block may have: the answer to ``connect`` holds every channel variable."""

MAX_BODY: Final = 16 << 20
"""Bytes a body may have; single events of 426 kB were seen (capture ``06g_content_body_args``)."""

_OK = b"Content-Type: command/reply\nReply-Text: +OK\n\n"
OK_REPLY: Final = Reply(_OK[:-2], b"")
"""The one object for the plain ``+OK``, which most replies are."""
_API_OK = b"Content-Type: api/response\nContent-Length: 4\n\n+OK\n"
API_OK_REPLY: Final = Reply(b"Content-Type: api/response\nContent-Length: 4", b"+OK\n")
_REPLY = b"Content-Type: command/reply\n"
_BLANK = re.compile(rb"\n\n").search  # a third of the time of bytes.find
_CONNECT = b"Event-Name: CHANNEL_DATA\n"
# Of an event the switch writes the length first, and the type (capture 01b_basic_sip).
_EVENT = re.compile(rb"Content-Length: ([0-9]{1,12})\nContent-Type: text/event-plain\n\n")
_CLASSES: Final[dict[bytes, type[Message]]] = {
    b"command/reply": Reply,
    b"api/response": Reply,
    b"text/disconnect-notice": Notice,
}


class Connection:
    """Turns the bytes of one connection into messages, within fixed bounds of memory.

    Any bytes give a message, ``NEED_DATA`` or ``RemoteProtocolError``; after an
    error the connection is unusable and raises it again.

    :param max_head: bytes a header block may have.
    :param max_body: bytes a body may have.
    """

    __slots__ = ("_buffer", "_max_body", "_max_head", "_scanned", "_wanted", "failure", "ready")

    def __init__(self, max_head: int = MAX_HEAD, max_body: int = MAX_BODY) -> None:
        self._max_head = max_head
        self._max_body = max_body
        self._buffer = bytearray()
        self._scanned = 0  # the buffer holds no blank line before this offset
        self._wanted = 0  # bytes the buffer must hold before another look is worth it
        #: What makes the connection unusable; "" while nothing does.
        self.failure = ""
        #: The messages that have arrived whole, for ``next_message`` or to be taken from its left.
        self.ready: deque[Message] = deque()

    def receive(self, data: bytes) -> None:
        """Take bytes that arrived.

        :raises RemoteProtocolError: the connection has failed before.
        """
        if self.failure:
            raise RemoteProtocolError(self.failure)
        kept = self._buffer
        if kept:
            kept += data
            if len(kept) < self._wanted:
                return
        # What is whole is read where it lies; only a rest is copied to be kept.
        block = kept or data
        done, size = 0, len(block)
        ready = self.ready
        while done < size:
            if block.startswith(_OK, done):
                done += len(_OK)
                ready.append(OK_REPLY)
                continue
            if block.startswith(_API_OK, done):
                done += len(_API_OK)
                ready.append(API_OK_REPLY)
                continue
            head = _EVENT.match(block, done)
            stop = self._take_other(block, done) if head is None else self._take_event(block, head)
            if not stop:
                break
            done = stop
        self._keep(kept, data, done)

    def _keep(self, kept: bytearray, data: bytes, done: int) -> None:
        """Keep what is not whole yet; of a connection that failed, nothing."""
        if self.failure:
            self._buffer = bytearray()
        elif kept:
            del kept[:done]  # not copied anew for every byte that a slow sender adds
        elif done < len(data):
            self._buffer = bytearray(data[done:])

    def receive_end(self) -> None:
        """Take the end of the stream.

        :raises RemoteProtocolError: it came in the middle of a message.
        """
        if self._buffer and not self.failure:
            self._fail(f"the connection ended in the middle of a message, {len(self._buffer)} bytes into it")
        if self.failure:
            raise RemoteProtocolError(self.failure)

    def next_message(self) -> Message | Literal[_NeedData.NEED_DATA]:
        """The next message, or ``NEED_DATA`` when it has not arrived whole.

        :raises RemoteProtocolError: the bytes are not a message, or too many.
        """
        if self.ready:
            return self.ready.popleft()
        if self.failure:
            raise RemoteProtocolError(self.failure)
        return NEED_DATA

    def _take_event(self, block: bytes | bytearray, head: re.Match[bytes]) -> int:
        """Take the event with this head; where it stops, or 0 where it is not here whole."""
        length = int(head[1])
        if length > self._max_body:
            self._fail(f"the switch sent a body of {length} bytes; the limit is {self._max_body}")
            return 0
        start = head.end()
        stop = start + length
        if len(block) < stop:
            self._wanted = stop - head.start()
            return 0
        self.ready.append(event(bytes(block[start:stop])))
        return stop

    def _take_other(self, block: bytes | bytearray, start: int) -> int:
        """Take a message of another kind; where it stops, or 0 where it is not here whole."""
        blank = _BLANK(block, max(start, self._scanned), start + self._max_head + 2)
        if blank is None:
            if len(block) - start > self._max_head + 1:
                self._fail(f"the switch sent a header block of over {self._max_head} bytes")
            self._scanned = max(len(block) - start - 1, 0)
            self._wanted = 0
            return 0
        self._scanned = 0
        end = blank.start()
        head = bytes(block[start:end])
        if head.startswith(_REPLY) and b"\nContent-Length: " not in head:
            self.ready.append(Reply(head, b""))
            return end + 2
        stop = end + 2 + self._body_length(head)
        if self.failure:
            return 0
        if len(block) < stop:
            self._wanted = stop - start
            return 0
        self.ready.append(_message(head, bytes(block[end + 2 : stop])))
        return stop

    def _body_length(self, head: bytes) -> int:
        if head.startswith(_CONNECT):
            return 0  # the answer to `connect` is one block (capture 01b_basic_sip)
        digits = Message(head, b"").raw(b"Content-Length")
        if digits is None:
            return 0
        if not digits.isdigit() or len(digits) > 12:
            self._fail(f"the switch sent a Content-Length that is no number: {digits[:32]!r}")
        elif int(digits) > self._max_body:
            self._fail(f"the switch sent a body of {int(digits)} bytes; the limit is {self._max_body}")
        else:
            return int(digits)
        return 0

    def _fail(self, what: str) -> None:
        # The text is kept and not an error: an error holds its frames, and they the buffer.
        self.failure = what


def _message(head: bytes, payload: bytes) -> Message:
    content_type = Reply(head, payload).raw(b"Content-Type") or b""
    if content_type == b"text/event-plain":
        return event(payload)
    return _CLASSES.get(content_type, Message)(head, payload)
