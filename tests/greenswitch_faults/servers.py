"""Calls to a server in which greenswitch 0.0.19 goes wrong; each is given a way to start one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import greenswitch.esl
from gevent import socket
from gevent.event import Event as Flag

from tests.esl.peer import Peer
from tests.esl.switch_rules import Packet
from tests.greenswitch_faults.stage import (
    PEERS,
    scenario,
    wait_until,
)

# -- the server ----------------------------------------------------------------------------------


class Staying:
    """An application that stays until it may leave, and counts how many do at once."""

    inside = most = 0
    leave = Flag()

    def __init__(self, session: Any) -> None:
        self.session = session

    def run(self) -> None:
        kind = type(self)
        kind.inside += 1
        kind.most = max(kind.most, kind.inside)
        kind.leave.wait()
        kind.inside -= 1


@scenario
def port_limit(serve: Callable[..., Any], ports: str) -> Any:
    """Forty calls arrive at once at a server of some ports: how many are in the application together?"""
    address = serve(Staying, int(ports))
    arrived = Flag()

    def hold(peer: Peer, packet: Packet) -> Any:
        if packet.command == "connect":
            arrived.wait()  # nobody is described before everybody is there
        return NotImplemented

    for _ in range(40):
        PEERS.append(Peer(socket.create_connection(address), hold))
    wait_until(lambda: sum(bool(peer.received) for peer in PEERS) >= int(ports))
    gevent.sleep(0.2)
    arrived.set()
    wait_until(lambda: Staying.inside >= int(ports))
    gevent.sleep(0.2)
    Staying.leave.set()
    return Staying.most


@scenario
def accept_waits_for_a_sleep(serve: Callable[..., Any], seconds: str) -> Any:
    """The time of every sleep of that length stands still: is a call taken all the same?"""
    real, asked = gevent.sleep, []

    def sleep(duration: float = 0, *args: Any, **kwargs: Any) -> None:
        if duration == float(seconds):
            asked.append(duration)
            Flag().wait()
        real(duration, *args, **kwargs)

    gevent.sleep = sleep  # type: ignore[assignment]

    class Application:
        def __init__(self, session: Any) -> None:
            self.session = session

        def run(self) -> None:
            pass

    address = serve(Application, 5)
    real(0.1)  # nobody has called yet
    PEERS.append(Peer(socket.create_connection(address)))
    wait_until(lambda: bool(PEERS[0].received), real)
    return {"taken": bool(PEERS[0].received), "sleeps": len(asked)}


# -- both sides -------------------------------------------------------------------------------------


def serve_greenswitch(application: Any, ports: int) -> Any:
    server = greenswitch.esl.OutboundESLServer("127.0.0.1", 0, application, max_connections=ports)
    server.bind_port = [free_port()]  # it takes port 0 for none
    gevent.spawn(server.listen)
    gevent.idle()
    return ("127.0.0.1", server.bind_port[0])


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def serve_fsivr(application: Any, ports: int) -> Any:
    from fsivr.config import Settings
    from fsivr.dialplan import Dialplan, Extension
    from fsivr.server import Server

    server = Server(Dialplan([Extension(".*", application)]), Settings.defaults(listen="127.0.0.1:0", ports=ports))
    server.start()
    return server.address
