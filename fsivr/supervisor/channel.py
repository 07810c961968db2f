"""Channel: what a supervisor and a worker say to each other, a JSON object a line."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from gevent import socket


class Channel:
    """One end of it; whoever loses the other end is told by the end of what it reads.

    :param sock: a connected socket.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """What the other end says, until it is gone."""
        rest = b""
        while True:
            try:
                data = self._sock.recv(65536)
            except OSError:
                return
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield json.loads(line)

    def say(self, **what: Any) -> None:
        """Tell the other end; one that is gone is not told."""
        with contextlib.suppress(OSError):  # its end is read elsewhere
            self._sock.sendall(json.dumps(what).encode() + b"\n")

    def close(self) -> None:
        """End it."""
        self._sock.close()
