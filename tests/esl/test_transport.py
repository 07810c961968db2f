"""One socket: whole messages in, whole writes out, one end, and no wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent import socket

from fsivr.errors import ConnectionLost, RemoteProtocolError
from fsivr.esl.messages import Message, Reply
from fsivr.esl.transport import Transport
from tests.esl.peer import OK, event
from tests.leaks import left, nothing_more_than, until


class Line:
    """A transport, the far end of its socket, and what it told."""

    def __init__(self, on_message: Callable[[Message], Any] | None = None, buffer: int = 0) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            self.far = socket.create_connection(listener.getsockname())
            self.near, _ = listener.accept()
        if buffer:
            self.near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
            self.far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.messages: list[Message] = []
        self.ends: list[Any] = []
        self.transport = Transport(self.near, on_message or self.messages.append, self.ends.append)


@pytest.fixture
def line() -> Iterator[Callable[..., Line]]:
    before, made = left(), []

    def make(*arguments: Any, **options: Any) -> Line:
        made.append(Line(*arguments, **options))
        return made[-1]

    yield make
    for one in made:
        one.transport.close()
        one.far.close()
    nothing_more_than(before)


def test_a_message_in_pieces(line: Callable[..., Line]) -> None:
    one = line()
    for byte in event("DTMF") + OK:
        one.far.sendall(bytes([byte]))
        gevent.sleep(0)
    assert until(lambda: len(one.messages) == 2)
    assert isinstance(one.messages[1], Reply)
    assert one.ends == []


def test_a_write_that_the_socket_does_not_take_at_once(line: Callable[..., Line]) -> None:
    one = line(buffer=32_768)
    data = bytes(range(256)) * 3000
    one.transport.send(data[:400_000])
    one.transport.send(data[400_000:])  # behind what waits
    received = b""
    while len(received) < len(data):
        received += one.far.recv(65536)
    assert received == data
    one.transport.send(b"after")
    assert one.far.recv(10) == b"after"
    assert one.ends == []


def test_a_switch_that_does_not_read(line: Callable[..., Line]) -> None:
    """What it is sent waits for it, up to a limit; then the connection counts as lost."""
    one = line(buffer=4096)
    for _ in range(200):
        one.transport.send(b"a" * 65_536)
    [error] = one.ends
    assert isinstance(error, ConnectionLost)
    assert "stopped reading" in str(error)
    assert one.transport.closed


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        (b"", type(None)),
        (OK, type(None)),
        (OK[:-1], RemoteProtocolError),
        (b"Content-Length: -1\n\n", RemoteProtocolError),
    ],
)
def test_the_end_is_told_once(line: Callable[..., Line], last: bytes, kind: type) -> None:
    one = line()
    if last:
        one.far.sendall(last)
    one.far.close()
    assert until(lambda: one.ends)
    one.transport.send(b"more")
    one.transport.close()
    gevent.sleep(0.01)
    assert [type(end) for end in one.ends] == [kind]
    assert len(one.messages) == (last == OK)


def test_nothing_is_told_after_close(line: Callable[..., Line]) -> None:
    one = line()
    one.transport.close()
    one.far.close()
    gevent.sleep(0.01)
    assert one.ends == []
    assert one.transport.closed
    one.transport.send(b"more")
    one.transport.close()


def test_a_fault_of_ours_ends_this_connection_and_not_the_hub(
    line: Callable[..., Line], caplog: pytest.LogCaptureFixture
) -> None:
    def fails(message: Message) -> None:
        raise ValueError("on purpose")

    bad, good = line(fails), line()
    bad.far.sendall(OK)
    good.far.sendall(OK)
    assert until(lambda: bad.ends and good.messages)
    assert isinstance(bad.ends[0], ConnectionLost)
    assert "on purpose" in caplog.text
    assert good.ends == []


def test_a_close_from_within_a_message_ends_the_reading(line: Callable[..., Line]) -> None:
    seen: list[Message] = []

    def closes(message: Message) -> None:
        seen.append(message)
        one.transport.close()

    one = line(closes)
    one.far.sendall(OK * 3)
    assert until(lambda: seen)
    gevent.sleep(0.01)
    assert len(seen) == 1
    assert one.ends == []
