"""A talk that the switch arranged: between a caller and whom a queue or a parking place found."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from fsivr.causes import HangupCause
from fsivr.simulator.clock import next_tick

if TYPE_CHECKING:
    from fsivr.simulator.channel import Channel
    from fsivr.simulator.thread import Thread


class Talk:
    """Ends for all when one of them leaves, or when its time is up.

    :param talks: seconds until the simulated far end hangs up; None where it does not.
    """

    def __init__(self, talks: float | None = None) -> None:
        self.over = False
        self.id = str(uuid.uuid4())
        self._talks = talks
        self._sides: list[Channel] = []

    def hold(self, thread: Thread, *, with_whom: str) -> float:
        """Stay in the talk with one side's thread until it ends; the seconds it took."""
        channel, clock = thread.channel, thread.clock
        began = clock.now()
        ends = None if self._talks is None else began + self._talks
        self._sides.append(channel)
        channel.on_change(f"talks with {with_whom}")
        while channel.ready and not self.over and (ends is None or clock.now() < ends - 1e-9):
            thread.parse_commands()
            channel.take_digit()
            thread.take_break()
            if channel.ready and not self.over:
                thread.wait(next_tick(clock.now()) if channel.digits else ends)
        self.end()
        channel.set("bridge_hangup_cause", (channel.hangup_cause or HangupCause.NORMAL_CLEARING).name)
        if channel.up:
            channel.on_change(f"is left by {with_whom}")
        return clock.now() - began

    def end(self) -> None:
        """End it for everybody."""
        if not self.over:
            self.over = True
            for channel in self._sides:
                channel.wake()


def wait_in(
    thread: Thread, music: str, *, done: Callable[[], bool], until: float | None, keys: str = ""
) -> tuple[str, bool]:
    """Rest with music until something has come; the key that ended it, and whether the music could be played.

    :param keys: the keys that end it; others are dropped.
    """
    channel, clock = thread.channel, thread.clock
    if music and thread.switch.is_missing(music):
        return "", False
    ended = thread.on_prompt("playback", music) if music else lambda: None
    pressed = ""
    while channel.ready and not done() and (until is None or clock.now() < until - 1e-9):
        # What is queued meanwhile is dropped or run by the real switch, as it happens to come: run it.
        thread.parse_commands()
        thread.take_break()
        if channel.digits and (digit := channel.take_digit()) in keys:
            pressed = digit
            break
        if channel.ready and not done():
            thread.wait(next_tick(clock.now()) if channel.digits else until)
    ended()
    return pressed, True


def go_away(thread: Thread) -> None:
    """Leave the dialplan for a talk, and hang up afterwards unless there is somewhere to go."""
    channel = thread.channel
    away, channel.away = channel.away, None
    assert away is not None
    channel.state = "CS_EXCHANGE_MEDIA"
    away(thread)
    if channel.ready and not goes_on(channel):
        channel.hangup(HangupCause.NORMAL_CLEARING)


def goes_on(channel: Channel) -> bool:
    """Whether a variable sends the channel somewhere after a bridge (switch_ivr_bridge.c, transfer_after_bridge)."""
    where = channel.variables.get("transfer_after_bridge", "")
    if not where:
        return False
    channel.set("transfer_after_bridge", None)
    target, _, dialplan = where.partition(":")
    channel.inline = dialplan == "inline"
    channel.transfer(target)
    return True
