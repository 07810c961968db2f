"""One of several servers: it takes calls from an inherited socket, and does what its supervisor says."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
from collections.abc import Mapping
from typing import Any

import gevent
from gevent import socket

from fsivr.cli.serving import served
from fsivr.config import Settings
from fsivr.dialplan import load_dialplan
from fsivr.logs import configure
from fsivr.server import Server, SharedPorts
from fsivr.store import Journal
from fsivr.supervisor import Channel, name_of

# Seconds between two signs of life.
_BEAT = 1.0


def work(settings: Settings, *, slot: int, sock: int, channel: int, ports: int) -> None:
    """Take calls until the supervisor says to stop, or is no more.

    :param sock: an inherited descriptor, and so are ``channel`` and ``ports``.
    :raises ConfigError: no dialplan, or a database of a newer fsivr.
    """
    for file in (sock, channel, ports):
        os.set_inheritable(file, False)  # what a handler starts must not hold on to them
    name = name_of(slot, os.getpid())
    configure(settings.log_level, settings.log_format, secrets=settings.secret_values, worker=name)
    faulthandler.register(signal.SIGUSR1)  # the supervisor asks where it stands still
    with contextlib.closing(Channel(socket.socket(fileno=channel))) as supervisor:
        _serve(settings, supervisor, name, slot, sock, ports)


def _serve(settings: Settings, supervisor: Channel, name: str, slot: int, sock: int, ports: int) -> None:
    dialplan = load_dialplan(settings.dialplan)
    server = Server(
        dialplan,
        settings,
        store=Journal(settings.database),
        worker=f"{settings.listen}/{name}",
        # Apart from the others, each one finds a free port at its first look.
        ports=SharedPorts(settings.ports, ports, first=(slot - 1) * settings.ports // max(1, settings.workers)),
    )
    server.start(socket.socket(fileno=sock), accepting=False)
    supervisor.say(ready=served(dialplan))
    greenlets = [gevent.spawn(_beat, supervisor, server), gevent.spawn(_obey, supervisor, server)]
    server.serve_forever()
    gevent.killall(greenlets)


def _beat(supervisor: Channel, server: Server) -> None:
    while True:
        supervisor.say(calls=server.ports_in_use)
        gevent.sleep(_BEAT)


def _obey(supervisor: Channel, server: Server) -> None:
    for order in supervisor:
        _do(server, order)
    # Nobody else is left to say when it is to end.
    server.stop()


def _do(server: Server, order: Mapping[str, Any]) -> None:
    if order["do"] == "accept":
        server.accept()
    else:
        gevent.spawn(server.stop, order["patience"], refusing=order["do"] == "drain")
