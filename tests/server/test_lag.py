"""A loop that is late again and again refuses calls; one that was late once does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from fsivr import Call, Handler
from fsivr.server.lag import INTERVAL, LATE, LOOKS, Lag
from fsivr.server.refusal import Reason
from tests.leaks import until
from tests.server.kept import Kept
from tests.server.serving import Returning, Serve, switch


class Looking:
    """A lag whose looks are as late as they are told to be."""

    def __init__(self, limit: float) -> None:
        self.now = 0.0
        self.lag = Lag(limit, clock=lambda: self.now)
        self.lag.stop()  # its timer; the looks are ours

    def late(self, seconds: float, times: int = 1) -> bool:
        """Whether the loop is behind after so many looks that were so late."""
        for _ in range(times):
            self.now += INTERVAL + seconds
            self.lag.look()
        return self.lag.behind


def test_one_late_look_refuses_nobody_however_late_it_was() -> None:
    looking = Looking(0.5)
    assert not looking.late(0.0, 5)
    assert not looking.late(3600.0)
    assert not looking.late(0.0, LOOKS)
    assert looking.lag.most == pytest.approx(3600.0)


@pytest.mark.parametrize("between", [0, 1, 5])
def test_a_loop_that_is_late_again_and_again_is_behind_until_it_is_on_time(between: int) -> None:
    looking = Looking(0.5)
    for _ in range(LATE - 1):
        assert not looking.late(0.6)
        assert not looking.late(0.0, between)
    assert looking.late(0.6)
    # All but two of those that were late are past then.
    assert looking.late(0.0, LOOKS - (LATE - 1) * (between + 1) - 1)
    assert not looking.late(0.0)


def test_late_looks_that_are_far_apart_are_not_again_and_again() -> None:
    looking = Looking(0.5)
    for _ in range(10):
        assert not looking.late(2.0)
        assert not looking.late(0.0, LOOKS // (LATE - 1))


def test_what_is_less_late_than_the_limit_is_on_time_and_no_limit_is_never_late() -> None:
    assert not Looking(0.5).late(0.4, 50)
    assert not Looking(0.0).late(100.0, 50)


def test_the_lag_lately_is_the_most_since_it_was_asked() -> None:
    looking = Looking(0.0)
    looking.late(0.3)
    looking.late(0.1)
    assert looking.lag.lately() == pytest.approx(0.3)
    assert looking.lag.lately() == 0.0
    assert looking.lag.most == pytest.approx(0.3)


def block(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def blocking(again: Callable[[], bool], seconds: float = 0.15) -> type[Handler]:
    """A handler that stops the loop over and over for as long as it is told to."""

    class Blocking(Handler):
        def run(self, call: Call) -> None:
            while again():
                block(seconds)
                gevent.sleep(0.01)

    return Blocking


def test_a_handler_that_blocks_the_loop_over_and_over_has_calls_refused(serve: Serve, caplog: Any) -> None:
    more = [True]
    serving = serve(blocking(lambda: more[0]), lag_limit=0.01, ports=10)
    server = serving.server
    held = serving.call(switch)
    assert until(lambda: server._loop.behind, 30)
    refused = serving.call(switch)
    assert refused.wait_end(30)
    assert b"hangup-cause: SWITCH_CONGESTION" in refused.received
    assert server._counts.refused == {Reason.PORTS: 0, Reason.LAG: 1, Reason.STOPPING: 0}
    assert (server.refused, server.ports_in_use) == (1, 1)
    assert sum("new calls are refused until" in line for line in caplog.messages) == 1
    more[0] = False
    assert held.wait_end(30)
    assert until(lambda: not server._loop.behind, 60)
    assert serving.call(switch).wait_end(30)
    assert serving.settled(2)
    assert server.refused == 1


def test_a_handler_that_blocks_once_has_nobody_refused(serve: Serve) -> None:
    blocks = iter([True])
    serving = serve(blocking(lambda: next(blocks, False), 0.7), lag_limit=0.5)
    assert serving.call(switch).wait_end(30)
    assert until(lambda: serving.server._loop.lag.most > 0.5, 30)  # type: ignore[union-attr]
    assert serving.call(switch).wait_end(30)
    assert serving.server.refused == 0


def test_where_there_is_no_limit_nobody_is_refused(serve: Serve) -> None:
    serving = serve(Returning, lag_limit=0.0)
    lag = serving.server._loop.lag
    assert lag is not None
    for _ in range(LOOKS):
        gevent.sleep(0)
        lag.look()
    assert not lag.behind


@pytest.fixture
def kept(switch: Any, tmp_path: Path) -> Iterator[Kept]:
    opened = Kept(switch, tmp_path)
    yield opened
    opened.close()


def test_it_is_kept_why_the_call_was_refused(kept: Kept) -> None:
    lag = kept.switch.server._loop.lag
    lag.stop()
    lag.behind = True
    row = kept.call(lambda call: None)
    assert (row.hangup_cause, row.error) == ("SWITCH_CONGESTION", "refused: the event loop was late")
    kept.switch.server._loop.lag = None
