"""A call that the switch takes away and gives back, byte by byte."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from fsivr import Hangup, HangupCause
from tests.call.conversations import Open
from tests.esl.peer import OK, Peer, complete, event, hangup
from tests.leaks import until

#: The numbers of the events that tell of it, as the switch counts them.
_UNPARK, _SOCKET, _REST, _LEFT, _BACK = 10, 11, 12, 13, 14


def park(name: str, number: int, **headers: str) -> bytes:
    return event(name, {"Event-Sequence": str(number), **headers})


def of_socket(number: int) -> bytes:
    return event(
        "CHANNEL_EXECUTE_COMPLETE", {"Event-Sequence": str(number), "Application": "socket", "Application-UUID": "x"}
    )


def takes(peer: Peer, packet: Any) -> Any:
    """The caller is taken at once."""
    if packet.get("execute-app-name") == "fifo":
        end = complete(packet, "_none_", {"variable_fifo_serviced_uuid": "abc"})
        return OK + end + park("CHANNEL_UNPARK", _UNPARK) + of_socket(_SOCKET)
    return OK + complete(packet) if packet.get("execute-app-name") else NotImplemented


def lending(call: Any) -> Any:
    return gevent.spawn(lambda: call._session.lend("fifo", "support in", timeout=60, taken=lambda end: True))


def sent_for(peer: Peer) -> int:
    return sum(packet.command.startswith("api uuid_transfer ") for packet in peer.commands)


def test_it_is_sent_for_when_the_talk_is_over(open_call: Open) -> None:
    call, peer = open_call(takes)
    lent = lending(call)
    peer.send(park("CHANNEL_PARK", 3))  # late, and that of the socket application
    assert until(lambda: any(each.get("execute-app-name") == "fifo" for each in peer.commands))
    gevent.sleep(0.02)
    before = sent_for(peer)
    for _ in range(2):  # told twice, sent for once
        peer.send(park("CHANNEL_PARK", _REST, variable_fifo_status="DONE"))
    assert until(lambda: sent_for(peer) == before + 1)
    assert not lent.ready()
    peer.send(park("CHANNEL_PARK", _BACK) + park("CHANNEL_UNPARK", _LEFT))  # in whatever order
    end, back = lent.get(timeout=5)
    assert end.get("variable_fifo_serviced_uuid") == "abc" and back.get("Event-Sequence") == str(_BACK)
    gevent.sleep(0.02)
    assert not call.over and sent_for(peer) == before + 1
    call.play("one")


def test_a_park_that_ends_unasked_is_the_calls_end(open_call: Open) -> None:
    call, peer = open_call(takes)
    lent = lending(call)
    assert until(lambda: any(each.get("execute-app-name") == "fifo" for each in peer.commands))
    gevent.sleep(0.02)
    peer.send(park("CHANNEL_PARK", _REST))
    assert until(lambda: sent_for(peer) == 1)
    peer.send(park("CHANNEL_UNPARK", _LEFT) + park("CHANNEL_PARK", _BACK))
    lent.get(timeout=5)
    peer.send(park("CHANNEL_UNPARK", _BACK + 1))
    assert until(lambda: call.hangup_cause is HangupCause.BLIND_TRANSFER)
    with pytest.raises(Hangup):
        call.play("one")


def test_a_hangup_in_the_talk_ends_the_wait(open_call: Open) -> None:
    call, peer = open_call(takes)
    lent = lending(call)
    assert until(lambda: any(each.get("execute-app-name") == "fifo" for each in peer.commands))
    gevent.sleep(0.02)
    peer.send(hangup("USER_BUSY"))
    with pytest.raises(Hangup) as raised:
        lent.get(timeout=5)
    assert raised.value.cause is HangupCause.USER_BUSY
