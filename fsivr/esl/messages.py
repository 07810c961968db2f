"""What the switch sends, as frozen values whose headers are decoded only when asked for.

An event has about 150 headers and a handler reads three, so a message keeps
the bytes it came in and looks a header up by searching for its line. Lines are
split before anything is percent-decoded: a ``%0A`` in a caller's name stays
inside its value and can never become a header.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

# The last four headers of the answer to `connect`, behind kilobytes of variables.
_CONNECT_TAIL = frozenset({b"Content-Type", b"Reply-Text", b"Socket-Mode", b"Control"})


class _Frame(NamedTuple):
    head: bytes
    payload: bytes
    end: int = 0  # where the headers of an event's payload end


class Message(_Frame):
    """One message of the event socket: a header block and, where it has one, a body."""

    __slots__ = ()

    @property
    def content_type(self) -> str:
        """The ``Content-Type`` header; ``""`` for a block without one.

        FreeSWITCH itself sends such blocks when ``getvar`` answers with a value
        of several lines (capture ``07a_vars_plain``).
        """
        return (_find(self.head, b"Content-Type") or b"").decode("latin-1")

    def raw(self, name: bytes) -> bytes | None:
        """The bytes of a header's value as they came, or None where it is absent.

        Where a header is repeated (``CODEC`` events do), the first one counts.
        """
        return _find(self.head, name)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The decoded value of a header, or ``default`` where it is absent.

        Bytes that are not UTF-8 become U+FFFD.
        """
        value = self.raw(name.encode())
        return default if value is None else value.decode("utf-8", "replace")

    @property
    def headers(self) -> dict[str, str]:
        """Every header, decoded; where one is repeated, the first."""
        return _as_dict(self.head, percent=False)

    @property
    def body(self) -> bytes:
        """The body's bytes; ``b""`` where there is none."""
        return self.payload

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 become U+FFFD."""
        return self.body.decode("utf-8", "replace")


class Event(Message):
    """An event of ``text/event-plain``: its headers are the inner ones.

    Values come percent-encoded. A ``%`` followed by two upper-case hex digits
    was sent as it was (capture ``07a_vars_plain``), so ``%41`` in a caller's
    text reads as ``A`` here; ``api uuid_getvar`` gives the true value.
    """

    __slots__ = ()

    @property
    def name(self) -> str:
        """The event's name, as ``CHANNEL_HANGUP``; ``""`` for an event without one.

        A diverted event has none (capture ``08j_divert_events``).
        """
        return (self.raw(b"Event-Name") or b"").decode("latin-1")

    def raw(self, name: bytes) -> bytes | None:
        """The still encoded bytes of an inner header, or None where it is absent."""
        return _find(self.payload, name, self.end)

    def last(self, key: bytes) -> bytes | None:
        """The still encoded bytes of a header that stands near the end; twenty times as fast there.

        :param key: a line break, the name, a colon and a blank.
        """
        payload = self.payload
        at = payload.rfind(key, 0, self.end)
        if at < 0:
            return None
        stop = payload.find(b"\n", at + len(key), self.end)
        return payload[at + len(key) : self.end if stop < 0 else stop]

    def says(self, key: bytes, value: bytes) -> bool:
        """Whether a header has a value.

        :param key: a line break, the name, a colon and a blank.
        :param value: with the line break that ends it.
        """
        at = self.payload.find(key, 0, self.end)
        return at >= 0 and self.payload.startswith(value, at + len(key))

    def named(self, line: bytes) -> bool:
        """Whether this is the event whose first line, ``Event-Name: …`` with its line break, is given."""
        return self.payload.startswith(line)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The decoded value of an inner header, or ``default`` where it is absent."""
        # Application, Application-UUID and Application-Response are an event's last headers.
        value = self.last(_key(name)) if name.startswith("Application") else self.raw(name.encode())
        return default if value is None else decode(value)

    @property
    def headers(self) -> dict[str, str]:
        """Every inner header, decoded; where one is repeated, the first."""
        return _as_dict(self.payload[: self.end], percent=True)

    @property
    def body(self) -> bytes:
        """The inner body: a background job's output, else ``b""``."""
        return self.payload[self.end + 2 :]


class Reply(Message):
    """The answer to a command: ``command/reply`` or ``api/response``.

    The answer to ``connect`` describes the channel; its values, and only its,
    come percent-encoded (capture ``01b_basic_sip``).
    """

    __slots__ = ()

    def raw(self, name: bytes) -> bytes | None:
        """The bytes of a header's value as they came, or None where it is absent."""
        if name in _CONNECT_TAIL and self._encoded:
            key = b"\n" + name + b": "
            at = self.head.rfind(key)
            return None if at < 0 else self.head[at + len(key) :].partition(b"\n")[0]
        return _find(self.head, name)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of a header, or ``default`` where it is absent."""
        value = self.raw(name.encode())
        if value is None:
            return default
        return decode(value) if self._encoded else value.decode("utf-8", "replace")

    @property
    def headers(self) -> dict[str, str]:
        """Every header, decoded; where one is repeated, the first."""
        return _as_dict(self.head, percent=self._encoded)

    @property
    def _encoded(self) -> bool:
        return self.head.startswith(b"Event-Name: ")

    @property
    def reply_text(self) -> str:
        """What the switch said: ``Reply-Text``, or the body of an ``api`` answer, stripped."""
        said = self.get("Reply-Text")
        return (self.text if said is None else said).strip()

    @property
    def ok(self) -> bool:
        """Whether the switch did not refuse: no ``-ERR`` and no ``-USAGE``."""
        if b"\nReply-Text: +OK" in self.head or self.payload.startswith(b"+OK"):
            return True
        return not self.reply_text.startswith(("-ERR", "-USAGE"))


class Notice(Message):
    """``text/disconnect-notice``: the connection ends, or lingers after the call."""

    __slots__ = ()

    @property
    def lingering(self) -> bool:
        """Whether the call is over but the connection stays a while (capture ``01b_basic_sip``)."""
        return self.raw(b"Content-Disposition") == b"linger"


def event(payload: bytes) -> Event:
    """An event from what came as its body.

    The switch announces an inner body by a ``Content-Length`` among the inner
    headers (capture ``10b_bgapi``): without one, all of it is headers, and the
    blank line need not be searched for through kilobytes.
    """
    end = len(payload) - 2
    if payload.rfind(b"\nContent-Length: ") >= 0 or not payload.endswith(b"\n\n"):
        blank = payload.find(b"\n\n")
        end = blank if blank >= 0 else len(payload)
    return tuple.__new__(Event, (_EVENT_HEAD, payload, end))


_EVENT_HEAD = b"Content-Type: text/event-plain"


def decode(value: bytes) -> str:
    """The text of a percent-encoded header value; ``+`` is a plus sign, not a space."""
    if b"%" in value:
        value = value.replace(b"%20", b" ")  # nearly always all there is to it
        if b"%" in value:
            value = unquote_to_bytes(value)
    return value.decode("utf-8", "replace")


@lru_cache(maxsize=256)
def _key(name: str) -> bytes:
    return b"\n" + name.encode() + b": "


def _find(block: bytes, name: bytes, end: int = -1) -> bytes | None:
    if end < 0:
        end = len(block)
    key = b"\n" + name + b": "
    if block.startswith(key[1:]):  # a block's first header has no line before it
        at = len(key) - 1
    else:
        at = block.find(key, 0, end)
        if at < 0:
            return None
        at += len(key)
    stop = block.find(b"\n", at, end)
    return block[at : end if stop < 0 else stop]


def _as_dict(block: bytes, *, percent: bool) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in block.split(b"\n"):
        name, colon, value = line.partition(b": ")
        if colon:
            text = decode(value) if percent else value.decode("utf-8", "replace")
            headers.setdefault(name.decode("utf-8", "replace"), text)
    return headers
