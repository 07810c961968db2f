"""One socket: bytes in become messages on the hub, bytes out never wait.

No greenlet reads: the event loop calls ``_readable`` when bytes are there, so a
call at rest costs a watcher and not a stack, and a verb that is waiting is
switched to directly. Whatever runs here runs on the hub and must not block.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
from collections.abc import Callable
from typing import Any

import gevent
from gevent.socket import create_connection

from fsivr.errors import ConnectionLost, ESLError
from fsivr.esl.connection import Connection
from fsivr.esl.messages import Message

log = logging.getLogger(__name__)

_READ, _WRITE = 1, 2  # libev's EV_READ and EV_WRITE
_CHUNK = 65536
_MAX_BACKLOG = 1 << 20
"""Bytes that may be waiting for a switch that does not read when more is to be sent."""


class Transport:
    """A connected socket that reads by itself, until it ends once.

    :param on_message: called on the hub with each message.
    :param on_end: called once, on the hub or from ``send``, with what ended the
        connection: None for a clean end of the stream. Not called after ``close``.
    :param call: the uuid of the call that it is for, for the log; "" for none.
    """

    __slots__ = ("_backlog", "_call", "_connection", "_fd", "_on_end", "_on_message", "_reader", "_sock", "_writer")

    def __init__(
        self,
        sock: socket.socket,
        on_message: Callable[[Message], None],
        on_end: Callable[[ESLError | None], None],
        call: Callable[[], str] = str,
    ) -> None:
        self._call = call
        self._sock: socket.socket | None = sock
        self._fd = sock.fileno()
        self._connection = Connection()
        self._on_message = on_message
        self._on_end = on_end
        self._backlog = bytearray()
        self._writer: Any = None
        self._reader: Any = gevent.get_hub().loop.io(self._fd, _READ)
        self._reader.start(self._readable)

    @property
    def closed(self) -> bool:
        """Whether the socket is gone."""
        return self._sock is None

    def send(self, data: bytes) -> None:
        """Write the bytes now or as soon as the socket takes them; never waits.

        Where the connection is gone or ends over it, ``on_end`` tells.
        """
        if self._sock is None:
            return
        if not self._backlog:
            try:
                sent = os.write(self._fd, data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._end(ConnectionLost(f"the connection to the switch broke: {error.strerror}"))
                return
            if sent == len(data):
                return
            data = data[sent:]
        if len(self._backlog) > _MAX_BACKLOG:
            self._end(ConnectionLost("the switch has stopped reading"))
            return
        self._backlog += data
        if self._writer is None:
            self._writer = gevent.get_hub().loop.io(self._fd, _WRITE)
            self._writer.start(self._writable)

    def close(self) -> None:
        """Close the socket; ``on_end`` is not called any more."""
        sock, self._sock = self._sock, None
        if sock is None:
            return
        # What these refer to refers back: without them nothing waits for the garbage collector.
        self._on_message = self._on_end = _nothing
        for watcher in (self._reader, self._writer):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._reader = self._writer = None
        self._backlog.clear()
        self._connection.ready.clear()
        sock.close()

    def _readable(self) -> None:
        try:
            try:
                data = os.read(self._fd, _CHUNK)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                raise ConnectionLost(f"the connection to the switch broke: {error.strerror}") from None
            connection = self._connection
            if not data:
                connection.receive_end()
                self._end(None)
                return
            connection.receive(data)
            ready, on_message = connection.ready, self._on_message
            while ready:
                on_message(ready.popleft())
            if connection.failure and self._sock is not None:
                connection.next_message()
        except ESLError as error:
            self._end(error)
        except Exception as error:  # a fault of ours must end this call, not the hub
            log.exception("an event could not be handled", extra={"call": self._call()})
            self._end(ConnectionLost(f"an event could not be handled: {error!r}"))

    def _writable(self) -> None:
        try:
            sent = os.write(self._fd, self._backlog)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(ConnectionLost(f"the connection to the switch broke: {error.strerror}"))
            return
        del self._backlog[:sent]
        if not self._backlog:
            self._writer.stop()
            self._writer.close()
            self._writer = None

    def _end(self, error: ESLError | None) -> None:
        if self._sock is not None:
            on_end = self._on_end
            self.close()
            on_end(error)


def _nothing(_: object) -> None:
    """Nobody listens any more."""


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """A connected socket.

    :raises OSError: it cannot be had; ``TimeoutError`` where it took longer.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return create_connection((host, port), timeout)
    # A numeric address needs no look-up, for which gevent would start a thread.
    sock = gevent.socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6)
    try:
        sock.settimeout(timeout)
        sock.connect((host, port))
    except BaseException:
        sock.close()
        raise
    return sock


def tune(sock: socket.socket) -> None:
    """Send at once, and notice within about a minute that the other machine is gone.

    Done to a listening socket, it holds for those it accepts.
    """
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000)
