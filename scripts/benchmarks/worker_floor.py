"""The floor: what any gevent worker pays for this call, and nothing else.

A bare loop sends the bytes that fsivr was seen to send, and searches what comes back for the
completion it waits for. It parses nothing, checks nothing, and has no timeouts.
"""

from __future__ import annotations

import argparse
import json
import socket
from pathlib import Path

from collecting import collect_when_asked
from gevent.server import StreamServer
from gevent.socket import socket as GeventSocket

CALL_ID = b"{call}"
EXECUTE_ID = b"{execute}"
_CHUNK = 65536


class Floor:
    """The call, as the bytes to send and the text to wait for.

    :param steps: the writes of a call; the first gets the channel's description, the last the hangup.
    """

    def __init__(self, steps: list[bytes]) -> None:
        self.start, *self.verbs, self.hangup = steps
        self.calls = 0

    def __call__(self, sock: GeventSocket, address: object) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.calls += 1
        recv, sendall = sock.recv, sock.sendall
        sendall(self.start)
        data = recv(_CHUNK)
        while (at := data.find(b"\nUnique-ID: ")) < 0 or len(data) < at + 48:
            data += recv(_CHUNK)
        call_id = data[at + 12 : at + 48]
        for number, verb in enumerate(self.verbs):
            execute_id = b"%08x-%d" % (self.calls, number)
            sendall(verb.replace(CALL_ID, call_id).replace(EXECUTE_ID, execute_id))
            wait_for(recv, b"\nApplication-UUID: " + execute_id)
        sendall(self.hangup.replace(CALL_ID, call_id))
        wait_for(recv, b"CHANNEL_HANGUP_COMPLETE")


def wait_for(recv: object, text: bytes) -> None:
    """Return once the text has come in; it may have come in two pieces."""
    data = recv(_CHUNK)  # type: ignore[operator]
    while data.find(text) < 0:
        more = recv(_CHUNK)  # type: ignore[operator]
        if not more:
            raise ConnectionError("the load closed early")
        data = data[-64:] + more


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--steps", type=Path, required=True, help="a JSON list: the writes of a call")
    options = parser.parse_args()
    collect_when_asked()
    steps = [step.encode() for step in json.loads(options.steps.read_text())]
    StreamServer(("127.0.0.1", options.port), Floor(steps), backlog=1024).serve_forever()


main()
