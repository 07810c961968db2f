"""A handler that was left behind, and the hook that runs in its place; refusals that a stop waits for."""

from __future__ import annotations

from typing import Any

import gevent
from gevent.event import Event as Flag

from fsivr import Call, Hangup
from tests.esl.peer import Peer, hangup
from tests.esl.switch_rules import Packet
from tests.leaks import until
from tests.server.handlers import never_leaves, plays, watched
from tests.server.serving import Serve, Waiting


def test_verbs_in_on_hangup_raise_hangup_and_no_more_when_run_was_left_behind(serve: Serve) -> None:
    """Only the greenlet that would not leave is thrown out of what it does."""
    entered, release = Flag(), Flag()
    went: list[str] = []

    def on_hangup(self: Any, call: Call) -> None:
        for name in ("first", "second"):
            try:
                call.play(name)
            except Hangup:
                went.append(name)
        went.append("done")

    serving = serve(watched(never_leaves(entered, release), on_hangup=on_hangup), hangup_grace=0.02)
    peer = serving.call(plays)
    assert entered.wait(10)
    peer.send(hangup())
    assert serving.settled()
    assert serving.server.abandoned == 1
    assert went == ["first", "second", "done"]
    release.set()


def test_a_stop_waits_until_those_it_refuses_have_read_it(serve: Serve) -> None:
    """The switch that is refused closes when it has read why; with the process gone it would never read it."""
    serving = serve(Waiting, ports=1)
    taken = serving.call(plays)
    assert until(lambda: taken.executed)
    told, still_open = Flag(), []

    def script(peer: Peer, packet: Packet) -> Any:
        if packet.get("hangup-cause"):
            told.set()

    refused = serving.call(script)
    assert told.wait(10)

    def leave() -> None:
        still_open.append(not refused.wait_end(0))
        refused.close()

    gevent.spawn_later(0.1, leave)  # by then the stop has nothing else to wait for
    serving.server.stop(0)
    assert still_open == [True]
