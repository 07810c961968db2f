"""How FreeSWITCH reads what is sent to it: its rules in Python, to hold our wire text to.

Written from reading ``mod_event_socket.c`` (``read_packet``), ``switch_utils.c``
(``switch_separate_string``) and ``switch_channel.c`` (``switch_channel_expand_variables``)
of 1.11; it shares no code with them nor with fsivr.
"""

from __future__ import annotations

import re
from typing import NamedTuple

#: read_packet ends a command by itself where its header block gets this long.
LONGEST_HEAD = 10 << 20

#: read_packet drops the connection over a longer body.
LONGEST_BODY = 16 << 20


class Dropped(Exception):
    """FreeSWITCH would close the connection."""


class Packet(NamedTuple):
    """One command as FreeSWITCH understood it."""

    command: str
    headers: list[tuple[str, str]]
    body: str | None

    def get(self, name: str) -> str | None:
        """The first header of that name, in any case, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def read_packets(data: bytes) -> tuple[list[Packet], bytes]:
    """The commands in a stream, and what is left that is no whole command yet."""
    packets: list[Packet] = []
    while True:
        data = data.lstrip(b"\r\n")
        end = re.search(rb"\n\r*\n", data[:LONGEST_HEAD])
        if end is None and len(data) < LONGEST_HEAD:
            return packets, data
        stop = LONGEST_HEAD if end is None else end.end()
        head, rest = data[:stop], data[stop:]
        lines = [line for line in re.split(rb"[\r\n]+", head.split(b"\0")[0]) if line]
        headers, body = [], None
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon:
                continue
            value = value.lstrip(b" ")
            headers.append((_text(name), _text(value)))
            if name.lower() == b"content-length":
                digits = re.match(rb"\s*[+-]?\d+", value)
                length = int(digits[0]) if digits else 0
                if not 0 <= length <= LONGEST_BODY:
                    raise Dropped
                if len(rest) < length:
                    return packets, data
                if length:
                    body, rest = _text(rest[:length].split(b"\0")[0]), rest[length:]
        packets.append(Packet(_text(lines[0]) if lines else "", headers, body))
        data = rest


def separate(text: str, delimiter: str = " ", limit: int = 3) -> list[str]:
    """The parts of an API command's argument: quotes and backslashes resolved."""
    parts: list[str] = []
    at, quoted = 0, False
    while at < len(text) and len(parts) < limit:
        if delimiter == " ":
            while at < len(text) and text[at] == " ":
                at += 1
        start = at
        if len(parts) == limit - 1:  # the last one is all that is left
            parts.append(text[start:])
            break
        while at < len(text):
            if text[at] == "\\":
                at += 1
            elif text[at] == "'" and (quoted or delimiter == " " or "'" in text[at + 1 :]):
                quoted = not quoted
            elif text[at] == delimiter and not quoted:
                break
            at += 1
        parts.append(text[start:at])
        at += 1
    return [_clean(part, delimiter) for part in parts]


def _clean(part: str, delimiter: str) -> str:
    out, end, at, quoted = "", 0, 0, False
    part = part.lstrip(" ")
    escapes = {"n": "\n", "r": "\r", "t": "\t", "s": " ", "'": "'", '"': '"', "\\": "\\"}
    if delimiter != " ":
        escapes[delimiter] = delimiter
    while at < len(part):
        char = part[at]
        if char == "\\" and at + 1 < len(part) and part[at + 1] in escapes:
            at += 1
            out += escapes[part[at]]
            end = len(out)
        elif char == "'" and (quoted or "'" in part[at + 1 :]):
            quoted = not quoted
            end = len(out) if quoted else end
        else:
            out += char
            end = len(out) if char != " " or quoted else end
        at += 1
    return out[:end] if end or not out.strip(" ") else out


def expansions(argument: str) -> list[str]:
    """The ``${…}`` in an application's argument that FreeSWITCH would expand."""
    found, at = [], 0
    while at < len(argument):
        if argument[at] == "\\" and argument[at + 1 : at + 2] in ("$", "\\"):
            at += 3 if argument[at + 1 : at + 3] == "$$" else 2
            continue
        if match := re.match(r"\$\$?\{[^}]*\}?", argument[at:]):
            found.append(match[0])
            at += match.end()
            continue
        at += 1
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
