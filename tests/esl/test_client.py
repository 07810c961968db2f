"""The inbound socket, against a server that says what a real switch was recorded to say."""

from __future__ import annotations

import gevent
import pytest
from gevent import socket
from greenswitch import InboundESL

from fsivr.errors import (
    AuthenticationError,
    CommandRefused,
    ConnectionLost,
    ESLError,
    LocalProtocolError,
    RemoteProtocolError,
    ReplyTimeout,
)
from fsivr.esl.client import Client
from fsivr.esl.exchange import Exchange
from fsivr.esl.messages import Message
from tests.esl.inbound import (
    ACCEPTED,
    GREETING,
    Connect,
    Listen,
    closing_on,
    exchanges,
)
from tests.esl.peer import Peer, api_response
from tests.esl.switch_rules import Packet
from tests.leaks import until

# -- logging in ------------------------------------------------------------------------


def test_a_login_and_api_commands(listen: Listen, client: Connect) -> None:
    server = listen("12a_inbound_auth_ok")
    one = client(server)
    assert one.connected
    assert one.api("status").startswith("UP 0 years, 0 days, 0 hours, 29 minutes")
    assert one.api("show", "calls as json") == '{"row_count": 0}\n'
    assert one.api("hostname") == "vm"  # without a final newline
    with pytest.raises(CommandRefused, match=r"'nosuch': -ERR nosuch Command not found!$"):
        one.api("nosuch")
    assert one.api("originate", "loopback/9199/public &park") == "+OK c6e90cb6-68ed-4bde-82a2-12ecabded0c3\n"
    assert server.commands[0] == "auth ClueCon"


def test_a_wrong_password(listen: Listen, client: Connect) -> None:
    server = listen("12b_inbound_auth_bad")
    one = client(server, "wrong", connect=False)
    with pytest.raises(AuthenticationError, match="refused the password") as caught:
        one.connect()
    assert "wrong" not in str(caught.value)
    assert not one.connected
    assert server.commands == ["auth wrong"]  # and not tried again


def test_an_address_that_the_access_list_does_not_hold(listen: Listen, client: Connect) -> None:
    one = client(listen("12d_inbound_rude_rejection"), connect=False)
    with pytest.raises(AuthenticationError, match="access list"):
        one.connect()
    assert not one.connected


def test_a_user_who_may_not(listen: Listen, client: Connect) -> None:
    """``userauth`` limits commands: the refusal of an api comes as a command/reply."""
    one = client(listen("12e_inbound_userauth"))
    with pytest.raises(CommandRefused, match="'version': -ERR permission denied"):
        one.api("version")
    with pytest.raises(CommandRefused, match="permission denied"):
        one.subscribe("ALL")
    assert one.api("status").startswith("UP 0 years")


def test_nothing_is_sent_before_the_login(listen: Listen, client: Connect) -> None:
    server = listen("12c_inbound_command_before_auth")
    one = client(server, connect=False)
    for command in (lambda: one.api("status"), lambda: one.bgapi("status"), lambda: one.subscribe("ALL")):
        with pytest.raises(ConnectionLost, match="not connected"):
            command()
    assert server.commands == []


def test_what_a_switch_says_to_commands_before_the_login(listen: Listen) -> None:
    """Refused, and the connection stays open for the login (12c)."""
    server = listen("12c_inbound_command_before_auth")
    sock = socket.create_connection(("127.0.0.1", server.port))
    seen: list[Message] = []
    exchange = Exchange(sock, timeout=10, on_message=seen.append, on_end=print, reason=ConnectionLost)
    assert exchange.ask(b"api status\n\n", "api").reply_text == "-ERR command not found"
    assert not exchange.ask(b"event plain ALL\n\n", "event").ok
    assert exchange.ask(b"auth ClueCon\n\n", "auth").reply_text == "+OK accepted"
    assert seen[0].content_type == "auth/request"
    exchange.close()


def test_nobody_listens(nothing_is_left: None) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    one = Client("127.0.0.1", port, "ClueCon")
    with pytest.raises(ConnectionLost, match=f"127.0.0.1:{port}: Connection refused"):
        one.connect()
    one.close()


def test_a_server_that_says_nothing(listen: Listen, client: Connect) -> None:
    server = listen()
    server.greeting = b""
    with pytest.raises(ReplyTimeout, match="did not greet"):
        client(server, timeout=0.05, connect=False).connect()


def test_a_server_that_is_no_event_socket(listen: Listen, client: Connect) -> None:
    server = listen()
    server.greeting = b"HTTP/1.1 400 Bad Request\r\nContent-Length: x\n\n"
    with pytest.raises((RemoteProtocolError, ReplyTimeout)):
        client(server, timeout=0.05, connect=False).connect()


def test_a_server_that_closes_before_the_login(listen: Listen, client: Connect) -> None:
    server = listen(answer=lambda peer, packet: peer.sock.shutdown(socket.SHUT_RDWR))
    one = client(server, connect=False)
    with pytest.raises(ConnectionLost):
        one.connect()
    assert not one.connected


# -- commands ---------------------------------------------------------------------------


def test_a_hostile_argument_is_not_sent(listen: Listen, client: Connect) -> None:
    server = listen("12a_inbound_auth_ok")
    one = client(server)
    sent = list(server.commands)
    for attempt in (
        lambda: one.api("status", "x\n\nexit"),
        lambda: one.bgapi("status", "x\r\n\r\nexit"),
        lambda: one.api("status\n\nexit"),
        lambda: one.subscribe("ALL\n\nexit"),
        lambda: one.send("api status\n\nexit"),
        lambda: one.api("status", "\0"),
        lambda: one.api("status", "\r"),
    ):
        with pytest.raises(LocalProtocolError):
            attempt()
    assert one.api("hostname") == "vm"
    assert server.commands == [*sent, "api hostname"]


def test_an_end_of_file_during_a_command(listen: Listen, client: Connect) -> None:
    server = listen(answer=closing_on("api"))
    with pytest.raises(ConnectionLost):
        client(server).api("status")


def test_a_reset_during_a_command(listen: Listen, client: Connect) -> None:
    def reset(peer: Peer, packet: Packet) -> object:
        if packet.command != "api status":
            return NotImplemented
        gevent.spawn(peer.reset)
        return None

    with pytest.raises(ConnectionLost, match="broke"):
        client(listen(answer=reset)).api("status")


def test_a_body_cut_short(listen: Listen, client: Connect) -> None:
    server = listen(answer=closing_on("api", api_response("UP 0 years")[:-3]))
    with pytest.raises(RemoteProtocolError, match="in the middle of a message"):
        client(server).api("status")


def test_a_server_that_falls_silent(listen: Listen, client: Connect) -> None:
    server = listen(answer=lambda peer, packet: None if packet.command == "api status" else NotImplemented)
    one = client(server)
    one.timeout = 0.05
    one._exchange.timeout = 0.05  # the login may take longer on a busy machine
    with pytest.raises(ReplyTimeout, match="'status'"):
        one.api("status")


def test_answers_go_to_who_asked(listen: Listen, client: Connect) -> None:
    """Many greenlets ask over one connection; each gets its own answer."""
    server = listen(
        answer=lambda peer, packet: api_response(packet.command) if "echo" in packet.command else NotImplemented
    )
    one = client(server)
    jobs = [gevent.spawn(one.api, "echo", str(number)) for number in range(50)]
    gevent.joinall(jobs, timeout=10)
    assert [job.value for job in jobs] == [f"api echo {number}" for number in range(50)]


def test_close_ends_what_waits(listen: Listen, client: Connect) -> None:
    server = listen(answer=lambda peer, packet: None if packet.command == "api status" else NotImplemented)
    one = client(server)
    waiting = gevent.spawn(one.api, "status")
    until(lambda: "api status" in server.commands)
    one.close()
    waiting.join(10)
    assert isinstance(waiting.exception, ConnectionLost)


# -- as greenswitch has it -----------------------------------------------------------------------


def test_it_is_used_like_greenswitchs(listen: Listen) -> None:
    server = listen("12a_inbound_auth_ok")
    with Client("127.0.0.1", server.port, "ClueCon") as one:
        assert isinstance(one, InboundESL)
        assert one.connected
        assert one.send("api hostname").data == "vm"
        assert one.send("bogus").headers["Reply-Text"] == "-ERR command not found"
    assert not one.connected


def test_small_commands_are_not_held_back(listen: Listen, client: Connect) -> None:
    one = client(listen())
    sock = one._exchange._transport._sock
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_the_password_is_in_no_text(listen: Listen, client: Connect) -> None:
    one = client(listen(), "s3cret")
    assert "s3cret" not in repr(one)
    with pytest.raises(ESLError) as caught:
        Client("127.0.0.1", 1, "s3cret\n\nexit").connect()
    assert "s3cret" not in str(caught.value)


def test_the_greeting_is_that_of_a_real_switch() -> None:
    assert exchanges("12a_inbound_auth_ok")[0] == ("", GREETING)
    assert dict(exchanges("12a_inbound_auth_ok"))["auth ClueCon"] == ACCEPTED
