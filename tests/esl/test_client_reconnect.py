"""The inbound client around the loss of its connection: one connection, and its functions are called."""

from __future__ import annotations

import gevent
import pytest
from gevent.event import Event as Flag

from tests.esl.conftest import Connect, Listen
from tests.esl.peer import event
from tests.leaks import until


def test_connecting_by_hand_while_it_reconnects_makes_one_connection(listen: Listen, client: Connect) -> None:
    server = listen()
    one = client(server)
    server.drop()
    assert until(lambda: not one.connected)
    one.connect()  # the reconnection would come half a second later
    gevent.sleep(0.7)
    assert len(server.peers) == 2
    one.close()
    assert server.peers[1].wait_end()


def test_functions_are_called_after_close_and_connect(listen: Listen, client: Connect) -> None:
    server = listen()
    one = client(server)
    seen: list[str] = []
    one.on("HEARTBEAT", lambda one: seen.append(one.headers["Event-Name"]))
    one.close()
    one.connect()
    server.peers[1].send(event("HEARTBEAT"))
    assert until(lambda: seen == ["HEARTBEAT"])


def test_a_function_that_fails_at_the_reconnection_does_not_stop_the_next(
    listen: Listen, client: Connect, delays: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    server = listen()
    one = client(server)
    again = Flag()

    def fails() -> None:
        raise ValueError("on purpose")

    one.on_reconnect += [fails, again.set]
    server.drop()
    assert again.wait(10)
    assert "a function for the reconnection failed" in caplog.text


def test_a_timeout_in_a_function_does_not_end_the_calling_of_others(listen: Listen, client: Connect) -> None:
    server = listen()
    one = client(server)
    seen: list[str] = []

    def late(_: object) -> None:
        seen.append("called")
        raise gevent.Timeout(1)

    one.on("HEARTBEAT", late)
    server.peers[0].send(event("HEARTBEAT") * 3)
    assert until(lambda: seen == ["called"] * 3)
