"""Who may call, and how many at once."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from gevent import socket
from gevent.event import Event as Flag

from fsivr import Call, ConfigError, Dialplan, Extension, Handler, HangupCause
from fsivr.config import Settings
from fsivr.server import Server
from tests.esl.peer import CONNECT_REPLY, GOODBYE, OK, UUID, Peer, api_response, event, hangup
from tests.esl.switch_rules import Packet
from tests.leaks import until
from tests.server.conftest import Serve, Serving, Waiting

HANGUP = "sendmsg"


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


# -- addresses -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allow", "source", "allowed"),
    [
        (("127.0.0.0/8", "::1"), "127.0.0.1", True),
        (("127.0.0.0/8",), "127.9.9.9", True),
        (("127.0.0.2",), "127.0.0.2", True),
        (("10.0.0.0/8", "127.0.0.2/31"), "127.0.0.3", True),
        (("127.0.0.2",), "127.0.0.1", False),
        (("10.0.0.0/8", "::1"), "127.0.0.1", False),
        (("127.0.0.2/31",), "127.0.0.4", False),
    ],
)
def test_only_the_addresses_of_the_list_are_served(
    serve: Serve, allow: tuple[str, ...], source: str, allowed: bool
) -> None:
    serving = serve(Returning, allow=allow)
    peer = serving.call(switch, source=source)
    assert peer.wait_end(10)
    assert [one.command for one in peer.commands[:1]] == (["connect"] if allowed else [])
    assert (peer.received == b"") == (not allowed)  # the refused one learns nothing
    assert serving.idle()
    assert len(serving.ended) == allowed


def test_an_address_that_is_refused_takes_no_port(serve: Serve) -> None:
    serving = serve(Returning, allow=("127.0.0.2",), ports=1)
    for _ in range(5):
        assert serving.call(switch).wait_end(10)
    peer = serving.call(switch, source="127.0.0.2")
    assert peer.wait_end(10)
    assert serving.server.peak == 1
    assert serving.server.refused == 0
    assert until(lambda: serving.ended == [HangupCause.NORMAL_CLEARING])


def test_ipv4_over_ipv6_counts_as_ipv4() -> None:
    server = Server(Dialplan(), Settings.defaults(allow=["127.0.0.0/8"]))
    assert server._is_allowed(("::ffff:127.0.0.1", 1, 0, 0))
    assert not server._is_allowed(("::ffff:10.0.0.1", 1, 0, 0))
    assert not server._is_allowed(("::1", 1, 0, 0))
    assert not server._is_allowed(("fe80::1%eth0", 1, 0, 2))


def test_only_loopback_is_allowed_by_default() -> None:
    server = Server(Dialplan(), Settings.defaults())
    assert server._is_allowed(("127.0.0.1", 1))
    assert server._is_allowed(("::1", 1, 0, 0))
    for address in ("10.0.0.1", "192.0.2.1", "2001:db8::1", "0.0.0.0", "::"):
        assert not server._is_allowed((address, 1))


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


@pytest.mark.parametrize("when_full", ["hangup", "continue"])
def test_the_port_limit_is_exact_for_hundreds_at_once(serve: Serve, when_full: str) -> None:
    class Counted(Counting):
        leave = Flag()

    serving = serve(Counted, ports=10, when_full=when_full)
    everybody = Flag()

    def slow(peer: Peer, packet: Packet) -> Any:
        if packet.command == "connect":
            everybody.wait()  # the switch describes nobody before all have arrived
        return switch(peer, packet)

    jobs = [gevent.spawn(serving.call, slow) for _ in range(300)]
    gevent.joinall(jobs, timeout=20)
    assert until(lambda: sum(bool(peer.received) for peer in serving.peers) == 300, 20)
    everybody.set()
    assert until(lambda: Counted.inside == 10 and serving.server.refused == 290, 20)
    refused = [peer for peer in serving.peers if "call-command: hangup" in str(peer.received) or _exited(peer)]
    assert until(lambda: all(peer.wait_end(0.001) for peer in refused), 20)
    served = [peer for peer in serving.peers if not peer.wait_end(0)]
    assert len(served) == 10
    assert Counted.most == serving.server.peak == serving.server.ports_in_use == 10
    Counted.leave.set()
    assert serving.idle(20)
    for peer in serving.peers:
        if peer in served:
            assert peer.commands[-1].command == f"api uuid_kill {UUID} NORMAL_CLEARING"
        else:
            assert _what_a_refused_call_is_told(peer) == REFUSALS[when_full]


def _exited(peer: Peer) -> bool:
    return b"\n\nexit\n\n" in peer.received


#: Every byte that the switch sees of us.
REFUSALS = {
    "hangup": b"connect\n\nsendmsg\ncall-command: hangup\nhangup-cause: SWITCH_CONGESTION\n\n",
    "continue": b"connect\n\nexit\n\n",
}


def _what_a_refused_call_is_told(peer: Peer) -> bytes:
    return peer.received


@pytest.mark.parametrize("when_full", ["hangup", "continue"])
def test_a_refusal_stays_until_the_switch_has_read_it(serve: Serve, when_full: str) -> None:
    """To close at once would reset the connection while the switch answers ``connect``, and what it had not read
    yet would be lost: the call would stay parked with nobody in control (FACTS 5.6)."""
    serving = serve(Waiting, ports=1, when_full=when_full)
    serving.call(switch)
    assert until(lambda: serving.server.ports_in_use == 1)
    sock = socket.create_connection(serving.server.address)
    read = b""
    while b"\n\n" not in read:  # a switch reads a byte at a time, and answers when it has a command
        read += sock.recv(1)
    assert read == b"connect\n\n"
    for answer in (CONNECT_REPLY, b"", b""):
        if answer:
            sock.sendall(answer)
        gevent.sleep(0.05)
    rest = b""
    while len(read + rest) < len(REFUSALS[when_full]):
        piece = sock.recv(1)
        assert piece, "the connection was closed before the switch had read the refusal"
        rest += piece
    assert read + rest == REFUSALS[when_full]
    sock.sendall(OK + hangup("SWITCH_CONGESTION"))  # it still listens
    sock.shutdown(socket.SHUT_WR)
    sock.settimeout(10)
    assert sock.recv(100) == b""
    sock.close()
    assert serving.server.refused == 1


def test_a_refused_switch_that_never_closes_is_not_waited_for(serve: Serve) -> None:
    serving = serve(Waiting, ports=1, reply_timeout=0.05)
    serving.call(lambda peer, packet: OK if packet.get("execute-app-name") else NotImplemented)
    assert until(lambda: serving.server.ports_in_use == 1)
    peer = serving.call(lambda peer, packet: None)
    assert peer.wait_end(10)


def test_a_port_is_free_again_after_each_call(serve: Serve) -> None:
    serving = serve(Returning, ports=1)
    for count in range(1, 30):
        peer = serving.call(switch)
        assert peer.wait_end(10)
        assert until(lambda count=count: len(serving.ended) == count)  # type: ignore[misc]
        assert serving.idle()
    assert serving.server.refused == 0
    assert serving.server.peak == 1


@pytest.mark.parametrize(
    "cut", [b"", b"Content-Le", b"Content-Length: 5\n\nabc", b"junk\n\n", b"Content-Length: x\n\n"]
)
def test_a_connection_that_comes_to_nothing_gives_its_port_back(serve: Serve, cut: bytes) -> None:
    """A port scanner, or a switch that dies: no handler runs, and the port is free."""
    serving = serve(Waiting, ports=1)
    sock = socket.create_connection(serving.server.address)
    if cut:
        sock.sendall(cut)
    until(lambda: serving.server.peak == 1)
    sock.close()
    assert serving.idle()
    assert serving.server.peak == 1
    assert serving.ended == []


def test_a_connection_that_says_nothing_gives_its_port_back(serve: Serve) -> None:
    serving = serve(Waiting, ports=1, reply_timeout=0.05)
    with socket.create_connection(serving.server.address) as sock:
        assert until(lambda: serving.server.ports_in_use == 1)
        assert serving.idle()
        while sock.recv(4096):
            pass
    assert serving.ended == []


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
