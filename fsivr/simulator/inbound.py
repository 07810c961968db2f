"""The simulated switch's own event socket, which an application connects to (mod_event_socket.c)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import gevent
from gevent import socket
from gevent.server import StreamServer

from fsivr.simulator import wire
from fsivr.simulator.commands import answer_inbound
from fsivr.simulator.line import Line
from fsivr.simulator.listener import Listener
from fsivr.simulator.wire import BadCommand, Command, CommandReader

if TYPE_CHECKING:
    from fsivr.simulator.switch import Switch

log = logging.getLogger(__name__)

_GREETING = b"Content-Type: auth/request\n\n"
_DENIED = b"Access Denied, go away.\n"
_REJECTION = b"Content-Type: text/rude-rejection\nContent-Length: %d\n\n" % len(_DENIED) + _DENIED


class Inbound:
    """Listens on a free port of this machine until the switch stops."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        #: What ``auth`` must say.
        self.password = "ClueCon"
        #: Whether every address is one that the access list does not hold.
        self.denies = False
        #: The connections there are.
        self.connections: set[Connection] = set()
        self._server: StreamServer | None = None
        self._port = 0
        self.start()

    @property
    def address(self) -> tuple[str, int]:
        """The host and port to connect to."""
        return "127.0.0.1", self._port

    def start(self) -> None:
        """Listen; on the same port again after ``stop``."""
        self._server = StreamServer(("127.0.0.1", self._port), self._serve)
        self._server.start()
        self._port = self._server.socket.getsockname()[1]

    def drop(self) -> None:
        """End every connection without a word, as when the switch's process dies."""
        for connection in list(self.connections):
            connection.drop()

    def stop(self) -> None:
        """Listen no more, and end every connection."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        self.drop()

    def _serve(self, sock: socket.socket, peer: object) -> None:
        line = Line(self.switch.clock)
        line.adopt(sock)
        connection = Connection(self, line)
        self.connections.add(connection)
        try:
            connection.run()
        finally:
            self.connections.discard(connection)
            connection.drop()


class Connection(Listener):
    """One application's connection: it logs in, and then may do all that ``full`` allows."""

    def __init__(self, inbound: Inbound, line: Line) -> None:
        super().__init__(inbound.switch, line, None)
        self._inbound = inbound
        self._reader = CommandReader()
        self._accepted = False
        line.on_lost = self.drop
        self._greenlet = gevent.getcurrent()

    def run(self) -> None:
        """Read commands and answer them until the connection ends."""
        if self._inbound.denies:
            self.line.send(_REJECTION)
            self.say_goodbye()
            return
        self.line.send(_GREETING)
        while not self.finished and (data := self.line.read()):
            self._reader.feed(data)
            try:
                while not self.finished and (command := self._reader.next()) is not None:
                    self._take(command)
            except BadCommand:
                self.say_goodbye()

    def say_goodbye(self) -> None:
        """Send the last notice and close; it names no channel (FACTS 5.15)."""
        self.line.send(wire.disconnect_notice(""))
        self.drop()

    def drop(self) -> None:
        """Close."""
        self.finished = True
        self.switch.wide.discard(self)
        self.line.close()

    def _take(self, command: Command) -> None:
        if self._accepted:
            answer_inbound(self, command)
        elif command.line.lower().startswith("auth "):
            self._log_in(command.line[5:])
        elif command.line.lower().startswith("exit"):
            self.reply("+OK bye")
            self.say_goodbye()
        else:  # and the connection stays open (capture 12c_inbound_command_before_auth)
            self.reply("-ERR command not found")
        if self.listening and not self.finished:
            self.switch.wide.add(self)

    def _log_in(self, password: str) -> None:
        if password == self._inbound.password:
            self._accepted = True
            self.reply("+OK accepted")
        else:
            self.reply("-ERR invalid")
            self.say_goodbye()
