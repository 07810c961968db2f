"""A client that was closed and connects again, after events have come."""

from __future__ import annotations

from tests.esl.conftest import Connect, Listen
from tests.esl.peer import event
from tests.leaks import until


def test_functions_that_were_called_before_a_close_are_called_after_it(listen: Listen, client: Connect) -> None:
    server = listen()
    one = client(server)
    seen: list[str | None] = []
    one.on("HEARTBEAT", lambda told: seen.append(told.headers.get("Number")))
    server.peers[0].send(event("HEARTBEAT", {"Number": "1"}))
    assert until(lambda: seen == ["1"])
    one.close()
    one.connect()
    server.peers[1].send(event("HEARTBEAT", {"Number": "2"}))
    assert until(lambda: seen == ["1", "2"])
