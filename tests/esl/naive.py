"""The event socket protocol read the slow way: what the connection is held to, sharing no code with it."""

from __future__ import annotations

import re
from functools import cached_property

CONNECT = b"Event-Name: CHANNEL_DATA\n"


class Naive:
    """One message as a reader would take it apart by hand: the slow way, sharing no code."""

    def __init__(self, head: bytes, body: bytes) -> None:
        self.head, self.payload = head, body
        self.outer = pairs(head)
        self.kind = self.outer.get(b"Content-Type", b"")
        inner, _, rest = body.partition(b"\n\n")
        self.inner, self.rest = pairs(inner), rest

    @property
    def is_as_the_switch_writes_it(self) -> bool:
        """Whether an event has a body only where its headers announce one (10b)."""
        if b"Content-Length" in self.inner:
            return True
        return self.payload.endswith(b"\n\n") and self.rest == b"" and b"Content-Length" not in self.payload

    @cached_property
    def decoded(self) -> dict[str, str]:
        if self.kind == b"text/event-plain":
            return {text(name): text(percent(value)) for name, value in self.inner.items()}
        if self.head.startswith(CONNECT):
            return {text(name): text(percent(value)) for name, value in self.outer.items()}
        return {text(name): text(value) for name, value in self.outer.items()}


def pairs(block: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for line in block.split(b"\n"):
        match = re.match(rb"([^\n]*?): ([^\n]*)\Z", line)
        if match and match[1] not in found:
            found[match[1]] = match[2]
    return found


def percent(value: bytes) -> bytes:
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), value)


def text(value: bytes) -> str:
    return value.decode("utf-8", errors="replace")


def reference(data: bytes) -> tuple[list[Naive], bytes]:
    """The messages in a stream, and what is left that is no whole message.

    :raises ValueError: a Content-Length that is no number.
    """
    found = []
    while data:
        head, blank, rest = data.partition(b"\n\n")
        if not blank:
            break
        # The answer to connect is one block, whatever a header of the channel's is called (01b).
        length = 0 if head.startswith(CONNECT) else int(pairs(head).get(b"Content-Length", b"0"))
        if len(rest) < length:
            break
        found.append(Naive(head, rest[:length]))
        data = rest[length:]
    return found, data
