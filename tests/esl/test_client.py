"""The inbound socket, against a server that says what a real switch was recorded to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent import socket
from gevent.event import Event as Flag
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
from tests.esl.inbound import ACCEPTED, GREETING, Answer, InboundServer, captured_job, exchanges
from tests.esl.peer import OK, Peer, api_response, event
from tests.esl.switch_rules import Packet
from tests.leaks import left, nothing_more_than, until

Listen = Callable[..., InboundServer]
Connect = Callable[..., Client]


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = left()
    yield
    nothing_more_than(before)


@pytest.fixture
def listen(nothing_is_left: None) -> Iterator[Listen]:
    servers: list[InboundServer] = []

    def make(transcript: str = "", answer: Answer | None = None) -> InboundServer:
        servers.append(InboundServer(transcript, answer))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def client(listen: Listen) -> Iterator[Connect]:
    clients: list[Client] = []

    def make(
        server: InboundServer, password: str = "ClueCon", timeout: float = 10.0, *, connect: bool = True
    ) -> Client:
        clients.append(Client("127.0.0.1", server.port, password, timeout))
        if connect:
            clients[-1].connect()
        return clients[-1]

    yield make
    for one in clients:
        one.close()


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


# -- background jobs -----------------------------------------------------------------------


def job_of(packet: Packet) -> str:
    found = packet.get("Job-UUID")
    assert found, "bgapi was sent without a Job-UUID of our own"
    return found


def accepted(packet: Packet) -> bytes:
    job = job_of(packet)
    return f"Content-Type: command/reply\nReply-Text: +OK Job-UUID: {job}\nJob-UUID: {job}\n\n".encode()


def test_two_jobs_that_end_in_reverse_order(listen: Listen, client: Connect) -> None:
    waiting: list[Packet] = []

    def answer(peer: Peer, packet: Packet) -> object:
        if not packet.command.startswith("bgapi"):
            return NotImplemented
        waiting.append(packet)
        if len(waiting) < 2:
            return accepted(packet)
        peer.send(accepted(packet))
        peer.send(captured_job(0, job_of(waiting[1])))
        return captured_job(2, "a-job-of-someone-else") + captured_job(1, job_of(waiting[0]))

    one = client(listen(answer=answer))
    first = gevent.spawn(one.bgapi, "status", "first")
    until(lambda: waiting)
    second = gevent.spawn(one.bgapi, "status", "second")
    gevent.joinall([first, second], timeout=10)
    outputs = [event_body(captured_job(index, "x")) for index in (0, 1)]
    assert outputs[0] != outputs[1]
    assert (second.value, first.value) == (outputs[0], outputs[1])


def event_body(wire: bytes) -> str:
    return wire.split(b"\n\n", 2)[2].decode()


def test_a_job_that_was_refused(listen: Listen, client: Connect) -> None:
    def answer(peer: Peer, packet: Packet) -> object:
        if not packet.command.startswith("bgapi"):
            return NotImplemented
        return accepted(packet) + captured_job(2, job_of(packet))

    with pytest.raises(CommandRefused, match="'nosuch': -ERR nosuch Command not found!"):
        client(listen(answer=answer)).bgapi("nosuch")


def test_a_job_that_never_ends(listen: Listen, client: Connect) -> None:
    server = listen(answer=lambda peer, packet: accepted(packet) if "bgapi" in packet.command else NotImplemented)
    one = client(server)
    with pytest.raises(ReplyTimeout, match=r"'status' had not ended after 0\.02 s"):
        one.bgapi("status", timeout=0.02)
    assert one.connected  # it is the job that is late, not the switch
    assert one._jobs == {}


def test_a_job_whose_connection_ends(listen: Listen, client: Connect) -> None:
    server = listen(answer=lambda peer, packet: accepted(packet) if "bgapi" in packet.command else NotImplemented)
    one = client(server)
    job = gevent.spawn(one.bgapi, "status")
    until(lambda: any("bgapi" in command for command in server.commands))
    server.close()
    job.join(10)
    assert isinstance(job.exception, ConnectionLost)
    assert one._jobs == {}


# -- events ---------------------------------------------------------------------------------


def test_control_of_a_parked_call(listen: Listen, client: Connect) -> None:
    """What 12f did: subscribe, filter, run an application over sendmsg, see it end."""
    said = dict(exchanges("12f_inbound_control_of_parked_call"))
    uuid = "25766572-1323-4679-b9e2-ea90e7bda7f6"
    one = client(listen("12f_inbound_control_of_parked_call"))
    seen: list[tuple[str, str]] = []
    done = Flag()
    for name in ("CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE"):
        one.on(name, lambda told: seen.append((told.headers["Event-Name"], told.headers["Application-UUID"])))
    one.on("CHANNEL_EXECUTE_COMPLETE", lambda told: done.set())
    one.subscribe("CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP_COMPLETE")
    assert one.send(f"filter Unique-ID {uuid}").data == f"+OK filter added. [Unique-ID]=[{uuid}]"
    headers = "call-command: execute\nexecute-app-name: playback\nexecute-app-arg: hello.wav\nEvent-UUID: ib-1"
    assert said[f"sendmsg {uuid}"]  # the recorded answer holds both events
    assert one.send(f"sendmsg {uuid}\n{headers}").data == "+OK"
    assert done.wait(10)
    assert seen[:2] == [("CHANNEL_EXECUTE", "ib-1"), ("CHANNEL_EXECUTE_COMPLETE", "ib-1")]


def test_a_handler_that_raises_or_blocks_holds_nothing_up(
    listen: Listen, client: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    said = {"beat": event("HEARTBEAT") + OK, "api status": api_response("+OK\n")}
    one = client(listen(answer=lambda peer, packet: said.get(packet.command, NotImplemented)))
    calls: list[str] = []
    release, done = Flag(), Flag()

    def fails(told: Any) -> None:
        calls.append("fails")
        raise ValueError("on purpose")

    def blocks(told: Any) -> None:
        calls.append("blocks")
        release.wait(10)
        done.set()

    one.on("HEARTBEAT", fails)
    one.on("HEARTBEAT", blocks)
    one.send("beat")
    assert until(lambda: len(calls) == 2)
    assert one.api("status") == "+OK\n"  # answered while a handler blocks
    assert calls == ["fails", "blocks"]
    assert "on purpose" in caplog.text
    release.set()
    assert done.wait(10)


def test_events_without_a_handler_of_their_own(listen: Listen, client: Connect) -> None:
    told = event("CUSTOM", {"Event-Subclass": "fsivr%3A%3Atest"}) + event("DTMF") + event("CUSTOM") + event("LAST")
    one = client(listen(answer=lambda peer, packet: told + OK if packet.command == "go" else NotImplemented))
    seen: list[str] = []
    one.on("fsivr::test", lambda one: seen.append("subclass"))
    one.on("*", lambda one: seen.append(one.headers["Event-Name"]))
    one.send("go")
    assert until(lambda: len(seen) == 4)
    assert seen == ["subclass", "DTMF", "CUSTOM", "LAST"]


# -- a lost connection is opened again ---------------------------------------------------------


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made between tries, none of which takes time."""
    made: list[float] = []
    real = gevent.sleep

    def sleep(seconds: float = 0, ref: bool = True) -> None:
        if seconds >= 0.2:  # not those of this test itself
            made.append(seconds)
            seconds = 0
        real(seconds, ref)

    monkeypatch.setattr("fsivr.esl.client.gevent.sleep", sleep)
    monkeypatch.setattr("fsivr.esl.client.random.uniform", lambda low, high: high)
    return made


def test_a_dropped_connection_comes_back_with_its_events(listen: Listen, client: Connect, delays: list[float]) -> None:
    server = listen()
    one = client(server)
    again = Flag()
    one.on_reconnect.append(again.set)
    one.subscribe("HEARTBEAT")
    server.drop()
    assert again.wait(10)
    assert one.connected
    fresh = [packet.command for packet in server.peers[1].commands]
    assert fresh[0] == "auth ClueCon"
    assert "HEARTBEAT" in fresh[1]
    assert "BACKGROUND_JOB" in fresh[1]
    assert one.send("api x").data is not None
    assert len(delays) == 1


def test_it_waits_longer_after_each_failure(listen: Listen, client: Connect, delays: list[float]) -> None:
    server = listen()
    one = client(server)
    again = Flag()
    one.on_reconnect.append(again.set)
    server.turn_away = 9
    server.drop()
    assert again.wait(20)
    assert server.turned_away == 9
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0]
    delays.clear()
    server.drop()  # and after a success from the beginning
    assert until(lambda: len(server.peers) == 3)
    assert delays == [0.5]


def test_commands_fail_at_once_while_there_is_no_connection(listen: Listen, client: Connect) -> None:
    server = listen()
    one = client(server)
    server.close()
    assert until(lambda: not one.connected)
    with pytest.raises(ConnectionLost, match="not connected"):
        one.api("status")


def test_nothing_comes_back_after_close(listen: Listen, client: Connect, delays: list[float]) -> None:
    server = listen()
    one = client(server)
    server.drop()
    one.close()
    gevent.sleep(0.05)
    assert len(server.peers) == 1
    assert not one.connected


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


def closing_on(word: str, last: bytes = b"") -> Answer:
    def answer(peer: Peer, packet: Packet) -> object:
        if not packet.command.startswith(word):
            return NotImplemented
        if last:
            peer.send(last)
        peer.sock.shutdown(socket.SHUT_RDWR)
        return None

    return answer


def test_the_greeting_is_that_of_a_real_switch() -> None:
    assert exchanges("12a_inbound_auth_ok")[0] == ("", GREETING)
    assert dict(exchanges("12a_inbound_auth_ok"))["auth ClueCon"] == ACCEPTED
