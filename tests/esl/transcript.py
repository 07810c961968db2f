"""The transcripts of a real switch, read from ``transcripts/`` beside this file."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fsivr.esl.connection import NEED_DATA, Connection
from fsivr.esl.messages import Message

FOLDER = Path(__file__).parent / "transcripts"
FROM_SWITCH = "fs>app"
TO_SWITCH = "app>fs"


class Line(NamedTuple):
    """One line of a transcript: what one side wrote, or a note on what the driver did."""

    #: Seconds since the connection was made.
    t: float
    #: :data:`FROM_SWITCH` or :data:`TO_SWITCH`; ``""`` for a note.
    direction: str
    data: bytes
    note: str


def names() -> list[str]:
    """Every transcript's name, sorted."""
    return sorted(path.name.removesuffix(".jsonl.gz") for path in FOLDER.glob("*.jsonl.gz"))


@cache
def load(name: str) -> list[Line]:
    """The lines of one transcript, in order; empty for a call that was closed before a byte.

    :raises FileNotFoundError: no transcript has that name.
    """
    with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(row) for row in file]
    return [
        Line(
            float(row["t"]),
            row.get("dir", ""),
            base64.b64decode(row.get("data", "")),
            row.get("note", ""),
        )
        for row in rows
    ]


@cache
def stream(name: str, direction: str = FROM_SWITCH) -> bytes:
    """All that one side wrote in one transcript, in one piece."""
    return b"".join(line.data for line in load(name) if line.direction == direction)


def messages(chunks: Iterable[bytes]) -> list[Message]:
    """The messages in these pieces of one stream.

    :raises RemoteProtocolError: the bytes are not whole messages.
    """
    connection, found = Connection(), []
    for chunk in chunks:
        connection.receive(chunk)
        while (message := connection.next_message()) is not NEED_DATA:
            found.append(message)
    connection.receive_end()  # raises where bytes are left over
    return found
