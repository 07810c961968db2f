"""The event socket's text as FreeSWITCH writes it, and the commands as it reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from xml.sax.saxutils import escape

#: What is left as it is in a value (FACTS 1.6).
_PLAIN = re.compile(r"[A-Za-z0-9,/!*'()$~_.-]*")
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789,/!*'()$~_.-")
_UPPER_HEX = re.compile(rb"%[0-9A-F]{2}")

#: The largest command, and the largest body of one (mod_event_socket.c, read_packet).
MAX_COMMAND = 10485760
GOODBYE = b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"

Headers = Sequence[tuple[str, str]]


def encode(text: str) -> bytes:
    """The bytes of a text; bytes that were not UTF-8 when read come out as they were."""
    return text.encode("utf-8", "surrogateescape")


@lru_cache(maxsize=8192)
def quote(value: str) -> bytes:
    """A header's value percent-encoded as FreeSWITCH does it, with its loss.

    A ``%`` before two upper-case hex digits is passed through (FACTS 1.7).
    """
    if _PLAIN.fullmatch(value):
        return value.encode("ascii")
    raw = encode(value)
    out = bytearray()
    for place, byte in enumerate(raw):
        if byte in _SAFE or (byte == 0x25 and _UPPER_HEX.match(raw, place)):
            out.append(byte)
        else:
            out += b"%%%02X" % byte
    return bytes(out)


def plain(headers: Iterable[tuple[str, str]], body: str = "") -> bytes:
    """An event in text/event-plain; a header with an empty value is left out (FACTS 1.8)."""
    lines = [name.encode("utf-8", "surrogateescape") + b": " + quote(value) for name, value in headers if value]
    if body:
        lines.append(b"Content-Length: %d" % len(encode(body)))
    return b"\n".join(lines) + b"\n\n" + encode(body)


def as_json(headers: Iterable[tuple[str, str]], body: str = "") -> bytes:
    """An event in text/event-json: no percent-encoding, arrays as lists (FACTS 1.9, 1.10)."""
    parts: list[str] = []
    for name, value in headers:
        if value:
            array = value.removeprefix("ARRAY::").split("|:") if value.startswith("ARRAY::") else value
            # Written pair by pair: CHANNEL_HANGUP_COMPLETE has one key twice.
            parts.append(f"{json.dumps(name)}:{json.dumps(array, ensure_ascii=False)}")
    if body:
        parts.append(f'"Content-Length":"{len(encode(body))}"')
        parts.append(f'"_body":{json.dumps(body, ensure_ascii=False)}')
    return encode("{" + ",".join(parts) + "}")


def as_xml(headers: Iterable[tuple[str, str]], body: str = "") -> bytes:
    """An event in text/event-xml; values are percent-encoded too (FACTS 1.6)."""
    rows = [
        f"    <{escape(name)}>{escape(quote(value).decode('ascii'))}</{escape(name)}>\n"
        for name, value in headers
        if value
    ]
    if body:
        rows.append(f"    <Content-Length>{len(encode(body))}</Content-Length>\n")
    inner = f"  <body>{escape(body)}</body>\n" if body else ""
    return encode(f"<event>\n  <headers>\n{''.join(rows)}  </headers>\n{inner}</event>")


def reply(text: str, *extra: tuple[str, str]) -> bytes:
    """The answer to a command: its value is not encoded (FACTS 1.3) and cut at 511 bytes (2.7)."""
    head = b"Content-Type: command/reply\nReply-Text: " + encode(text)[:511]
    return head + b"".join(encode(f"\n{name}: {value}") for name, value in extra) + b"\n\n"


def api_response(text: str) -> bytes:
    """The answer to ``api``; one without output is ``-ERR no reply`` (FACTS 2.9)."""
    body = encode(text or "-ERR no reply\n")
    return b"Content-Type: api/response\nContent-Length: %d\n\n" % len(body) + body


def disconnect_notice(uuid: str) -> bytes:
    """The last words of a connection; an inbound one, which controls nothing, has no ``uuid`` (FACTS 5.15)."""
    controlled = b"Controlled-Session-UUID: " + encode(uuid) + b"\nContent-Disposition: disconnect\n" if uuid else b""
    return b"Content-Type: text/disconnect-notice\n%bContent-Length: %d\n\n" % (controlled, len(GOODBYE)) + GOODBYE


def linger_notice(uuid: str, channel_name: str, seconds: int) -> bytes:
    """What a lingering connection says when its channel has hung up."""
    return encode(
        f"Content-Type: text/disconnect-notice\nControlled-Session-UUID: {uuid}\n"
        f"Content-Disposition: linger\nChannel-Name: {channel_name}\n"
        f"Linger-Time: {seconds}\nContent-Length: 0\n\n"
    )


class Command:
    """One command: its line, its headers and its body."""

    __slots__ = ("body", "headers", "line")

    def __init__(self, line: str, headers: list[tuple[str, str]], body: str) -> None:
        self.line = line
        self.headers = headers
        self.body = body

    def get(self, name: str) -> str:
        """A header's value, whatever its case; ``""`` where it is absent."""
        name = name.lower()
        return next((value for key, value in self.headers if key.lower() == name), "")


class BadCommand(ValueError):
    """The other side sent a body length that is out of range; the connection is dropped."""


class CommandReader:
    """Takes commands out of bytes, as ``read_packet`` of mod_event_socket.c does."""

    _END = re.compile(rb"\n\r*\n")

    def __init__(self) -> None:
        self._data = bytearray()
        self._pending: tuple[Command, int] | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes in."""
        self._data += data

    def next(self) -> Command | None:
        """The next whole command; None until there is one.

        :raises BadCommand: a ``Content-Length`` that is negative or too large.
        """
        if self._pending is None and not self._read_head():
            return None
        assert self._pending is not None
        command, length = self._pending
        if len(self._data) < length:
            return None
        command.body = _text(bytes(self._data[:length]))
        del self._data[:length]
        self._pending = None
        return command

    def _read_head(self) -> bool:
        blanks = len(self._data) - len(self._data.lstrip(b"\r\n"))
        del self._data[:blanks]
        end = self._END.search(self._data)
        if end is not None:
            head, after = bytes(self._data[: end.start()]), end.end()
        elif len(self._data) >= MAX_COMMAND:
            head, after = bytes(self._data), len(self._data)
        else:
            return False
        del self._data[:after]
        # Read as C reads it: a NUL ends the text.
        lines = [line for line in re.split(r"[\r\n]+", _text(head)) if line]
        headers = [_header(line) for line in lines[1:] if ":" in line]
        command = Command(lines[0] if lines else "", headers, "")
        self._pending = command, _length(command.get("content-length"))
        return True


def _text(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.lstrip(" ")


def atoi(text: str) -> int:
    """The number a text begins with; 0 where it begins with none."""
    found = re.match(r"\s*([+-]?[0-9]{1,18})", text)
    return int(found.group(1)) if found else 0


def _length(text: str) -> int:
    length = atoi(text)
    if not 0 <= length <= MAX_COMMAND:
        raise BadCommand(f"Content-Length {text[:40]!r} is out of range")
    return length
