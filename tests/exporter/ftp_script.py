"""Script: an FTP server that says what it was told to say, whatever it is asked."""

from __future__ import annotations

import contextlib
import socket
from types import TracebackType

import gevent


class Script:
    """Listens on ``port``, and sends all its lines at once to each client."""

    def __init__(self, lines: bytes) -> None:
        self._lines = lines
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._clients: list[socket.socket] = []
        self._serving = gevent.spawn(self._serve)

    def __enter__(self) -> Script:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._serving.kill()
        for one in (self._listener, *self._clients):
            one.close()

    def _serve(self) -> None:
        while True:
            client, _ = self._listener.accept()
            self._clients.append(client)
            with contextlib.suppress(OSError):
                client.sendall(self._lines)
