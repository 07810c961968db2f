"""What the scenarios share: a session and its far end, and how a call of either ended."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import gevent
from gevent import socket

from tests.esl.peer import OK, Peer, Script
from tests.esl.switch_rules import Packet

#: Seconds until a wait that nothing can end any more counts as one without an end. The longer one
#: is never used up: it keeps a busy machine from making a wait that does end look like one that does not.
PATIENCE = {"greenswitch": 1.0, "fsivr": 15.0}[sys.argv[-1] if sys.argv[-1] == "fsivr" else "greenswitch"]

STILL_WAITING = "still waiting"

MakeSession = Callable[..., Any]


Scenario = Callable[[Any, str], Any]


SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    SCENARIOS[function.__name__] = function
    return function


class Pair:
    """A session and its far end, connected over TCP."""

    def __init__(self, make: MakeSession, script: Script | None = None, *, send_buffer: int = 0) -> None:
        listener = socket.socket()  # gevent.socket.create_server makes sockets that block
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        ours = socket.create_connection(listener.getsockname())
        theirs, address = listener.accept()
        listener.close()
        if send_buffer:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        self.peer = Peer(ours, script)
        self.session = make(address, theirs)


def outcome(function: Callable[[], Any]) -> str:
    """How a call of it ends: what it raised, that it returned, or that it never does."""
    ended = []

    def run() -> None:
        try:
            function()
            ended.append("returned")
        except BaseException as error:  # Hangup is a BaseException
            ended.append(type(error).__name__)

    gevent.spawn(run).join(PATIENCE)
    return ended[0] if ended else STILL_WAITING


def executes(when: Callable[[Peer, Packet], Any]) -> Script:
    """A script that does something about each application, and accepts it."""

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("execute-app-name"):
            peer.send(OK)
            when(peer, packet)
            return None
        return NotImplemented

    return script


PEERS: list[Peer] = []  # kept: a socket that goes away is a warning


def wait_until(condition: Callable[[], bool], sleep: Callable[[float], None] = gevent.sleep) -> None:
    for _ in range(200):
        if condition():
            return
        sleep(PATIENCE / 200)
