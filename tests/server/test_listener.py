"""From the switch's connection to the right handler, and how a server stops."""

from __future__ import annotations

import gevent
import pytest
from gevent import socket
from gevent.event import Event as Flag

from fsivr import Call, ConfigError, Dialplan, Extension, HangupCause
from fsivr.config import Settings
from fsivr.server import Server
from tests.esl.peer import CONNECT_REPLY, UUID, event, hangup
from tests.leaks import until
from tests.server.serving import Counting, Returning, Serve, Serving, Waiting, switch


def test_a_number_without_an_extension(serve: Serve) -> None:
    serving = serve(Dialplan([Extension("4100", Returning)]))
    peer = serving.call(switch)
    assert peer.wait_end(10)
    assert peer.commands[-1].command == f"api uuid_kill {UUID} NO_ROUTE_DESTINATION"
    assert serving.idle()
    assert serving.ended == []


@pytest.mark.parametrize(
    ("extension", "matches"),
    [
        (Extension("1000", Returning), True),
        (Extension("1000", Returning, context="public"), True),
        (Extension("1000", Returning, context="default"), False),
        (Extension("1000", Returning, path="sales"), False),
        (Extension("100", Returning), False),
        (Extension("1...", Returning), True),
    ],
)
def test_the_dialplan_is_asked_for_number_context_and_path(serve: Serve, extension: Extension, matches: bool) -> None:
    serving = serve(Dialplan([extension]))
    assert serving.call(switch).wait_end(10)
    assert serving.idle()
    assert len(serving.ended) == matches


def test_the_socket_path_chooses(serve: Serve) -> None:
    reply = CONNECT_REPLY.replace(b"Content-Type:", b"variable_socket_path: apps/sales\nContent-Type:")
    serving = serve(Dialplan([Extension(".*", Returning, path="/apps/sales/")]))
    peer = serving.call(lambda peer, packet: reply if packet.command == "connect" else switch(peer, packet))
    assert peer.wait_end(10)
    assert serving.idle()
    assert len(serving.ended) == 1


def test_an_address_in_use_is_named(serve: Serve) -> None:
    host, port = serve(Returning).server.address
    second = Server(Dialplan(), Settings.defaults(listen=f"{host}:{port}"))
    with pytest.raises(ConfigError, match=rf"{host}:{port}.*in use"):
        second.start()


# -- stopping --------------------------------------------------------------------------------


def test_a_stopping_server_lets_calls_finish(serve: Serve) -> None:
    class Finishing(Counting):
        leave = Flag()

    serving = serve(Finishing)
    peer = serving.call(switch)
    assert until(lambda: Finishing.inside == 1)
    stopping = gevent.spawn(serving.server.stop, 60)
    gevent.sleep(0.05)
    assert not stopping.ready()
    assert not peer.wait_end(0)
    Finishing.leave.set()
    stopping.join(10)
    assert stopping.ready()
    assert serving.ended == [HangupCause.NORMAL_CLEARING]


def test_a_stopping_server_takes_no_new_calls(serve: Serve) -> None:
    serving = serve(Waiting)
    serving.call(switch)
    assert until(lambda: serving.server.ports_in_use == 1)
    address = serving.server.address
    stopping = gevent.spawn(serving.server.stop, 60)
    gevent.sleep(0.02)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    serving.peers[0].send(hangup())
    stopping.join(10)
    assert stopping.ready()


def test_a_stopping_server_hangs_up_what_is_left(serve: Serve) -> None:
    told: list[str] = []

    class Patient(Waiting):
        def on_hangup(self, call: Call) -> None:
            told.append(str(call.hangup_cause))

    serving = serve(Patient)
    peers = [serving.call(switch) for _ in range(5)]
    assert until(lambda: all(peer.executed for peer in peers))
    serving.server.stop(0.05)
    assert serving.server.ports_in_use == 0
    assert told == ["MANAGER_REQUEST"] * 5
    for peer in peers:
        assert peer.commands[-1].command == f"api uuid_kill {UUID} MANAGER_REQUEST"
        assert peer.wait_end(10)


def test_serve_forever_ends_with_stop(serve: Serve) -> None:
    serving = serve(Returning)
    running = gevent.spawn(serving.server.serve_forever)
    gevent.sleep(0.01)
    assert not running.ready()
    serving.server.stop(0)
    running.join(10)
    assert running.ready()


def test_a_listener_of_call_ends_that_fails_disturbs_nothing(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    serving = serve(Returning)

    def fails(call: Call) -> None:
        raise ValueError("on purpose")

    serving.server.on_call_end.insert(0, fails)
    assert serving.call(switch).wait_end(10)
    assert until(lambda: serving.ended == [HangupCause.NORMAL_CLEARING])
    assert "on purpose" in caplog.text


def calls_of(serving: Serving) -> list[str]:
    return [call.uuid for call in serving.server.calls]


def test_the_calls_are_listed_while_they_last(serve: Serve) -> None:
    serving = serve(Waiting)
    peer = serving.call(switch)
    assert until(lambda: calls_of(serving) == [UUID])
    peer.send(event("CHANNEL_HANGUP", {"Answer-State": "hangup", "Hangup-Cause": "NORMAL_CLEARING"}))
    peer.send(hangup())
    assert until(lambda: calls_of(serving) == [])


def test_small_commands_are_not_held_back_and_a_dead_machine_is_noticed(serve: Serve) -> None:
    serving = serve(Waiting)
    serving.call(switch)
    assert until(lambda: serving.server.calls)
    [conversation] = serving.server._conversations
    sock = conversation._session._exchange._transport._sock
    assert sock is not None
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert 0 < sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 120_000
