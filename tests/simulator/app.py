"""A handler's side of the event socket, in bytes: what the simulated switch is tried with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import gevent
from gevent import socket as gsocket
from gevent.server import StreamServer

from fsivr.simulator import Switch
from tests.simulator.frames import Frame, frames


class App:
    """A server that hands its one connection to a function.

    :param script: called with the connection; what it returns or raises ends it.
    """

    def __init__(self, script: Callable[[Wire], None]) -> None:
        self._script = script
        self.error: BaseException | None = None
        self.server = StreamServer(("127.0.0.1", 0), self._serve)

    def __enter__(self) -> Self:
        self.server.start()
        self.switch = Switch(("127.0.0.1", self.server.server_port))
        return self

    def __exit__(self, *error: object) -> None:
        self.switch.stop()
        self.server.stop()
        gevent.idle()
        if self.error is not None:
            raise self.error

    def _serve(self, sock: gsocket.socket, address: object) -> None:
        try:
            self._script(Wire(sock))
        except BaseException as error:
            self.error = error
        finally:
            sock.close()


class Wire:
    """The connection, a frame at a time."""

    def __init__(self, sock: gsocket.socket) -> None:
        self.sock = sock
        self.data = b""
        self.left = b""
        self.frames: list[Frame] = []
        self._ready: list[Frame] = []
        self.ended: str = ""

    def send(self, *commands: str) -> None:
        """Send commands, each a text without its blank line."""
        self.sock.sendall("".join(f"{command}\n\n" for command in commands).encode())

    def execute(self, application: str, argument: str = "", *, lock: bool = False, **headers: str) -> None:
        """Send an ``execute``."""
        lines = ["sendmsg", "call-command: execute", f"execute-app-name: {application}"]
        if argument:
            lines.append(f"execute-app-arg: {argument}")
        if lock:
            lines.append("event-lock: true")
        self.send("\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items())]))

    def start(self, *more: str) -> None:
        """What an application begins with."""
        self.send("connect", "linger 2", "myevents", *more)

    def until(self, wanted: Callable[[Frame], object]) -> Frame:
        """The next frame that is wanted; the ones before it are kept in ``frames``."""
        while True:
            frame = self.next()
            if frame is None:
                raise EOFError(f"the connection ended: {[each.get('Event-Name') or each.kind for each in self.frames]}")
            if wanted(frame):
                return frame

    def event(self, name: str, application: str = "") -> Frame:
        """The next event of that name."""
        return self.until(
            lambda frame: frame.get("Event-Name") == name and application in ("", frame.get("Application"))
        )

    def done(self, application: str) -> Frame:
        """The end of an application."""
        return self.event("CHANNEL_EXECUTE_COMPLETE", application)

    def reply(self) -> str:
        """The text of the next answer."""
        frame = self.until(lambda frame: frame.kind in ("command/reply", "api/response"))
        return frame.get("Reply-Text") or frame.body

    def next(self) -> Frame | None:
        """The next frame; None when the connection has ended."""
        while True:
            if self._ready:
                self.frames.append(self._ready.pop(0))
                return self.frames[-1]
            self._ready, self.left = frames(self.left)
            if self._ready:
                continue
            try:
                data = self.sock.recv(65536)
            except OSError as error:
                self.ended = type(error).__name__
                return None
            if not data:
                self.ended = "EOF"
                return None
            self.data += data
            self.left += data
