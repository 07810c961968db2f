"""The connection to the handler's server, and the faults that can be asked of it."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import struct
import time
from collections.abc import Callable

import gevent
from gevent import socket as gsocket

from fsivr.simulator.clock import TICK, Clock, Timer

#: So many bytes may wait for a server that does not read before it is dropped.
_MAX_UNSENT = 64 << 20
_BROKEN = (
    (re.compile(rb"^(Caller-Caller-ID-Name|Channel-Caller-ID-Name): .*$", re.M), b"\\1: J\xfcrgen \xff\xfe"),
    (re.compile(rb"^(Caller-Orig-Caller-ID-Name): .*$", re.M), rb"\1: J%FCrgen %FF%C3"),
    (re.compile(rb"^(variable_sip_subject): .*$", re.M), b"\\1: \xc3(%C3%28"),
)
_TCP_CLOSE, _TCP_CLOSE_WAIT = 7, 8


class Line:
    """The event socket's TCP connection.

    Each fault acts at once; with ``at="playback"`` it acts when that application starts.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._socket: gsocket.socket | None = None
        self._unsent = bytearray()
        self._flusher: gevent.Greenlet[..., None] | None = None
        self._closing = False
        self._armed: dict[str, list[Callable[[], None]]] = {}
        self._held: bytes | None = None
        self._held_timer: Timer | None = None
        self._duplicating = self._reordering = self._bad_utf8 = self._cutting = False
        #: The switch reads nothing more.
        self.deaf = False
        #: The switch sends nothing more.
        self.mute = False
        #: Called when a fault, or the server, has ended the connection.
        self.on_lost: Callable[[], None] = lambda: None
        #: Called to have the switch stop reading.
        self.on_deaf: Callable[[], None] = lambda: None
        #: Called when what can be expected of the connection has changed.
        self.on_change: Callable[[], None] = lambda: None
        #: Called to have some event sent at once.
        self.on_nudge: Callable[[], None] = lambda: None
        #: Whether the server, not the switch, closed the connection.
        self.closed_by_server = False
        #: Whether there has been a connection.
        self.was_open = False

    # -- the connection --------------------------------------------------------------

    @property
    def open(self) -> bool:
        """Whether the connection is there."""
        return self._socket is not None

    @property
    def dead(self) -> bool:
        """Whether the switch does not hear the server any more, though the connection is there."""
        return self.deaf or self.mute

    @property
    def holding(self) -> bool:
        """Whether an event is being held back, to be sent out of order."""
        return self._held is not None

    def connect(self, address: tuple[str, int], timeout: float = 5.0) -> None:
        """Connect to the handler's server.

        :raises OSError: nobody listens there.
        """
        # Not create_connection, which looks up even a numeric address in a thread:
        # with a virtual clock, time would move on meanwhile.
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        sock = gsocket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout)
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        sock.settimeout(None)
        self.adopt(sock)

    def adopt(self, sock: gsocket.socket) -> None:
        """Take a connection over."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self.was_open = True

    def read(self) -> bytes:
        """The next bytes from the server; ``b""`` when there will be no more."""
        if self._socket is None:
            return b""
        try:
            return bytes(self._socket.recv(65536))
        except OSError:
            return b""

    def send(self, data: bytes) -> None:
        """Send a reply or a notice."""
        self._release()
        self._write(self._spoil(data))

    def send_event(self, head: bytes, body: bytes) -> None:
        """Send an event: its outer header and its body in two writes (FACTS 1.5)."""
        body = self._spoil(body)
        if self._bad_utf8:
            head = re.sub(rb"(Content-Length: )\d+", rb"\g<1>%d" % len(body), head)
        if self._cutting:
            self._write(head + body[: len(body) // 2])
            self._lose()
        elif self._reordering and self._held is None:
            self._held = head + body
            self._held_timer = self._clock.call_at(self._clock.now() + TICK, self._release)
        else:
            for _ in range(2 if self._duplicating else 1):
                self._write(head)
                self._write(body)
            self._release()

    def close(self) -> None:
        """End the connection after what is still to be sent."""
        self._release()
        if self._unsent:
            self._closing = True
        else:
            self._shut()

    # -- faults ----------------------------------------------------------------------

    def eof(self, *, at: str = "") -> None:
        """End the connection without a word, as when the switch's process dies."""
        self._when(at, self._lose)

    def reset(self, *, at: str = "") -> None:
        """Reset the connection: RST."""
        self._when(at, self._reset)

    def half_open(self, *, at: str = "") -> None:
        """Fall silent: nothing is read, nothing is sent, and the connection stays."""
        self._when(at, self._silence)

    def accept_nothing(self, *, at: str = "") -> None:
        """Read nothing more, but go on sending."""
        self._when(at, self._stop_reading)

    def cut_body(self, *, at: str = "") -> None:
        """Send half of an event's body, then end the connection."""
        self._when(at, self._cut)

    def bad_utf8(self, *, at: str = "") -> None:
        """From now on, send header values that are not UTF-8, raw and percent-encoded."""
        self._when(at, lambda: setattr(self, "_bad_utf8", True))

    def duplicate_events(self, *, at: str = "") -> None:
        """From now on, send every event twice."""
        self._when(at, lambda: setattr(self, "_duplicating", True))

    def reorder_events(self, *, at: str = "") -> None:
        """From now on, send events in pairs, the later one first."""
        self._when(at, lambda: setattr(self, "_reordering", True))

    def server_closes(self, timeout: float = 5.0) -> bool:
        """Whether the server ends its side within so many real seconds, also while we are half-open."""
        deadline = time.monotonic() + timeout
        while self._socket is not None and not self._ended_there():
            if time.monotonic() > deadline:
                return False
            gevent.sleep(0.005)
        return True

    def application_starts(self, application: str) -> None:
        """Let the faults act that were armed for this application."""
        for fault in self._armed.pop(application, []):
            fault()

    # -- within ------------------------------------------------------------------------

    def _when(self, at: str, fault: Callable[[], None]) -> None:
        if at:
            self._armed.setdefault(at, []).append(fault)
        else:
            fault()

    def _lose(self) -> None:
        self._unsent.clear()
        self._shut()
        self.on_lost()

    def _reset(self) -> None:
        if self._socket is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock, self._socket = self._socket, None
            sock.close()
            self.on_lost()

    def _silence(self) -> None:
        self.mute = True
        self._stop_reading()

    def _stop_reading(self) -> None:
        self.deaf = True
        self.on_deaf()
        self.on_change()

    def _cut(self) -> None:
        self._cutting = True
        self.on_nudge()

    def _spoil(self, data: bytes) -> bytes:
        if self._bad_utf8:
            for pattern, broken in _BROKEN:
                data = pattern.sub(broken, data)
        return data

    def _release(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            if self._held_timer is not None:
                self._held_timer.cancel()
            self._write(held)

    def _ended_there(self) -> bool:
        if self._socket is None:
            return True
        # The state of the connection tells also what unread data would hide.
        state = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        return state in (_TCP_CLOSE, _TCP_CLOSE_WAIT)

    def _write(self, data: bytes) -> None:
        if self._socket is None or self.mute or self._closing:
            return
        if not self._unsent:
            try:
                # The raw descriptor: a gevent socket would wait, and the channel with it.
                data = data[os.write(self._socket.fileno(), data) :]
            except BlockingIOError:
                pass
            except OSError:
                return
        if data:
            self._unsent += data
            if len(self._unsent) > _MAX_UNSENT:
                self._lose()
            elif self._flusher is None:
                self._flusher = gevent.spawn(self._flush)

    def _flush(self) -> None:
        try:
            while self._unsent and self._socket is not None:
                sent = self._socket.send(self._unsent[:65536])
                del self._unsent[:sent]
        except OSError:
            self._unsent.clear()
        self._flusher = None
        if self._closing:
            self._shut()

    def _shut(self) -> None:
        sock, self._socket = self._socket, None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
