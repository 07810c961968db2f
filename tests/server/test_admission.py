"""Who may call, and how many at once."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from gevent import socket
from gevent.event import Event as Flag

from fsivr import Dialplan, HangupCause
from fsivr.config import Settings
from fsivr.server import Server
from tests.esl.peer import CONNECT_REPLY, OK, UUID, Peer, hangup
from tests.esl.switch_rules import Packet
from tests.leaks import until
from tests.server.serving import Counting, Returning, Serve, Waiting, switch

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
    assert server._peers.allow("::ffff:127.0.0.1")
    assert not server._peers.allow("::ffff:10.0.0.1")
    assert not server._peers.allow("::1")
    assert not server._peers.allow("fe80::1%eth0")


def test_only_loopback_is_allowed_by_default() -> None:
    server = Server(Dialplan(), Settings.defaults())
    assert server._peers.allow("127.0.0.1")
    assert server._peers.allow("::1")
    for address in ("10.0.0.1", "192.0.2.1", "2001:db8::1", "0.0.0.0", "::"):
        assert not server._peers.allow(address)


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
