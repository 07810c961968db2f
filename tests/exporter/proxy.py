"""A proxy between a target and its server, that spoils the connection as a bad network would."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable, Iterable
from types import TracebackType

import gevent
from gevent.event import Event

# So little that the client waits for the proxy, not for a buffer of the system.
_BUFFER = 16 * 1024


class Proxy:
    """Passes bytes on to a port of this machine; what it is told spoils connections that are there, and later ones.

    ``up`` and ``down`` are the bytes from and to the clients so far. It listens at ``host``, an address of this
    machine, on ``port``, and for each port of ``also`` on the same one there.
    """

    def __init__(self, upstream: int, *, host: str = "127.0.0.1", also: Iterable[int] = ()) -> None:
        self.host = host
        self._listeners = [_listener(host, port) for port in (0, *also)]
        self.port: int = self._listeners[0].getsockname()[1]
        self.up = 0
        self.down = 0
        #: Bytes a second from the clients, over all connections; None is as many as there are.
        self.rate: float | None = None
        self._at: tuple[int, Callable[[], object]] | None = None
        self._swallows = False
        self._goes_on = Event()
        self._goes_on.set()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        ports = [upstream, *also]
        self._greenlets = [gevent.spawn(self._accept, *pair) for pair in zip(self._listeners, ports, strict=True)]

    def at(self, count: int, do: Callable[[], object]) -> None:
        """Do something, once, before the byte after so many more from the clients is passed on."""
        self._at = (self.up + count, do)

    def cut_at(self, count: int) -> None:
        """Reset every connection after so many more bytes from the clients, once."""
        self.at(count, self.cut)

    def cut(self) -> None:
        """Reset every connection; later ones are passed on again."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for one in pair:
                # No goodbye: what a failing link or a router without memory does.
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
        for listener in self._listeners:
            listener.close()
        self.cut()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self, listener: socket.socket, upstream: int) -> None:
        while True:
            client, _ = listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", upstream), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._pairs.append((client, server))
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
            gevent.sleep(len(data) / self.rate)
        return b"" if self._swallows else data

    def _down(self, data: bytes) -> bytes:
        self._goes_on.wait()
        self.down += len(data)
        return data


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


def _listener(host: str, port: int) -> socket.socket:
    listener = socket.create_server((host, port))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    return listener
