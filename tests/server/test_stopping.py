"""What a server that stops still does, and what it leaves to those that share its socket."""

from __future__ import annotations

import gevent
import pytest
from gevent import socket

from fsivr import Dialplan, Extension
from fsivr.config import Settings
from fsivr.errors import ServerStopping
from fsivr.listening import listening_together
from fsivr.server import Server
from tests.esl.peer import Peer
from tests.leaks import until
from tests.server.serving import Returning, Serve, Serving, Waiting, switch


def test_no_calls_are_placed_by_a_server_that_stops(serve: Serve) -> None:
    serving = serve(Waiting)
    early = serving.server.switch
    peer = serving.call(switch)
    assert until(lambda: peer.executed)
    stopping = gevent.spawn(serving.server.stop)
    assert until(lambda: serving.server.draining)
    for one in (early, serving.server.switch):
        with pytest.raises(ServerStopping):
            one.originate("user/1000", Waiting)
    serving.server.stop(0)
    stopping.join(10)


def test_one_that_is_relieved_leaves_what_waits_to_who_shares_its_socket() -> None:
    settings = Settings.defaults(listen="127.0.0.1:0", drain_timeout=60)
    (shared,) = listening_together(settings, 1)
    servers = [Server(Dialplan([Extension(".*", kind)]), settings) for kind in (Waiting, Returning)]
    for server in servers:
        server.start(socket.socket(fileno=shared.dup().detach()), accepting=False)
    try:
        servers[0].accept()
        first = _call(servers[0])
        assert until(lambda: first.executed)
        relieved = gevent.spawn(servers[0].stop, refusing=False)
        assert until(lambda: servers[0]._listener.closed)
        second = _call(servers[0])  # nobody accepts it yet
        assert not second.commands
        servers[0].accept()  # an order that comes late changes nothing
        servers[1].accept()
        assert second.wait_end(10)
        assert (servers[1].peak, servers[0].peak, servers[0].refused) == (1, 1, 0)
        assert not first.wait_end(0)
        servers[0].stop(0)
        relieved.join(10)
        assert first.wait_end(10)
        first.close()
        second.close()
    finally:
        servers[1].stop(0)
        shared.close()


def _call(server: Server) -> Peer:
    return Serving.call(_At(server), switch)  # type: ignore[arg-type]


class _At:
    """Where calls go, for a server that was started by hand."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.peers: list[object] = []
