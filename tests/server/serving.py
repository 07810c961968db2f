"""A server on a free port, the far end of calls to it, and what the tests of it share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gevent import socket
from gevent.event import Event as Flag

from fsivr import Call, Handler, HangupCause
from fsivr.server import Server
from tests.esl.peer import GOODBYE, OK, Peer, api_response, hangup
from tests.esl.switch_rules import Packet
from tests.leaks import until

#: Longer than any test may take: where a call ends, it was not because one of these ran out.
LONG: dict[str, Any] = {
    "reply_timeout": 60.0,
    "hangup_grace": 60.0,
    "drain_timeout": 60.0,
    "call_limit": 600.0,
    "lag_limit": 600.0,
}


class Serving:
    """A server, and calls to it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.peers: list[Peer] = []
        #: The cause each ended call's handler was left with.
        self.ended: list[HangupCause | None] = []
        server.on_call_end.append(lambda call: self.ended.append(call.hangup_cause))
        server.start()

    def call(self, script: Any = None, *, source: str = "127.0.0.1") -> Peer:
        """A connection of the switch's, from an address of this machine's."""
        sock = socket.create_connection(self.server.address, source_address=(source, 0))
        self.peers.append(Peer(sock, script))
        return self.peers[-1]

    def settled(self, calls: int = 1, seconds: float = 20.0) -> bool:
        """Whether so many calls have been had with a handler and are over, or are within so many seconds."""
        return until(lambda: len(self.ended) >= calls and self.server.ports_in_use == 0, seconds)

    def idle(self, seconds: float = 10.0) -> bool:
        """Whether every port is free, or becomes it within so many seconds."""
        return until(lambda: self.server.ports_in_use == 0, seconds)


Serve = Callable[..., Serving]


class Waiting(Handler):
    """Answers, then waits in a prompt that does not end by itself."""

    def run(self, call: Call) -> None:
        call.play("long")


class Returning(Handler):
    def run(self, call: Call) -> None:
        pass


def switch(peer: Peer, packet: Packet) -> Any:
    """A switch whose call ends when it is told so, and whose connection ends after that."""
    if packet.get("execute-app-name"):
        return OK
    if "uuid_kill" in packet.command:
        cause = packet.command.rpartition(" ")[2]
        return _last_words(peer, api_response("+OK\n") + hangup(cause))
    if packet.get("call-command") == "hangup":
        return _last_words(peer, OK + hangup(packet.get("hangup-cause") or ""))
    if packet.command == "exit":
        return _last_words(peer, b"Content-Type: command/reply\nReply-Text: +OK bye\n\n" + GOODBYE)
    return NotImplemented


def _last_words(peer: Peer, data: bytes) -> None:
    peer.send(data)
    peer.close_soon()


# -- ports --------------------------------------------------------------------------------


class Counting(Handler):
    """Counts how many are in the handler at once, and stays until told to leave."""

    inside = 0
    most = 0
    leave: Flag

    def run(self, call: Call) -> None:
        kind = type(self)
        kind.inside += 1
        kind.most = max(kind.most, kind.inside)
        kind.leave.wait()
        kind.inside -= 1
