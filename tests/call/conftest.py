"""A call whose far end is said by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gevent import socket

from fsivr import Call
from fsivr.esl.orders import Limits
from fsivr.esl.session import Session
from tests.call.conversations import Open, plays
from tests.esl.peer import Peer


@pytest.fixture
def open_call() -> Iterator[Open]:
    """A call, and the far end of its event socket, which plays everything at once."""
    opened = []

    def make(script: Any = None) -> tuple[Call, Peer]:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            ours = socket.create_connection(listener.getsockname())
            theirs, address = listener.accept()
        peer = Peer(ours, script or plays)
        session = Session(address, theirs, Limits(60.0, 60.0, 60.0))
        opened.append((session, peer))
        session.connect()
        call = Call(session)
        call.answer()
        return call, peer

    yield make
    for session, peer in opened:
        session.close()
        peer.close()
