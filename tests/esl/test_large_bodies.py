"""A body as large as the switch takes: sent whole, though the socket takes it in pieces."""

from __future__ import annotations

import gevent
from gevent import socket

from fsivr.esl import commands
from fsivr.esl.transport import Transport

SIZE = 14_000_000  # bytes; the switch takes 16 MiB


def test_a_body_of_14_megabytes_is_sent() -> None:
    near, far = socket.socketpair()
    ends: list[object] = []
    transport = Transport(near, lambda _: None, ends.append)
    wire = commands.execute("playback", "a" * SIZE)
    received = bytearray()
    with far, gevent.Timeout(20):
        transport.send(wire)
        while len(received) < len(wire) and (piece := far.recv(1 << 20)):
            received += piece
    transport.close()
    assert ends == []
    assert received == wire
