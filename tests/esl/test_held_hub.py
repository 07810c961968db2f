"""A hub that was held up: what has arrived meanwhile counts, not the time that passed."""

from __future__ import annotations

import time
from typing import Any

import gevent

from fsivr.esl.orders import Limits
from tests.esl.control import Open, plays
from tests.esl.peer import OK, Peer, api_response, complete
from tests.esl.switch_rules import Packet

#: Seconds; a wait may take half as long as the hub is held.
HELD = 0.3
HALF = Limits(reply=HELD / 2, probe=60.0, verb=60.0)

# Needed as it is: gevent's sleep would give the hub back.
hold = __import__("gevent.monkey", fromlist=["get_original"]).get_original("time", "sleep")


def test_an_answer_that_came_while_the_hub_was_held_is_no_timeout(open_session: Open) -> None:
    session, peer = open_session(plays, HALF)
    session.connect()
    peer._reader.kill()
    waiting = gevent.spawn(session.api, "status")
    gevent.sleep(0)
    peer.send(api_response("UP\n"))
    hold(HELD)
    assert waiting.get(timeout=5) == "UP\n"


def test_a_completion_that_came_while_the_hub_was_held_is_no_timeout(open_session: Open) -> None:
    def script(peer: Peer, packet: Packet) -> Any:
        if not packet.get("execute-app-name"):
            return NotImplemented
        peer.send(OK + complete(packet))
        hold(HELD)
        return None

    session, _ = open_session(script, HALF)
    session.connect()
    assert session.execute("playback", "a.wav").get("Application-Response") == "FILE PLAYED"


def test_a_wait_that_begins_after_the_hub_was_held_has_its_whole_time(open_session: Open) -> None:
    session, _ = open_session(plays, HALF)
    session.connect()
    before = time.monotonic()
    hold(HELD)
    assert session.execute("playback", "a.wav")
    assert time.monotonic() - before >= HELD
