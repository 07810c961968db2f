"""Handlers that will not leave when the call is over: all of them do, and nothing is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest
from gevent.event import Event as Flag
from gevent.lock import Semaphore
from gevent.queue import Queue

from fsivr import (
    Call,
    Handler,
    Hangup,
    HangupCause,
)
from tests.esl.peer import CONNECT_REPLY, UUID, hangup
from tests.leaks import until
from tests.server.handlers import kills, leaving, never_leaves, plays, raising, talk, watched
from tests.server.serving import Serve


def test_the_verb_raises_hangup(serve: Serve) -> None:
    raised: list[BaseException] = []

    def run(call: Call) -> None:
        try:
            call.play("long")
        except BaseException as error:
            raised.append(error)
            raise

    serving, peer, seen = leaving(serve, run)
    assert [type(error) for error in raised] == [Hangup]
    assert seen == [HangupCause.ORIGINATOR_CANCEL]
    assert kills(peer) == []  # it is over; nothing is left to hang up
    assert serving.ended == [HangupCause.ORIGINATOR_CANCEL]


def test_except_exception_does_not_keep_it(serve: Serve) -> None:
    def run(call: Call) -> None:
        while True:
            try:  # noqa: SIM105  as people write it
                call.play("long")
            except Exception:
                pass

    _, _, seen = leaving(serve, run)
    assert seen == [HangupCause.ORIGINATOR_CANCEL]


def test_swallowing_hangup_once_ends_as_well(serve: Serve) -> None:
    def run(call: Call) -> None:
        try:  # noqa: SIM105
            call.play("long")
        except BaseException:
            pass
        call.play("goodbye")

    _, peer, seen = leaving(serve, run)
    assert seen == [HangupCause.ORIGINATOR_CANCEL]
    assert "goodbye.wav" not in [one.get("execute-app-arg") for one in peer.executed]


def swallows_everything(call: Call) -> None:
    while True:
        try:  # noqa: SIM105
            call.play("long")
        except:  # noqa: E722
            pass


def swallows_in_a_function(call: Call) -> None:
    def play() -> None:
        try:
            call.play("long")
        except BaseException:
            return

    while True:
        play()


def swallows_in_a_finally(call: Call) -> None:
    while True:
        try:
            call.play("long")
        finally:
            continue  # noqa: B012


def swallows_and_sleeps(call: Call) -> None:
    while True:
        try:
            call.play("long")
        except BaseException:
            gevent.sleep(0.01)


@pytest.mark.parametrize(
    "run", [swallows_everything, swallows_in_a_function, swallows_in_a_finally, swallows_and_sleeps]
)
def test_a_bare_except_in_a_loop_does_not_keep_it(serve: Serve, run: Callable[[Call], Any]) -> None:
    serving, _, seen = leaving(serve, run, hangup_grace=0.05)
    assert seen == [HangupCause.ORIGINATOR_CANCEL]
    assert serving.ended == [HangupCause.ORIGINATOR_CANCEL]


def test_a_handler_that_cannot_be_thrown_out_is_left_behind_and_told(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """It swallows all and never comes back to a verb. Its call ends all the same, and its port is free."""
    entered, release = Flag(), Flag()
    kind = watched(never_leaves(entered, release))
    serving = serve(kind, hangup_grace=0.02)
    peer = serving.call(plays)
    assert entered.wait(10)
    peer.send(hangup("USER_BUSY"))
    assert serving.settled()
    assert peer.wait_end(10)
    assert kind.seen == [HangupCause.USER_BUSY]
    assert serving.ended == [HangupCause.USER_BUSY]
    assert serving.server.abandoned == 1
    assert UUID in caplog.text
    release.set()


def test_a_bare_except_in_a_loop_leaves_the_rest_of_the_server_alone(serve: Serve) -> None:
    """While one handler goes round and round, others are served."""

    class Both(Handler):
        def run(self, call: Call) -> None:
            if call.caller == "5557777":
                swallows_everything(call)
            call.play("short")

    serving = serve(Both, hangup_grace=0.3)
    bad = serving.call(plays)
    assert until(lambda: bad.executed)
    bad.send(hangup())
    gevent.sleep(0.05)
    other = CONNECT_REPLY.replace(b"5557777", b"4")
    for _ in range(10):
        good = serving.call(lambda peer, packet: other if packet.command == "connect" else plays(peer, packet))
        assert good.wait_end(10)
        assert kills(good) == ["NORMAL_CLEARING"]
    assert serving.settled(11)


@pytest.mark.parametrize("wait", ["event", "sleep", "lock", "queue", "join"])
def test_it_blocks_for_ever(serve: Serve, wait: str) -> None:
    """In something that knows nothing of calls: thrown out when the grace is over."""
    lock = Semaphore(0)
    blocks: dict[str, Callable[[], Any]] = {
        "event": Flag().wait,
        "sleep": lambda: gevent.sleep(3600),
        "lock": lock.acquire,
        "queue": Queue[int]().get,
        "join": lambda: blocked.join(),
    }
    blocked = gevent.spawn(Flag().wait)
    entered = Flag()

    def run(call: Call) -> None:
        call.answer()
        entered.set()
        blocks[wait]()

    kind = watched(run)
    serving = serve(kind, hangup_grace=0.05)
    peer = serving.call(plays)
    assert entered.wait(10)
    peer.send(hangup("USER_BUSY"))
    assert serving.settled()
    assert kind.seen == [HangupCause.USER_BUSY]
    blocked.kill()


def test_it_goes_on_within_the_grace(serve: Serve) -> None:
    """Work after the hangup, such as writing down what was keyed, is not cut off."""
    done: list[str] = []
    entered, finish = Flag(), Flag()

    def run(call: Call) -> None:
        call.answer()
        entered.set()
        finish.wait()
        done.append("written")

    kind = watched(run)
    serving = serve(kind)
    peer = serving.call(plays)
    assert entered.wait(10)
    peer.send(hangup())
    gevent.sleep(0.05)
    assert kind.seen == []
    finish.set()
    assert serving.settled()
    assert done == ["written"]
    assert kind.seen == [HangupCause.NORMAL_CLEARING]


def test_on_hangup_that_blocks_for_ever_is_thrown_out(serve: Serve) -> None:
    kind = watched(lambda call: None, on_hangup=lambda self, call: Flag().wait())
    serving = serve(kind, hangup_grace=0.05)
    peer = serving.call(plays)
    assert serving.settled()
    assert peer.wait_end(10)


def test_on_error_that_blocks_for_ever_is_thrown_out(serve: Serve) -> None:
    """The caller waits in silence: the call's own limit ends it."""
    kind = watched(raising(ValueError("on purpose")), on_error=lambda self, call, error: Flag().wait())
    serving = serve(kind, hangup_grace=0.05, call_limit=0.1)
    serving.call(plays)
    assert serving.settled()
    assert kind.seen == [HangupCause.ALLOTTED_TIMEOUT]


# -- limits -------------------------------------------------------------------------------------------


def test_a_call_that_lasts_too_long_is_ended(serve: Serve) -> None:
    _, peer, seen = talk(serve, lambda call: call.play("long"), call_limit=0.1)
    assert kills(peer) == ["ALLOTTED_TIMEOUT"]
    assert seen == [HangupCause.ALLOTTED_TIMEOUT]


def test_a_handler_that_computes_past_the_limit_is_ended(serve: Serve) -> None:
    _, peer, seen = talk(serve, lambda call: Flag().wait(), call_limit=0.1, hangup_grace=0.05)
    assert seen == [HangupCause.ALLOTTED_TIMEOUT]
    assert "ALLOTTED_TIMEOUT" in kills(peer)
