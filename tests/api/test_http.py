"""What a client may send, byte by byte, and how long it may take for it."""

from __future__ import annotations

import socket as plain
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from flask import Flask, request
from gevent.event import Event

from fsivr.api.access import public
from fsivr.api.http import HttpServer, Limits, listening
from tests.api.conftest import Client
from tests.api.served import answers, asked, connected, get
from tests.leaks import left, nothing_more_than, until

QUICK = Limits(head=0.2, idle=0.2, body=0.2, send=0.2)
PATIENT = Limits(head=60, idle=60, body=60, send=60)
Serve = Callable[..., HttpServer]


@pytest.fixture
def serve(make: Client) -> Iterator[Serve]:
    before, made = left(), []

    def start(limits: Limits = PATIENT, application: Any = None) -> HttpServer:
        server = HttpServer(listening("127.0.0.1:0", "here"), application or make().application, limits=limits)
        server.start()
        made.append(server)
        return server

    yield start
    for server in made:
        server.drain(0)
    nothing_more_than(before)


def test_a_connection_serves_one_request_after_the_other(serve: Serve) -> None:
    first, second = asked(serve().where, get("/health/live", close=False), get("/nothing"))
    assert (first.status, first.json) == (200, {"status": "live"})
    assert (second.status, second.json["error"]["code"]) == (404, "not_found")
    assert "Server" not in first.headers


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (get("/health/%ff"), 400, "bad_request"),
        (get("/health/\xff"), 400, "bad_request"),
        (get("/health/live%00"), 400, "bad_request"),
        (get("/health/live?x=%c0%80"), 400, "bad_request"),
        (get("/health/../../../etc/passwd"), 404, "not_found"),
        (get("/health/%2e%2e/%2e%2e/etc/passwd"), 404, "not_found"),
        (get("http://other.example/health/live"), 404, "not_found"),
        (get("/" + "x" * 9000), 414, "too_large"),
        (get("/health/live", "X: " + "x" * 100_000), 431, "too_large"),
        (get("/health/live", *[f"X-{number}: {'x' * 1000}" for number in range(50)]), 431, "too_large"),
        (get("/health/live", *[f"X-{number}: x" for number in range(500)]), 431, "too_large"),
        (get("/health/live", "no colon"), 400, "bad_request"),
        (get("/health/live", "Host: other"), 400, "bad_request"),
        (b"GET /health/live HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (b"GET /health/live\r\n\r\n", 400, "bad_request"),
        (b"GET /health/live HTTP/2.0\r\nHost: a\r\n\r\n", 400, "bad_request"),
        (b"GET /health/live HTTP/x\r\nHost: a\r\n\r\n", 400, "bad_request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "bad_request"),
        (b"\x00\xff\xfe\r\n\r\n", 400, "bad_request"),
        (get("/health/live", "Content-Length: -1", method="POST"), 400, "bad_request"),
        (get("/health/live", "Content-Length: +1", method="POST"), 400, "bad_request"),
        (get("/health/live", "Content-Length: 1" + "0" * 5000, method="POST"), 400, "bad_request"),
        (get("/health/live", "Content-Length: 3", "Content-Length: 4", method="POST"), 400, "bad_request"),
        (get("/health/live", "Content-Length: 3", "Transfer-Encoding: chunked", method="POST"), 400, "bad_request"),
        (get("/health/live", "Transfer-Encoding: gzip, chunked", method="POST"), 400, "bad_request"),
        (get("/health/live", "Content-Length: 99999999999", method="POST"), 413, "too_large"),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_ends(
    serve: Serve, request_: bytes, status: int, code: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (said,) = asked(serve().where, request_)
    assert (said.status, said.json["error"]["code"]) == (status, code)
    assert said.headers["Content-Type"] == "application/json"
    assert said.headers["X-Content-Type-Options"] == "nosniff"
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("pieces", "statuses"),
    [
        ((b"",), []),
        ((b"GET /health/live HT",), [408]),
        ((b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-1: 1\r\n",), [408]),
        ((get("/health/live", close=False),), [200]),
    ],
)
def test_a_client_that_says_nothing_more_is_left(serve: Serve, pieces: tuple[bytes, ...], statuses: list[int]) -> None:
    assert [said.status for said in asked(serve(QUICK).where, *pieces)] == statuses


def test_a_client_that_sends_a_byte_now_and_then_is_left(serve: Serve) -> None:
    with connected(serve(QUICK).where) as sock:
        dripping = gevent.spawn(_drip, sock)
        assert [said.status for said in answers(sock)] in ([408], [])
        dripping.kill()


def _drip(sock: Any) -> None:
    try:
        sock.sendall(b"GET /health/live HTTP/1.1\r\n")
        while True:
            sock.sendall(b"X")
            gevent.sleep(0.02)
    except OSError:
        pass


def _reading() -> Flask:
    """An application that reads bodies."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 65_536

    @app.post("/")
    def read() -> str:
        return str(len(request.get_data()))

    return app


def test_a_body_that_does_not_come_is_not_waited_for(serve: Serve) -> None:
    (said,) = asked(serve(QUICK, _reading()).where, get("/", "Content-Length: 10", method="POST", close=False), b"abc")
    assert said.status == 400


def test_a_chunked_body_is_read(serve: Serve) -> None:
    head = get("/", "Transfer-Encoding: chunked", method="POST")
    server = serve(PATIENT, _reading())
    (said,) = asked(server.where, head, b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert (said.status, said.body) == (200, b"5")
    (said,) = asked(server.where, head, b"zz\r\nabc\r\n")
    assert said.status == 400


def test_what_nobody_reads_of_a_body_ends_the_connection(serve: Serve) -> None:
    head = get("/health/live", "Content-Length: 10000000", method="GET", close=False)
    (said,) = asked(serve(PATIENT).where, head, b"x" * 100_000, b"GET / HTTP/1.1\r\n\r\n")[:1]
    assert said.status == 413


def test_a_client_that_takes_nothing_of_its_answer_is_left(serve: Serve) -> None:
    finished: list[str] = []

    def application(environ: Any, answer: Any) -> Iterator[bytes]:
        answer("200 OK", [])
        try:
            while True:
                yield b"x" * 65_536
        finally:
            finished.append("left")

    with connected(serve(QUICK, application).where) as sock:
        sock.sendall(get("/"))
        assert until(lambda: finished, 30)


def test_one_address_has_so_many_connections(serve: Serve) -> None:
    server = serve(PATIENT._replace(of_address=2))
    with connected(server.where) as one, connected(server.where) as two, connected(server.where) as three:
        assert until(lambda: len(server.resting) == 2)
        assert answers(three) == []
        for sock in (one, two):
            sock.sendall(get("/health/live"))
            assert [said.status for said in answers(sock)] == [200]
        assert until(lambda: not server.resting)
        assert [said.status for said in asked(server.where, get("/health/live"))] == [200]


def test_more_connections_than_there_may_be_wait_for_their_turn(serve: Serve) -> None:
    server = serve(PATIENT._replace(connections=1))
    with connected(server.where) as one:
        assert until(lambda: server.resting)
        waiting = gevent.spawn(asked, server.where, get("/health/live"))
        gevent.sleep(0)
        one.close()
        assert [said.status for said in waiting.get(timeout=30)] == [200]


def test_a_stop_lets_requests_finish_and_ends_those_that_rest(serve: Serve) -> None:
    began, go_on = Event(), Event()

    @public
    def slow(environ: Any, answer: Any) -> list[bytes]:
        began.set()
        go_on.wait()
        answer("200 OK", [])
        return [b"done"]

    server = serve(PATIENT, slow)
    with connected(server.where) as resting:
        assert until(lambda: server.resting)
        asking = gevent.spawn(asked, server.where, get("/", close=False))
        began.wait(30)
        stopping = gevent.spawn(server.drain, 60)
        assert answers(resting) == []
        assert not stopping.dead
        go_on.set()
        (said,) = asking.get(timeout=30)
        assert said.body == b"done"
        stopping.get(timeout=30)
    with pytest.raises(ConnectionRefusedError):
        connected(server.where)


def test_an_answer_is_sent_at_once(serve: Serve) -> None:
    sock = serve().socket
    assert sock.getsockopt(plain.IPPROTO_TCP, plain.TCP_NODELAY) == 1
