"""Fixtures of the event socket's two sides."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from gevent import socket

from fsivr.esl.client import Client
from fsivr.esl.orders import Limits
from fsivr.esl.session import Session
from tests.esl.control import LONG, Open
from tests.esl.inbound import Answer, Connect, InboundServer, Listen
from tests.esl.peer import Peer
from tests.leaks import left, nothing_more_than


def pytest_collection_finish() -> None:
    """Leave what is there by now, modules for the most part, out of every search for what a test left behind.

    The tests of the wire look through the heap hundreds of times; without this they take half as long again.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture
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


@pytest.fixture
def open_session() -> Iterator[Open]:
    """A session and its far end; at the end nothing of either may be left."""
    before, opened = left(), []

    def make(script: Any = None, limits: Limits = LONG) -> tuple[Any, Peer]:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            ours = socket.create_connection(listener.getsockname())
            theirs, address = listener.accept()
        peer = Peer(ours, script)
        session = Session(address, theirs, limits)
        opened.append((session, peer))
        return session, peer

    yield make
    for session, peer in opened:
        session.close()
        peer.close()
    nothing_more_than(before)
