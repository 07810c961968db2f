"""Time: virtual and real."""

from __future__ import annotations

import time

import gevent
import pytest

from fsivr.simulator import RealClock, VirtualClock
from fsivr.simulator.clock import next_tick
from fsivr.simulator.switch import Switch
from tests.simulator.app import App, Wire


def test_timers_run_in_order_and_at_their_time() -> None:
    clock, ran = VirtualClock(), []
    for when in (3.0, 1.0, 2.0, 1.0):
        clock.call_at(when, lambda when=when: ran.append((when, clock.now())))  # type: ignore[misc]
    cancelled = clock.call_at(1.5, lambda: ran.append((1.5, 0)))
    cancelled.cancel()
    while clock.next_due() is not None:
        clock.run_next()
    assert ran == [(1.0, 1.0), (1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]
    clock.run_next()
    assert clock.now() == 3.0


@pytest.mark.parametrize(("now", "tick"), [(0.0, 0.02), (0.001, 0.02), (0.02, 0.04), (0.039, 0.04), (0.06, 0.08)])
def test_the_next_tick_is_later_than_now(now: float, tick: float) -> None:
    assert next_tick(now) == pytest.approx(tick)


def test_a_real_clock_runs_by_itself() -> None:
    clock, ran = RealClock(), []
    clock.call_at(clock.now() + 0.01, lambda: ran.append("late"))
    clock.call_at(clock.now() + 0.01, lambda: ran.append("never")).cancel()
    gevent.sleep(0.03)
    assert ran == ["late"]


def test_a_call_in_real_time() -> None:
    def script(wire: Wire) -> None:
        wire.start()
        wire.execute("playback", "a.wav", lock=True)
        wire.execute("play_and_get_digits", "1 1 1 5000 # b.wav silence_stream://1 keyed \\d 2000", lock=True)
        wire.done("play_and_get_digits")
        wire.send("sendmsg\ncall-command: hangup")
        wire.event("CHANNEL_HANGUP_COMPLETE")

    with App(script) as app:
        switch = Switch(app.switch.address, clock=RealClock())
        switch.lasts("a", 0.05)
        switch.lasts("b", 0.05)
        began = time.monotonic()
        with switch.call("1") as caller:
            caller.hears("a", "b")
            assert time.monotonic() - began > 0.1
            caller.dials("1")
        assert caller.over
        switch.stop()


def test_a_server_that_lingers_for_ever_does_not_hold_up_a_real_clock() -> None:
    def script(wire: Wire) -> None:
        wire.send("connect", "linger", "sendmsg\ncall-command: hangup")
        while wire.next() is not None:
            pass

    with App(script) as app:
        switch = Switch(app.switch.address, clock=RealClock())
        with switch.call("1") as caller:
            assert caller.join(5)
        assert not caller.line.open
        switch.stop()
