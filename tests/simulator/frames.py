"""The messages of a switch, decoded apart from the code under test."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote_to_bytes


class Frame(NamedTuple):
    """One message of the switch."""

    kind: str
    #: Name and raw value of each header, inner ones for an event.
    headers: list[tuple[str, str]]
    body: str

    def get(self, name: str) -> str:
        """A header's value, percent-decoded for events; "" where absent."""
        value = next((value for key, value in self.headers if key == name), "")
        return unquote_to_bytes(value).decode("utf-8", "replace") if self.is_event else value

    @property
    def is_event(self) -> bool:
        """Whether it came in an event's envelope."""
        return self.kind == "event"

    @property
    def names(self) -> list[str]:
        """The headers' names, in order."""
        return [name for name, _ in self.headers]


def frames(data: bytes) -> tuple[list[Frame], bytes]:
    """The whole frames in some bytes, and what is left over."""
    found: list[Frame] = []
    while (end := data.find(b"\n\n")) >= 0:
        head = _headers(data[:end])
        length = 0 if head and head[0][0] == "Event-Name" else int(dict(head).get("Content-Length", "0"))
        if len(data) < end + 2 + length:
            break
        body = data[end + 2 : end + 2 + length]
        data = data[end + 2 + length :]
        kind = dict(head).get("Content-Type", "")
        if kind == "text/event-plain":
            inner, _, rest = body.partition(b"\n\n")
            found.append(Frame("event", _headers(inner), rest.decode("utf-8", "replace")))
        else:
            found.append(Frame(kind, head, body.decode("utf-8", "replace")))
    return found, data


def _headers(block: bytes) -> list[tuple[str, str]]:
    rows = (line.partition(": ") for line in block.decode("utf-8", "replace").split("\n"))
    return [(name, value) for name, _, value in rows]
