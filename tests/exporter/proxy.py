"""A proxy between a target and its server, that spoils the connection as a bad network would."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable
from types import TracebackType

import gevent
from gevent.event import Event

# So little that the client waits for the proxy, not for a buffer of the system.
_BUFFER = 16 * 1024


class Proxy:
    """Passes bytes on to a port of this machine; what it is told spoils connections that are there, and later ones.

    ``up`` and ``down`` are the bytes from and to the clients so far.
    """

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self.port: int = self._listener.getsockname()[1]
        self.up = 0
        self.down = 0
        #: Bytes a second from the clients, over all connections; None is as many as there are.
        self.rate: float | None = None
        self._due = 0.0
        self._at: tuple[int, Callable[[], object]] | None = None
        self._swallows = False
        self._goes_on = Event()
        self._goes_on.set()
        self._sockets: list[socket.socket] = []
        self._greenlets = [gevent.spawn(self._accept)]

    def at(self, count: int, do: Callable[[], object]) -> None:
        """Do something, once, before the byte after so many more from the clients is passed on."""
        self._at = (self.up + count, do)

    def cut_at(self, count: int) -> None:
        """Reset every connection after so many more bytes from the clients, once."""
        self.at(count, self.cut)

    def cut(self) -> None:
        """Reset every connection; later ones are passed on again."""
        sockets, self._sockets = self._sockets, []
        for one in sockets:
            # No goodbye: what a failing link or a router without memory does.
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            _shut(one)
            one.close()

    def stall(self) -> None:
        """Pass nothing on, with every connection open, until ``resume``."""
        self._goes_on.clear()

    def resume(self) -> None:
        """Pass bytes on again."""
        self._swallows = False
        self._goes_on.set()

    def swallow(self) -> None:
        """Take what the clients send, and pass none of it on."""
        self._swallows = True

    def close(self) -> None:
        """Cut all, and listen no more."""
        gevent.killall(self._greenlets)
        self._listener.close()
        self.cut()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            server = socket.socket()
            # Before anything that waits, so that `close` finds them.
            self._sockets += [client, server]
            try:
                server.connect(("127.0.0.1", self._upstream))
            except OSError:
                client.close()
                server.close()
                continue
            self._greenlets.append(gevent.spawn(self._pass, client, server, self._up))
            self._greenlets.append(gevent.spawn(self._pass, server, client, self._down))

    def _pass(self, source: socket.socket, sink: socket.socket, count: Callable[[bytes], bytes]) -> None:
        try:
            while data := source.recv(_BUFFER):
                sink.sendall(count(data))
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            _shut(source)
            _shut(sink)

    def _up(self, data: bytes) -> bytes:
        if self._at is not None and self.up + len(data) >= self._at[0]:
            (_, do), self._at = self._at, None
            do()
        self._goes_on.wait()
        self.up += len(data)
        if self.rate is not None:
            self._due = max(self._due, time.monotonic()) + len(data) / self.rate
            gevent.sleep(max(0, self._due - time.monotonic()))
        return b"" if self._swallows else data

    def _down(self, data: bytes) -> bytes:
        self._goes_on.wait()
        self.down += len(data)
        return data


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
