"""Background jobs and events of the inbound socket, and its return after a loss."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from gevent.event import Event as Flag

from fsivr.errors import (
    CommandRefused,
    ConnectionLost,
    ReplyTimeout,
)
from tests.esl.inbound import (
    Connect,
    Listen,
    accepted,
    captured_job,
    exchanges,
    job_of,
)
from tests.esl.peer import OK, Peer, api_response, event
from tests.esl.switch_rules import Packet
from tests.leaks import until


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
