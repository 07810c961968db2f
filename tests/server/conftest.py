"""A server on a free port, the far end of calls to it, and a check that nothing is left of either."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gevent import socket

from fsivr import Call, Dialplan, Extension, Handler, HangupCause
from fsivr.config import Settings
from fsivr.server import Server
from tests.esl.peer import Peer
from tests.leaks import left, nothing_more_than, until

#: Longer than any test may take: where a call ends, it was not because one of these ran out.
LONG: dict[str, Any] = {"reply_timeout": 60.0, "hangup_grace": 60.0, "drain_timeout": 60.0, "call_limit": 600.0}


class Serving:
    """A server, and calls to it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.peers: list[Peer] = []
        #: The cause each ended call's handler was left with.
        self.ended: list[HangupCause | None] = []
        server.on_call_end.append(lambda call: self.ended.append(call.hangup_cause))
        server.start()

    def call(self, script: Any = None, *, source: str = "127.0.0.1") -> Peer:
        """A connection of the switch's, from an address of this machine's."""
        sock = socket.create_connection(self.server.address, source_address=(source, 0))
        self.peers.append(Peer(sock, script))
        return self.peers[-1]

    def settled(self, calls: int = 1, seconds: float = 20.0) -> bool:
        """Whether so many calls have been had with a handler and are over, or are within so many seconds."""
        return until(lambda: len(self.ended) >= calls and self.server.ports_in_use == 0, seconds)

    def idle(self, seconds: float = 10.0) -> bool:
        """Whether every port is free, or becomes it within so many seconds."""
        return until(lambda: self.server.ports_in_use == 0, seconds)


Serve = Callable[..., Serving]


@pytest.fixture
def serve() -> Iterator[Serve]:
    before, made = left(), []

    def make(handler: type[Any] | Dialplan, **settings: Any) -> Serving:
        dialplan = handler if isinstance(handler, Dialplan) else Dialplan([Extension(".*", handler)])
        # The smallest values that settings allow are still too long for a test.
        checked = dataclasses.replace(Settings.defaults(listen="127.0.0.1:0"), **{**LONG, **settings})
        made.append(Serving(Server(dialplan, checked)))
        return made[-1]

    yield make
    for serving in made:
        for peer in serving.peers:
            peer.close()
        assert serving.idle()
        serving.server.stop(0)
        assert serving.server.calls == []
    nothing_more_than(before)


class Waiting(Handler):
    """Answers, then waits in a prompt that does not end by itself."""

    def run(self, call: Call) -> None:
        call.play("long")
